"""The STAC API at /stac, seen by pystac-client and by plain requests: what is found against what was written."""

import datetime
import json
import re
from xml.etree import ElementTree

import numpy as np
import pystac
import pystac_client
import pytest
import rasterio
import requests
import shapely
from rasterio.transform import from_origin

from conftest import twincube


def get(url, status=200, **query):
    answer = requests.get(url, params=query, timeout=30)
    assert answer.status_code == status, answer.text[:400]
    return answer.json()


def links(document, relation):
    return [entry["href"] for entry in document["links"] if entry["rel"] == relation]


PLACES = {"api_north": (10, 60, "2021-01-01"), "api_south": (20, -40, "2021-06-01"),
          "api_pacific": (179, 0, "2022-01-01")}


@pytest.fixture(scope="module")
def stac(running, data, tmp_path_factory):
    """The address of the API, with three collections of one scene each at known places and days."""
    for name, (west, north, day) in PLACES.items():
        folder = tmp_path_factory.mktemp(name)
        path = folder / f"scene_{day.replace('-', '')}_B04.tif"
        with rasterio.open(path, "w", driver="GTiff", dtype="uint8", count=1, height=4, width=4,
                           crs="EPSG:4326", transform=from_origin(west, north, .5, .5)) as file:
            file.write(np.ones((4, 4), "uint8"), 1)
        twincube("catalogue", "add", "--data", data, "--id", name, "--title", f"Scenes of {name[4:]}",
                 "--keyword", "probe", folder)
    return running.url + "/stac"


def found(stac, **query):
    document = get(stac + "/collections", **query)
    return [c["id"] for c in document["collections"] if c["id"] in PLACES]


def test_the_landing_page_leads_everywhere(stac, running):
    landing = get(stac)
    assert landing["type"] == "Catalog" and landing["conformsTo"] == get(stac + "/conformance")["conformsTo"]
    assert {f"{stac}/collections/{name}" for name in PLACES} <= set(links(landing, "child"))
    for relation in ("self", "root", "conformance", "data", "children", "service-desc", "related"):
        assert requests.get(links(landing, relation)[0], timeout=30).status_code == 200, relation
    assert links(get(running.url + "/openeo"), "service")[-1] == stac
    assert stac in links(get(running.api + "/"), "related")
    whole = {c["id"]: c for c in get(stac + "/children")["children"]}
    assert whole["api_north"] == get(stac + "/collections/api_north")
    page, paged = get(stac + "/children?limit=2"), []
    while True:
        paged += page["children"]
        assert len(page["children"]) == 2 or not links(page, "next")
        if not links(page, "next"):
            break
        page = get(*links(page, "next"))
    assert paged == list(whole.values())
    assert get(stac + "/children?limit=0", 400)["code"] == get(stac + "/children?what=1", 400)["code"]


def test_the_openapi_document_has_what_is_served(stac):
    answer = requests.get(stac + "/api", timeout=30)
    assert answer.headers["Content-Type"].startswith("application/vnd.oai.openapi+json")
    paths = answer.json()["paths"]
    assert "/collections/{collection_id}/items/{item_id}" in paths and list(paths["/conformance"]) == ["get"]
    taken = {p["name"] for p in paths["/collections"]["get"]["parameters"]}
    assert {"q", "bbox", "datetime", "limit", "sortby", "fields"} <= taken


