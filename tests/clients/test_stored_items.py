"""Items that are stored as they came: loaded from lines, documents and static catalogues, found again by STAC's search
against a look at all of them, in pages that hold while the catalogue changes."""

import collections
import copy
import datetime
import json
import random
import subprocess

import numpy as np
import pytest
import rasterio
import requests
import shapely
import shapely.geometry
from rasterio.transform import from_origin

from conftest import BINARY, twincube

COLLECTIONS = "kept_a", "kept_b", "kept_c"
START = datetime.datetime(2020, 1, 1)
COUNT = 900


def text_of(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def make_item(i, chance):
    """Boxes of all kinds: over the antimeridian, with heights, none; shapes of all kinds; instants and intervals."""
    west, south = chance.uniform(-179, 178), chance.uniform(-80, 78)
    if i % 3 == 0:
        west, south = chance.uniform(10, 14), chance.uniform(40, 44)
    east, north = west + chance.uniform(.1, 2), south + chance.uniform(.1, 2)
    shape = [shapely.box(west, south, east, north),
             shapely.Polygon([(west, south), (east, south), ((west + east) / 2, north)]),
             shapely.LineString([(west, south), (east, north)]), shapely.MultiPoint([(west, south), (east, north)]),
             shapely.GeometryCollection([shapely.Point(west, south), shapely.LineString([(east, south),
                                                                                         (east, north)])])][i % 5]
    geometry, box = shapely.geometry.mapping(shape), [west, south, east, north]
    if i % 50 == 7:
        box = [179.5, south, -179, north]
        geometry = shapely.geometry.mapping(shapely.MultiPolygon([shapely.box(179.5, south, 180, north),
                                                                  shapely.box(-180, south, -179, north)]))
    if i % 50 == 8:
        box = [west, south, i, east, north, i + 10]
    moment = START + datetime.timedelta(hours=chance.randrange(600) * 24)
    times = {"datetime": text_of(moment)}
    if i % 20 == 3:
        times = {"datetime": None, "start_datetime": text_of(moment),
                 "end_datetime": text_of(moment + datetime.timedelta(days=chance.randrange(90)))}
    item = {"type": "Feature", "stac_version": ["1.0.0", "1.1.0"][i % 2], "id": f"é {i % 450}/\"{i // 450}\"",
            "collection": COLLECTIONS[i % 3], "geometry": geometry, "bbox": box,
            "properties": {**times, "rank": chance.choice([None, i % 7, i / 7, f"text {i % 3}"]),
                           "eo:cloud_cover": i % 11, "ours:unknown": [{"deep": [None, True, 1.10, "\u2028"]}]},
            "assets": {"data": {"href": f"s3://bucket/{i}.tif", "new:field": 12345678901234567}},
            "links": [{"rel": "derived_from", "href": f"https://example.com/{i}"}], "ours:member": {"a": [i]}}
    if i % 50 == 9:
        item["geometry"] = None
        del item["bbox"]
    return item


@pytest.fixture(scope="module")
def stored(running, data, tmp_path_factory):
    """The address of the search, and the items."""
    chance = random.Random(3)
    items = [json.loads(json.dumps(make_item(i, chance))) for i in range(COUNT)]
    path = tmp_path_factory.mktemp("stored") / "items.ndjson"
    path.write_text("".join(json.dumps(item, ensure_ascii=i % 2 == 0) + "\n" * (1 + i % 2)
                            for i, item in enumerate(items)), encoding="utf-8")
    assert twincube("catalogue", "load", "--data", data, path) == f"{COUNT} items\n"
    return running.url + "/stac/search", items


def ask(search, status=200, **query):
    answer = requests.post(search, json=query, timeout=30)
    assert answer.status_code == status, answer.text[:400]
    return answer.json()


def every(search, between=lambda: None, **query):
    """All features, page by page."""
    features, page = [], ask(search, **query)
    while True:
        features += page["features"]
        following = [link for link in page["links"] if link["rel"] == "next"]
        assert not following or len(page["features"]) == query.get("limit", 10)
        if not following:
            return features
        between()
        answer = requests.request(following[0]["method"], following[0]["href"], json=following[0].get("body"),
                                  timeout=30)
        assert answer.status_code == 200, answer.text
        page = answer.json()


def name(item):
    return item["collection"], item["id"]


def times(item):
    p = item["properties"]
    return p["datetime"] or p["start_datetime"], p["datetime"] or p["end_datetime"]


def boxes(item):
    box = item.get("bbox")
    if not box:
        return []
    half = len(box) // 2
    west, south, east, north = box[0], box[1], box[half], box[half + 1]
    return [(west, south, east, north)] if west <= east else [(west, south, 180, north), (-180, south, east, north)]


def in_order(items):
    """Latest first; ids decide, then the collections in the order in which they were made."""
    return sorted(items, key=lambda i: (times(i)[0], i["id"].encode(), COLLECTIONS.index(i["collection"])),
                  reverse=True)


def test_documents_come_back_as_they_were(stored):
    search, items = stored
    found = {name(f): f for f in every(search, collections=list(COLLECTIONS), limit=400)}
    assert len(found) == COUNT
    for item in items:
        feature = copy.deepcopy(found[name(item)])
        links = feature.pop("links")
        assert feature == {k: v for k, v in item.items() if k != "links"}
        assert {"self", "root", "collection"} <= {link["rel"] for link in links}


def test_any_search(stored):
    search, items = stored
    chance, total = random.Random(4), 0
    for trial in range(70):
        query, kept = {"collections": chance.sample(COLLECTIONS, 1 + trial % 3)}, items
        kept = [i for i in kept if i["collection"] in query["collections"]]
        if trial % 2:
            size = chance.choice([.5, 3, 20, 120])
            west, south = chance.uniform(8, 13) if trial % 5 else chance.uniform(-180, 180), chance.uniform(38, 43)
            east = west + size if west + size <= 180 else west + size - 360
            query["bbox"] = [west, south, east, min(south + size, 90)]
            asked = boxes({"bbox": query["bbox"]})
            kept = [i for i in kept if any(b[0] <= a[2] and a[0] <= b[2] and b[1] <= a[3] and a[1] <= b[3]
                                           for a in asked for b in boxes(i))]
        elif trial % 4 == 0:
            corner = [(chance.uniform(9, 14), chance.uniform(39, 45)) for _ in range(3)]
            shape = [shapely.Polygon(corner), shapely.LineString(corner),
                     shapely.GeometryCollection([shapely.Point(corner[0]), shapely.Polygon(corner)])][trial % 3]
            query["intersects"] = shapely.geometry.mapping(shape)
            kept = [i for i in kept if i["geometry"] and shapely.geometry.shape(i["geometry"]).intersects(shape)]
        if trial % 3:
            first, last = sorted(chance.sample(range(600), 2))
            first, last = (text_of(START + datetime.timedelta(days=d)) for d in (first, last))
            query["datetime"] = chance.choice([f"{first}/{last}", f"{first}/..", f"../{last}", first])
            low, _, high = query["datetime"].partition("/")
            low, high = ("" if low == ".." else low), ("9" if high == ".." else high or low)
            kept = [i for i in kept if times(i)[0] <= high and times(i)[1] >= low]
        if trial % 10 == 9:
            query["ids"] = chance.sample([i["id"] for i in items], 40)
            kept = [i for i in kept if i["id"] in query["ids"]]
        found = every(search, limit=chance.choice([3, 50, 1000]), **query)
        assert list(map(name, found)) == list(map(name, in_order(kept))), query
        total += len(found)
    assert total > 3000


def months(address, **query):
    """Of an aggregation of dates: the number, the first and last date, counts by collection, year and month."""
    names = ["total_count", "datetime_min", "datetime_max", "collection_frequency", "datetime_year_frequency",
             "datetime_frequency"]
    answer = requests.post(address, json={"aggregations": names, **query}, timeout=30)
    assert answer.status_code == 200, answer.text
    return [{b["key"]: b["frequency"] for b in entry["buckets"]} if "buckets" in entry else entry["value"]
            for entry in answer.json()["aggregations"]]


def counted_months(items):
    dates = sorted(times(item)[0] for item in items)
    return [len(items), dates[0] if dates else None, dates[-1] if dates else None,
            *(dict(collections.Counter(keys)) for keys in (
                [item["collection"] for item in items], [f"{date[:4]}-01-01T00:00:00Z" for date in dates],
                [f"{date[:7]}-01T00:00:00Z" for date in dates]))]


@pytest.mark.parametrize("interval", [None, "2020-02-28T12:00:00Z/2021-03-01T00:00:00Z", "../2020-03-31T23:59:59Z",
                                      "2030-01-01T00:00:00Z/.."])
def test_counts_by_month(stored, interval):
    search, items = stored
    low, _, high = (interval or "../..").partition("/")
    for count in 1, 2, 3:
        kept = [i for i in items if i["collection"] in COLLECTIONS[:count]
                and times(i)[1] >= low.replace("..", "") and times(i)[0] <= high.replace("..", "9")]
        found = months(search.replace("/search", "/aggregate"), collections=COLLECTIONS[:count],
                       **({"datetime": interval} if interval else {}))
        assert found == counted_months(kept)


def test_queryables(running, stored, data, tmp_path):
    """Of each collection what its items have, in both APIs. No bounds where not all of them are looked at."""
    _, items = stored
    for collection in COLLECTIONS:
        address = f"/collections/{collection}/queryables"
        schema, of_api = (requests.get(root + address, timeout=30).json()
                          for root in (running.url + "/stac", running.api))
        own = [i["properties"] for i in items if i["collection"] == collection]
        clouds = [p["eo:cloud_cover"] for p in own]
        assert schema["properties"] == of_api["properties"] and schema["additionalProperties"] is False
        assert schema["properties"]["eo:cloud_cover"] == {"type": "number", "minimum": min(clouds),
                                                          "maximum": max(clouds)}
        assert schema["properties"]["rank"] == {} and schema["properties"]["id"]["type"] == "string"
        assert schema["properties"]["end_datetime"] == {"type": "string", "format": "date-time"}
        assert "ours:unknown" not in schema["properties"]
    (tmp_path / "many.ndjson").write_text("\n".join(json.dumps(plain(i, collection="kept_many", properties={
        "datetime": "2020-01-01T00:00:00Z", "rank": i, "kind": "a"})) for i in range(1100)))
    twincube("catalogue", "load", "--data", data, tmp_path / "many.ndjson")
    schema = requests.get(running.url + "/stac/collections/kept_many/queryables", timeout=30).json()
    assert schema["properties"]["rank"] == {"type": "number"} and schema["properties"]["kind"] == {"type": "string"}
    assert schema["additionalProperties"] is True
    twincube("catalogue", "remove", "--data", data, "kept_many")


def test_heights(stored):
    search, items = stored
    high = [i for i in items if len(i.get("bbox", [])) == 6]
    flat = sum(bool(boxes(i)) for i in items) - len(high)
    for lowest, highest in (0, 5), (300, 500), (5000, 6000):
        met = sum(i["bbox"][2] <= highest and i["bbox"][5] >= lowest for i in high)
        assert len(every(search, collections=list(COLLECTIONS), limit=1000,
                         bbox=[-180, -90, lowest, 180, 90, highest])) == flat + met


@pytest.mark.parametrize("descending", [False, True])
def test_any_order(stored, descending):
    """Nothing goes before numbers, and these before texts; ties are decided by the ids."""
    search, items = stored
    keys = ["properties.rank", "eo:cloud_cover", "properties.datetime"]

    def rank(item):
        value = item["properties"]["rank"]
        kind = 0 if value is None else 2 if isinstance(value, str) else 1
        start = item["properties"]["datetime"] or item["properties"]["start_datetime"]
        return (kind, value or 0) if kind < 2 else (2, value), item["properties"]["eo:cloud_cover"], start, \
            item["id"].encode(), COLLECTIONS.index(item["collection"])

    found = every(search, collections=list(COLLECTIONS), limit=97,
                  sortby=[{"field": key, "direction": "desc" if descending else "asc"} for key in keys])
    assert list(map(name, found)) == list(map(name, sorted(items, key=rank, reverse=descending)))


def test_pages_hold_while_the_catalogue_changes(stored, data, tmp_path):
    """Of items that stay each comes once, whatever comes, goes and is written again between the pages."""
    search, items = stored
    chance = random.Random(6)
    added = [{**copy.deepcopy(items[0]), "collection": "kept_moving", "id": f"m{i}",
              "properties": {"datetime": text_of(START + datetime.timedelta(days=chance.randrange(20)))}}
             for i in range(120)]
    (tmp_path / "moving.ndjson").write_text("\n".join(map(json.dumps, added[:60])))
    twincube("catalogue", "load", "--data", data, tmp_path / "moving.ndjson")
    rounds = iter(range(60, 120, 10))

    def change():
        first = next(rounds, None)
        if first is None:
            return
        again = added[first:first + 10] + added[first - 60:first - 50]  # new ones, and some written again
        (tmp_path / "more.ndjson").write_text("\n".join(map(json.dumps, again)))
        twincube("catalogue", "load", "--data", data, tmp_path / "more.ndjson")

    found = [f["id"] for f in every(search, change, collections=["kept_moving"], limit=7)]
    assert len(found) == len(set(found)) and {f"m{i}" for i in range(60)} <= set(found)
    stayed = [i for i in found if int(i[1:]) < 60]
    assert stayed == [i["id"] for i in sorted(added[:60], reverse=True,
                                              key=lambda i: (i["properties"]["datetime"], i["id"]))]
    assert ask(search, collections=["kept_moving"], limit=1)["numberMatched"] == 120
    twincube("catalogue", "remove", "--data", data, "kept_moving")
    assert ask(search, collections=["kept_moving"])["features"] == []


def test_tokens_of_others_are_refused(stored):
    search, _ = stored
    page = ask(search, collections=["kept_a"], limit=2)
    (following,) = [link for link in page["links"] if link["rel"] == "next"]
    token = following["body"]["token"]
    other = token[:5] + ("A" if token[5] != "A" else "B") + token[6:]
    for query in ({"token": other}, {"token": token[:-1]}, {"token": token + "A"}, {"token": ""}, {"token": "é"},
                  {"token": token, "collections": ["kept_b"]}, {"token": token, "bbox": [0, 0, 1, 1]},
                  {"token": token, "sortby": [{"field": "id", "direction": "asc"}]}):
        answer = ask(search, 400, **{"collections": ["kept_a"], "limit": 2, **query})
        assert answer["code"] == "QueryParameterInvalid", query
    assert ask(search, collections=["kept_a"], limit=5, token=token)["features"]


# ---- loading -------------------------------------------------------------------------------------------------------

def load(folder, *arguments):
    return subprocess.run([BINARY, "catalogue", "load", "--data", folder / "data", *map(str, arguments)],
                          capture_output=True, text=True, timeout=120, check=False)


def plain(number, **members):
    return {"type": "Feature", "stac_version": "1.0.0", "id": f"p{number}", "collection": "PLAIN", "bbox": [1, 2, 3, 4],
            "geometry": {"type": "Point", "coordinates": [1, 2]}, "assets": {}, "links": [],
            "properties": {"datetime": "2020-01-01T00:00:00Z"}, **members}


GOOD = json.dumps(plain(0))
BROKEN = {
    "nothing": ["{", "[]", "7", "\"x\"", "nul", GOOD[:-1], GOOD + "}", GOOD.replace(":", ":,", 1),
                GOOD.replace("{", "{,", 1), GOOD.replace("[1, 2, 3, 4]", "[1, 2, 3, 4,]"),
                GOOD.replace('"p0"', "'p0'")],
    "twice": [GOOD.replace('"id"', '"id": "other", "id"'), GOOD.replace('"datetime"', '"datetime": null, "datetime"')],
    "number": [GOOD.replace("[1, 2, 3, 4]", f"[{n}, 2, 3, 4]") for n in
               ("1" * 200, "1e999", "01", "1.", ".5", "+1", "0x1", "NaN", "Infinity", "1e", "-", "--1")]
    + [GOOD.replace('"assets": {}', '"assets": {"a": {"n": 99999999999999999999}}')],
    "text": [GOOD.replace('"p0"', t) for t in ('"p\\u0000"', '"\\ud800"', '"\\udc00x"', '"\\x"', '"a\tb"', '"p', '""',
                                               '"\\u12"', '"\\\0"', f'"{"x" * 2000}"',
                                               *(f'"{"x" * k}{bad}{"y" * (9 - k)}"' for k in range(10)
                                                 for bad in ("\t", "\0", "\x1f", "\\a")))],
    "deep": [GOOD.replace('"links": []', f'"links": {"[" * 200}{"]" * 200}'),
             GOOD.replace('"links": []', '"links": ' + "[" * 100000)],
    "many": [json.dumps(plain(0, assets={f"a{i}": {"href": "x"} for i in range(100000)}))],
    "member": [json.dumps(plain(0, **m)) for m in (
        {"type": "feature"}, {"id": 5}, {"id": None}, {"stac_version": None}, {"collection": 3}, {"collection": "a b"},
        {"collection": "x" * 300}, {"assets": []}, {"assets": None}, {"links": {}}, {"properties": []}, {"geometry": 5},
        {"geometry": {"type": "Point", "coordinates": ["a", 1]}},
        {"geometry": {"type": "Point", "coordinates": [1e9, 1]}},
        {"bbox": [1, 2, 3]}, {"bbox": [1, 5, 3, 4]}, {"bbox": ["1", 2, 3, 4]}, {"bbox": "x"}, {"bbox": [1, 99, 3, 100]},
        {"properties": {}}, {"properties": {"datetime": None}}, {"properties": {"datetime": "yesterday"}},
        {"properties": {"datetime": 5}}, {"properties": {"datetime": None, "start_datetime": "2020-01-01T00:00:00Z"}},
        {"properties": {"datetime": None, "start_datetime": "2021-01-01T00:00:00Z",
                        "end_datetime": "2020-01-01T00:00:00Z"}})],
}


def test_broken_items_are_named_and_left_out(tmp_path):
    lines = [GOOD] + [line for kind in BROKEN.values() for line in kind] + ["  ", json.dumps(plain(1))]
    (tmp_path / "mixed.ndjson").write_bytes("\n".join(lines).encode() + b"\n" + GOOD.replace(
        "p0", "\N{DIGIT ONE}").encode().replace(b"1", b"\xff", 1))
    broken = len(lines) - 3 + 1
    done = load(tmp_path, tmp_path / "mixed.ndjson")
    assert done.returncode == 0 and done.stdout == f"2 items, {broken} left out\n", done.stderr
    told = done.stderr.splitlines()
    assert len(told) == 21 and "mixed.ndjson, line 2:" in told[0] and f"{broken - 20} more" in told[-1]
    for kind, lines in BROKEN.items():
        for line in lines:
            (tmp_path / "one.ndjson").write_text(GOOD.replace("p0", "p7") + "\n" + line)
            done = load(tmp_path, "--strict", tmp_path / "one.ndjson")
            assert done.returncode == 1 and "StacInvalid" in done.stderr and "line 2" in done.stderr, (kind, done)
            if kind != "member":
                break
    assert "p7" not in twincube("catalogue", "list", "--data", tmp_path / "data")


@pytest.mark.parametrize("behind", ["", ",", " ,"])
def test_a_file_that_fills_its_pages(tmp_path, behind):
    """There is nothing to be read behind its end."""
    text = '{"type": "FeatureCollection", "features": [' + GOOD
    (tmp_path / "cut.json").write_text(text + " " * (4096 - len(text) - len(behind)) + behind)
    done = load(tmp_path, tmp_path / "cut.json")
    assert done.returncode == 1 and "the features end amid the text" in done.stderr
    (tmp_path / "blank.ndjson").write_text(GOOD + "\n" + " " * (4095 - len(GOOD)))
    assert load(tmp_path, tmp_path / "blank.ndjson").stdout == "1 item\n"


def count(folder):
    (line,) = [row for row in twincube("catalogue", "list", "--data", folder / "data").splitlines()
               if row.startswith("PLAIN")]
    return int(line.split("\t")[1].split()[0])


def test_items_that_are_there(tmp_path):
    items = tmp_path / "items.json"
    items.write_text(json.dumps({"type": "FeatureCollection", "features": [plain(i) for i in range(5)]}, indent=3))
    assert load(tmp_path, items).stdout == "5 items\n" and load(tmp_path, items).stdout == "5 items\n"
    assert count(tmp_path) == 5
    items.write_text(json.dumps({"features": [plain(i) for i in range(3, 9)] + [plain(8)], "type": "x"}))
    done = load(tmp_path, "--new", items)
    assert done.stdout == "4 items, 3 left out\n" and "feature 1:" in done.stderr and "has an item 'p3'" in done.stderr
    assert load(tmp_path, "--new", "--strict", items).returncode == 1 and count(tmp_path) == 9
    items.write_text(json.dumps(plain(77)))
    assert load(tmp_path, items).stdout == "1 item\n"


@pytest.mark.parametrize("text", ["", "{", "{\"features\": 5}", "{\"features\": [", "{\"features\": [{}x]}", "[]",
                                  GOOD + GOOD])
def test_documents_that_are_none(tmp_path, text):
    (tmp_path / "items.json").write_text(text)
    done = load(tmp_path, "--strict", tmp_path / "items.json")
    assert done.returncode == 1 and done.stderr.startswith("StacInvalid: "), done


def test_what_cannot_be_loaded(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    for path, code in ((tmp_path / "none.ndjson", "FileNotFound"), (tmp_path / "empty", "FileNotFound"),
                       (tmp_path / "a.parquet", "FileContentInvalid"), ("/dev/zero", "FileNotFound")):
        done = load(tmp_path, path)
        assert done.returncode == 1 and done.stderr.startswith(code), done
    assert load(tmp_path).returncode == 2 and load(tmp_path, "a", "b").returncode == 2
    assert load(tmp_path, "--what", "a").returncode == 2 and "--strict" in load(tmp_path, "--help").stdout


def test_a_scanned_collection_is_not_written_to(tmp_path, demo):
    twincube("catalogue", "add", "--data", tmp_path / "data", "--id", "PLAIN", "--datetime", "_([0-9]{8})_", "--band",
             "_(B[0-9]{2}|QA)[.]tif$", demo)
    (tmp_path / "items.ndjson").write_text(GOOD)
    done = load(tmp_path, "--strict", tmp_path / "items.ndjson")
    assert done.returncode == 1 and done.stderr.startswith("StacConflict")


def test_a_static_catalogue(tmp_path):
    """Children and items, in cycles, with links that lead nowhere and elsewhere."""
    root = tmp_path / "static"
    (root / "c" / "deep %").mkdir(parents=True)
    (tmp_path / "outside.json").write_text(json.dumps(plain(50)))
    extent = {"spatial": {"bbox": [[0, 0, 5, 5]]}, "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]}}
    (root / "catalog.json").write_text(json.dumps({
        "type": "Catalog", "id": "root", "stac_version": "1.0.0", "description": "d",
        "links": [{"rel": "child", "href": "./c/collection.json"}, {"rel": "child", "href": "catalog.json"},
                  {"rel": "item", "href": "../outside.json"}, {"rel": "item", "href": "https://example.com/x.json"}]}))
    (root / "c" / "collection.json").write_text(json.dumps({
        "type": "Collection", "id": "PLAIN", "stac_version": "1.0.0", "description": "d", "license": "other",
        "title": "Plain ones", "extent": extent, "ours:kept": [1.10],
        "links": [{"rel": "item", "href": "deep%20%25/0.json"}, {"rel": "item", "href": f"{root}/c/1.json"},
                  {"rel": "root", "href": "../catalog.json"}, {"rel": "child", "href": "../catalog.json"},
                  {"rel": "item", "href": "none.json"}, {"rel": "license", "href": "https://example.com/licence"}]}))
    (root / "c" / "deep %" / "0.json").write_text(json.dumps(plain(0)))
    (root / "c" / "1.json").write_text(json.dumps(plain(1)))
    done = load(tmp_path, root)
    assert done.returncode == 0 and done.stdout == "2 items\n", done
    assert done.stderr.count("is not followed") == 3
    assert "PLAIN\t2 items" in twincube("catalogue", "list", "--data", tmp_path / "data")
    assert load(tmp_path, root / "c" / "collection.json").stdout == "2 items\n"


def test_the_collection_of_items(tmp_path):
    """With its document, and without one: then its extent is that of the items."""
    (tmp_path / "items.ndjson").write_text("\n".join(json.dumps(plain(
        i, bbox=[170 + 8 * i, 2, 174 + 8 * i - 360 * (i > 0), 4], properties={"datetime": f"202{i}-01-01T00:00:00Z"}))
        for i in range(2)))
    assert load(tmp_path, tmp_path / "items.ndjson").returncode == 0
    collection = json.loads(run_collection(tmp_path))
    assert collection["extent"] == {"spatial": {"bbox": [[170, 2, -178, 4]]}, "temporal": {"interval": [
        ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"]]}}
    (tmp_path / "c.json").write_text(json.dumps({**collection, "title": "New", "description": "é\u2028"}))
    assert load(tmp_path, "--collection", tmp_path / "c.json", tmp_path / "items.ndjson").returncode == 0
    assert json.loads(run_collection(tmp_path))["description"] == "é\u2028"
    for wrong in ({"type": "Catalog"}, {"id": "a b"}, {"id": None}, {"extent": {}}, {"description": 5},
                  {"extent": {**collection["extent"], "spatial": {"bbox": [0, 0, 1, 1]}}}):
        (tmp_path / "c.json").write_text(json.dumps({**collection, **wrong}))
        done = load(tmp_path, "--collection", tmp_path / "c.json", tmp_path / "items.ndjson")
        assert done.returncode == 1 and done.stderr.startswith("StacInvalid"), wrong


def run_collection(folder):
    import sqlite3
    with sqlite3.connect(folder / "data" / "catalogue.sqlite") as db:
        ((document,),) = db.execute("SELECT document FROM collections WHERE id = 'PLAIN'")
    db.close()
    return document


def check_tree(folder, items):
    """SQLite finds nothing wrong in the search tree, and each item's box in it holds the item's own, barely."""
    import sqlite3
    with sqlite3.connect(folder / "data" / "catalogue.sqlite") as db:
        assert db.execute("SELECT rtreecheck('item_boxes')").fetchall() == [("ok",)]
        boxes_there = {row[0]: row[1:] for row in db.execute(
            "SELECT id, box.west, box.east, box.south, box.north, collection_low, collection_high, box.first, box.last,"
            " collection FROM item_boxes AS box JOIN items ON key = item")}
        assert db.execute("SELECT count(*) FROM item_boxes").fetchone() == (len(items),)
    db.close()
    assert boxes_there.keys() == items.keys()
    for name_of, (west, south, east, north, days) in items.items():
        box = boxes_there[name_of]
        for low, high, least, most in ((*box[:2], west, east), (*box[2:4], south, north),
                                       (*box[4:6], box[8] - .2, box[8] + .2), (*box[6:8], days / 10, days / 10)):
            assert least - .4 < low < least <= most < high < most + .4, (name_of, box)


def test_the_search_tree(tmp_path):
    """Packed where most items are new, else grown: boxes that are added, and those that are written again."""
    chance, known = random.Random(8), {}

    def put(numbers):
        lines = []
        for i in numbers:
            west, south, day = chance.uniform(-179, 170), chance.uniform(-89, 80), chance.randrange(3000)
            known[f"p{i}"] = west, south, west + chance.uniform(0, 9), south + chance.uniform(0, 9), 18262 + day
            lines.append(json.dumps(plain(i, collection=f"c{i % 7 if i % 50 else i}", bbox=known[f"p{i}"][:4],
                                          properties={"datetime": text_of(START + datetime.timedelta(days=day))})))
        (tmp_path / "items.ndjson").write_text("\n".join(lines))
        assert load(tmp_path, tmp_path / "items.ndjson").returncode == 0
        check_tree(tmp_path, known)

    put(range(3000))
    put([*range(100, 150), *range(3000, 3100)])
    put([*range(7), *range(3050, 7000), 3])


# ---- loading pixels ------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A data folder with a stored collection of five scenes, side by side, a day each; its graph."""
    folder = tmp_path_factory.mktemp("scenes")
    items = []
    (folder / "files").mkdir()
    for i in range(5):
        path = folder / "files" / f"{i}.tif"
        with rasterio.open(path, "w", driver="GTiff", dtype="uint8", count=1, height=2, width=2, crs="EPSG:4326",
                           transform=from_origin(10 + i, 50, .5, .5)) as file:
            file.write(np.full((2, 2), 10 + i, "uint8"), 1)
        items.append(plain(i, bbox=[10 + i, 49, 11 + i, 50], geometry=shapely.geometry.mapping(
            shapely.box(10 + i, 49, 11 + i, 50)), properties={"datetime": f"2020-01-0{i + 1}T12:00:00Z", "n": i},
            assets={"B1": {"href": str(path), "type": "image/tiff; application=geotiff", "roles": ["data"]}}))
    (folder / "items.ndjson").write_text("\n".join(map(json.dumps, items)))
    assert load(folder, folder / "items.ndjson").stdout == "5 items\n"
    return folder


def graph_of(extent, interval, **arguments):
    box = dict(zip(("west", "south", "east", "north"), extent)) if extent else None
    return {"load": {"process_id": "load_collection", "arguments": {
        "id": "PLAIN", "spatial_extent": box, "temporal_extent": interval, **arguments}},
        "save": {"process_id": "save_result", "result": True, "arguments": {
            "data": {"from_node": "load"}, "format": "netCDF"}}}


def run(folder, graph, path):
    (path / "graph.json").write_text(json.dumps(graph))
    return subprocess.run([BINARY, "run", path / "graph.json", "--data", folder / "data", "-o", path / "out.nc"],
                          capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(("extent", "interval", "wanted"), [
    (None, None, [0, 1, 2, 3, 4]), ([11.6, 49.2, 13.4, 49.8], None, [1, 2, 3]),
    (None, ["2020-01-02", "2020-01-04"], [1, 2]), ([10.1, 49.2, 11.9, 49.8], ["2020-01-02", "2020-01-04"], [1])])
def test_a_stored_collection_is_loaded_from(scenes, tmp_path, extent, interval, wanted):
    import xarray
    done = run(scenes, graph_of(extent, interval), tmp_path)
    assert done.returncode == 0, done.stderr
    with xarray.open_dataset(tmp_path / "out.nc", mask_and_scale=False) as cube:
        values = cube["B1"].values
        assert [str(t)[:10] for t in cube["t"].values] == [f"2020-01-0{i + 1}" for i in wanted]
        for plane, i in zip(values, wanted, strict=True):
            assert (plane == 10 + i).any() and not np.isin(plane, [10 + k for k in range(5) if k != i]).any()


def test_what_cannot_be_loaded_from_a_stored_collection(scenes, tmp_path):
    for graph, code in ((graph_of([50, 0, 51, 1], None), "NoDataAvailable"),
                        (graph_of(None, ["1999-01-01", "1999-02-01"]), "NoDataAvailable"),
                        (graph_of(None, None, bands=["B7"]), "BandNotAvailable")):
        done = run(scenes, graph, tmp_path)
        assert done.returncode == 1 and done.stderr.startswith(code), done.stderr


def test_a_server_reads_only_files_that_it_may(scenes, tmp_path):
    """Items name any file; those outside of the folders that graphs may read are none."""
    for options, status in ([], 400), (["--stac", scenes / "files"], 200):
        process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", scenes / "data", *options],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            url = process.stdout.readline().strip().rstrip("/")
            twincube("user", "add", f"u{status}", "--data", scenes / "data", input="a password of the tests\n")
            token = requests.get(f"{url}/openeo/1.2/credentials/basic", auth=(f"u{status}", "a password of the tests"),
                                 timeout=30).json()["access_token"]
            answer = requests.post(f"{url}/openeo/1.2/result", timeout=60, headers={
                "Authorization": f"Bearer basic//{token}"}, json={"process": {"process_graph": graph_of(None, None)}})
            assert answer.status_code == status, answer.text[:300]
        finally:
            process.terminate()
            assert process.wait(timeout=60) == 0
            process.stdout.close()
