"""load_stac of what different providers write: the same rasters described in the ways of several STAC versions and in
several places of their documents. The rasters are made here, so what must come out is known without the documents."""

import json
import subprocess

import numpy as np
import pyproj
import pystac
import pytest
import rasterio
import xarray

from conftest import BINARY
from remote_host import RemoteHost
from test_load_stac import (asset, collection, condition, dates, execute, item, load, plane, raster, refusal, write)
from test_remote_files import execute as execute_remote

DAY = "2022-01-01T00:00:00Z"


def two_bands(folder):
    return raster(folder / "a.tif", np.stack([plane(), plane()]))


def bare(href="a.tif", **more):
    return {"href": href, "type": "image/tiff; application=geotiff", "roles": ["data"], **more}


# ---- bands, in every place ------------------------------------------------------------------------------------------

FULL = [{"name": "B04", "common_name": "red", "center_wavelength": 0.665},
        {"name": "B08", "common_name": "nir", "center_wavelength": 0.842}]
FULL_11 = [{"name": b["name"], "eo:common_name": b["common_name"], "eo:center_wavelength": b["center_wavelength"]}
           for b in FULL]
NAMES = [{"name": "B04"}, {"name": "B08"}]
OTHER_WAY = [FULL[1], FULL[0]]

BANDS = {  # what stands in the asset, the item's properties, the collection
    "1.1": ({"bands": FULL_11}, {}, {}),
    "1.0": ({"eo:bands": FULL}, {}, {}),
    "1.0 raster alone": ({"eo:bands": FULL, "raster:bands": [{"unit": "1"}, {"unit": "1"}]}, {}, {}),
    "0.8 numbers": ({"eo:bands": [1, 0]}, {"eo:bands": OTHER_WAY}, {}),
    "item_assets": ({}, {}, {"item_assets": {"a": {"eo:bands": FULL}}}),
    "item_assets 1.1": ({}, {}, {"item_assets": {"a": {"bands": FULL_11}}}),
    "item_assets by name": ({"eo:bands": NAMES}, {}, {"item_assets": {"a": {"eo:bands": OTHER_WAY}}}),
    "assets 0.8": ({}, {}, {"assets": {"a": {"title": "x", "eo:bands": FULL}}}),
    "names, item": ({"bands": NAMES}, {"bands": OTHER_WAY[:1] + FULL_11[:1]}, {}),
    "names, collection": ({"bands": NAMES}, {}, {"bands": FULL_11[::-1]}),
    "names, summaries": ({"eo:bands": NAMES}, {}, {"summaries": {"eo:bands": OTHER_WAY}}),
}


@pytest.mark.parametrize("case", BANDS)
def test_bands_wherever_they_are_described(tmp_path, case):
    values = two_bands(tmp_path)
    own, properties, more = BANDS[case]
    write(tmp_path / "item.json", item("i", {"a": bare(**own)}, DAY, **properties))
    url = write(tmp_path / "c.json", collection("c", [("item", "item.json")], **more))
    file = load(tmp_path, url, bands=["nir", "red"])
    assert labels(file) == ["B08", "B04"]
    assert np.array_equal(file["B08"].values[0], values[1]) and np.array_equal(file["B04"].values[0], values[0])


def labels(file):
    return [name for name in file.data_vars if name != "crs"]


def test_an_asset_s_key_stands_for_its_bands(tmp_path):
    values = two_bands(tmp_path)
    raster(tmp_path / "b.tif", plane())
    assets = {"B04": bare("b.tif", bands=[{"name": "other"}]), "a": bare(bands=NAMES)}
    url = write(tmp_path / "item.json", item("i", assets, DAY))
    assert labels(load(tmp_path, url, bands=["a"])) == ["B04", "B08"]
    by_name = load(tmp_path, url, bands=["B04"])  # a band's name goes before the key
    assert labels(by_name) == ["B04"] and np.array_equal(by_name["B04"].values[0], values[0])
    assert "BandNotAvailable" in refusal(tmp_path, url, bands=["green"])