@pytest.mark.parametrize(("query", "expected"), [
    ({}, ["api_north", "api_pacific", "api_south"]),
    ({"bbox": "9,55,12,62"}, ["api_north"]), ({"bbox": "170,-10,-170,10"}, ["api_pacific"]),
    ({"bbox": "-180,-10,-179.5,10"}, ["api_pacific"]), ({"bbox": "0,-90,0,30,90,9000"}, ["api_north", "api_south"]),
    ({"datetime": "2021-05-01T00:00:00Z/.."}, ["api_pacific", "api_south"]),
    ({"datetime": "/2021-03-01T00:00:00+01:00"}, ["api_north"]), ({"datetime": "2021-06-01T00:00:00Z"}, ["api_south"]),
    ({"q": "Pacific"}, ["api_pacific"]), ({"q": "of pacific,API_NORTH"}, ["api_north", "api_pacific"]),
    ({"q": "probe"}, ["api_north", "api_pacific", "api_south"]), ({"q": "nowhere at all"}, []),
    ({"q": "probe", "sortby": "-title"}, ["api_south", "api_pacific", "api_north"]),
    ({"q": "probe", "sortby": "+extent.nothing,-id"}, ["api_south", "api_pacific", "api_north"]),
    ({"q": "probe", "datetime": "2021-05-01T00:00:00Z/..", "bbox": "0,-90,30,90"}, ["api_south"]),
])
def test_collections_are_searched(stac, query, expected):
    assert found(stac, **query) == expected


@pytest.mark.parametrize("sort", [None, "-title", "title,-id", "-extent.nothing"])
def test_pages_of_collections(stac, sort):
    query = {"q": "probe", **({"sortby": sort} if sort else {})}
    url, seen = requests.Request("GET", stac + "/collections", params={**query, "limit": 1}).prepare().url, []
    while url:
        page = get(url)
        seen += [c["id"] for c in page["collections"]]
        assert len(page["collections"]) == page["numberReturned"] == 1
        url = next(iter(links(page, "next")), None)
    assert seen == found(stac, **query)


def test_fields_of_collections(stac):
    (one,) = get(stac + "/collections", q="api_north", fields="title,extent.spatial")["collections"]
    assert set(one) == {"type", "stac_version", "id", "title", "extent"} and list(one["extent"]) == ["spatial"]
    (one,) = get(stac + "/collections", q="api_north", fields="-extent.spatial,-summaries")["collections"]
    assert list(one["extent"]) == ["temporal"] and "summaries" not in one and one["license"]
    (one,) = get(stac + "/collections", q="api_north", fields="extent.temporal,-extent")["collections"]
    assert list(one["extent"]) == ["temporal"]


@pytest.mark.parametrize(("query", "name"), [
    ({"bbox": "1,2,3"}, "bbox"), ({"bbox": "1,9,3,4"}, "bbox"), ({"bbox": "1,2,3,x"}, "bbox"),
    ({"bbox": "1,2,3,nan"}, "bbox"), ({"bbox": "0,-91,1,1"}, "bbox"), ({"bbox": "0,0,9,1,1,8"}, "bbox"),
    ({"datetime": "2020-01-01"}, "datetime"), ({"datetime": "../.."}, "datetime"), ({"datetime": "/"}, "datetime"),
    ({"datetime": "2020-01-02T00:00:00Z/2020-01-01T00:00:00Z"}, "datetime"),
    ({"datetime": "2020-13-01T00:00:00Z"}, "datetime"), ({"datetime": "2020-01-01T00:00:00"}, "datetime"),
    ({"limit": "0"}, "limit"), ({"limit": "x"}, "limit"), ({"sortby": "," * 3 + ",".join("abcdefghi")}, "sortby"),
    ({"token": "x"}, "token"), ({"token": "[1]"}, "token"), ({"token": '["a","b"]'}, "token"),
    ({"datetiem": "2020"}, "datetiem"), ({"q": ["a", "b"], "limit": ["1", "2"]}, "limit"),
])
def test_wrong_queries_of_collections(stac, query, name):
    document = get(stac + "/collections", 400, **query)
    assert document["code"] == "QueryParameterInvalid" and f'"{name}"' in document["description"]


def test_errors_are_told_as_stac_wants(stac):
    assert set(get(stac + "/nothing", 404)) == {"id", "code", "description"}
    assert get(stac + "/collections/none", 404)["code"] == "CollectionNotFound"
    assert get(stac + "/collections/none/queryables", 404)["code"] == "CollectionNotFound"
    answer = requests.post(stac + "/conformance", timeout=30)
    assert answer.status_code == 405 and "GET" in answer.headers["Allow"]
    assert answer.json()["code"] == "MethodNotAllowed" and "GET" in answer.json()["description"]
    preflight = requests.options(stac + "/collections", timeout=30)
    assert preflight.status_code == 204 and "If-Match" in preflight.headers["Access-Control-Allow-Headers"]


