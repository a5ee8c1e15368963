"""Folders of rasters whose names have no dates, such as tiles of heights: a mosaic without a dimension of time."""

import json
import subprocess

import numpy as np
import pytest
import rasterio
import xarray
from rasterio.transform import from_origin

from conftest import BINARY, twincube

SIDE = 16
NORTH, WEST = 5000000, 400000


@pytest.fixture(scope="module")
def heights(tmp_path_factory):
    """Two tiles beside each other, their values as one array, and a data folder that knows them."""
    folder = tmp_path_factory.mktemp("heights")
    whole = np.random.default_rng(3).random((SIDE, 2 * SIDE)).astype("float32")
    for i in range(2):
        path = folder / f"Copernicus_DSM_COG_10_N45_00_E00{6 + i}_00_DEM.tif"
        with rasterio.open(path, "w", driver="GTiff", dtype="float32", count=1, height=SIDE, width=SIDE,
                           crs="EPSG:32632", transform=from_origin(WEST + 10 * SIDE * i, NORTH, 10, 10)) as file:
            file.write(whole[:, SIDE * i:SIDE * (i + 1)], 1)
    twincube("catalogue", "add", "--data", folder / "data", "--id", "DEM", folder)
    return folder, whole


def compute(folder, steps, name="out.nc", **options):
    load = {"process_id": "load_collection", "arguments": {"id": "DEM", "spatial_extent": None,
                                                           "temporal_extent": None, **options}}
    (folder / "graph.json").write_text(json.dumps({"load": load, **steps}))
    return subprocess.run([BINARY, "run", folder / "graph.json", "--data", folder / "data", "-o", folder / name],
                          capture_output=True, text=True, timeout=60, check=False)


def save(node):
    return {"save": {"process_id": "save_result", "result": True,
                     "arguments": {"data": {"from_node": node}, "format": "netCDF"}}}


def stored(folder):
    with xarray.open_dataset(folder / "out.nc", mask_and_scale=False) as file:
        assert set(file.sizes) == {"x", "y"}
        return file["DEM"].values


@pytest.mark.parametrize("interval", [None, ["2020-01-01", "2020-02-01"], [None, "1950-01-01"]])
def test_whatever_the_interval(heights, interval):
    folder, whole = heights
    done = compute(folder, save("load"), temporal_extent=interval)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(stored(folder), whole)


def test_a_box_reads_across_tiles(heights):
    folder, whole = heights
    box = {"west": WEST + 100, "east": WEST + 250, "south": NORTH - 50, "north": NORTH - 10, "crs": 32632}
    assert compute(folder, save("load"), spatial_extent=box).returncode == 0
    assert np.array_equal(stored(folder), whole[1:5, 10:25])


def test_on_another_grid(heights):
    """Pixels of 20 m: each takes one of the four it covers; the mean of them by averaging."""
    folder, whole = heights
    for method, expected in (("average", whole.reshape(SIDE // 2, 2, SIDE, 2).mean(axis=(1, 3))), ("near", None)):
        steps = {"warp": {"process_id": "resample_spatial",
                          "arguments": {"data": {"from_node": "load"}, "resolution": 20, "method": method}}}
        assert compute(folder, {**steps, **save("warp")}).returncode == 0
        found = stored(folder)
        if expected is None:
            four = whole.reshape(SIDE // 2, 2, SIDE, 2).transpose(0, 2, 1, 3).reshape(SIDE // 2, SIDE, 4)
            assert (found[..., None] == four).any(axis=-1).all()
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_no_dimension_means_no_dates_to_choose_from(heights):
    folder, _ = heights
    steps = {"later": {"process_id": "filter_temporal",
                       "arguments": {"data": {"from_node": "load"}, "extent": ["2020-01-01", None]}}}
    assert compute(folder, {**steps, **save("later")}).returncode == 1
    verdict = {"process_graph": {"p": {"process_id": "is_nodata", "arguments": {"x": {"from_parameter": "value"}},
                                       "result": True}}}
    assert compute(folder, save("load"), properties={"datetime": verdict}).returncode == 1


def test_the_same_place_twice_is_refused(heights, tmp_path):
    folder, _ = heights
    source = next(folder.glob("*E006*.tif")).read_bytes()
    (tmp_path / "week12_DEM.tif").write_bytes(source)
    with rasterio.open(tmp_path / "week13_DEM.tif", "w", driver="GTiff", dtype="float32", count=1, height=SIDE,
                       width=SIDE, crs="EPSG:32632", transform=from_origin(WEST + 5, NORTH, 10, 10)) as file:
        file.write(np.ones((SIDE, SIDE), "float32"), 1)
    done = subprocess.run([BINARY, "catalogue", "add", "--data", tmp_path / "data", tmp_path], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 1 and "same place" in done.stderr
