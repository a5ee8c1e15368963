"""Processes that are published on the web and named by the address as a node's namespace."""

import concurrent.futures
import hashlib
import json
import time

import pytest

from conftest import DEMO_PATTERNS, twincube, until
from publisher import Page, Publisher
from test_process_graphs import CELSIUS, node, number, parameter
from test_server_api import Server, add_user
from test_services import middle_tile

CLASS = "https://api.openeo.org/extensions/remote-process-definition/0.1.0"


def process(name, graph, *parameters, **more):
    return {"id": name, "description": "", "parameters": list(parameters), "process_graph": graph, **more}


def plus(addend):
    """Adds a number; its name is always the same."""
    return process("plus", {"a": node("add", x=parameter("x"), y=addend)}, number("x"))


@pytest.fixture(scope="module")
def publisher():
    publisher = Publisher()
    yield publisher
    publisher.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory, publisher, demo):
    data = tmp_path_factory.mktemp("data")
    add_user(data, "alice")
    twincube("catalogue", "add", "--data", data, "--id", "DEMO", *DEMO_PATTERNS, demo)
    server = Server(data, "--process-namespace", publisher.root + "/open/", "--workers", "2").login()
    yield server
    assert server.stop() == 0


def answer(server, url, name="plus", /, **arguments):
    return server.result({"r": node(name, namespace=url, **(arguments or {"x": 1}))})


def value(server, url, name="plus", /, **arguments):
    found = answer(server, url, name, **arguments)
    assert found.status_code == 200, found.text
    return found.json()


def refusal(server, url, name="plus", code="ProcessNamespaceInvalid", /, **arguments):
    """The message; validation says the same."""
    found = answer(server, url, name, **arguments)
    assert (found.status_code, found.json()["code"]) == (400, code), found.text
    assert 'node "r' in found.json()["message"]
    body = {"process_graph": {"r": node(name, namespace=url, **(arguments or {"x": 1}))}}
    errors = server.call("POST", "/validation", body).json()["errors"]
    assert [e["code"] for e in errors] == [code]
    return found.json()["message"]


def test_one_process_and_one_of_a_list(server, publisher):
    alone = publisher.publish("/open/celsius", {"id": "celsius", **CELSIUS})
    assert value(server, alone, "celsius", f=212) == pytest.approx(100)
    several = publisher.publish("/open/all?page=1", {"links": [], "processes": [
        process("other", {"p": node("pi")}), plus(2), {"id": "bare", "description": "", "parameters": []}]})
    assert value(server, several, x=5) == 7
    assert "no process 'times'" in refusal(server, several, "times")
    assert "process_graph" in refusal(server, several, "bare")
    assert "another id" in refusal(server, alone, "plus")


def test_defaults_callbacks_and_errors_inside(server, publisher):
    graph = {"m": node("array_apply", data=parameter("data"), process={"process_graph": {
        "p": node("multiply", x=parameter("x"), y=parameter("by"))}})}
    schema = {"type": "array"}
    url = publisher.publish("/open/scale",
                            process("scale", graph, {"name": "data", "description": "", "schema": schema},
                                                   number("by", optional=True, default=3)))
    assert value(server, url, "scale", data=[1, 2]) == [3, 6]
    assert value(server, url, "scale", data=[1, 2], by=10) == [10, 20]
    assert 'parameter "data"' in refusal(server, url, "scale", "ProcessParameterRequired", by=1)
    assert 'parameter "z"' in refusal(server, url, "scale", "ProcessParameterUnsupported", data=[], z=1)
    assert 'parameter "by"' in refusal(server, url, "scale", "ProcessParameterInvalid", data=[], by="x")
    url = publisher.publish("/open/late", process("late", {"e": node("array_element", data=[1], index=parameter("i"))},
                                                  number("i")))
    found = answer(server, url, "late", i=4).json()
    assert found["code"] == "ArrayElementNotAvailable" and 'node "r/e"' in found["message"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"), (b"<html>", "JSON"), (b"[1]", "JSON object"), (b'"plus"', "JSON object"),
        (b'\xff{"id": "plus"}', "JSON"), (b'{"id": "plus"', "JSON"), (b"[" * 100000, "JSON"),
        ({"id": "plus"}, "neither"), ({"processes": {}}, "neither"), ({"processes": []}, "no process 'plus'"),
        ({"processes": [1, None, ["id"], {"id": 5}]}, "no process 'plus'"),
        ({"id": 7, "process_graph": {}}, "another id"), ({"id": "plus", "process_graph": {}}, "no nodes"),
        ({"id": "plus", "process_graph": {"a": 1}}, 'node "a"'),
        (process("plus", {"a": node("pi")}, number("x", default="one", optional=True)), 'parameter "x"'),
        (process("plus", {"a": node("pi")}, {"schema": {}}), "parameter"),
        (b'{"id": "plus", "id": "plus", "process_graph": {"a": {"process_id": "pi", "arguments": {}}}}', "plus"),
    ], ids=str,
)
def test_documents_that_define_nothing(server, publisher, content, words):
    assert words in refusal(server, publisher.publish("/open/bad", content))