def test_queryables(stac):
    of_all = get(stac + "/queryables")
    assert {"id", "collection", "geometry", "datetime"} <= set(of_all["properties"])
    of_one = get(stac + "/collections/api_north/queryables")
    assert of_one["$id"] == stac + "/collections/api_north/queryables" and "datetime" in of_one["properties"]


# ---- items -----------------------------------------------------------------------------------------------------------

COUNT = 23
FIRST = datetime.date(2021, 3, 1)


@pytest.fixture(scope="module")
def items(stac, data, tmp_path_factory):
    """A scene a day in two collections by turns, each a degree further east; their ids in order."""
    ids = []
    for part in range(2):
        folder = tmp_path_factory.mktemp("items")
        for i in range(part, COUNT, 2):
            day = FIRST + datetime.timedelta(days=i)
            with rasterio.open(folder / f"day_{day:%Y%m%d}_B04.tif", "w", driver="GTiff", dtype="uint8", count=1,
                               height=4, width=4, crs="EPSG:4326",
                               transform=from_origin(-10.5 + i, 30, .25, .25)) as file:
                file.write(np.ones((4, 4), "uint8"), 1)
        twincube("catalogue", "add", "--data", data, "--id", f"turn{part}", folder)
    for i in range(COUNT):
        ids.append(f"day_{FIRST + datetime.timedelta(days=i):%Y%m%d}")
    return ids


def search(stac, method, **query):
    """All features of a search by GET or POST, page by page; each page is as long as it says."""
    if method == "GET":
        flat = {k: ",".join(map(str, v)) if isinstance(v, list) else json.dumps(v) if isinstance(v, dict) else v
                for k, v in query.items()}
        answer = requests.get(stac + "/search", params=flat, timeout=30)
    else:
        answer = requests.post(stac + "/search", json=query, timeout=30)
    features = []
    while True:
        assert answer.status_code == 200, answer.text[:400]
        assert answer.headers["Content-Type"] == "application/geo+json"
        page = answer.json()
        assert page["numberReturned"] == len(page["features"]) <= query.get("limit", 10)
        features += page["features"]
        following = [entry for entry in page["links"] if entry["rel"] == "next"]
        if not following:
            return features
        assert following[0]["method"] == method
        answer = requests.request(method, following[0]["href"], json=following[0].get("body"), timeout=30)


def numbers(items, features):
    return [items.index(f["id"]) for f in features]


BOTH = ["turn0", "turn1"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("query", "expected"), [
    ({}, list(range(COUNT))), ({"limit": 3}, list(range(COUNT))), ({"limit": 10000}, list(range(COUNT))),
    ({"collections": ["turn1"]}, list(range(1, COUNT, 2))), ({"collections": ["none"]}, []),
    ({"ids": ["day_20210301", "day_20210304", "nobody"]}, [0, 3]),
    ({"bbox": [-8.4, 28, -5.6, 31]}, [2, 3, 4]), ({"bbox": [-8.4, 28, 0, -5.6, 31, 9000]}, [2, 3, 4]),
    ({"bbox": [170, 0, -8.6, 40], "limit": 1}, [0, 1]),
    ({"bbox": [-180, -90, 180, 90], "limit": 5}, list(range(COUNT))),
    ({"datetime": "2021-03-05T00:00:00Z"}, [4]), ({"datetime": "2021-03-20T00:00:00Z/.."}, [19, 20, 21, 22]),
    ({"datetime": "../2021-03-02T00:00:00.000Z", "limit": 1}, [0, 1]), ({"datetime": "2022-01-01T00:00:00Z/.."}, []),
    ({"intersects": {"type": "Point", "coordinates": [-7.8, 29.5]}}, [2]),
    ({"intersects": {"type": "LineString", "coordinates": [[-10.4, 29.9], [-7.6, 29.1]]}}, [0, 1, 2]),
    ({"intersects": {"type": "Polygon", "coordinates": [[[-9, 20], [-6.1, 40], [-9, 40], [-9, 20]]]}}, [1, 2]),
    ({"bbox": [-8.4, 28, -5.6, 31], "datetime": "2021-03-04T00:00:00Z/..", "collections": ["turn0"]}, [4]),
])
def test_items_are_searched(stac, items, method, query, expected):
    query = {"collections": BOTH, **query}
    features = search(stac, method, **query)
    assert numbers(items, features) == expected[::-1]  # the newest first
    assert sorted(numbers(items, search(stac, method, sortby=[{"field": "id"}] if method == "POST" else "id",
                                        **query))) == expected


