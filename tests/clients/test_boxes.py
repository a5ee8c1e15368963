"""Boxes in documents lie within WGS 84, wherever data count their longitudes from; west is east of east where a box
crosses the antimeridian, as STAC and GeoJSON have it."""

import json
import math

import numpy as np
import pyproj
import pytest
import rasterio
import requests
import xarray
from rasterio.transform import from_origin

from conftest import twincube


@pytest.fixture(scope="module")
def catalogue_of(tmp_path_factory, running, data):
    """Adds a file and gives the collection's document."""
    def add(name, path):
        twincube("catalogue", "add", "--data", data, "--id", name, path)
        return requests.get(f"{running.api}/collections/{name}", timeout=30).json()
    return add


def box_of(document):
    return document["extent"]["spatial"]["bbox"][0]


def netcdf(path, west, step, count, south=-10.0):
    longitudes = west + step * np.arange(count)
    xarray.Dataset({"v": (("lat", "lon"), np.ones((3, count), "f4"))}, {
        "lat": ("lat", south + np.arange(3.0), {"units": "degrees_north"}),
        "lon": ("lon", longitudes, {"units": "degrees_east"})}).to_netcdf(path)
    return path


@pytest.mark.parametrize(("west", "step", "count", "expected"), [
    (0, 2.5, 144, (-180, 180)), (1.25, 2.5, 144, (-180, 180)), (-178.75, 2.5, 144, (-180, 180)),
    (10.5, 1, 20, (10, 30)), (190.5, 1, 20, (-170, -150)), (170.5, 1, 20, (170, -170)), (350.5, 1, 20, (-10, 10)),
    (-189.5, 1, 20, (170, -170)), (180.5, 1, 20, (-180, -160)),
])
def test_a_netcdf_grid(tmp_path, catalogue_of, west, step, count, expected):
    box = box_of(catalogue_of(f"grid{west}{count}", netcdf(tmp_path / "g.nc", west, step, count)))
    assert (box[0], box[2]) == pytest.approx(expected) and (box[1], box[3]) == pytest.approx((-10.5, -7.5))


def test_a_netcdf_grid_ends_at_the_poles(tmp_path, catalogue_of):
    """Cells whose centres lie on a pole reach over it."""
    box = box_of(catalogue_of("polar", netcdf(tmp_path / "g.nc", 0.5, 1, 20, south=88.0)))
    assert box == pytest.approx([0, 87.5, 20, 90])


def tiles(folder, zone, wests, north=-1600000 + 10000000, side=100000):
    folder.mkdir()
    for i, west in enumerate(wests):
        with rasterio.open(folder / f"t{i}_20220101_B1.tif", "w", driver="GTiff", dtype="uint8", count=1, height=10,
                           width=10, crs=f"EPSG:327{zone:02}",
                           transform=from_origin(west, north, side / 10, side / 10)) as file:
            file.write(np.ones((10, 10), "uint8"), 1)
    return folder


def corners(zone, west, north=-1600000 + 10000000, side=100000):
    x, y = np.meshgrid(np.linspace(west, west + side, 50), np.linspace(north - side, north, 50))
    longitudes, latitudes = pyproj.Transformer.from_crs(f"EPSG:327{zone:02}", 4326, always_xy=True).transform(x, y)
    return longitudes % 360, latitudes


def test_rasters_over_the_antimeridian(tmp_path, catalogue_of):
    """In zone 1 the antimeridian runs through; beside it a tile that does not reach it."""
    wests = [140000, 300000]
    box = box_of(catalogue_of("fiji", tiles(tmp_path / "fiji", 1, wests)))
    every = [corners(1, west) for west in wests]
    longitudes, latitudes = np.hstack([e[0].ravel() for e in every]), np.hstack([e[1].ravel() for e in every])
    assert longitudes.min() < 180 < longitudes.max()
    assert box == pytest.approx([longitudes.min(), latitudes.min(), longitudes.max() - 360, latitudes.max()], abs=2e-3)


def test_rasters_on_both_sides(tmp_path, catalogue_of):
    """Zones 60 and 1, neither tile across: the box is the narrow one."""
    folder = tmp_path / "both"
    tiles(folder, 60, [700000])
    for path in folder.iterdir():
        path.rename(path.with_name("z60_20220101_B1.tif"))
    (other,) = tiles(tmp_path / "other", 1, [300000]).iterdir()
    other.rename(folder / "z01_20220101_B1.tif")
    box = box_of(catalogue_of("both", folder))
    assert 170 < box[0] < 180 and -180 < box[2] < -170


def test_results_over_the_antimeridian(connection, tmp_path, running):
    cube = {"type": "datacube", "order": ["y", "x"], "data": [[1, 2], [3, 4]], "dimensions": {
        "y": {"type": "spatial", "axis": "y", "values": [11.5, 10.5], "reference_system": 4326},
        "x": {"type": "spatial", "axis": "x", "values": [179.5, 180.5], "reference_system": 4326}}}
    other = json.loads(json.dumps(cube).replace("179.5, 180.5", "-177.5, -176.5"))
    job = connection.create_job({f"s{i}": {"process_id": "save_result", "result": i == 1,
                                           "arguments": {"data": data, "format": "GTiff"}}
                                 for i, data in enumerate((cube, other))})
    job.start_and_wait(max_poll_interval=0.2, connection_retry_interval=1)
    document = job.get_results().get_metadata()
    assert box_of(document) == [179, 10, -176, 12]
    assert sorted(a["bbox"] for a in document["assets"].values()) == [[-178, 10, -176, 12], [179, 10, -179, 12]]


def test_a_loaded_box_finds_both_sides(connection, tmp_path, catalogue_of):
    """What crosses is found by boxes on either side."""
    catalogue_of("fiji2", tiles(tmp_path / "fiji2", 1, [140000]))
    longitudes, latitudes = corners(1, 140000)
    middle = float(latitudes.mean())
    for side in (179.95, -179.95):
        box = {"west": side - 0.04, "east": side + 0.04, "south": middle - .2, "north": middle + .2}
        answer = connection.load_collection("fiji2", spatial_extent=box).download(tmp_path / "x.nc", format="netCDF")
        del answer
        with xarray.open_dataset(tmp_path / "x.nc") as file:
            assert file["B1"].size > 0 and math.isclose(float(file["B1"].max()), 1)