def test_only_allowed_addresses_are_asked(server, publisher):
    publisher.publish("/elsewhere", plus(1))
    publisher.publish("/open/here", plus(1))
    publisher.publish("/opener/", plus(1))
    root = publisher.root
    for url in (root + "/elsewhere", root + "/opener/", root + "/open/../elsewhere", root + "/open/%2e%2e/elsewhere",
                root + "/open/..%2felsewhere", root.replace("127.0.0.1", "localhost") + "/open/here",
                f"http://me:secret@127.0.0.1:{publisher.port}/open/here", root + "/open/here\\..\\elsewhere",
                root.replace("http:", "https:") + "/open/here", "ftp://127.0.0.1/open/here",
                "file:///etc/passwd", "http://169.254.169.254/open/", "http://[::1]/open/", "http://0/open/",
                f"http://127.0.0.1:{publisher.port}@example.org/open/", "://", "http://", root):
        refusal(server, url)
    assert publisher.count("/elsewhere") == publisher.count("/opener/") == publisher.count("/open/here") == 0
    for space in ("elsewhere", "../open/here", "data:application/json,{}"):
        refusal(server, space, "plus", "ProcessUnsupported")


def test_redirects_stay_within_what_is_allowed(server, publisher):
    publisher.publish("/open/target", plus(3))
    publisher.publish("/target", plus(3))
    for status in (301, 302, 307):
        url = publisher.publish("/open/moved", b"", status, {"Location": "target"})
        assert value(server, url) == 4
    url = publisher.publish("/open/out", b"", 302, {"Location": publisher.root + "/target"})
    assert "not among" in refusal(server, url)
    assert publisher.count("/target") == 0
    refusal(server, publisher.publish("/open/circle", b"", 302, {"Location": "/open/circle"}))
    refusal(server, publisher.publish("/open/file", b"", 302, {"Location": "file:///etc/passwd"}))
    assert publisher.count("/open/circle") < 20


def test_nobodys_credentials_are_sent(server, publisher):
    assert value(server, publisher.publish("/open/who", plus(1))) == 2
    for headers in publisher.asked["/open/who"]:
        assert not {"authorization", "cookie", "referer"} & {name.lower() for name in headers}


def test_what_does_not_answer_well(server, publisher):
    assert "404" in refusal(server, publisher.root + "/open/missing")
    assert "500" in refusal(server, publisher.publish("/open/broken", plus(1), 500))
    assert "304" in refusal(server, publisher.publish("/open/unasked", b"", 304))
    huge = {**plus(1), "description": "x" * (5 << 20)}
    assert "large" in refusal(server, publisher.publish("/open/huge", huge))
    refusal(server, publisher.publish("/open/lie", b"{", headers={"Content-Length": str(1 << 40)}))


def test_slow_servers_cost_seconds_only(server, publisher):
    """… and meanwhile small requests of others are answered."""
    url = publisher.publish("/open/slow", b" " * 1000, drip=0.5)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(answer, server, url) for _ in range(2)]  # the server has two workers for long work
        until(lambda: publisher.count("/open/slow") == 2)
        assert server.result({"a": node("add", x=1, y=2)}).json() == 3
        assert not any(s.done() for s in slow)
        assert {s.result().json()["code"] for s in slow} == {"ProcessNamespaceInvalid"}  # the page takes minutes