@pytest.mark.parametrize(("sort", "key"), [
    ("+datetime", lambda i: i), ("-properties.datetime", lambda i: -i), ("id", lambda i: i),
    ("collection,-id", lambda i: (i % 2, -i)), ("-collection,datetime", lambda i: (-(i % 2), i)),
])
def test_items_are_sorted(stac, items, sort, key):
    features = search(stac, "GET", collections=BOTH, sortby=sort, limit=4)
    assert numbers(items, features) == sorted(range(COUNT), key=key)
    keys = [{"field": name.lstrip("+-"), "direction": "desc" if name[0] == "-" else "asc"} for name in sort.split(",")]
    assert search(stac, "POST", collections=BOTH, sortby=keys, limit=7) == features


def test_an_item_leads_home(stac, items):
    (feature,) = search(stac, "GET", ids=[items[5]])
    item = pystac.Item.from_dict(feature)
    assert item.collection_id == "turn1" and feature["bbox"] == pytest.approx([-5.5, 29, -4.5, 30])
    (own,), (collection,) = links(feature, "self"), links(feature, "collection")
    answer = requests.get(own, timeout=30)
    assert answer.json() == feature and answer.headers["ETag"].strip('"')
    assert links(get(collection), "items") == [f"{stac}/collections/turn1/items"]
    assert links(feature, "root") == [stac + "/"]
    assert answer.headers["ETag"] == requests.get(own, timeout=30).headers["ETag"]


def test_items_of_a_collection(stac, items):
    url, seen = f"{stac}/collections/turn0/items?limit=5&datetime=2021-03-03T00:00:00Z/..", []
    while url:
        page = get(url)
        seen += page["features"]
        url = next(iter(links(page, "next")), None)
    assert numbers(items, seen) == list(range(2, COUNT, 2))[::-1]
    assert get(f"{stac}/collections/turn0/items", 400, collections="turn1")["code"] == "QueryParameterInvalid"
    assert get(f"{stac}/collections/none/items", 404)["code"] == "CollectionNotFound"
    assert get(f"{stac}/collections/turn0/items/day_20210302", 404)["code"] == "NotFound"
    assert get(f"{stac}/collections/none/items/x", 404)["code"] == "CollectionNotFound"


def test_what_is_matched_is_counted(stac, items):
    assert get(stac + "/search", collections="turn0,turn1", limit=1)["numberMatched"] == COUNT
    assert get(stac + "/search", collections="turn0", limit=1)["numberMatched"] == (COUNT + 1) // 2


@pytest.mark.parametrize(("given", "expected"), [
    ("id,properties.datetime", {"id", "type", "stac_version", "collection", "properties"}),
    ("-geometry,-links,-assets", {"type", "stac_version", "id", "collection", "bbox", "properties"}),
    ("+bbox,-properties", {"id", "type", "stac_version", "collection", "bbox"}),
])
def test_fields_of_items(stac, items, given, expected):
    (feature,) = search(stac, "GET", ids=[items[3]], fields=given)
    assert set(feature) == expected
    names = given.split(",")
    fields = {"include": [n.lstrip("+") for n in names if n[0] != "-"],
              "exclude": [n[1:] for n in names if n[0] == "-"]}
    fields = {name: paths for name, paths in fields.items() if paths}
    assert search(stac, "POST", ids=[items[3]], fields=fields) == [feature]


