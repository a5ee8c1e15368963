"""Maps coarser than the files: overviews stand for the pixels, for classes only where nothing was mixed."""

import numpy as np
import pytest
import rasterio
import requests
from rasterio.shutil import copy
from rasterio.transform import from_origin
from test_services import api, centres, middle_tile, nearest, picture, reduced, service, steps  # noqa: F401

SIZE, CRS = 2048, "EPSG:32632"
CLASSES = np.array([3, 4, 8, 11], "uint8")


def cog(path, values, resampling, **more):
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", width=SIZE, height=SIZE, count=1, dtype=values.dtype, crs=CRS,
                         transform=from_origin(600000, 5400000, 10, 10), nodata=0, **more) as raster:
            raster.write(values, 1)
        copy(memory.name, path, driver="COG", compress="deflate", blocksize=256, overview_resampling=resampling)


def measured(dtype):
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    wave = 4000 + 1500 * np.sin(x / 37) * np.cos(y / 53) + np.random.default_rng(3).normal(0, 200, x.shape)
    return wave.astype(dtype)


def classes():
    blocks = np.random.default_rng(4).choice(CLASSES, (SIZE // 4, SIZE // 4))
    return np.repeat(np.repeat(blocks, 4, 0), 4, 1)


def level_of(path, zoom):
    """What the coarsest overview holds that is not coarser than the map; the raster itself where there is none."""
    with rasterio.open(path) as raster:
        shown = 40075016.685578488 / 256 / 2**zoom * np.cos(np.radians(48.75)) / 10
        fitting = [factor for factor in raster.overviews(1) if factor <= shown]
        size = SIZE // max(fitting, default=1)
        values = raster.read(masked=True, out_shape=(1, size, size))
        return rasterio.Affine(10 * SIZE / size, 0, 600000, 0, -10 * SIZE / size, 5400000), values, size


@pytest.mark.parametrize("name,values,made,method,level", [
    ("counts", measured("uint16"), "average", "near", True), ("floats", measured("float32"), "average", "near", True),
    ("picked", classes(), "nearest", "near", True), ("mixed", classes(), "average", "near", False),
    ("mode", classes(), "mode", "near", True), ("extremes", measured("uint16"), "average", "max", False)])
def test_an_overview_is_taken_where_it_suits(api, catalogue, tmp_path, name, values, made, method, level):  # noqa: F811
    path = tmp_path / f"{name}_20240601_B01.tif"
    cog(path, values, made)
    catalogue.add(f"LEVEL_{name}", tmp_path, "--datetime", "_([0-9]{8})_", "--band", "_(B[0-9]+)[.]tif$")
    graph = {"load": {"process_id": "load_collection", "arguments": {
        "id": f"LEVEL_{name}", "spatial_extent": None, "temporal_extent": None}},
        "last": reduced("load", "t", "last", result=True)}
    low, high = (0, 20) if values.dtype == np.uint8 else (0, 8000)
    shown = service(api, graph, {"min": low, "max": high, "resampling": method})
    zoom = 10
    column, row = middle_tile(shown["attributes"]["cube"]["lonlat"], zoom)
    _, numbers = picture(requests.get(shown["url"].format(z=zoom, x=column, y=row), timeout=60))
    transform, coarse, size = level_of(path, zoom)
    assert size < SIZE / 4
    full = nearest(type("Raster", (), {"crs": CRS, "values": np.ma.masked_equal(values[None], 0), "inverse":
                                       ~from_origin(600000, 5400000, 10, 10)}), "EPSG:3857",
                   *centres(zoom, column, row, 256))[0]
    small = nearest(type("Raster", (), {"crs": CRS, "values": coarse, "inverse": ~transform}), "EPSG:3857",
                    *centres(zoom, column, row, 256))[0]
    inside = ~np.isnan(full)
    assert inside.mean() > 0.05
    if method == "max":
        assert (numbers[inside] >= steps(full, low, high)[inside]).mean() > 0.99
    else:
        np.testing.assert_array_equal(numbers, steps(small if level else full, low, high))
    assert (steps(small, low, high) != steps(full, low, high)).mean() > 0.01
