"""Collections that a user publishes for nobody else: the owner sees, searches and loads them by every route, and what
others get is, to the letter, what they would get if there were no such collection."""

import io
import json
import re

import numpy
import pystac_client
import pytest
import rasterio
import requests

from test_publish import as_user, finished, job_with, root, saved
from test_server_api import Server, add_user, assert_error
from test_uploaded_files import numbers, put, raster

NAME, ABSENT = "own-results", "no-such-one"  # of one length


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    for name in ("alice", "bob"):
        add_user(data, name)
    server = Server(data, "--workers", "1", "--publish", str(tmp_path_factory.mktemp("published")),
                    "--stac-editor", "bob").login()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def job(server):
    put(server, "in_20200305.tif", raster(numbers(0, 4, 5)))
    return finished(server, {k: {**v, "result": k == "save"} for k, v in saved("in_20200305.tif").items()
                             if k != "title"})


@pytest.fixture(scope="module")
def item(server, job):
    """Of the private collection; a public one of the same results is there, too."""
    assert server.call("PUT", "/collections/for-all", {"job": job, "public": True}).status_code == 201
    before = [answers(server, who, NAME, "x") for who in strangers(server)]
    assert server.call("PUT", f"/collections/{NAME}", {"job": job, "public": False}).status_code == 201
    item = server.session.get(f"{root(server)}/stac/collections/{NAME}/items", timeout=60).json()["features"][0]
    return {**item, "before": before}


def strangers(server):
    return as_user(server, "bob").session, requests.Session()


LOAD = {"load": {"process_id": "load_collection", "arguments": {"id": NAME}},
        "save": {"process_id": "save_result", "result": True,
                 "arguments": {"data": {"from_node": "load"}, "format": "GTiff"}}}


def routes(name, item):
    """Method, path and body of everything that tells of collections."""
    own = f"/collections/{name}"
    files = ("", "/queryables", "/items", f"/items/{item}", "/browse", "/browse/2020", "/thumbnail")
    for api in ("/openeo/1.3", "/stac"):
        yield from (("GET", api + path, None) for path in ("/", "/collections", "/collections?limit=1"))
        yield from (("GET", api + own + path, None) for path in files)
    yield from (("GET", path, None) for path in (
        "/dcat", "/stac/children", "/stac/search", "/stac/search?limit=1", f"/stac/search?collections={name}",
        f"/stac/search?ids={item}", "/stac/search?bbox=-180,-90,180,90", "/stac/search?sortby=eo:cloud_cover",
        "/stac/search?sortby=-updated", "/stac/search?datetime=2020-01-01T00:00:00Z/..",
        f"/stac/search?filter=collection='{name}'", "/stac/search?filter=\"processing:datetime\">'2000'",
        "/stac/search?filter=eo:cloud_cover IS NULL", "/stac/collections?q=results", "/stac/collections?sortby=-id",
        f"/stac/collections?filter=id='{name}'", "/stac/aggregate?aggregations=total_count,collection_frequency",
        f"/stac/aggregate?aggregations=total_count&collections={name}",
        f"/stac{own}/aggregate?aggregations=total_count",
        f"/stac{own}/aggregations", "/stac/queryables", "/stac/more?after=f", f"/published/{name}/{item}"))
    yield "POST", "/stac/search", {"collections": [name]}
    yield "POST", "/stac/search", {"ids": [item], "limit": 1}
    yield "POST", "/stac/aggregate", {"aggregations": ["total_count", "datetime_max"]}
    yield "POST", "/openeo/1.3/validation", {"process_graph": json.loads(json.dumps(LOAD).replace(NAME, name))}


def answers(server, session, name, item):
    found = {}
    for method, path, body in routes(name, item):
        answer = session.request(method, root(server) + path, json=body, timeout=60)
        text = re.sub(r'"id":"[0-9a-f-]{16,}"', '"id":"request"', answer.text)  # of the request, in errors
        found[method, path, json.dumps(body)] = answer.status_code, text
    return found


def test_others_get_what_they_would_get_without_it(server, item):
    for session, before in zip(strangers(server), item["before"], strict=True):
        now = answers(server, session, NAME, "x")
        assert [key for key in now if now[key] != before[key]] == []
        known = answers(server, session, NAME, item["id"])
        absent = answers(server, session, ABSENT, item["id"])
        same = [re.sub(ABSENT, NAME, f"{key} {value}") for key, value in absent.items()]
        assert [str(key) for key, value in known.items() if f"{key} {value}" not in same] == []
        statuses = [status for (_, path, _), (status, _) in known.items() if f"/{NAME}" in path]
        assert len(statuses) > 15 and set(statuses) == {404}


