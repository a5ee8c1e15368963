"""A federation of two servers: what each is told of the other, and what stays when one of them is gone."""

import concurrent.futures
import signal
import threading
import time

import numpy
import openeo
import pytest
import requests

from conftest import DEMO_PATTERNS, twincube, until
from publisher import Page, Publisher
from test_server_api import PASSWORD, Server, add_user

CLASSES = [f"https://api.openeo.org/extensions/federation/{version}" for version in ("0.1.0", "0.2.0")]


def state(server, backend):
    return server.session.get(server.url + "/openeo/1.3/").json()["federation"][backend]["status"]


@pytest.fixture(scope="module")
def scenes(demo, tmp_path_factory):
    """Two bands of the first dates of the demonstration series."""
    folder = tmp_path_factory.mktemp("scenes")
    first = sorted({path.name.split("_")[2] for path in demo.glob("*_B04.tif")})[:5]
    for path in demo.glob("*_B0[48].tif"):
        if path.name.split("_")[2] in first:
            (folder / path.name).hardlink_to(path)
    return folder


@pytest.fixture(scope="module")
def provider(tmp_path_factory, scenes):
    """Another server, with collections."""
    data = tmp_path_factory.mktemp("provider")
    add_user(data, "service")
    for name in ("DEMO", "OTHER"):
        twincube("catalogue", "add", "--data", data, "--id", name, "--title", f"Theirs: {name}", *DEMO_PATTERNS, scenes)
    server = Server(data).login("service")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def token(provider, tmp_path_factory):
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text(provider.session.headers["Authorization"].removeprefix("Bearer ") + "\n")
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory, provider, token, scenes):
    data = tmp_path_factory.mktemp("data")
    add_user(data, "alice")
    twincube("catalogue", "add", "--data", data, "--id", "OWN", *DEMO_PATTERNS, scenes)
    twincube("catalogue", "add", "--data", data, "--id", "BOTH", *DEMO_PATTERNS, scenes)
    config = data / "twincube.toml"
    config.write_text(f'[[federation]]\nid = "far"\nurl = "{provider.url}/openeo/1.3/"\ntitle = "Far away"\n'
                      f'token_file = "{token}"\nexperimental = true\njob_size = "20M"\naliases = {{BOTH = "OTHER"}}\n')
    server = Server(data, "--config", str(config)).login()
    until(lambda: missing(server) is None and missing(server, "/file_formats") is None)
    yield server
    assert server.stop() == 0


def test_the_federation_of_the_capabilities(server, provider):
    for version, classes in (("1.2", CLASSES[:1]), ("1.3", CLASSES)):
        root = f"{server.url}/openeo/{version}"
        found = server.session.get(root + "/").json()
        assert set(found["federation"]) == {"twincube", "far"}
        own, far = found["federation"]["twincube"], found["federation"]["far"]
        assert own["url"] == root + "/" and own["status"] == "online"
        assert far["url"] == provider.url + "/openeo/1.3/" and far["title"] == "Far away"
        assert far["status"] == "online" and far["experimental"] is True and "deprecated" not in far
        assert far["last_status_check"] == far["last_successful_check"] <= own["last_status_check"]
        conforms = server.session.get(root + "/conformance").json()["conformsTo"]
        assert conforms == found["conformsTo"]
        assert [c for c in conforms if "federation" in c] == classes
        children = {link["href"] for link in found["links"] if link["rel"] == "child"}
        assert children == {f"{root}/collections/{name}" for name in ("OWN", "BOTH", "far%7CDEMO")}


def test_without_back_ends_there_is_no_federation(provider):
    for path in ("/", "/conformance", "/collections", "/collections/DEMO", "/processes", "/file_formats", "/jobs",
                 "/service_types", "/process_graphs", "/services"):
        answer = provider.call("GET", path)
        assert answer.status_code == 200 and "federation" not in answer.text, path


def test_collections_are_merged(server, provider):
    found = server.call("GET", "/collections").json()
    hosts = {c["id"]: c["federation:backends"] for c in found["collections"]}
    assert hosts == {"OWN": ["twincube"], "BOTH": ["twincube", "far"], "far|DEMO": ["far"]}
    theirs = provider.call("GET", "/collections/DEMO").json()
    ours = server.session.get(server.api + "/collections/far%7CDEMO").json()
    same = {key: value for key, value in theirs.items() if key not in ("id", "links", "assets")}
    assert same == {key: ours[key] for key in same}
    assert ours["id"] == "far|DEMO" and ours["federation:backends"] == ["far"] and "federation:missing" not in ours
    links = {link["rel"]: link["href"] for link in ours["links"]}
    assert links["self"] == server.api + "/collections/far%7CDEMO"
    assert links["canonical"] == provider.url + "/openeo/1.3/collections/DEMO"
    assert links["items"] == links["canonical"] + "/items"
    queryables = server.session.get(links["http://www.opengis.net/def/rel/ogc/1.0/queryables"]).json()
    assert queryables["$id"] == links["self"] + "/queryables"
    assert queryables["properties"] == provider.call("GET", "/collections/DEMO/queryables").json()["properties"]
    assert server.call("GET", "/collections/BOTH").json()["federation:backends"] == ["twincube", "far"]
    assert server.call("GET", "/collections/far|OTHER").json()["id"] == "BOTH"
    assert server.call("GET", "/collections/far|NONE/items").json()["code"] == "CollectionNotFound"
    for name in ("far|NONE", "far|", "near|DEMO", "|DEMO", "far"):
        assert server.call("GET", "/collections/" + name).json()["code"] == "CollectionNotFound", name
        assert server.call("GET", f"/collections/{name}/queryables").json()["code"] == "CollectionNotFound", name


