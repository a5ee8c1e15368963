"""The main job: scenes of a satellite → cloud mask → NDVI → monthly median → netCDF and GeoTIFF, with the
Python client of openEO, at once and as a batch job, against NumPy and rasterio."""

import json
import re
import types

import numpy
import pytest
import rasterio
import requests
import rioxarray  # noqa: F401  (xarray's .rio)
import xarray

from conftest import DEMO_PATTERNS, shared, twincube
from reference import assert_same, monthly_median, mosaic, open_cube, read_at, scenes_by_date


def landsat(catalogue, name, *options):
    folder = shared("eo", "L8NY18_path014")
    catalogue.add(name, folder, "--nodata", "0", "--nodata", "BQA=1", *options)
    return types.SimpleNamespace(
        collection=name, red="B4", nir="B5", quality="BQA", epsg=32618, nodata={"B4": 0, "B5": 0, "BQA": 1},
        dates=scenes_by_date(folder, r"_([0-9]{8})_B4[.]TIF$"),
        is_cloud=lambda quality: numpy.floor(quality / 16) % 2 == 1,
        mark_clouds=lambda quality: quality.apply(lambda value: value.divide(16).floor().mod(2).eq(1)))


def demo_series(catalogue, folder):
    catalogue.add("DEMO_S2", folder, *DEMO_PATTERNS)
    return types.SimpleNamespace(
        collection="DEMO_S2", red="B04", nir="B08", quality="QA", epsg=32632, nodata={"B04": 0, "B08": 0, "QA": 0},
        dates=scenes_by_date(folder, r"_([0-9]{8})_B04[.]tif$"),
        is_cloud=lambda quality: (quality >= 8) | (quality == 3),
        mark_clouds=lambda quality: quality.apply(lambda value: value.gte(8).or_(value.eq(3))))


@pytest.fixture(scope="module", params=["demo", "landsat 3000 m", "landsat"])
def series(request, catalogue):
    if request.param == "demo":
        return demo_series(catalogue, request.getfixturevalue("demo"))
    if request.param == "landsat 3000 m":
        return landsat(catalogue, "L8_3000", "--resolution", "3000")
    return landsat(catalogue, "L8")


def expected_months(series, x, y):
    layers = {}
    for date, files in series.dates.items():
        band = {name: mosaic([read_at(str(file).replace(f"_{series.red}.", f"_{name}."), x, y,
                                      nodata=series.nodata[name])
                              for file in files]) for name in (series.red, series.nir, series.quality)}
        red, nir, quality = band[series.red], band[series.nir], band[series.quality]
        with numpy.errstate(invalid="ignore", divide="ignore"):
            ndvi = (nir - red) / (nir + red)
            layers[date] = numpy.where(series.is_cloud(quality), numpy.nan, ndvi)
    return monthly_median(layers)


def main_job(connection, series, way="bands"):
    cube = connection.load_collection(series.collection, bands=[series.red, series.nir, series.quality])
    clouds = series.mark_clouds(cube.band(series.quality))
    if way == "ndvi":
        index = cube.ndvi(nir=series.nir, red=series.red)
    else:
        red, nir = cube.band(series.red), cube.band(series.nir)
        index = (nir - red) / (nir + red)
    return index.mask(clouds).aggregate_temporal_period("month", reducer="median")


@pytest.fixture(scope="module")
def netcdf(connection, series, tmp_path_factory):
    path = tmp_path_factory.mktemp("main") / "ndvi.nc"
    main_job(connection, series).download(path, format="netCDF")
    return path


@pytest.fixture(scope="module")
def expected(series, netcdf):
    """The months as the client's file names them, each computed independently; NaN in months without a scene."""
    cube = open_cube(netcdf)
    months = expected_months(series, cube.x.values, cube.y.values)
    names = [str(t)[:7] for t in cube.t.values]
    assert set(months) <= set(names)
    nothing = numpy.full((cube.sizes["y"], cube.sizes["x"]), numpy.nan)
    return names, numpy.array([months.get(name, nothing) for name in names])


