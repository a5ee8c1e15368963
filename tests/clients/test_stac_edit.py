"""Collections and items that are made, replaced, patched and removed through the STAC API, by those who may."""

import concurrent.futures
import copy
import signal
import subprocess

import numpy as np
import pystac_client
import pytest
import rasterio
import requests
from rasterio.transform import from_origin

from conftest import BINARY, PASSWORD, twincube, until


def collection(name, **members):
    return {"type": "Collection", "stac_version": "1.1.0", "id": name, "description": "made here", "license": "CC0-1.0",
            "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
            "links": [{"rel": "license", "href": "https://example.org/licence"}], "own:member": {"a": [1, None]},
            **members}


def item(name, of, day=1, **members):
    return {"type": "Feature", "stac_version": "1.0.0", "id": name, "collection": of, "bbox": [day, 0, day + 1, 1],
            "geometry": {"type": "Polygon",
                         "coordinates": [[[day, 0], [day + 1, 0], [day + 1, 1], [day, 1], [day, 0]]]},
            "properties": {"datetime": f"2020-01-{day:02}T00:00:00Z", "eo:cloud_cover": 10.5 * day,
                           "own:word": "Größe"},
            "links": [{"rel": "derived_from", "href": "https://example.org/source"}, {"rel": "self", "href": "gone"}],
            "assets": {"data": {"href": "https://example.org/data.tif", "roles": ["data"]}}, "own:member": 1, **members}


class Api:
    def __init__(self, url, token):
        self.url, self.headers = url + "/stac", {"Authorization": "Bearer " + token}

    def __call__(self, method, path, status, body=None, match=None, data=None):
        headers = {**self.headers, **({"If-Match": match} if match else {})}
        answer = requests.request(method, self.url + path, json=body, data=data, headers=headers, timeout=60)
        assert answer.status_code == status, answer.text[:500]
        return answer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with two users, one of whom may change things, and a collection made from files: both users' APIs."""
    data = tmp_path_factory.mktemp("edited")
    for name in ("carol", "dave"):
        twincube("user", "add", name, "--data", data, input=PASSWORD + "\n")
    scene = tmp_path_factory.mktemp("scanned") / "scene_20200101_B04.tif"
    with rasterio.open(scene, "w", driver="GTiff", dtype="uint8", count=1, height=2, width=2, crs="EPSG:4326",
                       transform=from_origin(0, 1, .5, .5)) as file:
        file.write(np.ones((2, 2), "uint8"), 1)
    twincube("catalogue", "add", "--data", data, "--id", "scanned", scene.parent)
    with subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, "--udf-python", "none",
                           "--stac-editor", "carol"], text=True, stdout=subprocess.PIPE) as process:
        url = process.stdout.readline().strip().rstrip("/")
        tokens = [requests.get(url + "/openeo/1.3/credentials/basic", auth=(name, PASSWORD), timeout=30).json()
                  for name in ("carol", "dave")]
        yield [Api(url, "basic//" + token["access_token"]) for token in tokens]
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


@pytest.fixture
def api(server):
    return server[0]


@pytest.fixture
def made(api, request):
    """The id of a collection with three items."""
    name = request.node.name.replace("[", "_").replace("]", "")
    api("POST", "/collections", 201, collection(name))
    for day in (1, 2, 3):
        api("POST", f"/collections/{name}/items", 201, item(f"i{day}", name, day))
    return name


def without_links(document):
    return {name: value for name, value in document.items() if name != "links"}


def ids(api, query):
    return sorted(f["id"] for f in api("GET", "/search?limit=1000&" + query, 200).json()["features"])


def test_what_comes_is_kept_as_it_came(api, made):
    answer = api("POST", f"/collections/{made}/items", 201, item("new", made, 4))
    assert answer.headers["Location"] == f"{api.url}/collections/{made}/items/new"
    there = requests.get(answer.headers["Location"], timeout=30)
    assert there.json() == answer.json() and there.headers["ETag"] == answer.headers["ETag"]
    sent, got = item("new", made, 4), there.json()
    assert without_links(got) == without_links(sent)
    assert sorted(e["rel"] for e in got["links"]) == ["collection", "derived_from", "parent", "root", "self"]
    whole = api("GET", f"/collections/{made}", 200).json()
    assert whole["stac_version"] == "1.1.0" and whole["own:member"] == {"a": [1, None]}
    assert "https://example.org/licence" in [e["href"] for e in whole["links"]]
    assert ids(api, f"collections={made}&query=" + '{"eo:cloud_cover":{"gt":15,"lt":40}}') == ["i2", "i3"]
    assert ids(api, f"collections={made}&filter=\"own:word\"='Größe'&bbox=2.5,0.5,2.6,0.6") == ["i2"]
    openeo = requests.get(api.url.replace("/stac", "/openeo/1.3/collections/") + made, timeout=30).json()
    assert openeo["description"] == "made here"


