"""Users' own processes: stored, listed, replaced and removed, and used by name wherever a graph is taken."""

import numpy
import pytest
import requests
import xarray
from openeo.api.process import Parameter

from conftest import DEMO_PATTERNS, PASSWORD, USER, twincube
from test_services import middle_tile

OTHER = "dave"


def node(called, /, namespace=None, result=True, **arguments):
    made = {"process_id": called, "arguments": arguments, "result": result}
    return made if namespace is None else {**made, "namespace": namespace}


def parameter(name):
    return {"from_parameter": name}


def number(name, **more):
    return {"name": name, "description": "", "schema": {"type": ["number", "null"]}, **more}


CELSIUS = {
    "summary": "Fahrenheit to Celsius", "description": "Exactly.", "categories": ["math"],
    "parameters": [number("f")],
    "returns": {"description": "Degrees.", "schema": {"type": "number"}},
    "examples": [{"arguments": {"f": 212}, "returns": 100}], "links": [{"rel": "about", "href": "http://a.example"}],
    "exceptions": {"Cold": {"message": "too cold"}}, "deprecated": False, "experimental": True,
    "default_job_options": {"memory": "1G"},
    "process_graph": {
        "s": node("subtract", x=parameter("f"), y=32, result=False),
        "d": node("divide", x={"from_node": "s"}, y=1.8),
    },
}


class User:
    def __init__(self, api, name):
        self.api, self.session = api, requests.Session()
        token = requests.get(api + "/credentials/basic", auth=(name, PASSWORD), timeout=30).json()["access_token"]
        self.session.trust_env = False
        self.session.headers["Authorization"] = "Bearer basic//" + token

    def call(self, method, path, body=None, **options):
        return self.session.request(method, self.api + path, json=body, timeout=60, **options)

    def put(self, name, graph, parameters=(), **more):
        body = {"process_graph": graph, "parameters": list(parameters), **more}
        answer = self.call("PUT", f"/process_graphs/{name}", body)
        assert answer.status_code == 200 and answer.content == b"", answer.text

    def result(self, **nodes):
        return self.call("POST", "/result", {"process": {"process_graph": nodes}})

    def value(self, called, /, **arguments):
        answer = self.result(a=node(called, **arguments))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ids(self):
        return [p["id"] for p in self.call("GET", "/process_graphs").json()["processes"]]


@pytest.fixture(scope="module")
def users(running, data):
    twincube("user", "add", OTHER, "--data", data, input=PASSWORD + "\n")
    return User(running.api.replace("1.2", "1.3"), USER), User(running.api, OTHER)


@pytest.fixture
def user(users):
    yield users[0]
    for name in users[0].ids():
        assert users[0].call("DELETE", f"/process_graphs/{name}").status_code == 204


def expect(answer, status, code, *words):
    assert answer.status_code == status and answer.json()["code"] == code, answer.text
    for word in words:
        assert word in answer.json()["message"], answer.json()["message"]


# ---- storing ----


def test_a_definition_is_kept_as_it_was_sent(user):
    assert user.call("PUT", "/process_graphs/celsius", {**CELSIUS, "id": "another"}).status_code == 200
    assert user.call("GET", "/process_graphs/celsius").json() == {"id": "celsius", **CELSIUS}
    (listed,) = user.call("GET", "/process_graphs").json()["processes"]
    brief = ("summary", "description", "categories", "parameters", "returns", "deprecated", "experimental")
    assert listed == {"id": "celsius", **{key: CELSIUS[key] for key in brief}}
    assert user.value("celsius", f=212) == 100


