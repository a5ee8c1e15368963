"""The STAC API at /stac, seen by pystac-client and by plain requests: what is found against what was written."""

import json

import numpy as np
import pystac
import pystac_client
import pytest
import rasterio
import requests
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
    assert set(one) == {"type", "id", "title", "extent"} and list(one["extent"]) == ["spatial"]
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


def test_pystac_client_reads_the_catalogue(stac):
    client = pystac_client.Client.open(stac)
    assert client.conforms_to("CORE") and client.conforms_to("COLLECTIONS")
    collection = client.get_collection("api_south")
    assert isinstance(collection, pystac.Collection) and collection.extent.spatial.bboxes[0] == [20, -42, 22, -40]
    assert set(PLACES) <= {c.id for c in client.get_collections()}
    hits = client.collection_search(q="probe", bbox=[9, 50, 12, 62])
    assert [c.id for c in hits.collections()] == ["api_north"]
