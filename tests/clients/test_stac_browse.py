"""Every item by links from the root of the STAC API: pystac and a plain walk find each one once, whatever the
collection is made of and however its items lie in time."""

import collections
import json

import numpy
import pystac
import pytest
import rasterio
import requests
from rasterio.transform import from_origin

from conftest import twincube
from test_server_api import Server

MANY = {"years": 520, "moment": 1200, "eras": 1010}  # items; 500 are linked to at once, 1000 years listed
DATES = {
    "years": lambda i: f"{2001 + i % 4}-{1 + i % 12:02d}-{1 + i % 28:02d}T{i % 24:02d}:30:00Z" if i % 2
    else "2004-02-29T23:59:59.999Z",
    "moment": lambda i: "1969-12-31T23:59:59Z",
    "eras": lambda i: f"{i + 1:04d}-07-01T00:00:00Z",
}


def item(collection, i):
    return {"type": "Feature", "stac_version": "1.0.0", "id": f"{collection} {i:04d}/ä", "collection": collection,
            "geometry": {"type": "Point", "coordinates": [10, 50]}, "bbox": [10, 50, 10, 50], "links": [], "assets": {},
            "properties": {"datetime": DATES[collection](i)}}


def raster(path):
    with rasterio.open(path, "w", driver="GTiff", dtype="uint8", count=1, height=2, width=2, crs="EPSG:4326",
                       transform=from_origin(5, 5, 1, 1)) as file:
        file.write(numpy.ones((1, 2, 2), "uint8"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    for name, count in MANY.items():
        lines = tmp_path_factory.mktemp("items") / f"{name}.ndjson"
        lines.write_text("\n".join(json.dumps(item(name, i)) for i in range(count)))
        twincube("catalogue", "load", "--data", data, lines)
    for name, files in {"dated": ["s_20200101_B1.tif", "s_20210101_B1.tif"], "still": ["DEM.tif"]}.items():
        folder = tmp_path_factory.mktemp(name)
        for file in files:
            raster(folder / file)
        twincube("catalogue", "add", "--data", data, "--id", name, folder)
    server = Server(data, "--workers", "1")
    server.stac = server.api.split("/openeo")[0] + "/stac"
    yield server
    assert server.stop() == 0


def hrefs(document, relation):
    return [link["href"] for link in document["links"] if link["rel"] == relation]


def walk(session, url, parent, seen):
    """Gathers the items below; every document says who it is, and who has led to it."""
    answer = session.get(url, timeout=60)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert hrefs(document, "self") == [url] and hrefs(document, "parent") == [parent]
    items = hrefs(document, "item")
    assert len(items) <= 500 and len(hrefs(document, "child")) <= 1000
    seen.update(items)
    for child in hrefs(document, "child"):
        walk(session, child, url, seen)


@pytest.mark.parametrize(("api", "name", "count"), [
    ("stac", "moment", 1200), ("stac", "eras", 1010), ("stac", "dated", 2), ("stac", "still", 1),
    ("api", "years", 520)])
def test_links_lead_to_every_item_once(server, api, name, count):
    base, seen = getattr(server, api), collections.Counter()
    with requests.Session() as session:
        walk(session, f"{base}/collections/{name}", base + "/", seen)
        assert len(seen) == count and set(seen.values()) == {1}
        for url in list(seen)[::400]:
            assert url in hrefs(session.get(url, timeout=60).json(), "self")


def test_pystac_finds_what_the_search_finds(server):
    root = pystac.Catalog.from_file(server.stac)
    found = collections.Counter()
    for child in root.get_children():
        if child.id in ("years", "dated"):  # what has no date at all is no Item to pystac
            found.update((child.id, one.id) for one in child.get_items(recursive=True))
    assert set(found.values()) == {1}
    searched = requests.get(server.stac + "/search", timeout=60, params={
        "collections": "years,dated", "limit": 1000}).json()["features"]
    assert set(found) == {(one["collection"], one["id"]) for one in searched} and len(found) == 522
    assert "https://api.stacspec.org/v1.0.0/browseable" in root.extra_fields["conformsTo"]


def test_a_period_has_what_begins_in_it(server):
    days = requests.get(server.stac + "/collections/years/browse/2004", timeout=60).json()
    assert days["type"] == "Catalog" and days["stac_version"] == "1.0.0" and days["description"]
    expected = {one["id"] for i in range(MANY["years"])
                if (one := item("years", i))["properties"]["datetime"].startswith("2004")}
    assert {link["title"] for link in days["links"] if link["rel"] == "item"} == expected and len(expected) > 260
    empty = requests.get(server.stac + "/collections/years/browse/1999-12", timeout=60).json()
    assert not hrefs(empty, "item") and hrefs(empty, "parent") == [server.stac + "/collections/years/browse/1999"]
    # what an address says beyond its period is not listed
    wide = requests.get(server.stac + "/collections/years/browse/2002?from=-9000000000000000,&to=9000000000000000,",
                        timeout=60).json()
    assert len(hrefs(wide, "item")) == sum(DATES["years"](i).startswith("2002") for i in range(MANY["years"]))


@pytest.mark.parametrize(("path", "status", "code"), [
    ("nowhere/browse", 404, "CollectionNotFound"), ("years/browse/2004-2", 404, "NotFound"),
    ("years/browse/2004-02-30", 404, "NotFound"), ("years/browse/2004-02-29T00", 404, "NotFound"),
    ("still/browse/1970", 404, "NotFound"), ("years/browse/x", 404, "NotFound"),
    ("years/browse?from=5", 400, "QueryParameterInvalid"), ("years/browse?to=x,y", 400, "QueryParameterInvalid"),
    ("years/browse?to=1," + 2000 * "y", 400, "QueryParameterInvalid")])
def test_what_is_no_place_in_the_tree(server, path, status, code):
    answer = requests.get(f"{server.stac}/collections/{path}", timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_more_collections_than_a_page_has(tmp_path):
    names = [f"c{i:04d}" for i in range(1002)]
    lines = tmp_path / "items.ndjson"
    lines.write_text("\n".join(json.dumps({**item("moment", 0), "collection": name}) for name in names))
    twincube("catalogue", "load", "--data", tmp_path / "data", lines)
    server = Server(tmp_path / "data", "--workers", "1")
    url, found = server.api.split("/openeo")[0] + "/stac", []
    while url:
        document = requests.get(url, timeout=60).json()
        children = hrefs(document, "child")
        url = next((child for child in children if "/more?" in child), None)
        found += [child.rsplit("/", 1)[1] for child in children if child != url]
    assert found == names and server.stop() == 0