def test_what_was_not_told_its_collection_is(api, made):
    bare = item("bare", made)
    del bare["collection"]
    assert api("POST", f"/collections/{made}/items", 201, bare).json()["collection"] == made


def test_an_item_is_replaced_and_patched(api, made):
    path = f"/collections/{made}/items/i2"
    before = api("GET", path, 200)
    replaced = api("PUT", path, 204, item("i2", made, 9, extra="x"), match=before.headers["ETag"])
    there = api("GET", path, 200)
    assert there.json()["extra"] == "x" and there.headers["ETag"] == replaced.headers["ETag"] != before.headers["ETag"]
    assert ids(api, f"collections={made}&bbox=9,0,10,1") == ["i2"]
    assert ids(api, f"collections={made}&bbox=2.1,0,2.9,1") == []
    api("PATCH", path, 204, {"properties": {"eo:cloud_cover": 0.1, "own:word": None}, "extra": None})
    expected = item("i2", made, 9)
    expected["properties"]["eo:cloud_cover"] = 0.1
    del expected["properties"]["own:word"]
    patched = api("GET", path, 200)
    assert without_links(patched.json()) == without_links(expected)
    for method, body in (("PUT", item("i2", made)), ("PATCH", {"extra": 1}), ("DELETE", None)):
        answer = api(method, path, 412, body, match=before.headers["ETag"])
        assert answer.json()["code"] == "PreconditionFailed"
    api("DELETE", path, 204, match=f'"other", {patched.headers["ETag"]}')
    assert api("GET", path, 404).json()["code"] == "NotFound" and ids(api, f"collections={made}") == ["i1", "i3"]


def test_items_come_in_crowds(api, made):
    features = {"type": "FeatureCollection", "features": [item(f"f{i}", made, 5) for i in range(20)]}
    api("POST", f"/collections/{made}/items", 201, features)
    assert len(ids(api, f"collections={made}&datetime=2020-01-05T00:00:00Z")) == 20
    many = {f"b{i}": item(f"b{i}", made, 6) for i in range(200)}
    assert api("POST", f"/collections/{made}/bulk_items", 200, {"items": many}).json() == {"count": 200}
    answer = api("POST", f"/collections/{made}/bulk_items", 409, {"items": {"c": item("c", made), **many}})
    assert "'b0'" in answer.json()["description"]
    api("GET", f"/collections/{made}/items/c", 404)
    api("POST", f"/collections/{made}/bulk_items", 200, {"items": list(many.values()), "method": "upsert"})
    assert len(ids(api, f"collections={made}")) == 223


def test_a_collection_is_replaced_patched_and_removed(api, made):
    path = "/collections/" + made
    before = api("GET", path, 200)
    api("PUT", path, 412, collection(made), match='"no"')
    after = api("PUT", path, 204, collection(made, description="again"), match=before.headers["ETag"])
    there = api("GET", path, 200)
    assert there.headers["ETag"] == after.headers["ETag"]
    assert there.json()["description"] == "again" and ids(api, f"collections={made}") == ["i1", "i2", "i3"]
    api("PATCH", path, 204, {"title": "T", "own:member": {"a": None, "b": 2}})
    patched = api("GET", path, 200).json()
    assert patched["title"] == "T" and patched["own:member"] == {"b": 2} and patched["description"] == "again"
    api("DELETE", path, 412, match=before.headers["ETag"])
    api("DELETE", path, 204)
    assert api("GET", path, 404).json()["code"] == "CollectionNotFound" and ids(api, f"ids=i1&collections={made}") == []
    api("DELETE", path, 404)
    api("POST", "/collections", 201, collection(made))
    assert ids(api, f"collections={made}") == []


def test_who_may_not(server, api, made):
    other = copy.copy(server[1])
    for method, path, body in (("POST", "/collections", collection("x")),
                               ("PUT", "/collections/" + made, collection(made)),
                               ("PATCH", "/collections/" + made, {}), ("DELETE", "/collections/" + made, None),
                               ("POST", f"/collections/{made}/items", item("x", made)),
                               ("PUT", f"/collections/{made}/items/i1", item("i1", made)),
                               ("PATCH", f"/collections/{made}/items/i1", {}),
                               ("DELETE", f"/collections/{made}/items/i1", None),
                               ("POST", f"/collections/{made}/bulk_items", {"items": {}})):
        assert other(method, path, 403, body).json()["code"] == "PermissionsInsufficient"
        assert requests.request(method, api.url + path, json=body, timeout=30).status_code == 401
    assert ids(api, f"collections={made}") == ["i1", "i2", "i3"]