def test_netcdf_equals_numpy(netcdf, expected):
    assert_same(open_cube(netcdf).transpose("t", "y", "x"), expected[1])


def test_months_follow_each_other(series, expected):
    first, last = min(series.dates), max(series.dates)
    year, months = int(first[:4]), range(int(first[4:6]), int(last[4:6]) + 1)
    assert expected[0] == [f"{year}-{month:02d}" for month in months]


def test_netcdf_opens_in_xarray(series, netcdf):
    with xarray.open_dataset(netcdf, decode_coords="all") as dataset:
        cube = open_cube(netcdf)
        assert dataset.rio.crs.to_epsg() == series.epsg
        assert cube.dims == ("t", "y", "x") and cube.dtype.kind == "f"
        assert numpy.issubdtype(dataset.t.dtype, numpy.datetime64)
        for axis, sign in (("x", 1), ("y", -1)):
            steps = numpy.diff(dataset[axis].values) * sign
            assert (steps > 0).all() and numpy.allclose(steps, steps[0], rtol=1e-9)
            assert dataset[axis].attrs["units"] in ("m", "metre")
            assert dataset[axis].attrs["standard_name"] == f"projection_{axis}_coordinate"


def test_every_scene_is_within_the_grid(series, netcdf):
    cube = open_cube(netcdf)
    half = abs(float(cube.x[1] - cube.x[0])) / 2
    for files in series.dates.values():
        for file in files:
            with rasterio.open(file) as source:
                assert cube.x[0] - half <= source.bounds.left + half and cube.x[-1] + half >= source.bounds.right - half
                assert cube.y[-1] - half <= source.bounds.bottom + half and cube.y[0] + half >= source.bounds.top - half


def test_grid_is_the_one_asked_for(series, netcdf):
    """10 m of the demonstration's lattice; 3000 m as asked; else the finest of the scenes. Edges at its multiples."""
    cube = open_cube(netcdf)
    finest = [numpy.inf, numpy.inf]
    for files in series.dates.values():
        for file in files:
            with rasterio.open(file) as source:
                finest = numpy.minimum(finest, source.res)
    wanted = {"DEMO_S2": (10, 10), "L8_3000": (3000, 3000)}.get(series.collection, finest)
    for axis, step in zip("xy", wanted):
        labels = cube[axis].values
        assert abs(labels[1] - labels[0]) == pytest.approx(step, rel=1e-9)
        edge = (min(labels) - step / 2) / step
        assert edge == pytest.approx(round(edge), abs=1e-6)


def test_geotiff(connection, series, netcdf, expected, tmp_path):
    path = tmp_path / "ndvi.tif"
    main_job(connection, series).download(path, format="GTiff")
    cube = open_cube(netcdf)
    with rasterio.open(path) as file:
        assert file.crs.to_epsg() == series.epsg
        assert file.nodata is not None and numpy.isnan(file.nodata)
        assert file.count == len(expected[0])
        assert all(month in (name or "") for month, name in zip(expected[0], file.descriptions))
        assert [file.xy(0, 0), file.xy(file.height - 1, file.width - 1)] == [
            pytest.approx((float(cube.x[0]), float(cube.y[0])), abs=1e-6),
            pytest.approx((float(cube.x[-1]), float(cube.y[-1])), abs=1e-6)]
        assert_same(file.read(), expected[1])
        numpy.testing.assert_array_equal(file.read(), cube.transpose("t", "y", "x").values)


