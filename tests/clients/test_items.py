"""Items of collections: pages, boxes and intervals against what was written, links that lead where they say."""

import datetime
import json

import numpy as np
import pystac
import pytest
import rasterio
import requests
from rasterio.transform import from_origin

from conftest import twincube

COUNT = 25
FIRST = datetime.date(2022, 1, 1)


@pytest.fixture(scope="module")
def items(running, data, tmp_path_factory):
    """Scenes of COUNT days from west to east, in folders, in an id with a slash; the address of their list."""
    folder = tmp_path_factory.mktemp("items")
    for i in range(COUNT):
        path = folder / f"part {i % 3}" / f"s_{FIRST + datetime.timedelta(days=i):%Y%m%d}_B04.tif"
        path.parent.mkdir(exist_ok=True)
        with rasterio.open(path, "w", driver="GTiff", dtype="uint8", count=1, height=4, width=4, crs="EPSG:4326",
                           transform=from_origin(10 + i, 50, .25, .25)) as file:
            file.write(np.ones((4, 4), "uint8"), 1)
    twincube("catalogue", "add", "--data", data, "--id", "with/slash", folder)
    return f"{running.api}/collections/with/slash/items"


def get(url, status=200, **query):
    answer = requests.get(url, params=query, timeout=30)
    assert answer.status_code == status, answer.text[:400]
    return answer.json()


def link(document, relation):
    found = [entry["href"] for entry in document["links"] if entry["rel"] == relation]
    return found[0] if found else None


def days(features):
    return [(datetime.date.fromisoformat(f["properties"]["datetime"][:10]) - FIRST).days for f in features]


def every(url, **query):
    features, page = [], get(url, **query)
    while True:
        features += page["features"]
        assert page["numberReturned"] == len(page["features"])
        following = link(page, "next")
        if not following:
            return features
        page = get(following)


@pytest.mark.parametrize("limit", [None, 1, 7, 24, 25, 26, 100000])
def test_pages(items, limit):
    found = every(items, **({"limit": limit} if limit else {}))
    assert days(found) == list(range(COUNT)) and len({f["id"] for f in found}) == COUNT


def test_an_item_is_stac_and_leads_home(items, running):
    answer = requests.get(items, timeout=30)
    assert answer.headers["Content-Type"] == "application/geo+json" and answer.json()["type"] == "FeatureCollection"
    for feature in answer.json()["features"][:3]:
        west = 10 + days([feature])[0]
        assert feature["bbox"] == pytest.approx([west, 49, west + 1, 50])
        item = pystac.Item.from_dict(feature)
        assert item.collection_id == "with/slash" and item.geometry["type"] == "Polygon"
        assert get(link(feature, "self")) == feature
        assert get(link(feature, "collection"))["id"] == "with/slash"
    collection = get(f"{running.api}/collections/with/slash")
    assert link(collection, "items") == items
    assert "{item_id}" in json.dumps(get(running.api + "/")["endpoints"])


@pytest.mark.parametrize(("bbox", "expected"), [
    ("12.5,49.2,14.5,49.8", [2, 3, 4]), ("12.5,49.2,0,14.5,49.8,100", [2, 3, 4]), ("0,0,5,5", []),
    ("-180,-90,180,90", list(range(COUNT))), ("33.5,40,34.5,60", [23, 24]), ("170,40,11.5,60", [0, 1]),
    ("373.5,49.5,374.5,49.6", [3, 4]), ("20,50.5,30,60", []),
])
def test_boxes(items, bbox, expected):
    if float(bbox.split(",")[0]) > 360:
        get(items, 400, bbox=bbox)
    else:
        assert days(every(items, bbox=bbox)) == expected
        assert days(every(items, bbox=bbox, limit=2)) == expected


@pytest.mark.parametrize(("interval", "expected"), [
    ("2022-01-05T00:00:00Z", [4]), ("2022-01-05", [4]), ("2022-01-05T00:00:00Z/2022-01-07T00:00:00Z", [4, 5, 6]),
    ("2022-01-05/2022-01-06", [4, 5]), ("../2022-01-02T12:00:00Z", [0, 1]), ("/2022-01-01", [0]),
    ("2022-01-24/..", [23, 24]), ("2022-01-24T00:00:00Z/", [23, 24]), ("2023-01-01/..", []),
])
def test_intervals(items, interval, expected):
    assert days(every(items, datetime=interval)) == expected
    assert days(every(items, datetime=interval, limit=1)) == expected
    both = every(items, datetime=interval, bbox="14.5,49,15.5,50", limit=1)
    assert days(both) == [i for i in expected if i in (4, 5)]


@pytest.mark.parametrize("query", [
    {"bbox": "1,2,3"}, {"bbox": "1,2,3,x"}, {"bbox": "1,5,3,4"}, {"bbox": "nan,1,2,3"}, {"bbox": "1,2,3,4,5,6,7"},
    {"bbox": "0,-91,1,1"}, {"datetime": "yesterday"}, {"datetime": "../.."}, {"datetime": "/"},
    {"datetime": "2022-01-02/2022-01-01"}, {"limit": 0}, {"limit": "x"}, {"token": "x"},
    {"token": "bix0MTox"}, {"token": "a" * 20000}, {"bbox": "1,2," + "0" * 400},
])
def test_wrong_queries(items, query):
    assert get(items, 400, **query)["code"] == "QueryParameterInvalid"


def test_what_is_not_there(items, running):
    assert get(items + "/no%20such", 404)["code"] == "NotFound"
    assert get(f"{running.api}/collections/none/items", 404)["code"] == "CollectionNotFound"
    assert get(f"{running.api}/collections/none/items/x", 404)["code"] == "CollectionNotFound"


def test_properties_of_the_source_stay(running, data, tmp_path):
    raster = tmp_path / "a.tif"
    with rasterio.open(raster, "w", driver="GTiff", dtype="uint8", count=1, height=2, width=2, crs="EPSG:32601",
                       transform=from_origin(150000, 200000, 50000, 50000)) as file:
        file.write(np.ones((2, 2), "uint8"), 1)
    times = {"datetime": None, "start_datetime": "2022-01-01T00:00:00Z", "end_datetime": "2022-02-01T00:00:00Z"}
    (tmp_path / "item.json").write_text(json.dumps({
        "type": "Feature", "stac_version": "1.0.0", "id": "a/b?c", "geometry": None, "links": [],
        "properties": {**times, "eo:cloud_cover": 12.5, "nested": {"a": [1, None]}},
        "assets": {"red": {"href": "a.tif", "roles": ["data"]}}}))
    twincube("catalogue", "add", "--data", data, "--id", "proper", tmp_path / "item.json")
    (feature,) = every(f"{running.api}/collections/proper/items")
    assert feature["properties"] == {**times, "eo:cloud_cover": 12.5, "nested": {"a": [1, None]}}
    assert feature["bbox"][0] > 170 and feature["bbox"][2] < -170 and feature["geometry"]["type"] == "MultiPolygon"
    assert get(link(feature, "self")) == feature
    assert every(f"{running.api}/collections/proper/items", bbox="0,-5,10,5") == []
    assert len(every(f"{running.api}/collections/proper/items", bbox="179.5,-5,180,5")) == 1
    assert len(every(f"{running.api}/collections/proper/items", bbox="-180,-5,-179.5,5")) == 1


def test_the_python_client_lists_items(items, connection):
    found = connection.collection_items("with/slash", spatial_extent=[12.5, 49.2, 14.5, 49.8],
                                        temporal_extent=["2022-01-01", "2022-01-04"], limit=1)
    assert sorted(days([feature for page in found for feature in page["features"]])) == [2, 3]