def test_who_cancels_waits_for_no_server(server, publisher):
    url = publisher.publish("/open/slower", b" " * 1000, drip=0.5)
    slow, quick = server.create({"r": node("plus", namespace=url, x=1)}), server.create({"r": node("pi")})
    for job in (slow, quick):  # one after the other
        assert server.call("POST", f"/jobs/{job}/results").status_code == 202
    until(lambda: publisher.count("/open/slower") > 0)
    assert server.call("DELETE", f"/jobs/{slow}/results").status_code == 204
    server.wait(quick, "finished", seconds=3)
    assert server.status(slow) == "canceled"


def test_a_server_that_is_gone(tmp_path):
    gone = Publisher()
    add_user(tmp_path, "alice")
    server = Server(tmp_path, "--process-namespace", gone.root).login()
    try:
        url = gone.publish("/plus", plus(1), headers={"Cache-Control": "max-age=60"})
        assert value(server, url) == 2
        gone.stop()
        assert value(server, url) == 2
        assert "connect" in refusal(server, gone.root + "/other").lower()
    finally:
        assert server.stop() == 0


def test_changes_are_seen_when_they_may_be(server, publisher):
    url = publisher.publish("/open/changing", plus(1))
    assert value(server, url) == 2
    publisher.publish("/open/changing", plus(2))
    assert value(server, url) == 3
    for age in (2, 20, 200):  # so long that two requests fit into it
        path, begun = f"/open/kept-{age}", time.monotonic()
        kept = publisher.publish(path, plus(1), headers={"Cache-Control": f"public, max-age={age}"})
        assert value(server, kept) == 2
        publisher.publish(path, plus(2), headers={"Cache-Control": "no-store, max-age=100"})
        again = value(server, kept), publisher.count(path)
        if time.monotonic() - begun < age:
            break
    assert again == (2, 1)
    until(lambda: value(server, kept) == 3, 2 * age + 60)
    before = publisher.count(path)
    assert value(server, kept) == 3 and publisher.count(path) == before + 1


def test_unchanged_documents_are_not_sent_again(server, publisher):
    tagged = publisher.publish("/open/tagged", plus(1), headers={"ETag": '"one"'})
    assert [value(server, tagged) for _ in range(3)] == [2, 2, 2]
    asked = [headers.get("If-None-Match") for headers in publisher.asked["/open/tagged"]]
    assert asked == [None, '"one"', '"one"']
    publisher.publish("/open/tagged", plus(5), headers={"ETag": '"two"'})
    assert value(server, tagged) == 6


def test_one_task_sees_one_document(server, publisher):
    """Two processes of a list come from one answer."""
    graph = {"p": node("pi")}
    url = publisher.publish("/open/pair", {"processes": [process("one", graph), process("two", graph)]})
    found = server.result({"a": node("one", namespace=url, result=False), "b": node("two", namespace=url, result=False),
                           "s": node("add", x={"from_node": "a"}, y={"from_node": "b"})})
    assert found.json() == pytest.approx(6.283185307)
    assert publisher.count("/open/pair") == 1


def test_what_definitions_call(server, publisher):
    """Built-in processes, others by their address, and those of the user who asks; never a circle."""
    inner = publisher.publish("/open/inner", plus(10))
    outer = publisher.publish("/open/outer", process(
        "outer", {"p": node("plus", namespace=inner, x=parameter("x"))}, number("x")))
    assert value(server, outer, "outer", x=1) == 11
    own = {"process_graph": {"o": node("outer", namespace=outer, x=parameter("x"))}, "parameters": [number("x")]}
    assert server.call("PUT", "/process_graphs/mine", own).status_code == 200
    assert server.result({"m": node("mine", x=1)}).json() == 11
    publisher.publish("/open/inner", process("plus", {"m": node("mine", namespace="user", x=1)}, number("x")))
    message = refusal(server, outer, "outer", "ProcessGraphInvalid", x=1)
    assert "outer → plus → mine → outer" in message and "r/p/m/o" in message