def test_fields_by_default(stac, items):
    (feature,) = search(stac, "POST", ids=items[3], fields={})
    (less,) = search(stac, "POST", ids=[items[3]], fields={"include": None, "exclude": ["bbox"]})
    assert set(feature) - set(less) == {"bbox"} and list(feature["properties"]) == ["datetime"]
    assert feature["links"] and "geometry" in feature


@pytest.mark.parametrize(("text", "tree", "expected"), [
    ("id = 'day_20210304'", {"op": "=", "args": [{"property": "id"}, "day_20210304"]}, [3]),
    ("id LIKE 'day_2021030%' AND collection = 'turn1'", {"op": "and", "args": [
        {"op": "like", "args": [{"property": "id"}, "day_2021030%"]},
        {"op": "=", "args": [{"property": "collection"}, "turn1"]}]}, [1, 3, 5, 7]),
    ("datetime >= TIMESTAMP('2021-03-22T00:00:00Z') OR NOT datetime > DATE('2021-03-02')", {"op": "or", "args": [
        {"op": ">=", "args": [{"property": "datetime"}, {"timestamp": "2021-03-22T00:00:00Z"}]},
        {"op": "not", "args": [{"op": ">", "args": [{"property": "datetime"}, {"date": "2021-03-02"}]}]}]},
     [0, 1, 21, 22]),
    ("S_INTERSECTS(geometry, BBOX(-8.4, 28, -5.6, 31))", {"op": "s_intersects", "args": [
        {"property": "geometry"}, {"bbox": [-8.4, 28, -5.6, 31]}]}, [2, 3, 4]),
    ("CASEI(id) IN (CASEI('DAY_20210301'), CASEI('Day_20210305'))", {"op": "in", "args": [
        {"op": "casei", "args": [{"property": "id"}]},
        [{"op": "casei", "args": ["DAY_20210301"]}, {"op": "casei", "args": ["Day_20210305"]}]]}, [0, 4]),
    ("nothing IS NULL AND id BETWEEN 'day_20210309' AND 'day_20210310'", {"op": "and", "args": [
        {"op": "isNull", "args": [{"property": "nothing"}]},
        {"op": "between", "args": [{"property": "id"}, "day_20210309", "day_20210310"]}]}, [8, 9]),
])
def test_filters(stac, items, text, tree, expected):
    for limit in (1, 100):
        found = [search(stac, "GET", collections=BOTH, filter=text, limit=limit),
                 search(stac, "GET", collections=BOTH, filter=tree, limit=limit),
                 search(stac, "POST", collections=BOTH, filter=tree, limit=limit, **{"filter-lang": "cql2-json"}),
                 search(stac, "POST", collections=BOTH, filter=text, limit=limit, **{"filter-lang": "cql2-text"})]
        assert [sorted(numbers(items, features)) for features in found] == [expected] * 4
    counts = get(stac + "/aggregate", collections="turn0,turn1", filter=text)
    assert counted(counts, "total_count") == len(expected)
    own = get(stac + "/collections/turn1/items", filter=text, limit=100)["features"]
    assert sorted(numbers(items, own)) == [i for i in expected if i % 2]


@pytest.mark.parametrize(("query", "expected"), [
    ({"id": {"eq": "day_20210304"}}, [3]), ({"id": {"neq": "day_20210304"}, "collection": {"eq": "turn1"}},
                                            [i for i in range(1, COUNT, 2) if i != 3]),
    ({"id": {"startsWith": "day_2021030", "endsWith": "5"}}, [4]),
    ({"id": {"contains": "y_2021031"}}, list(range(9, 19))),
    ({"id": {"in": ["day_20210301", "day_20210302"]}}, [0, 1]), ({"id": {"lt": "day_20210303"}}, [0, 1]),
    ({"id": {"gte": "day_20210322", "lte": "day_20210322"}}, [21]), ({"id": {"contains": "%"}}, []),
])
def test_the_query_extension(stac, items, query, expected):
    for method in ("GET", "POST"):
        assert sorted(numbers(items, search(stac, method, collections=BOTH, query=query))) == expected
    both = search(stac, "POST", collections=BOTH, query=query, filter={"op": "=", "args": [{"property": "collection"},
                                                                                          "turn0"]})
    assert sorted(numbers(items, both)) == [i for i in expected if i % 2 == 0]