def test_batch_job(connection, series, netcdf, tmp_path):
    job = main_job(connection, series).create_job(title="monthly NDVI", out_format="netCDF")
    assert job.status() == "created"
    job.start_and_wait(max_poll_interval=1, connection_retry_interval=1, print=lambda line: None)
    assert job.status() == "finished"
    assert job.describe()["title"] == "monthly NDVI"
    results = job.get_results()
    assets = results.get_assets()
    assert len(assets) == 1
    files = results.download_files(tmp_path, include_stac_metadata=False)
    assert files[0].read_bytes()
    xarray.testing.assert_identical(open_cube(files[0]).drop_attrs(), open_cube(netcdf).drop_attrs())
    # The signed link needs no token, and only as it was signed.
    signed = assets[0].href
    assert requests.get(signed, timeout=30).content == files[0].read_bytes()
    assert requests.get(signed[:-1] + ("0" if signed[-1] != "0" else "1"), timeout=30).status_code in (401, 403, 404)
    job.delete()
    assert job.job_id not in [entry["id"] for entry in connection.list_jobs()]


def test_batch_job_geotiff(connection, series, expected, tmp_path):
    job = main_job(connection, series).create_job(out_format="GTiff")
    job.start_and_wait(max_poll_interval=1, connection_retry_interval=1, print=lambda line: None)
    metadata = job.get_results().get_metadata()
    assert metadata["stac_version"] and metadata["type"] in ("Collection", "Feature") and metadata["assets"]
    [path] = [file for file in job.get_results().download_files(tmp_path) if file.suffix == ".tif"]
    with rasterio.open(path) as file:
        assert_same(file.read(), expected[1])


def test_ndvi_process(connection, series, expected, tmp_path):
    main_job(connection, series, way="ndvi").download(tmp_path / "ndvi.nc", format="netCDF")
    assert_same(open_cube(tmp_path / "ndvi.nc").transpose("t", "y", "x"), expected[1])


def test_ndvi_finds_the_bands_by_their_common_names(connection, series, netcdf, tmp_path):
    cube = connection.load_collection(series.collection, bands=[series.red, series.nir, series.quality])
    index = cube.ndvi().mask(series.mark_clouds(cube.band(series.quality)))
    index.aggregate_temporal_period("month", reducer="median").download(tmp_path / "ndvi.nc", format="netCDF")
    numpy.testing.assert_allclose(open_cube(tmp_path / "ndvi.nc").values, open_cube(netcdf).values, rtol=0, atol=1e-6)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_command_line_gives_the_same_bits(connection, series, netcdf, data, tmp_path, threads):
    graph, output = tmp_path / "graph.json", tmp_path / "ndvi.nc"
    graph.write_text(json.dumps(main_job(connection, series).save_result("netCDF").flat_graph()))
    twincube("run", graph, "-o", output, "--data", data, "--threads", threads)
    one, other = open_cube(output), open_cube(netcdf)
    assert one.values.tobytes() == other.values.tobytes() and one.values.dtype == other.values.dtype
    xarray.testing.assert_identical(one.drop_attrs(), other.drop_attrs())


def test_explain_shows_one_kernel(connection, series, data, tmp_path):
    """From the stored values to the median: one source, one kernel, three bands loaded once, no stage between."""
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps(main_job(connection, series).save_result("netCDF").flat_graph()))
    plan = twincube("explain", graph, "--data", data)
    stages = re.findall(r"^ +\d+ (source|kernel|[a-z]+) \"", plan, re.MULTILINE)
    assert stages == ["source", "kernel"], plan
    steps = plan.split("registers\n")[1].split("STORE")[0]
    assert steps.count("LOAD") == 3 and steps.count("MEDIAN") == 1, plan


def test_the_client_validates_the_graph(connection, series):
    assert main_job(connection, series).validate() == []


def test_collection_is_described(connection, series):
    description = connection.describe_collection(series.collection)
    dimensions = description["cube:dimensions"]
    assert {dimension["type"] for dimension in dimensions.values()} == {"spatial", "temporal", "bands"}
    bands = next(dimension for dimension in dimensions.values() if dimension["type"] == "bands")["values"]
    assert {series.red, series.nir, series.quality} <= set(bands)
    first, last = description["extent"]["temporal"]["interval"][0]
    assert first[:10].replace("-", "") == min(series.dates) and last[:10].replace("-", "") == max(series.dates)