def test_an_item_leads_to_the_collection_that_describes_it(tmp_path):
    values = two_bands(tmp_path)
    write(tmp_path / "c.json", collection("c", item_assets={"a": {"eo:bands": FULL, "type": "image/tiff"}}))
    lone = item("i", {"a": {"href": "a.tif"}}, DAY)
    lone["links"] = [{"rel": "collection", "href": "./c.json"}]
    url = write(tmp_path / "item.json", lone)
    assert np.array_equal(load(tmp_path, url, bands=["nir"])["B08"].values[0], values[1])
    lone["links"][0]["href"] = "gone.json"
    write(url, lone)
    done = execute(tmp_path, url)
    assert done.returncode == 0 and "gone.json" in done.stderr


def test_each_collection_describes_its_own_items(tmp_path):
    """Two collections use the same key for other bands."""
    values = {}
    for name, band in (("one", "B1"), ("two", "B2")):
        values[band] = plane()
        raster(tmp_path / f"{name}.tif", values[band])
        write(tmp_path / f"{name}_item.json", item(name, {"data": bare(f"{name}.tif")}, DAY))
        write(tmp_path / f"{name}.json", collection(name, [("item", f"{name}_item.json")],
                                                    item_assets={"data": {"bands": [{"name": band}]}}))
    url = write(tmp_path / "all.json", {"type": "Catalog", "stac_version": "1.1.0", "id": "all", "description": "x",
                                        "links": [{"rel": "child", "href": f"{n}.json"} for n in ("one", "two")]})
    file = load(tmp_path, url)
    for band, value in values.items():
        assert np.array_equal(file[band].values[0], value)


def test_the_key_names_what_nobody_names(tmp_path):
    value = plane()
    raster(tmp_path / "a.tif", value)
    write(tmp_path / "item.json", item("i", {"B04": bare("a.tif")}, DAY))
    url = write(tmp_path / "c.json", collection("c", [("item", "item.json")], summaries={"eo:bands": FULL}))
    assert np.array_equal(load(tmp_path, url, bands=["red"])["B04"].values[0], value)


@pytest.mark.parametrize(("roles", "place"), [(None, "asset"), (["overview"], "asset"), (["metadata"], "pattern")])
def test_pictures_without_bands_are_left_out(tmp_path, roles, place):
    """By role, of the asset or the collection's pattern; before 1.0 by key."""
    value = plane()
    raster(tmp_path / "a.tif", value)
    raster(tmp_path / "thumbnail.tif", RNG.integers(0, 9, (6, 8)).astype("uint8"))
    small = {"href": "thumbnail.tif", "type": "image/tiff"}
    more = {"roles": roles} if roles else {}
    write(tmp_path / "item.json", item("i", {"thumbnail": {**small, **(more if place == "asset" else {})},
                                             "red": {"href": "a.tif", "type": "image/tiff"}}, DAY))
    patterns = {"item_assets": {"thumbnail": more}} if place == "pattern" else {}
    url = write(tmp_path / "c.json", collection("c", [("item", "item.json")], **patterns))
    file = load(tmp_path, url)
    assert "thumbnail" not in file and np.array_equal(file["red"].values[0], value)


RNG = np.random.default_rng(11)


# ---- names and order of dimensions ----------------------------------------------------------------------------------

