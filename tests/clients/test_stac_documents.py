"""Every STAC document of a server against the schemas of STAC's core, which pystac brings along: catalogue, collections
of every kind of source, their items, results. The schemas are those of STAC 1.1; what we write of 1.0 is the same."""

import functools
import json

import jsonschema
import numpy as np
import pystac
import pytest
import rasterio
import requests
import xarray
from pystac.validation.local_validator import get_local_schema_cache
from rasterio.transform import from_origin
from referencing import Registry, Resource

KINDS = {"Catalog": "catalog", "Collection": "collection", "Feature": "item"}


@functools.cache
def validator(kind):
    schemas = {uri: json.loads(json.dumps(schema)) for uri, schema in get_local_schema_cache().items()}
    registry = Registry().with_resources((uri, Resource.from_contents(schema)) for uri, schema in schemas.items())
    schema = next(schema for uri, schema in schemas.items() if uri.endswith(f"/{kind}.json"))
    return jsonschema.Draft7Validator(schema, registry=registry, format_checker=jsonschema.FormatChecker())


def faults(document):
    asked = {**document, "stac_version": "1.1.0"}
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
            for error in validator(KINDS[document["type"]]).iter_errors(asked)]


def get(url):
    answer = requests.get(url, timeout=30)
    assert answer.status_code == 200, answer.text[:400]
    return answer.json()


def scene(folder, name, west=0, crs="EPSG:4326"):
    folder.mkdir(exist_ok=True)
    with rasterio.open(folder / name, "w", driver="GTiff", dtype="uint8", count=1, height=4, width=4, crs=crs,
                       transform=from_origin(west, 10, 1, 1)) as file:
        file.write(np.ones((4, 4), "uint8"), 1)
    return folder


def netcdf(folder, **times):
    folder.mkdir(exist_ok=True)
    names, shape = ("time", "lat", "lon") if times else ("lat", "lon"), (2, 3, 4) if times else (3, 4)
    xarray.Dataset({"v": (names, np.ones(shape, "f4"))}, {
        "lat": ("lat", [1.0, 2, 3], {"units": "degrees_north"}),
        "lon": ("lon", [300.0, 301, 302, 303], {"units": "degrees_east"}), **times}).to_netcdf(folder / "cube.nc")
    return folder / "cube.nc"


def features(folder):
    folder.mkdir(exist_ok=True)
    (folder / "f.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"n": 1}, "geometry": {"type": "Point", "coordinates": [3, 4]}}]}))
    return folder / "f.geojson"


TIMES = {"time": np.array(["2020-01-01", "2020-02-01"], "datetime64[ns]")}
SOURCES = {
    "rasters": lambda folder: scene(folder, "s_20220101_B1.tif"),
    "across": lambda folder: scene(folder, "s_20220101_B1.tif", west=178),
    "heights": lambda folder: scene(folder, "DEM.tif"),
    "cube": lambda folder: netcdf(folder, **TIMES),
    "timeless": netcdf,
    "features": features,
}


@pytest.fixture(scope="module")
def api(running, catalogue, tmp_path_factory):
    for name, make in SOURCES.items():
        catalogue.add(f"stac-{name}", make(tmp_path_factory.mktemp("stac") / name))
    return running.api


def test_a_wrong_document_would_be_found(api):
    document = get(f"{api}/collections/stac-rasters")
    assert faults({**document, "license": 3}) and faults({**document, "extent": {}}) and not faults(document)


def test_catalogue_and_list(api):
    assert faults(get(api + "/")) == []
    for document in get(api + "/collections")["collections"]:
        assert faults(document) == [], document["id"]


@pytest.mark.parametrize("name", SOURCES)
def test_collections_and_items(api, name):
    document = get(f"{api}/collections/stac-{name}")
    assert faults(document) == []
    assert pystac.Collection.from_dict(document).id == f"stac-{name}"
    listed = get(f"{api}/collections/stac-{name}/items")["features"]
    assert len(listed) == 1
    dated = document["extent"]["temporal"]["interval"] != [[None, None]]
    found = faults(listed[0])
    # STAC wants a date of every item; what has none says so, and is valid otherwise
    assert found == [] if dated else all("datetime" in fault or fault.startswith(":") for fault in found)
    assert document["extent"]["spatial"]["bbox"][0] == pytest.approx(listed[0]["bbox"])


def test_thumbnails_of_the_source(running, catalogue, tmp_path):
    scene(tmp_path / "t", "a.tif")
    picture = {"href": "https://example.org/t.png", "type": "image/png", "roles": ["thumbnail"], "title": "A look"}
    (tmp_path / "t" / "item.json").write_text(json.dumps({
        "type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": [],
        "properties": {"datetime": "2022-01-01T00:00:00Z"}, "assets": {"red": {"href": "a.tif"}}}))
    (tmp_path / "t" / "collection.json").write_text(json.dumps({
        "type": "Collection", "stac_version": "1.0.0", "id": "t", "description": "x", "license": "other",
        "extent": {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [[None, None]]}},
        "links": [{"rel": "item", "href": "item.json"}],
        "assets": {"thumbnail": picture, "local": {"href": "t.png", "roles": ["thumbnail"]},
                   "data": {"href": "https://example.org/t.tif", "roles": ["data"]}}}))
    catalogue.add("stac-thumbnail", tmp_path / "t" / "collection.json")
    document = get(f"{running.api}/collections/stac-thumbnail")
    assert document["assets"] == {"thumbnail": picture} and faults(document) == []


@pytest.mark.parametrize(("placed", "days"), [(True, 1), (True, 2), (True, 0), (False, 1)])
def test_results(connection, placed, days):
    reference = {"reference_system": 4326} if placed else {}
    dimensions = {"y": {"type": "spatial", "axis": "y", "values": [2, 1], **reference},
                  "x": {"type": "spatial", "axis": "x", "values": [179.5, 180.5], **reference}}
    values = np.ones((2, 2))
    if days:
        dimensions = {"t": {"type": "temporal", "values": [f"2022-01-0{i + 1}T00:00:00Z" for i in range(days)]},
                      **dimensions}
        values = np.ones((days, 2, 2))
    if not placed:
        dimensions["x"] = {"type": "bands", "values": ["a", "b"]}
        del dimensions["y"]
        values = np.ones((days, 2))
    cube = {"type": "datacube", "order": list(dimensions), "dimensions": dimensions, "data": values.tolist()}
    job = connection.create_job({"save": {"process_id": "save_result", "result": True,
                                          "arguments": {"data": cube, "format": "netCDF"}}})
    job.start_and_wait(max_poll_interval=0.2, connection_retry_interval=1)
    document = job.get_results().get_metadata()
    assert document["assets"] and faults(document) == []