def test_items_of_a_collection_elsewhere(server, provider):
    """Page by page, by their place and date, and one by one: those that lie there, with links that lead here."""
    theirs = provider.call("GET", "/collections/DEMO/items?limit=1000").json()["features"]
    url, found = server.api + "/collections/far%7CDEMO/items?limit=3", []
    while url:
        page = server.session.get(url).json()
        assert 0 < len(page["features"]) <= 3 and {i["collection"] for i in page["features"]} == {"far|DEMO"}
        found += page["features"]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        assert url is None or url.startswith(server.api + "/collections/far%7CDEMO/items?")
    assert sorted(i["id"] for i in found) == sorted(i["id"] for i in theirs) and len(found) > 3
    links = {link["rel"]: link["href"] for link in found[0]["links"]}
    assert links["self"].startswith(server.api + "/collections/far%7CDEMO/items/")
    alone = server.session.get(links["self"]).json()
    assert {**alone, "links": None} == {**found[0], "links": None}
    assert links["self"] in [link["href"] for link in alone["links"]]
    day = found[0]["properties"]["datetime"][:10]
    dates = f"datetime={day}T00:00:00Z/{day}T23:00:00Z"
    some = server.call("GET", f"/collections/far|DEMO/items?{dates}").json()["features"]
    assert {i["id"] for i in some} == {i["id"] for i in found if i["properties"]["datetime"].startswith(day)}
    assert server.call("GET", "/collections/far|DEMO/items?bbox=0,0,1,1").json()["features"] == []
    for path, code in {"items?limit=x": "QueryParameterInvalid", "items?bbox=1": "QueryParameterInvalid",
                       "items/none": "NotFound"}.items():
        assert server.call("GET", "/collections/far|DEMO/" + path).json()["code"] == code


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_have_every_collection_once(server, limit):
    url, names = f"{server.api}/collections?limit={limit}", []
    while url:
        page = server.session.get(url).json()
        assert 0 < len(page["collections"]) <= limit
        names += [c["id"] for c in page["collections"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert names == ["BOTH", "OWN", "far|DEMO"]


def test_what_only_this_server_has_says_so(server):
    graph = {"one": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}
    job = server.create(graph)
    own = ["twincube"]
    assert server.call("GET", f"/jobs/{job}").json()["federation:backends"] == own
    assert server.call("GET", "/jobs").json()["jobs"][0]["federation:backends"] == own
    assert all(t["federation:backends"] == own for t in server.call("GET", "/service_types").json().values())
    server.call("PUT", "/process_graphs/three", {"process_graph": graph})
    assert server.call("GET", "/process_graphs").json()["processes"][0]["federation:backends"] == own
    assert all("federation:backends" not in p for p in server.call("GET", "/processes").json()["processes"])
    formats = server.call("GET", "/file_formats").json()
    assert all("federation:backends" not in f for f in formats["output"].values())
    assert all(f["federation:backends"] == own for f in formats["input"].values())


# ---- a back-end that is nothing to rely on ----

DOCUMENT = {"id": "A", "type": "Collection", "stac_version": "1.0.0", "description": "d", "license": "other",
            "extent": {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [[None, None]]}},
            "links": [{"rel": "license", "href": "../licence.html"}, {"rel": "self", "href": "/elsewhere"}]}


def publish_api(publisher):
    """It is an openEO API from now on, with one collection."""
    publisher.publish("/api/", {"api_version": "1.2.0", "stac_version": "1.0.0"})
    publisher.publish("/api/collections", {"collections": [DOCUMENT], "links": []})
    publisher.publish("/api/collections/A", DOCUMENT, headers={"ETag": '"a"'})
    publisher.publish("/api/processes", {"processes": [{"id": "add"}, {"id": "odd"}, 5], "links": []})
    publisher.publish("/api/file_formats", {"input": {}, "output": {"NETCDF": {}}})


@pytest.fixture
def stranger():
    publisher = Publisher()
    publish_api(publisher)
    yield publisher
    publisher.stop()


@pytest.fixture
def lonely(tmp_path, stranger):
    add_user(tmp_path, "alice")
    server = Server(tmp_path, "--federation", f"odd={stranger.root}/api").login()
    yield server
    assert server.stop() == 0


def names(server):
    return [c["id"] for c in server.call("GET", "/collections").json()["collections"]]


def missing(server, path="/collections"):
    return server.call("GET", path).json().get("federation:missing")


def go_away(server, stranger):
    """It is gone, and the server has found that out, by the first one who asked."""
    until(lambda: missing(server) is None)
    stranger.publish("/api/", b"gone", status=500)
    stranger.publish("/api/collections/A", b"gone", status=500)
    assert server.call("GET", "/collections/odd|A").json()["federation:missing"] == ["odd"]
    until(lambda: missing(server) == ["odd"])


def come_back(server, stranger, document=None):
    """It is there again; its lists have been asked for."""
    asked = stranger.count("/api/collections")
    stranger.publish("/api/", document or {"api_version": "1.2.0"})
    until(lambda: stranger.count("/api/collections") > asked)


def test_support_is_told_where_it_is_partial(lonely, stranger):
    until(lambda: missing(lonely, "/file_formats") is None and missing(lonely, "/processes") is None)
    processes = {p["id"]: p.get("federation:backends") for p in lonely.call("GET", "/processes").json()["processes"]}
    assert processes["add"] is None and processes["ndvi"] == ["twincube"] and "odd" not in processes
    formats = lonely.call("GET", "/file_formats").json()["output"]
    assert "federation:backends" not in formats["netCDF"] and formats["GTiff"]["federation:backends"] == ["twincube"]
    assert all("Authorization" not in headers for asked in stranger.asked.values() for headers in asked)
    document = lonely.call("GET", "/collections/odd|A").json()
    assert {"rel": "license", "href": stranger.root + "/api/licence.html"} in document["links"]
    assert not any(link["href"].endswith("/elsewhere") for link in document["links"])


def test_documents_are_asked_for_on_condition_and_outlast_their_server(lonely, stranger):
    until(lambda: missing(lonely) is None)
    for _ in range(2):
        assert "federation:missing" not in lonely.call("GET", "/collections/odd|A").json()
    assert stranger.asked["/api/collections/A"][1]["If-None-Match"] == '"a"'
    go_away(lonely, stranger)
    assert lonely.call("GET", "/collections/odd|A").json()["description"] == "d"
    assert names(lonely) == ["odd|A"]
    found = lonely.session.get(lonely.url + "/openeo/1.3/").json()["federation"]["odd"]
    assert found["status"] == "offline" and found["last_successful_check"] <= found["last_status_check"]
    come_back(lonely, stranger)
    until(lambda: missing(lonely) is None)


@pytest.mark.parametrize("page", [
    Page(b"{"), Page(b""), Page(b"[]"), Page({"collections": 5}), Page({}), Page(b"[" * 100000), Page({}, 401),
    Page(b'{"collections": [' + b" " * (9 << 20) + b"]}"), Page(b'{"collections": []}', 302, {"Location": "/api/ok"}),
    Page(b'{"collections": []}', headers={"Content-Length": "100"}),
], ids=range(10))
def test_lists_that_are_none(lonely, stranger, page):
    go_away(lonely, stranger)
    stranger.publish("/api/collections", page)
    come_back(lonely, stranger)
    until(lambda: state(lonely, "odd") == "online", 30)
    assert missing(lonely) == ["odd"] and names(lonely) == ["odd|A"]
    assert missing(lonely, "/processes") is None


def test_collections_that_cannot_be_taken(lonely, stranger):
    go_away(lonely, stranger)
    bad = [5, None, [], {}, {"id": 5}, {"id": ""}, {"id": "a|b"}, {"id": "a\n"}, {"id": "x" * 600}, DOCUMENT,
           {**DOCUMENT, "id": "A"}, {**DOCUMENT, "id": "é/ü", "links": 7, "assets": {"a": 5, "b": {"href": "b.png"}}}]
    stranger.publish("/api/collections", {"collections": bad})
    come_back(lonely, stranger, {"stac_version": "1.0.0"})
    until(lambda: missing(lonely) is None)
    assert names(lonely) == ["odd|A", "odd|é/ü"]
    found = lonely.call("GET", "/collections/odd|é/ü").json()
    assert found["federation:missing"] == ["odd"], "it is only in the list"
    assert found["assets"]["b"]["href"].startswith(stranger.root + "/api/collections/")
    assert missing(lonely, "/processes") is None, "a STAC API has none"


def test_pages_of_a_back_end_stay_below_its_address(lonely, stranger):
    go_away(lonely, stranger)
    link = {"rel": "next", "href": "collections?page=2"}
    stranger.publish("/api/collections", {"collections": [DOCUMENT], "links": [link]})
    stranger.publish("/api/collections?page=2", {"collections": [{**DOCUMENT, "id": "B"}],
                                                 "links": [{"rel": "next", "href": "/secret"}]})
    stranger.publish("/secret", {"collections": [{**DOCUMENT, "id": "C"}]})
    come_back(lonely, stranger)
    until(lambda: missing(lonely) is None)
    assert names(lonely) == ["odd|A", "odd|B"] and not stranger.count("/secret")


def test_two_that_list_each_other(tmp_path, scenes):
    """Each shows the other's own collections, and neither what the other has from it."""
    folders, ports = [tmp_path / "a", tmp_path / "b"], []
    for folder in folders:
        folder.mkdir()
        add_user(folder, "alice")
        twincube("catalogue", "add", "--data", folder, "--id", folder.name.upper(), *DEMO_PATTERNS, scenes)
        first = Server(folder)  # a free port
        ports.append(first.url.rsplit(":", 1)[1])
        assert first.stop() == 0
    servers = [Server(folder, "--listen", f"127.0.0.1:{port}", "--federation",
                      f"peer=http://127.0.0.1:{other}/openeo/1.2").login()
               for folder, port, other in zip(folders, ports, reversed(ports))]
    try:
        until(lambda: all(missing(s) is None for s in servers), 40)
        assert [names(s) for s in servers] == [["A", "peer|B"], ["B", "peer|A"]]
    finally:
        assert [s.stop() for s in servers] == [0, 0]


def test_the_python_client(server):
    connection = openeo.connect(server.url, auto_validate=False)
    assert connection.capabilities().ext_federation_backend_details()["far"]["status"] == "online"
    assert "far|DEMO" in connection.list_collection_ids()
    assert connection.list_collections().ext_federation_missing() is None
    assert connection.describe_collection("far|DEMO")["federation:backends"] == ["far"]


# ---- loading ----

def node(process, /, **arguments):
    return {"process_id": process, "arguments": arguments}


def source(name):
    return {"from_node": name}


def saved(graph, last, form="netCDF"):
    return {**graph, "save": {**node("save_result", data=source(last), format=form), "result": True}}


def opened(answer, folder):
    """The cube of an answer, as xarray has it."""
    import xarray

    assert answer.status_code == 200, answer.text
    path = folder / "answer.nc"
    path.write_bytes(answer.content)
    with xarray.open_dataset(path, decode_times=False, mask_and_scale=False) as found:
        return found.load()


def same(found, wanted):
    return found.dtype == wanted.dtype and numpy.array_equal(found.values, wanted.values, wanted.dtype.kind == "f")


def load(name, **arguments):
    return {"load": node("load_collection", id=name, **{"spatial_extent": None, "temporal_extent": None, **arguments})}


def first_box(provider):
    """A box and an interval in the middle of the collection."""
    dimensions = provider.call("GET", "/collections/DEMO").json()["cube:dimensions"]
    x, y, code = dimensions["x"]["extent"], dimensions["y"]["extent"], dimensions["x"].get("reference_system")
    third = lambda low, high, k: low + (high - low) * k / 3
    return {"west": third(*x, 1), "east": third(*x, 2), "south": third(*y, 1), "north": third(*y, 2), "crs": code}


LARGE = ["B08", "B04"]  # of all dates and places: a batch job there


@pytest.mark.parametrize("arguments", [{}, {"bands": LARGE}, {"box": True, "bands": ["B04"]}], ids=str)
def test_what_is_loaded_is_what_lies_there(server, provider, tmp_path, arguments):
    arguments = dict(arguments)
    if arguments.pop("box", False):
        arguments["spatial_extent"] = first_box(provider)
    theirs = opened(provider.result(saved(load("DEMO", **arguments), "load")), tmp_path)
    ours = opened(server.result(saved(load("far|DEMO", **arguments), "load")), tmp_path)
    assert set(ours.data_vars) == set(theirs.data_vars) and ours.sizes == theirs.sizes
    for name, values in theirs.variables.items():
        assert same(ours[name], values), name
    assert jobs_of(provider) == [], "they are deleted when their files are here"


def jobs_of(provider):
    return provider.call("GET", "/jobs").json()["jobs"]


def explained(server, graph):
    (part,) = server.call("GET", f"/jobs/{server.create(graph)}/explain").json()["plan"]["elsewhere"]
    return part


def test_what_is_large_is_a_job_there(server, provider):
    """Its log comes here, and what it says is wrong."""
    graph = saved(load("far|DEMO", bands=LARGE), "load")
    assert explained(server, graph)["is_job"] and explained(server, graph)["bytes"] > 20 << 20
    assert not explained(server, saved(load("far|DEMO", bands=LARGE[:1]), "load"))["is_job"]
    assert not explained(server, chain("far|DEMO", *filled(provider, ["zones"]), bands=LARGE))["is_job"]
    job = server.create(graph)
    server.call("POST", f"/jobs/{job}/results")
    server.wait(job, "finished", "error", seconds=60)
    told = [entry["message"] for entry in server.call("GET", f"/jobs/{job}/logs").json()["logs"]]
    assert any(text.startswith("far: ") for text in told), told
    said = refused(server, saved(load("far|DEMO", bands=[*LARGE, "B99"]), "load"), "BandNotAvailable", 400)
    assert "the job at the back-end 'far' failed" in said and "B99" in said
    assert jobs_of(provider) == []


def test_a_job_and_the_python_client(server, tmp_path):
    connection = openeo.connect(server.url, auto_validate=False).authenticate_basic("alice", PASSWORD)
    cube = connection.load_collection("far|DEMO", bands=["B04", "B08"]).max_time()
    job = cube.create_job(out_format="netCDF").start_and_wait(print=lambda _: None, connection_retry_interval=1)
    assert job.status() == "finished"
    files = job.get_results().download_files(tmp_path / "far")
    own = connection.load_collection("OWN", bands=["B04", "B08"]).max_time()
    own.download(tmp_path / "own.nc")
    import xarray

    (path,) = [f for f in files if f.suffix == ".nc"]
    with xarray.open_dataset(path) as far, xarray.open_dataset(tmp_path / "own.nc") as here:
        assert set(far.data_vars) == set(here.data_vars)
        assert all(far[name].equals(here[name]) for name in here.data_vars if "x" in here[name].dims)
    logs = [entry["message"] for entry in job.logs()]
    assert any("the server of 'far|DEMO' computed load_collection, reduce_dimension;" in text for text in logs)
    assert not (tmp_path / "far" / "~loaded").exists()


def refused(server, graph, code, status):
    found = server.result(graph)
    assert (found.json()["code"], found.status_code) == (code, status), found.text
    return found.json()["message"]


def test_what_the_other_one_says_is_wrong(server):
    assert "far" in refused(server, saved(load("far|DEMO", bands=["B99"]), "load"), "BandNotAvailable", 400)
    refused(server, saved(load("far|NONE"), "load"), "CollectionNotFound", 404)
    refused(server, saved(load("DEMO"), "load"), "CollectionNotFound", 404)
    early = load("far|DEMO", temporal_extent=["1990-01-01", "1991-01-01"])
    refused(server, saved(early, "load"), "NoDataAvailable", 400)


def test_validation_says_what_can_be_known(server):
    def found(graph, **options):
        answer = requests.post(server.api + "/validation", json={"process_graph": graph}, timeout=60, **options)
        return [e["code"] for e in answer.json()["errors"]]
    assert found(chain("far|DEMO", STEPS["bands"], STEPS["over bands"])) == []
    assert found(chain("far|NONE", STEPS["bands"])) == ["CollectionNotFound"]
    assert found(chain("far|DEMO", ("filter_hands", {}))) == ["ProcessUnsupported"]
    assert found(chain("far|DEMO", ("filter_bands", {"hands": 5}))) == ["ProcessParameterUnsupported"]
    assert found(chain("far|DEMO"), headers={"Via": "1.1 twincube-federation"}) == ["CollectionNotFound"]


@pytest.fixture(scope="module")
def sparing(tmp_path_factory):
    """A server that takes small answers only, the back-end that it asks, and the server's folder."""
    publisher, data = Publisher(), tmp_path_factory.mktemp("data")
    publish_api(publisher)
    add_user(data, "alice")
    config = data / "twincube.toml"
    config.write_text(f'[[federation]]\nid = "odd"\nurl = "{publisher.root}/api"\nresult_size = "2M"\n')
    server = Server(data, "--config", str(config)).login()
    until(lambda: missing(server, "/file_formats") is None)
    yield server, publisher, data
    assert server.stop() == 0
    publisher.stop()


@pytest.mark.parametrize("page, code, words", [
    (Page({"code": "TokenInvalid", "message": "who?"}, 403), "InfrastructureBusy", "does not let this server in"),
    (Page({"code": "BandNotAvailable", "message": "no B1"}, 400), "BandNotAvailable", "says: no B1"),
    (Page({"code": "OddThing", "message": "m" * 5000}, 400), "InfrastructureBusy", "status 400"),
    (Page(b"<html>", 502), "InfrastructureBusy", "status 502"), (Page(b"", 204), "InfrastructureBusy", "status 204"),
    (Page(b"x", 302, {"Location": "http://169.254.169.254/"}), "InfrastructureBusy", "status 302"),
    (Page(b""), None, "odd|A"), (Page(b"<html>"), None, "odd|A"), (Page({"a": 1}), None, "odd|A"),
    (Page(b"CDF\x01" + b"\xff" * 5000), None, "odd|A"), (Page(b"\x89HDF\r\n\x1a\n" + b"x" * 100), None, "odd|A"),
    (Page(b"abc", headers={"Content-Length": "100"}), "InfrastructureBusy", "did not compute it"),
    (Page(b"a" * (3 << 20)), "InfrastructureBusy", "too large"),
], ids=range(13))
def test_answers_that_are_no_cube(sparing, page, code, words):
    server, publisher, data = sparing
    publisher.pages["POST /api/result"] = page
    found = server.result(saved(load("odd|A"), "load"))
    assert found.status_code >= 400 and words in found.json()["message"], found.text
    assert code in (None, found.json()["code"])
    assert str(data) not in found.text
    until(lambda: not list(data.glob("tmp/*/~loaded/*")))


def test_who_hangs_up_ends_the_wait(lonely, stranger):
    """Requests and jobs are rid of a back-end that does not answer, and of one that never comes to an end."""
    until(lambda: missing(lonely, "/file_formats") is None)
    for page in (Page(b"x", delay=300), Page(b"x" * 3000, drip=0.1)):
        stranger.pages["POST /api/result"] = page
        for _ in range(3):  # one more than there are workers
            with pytest.raises(requests.exceptions.RequestException):
                lonely.session.post(lonely.api + "/result", timeout=0.4,
                                    json={"process": {"process_graph": saved(load("odd|A"), "load")}})
    assert lonely.result({"a": {**node("add", x=1, y=2), "result": True}}).json() == 3
    job = lonely.create(saved(load("odd|A"), "load"))
    lonely.call("POST", f"/jobs/{job}/results")
    lonely.wait(job, "running")
    time.sleep(0.5)
    assert lonely.call("DELETE", f"/jobs/{job}/results").status_code == 204
    lonely.wait(job, "canceled")


def test_one_that_dies_in_mid_request(tmp_path, scenes):
    folders = tmp_path / "far", tmp_path / "here"
    for folder in folders:
        folder.mkdir()
        add_user(folder, "alice")
    twincube("catalogue", "add", "--data", folders[0], "--id", "DEMO", *DEMO_PATTERNS, scenes)
    far = Server(folders[0]).login()
    token = tmp_path / "token"
    token.write_text(far.session.headers["Authorization"].removeprefix("Bearer "))
    config = tmp_path / "twincube.toml"
    config.write_text(f'[[federation]]\nid = "far"\nurl = "{far.api}"\ntoken_file = "{token}"\n')
    here = Server(folders[1], "--config", str(config)).login()
    graph = saved(load("far|DEMO", bands=["B04"]), "load")
    address = far.url.removeprefix("http://")
    try:
        until(lambda: missing(here, "/file_formats") is None and missing(here) is None)
        far.process.send_signal(signal.SIGSTOP)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(requests.post, here.api + "/result", timeout=60, headers=here.session.headers,
                                  json={"process": {"process_graph": graph}})
            time.sleep(1)
            assert not waiting.done()
            far.kill()
            answer = waiting.result(timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (503, "InfrastructureBusy"), answer.text
        until(lambda: missing(here) == ["far"])
        assert "is away" in refused(here, graph, "InfrastructureBusy", 503)
        assert names(here) == ["far|DEMO"] and missing(here, "/collections/far|DEMO") == ["far"]
        far = Server(folders[0], "--listen", address)
        until(lambda: missing(here) is None, 40)
        assert here.result(graph).status_code == 200
    finally:
        assert [s.stop() for s in (here, far)] == [0, 0]


def test_no_loop_through_aliases(tmp_path):
    """Two that each say of a collection that the other one has it."""
    folders, ports = [tmp_path / "a", tmp_path / "b"], []
    for folder in folders:
        folder.mkdir()
        add_user(folder, "alice")
        first = Server(folder)
        ports.append(first.url.rsplit(":", 1)[1])
        assert first.stop() == 0
    servers = []
    for folder, port, other in zip(folders, ports, reversed(ports)):
        config = folder / "twincube.toml"
        config.write_text(f'[[federation]]\nid = "peer"\nurl = "http://127.0.0.1:{other}/openeo/1.2"\n'
                          'aliases = {SAME = "SAME"}\n')
        servers.append(Server(folder, "--config", str(config), "--listen", f"127.0.0.1:{port}").login())
    try:
        until(lambda: all(missing(s) is None for s in servers), 40)
        assert [names(s) for s in servers] == [[], []]
        for server in servers:
            refused(server, saved(load("SAME"), "load"), "CollectionNotFound", 404)
        through = servers[0].result(saved(load("peer|X"), "load"), headers={"Via": "1.1 twincube-federation"})
        assert through.json()["code"] == "CollectionNotFound"
    finally:
        assert [s.stop() for s in servers] == [0, 0]


# ---- parts of graphs ----

def callback(process, /, **arguments):
    return {"process_graph": {"a": {**node(process, **arguments), "result": True}}}


MAX = callback("max", data={"from_parameter": "data"})
TWICE = callback("multiply", x={"from_parameter": "x"}, y=2)
EARLY = {"properties": {"datetime": callback("text_begins", data={"from_parameter": "value"}, pattern="2024-02")}}


def chain(collection, *steps, **arguments):
    """load_collection and what follows, each step upon the one before."""
    graph, last = load(collection, **arguments), "load"
    for i, (process, given) in enumerate(steps):
        graph[f"s{i}"] = node(process, data=source(last), **given)
        last = f"s{i}"
    return saved(graph, last)


STEPS = {
    "bands": ("filter_bands", {"bands": ["B08"]}), "box": ("filter_bbox", {"extent": None}),
    "time": ("filter_temporal", {"extent": ["2024-02-01", "2024-08-01"]}), "twice": ("apply", {"process": TWICE}),
    "max": ("reduce_dimension", {"dimension": "t", "reducer": MAX}),
    "over bands": ("reduce_dimension", {"dimension": "bands", "reducer": MAX}),
    "month": ("aggregate_temporal_period", {"period": "month", "reducer": MAX}),
    "season": ("aggregate_temporal_period", {"period": "season", "reducer": MAX}),
    "early and late": ("aggregate_temporal", {"intervals": [["2024-01-01", "2024-03-01"], ["2024-03-01", "2024-06-01"]],
                                              "labels": ["early", "late"], "reducer": MAX}),
    "halves": ("aggregate_temporal", {"intervals": [["2024-01-01", "2024-03-01"], ["2024-03-01", "2024-06-01"]],
                                      "reducer": MAX}),
    "ndvi": ("ndvi", {"red": "B04", "nir": "B08"}), "space": ("reduce_spatial", {"reducer": MAX}),
    "coarse": ("resample_spatial", {"resolution": 80}), "fine": ("resample_spatial", {"resolution": 5}),
    "zones": ("aggregate_spatial", {"reducer": MAX, "geometries": None}),
}


def two_zones(provider):
    """The halves of the collection's place, as features with names."""
    (west, south, east, north), = provider.call("GET", "/collections/DEMO").json()["extent"]["spatial"]["bbox"]
    middle = (west + east) / 2
    rings = {"left": (west, middle), "right": (middle, east)}
    return {"type": "FeatureCollection", "features": [
        {"type": "Feature", "id": name, "properties": {"name": name}, "geometry": {"type": "Polygon", "coordinates": [
            [[a, south], [b, south], [b, north], [a, north], [a, south]]]}} for name, (a, b) in rings.items()]}


def filled(provider, names):
    """The steps of these names, with what depends on the collection."""
    made = {"filter_bbox": lambda: {"extent": first_box(provider)},
            "aggregate_spatial": lambda: {"geometries": two_zones(provider)}}
    return [(process, {**given, **(made[process]() if process in made else {})})
            for process, given in (STEPS[name] for name in names)]


def computed_there(server, graph):
    """What EXPLAIN says that other servers compute: node -> steps."""
    job = server.create(graph)
    return {part["node"]: part["steps"].split(", ")
            for part in server.call("GET", f"/jobs/{job}/explain").json()["plan"].get("elsewhere", [])}


def assert_same_cubes(far, own):
    """A file without pixels need not tell their CRS."""
    if "x" not in own.sizes and "geometry" not in own.sizes:
        own, far = (cube.drop_vars("crs", errors="ignore") for cube in (own, far))
    assert dict(far.sizes) == dict(own.sizes) and set(far.variables) == set(own.variables)
    for name in own.variables:
        assert same(far[name], own[name]), name


@pytest.mark.parametrize("names, there", [
    (["bands", "max"], 3), (["max", "bands", "twice"], 3), (["twice", "max"], 3), (["box", "time"], 3), (["twice"], 1),
    (["over bands", "max"], 3), (["bands", "month", "max"], 4), (["max", "over bands"], 3), (["bands", "bands"], 3),
    (["season", "twice"], 2), (["early and late"], 2), (["halves", "fine"], 2), (["ndvi", "max"], 3), (["coarse"], 2),
    (["space"], 2), (["max", "zones"], 3), (["zones"], 2), (["zones", "month"], 3), (["ndvi", "zones", "fine"], 3),
], ids=str)
def test_parts_are_computed_where_the_data_lie(server, provider, tmp_path, names, there):
    steps = filled(provider, names)
    if "zones" in names and "fine" in names:
        steps[-1] = ("apply", {"process": TWICE})
    own, far = (chain(name, *steps, bands=["B04", "B08"]) for name in ("OWN", "far|DEMO"))
    assert list(computed_there(server, far).values()) == [["load_collection"] + [s[0] for s in steps][:there - 1]]
    assert_same_cubes(opened(server.result(far), tmp_path), opened(server.result(own), tmp_path))


def test_the_log_tells_what_was_computed_where(server):
    job = server.create(chain("far|DEMO", STEPS["max"], bands=["B04"]))
    server.call("POST", f"/jobs/{job}/results")
    server.wait(job, "finished", "error", seconds=60)
    logs = [entry["message"] for entry in server.call("GET", f"/jobs/{job}/logs").json()["logs"]]
    (told,) = [text for text in logs if "the server of 'far|DEMO' computed" in text]
    assert "computed load_collection, reduce_dimension; " in told


ADD = callback("add", x={"from_parameter": "x"}, y={"from_parameter": "y"})
LARGER = callback("gt", x={"from_parameter": "x"}, y=1500)


def webs():
    """Graphs with several ways from a collection to the result, and the nodes that another server is to compute."""
    a = node("load_collection", id="A", spatial_extent=None, temporal_extent=None, bands=["B04"])
    b = node("load_collection", id="B", spatial_extent=None, temporal_extent=None, bands=["B08"])
    top = {"max": node("reduce_dimension", data=source("a"), dimension="t", reducer=MAX)}
    yield "two that merge", {"a": a, "b": b, "all": node("merge_cubes", cube1=source("a"), cube2=source("b")),
                             "top": node("reduce_dimension", data=source("all"), dimension="t", reducer=MAX)}, {"top"}
    yield "masked by itself", {"a": a, "far": node("apply", data=source("a"), process=LARGER),
                               "hidden": node("mask", data=source("a"), mask=source("far"))}, {"a"}
    yield "masked and reduced", {"a": a, "far": node("apply", data=source("a"), process=LARGER),
                                 "hidden": node("mask", data=source("a"), mask=source("far")),
                                 "top": node("reduce_dimension", data=source("hidden"), dimension="t", reducer=MAX)
                                 }, {"top"}
    yield "used twice", {"a": a, **top, "twice": node("apply", data=source("max"), process=TWICE),
                         "sum": node("merge_cubes", cube1=source("twice"), cube2=source("max"), overlap_resolver=ADD)
                         }, {"max"}
    yield "all of it and less of it", {"a": a, **top, "sum": node("merge_cubes", cube1=source("a"), cube2=source("max"),
                                                                  overlap_resolver=ADD)}, {"a"}
    yield "on another grid", {"a": a, "b": b, "coarse": node("resample_spatial", data=source("b"), resolution=80),
                              "as": node("resample_cube_spatial", data=source("a"), target=source("coarse"))}, {"as"}
    yield "saved in the middle", {"a": a, **top, "kept": node("save_result", data=source("max"), format="netCDF"),
                                  "top": node("reduce_dimension", data=source("max"), dimension="x", reducer=MAX)
                                  }, {"max"}


@pytest.mark.parametrize("graph, there", [w[1:] for w in webs()], ids=[w[0] for w in webs()])
def test_webs_are_cut_where_least_comes_here(server, tmp_path, graph, there):
    def named(a, b):
        names = {"A": a, "B": b}
        return saved({key: {**value, "arguments": {**value["arguments"], "id": names[value["arguments"]["id"]]}}
                      if "id" in value["arguments"] else value for key, value in graph.items()}, list(graph)[-1])
    assert set(computed_there(server, named("far|DEMO", "far|OTHER"))) == there
    own = opened(server.result(named("OWN", "OWN")), tmp_path)
    assert_same_cubes(opened(server.result(named("far|DEMO", "far|OTHER")), tmp_path), own)
    if "b" in graph:
        assert set(computed_there(server, named("far|DEMO", "OWN"))) == {"a"}
        assert_same_cubes(opened(server.result(named("far|DEMO", "OWN")), tmp_path), own)


def test_shared_and_mixed_graphs(server, tmp_path):
    """A cube used twice, two parts that meet, a part that meets what is here."""
    def both(first, second):
        graph = {"a": node("load_collection", id=first, spatial_extent=None, temporal_extent=None, bands=["B04"]),
                 "b": node("load_collection", id=second, spatial_extent=None, temporal_extent=None, bands=["B08"]),
                 "max": node("reduce_dimension", data=source("a"), dimension="t", reducer=MAX),
                 "top": node("reduce_dimension", data=source("b"), dimension="t", reducer=MAX),
                 "twice": node("apply", data=source("max"), process=TWICE),
                 "again": node("apply", data=source("max"), process=TWICE),
                 "sum": node("merge_cubes", cube1=source("twice"), cube2=source("again"), overlap_resolver=callback(
                     "add", x={"from_parameter": "x"}, y={"from_parameter": "y"})),
                 "all": node("merge_cubes", cube1=source("sum"), cube2=source("top"))}
        return saved(graph, "all")
    own = opened(server.result(both("OWN", "OWN")), tmp_path)
    for first, second in (("far|DEMO", "far|DEMO"), ("far|DEMO", "OWN"), ("OWN", "far|OTHER")):
        far = opened(server.result(both(first, second)), tmp_path)
        assert set(far.data_vars) == set(own.data_vars) >= {"B04", "B08"}
        assert all(same(far[name], own[name]) for name in own.variables)


def test_graphs_that_are_none_stay_none(server):
    graph = chain("far|DEMO", STEPS["bands"])
    del graph["save"]
    refused(server, graph, "ProcessGraphInvalid", 400)
    refused(server, chain("far|DEMO", ("filter_bands", {"bands": ["B77"]})), "DataCubeEmpty", 400)
    refused(server, chain("far|DEMO", ("filter_hands", {"bands": ["B77"]})), "ProcessUnsupported", 400)
    refused(server, saved({**load("far|DEMO"), "a": node("add", x=source("none"), y=1)}, "load"), "ProcessGraphInvalid",
            400)


def test_conditions_and_definitions_go_along(server, provider, tmp_path):
    theirs = opened(provider.result(saved(load("DEMO", bands=["B04"], **EARLY), "load")), tmp_path)
    ours = opened(server.result(saved(load("far|DEMO", bands=["B04"], **EARLY), "load")), tmp_path)
    assert same(ours["B04"], theirs["B04"])
    assert 0 < ours.sizes["t"] < 5, "of the dates that there are"
    body = {"process_graph": saved(chain("far|DEMO", bands={"from_parameter": "bands"}), "load"),
            "parameters": [{"name": "bands", "description": "", "schema": {"type": "array"}}]}
    body["process_graph"] = {"load": {**body["process_graph"]["load"], "result": True}}
    assert server.call("PUT", "/process_graphs/far_bands", body).status_code == 200
    named = opened(server.result(saved({"load": node("far_bands", bands=["B04"])}, "load")), tmp_path)
    assert named.sizes == opened(provider.result(saved(load("DEMO", bands=["B04"]), "load")), tmp_path).sizes


def provider_pixels(provider):
    dimensions = provider.call("GET", "/collections/DEMO").json()["cube:dimensions"]
    x, y = ((dimensions[name]["extent"][1] - dimensions[name]["extent"][0]) / dimensions[name]["step"] for name in "xy")
    return x * y


def test_explain_tells_what_is_computed_where(server, provider):
    job = server.create(chain("far|DEMO", STEPS["bands"], STEPS["max"], STEPS["over bands"], bands=["B04", "B08"]))
    found = server.call("GET", f"/jobs/{job}/explain").json()
    (part,) = found["plan"]["elsewhere"]
    steps = "load_collection, filter_bands, reduce_dimension, reduce_dimension"
    dates, pixels = 5, provider_pixels(provider)
    assert (part["node"], part["collection"], part["server"], part["steps"]) == ("s2", "far|DEMO", "far", steps)
    assert part["bytes"] == pixels * 2 and part["bytes_as_loaded"] >= pixels * 2 * 2 * dates
    assert list(part["process_graph"]) == ["load", "s0", "s1", "s2"] and part["is_assumed"], "dates are not listed"
    assert f"the server of 'far|DEMO' (far) computes {steps}\n" in found["text"] and " in place of " in found["text"]
    loaded = server.create(chain("far|DEMO", STEPS["twice"], bands=["B04"]))
    assert "no step there makes it less" in server.call("GET", f"/jobs/{loaded}/explain").json()["text"]
    assert server.call("GET", f"/jobs/{job}/estimate").json()["code"] == "EstimateComplexity"
    own = server.create(chain("OWN", STEPS["bands"], bands=["B04", "B08"]))
    assert "elsewhere" not in server.call("GET", f"/jobs/{own}/explain").json()["plan"]


def test_a_slow_one_keeps_nobody_from_the_rest(lonely, stranger):
    """Documents that are waited for leave handlers free; who comes too many gets what is known."""
    until(lambda: missing(lonely) is None)
    answered = threading.Event()
    stranger.pages["/api/collections/A"] = lambda _: answered.wait(60) and Page(DOCUMENT)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        get = lambda: requests.get(lonely.api + "/collections/odd|A", timeout=30).json()
        waiting = [pool.submit(get) for _ in range(12)]
        until(lambda: sum(one.done() for one in waiting) >= 10)
        assert requests.get(lonely.api + "/conformance", timeout=30).status_code == 200
        answered.set()
        found = [one.result() for one in waiting]
    assert {f["id"] for f in found} == {"odd|A"}
    assert sum("federation:missing" in f for f in found) >= 10
