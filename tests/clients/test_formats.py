"""What save_result writes, read back with the tools that users have: rasterio, xarray, netCDF4, zarr, csv.

Cubes are given inline, so every value of a file is known. The command line runs the graphs; the server is asked for what
only it tells: the list of formats and the document of results.
"""

import json
import subprocess

import numpy as np
import pytest
import rasterio

from conftest import BINARY


def spatial(axis, values, crs="EPSG:32632"):
    return {"type": "spatial", "axis": axis, "values": values, "reference_system": crs}


def inline_cube(values, **dimensions):
    """An inline cube: dimensions in order, each by its description."""
    return {"type": "datacube", "order": list(dimensions), "dimensions": dimensions,
            "data": json.loads(json.dumps(np.where(np.isnan(values), None, values).tolist()))}


def picture_cube(values):
    """x and y of 10 m, north first."""
    height, width = np.shape(values)
    return inline_cube(np.asarray(values, float), y=spatial("y", [1000 - 10 * i for i in range(height)]),
                       x=spatial("x", [500 + 10 * i for i in range(width)]))


def run(folder, graph, name, threads=2):
    """Runs a graph on the command line, with cubes given inline; the finished process."""
    file = folder / "graph.json"
    file.write_text(json.dumps(graph))
    return subprocess.run([BINARY, "run", file, "--data", folder, "--encoding", "official", "--threads", str(threads),
                           "-o", folder / name], capture_output=True, text=True, timeout=120)


def saving(data, format, **options):
    return {"save": {"process_id": "save_result", "result": True,
                     "arguments": {"data": data, "format": format, "options": options}}}


def save(folder, data, format, name, **options):
    """The file of a cube or value that is given inline."""
    done = run(folder, saving(data, format, **options), name)
    assert done.returncode == 0, done.stderr
    return folder / name


def refusal(folder, data, format, **options):
    """What the program says where it refuses."""
    done = run(folder, saving(data, format, **options), "refused")
    assert done.returncode == 1, done.stderr
    return done.stderr


def test_unknown_options_are_said_and_passed_over(tmp_path):
    done = run(tmp_path, saving(picture_cube([[1, 2], [3, 4]]), "geotiff", sample_by_feature=True, ZLEVEL=3), "a.tif")
    assert done.returncode == 0 and "sample_by_feature" in done.stderr and "ZLEVEL" not in done.stderr, done.stderr
    with rasterio.open(tmp_path / "a.tif") as picture:
        assert picture.read(1).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("name, file, driver", [
    ("COG", "a.tif", "GTiff"), ("tiff", "a.tiff", "GTiff"), ("GEOTIFF", "a.tif", "GTiff"), ("jpg", "a.jpeg", "JPEG"),
    ("webp", "a.webp", "WEBP"), ("png", "a.png", "PNG")])
def test_names_in_any_case(tmp_path, name, file, driver):
    with rasterio.open(save(tmp_path, picture_cube(np.arange(12).reshape(3, 4)), name, file)) as picture:
        assert picture.driver == driver and picture.shape == (3, 4)


def test_wrong_values_of_known_options_are_refused(tmp_path):
    cube = picture_cube([[1, 2], [3, 4]])
    for format, options in (("GTiff", {"zlevel": 99}), ("PNG", {"min": "low"}), ("JPEG", {"quality": 0})):
        assert list(options)[0] in refusal(tmp_path, cube, format, **options)


def test_list_of_formats(connection):
    formats = connection.list_file_formats()["output"]
    assert {"GTiff", "GeoTIFF", "COG", "netCDF", "PNG", "JPEG", "WebP", "JSON"} <= set(formats)
    assert "quality" in formats["JPEG"]["parameters"]