@pytest.mark.parametrize(("body", "code", "name"), [
    ({"filter": "id ="}, "FilterInvalid", "filter"),
    ({"filter": {"op": "guess", "args": []}}, "FilterInvalid", "filter"),
    ({"filter": {}}, "FilterInvalid", "filter"), ({"filter": "x", "filter-lang": "sql"}, "QueryParameterInvalid",
                                                  "filter-lang"),
    ({"filter": {"op": "=", "args": [1, 1]}, "filter-lang": "cql2-text"}, "QueryParameterInvalid", "filter"),
    ({"filter": "id = 'a'", "filter-crs": "EPSG:4326"}, "QueryParameterInvalid", "filter-crs"),
    ({"query": {"id": {"like": "x"}}}, "QueryParameterInvalid", "query"),
    ({"query": 5}, "QueryParameterInvalid", "query"),
    ({"query": {"id": 5}}, "QueryParameterInvalid", "query"), ({"query": {"id": {"in": 5}}}, "QueryParameterInvalid",
                                                               "query"),
    ({"query": {"id": {"contains": 5}}}, "QueryParameterInvalid", "query"),
    ({"filter": "(" * 10000 + "id = 'a'" + ")" * 10000}, "FilterInvalid", "filter"),
])
def test_wrong_filters(stac, body, code, name):
    answer = requests.post(stac + "/search", json=body, timeout=30)
    assert answer.status_code == 400 and answer.json()["code"] == code, answer.text
    assert f'"{name}"' in answer.json()["description"]


POINT = {"type": "Point", "coordinates": [0, 0]}