@pytest.mark.parametrize(("change", "code"), [
    ({"type": "Collection"}, 400), ({"id": None}, 400), ({"id": 5}, 400), ({"collection": "other"}, 400),
    ({"geometry": {"type": "Blob"}}, 400), ({"properties": {}}, 400), ({"assets": 5}, 400),
    ({"properties": {"datetime": "yesterday"}}, 400), ({"id": "i1"}, 409),
])
def test_items_that_are_refused(api, made, change, code):
    answer = api("POST", f"/collections/{made}/items", code, {**item("x", made), **change})
    assert answer.json()["code"] in ("StacInvalid", "StacConflict")
    assert ids(api, f"collections={made}") == ["i1", "i2", "i3"]


def test_what_else_is_refused(api, made):
    for body in ("", "[]", "{", '{"a":' * 900 + "1" + "}" * 900, '{"type":"Feature"}'):
        assert api("POST", f"/collections/{made}/items", 400, data=body).json()["code"] in ("RequestBodyInvalid",
                                                                                            "StacInvalid")
    assert api("POST", "/collections/none/items", 404, item("x", "none")).json()["code"] == "CollectionNotFound"
    assert api("PUT", f"/collections/{made}/items/none", 404, item("none", made)).json()["code"] == "NotFound"
    assert api("PUT", f"/collections/{made}/items/i1", 400, item("i2", made)).json()["code"] == "StacInvalid"
    assert api("PATCH", f"/collections/{made}/items/i1", 400, {"id": "i9"}).json()["code"] == "StacInvalid"
    assert api("POST", "/collections", 409, collection(made)).json()["code"] == "StacConflict"
    assert api("POST", "/collections", 400, collection("a b")).json()["code"] == "StacInvalid"
    assert api("PUT", "/collections/" + made, 400, collection("other")).json()["code"] == "StacInvalid"
    assert api("PUT", "/collections/none", 404, collection("none")).json()["code"] == "CollectionNotFound"
    for method, path, body in (("DELETE", "/collections/scanned", None), ("PUT", "/collections/scanned",
                                                                          collection("scanned")),
                               ("POST", "/collections/scanned/items", item("x", "scanned"))):
        assert api(method, path, 409, body).json()["code"] == "StacConflict"
    wrong = {"items": 5}, {"items": {}, "method": "guess"}, {"items": [5]}
    for body in wrong:
        api("POST", f"/collections/{made}/bulk_items", 400, body)


def test_pages_while_others_write(api, made):
    """What stays is seen once, whatever comes and goes meanwhile on both sides of the page's end."""
    steady = [item(f"s{i:03}", made, 1 + i % 25) for i in range(100)]
    api("POST", f"/collections/{made}/bulk_items", 200, {"items": steady})
    page, seen, turn = api("GET", f"/search?collections={made}&limit=9", 200).json(), [], 0
    while True:
        seen += [f["id"] for f in page["features"]]
        following = [e["href"] for e in page["links"] if e["rel"] == "next"]
        if not following:
            break
        day = 1 + turn % 25
        api("POST", f"/collections/{made}/items", 201, item(f"t{turn}", made, day))
        api("PATCH", f"/collections/{made}/items/i2", 204, {"own:member": turn})
        if turn % 2:
            api("DELETE", f"/collections/{made}/items/t{turn}", 204)
        page, turn = requests.get(following[0], timeout=30).json(), turn + 1
    assert turn > 10 and len(seen) == len(set(seen)) and {f["id"] for f in steady} | {"i1", "i2", "i3"} <= set(seen)


def test_many_write_at_once(api, made):
    """One of two that expect the same state wins; readers see whole states."""
    path = f"/collections/{made}/items/i1"
    state = api("GET", path, 200).headers["ETag"]

    def put(n):
        headers, body = {**api.headers, "If-Match": state}, item("i1", made, extra=n)
        statuses = []  # while two others write, one is asked to come again
        until(lambda: statuses.append(requests.put(api.url + path, json=body, headers=headers, timeout=60).status_code)
              or statuses[-1] != 503)
        return statuses[-1]

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        states = list(pool.map(put, range(6)))
    assert sorted(states) == [204] + [412] * 5


def test_the_conformance_says_so(api, made):
    classes = api("GET", "/conformance", 200).json()["conformsTo"]
    assert "https://api.stacspec.org/v1.0.0/ogcapi-features/extensions/transaction" in classes
    paths = api("GET", "/api", 200).json()["paths"]
    assert set(paths["/collections/{collection_id}/items/{item_id}"]) == {"get", "put", "patch", "delete"}
    client = pystac_client.Client.open(api.url)
    hits = client.search(collections=[made], filter="eo:cloud_cover < 15", filter_lang="cql2-text")
    found = list(hits.items())
    assert [i.id for i in found] == ["i1"] and found[0].assets["data"].href == "https://example.org/data.tif"