def test_the_owner_finds_it_everywhere(server, item, job):
    found = answers(server, server.session, NAME, item["id"])
    for key, (status, text) in found.items():
        path = key[1]
        if "thumbnail" in path or "filter=id" in path:  # a picture is offered of no such collection
            continue
        assert status == 200, (key, text)
        if not re.search("/stac/queryables|aggregat|/published|limit=1|validation", path):
            assert NAME in text or "limit" in key[2], key
    count = json.loads(found["GET", f"/stac/aggregate?aggregations=total_count&collections={NAME}", "null"][1])
    assert count["aggregations"][0]["value"] == 1
    stac = pystac_client.Client.open(root(server) + "/stac", headers=dict(server.session.headers))
    assert len(list(stac.search(collections=[NAME]).items())) == 1
    assert len({c.id for c in stac.get_collections()} & {NAME, "for-all"}) == 2
    [asset] = item["assets"].values()
    with rasterio.open(io.BytesIO(server.session.get(asset["href"], timeout=60).content)) as file:
        values = file.read(1)
    assert numpy.array_equal(values, numbers(0, 4, 5))
    for session in strangers(server):
        assert session.get(asset["href"], timeout=60).status_code == 404
    with rasterio.open(io.BytesIO(server.result(LOAD).content)) as file:
        assert numpy.array_equal(file.read(1), values)


def test_others_can_neither_load_nor_change_it(server, item):
    item = {key: value for key, value in item.items() if key != "before"}
    bob = as_user(server, "bob")
    absent = json.loads(json.dumps(LOAD).replace(NAME, ABSENT))
    for graph in (LOAD, absent):
        assert_error(bob.result(graph), 404, "CollectionNotFound")
        job = bob.create(graph)
        bob.call("POST", f"/jobs/{job}/results")
        bob.wait(job, "finished", "error")
        assert [e["code"] for e in bob.call("GET", f"/jobs/{job}/logs").json()["logs"]
                if e["level"] == "error"] == ["CollectionNotFound"]
    stac, own = root(server) + "/stac/collections", f"/{NAME}"
    for method, path, body in [
            ("DELETE", own, None), ("PUT", own, {"type": "Collection"}), ("PATCH", own, {"title": "mine"}),
            ("POST", own + "/items", item), ("PUT", f"{own}/items/{item['id']}", item),
            ("PATCH", f"{own}/items/{item['id']}", {"properties": {}}), ("DELETE", f"{own}/items/{item['id']}", None),
            ("POST", own + "/bulk_items", {"items": {}, "method": "upsert"})]:
        for name in (NAME, ABSENT):
            asked = json.loads(json.dumps(body).replace(NAME, name))
            answer = bob.session.request(method, (stac + path).replace(NAME, name), json=asked, timeout=60)
            if name == NAME or method != "PUT" and "bulk" not in path:  # these would make one of that name
                assert (answer.status_code, answer.json()["code"]) == (404, "CollectionNotFound"), answer.text
    assert_error(bob.call("DELETE", f"/collections/{NAME}"), 404, "CollectionNotFound")
    assert server.call("GET", f"/collections/{NAME}").status_code == 200


def test_what_is_public_does_not_tell_of_what_is_private(server, item):
    derived = finished(server, LOAD)
    for name, public in (("told", True), ("kept", False)):
        assert server.call("PUT", f"/collections/{name}", {"job": derived, "public": public}).status_code == 201
    job_with(server, LOAD, publish={"collection": "added", "public": True})
    for name in ("told", "added"):
        assert NAME not in requests.get(f"{server.api}/collections/{name}", timeout=60).text
        items = requests.get(f"{root(server)}/stac/collections/{name}/items", timeout=60)
        assert len(items.json()["features"]) == 1 and NAME not in items.text
    kept = server.call("GET", "/collections/kept").json()
    assert [link["href"] for link in kept["links"] if link["rel"] == "derived_from"] == [
        f"{server.api}/collections/{NAME}"]
    for name in ("told", "kept", "added"):
        assert server.call("DELETE", "/collections/" + name).status_code == 204


def test_a_token_that_is_no_good_makes_a_stranger(server, item):
    headers = {"Authorization": "Bearer basic//" + 40 * "0"}
    assert requests.get(f"{server.api}/collections/{NAME}", headers=headers, timeout=60).status_code == 404
    assert requests.get(f"{server.api}/collections/for-all", headers=headers, timeout=60).status_code == 200