def test_dimensions_are_called_and_bands_ordered_as_the_documents_say(tmp_path):
    values = two_bands(tmp_path)
    write(tmp_path / "item.json", item("i", {"a": bare(**{"eo:bands": FULL})}, DAY))
    dimensions = {"lon": {"type": "spatial", "axis": "x", "extent": [0, 1]},
                  "lat": {"type": "spatial", "axis": "y", "extent": [0, 1]},
                  "time": {"type": "temporal", "extent": [DAY, DAY]},
                  "spectral": {"type": "bands", "values": ["B08", "B04"]}}
    url = write(tmp_path / "c.json", collection("c", [("item", "item.json")], **{"cube:dimensions": dimensions}))
    first = {"f": {"process_id": "first", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}
    graph = {"load": {"process_id": "load_stac", "arguments": {"url": str(url)}},
             "one": {"process_id": "reduce_dimension", "arguments": {
                 "data": {"from_node": "load"}, "dimension": "spectral", "reducer": {"process_graph": first}}},
             "drop": {"process_id": "drop_dimension", "arguments": {"data": {"from_node": "one"}, "name": "time"}},
             "save": {"process_id": "save_result", "result": True,
                      "arguments": {"data": {"from_node": "drop"}, "format": "netCDF"}}}
    done = run_graph(tmp_path, graph)
    assert done.returncode == 0, done.stderr
    with xarray.open_dataset(tmp_path / "out.nc", mask_and_scale=False) as file:
        (name,) = labels(file)
        assert file[name].dims == ("lat", "lon") and np.array_equal(file[name].values, values[1])


def run_graph(folder, graph, out="out.nc"):
    (folder / "graph.json").write_text(json.dumps(graph))
    return subprocess.run([BINARY, "run", folder / "graph.json", "--data", folder / "none", "-o", folder / out],
                          capture_output=True, text=True, timeout=120, check=False)


# ---- scale, offset, no-data -----------------------------------------------------------------------------------------

NODATA = {  # asset, properties, item_assets
    "raster:bands": ({"raster:bands": [{"nodata": 7}]}, {}, {}),
    "bands": ({"bands": [{"name": "red", "nodata": 7}]}, {}, {}),
    "text": ({"bands": [{"name": "red", "nodata": "7"}]}, {}, {}),
    "asset": ({"nodata": 7}, {}, {}),
    "file extension": ({"file:nodata": [7]}, {}, {}),
    "item": ({}, {"nodata": 7}, {}),
    "pattern": ({}, {}, {"nodata": 7}),
    "pattern's raster:bands": ({"eo:bands": [{"name": "red"}]}, {}, {"raster:bands": [{"nodata": 7}]}),
    "before the file's": ({"nodata": 7, "own": 9}, {}, {}),
    "the file's": ({"own": 7}, {}, {}),
    "null is none": ({"bands": [{"name": "red", "nodata": None}], "nodata": 7}, {}, {}),
    "no number": ({"bands": [{"name": "red", "nodata": "none"}], "own": 7}, {}, {}),
}


@pytest.mark.parametrize("case", NODATA)
def test_no_data_wherever_it_is_declared(tmp_path, case):
    own, properties, pattern = NODATA[case]
    values = plane() % 5 + 20
    values[0, :3] = 7, 9, 7
    raster(tmp_path / "a.tif", values, nodata=own.get("own"))
    described = bare(**{key: value for key, value in own.items() if key != "own"})
    write(tmp_path / "item.json", item("i", {"red": described}, DAY, **properties))
    url = write(tmp_path / "c.json", collection("c", [("item", "item.json")], item_assets={"red": pattern}))
    done = execute(tmp_path, url)
    assert done.returncode == 0, done.stderr
    with xarray.open_dataset(tmp_path / "out.nc") as file:
        assert np.array_equal(np.isnan(file["red"].values[0].astype("f8")), values == 7)


@pytest.mark.parametrize(("text", "value"), [("nan", np.nan), ("-inf", -np.inf), ("-9999", -9999)])
def test_no_data_as_text(tmp_path, text, value):
    values = RNG.random((6, 8)).astype("float32")
    values[2, 3] = value
    raster(tmp_path / "a.tif", values)
    url = write(tmp_path / "item.json", item("i", {"red": bare(**{"raster:bands": [{"nodata": text}]})}, DAY))
    assert execute(tmp_path, url).returncode == 0
    with xarray.open_dataset(tmp_path / "out.nc") as file:
        marked = np.isnan(file["red"].values[0])
    assert marked[2, 3] and marked.sum() == 1


@pytest.mark.parametrize("own", [{"bands": [{"name": "B04", "raster:scale": 0.5, "raster:offset": -3},
                                            {"name": "B08", "raster:scale": 0.25}]},
                                 {"eo:bands": NAMES, "raster:bands": [{"scale": 0.5, "offset": -3}, {"scale": 0.25}]}],
                         ids=["1.1", "1.0"])
def test_each_band_has_its_own_packing(tmp_path, own):
    values = two_bands(tmp_path)
    url = write(tmp_path / "item.json", item("i", {"a": bare(**own)}, DAY))
    stored = load(tmp_path, url)
    with xarray.open_dataset(tmp_path / "out.nc") as meant:
        for i, (name, scale, offset) in enumerate([("B04", 0.5, -3), ("B08", 0.25, 0)]):
            assert np.array_equal(stored[name].values[0], values[i])
            assert np.allclose(meant[name].values[0], values[i] * scale + offset)


# ---- proj: ----------------------------------------------------------------------------------------------------------

WKT = pyproj.CRS.from_epsg(32633)
CRS = {"code": {"proj:code": "EPSG:32633"}, "epsg": {"proj:epsg": 32633}, "wkt2": {"proj:wkt2": WKT.to_wkt()},
       "projjson": {"proj:projjson": WKT.to_json_dict()},
       "null code": {"proj:code": None, "proj:epsg": None, "proj:wkt2": WKT.to_wkt()}}
TRANSFORM = [20, 0, 300000, 0, -20, 5100000, 0, 0, 1]
BOX = [300000, 5100000 - 120, 300160, 5100000]
PLACES = {"transform": ({"proj:transform": TRANSFORM, "proj:shape": [6, 8]}, {}),
          "of the item": ({}, {"proj:transform": TRANSFORM[:6], "proj:shape": [6, 8]}),
          "box": ({"proj:bbox": BOX, "proj:shape": [6, 8]}, {}),
          "box of the item": ({"proj:shape": [6, 8]}, {"proj:bbox": BOX}),
          "box with heights": ({"proj:bbox": BOX[:2] + [0] + BOX[2:] + [9], "proj:shape": [6, 8]}, {}),
          "finer item": ({"proj:shape": [6, 8]}, {"proj:bbox": BOX, "proj:shape": [12, 16],
                                                  "proj:transform": [10, 0, 300000, 0, -10, 5100000]})}


def bare_raster(path, crs=None, transform=None):
    """A TIFF without place, or with the one part of it."""
    values = plane()
    with rasterio.open(path, "w", driver="GTiff", dtype="uint16", count=1, height=6, width=8, crs=crs,
                       transform=transform) as file:
        file.write(values[None])
    return values


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize(("crs", "place"), [(name, "transform") for name in CRS] + [("code", name) for name in PLACES])
def test_the_documents_place_what_has_no_place(tmp_path, crs, place):
    values = bare_raster(tmp_path / "a.tif")
    own, of_item = PLACES[place]
    url = write(tmp_path / "item.json", item("i", {"red": bare(**own)}, DAY, **CRS[crs], **of_item))
    file = load(tmp_path, url)
    assert np.array_equal(file["red"].values[0], values)
    assert np.allclose(file["x"].values, 300010 + 20 * np.arange(8))
    assert np.allclose(file["y"].values, 5100000 - 10 - 20 * np.arange(6))
    assert pyproj.CRS.from_wkt(file["crs"].attrs["crs_wkt"]) == pyproj.CRS.from_epsg(32633)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_half_a_place_is_completed_and_a_wrong_size_is_not_believed(tmp_path):
    values = bare_raster(tmp_path / "a.tif", transform=rasterio.Affine(20, 0, 300000, 0, -20, 5100000))
    url = write(tmp_path / "item.json", item("i", {"red": bare()}, DAY, **CRS["code"]))
    file = load(tmp_path, url)
    assert np.array_equal(file["red"].values[0], values) and file["x"].values[0] == 300010
    bare_raster(tmp_path / "a.tif")
    own = {"proj:transform": TRANSFORM, "proj:shape": [8, 6]}
    write(url, item("i", {"red": bare(**own)}, DAY, **CRS["code"]))
    assert "6 x 8" in refusal(tmp_path, url) or "8 x 6" in refusal(tmp_path, url)
    write(url, item("i", {"red": bare()}, DAY))
    assert "NoDataAvailable" in refusal(tmp_path, url)


def test_scenes_of_other_systems_and_resolutions_lie_where_they_lie(tmp_path):
    """Zones 32 and 33 beside each other, the second one of half the resolution: a constant field stays that."""
    west, south = pyproj.Transformer.from_crs(32632, 32633, always_xy=True).transform(500200, 4999880)
    raster(tmp_path / "a.tif", np.full((12, 16), 5, "uint16"))
    raster(tmp_path / "b.tif", np.full((20, 20), 9, "uint16"), west=west, north=south + 200, res=20, crs="EPSG:32633")
    url = write(tmp_path / "items.json", {"type": "FeatureCollection", "features": [
        item("a", {"red": bare("a.tif", nodata=0)}, DAY), item("b", {"red": bare("b.tif", nodata=0)}, DAY)]})
    file = load(tmp_path, url, spatial_extent={"west": 500000, "south": 4999880, "east": 500400, "north": 5000000,
                                               "crs": 32632})
    found = file["red"].values[0]
    assert np.isclose(abs(file["x"].values[1] - file["x"].values[0]), 10)
    assert (found[:12, :16] == 5).all() and (found[2:10, 24:38] == 9).all()


# ---- over the web, by pystac ----------------------------------------------------------------------------------------

def test_a_static_catalogue_that_pystac_wrote_over_http(tmp_path):
    """Relative hrefs up and down; STAC 1.1 with its own writer."""
    catalog = pystac.Catalog("root", "x")
    extent = pystac.Extent(pystac.SpatialExtent([[-180, -90, 180, 90]]), pystac.TemporalExtent([[None, None]]))
    scenes = pystac.Collection("scenes", "x", extent)
    scenes.extra_fields["item_assets"] = {"data": {"type": "image/tiff", "roles": ["data"],
                                                   "bands": [{"name": "B1", "eo:common_name": "blue"}]}}
    catalog.add_child(scenes)
    values, files = {}, {}
    for day in (1, 2):
        values[day] = plane()
        raster(tmp_path / "data" / f"{day} x.tif", values[day])
        files[f"data/{day}%20x.tif"] = (tmp_path / "data" / f"{day} x.tif").read_bytes()
        scene = pystac.Item(f"s{day}", None, None, pystac.utils.str_to_datetime(f"2022-01-0{day}T00:00:00Z"),
                            {"instruments": ["msi", f"x{day}"], "sat:number": day})
        scene.add_asset("data", pystac.Asset(f"../../../data/{day}%20x.tif"))
        scenes.add_item(scene)
    catalog.normalize_hrefs("stac")
    catalog.save(pystac.CatalogType.SELF_CONTAINED, str(tmp_path / "stac"))
    for path in (tmp_path / "stac").rglob("*.json"):
        files[str(path.relative_to(tmp_path))] = path.read_bytes()
    with RemoteHost(files) as host:
        done = execute_remote(tmp_path, host.url + "stac/catalog.json", remote=[host.url], bands=["blue"],
                              properties={"instruments": contains("x2")})
    assert done.returncode == 0, done.stderr
    with xarray.open_dataset(tmp_path / "out.nc", mask_and_scale=False) as file:
        assert dates(file) == ["2022-01-02"] and np.array_equal(file["B1"].values[0], values[2])


# ---- conditions on properties ---------------------------------------------------------------------------------------

def value():
    return {"from_parameter": "value"}


def contains(wanted):
    return {"process_graph": {"p": {"process_id": "array_contains", "result": True,
                                    "arguments": {"data": value(), "value": wanted}}}}


def on_text(process, pattern, **more):
    return {"process_graph": {"p": {"process_id": process, "result": True,
                                    "arguments": {"data": value(), "pattern": pattern, **more}}}}


def negated(graph):
    (node,) = graph["process_graph"].values()
    return {"process_graph": {"p": {**node, "result": False}, "n": {
        "process_id": "not", "arguments": {"x": {"from_node": "p"}}, "result": True}}}


def joined(process, left, right):
    (a,), (b,) = left["process_graph"].values(), right["process_graph"].values()
    return {"process_graph": {"a": {**a, "result": False}, "b": {**b, "result": False}, "j": {
        "process_id": process, "arguments": {"x": {"from_node": "a"}, "y": {"from_node": "b"}}, "result": True}}}


LEVEL, LOW, HIGH = "level", condition("lt", y=2), condition("gt", y=2)
CONDITIONS = [  # property, condition, days
    (LEVEL, condition("eq", y=2), [2]), (LEVEL, condition("neq", y=2), [1, 3]), (LEVEL, LOW, [1]), (LEVEL, HIGH, [3]),
    (LEVEL, condition("lte", y=2), [1, 2]), (LEVEL, condition("gte", y=2), [2, 3]),
    (LEVEL, condition("between", min=1, max=2), [1, 2]),
    (LEVEL, condition("between", min=1, max=2, exclude_max=True), [1]), (LEVEL, condition("eq", y=2.3, delta=0.5), [2]),
    (LEVEL, joined("or", LOW, HIGH), [1, 3]),
    (LEVEL, joined("xor", LOW, condition("lte", y=2)), [2]), (LEVEL, negated(LOW), [2, 3]),
    ("platform", condition("eq", y="SAT-2", case_sensitive=False), [2]),
    ("platform", on_text("text_begins", "Sat-"), [1, 2, 3]), ("platform", on_text("text_ends", "-3"), [3]),
    ("platform", on_text("text_contains", "T-1", case_sensitive=False), [1]),
    ("instruments", contains("odd"), [1, 3]), ("instruments", negated(contains("odd")), [2]),
    ("flag", condition("eq", y=True), [1]), ("flag", negated(condition("eq", y=True)), [2, 3]),
    ("id", condition("eq", y="s3"), [3]),
]


def test_conditions_on_properties_are_those_of_the_processes(tmp_path):
    features = []
    for day in (1, 2, 3):
        raster(tmp_path / f"{day}.tif", plane())
        features.append(item(f"s{day}", {"red": bare(f"{day}.tif")}, f"2022-01-0{day}T00:00:00Z", level=day,
                             platform=f"Sat-{day}", instruments=["msi"] + ["odd"] * (day % 2), flag=day == 1))
    url = write(tmp_path / "items.json", {"type": "FeatureCollection", "features": features})
    graph = {}
    for i, (name, wanted, _) in enumerate(CONDITIONS):
        graph[f"load{i}"] = {"process_id": "load_stac", "arguments": {"url": str(url), "properties": {name: wanted}}}
        graph[f"t{i}"] = {"process_id": "dimension_labels",
                          "arguments": {"data": {"from_node": f"load{i}"}, "dimension": "t"}}
    graph["all"] = {"process_id": "array_create",
                    "arguments": {"data": [{"from_node": f"t{i}"} for i in range(len(CONDITIONS))]}}
    graph["save"] = {"process_id": "save_result", "result": True,
                     "arguments": {"data": {"from_node": "all"}, "format": "JSON"}}
    done = run_graph(tmp_path, graph, "out.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    for (name, wanted, days), labels_of_case in zip(CONDITIONS, found, strict=True):
        assert [label[:10] for label in labels_of_case] == [f"2022-01-0{day}" for day in days], (name, wanted)
    assert "NoDataAvailable" in refusal(tmp_path, url, properties={LEVEL: joined("and", LOW, HIGH)})