def test_circles_of_documents(server, publisher):
    one, two, extra = publisher.root + "/open/one", publisher.root + "/open/two", number("extra", optional=True)
    publisher.publish("/open/one", process("a", {"n": node("b", namespace=two)}, extra))
    publisher.publish("/open/two", process("b", {"n": node("a", namespace=one)}))
    assert "a → b → a" in refusal(server, one, "a", "ProcessGraphInvalid", extra=0)

    def endless(request):
        step = int(request.path.split("?")[1])
        return Page(process("next", {"n": node("next", namespace=f"{publisher.root}/open/endless?{step + 1}")}))

    for step in range(40):
        publisher.pages[f"/open/endless?{step}"] = endless
    found = server.result({"r": node("next", namespace=publisher.root + "/open/endless?0")})
    assert (found.status_code, found.json()["code"]) == (400, "ProcessGraphComplexity")


def test_many_documents_are_too_many(server, publisher):
    nodes = {f"n{i}": node("plus", namespace=publisher.publish(f"/open/many{i}", plus(i)), result=i == 0, x=1)
             for i in range(40)}
    found = server.result(nodes)
    assert found.json()["code"] == "ProcessNamespaceInvalid" and "32" in found.json()["message"]


def test_a_job_tells_what_it_used(server, publisher):
    document = json.dumps(plus(4), indent=1).encode()
    url = publisher.publish("/open/used", document)
    job = server.create({"r": node("plus", namespace=url, x=1)})
    assert server.call("POST", f"/jobs/{job}/results").status_code == 202
    server.wait(job, "finished", "error")
    results = server.call("GET", f"/jobs/{job}/results").json()
    links = [link for link in results["links"] if link["rel"] == "processing-expression"]
    assert links == [{"rel": "processing-expression", "href": url, "type": "application/json", "title": "plus",
                      "file:checksum": "1220" + hashlib.sha256(document).hexdigest()}]
    assert any(url in entry["message"] for entry in server.call("GET", f"/jobs/{job}/logs").json()["logs"])
    del publisher.pages["/open/used"]
    job = server.create({"r": node("plus", namespace=url, x=1)})
    assert server.call("POST", f"/jobs/{job}/results").status_code == 202
    server.wait(job, "finished", "error")
    [entry] = [e for e in server.call("GET", f"/jobs/{job}/logs").json()["logs"] if e["level"] == "error"]
    assert entry["code"] == "ProcessNamespaceInvalid" and entry["path"][0]["node_id"] == "r"


def test_a_service_shows_a_published_process(server, publisher):
    graph = {"n": node("ndvi", data=parameter("data"), nir="B08", red="B04")}
    cube = {"name": "data", "description": "", "schema": {"type": "object", "subtype": "datacube"}}
    url = publisher.publish("/open/greens", process("greens", graph, cube))
    load = node("load_collection", id="DEMO", spatial_extent=None, temporal_extent=None, result=False)
    nodes = {"l": load, "g": node("greens", namespace=url, data={"from_node": "l"})}
    made = server.call("POST", "/services", {"type": "xyz", "process": {"process_graph": nodes}})
    assert made.status_code == 201, made.text
    described = server.session.get(made.headers["Location"]).json()
    box = server.call("GET", "/collections/DEMO").json()["extent"]["spatial"]["bbox"][0]
    column, row = middle_tile(box, 12)
    tile = server.session.get(described["url"].format(z=12, x=column, y=row), timeout=60)
    assert tile.status_code == 200 and tile.content.startswith(b"\x89PNG")


def test_validation_by_strangers(server, publisher):
    url = publisher.publish("/open/stranger", plus(1))
    token = server.session.headers.pop("Authorization")
    try:
        found = server.call("POST", "/validation", {"process_graph": {"r": node("plus", namespace=url, x=1)}})
    finally:
        server.session.headers["Authorization"] = token
    assert found.json() == {"errors": []}


def test_the_class_is_claimed_where_it_is_allowed(server, connection, running):
    claimed = server.session.get(server.api + "/").json()
    assert CLASS in claimed["conformsTo"]
    assert any("remote-process-definition" in link["href"] for link in claimed["links"])
    assert CLASS not in connection.get("/").json()["conformsTo"]
    found = connection.post("/validation", json={"process_graph": {"r": node("plus", namespace="https://a.example/")}})
    assert [e["code"] for e in found.json()["errors"]] == ["ProcessNamespaceInvalid"]
