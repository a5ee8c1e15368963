"""Searches of many items, whichever way the index takes, against a look at all of them; older catalogues."""

import datetime
import json
import random
import signal
import sqlite3
import subprocess

import numpy as np
import pytest
import rasterio
import requests
import xarray
from rasterio.transform import from_origin

from conftest import BINARY, twincube
from test_stored_items import counted_months, months

COUNT = 600
NAMES = "DATED", "UNDATED", "CUBE"  # the last: a netCDF file over the antimeridian
FIRST = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
VERSION_4 = "DROP TABLE private_collections; PRAGMA user_version = 4;"
VERSION_3 = """
DROP TABLE item_boxes; DROP INDEX items_date; DROP INDEX items_id; DROP INDEX collections_extent;
ALTER TABLE items ADD COLUMN properties TEXT; ALTER TABLE items ADD COLUMN document TEXT;
UPDATE items SET properties = (SELECT properties FROM documents WHERE key = items.key),
  document = (SELECT substr(json, 2, length(json) - 14) FROM documents WHERE key = items.key);
DROP TABLE documents;
ALTER TABLE items DROP COLUMN first; ALTER TABLE items DROP COLUMN last;
ALTER TABLE collections DROP COLUMN stored; ALTER TABLE collections DROP COLUMN span;
CREATE INDEX items_date ON items (collection, instant, key, west, south, east, north);
CREATE INDEX items_id ON items (collection, id);
CREATE VIRTUAL TABLE item_boxes USING rtree (item, west, east, south, north, collection_low, collection_high,
  first, last);
PRAGMA user_version = 3;
"""
VERSION_2 = """
DROP TABLE item_boxes; DROP INDEX items_date; DROP INDEX items_id;
ALTER TABLE items DROP COLUMN west; ALTER TABLE items DROP COLUMN south; ALTER TABLE items DROP COLUMN east;
ALTER TABLE items DROP COLUMN north; ALTER TABLE items DROP COLUMN document;
CREATE INDEX items_instant ON items (collection, instant);
CREATE VIRTUAL TABLE item_boxes USING rtree (item, west, east, south, north, collection_low, collection_high);
PRAGMA user_version = 2;
"""


def write(path, crs, west, north, step):
    with rasterio.open(path, "w", driver="GTiff", dtype="uint8", count=1, height=2, width=2, crs=crs,
                       transform=from_origin(west, north, step, step)) as file:
        file.write(np.ones((2, 2), "uint8"), 1)