def test_numbers_keep_their_digits_and_nulls_count_as_nothing(user):
    text = ('{"process_graph": {"a": {"process_id": "add", "arguments": {"x": 0.1000, "y": 1e2}, "result": true}},'
            ' "summary": null, "parameters": null, "id": null, "returns": null}')
    answer = user.call("PUT", "/process_graphs/digits", data=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    kept = user.call("GET", "/process_graphs/digits").text
    assert "0.1000" in kept and "1e2" in kept and "null" not in kept
    assert user.value("digits") == 100.1


def test_replacing_and_removing(user):
    user.put("one", {"a": node("add", x=1, y=0)})
    assert user.value("one") == 1
    user.put("one", {"a": node("add", x=1, y=1)})
    assert user.value("one") == 2 and user.ids() == ["one"]
    assert user.call("DELETE", "/process_graphs/one").status_code == 204
    expect(user.result(a=node("one")), 400, "ProcessUnsupported", "'one'")
    for method in ("GET", "DELETE"):
        expect(user.call(method, "/process_graphs/one"), 404, "ProcessGraphNotFound", "'one'")


def test_lists_come_in_pages(user):
    names = sorted(f"p{i}" for i in range(7))
    for name in reversed(names):
        user.put(name, {"a": node("pi")})
    assert user.ids() == names
    path, found = "/process_graphs?limit=3", []
    while path:
        page = user.call("GET", path).json()
        found.append([p["id"] for p in page["processes"]])
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        path = following[0].removeprefix(user.api) if following else None
    assert [len(page) for page in found] == [3, 3, 1] and sum(found, []) == names
    assert user.call("GET", "/process_graphs?limit=7").json()["links"] == []
    for wrong in ("limit=0", "limit=x", "after=%00", "after=a%2Fb"):
        expect(user.call("GET", "/process_graphs?" + wrong), 400, "QueryParameterInvalid")


def test_what_one_user_defines_is_nobody_elses(user, users):
    user.put("mine", {"a": node("add", x=1, y=1)})
    other = users[1]
    assert other.ids() == []
    expect(other.call("GET", "/process_graphs/mine"), 404, "ProcessGraphNotFound")
    expect(other.call("DELETE", "/process_graphs/mine"), 404, "ProcessGraphNotFound")
    expect(other.result(a=node("mine")), 400, "ProcessUnsupported")
    other.put("mine", {"a": node("add", x=2, y=2)})
    assert (user.value("mine"), other.value("mine")) == (2, 4)
    assert other.call("DELETE", "/process_graphs/mine").status_code == 204
    for method in ("GET", "PUT", "DELETE"):
        expect(requests.request(method, user.api + "/process_graphs/mine", json={}, timeout=30), 401,
               "AuthenticationRequired")
    expect(requests.get(user.api + "/process_graphs", timeout=30), 401, "AuthenticationRequired")
    graph = {"process": {"process_graph": {"a": node("mine")}}}
    strangers = requests.post(user.api + "/validation", json=graph, timeout=60).json()["errors"]
    assert [e["code"] for e in strangers] == ["ProcessUnsupported"]
    assert user.call("POST", "/validation", graph).json()["errors"] == []


GRAPH = {"a": node("pi")}


@pytest.mark.parametrize(("name", "body", "code"), [
    ("add", {"process_graph": GRAPH}, "PredefinedProcessExists"),
    ("a%20b", {"process_graph": GRAPH}, "ProcessInvalid"),
    ("%C3%A9", {"process_graph": GRAPH}, "ProcessInvalid"),
    ("x" * 129, {"process_graph": GRAPH}, "ProcessInvalid"),
    ("p", {}, "ProcessGraphMissing"),
    ("p", {"process_graph": None}, "ProcessGraphMissing"),
    ("p", {"process_graph": {}}, "ProcessGraphMissing"),
    ("p", {"process_graph": []}, "ProcessInvalid"),
    ("p", {"process_graph": {"a": 1}}, "ProcessGraphInvalid"),
    ("p", {"process_graph": {"a": {"process_id": 1}}}, "ProcessGraphInvalid"),
    ("p", {"process_graph": GRAPH, "summary": 1}, "ProcessInvalid"),
    ("p", {"process_graph": GRAPH, "parameters": {}}, "ProcessInvalid"),
    ("p", {"process_graph": GRAPH, "parameters": [{"schema": {}}]}, "ProcessGraphInvalid"),
    ("p", {"process_graph": GRAPH, "parameters": [number("x"), number("x")]}, "ProcessGraphInvalid"),
    ("p", {"process_graph": GRAPH, "parameters": [number("x", default="one")]}, "ProcessParameterInvalid"),
    ("p", {"process_graph": GRAPH, "returns": "a number"}, "ProcessInvalid"),
    ("p", {"process_graph": GRAPH, "deprecated": "yes"}, "ProcessInvalid"),
    ("p", {"process_graph": GRAPH, "default_job_options": []}, "ProcessInvalid"),
    ("p", {"process_graph": GRAPH, "description": "x" * (1024 * 1024)}, "ProcessGraphComplexity"),
    ("p", {"process_graph": {f"n{i}": node("pi", result=False) for i in range(10001)}}, "ProcessGraphComplexity"),
    ("p", [], "RequestBodyInvalid"),
    ("p", "text", "RequestBodyInvalid"),
])
def test_what_is_no_process_is_refused(user, name, body, code):
    expect(user.call("PUT", f"/process_graphs/{name}", body), 400, code)
    assert user.ids() == []


@pytest.mark.parametrize("text", ["", "{", '{"process_graph":{}} x', '{"a":"\xff"}', '{"summary":1,"summary":2}',
                                  '{"process_graph":' + "[" * 100000, '{"\\u0069d":"x"}'])
def test_what_is_no_json_is_refused(user, text):
    answer = user.call("PUT", "/process_graphs/p", data=text.encode("latin-1"),
                       headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and answer.json()["code"], answer.text
    assert user.ids() == []


def test_a_wide_definition_is_refused_within_the_memory(user):
    wide = '{"process_graph":{"a":{"process_id":"count","arguments":{"data":[' + ",".join(["[]"] * 340000) + "]}}}}"
    answer = user.call("PUT", "/process_graphs/p", data=wide, headers={"Content-Type": "application/json"})
    expect(answer, 400, "ProcessGraphComplexity")


# ---- using ----


def test_parameters_and_their_defaults(user):
    user.put("sum3", {"s": node("sum", data=[parameter("x"), parameter("y"), parameter("z")])},
             [number("x"), number("y", optional=True, default=10), number("z", optional=True)])
    assert user.value("sum3", x=1) == 11
    assert user.value("sum3", x=1, y=2) == 3
    assert user.value("sum3", x=1, y=None, z=5) == 6
    assert user.value("sum3", x=1, namespace="user") == 11
    expect(user.result(a=node("sum3")), 400, "ProcessParameterRequired", '"a"', "'x'")
    expect(user.result(a=node("sum3", x="1")), 400, "ProcessParameterInvalid", '"a"', "x")
    expect(user.result(a=node("sum3", x=1, w=1)), 400, "ProcessParameterUnsupported", "'w'")
    expect(user.result(a=node("sum3", "backend", x=1)), 400, "ProcessUnsupported", "backend")
    expect(user.result(a=node("sum3", "elsewhere", x=1)), 400, "ProcessUnsupported", "elsewhere")


def test_definitions_nest_and_errors_name_the_way(user):
    user.put("twice", {"m": node("multiply", x=parameter("x"), y=2)}, [number("x")])
    user.put("hypot", {"a": node("twice", x=parameter("x"), result=False),
                       "b": node("twice", "user", x={"from_node": "a"})}, [number("x")])
    assert user.value("hypot", x=3) == 12
    user.put("twice", {"m": node("array_element", data=[1], index=parameter("x"))},
             [{"name": "x", "description": "", "schema": {}}])
    expect(user.result(top=node("hypot", x=3)), 400, "ArrayElementNotAvailable", '"top/a/m"', '"index"')
    expect(user.call("POST", "/result", {"process": {"process_graph": {"top": node("later")}}}), 400,
           "ProcessUnsupported", '"top"')
    user.put("early", {"l": node("later")})
    expect(user.result(top=node("early")), 400, "ProcessUnsupported", '"top/l"', "'later'")
    user.put("later", {"p": node("e")})
    assert user.value("early") == pytest.approx(2.718281828459045)


def test_a_process_that_leads_back_to_itself_is_refused(user):
    expect(user.call("PUT", "/process_graphs/snake", {"process_graph": {"tail": node("snake")}}), 400,
           "ProcessGraphInvalid", "snake → snake")
    user.put("egg", {"a": node("hen")})
    user.put("hen", {"a": node("farm", result=False), "b": node("pi")})
    callback = {"process_graph": {"c": node("egg", "user")}}
    expect(user.call("PUT", "/process_graphs/farm", {
        "process_graph": {"f": node("array_apply", data=[1], process=callback)}}), 400,
        "ProcessGraphInvalid", "farm → egg → hen → farm")
    user.put("farm", {"f": node("egg", "backend")})  # not the user's own
    for i in range(30):  # many ways to the same place
        user.put(f"w{i}", {"a": node(f"w{i + 1}", result=False), "b": node(f"w{i + 1}")})
    user.put("w30", {"a": node("pi")})


def test_nesting_is_bounded(user):
    user.put("d0", {"a": node("pi")})
    for i in range(1, 18):
        user.put(f"d{i}", {"a": node(f"d{i - 1}")})
    assert user.value("d15") == pytest.approx(3.141592653589793)
    expect(user.result(a=node("d17")), 400, "ProcessGraphComplexity", "nested")


def test_validation_looks_into_definitions(user):
    user.put("wrong", {"a": node("add", x="1", y=2)})
    answer = user.call("POST", "/validation", {"process": {"process_graph": {"top": node("wrong")}}}).json()
    assert [(e["code"], "top/a" in e["message"]) for e in answer["errors"]] == [("ProcessParameterInvalid", True)]


def test_a_job_takes_the_process_that_is_there_when_it_starts(user):
    def run(job):
        assert user.call("POST", f"/jobs/{job}/results").status_code == 202
        while user.call("GET", f"/jobs/{job}").json()["status"] in ("queued", "running"):
            pass
        return user.call("GET", f"/jobs/{job}").json()["status"]

    user.put("number", {"a": node("add", x=1, y=1)})
    created = user.call("POST", "/jobs", {"process": {"process_graph": {"n": node("number")}}})
    job = created.headers["OpenEO-Identifier"]
    user.put("number", {"a": node("add", x=20, y=22)})
    assert run(job) == "finished"
    (asset,) = user.call("GET", f"/jobs/{job}/results").json()["assets"].values()
    assert requests.get(asset["href"], timeout=30).json() == 42
    assert user.call("GET", f"/jobs/{job}/estimate").status_code == 200
    user.call("DELETE", "/process_graphs/number")
    assert run(job) == "error"
    logs = user.call("GET", f"/jobs/{job}/logs").json()["logs"]
    assert "ProcessUnsupported" in [entry.get("code") for entry in logs]
    user.call("DELETE", f"/jobs/{job}")


# ---- over cubes, with the Python client ----


@pytest.fixture(scope="module")
def cube(connection, catalogue, demo):
    catalogue.add("OWN", demo, *DEMO_PATTERNS)
    return connection.load_collection("OWN", temporal_extent=["2024-05-01", "2024-06-01"], bands=["B04", "B08"])


def ndvi_by_hand(cube):
    red, nir = cube.band("B04"), cube.band("B08")
    return (nir - red) / (nir + red)


def read(cube, path):
    cube.download(path)
    with xarray.open_dataset(path) as found:
        return found.load()


def assert_same(a, b):
    assert list(a.data_vars) == list(b.data_vars)
    for name in a.data_vars:
        if a[name].dtype.kind == "f":
            numpy.testing.assert_array_equal(a[name].values, b[name].values)


def test_the_python_client_stores_and_calls(user, connection, cube, tmp_path):
    data = Parameter.datacube()
    graph = {
        "r": node("reduce_dimension", data=parameter("data"), dimension="bands", reducer={"process_graph": {
            "red": node("array_element", data=parameter("data"), label="B04", result=False),
            "nir": node("array_element", data=parameter("data"), label="B08", result=False),
            "d": node("subtract", x={"from_node": "nir"}, y={"from_node": "red"}, result=False),
            "s": node("add", x={"from_node": "nir"}, y={"from_node": "red"}, result=False),
            "n": node("divide", x={"from_node": "d"}, y={"from_node": "s"})}})}
    stored = connection.save_user_defined_process("my_ndvi", graph, parameters=[data], summary="An index.",
                                                  returns={"schema": {"type": "object", "subtype": "datacube"}})
    assert stored.describe()["summary"] == "An index."
    assert "my_ndvi" in [p["id"] for p in connection.list_user_defined_processes()]
    ours = connection.datacube_from_process("my_ndvi", namespace="user", data=cube)
    assert_same(read(ours, tmp_path / "a.nc"), read(ndvi_by_hand(cube), tmp_path / "b.nc"))
    assert_same(read(cube.process("my_ndvi", data=cube), tmp_path / "c.nc"), read(ours, tmp_path / "d.nc"))
    stored.delete()
    assert "my_ndvi" not in [p["id"] for p in connection.list_user_defined_processes()]


def test_a_callback_is_a_parameter_and_a_process_of_ones_own_a_callback(user, cube, tmp_path):
    user.put("over_time", {"r": node("reduce_dimension", data=parameter("data"), dimension="t",
                                     reducer=parameter("how"))},
             [{"name": "data", "description": "", "schema": {"type": "object", "subtype": "datacube"}},
              {"name": "how", "description": "", "schema": {
                  "type": "object", "subtype": "process-graph",
                  "parameters": [{"name": "data", "description": "", "schema": {"type": "array"}}]}}])
    user.put("span", {"lo": node("min", data=parameter("data"), result=False),
                      "hi": node("max", data=parameter("data"), result=False),
                      "d": node("subtract", x={"from_node": "hi"}, y={"from_node": "lo"})},
             [{"name": "data", "description": "", "schema": {"type": "array"}}])
    reducer = {"process_graph": {"s": node("span", data=parameter("data"))}}
    ours = cube.process("over_time", data=cube, how=reducer)
    plain = cube.reduce_dimension("t", lambda data: data.max() - data.min())
    assert_same(read(ours, tmp_path / "a.nc"), read(plain, tmp_path / "b.nc"))


def test_a_callback_is_a_default(user, cube, tmp_path):
    schema = {"type": "object", "subtype": "process-graph", "parameters": [{"name": "data", "schema": {}}]}
    default = {"process_graph": {"m": node("max", data=parameter("data"))}}
    user.put("over_time", {"r": node("reduce_dimension", data=parameter("cube"), dimension="t",
                                     reducer=parameter("how"))},
             [{"name": "cube", "description": "", "schema": {"type": "object", "subtype": "datacube"}},
              {"name": "how", "description": "", "schema": schema, "optional": True, "default": default}])
    dates = cube.filter_bands(["B04"])
    assert_same(read(dates.process("over_time", cube=dates), tmp_path / "a.nc"),
                read(dates.reduce_dimension(dimension="t", reducer="max"), tmp_path / "b.nc"))
    broken = {"process_graph": {"a": node("nowhere")}}
    user.put("broken", {"r": node("array_apply", data=[1], process=parameter("how"))},
             [{"name": "how", "description": "", "schema": {}, "default": broken}])
    expect(user.result(a=node("broken")), 400, "ProcessUnsupported", '"a/how/a"')
    circle = {"process_graph": {"a": node("circle")}}
    body = {"process_graph": {"p": node("pi")}, "parameters": [{"name": "f", "description": "", "schema": {},
                                                                "default": circle}]}
    expect(user.call("PUT", "/process_graphs/circle", body), 400, "ProcessGraphInvalid", "circle → circle")


def test_the_same_request_again_after_the_process_changed(user, cube, tmp_path):
    def shifted(by):
        user.put("shift", {"a": node("apply", data=parameter("data"), process={"process_graph": {
            "p": node("add", x=parameter("x"), y=by)}})},
            [{"name": "data", "description": "", "schema": {"type": "object", "subtype": "datacube"}}])
        return read(cube.process("shift", data=cube), tmp_path / f"{by}.nc")

    for by in (1, 2, 1):
        assert_same(shifted(by), read(cube + by, tmp_path / f"plain{by}.nc"))


def test_a_service_uses_its_owners_processes(user, users, cube):
    """Equal graphs of two users show what each defined, to strangers too."""
    def tile(who, process):
        body = {"type": "xyz", "process": {"process_graph": {
            "l": node("load_collection", id="OWN", spatial_extent=None, temporal_extent=["2024-05-01", "2024-06-01"],
                      bands=["B08"], result=False), **process}}}
        made = who.call("POST", "/services", body)
        assert made.status_code == 201, made.text
        where = "/services/" + made.headers["OpenEO-Identifier"]
        (box,) = who.call("GET", "/collections/OWN").json()["extent"]["spatial"]["bbox"]
        column, row = middle_tile(box, 12)
        url = who.call("GET", where).json()["url"]
        answer = requests.get(url.format(z=12, x=column, y=row), timeout=60)
        who.call("DELETE", where)
        assert answer.status_code == 200, answer.text
        return answer.content

    def best(reducer):
        return {"r": node("reduce_dimension", data={"from_node": "l"}, dimension="t", reducer={"process_graph": {
            "m": node(reducer, data=parameter("data"))}})}

    data = [{"name": "data", "description": "", "schema": {"type": "array"}}]
    for who, process in zip(users, ("min", "sd")):
        who.put("choose", {"m": node(process, data=parameter("data"))}, data)
    mine, others = (tile(who, best("choose")) for who in users)
    plain = [tile(user, best(process)) for process in ("min", "sd")]
    assert plain[0] != plain[1]
    assert [mine, others] == plain
    users[1].call("DELETE", "/process_graphs/choose")


# ---- processing parameters ----


def test_the_priority_of_a_job_is_documented_and_has_defaults_in_processes(user, data):
    import sqlite3

    listed = requests.get(user.api + "/processing_parameters", timeout=30).json()
    assert set(listed) == {"create_job_parameters", "create_service_parameters", "create_synchronous_parameters"}
    (priority,) = [p for p in listed["create_job_parameters"] if p["name"] == "priority"]
    assert priority["optional"] is True and priority["default"] == 0 and priority["description"]
    most = priority["schema"]["maximum"]

    def create(own, **more):
        return user.call("POST", "/jobs", {**more, "process": {"process_graph": {"a": node("pi")},
                                                               "default_job_options": own}})

    with sqlite3.connect(data / "server.sqlite") as store:
        for own, more, wanted in (({"priority": most}, {}, most), ({"priority": most}, {"priority": 2}, 2),
                                  ({"priority": most}, {"priority": None}, 0), ({"other": "x"}, {}, 0), ({}, {}, 0),
                                  ({"priority": 3}, {"job_options": {"priority": 4}}, 4)):
            job = create(own, **more).headers["OpenEO-Identifier"]
            assert store.execute("SELECT priority FROM jobs WHERE id = ?", (job,)).fetchone() == (wanted,)
            user.call("DELETE", f"/jobs/{job}")
    expect(create({"priority": most + 1}), 400, "RequestBodyInvalid", "priority")
    user.put("urgent", {"a": node("pi")}, default_job_options={"priority": 5})
    user.put("wrapped", {"a": node("urgent", result=False), "b": node("urgent")})  # says nothing itself
    user.put("calm", {"a": node("urgent")}, default_job_options={"priority": -5})
    with sqlite3.connect(data / "server.sqlite") as store:
        for graph, own, more, wanted in (
            ({"a": node("urgent")}, {}, {}, 5), ({"a": node("wrapped")}, {}, {}, 5), ({"a": node("calm")}, {}, {}, -5),
            ({"a": node("urgent", namespace="user")}, {}, {}, 5), ({"a": node("urgent", namespace="other")}, {}, {}, 0),
            ({"a": node("urgent", result=False), "b": node("pi")}, {}, {}, 0),
            ({"a": node("urgent")}, {"priority": 1}, {}, 1), ({"a": node("urgent")}, {"other": 1}, {}, 5),
            ({"a": node("urgent")}, {}, {"priority": 2}, 2),
        ):
            process = {"process_graph": graph, "default_job_options": own}
            job = user.call("POST", "/jobs", {**more, "process": process}).headers["OpenEO-Identifier"]
            assert store.execute("SELECT priority FROM jobs WHERE id = ?", (job,)).fetchone() == (wanted,), graph
            user.call("DELETE", f"/jobs/{job}")
    expect(create({}, priority="high"), 400, "RequestBodyInvalid", "priority")