@pytest.mark.parametrize(("body", "name"), [
    ({"bbox": [1, 2, 3]}, "bbox"), ({"bbox": "1,2,3,4"}, "bbox"), ({"bbox": [1, 9, 3, 4]}, "bbox"),
    ({"datetime": "2020-01-01"}, "datetime"), ({"datetime": 2020}, "datetime"), ({"limit": 0}, "limit"),
    ({"limit": "5"}, "limit"), ({"limit": 1.5}, "limit"), ({"ids": 5}, "ids"), ({"ids": [1]}, "ids"),
    ({"collections": {"a": 1}}, "collections"), ({"intersects": "POINT(0 0)"}, "intersects"),
    ({"intersects": {"type": "Blob"}}, "intersects"), ({"intersects": POINT, "bbox": [0, 0, 1, 1]}, "intersects"),
    ({"intersects": {"type": "Point", "coordinates": "x"}}, "intersects"), ({"sortby": ["id"]}, "sortby"),
    ({"sortby": [{"field": "id", "direction": "up"}]}, "sortby"), ({"sortby": "id"}, "sortby"),
    ({"fields": ["id"]}, "fields"), ({"fields": None}, "fields"),
    ({"fields": {"include": [1]}}, "fields"), ({"token": "x"}, "token"),
    ({"token": "!"}, "token"), ({"token": 5}, "token"), ({"nobody": 1}, "nobody"),
])
def test_wrong_searches(stac, body, name):
    answer = requests.post(stac + "/search", json=body, timeout=30)
    assert answer.status_code == 400 and answer.json()["code"] == "QueryParameterInvalid", answer.text
    assert f'"{name}"' in answer.json()["description"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"ids":[}', '{"bbox":[1e999,0,1,1]}', '{"a":' * 2000, '"x"'])
def test_bodies_that_are_none(stac, text):
    answer = requests.post(stac + "/search", data=text, timeout=30)
    assert answer.status_code == 400 and answer.json()["code"] in ("RequestBodyInvalid", "QueryParameterInvalid")


def test_a_long_body_is_refused(stac):
    answer = requests.post(stac + "/search", json={"ids": ["x" * 1000] * 2000}, timeout=30)
    assert answer.status_code == 413 and answer.json()["code"] == "ContentTooLarge"


def test_pages_while_the_catalogue_changes(stac, items, data, tmp_path):
    """Every item that stays is seen once, whatever is added, replaced and removed between pages."""
    twincube("catalogue", "add", "--data", data, "--id", "changing", shared_scene(tmp_path / "a", "2021-03-10"))
    page = get(stac + "/search", collections="turn0,turn1,changing", limit=6)
    seen = page["features"]
    for turn in range(3):
        if turn == 0:
            twincube("catalogue", "remove", "--data", data, "changing")
        if turn == 1:
            twincube("catalogue", "add", "--data", data, "--id", "changing", shared_scene(tmp_path / "b", "2021-03-22"))
        page = get(links(page, "next")[0])
        seen += page["features"]
    steady = [f["id"] for f in seen if f["collection"] != "changing"]
    assert steady == items[::-1][:len(steady)] and len(steady) >= COUNT - 1


def shared_scene(folder, day):
    folder.mkdir()
    with rasterio.open(folder / f"extra_{day.replace('-', '')}_B04.tif", "w", driver="GTiff", dtype="uint8", count=1,
                       height=2, width=2, crs="EPSG:4326", transform=from_origin(0, 1, .5, .5)) as file:
        file.write(np.ones((2, 2), "uint8"), 1)
    return folder


def test_pystac_client_searches(stac, items):
    client = pystac_client.Client.open(stac)
    for method in ("GET", "POST"):
        hits = client.search(method=method, collections=BOTH, bbox=[-8.4, 28, -5.6, 31], datetime="2021-03", limit=2,
                             sortby="-id")
        assert [items.index(item.id) for item in hits.items()] == [4, 3, 2] and hits.matched() == 3
        hits = client.search(method=method, collections=BOTH, max_items=7, limit=3)
        assert len(hits.item_collection()) == 7
    assert client.get_collection("turn0").get_item(items[2]).id == items[2]
    assert len(list(client.get_collection("turn1").get_items())) == COUNT // 2


# ---- aggregations ----------------------------------------------------------------------------------------------------


def counted(document, name):
    (entry,) = [a for a in document["aggregations"] if a["name"] == name]
    return {b["key"]: b["frequency"] for b in entry["buckets"]} if "buckets" in entry else entry["value"]


def geohash(longitude, latitude, precision):
    """The cell's name, bit by bit: the places of the cells' numbers along both axes, interleaved."""
    bits = [int((longitude + 180) / 360 * 2**32), int((latitude + 90) / 180 * 2**32)]
    text = "".join(f"{bits[0]:032b}"[i] + f"{bits[1]:032b}"[i] for i in range(32))
    return "".join("0123456789bcdefghjkmnpqrstuvwxyz"[int(text[5 * i:5 * i + 5], 2)] for i in range(precision))


def test_aggregations(stac, items):
    offered = get(stac + "/aggregations")["aggregations"]
    names = [a["name"] for a in offered]
    assert {"total_count", "datetime_min", "datetime_max", "collection_frequency"} <= set(names)
    found = get(stac + "/aggregate", collections="turn0,turn1", aggregations=",".join(names),
                grid_geohash_frequency_precision=4)
    assert [a["name"] for a in found["aggregations"]] == names
    assert counted(found, "total_count") == COUNT
    assert counted(found, "collection_frequency") == {"turn0": 12, "turn1": 11}
    assert counted(found, "datetime_min") == "2021-03-01T00:00:00Z"
    assert counted(found, "datetime_max") == "2021-03-23T00:00:00Z"
    assert counted(found, "datetime_frequency") == {"2021-03-01T00:00:00Z": COUNT}
    assert counted(found, "datetime_year_frequency") == {"2021-01-01T00:00:00Z": COUNT}
    cells = [geohash(-10 + i, 29.5, 4) for i in range(COUNT)]
    assert counted(found, "grid_geohash_frequency") == {cell: cells.count(cell) for cell in cells}
    assert requests.post(stac + "/aggregate", timeout=30, json={"collections": BOTH, "aggregations": names,
                         "grid_geohash_frequency_precision": 4}).json()["aggregations"] == found["aggregations"]


def test_aggregations_of_a_search(stac, items):
    found = get(stac + "/aggregate", bbox="-8.4,28,-5.6,31", collections="turn0,turn1")
    assert [a["name"] for a in found["aggregations"]] == ["total_count"] and counted(found, "total_count") == 3
    found = get(stac + "/collections/turn1/aggregate", datetime="2021-03-20T00:00:00Z/..",
                aggregations="collection_frequency,datetime_min")
    assert counted(found, "collection_frequency") == {"turn1": 2}
    assert counted(found, "datetime_min") == "2021-03-20T00:00:00Z"
    none = get(stac + "/aggregate", collections="none", aggregations="total_count,datetime_min,datetime_frequency")
    assert [a.get("value", a.get("buckets")) for a in none["aggregations"]] == [0, None, []]
    assert get(stac + "/collections/turn1/aggregations")["links"][0]["href"].endswith("turn1/aggregations")
    assert get(stac + "/collections/none/aggregate", 404)["code"] == "CollectionNotFound"
    assert '"aggregations"' in get(stac + "/aggregate", 400, aggregations="sum")["description"]
    assert "precision" in get(stac + "/aggregate", 400, grid_geohash_frequency_precision=13)["description"]
    assert '"limit"' in get(stac + "/aggregate", 400, limit=1)["description"]


# ---- for harvesters --------------------------------------------------------------------------------------------------


def test_dcat(stac, running):
    answer = requests.get(running.url + "/dcat", timeout=30)
    assert answer.headers["Content-Type"] == "application/ld+json"
    catalogue = answer.json()
    assert catalogue["@type"] == "dcat:Catalog" and catalogue["dct:publisher"]["foaf:name"]
    (north,) = [d for d in catalogue["dcat:dataset"] if d["dct:identifier"] == "api_north"]
    assert north["@id"] == stac + "/collections/api_north" and north["dct:title"] == "Scenes of north"
    assert shapely.from_wkt(north["dct:spatial"]["dcat:bbox"]["@value"]).bounds == (10, 58, 12, 60)
    (pacific,) = [d for d in catalogue["dcat:dataset"] if d["dct:identifier"] == "api_pacific"]
    shape = shapely.from_wkt(pacific["dct:spatial"]["dcat:bbox"]["@value"])
    assert shape.is_valid and shape.area == pytest.approx(4) and shape.bounds == (-180, -2, 180, 0)
    assert north["dct:temporal"]["dcat:startDate"]["@value"] == "2021-01-01T00:00:00Z"
    assert requests.get(north["dcat:distribution"][0]["dcat:accessURL"]["@id"], timeout=30).status_code == 200


def test_opensearch(stac, items):
    root = ElementTree.fromstring(requests.get(stac + "/opensearch.xml", timeout=30).content)
    templates = [e.get("template") for e in root.iter() if e.tag.endswith("}Url")]
    filled = [re.sub(r"\{time:start\}", "2021-03-22T00:00:00Z", t).replace("{eo:parentIdentifier?}", "turn0,turn1")
              for t in templates]
    answers = [get(re.sub(r"\{[a-zA-Z:]+\?\}", "", t)) for t in filled]
    assert answers[0]["collections"] and len(answers[1]["features"]) == 10
    assert numbers(items, answers[2]["features"]) == [22, 21]


def test_pystac_client_reads_the_catalogue(stac):
    client = pystac_client.Client.open(stac)
    assert client.conforms_to("CORE") and client.conforms_to("COLLECTIONS")
    collection = client.get_collection("api_south")
    assert isinstance(collection, pystac.Collection) and collection.extent.spatial.bboxes[0] == [20, -42, 22, -40]
    assert set(PLACES) <= {c.id for c in client.get_collections()}
    hits = client.collection_search(q="probe", bbox=[9, 50, 12, 62])
    assert [c.id for c in hits.collections()] == ["api_north"]