def write_items(folder, count, dated):
    """Scenes all over the globe, a third of them close together, some over the antimeridian."""
    places, features = random.Random(5), []
    for i in range(count):
        path = folder / f"s{i}.tif"
        if i % 50 == 7:
            write(path, f"EPSG:{32601 + 59 * (i % 2)}", 150000 if i % 2 == 0 else 800000, 200000 + 100 * i, 40000)
        elif not dated:
            write(path, "EPSG:4326", -170 + 15 * i, 40, .5)
        else:
            west = places.uniform(10, 12) if i % 3 == 0 else places.uniform(-179, 176)
            write(path, "EPSG:4326", west, places.uniform(44, 46) if i % 3 == 0 else places.uniform(-80, 80), .5)
        moment = FIRST + datetime.timedelta(hours=7 * places.randrange(count))
        date = {"datetime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"} if dated else {"datetime": None}
        features.append({"type": "Feature", "stac_version": "1.0.0", "id": f"é {i}/\"x\"", "geometry": None,
                         "links": [], "properties": {**date, "eo:cloud_cover": i / 10, "nested": [None, {"ü": i}]},
                         "assets": {"red": {"href": path.name, "roles": ["data"]}}})
    (folder / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return folder / "items.json"


class Server:
    def __init__(self, data):
        self.process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.url = self.process.stdout.readline().strip().rstrip("/")

    def get(self, address, **query):
        answer = requests.get(address if "://" in address else self.url + address, params=query, timeout=30)
        assert answer.status_code == 200, answer.text[:400]
        return answer.json()

    def every(self, collection, **query):
        features, page = [], self.get(f"/openeo/1.2/collections/{collection}/items", **query)
        while True:
            features += page["features"]
            following = [entry["href"] for entry in page["links"] if entry["rel"] == "next"]
            assert len(page["features"]) == page["numberReturned"] <= query["limit"]
            assert not following or len(page["features"]) == query["limit"]
            if not following:
                return features
            page = self.get(following[0])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0
        self.process.stdout.close()


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A server of its own, its data folder, and what it lists of dated and of undated items."""
    folder = tmp_path_factory.mktemp("search")
    for name, count, dated in ("DATED", COUNT, True), ("UNDATED", 20, False):
        (folder / name).mkdir()
        twincube("catalogue", "add", "--data", folder / "data", "--id", name,
                 write_items(folder / name, count, dated))
    xarray.Dataset({"d": (("time", "lat", "lon"), np.ones((2, 3, 4)))}, coords={
        "time": ("time", [0, 2], {"units": "days since 2020-01-01"}), "lat": [1., 2, 3],
        "lon": [170., 175, 180, 185]}).to_netcdf(folder / "cube.nc")
    twincube("catalogue", "add", "--data", folder / "data", "--id", "CUBE", folder / "cube.nc")
    server = Server(folder / "data")
    yield server, folder / "data", {name: server.every(name, limit=1000) for name in NAMES}
    server.stop()


def ranges(bbox):
    west, south, east, north = bbox
    return ([(west, east)] if west <= east else [(west, 180), (-180, east)]), south, north


def meet(a, b):
    (one, south, north), (other, low, high) = ranges(a), ranges(b)
    along = any(w <= e2 and w2 <= e for w, e in one for w2, e2 in other)
    touching = any(w in (-180, 180) for w, _ in one) or any(e in (-180, 180) for _, e in one)
    return along and south <= high and low <= north, touching


def test_any_box_and_interval(searched):
    server, _, whole = searched
    features, chance = whole["DATED"], random.Random(8)
    assert len(features) == COUNT and sum(f["bbox"][0] > f["bbox"][2] for f in features) > 3
    found = 0
    for trial in range(120):
        width, height = chance.choice([.01, 1, 20, 300]), chance.choice([.01, 1, 20, 170])
        west, south = chance.choice([chance.uniform(9.5, 12), chance.uniform(-179.9, 179.9)]), \
            chance.choice([chance.uniform(43, 46), chance.uniform(-89, 89)])
        east = west + width if west + width <= 180 else west + width - 360
        bbox = [west, south, east, min(south + height, 89.9)]
        start, end = sorted(chance.sample(range(7 * COUNT), 2))
        texts = [f"{FIRST + datetime.timedelta(hours=h):%Y-%m-%dT%H:%M:%SZ}" for h in (start, end)]
        query = {"bbox": ",".join(map(repr, bbox))} if trial % 3 else {}
        query |= {"datetime": "/".join(texts)} if trial % 4 else {}
        expected = [f for f in features
                    if ("bbox" not in query or meet(f["bbox"], bbox)[0])
                    and ("datetime" not in query or texts[0] <= f["properties"]["datetime"] <= texts[1])]
        assert server.every("DATED", limit=chance.choice([3, 40, 1000]), **query) == expected, query
        found += len(expected)
    assert found > 1000


def test_undated_items_are_of_any_time(searched):
    server, _, whole = searched
    assert len(whole["UNDATED"]) == 20
    assert server.every("UNDATED", limit=7, datetime="2020-01-01T00:00:00Z/..") == whole["UNDATED"]
    west, south, east, north = whole["UNDATED"][3]["bbox"]
    box = f"{west + .1},{south + .1},{east - .1},{north - .1}"
    assert whole["UNDATED"][3] in server.every("UNDATED", limit=7, bbox=box, datetime="1950-01-01T00:00:00Z/..")


def test_counts_by_month(searched):
    """Of instants, also in an interval; of what has no date only the number."""
    server, _, whole = searched
    dates = [feature["properties"]["datetime"] for feature in whole["DATED"]]
    assert len({date[:7] for date in dates}) > 5
    for low, high in ("2020-01-01T00:00:00Z", "2020-12-31T00:00:00Z"), ("2020-02-03T04:05:06Z", "2020-03-31T23:59:59Z"):
        kept = [{"collection": "DATED", "properties": {"datetime": date}} for date in dates if low <= date <= high]
        assert months(server.url + "/stac/aggregate", collections=["DATED"],
                      datetime=f"{low}/{high}") == counted_months(kept)
    dated = months(server.url + "/stac/aggregate", collections=["DATED"])
    both = months(server.url + "/stac/aggregate", collections=["DATED", "UNDATED"])
    assert dated[0] == COUNT and both == [COUNT + 20, *dated[1:3], {"DATED": COUNT, "UNDATED": 20}, *dated[4:]]


def test_an_item_by_its_name(searched):
    server, _, whole = searched
    for feature in whole["DATED"][::97] + whole["UNDATED"][::7]:
        (own,) = [entry["href"] for entry in feature["links"] if entry["rel"] == "self"]
        assert server.get(own) == feature


def lists_of(data):
    server = Server(data)
    try:
        return {name: [{**f, "links": None} for f in server.every(name, limit=1000)] for name in NAMES}
    finally:
        server.stop()


@pytest.mark.parametrize(("first", "version"), [("serve", 2), ("run", 2), ("serve", 3), ("run", 4)])
def test_a_catalogue_of_a_version_before_is_brought_up_to_date(searched, tmp_path, first, version):
    server, data, whole = searched
    with sqlite3.connect(data / "catalogue.sqlite") as now, sqlite3.connect(tmp_path / "catalogue.sqlite") as older:
        now.backup(older)
        older.executescript(VERSION_4 + (VERSION_3 if version < 4 else "") + (VERSION_2 if version == 2 else ""))
    now.close()
    older.close()
    if first == "run":  # a reader
        graph = {"load": {"process_id": "load_collection", "result": True, "arguments": {
            "id": "UNDATED", "spatial_extent": None, "temporal_extent": None}}}
        (tmp_path / "graph.json").write_text(json.dumps(graph))
        twincube("explain", tmp_path / "graph.json", "--data", tmp_path)
    expected = {name: [{**f, "links": None} for f in features] for name, features in whole.items()}
    assert [f["bbox"] for f in expected["CUBE"]] == [[167.5, .5, -172.5, 3.5]]
    assert lists_of(tmp_path) == expected
    older = sqlite3.connect(tmp_path / "catalogue.sqlite")
    assert older.execute("PRAGMA user_version").fetchone() == (5,)
    assert older.execute("SELECT count(*) FROM item_boxes").fetchone() == (COUNT + 20 + 1,)
    older.close()


def test_each_file_has_its_own_crs(searched, tmp_path):
    """Files of equal keys have one CRS, but where a file beside them says otherwise; others have their own."""
    names = [32632, 32632, 32633, 32632, 32732, 4326, 4326, 32632]
    (tmp_path / "crs").mkdir()
    for i, code in enumerate(names):
        west, north, step = (9, 5, .01) if code == 4326 else (500000, 5000000, 1000)
        write(tmp_path / "crs" / f"s_2020010{i + 1}_B1.tif", f"EPSG:{code}", west, north, step)
    (tmp_path / "crs" / "s_20200102_B1.tif.aux.xml").write_text(
        "<PAMDataset><SRS>EPSG:32635</SRS></PAMDataset>")
    names[1] = 32635
    twincube("catalogue", "add", "--data", searched[1], "--id", "CRS", tmp_path / "crs")
    features = searched[0].every("CRS", limit=10)
    for code, feature in zip(names, features, strict=True):
        zone, south = code % 100, code // 100 == 327
        west, low, *_ = feature["bbox"]
        assert west == pytest.approx(9 if code == 4326 else 6 * zone - 183, abs=1e-3)
        assert (low < -40 if south else low > 40) or code == 4326


@pytest.mark.parametrize(("method", "path"), [("GET", "/stac/search"), ("POST", "/stac/search"),
                                              ("GET", "/stac/collections/DATED/items")])
def test_links_lead_there_and_back(searched, method, path):
    server, _, _ = searched
    query = {"limit": 40} if method == "POST" else {"limit": 40, "sortby": "-eo:cloud_cover,+datetime"}

    def follow(page, rel):
        (link,) = [link for link in page["links"] if link["rel"] == rel]
        return requests.request(link["method"], link["href"], json=link.get("body"), timeout=30).json()

    def ids(page):
        return [feature["id"] for feature in page["features"]]

    first = requests.request(method, server.url + path, timeout=30, **{
        "json" if method == "POST" else "params": query}).json()
    second = follow(first, "next")
    third = follow(second, "next")
    assert ids(follow(third, "prev")) == ids(second) and ids(follow(second, "prev")) == ids(first)
    assert all(link["rel"] != "prev" for page in (first, follow(second, "prev")) for link in page["links"])
    assert ids(follow(follow(third, "prev"), "next")) == ids(third)
