"""What save_result writes, read back with the tools that users have: rasterio, xarray, netCDF4, zarr, csv.

Cubes are given inline, so every value of a file is known. The command line runs the graphs; the server is asked for
what only it tells: the list of formats and the document of results.
"""

import csv
import json
import os
import subprocess

import netCDF4
import numpy as np
import openeo
import pyproj
import pytest
import rasterio
import xarray

from conftest import BINARY, twincube


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
                           "-o", os.path.join(folder, name)], capture_output=True, text=True, timeout=120)


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


# ---- statistics ----


def noisy(seed=1, dates=2, height=530, width=700):
    """Values with gaps: a band far from zero, one without any value, one with a single one."""
    random = np.random.default_rng(seed)
    values = np.empty((dates, 3, height, width), "float32")
    values[:, 0] = 1e6 + random.normal(size=(dates, height, width))
    values[:, 1] = np.nan
    values[:, 2] = np.nan
    values[0, 2, 7, 11] = 42
    values[:, 0, random.random((height, width)) < 0.2] = np.nan
    values[0, 0, :100] = np.nan
    return values


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A folder with a collection of two dates and three bands, as in noisy()."""
    folder = tmp_path_factory.mktemp("scenes")
    (folder / "S").mkdir()
    values = noisy()
    for date, bands in zip(("20200101", "20200109"), values):
        for name, band in zip(("B1", "B2", "B3"), bands):
            with rasterio.open(folder / "S" / f"s_{date}_{name}.tif", "w", driver="GTiff", width=band.shape[1],
                               height=band.shape[0], count=1, dtype="float32", crs="EPSG:32632", nodata=np.nan,
                               tiled=True, blockxsize=128, blockysize=128,
                               transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5e6)) as file:
                file.write(band, 1)
    twincube("catalogue", "add", "--data", folder, "--id", "S", "--datetime", "_([0-9]{8})_", "--band",
             "_(B[0-9])[.]tif$", folder / "S")
    return folder


def load(**arguments):
    return {"load": {"process_id": "load_collection",
                     "arguments": {"id": "S", "spatial_extent": None, "temporal_extent": None, **arguments}}}


def saved(scenes, tmp_path, format, name, nodes=None, threads=2, **options):
    """The file of a graph over the scenes."""
    nodes = nodes or load()
    done = run(scenes, {**nodes, **saving({"from_node": list(nodes)[-1]}, format, **options)}, tmp_path / name, threads)
    assert done.returncode == 0, done.stderr
    return tmp_path / name


def check_statistics(said, values):
    """What GDAL's tags or STAC say about the values of a band, NaN where missing."""
    known = values[np.isfinite(values)].astype(float)
    assert said["valid_percent"] == pytest.approx(100 * known.size / values.size)
    if known.size == 0:
        assert set(said) == {"valid_percent"}
        return
    assert (said["minimum"], said["maximum"]) == (known.min(), known.max())
    assert said["mean"] == pytest.approx(known.mean(), rel=1e-14)
    assert said["stddev"] == pytest.approx(known.std(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("options", [{}, {"cog": True}, {"compress": "lzw"}, {"compress": "none", "tiled": False},
                                     {"zlevel": 6}])
def test_statistics_in_geotiff(scenes, tmp_path, options):
    values = noisy().reshape(6, 530, 700)
    with rasterio.open(saved(scenes, tmp_path, "GTiff", "a.tif", **options)) as file:
        np.testing.assert_array_equal(file.read(), values)
        for band in range(6):
            tags = {key[11:].lower(): float(value) for key, value in file.tags(band + 1).items()
                    if key.startswith("STATISTICS_")}
            check_statistics(tags, values[band])
        assert "STATISTICS" not in file.tags()


@pytest.mark.parametrize("dtype, nodata",
                         [("uint8", 255), ("int16", -1), ("uint16", None), ("int32", 7), ("float64", -9999)])
def test_statistics_of_types(tmp_path, dtype, nodata):
    random = np.random.default_rng(3)
    values = random.integers(0, 251, (70, 90)).astype(dtype)
    if nodata is not None:
        values[random.random(values.shape) < 0.3] = nodata
    (tmp_path / "T").mkdir()
    with rasterio.open(tmp_path / "T" / "t_20200101_B1.tif", "w", driver="GTiff", width=90, height=70, count=1,
                       dtype=dtype, crs="EPSG:32632", nodata=nodata,
                       transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5e6)) as file:
        file.write(values, 1)
    twincube("catalogue", "add", "--data", tmp_path, "--id", "S", tmp_path / "T")
    with rasterio.open(saved(tmp_path, tmp_path, "GTiff", "a.tif")) as file:
        assert file.dtypes == (dtype,)
        tags = {key[11:].lower(): float(value) for key, value in file.tags(1).items() if key.startswith("STATISTICS_")}
    check_statistics(tags, np.where(values == nodata, np.nan, values) if nodata is not None else values.astype(float))


# ---- 64-bit integers ----


def words(folder, dtype, fill):
    """A netCDF collection of the type's extremes, and what is missing in it; fill None: the library's own."""
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    missing = int(netCDF4.default_fillvals[np.dtype(dtype).str[1:]]) if fill is None else fill
    values = np.array([[low + 1, high - 1, missing], [2**53 + 1, 2**53, 2**53 - 1], [7, high - 600, low + 600]], dtype)
    with netCDF4.Dataset(folder / "words.nc", "w") as file:
        for name, start in (("y", 90), ("x", 500)):
            file.createDimension(name, 3)
            axis = file.createVariable(name, "f8", (name,))
            axis.standard_name, axis.units = f"projection_{name}_coordinate", "m"
            axis[:] = [start, start + 10, start + 20]
        crs = file.createVariable("crs", "i4")
        crs.crs_wkt = pyproj.CRS("EPSG:32632").to_wkt()
        data = file.createVariable("data", dtype, ("y", "x"), fill_value=None if fill is None else dtype(fill))
        data.grid_mapping = "crs"
        data.set_auto_mask(False)
        data[:] = values
    twincube("catalogue", "add", "--data", folder, "--id", "S", folder / "words.nc")
    return values, values == missing


@pytest.mark.parametrize("dtype, fill", [
    (np.uint64, 2**64 - 1), (np.uint64, None), (np.uint64, 0), (np.uint64, 2**53 - 1), (np.int64, 2**63 - 1),
    (np.int64, -2**63), (np.int64, None), (np.int64, -1)])
def test_words_and_their_no_data_are_exact(tmp_path, dtype, fill):
    values, missing = words(tmp_path, dtype, fill)
    expected = [[None if gone else int(value) for value, gone in zip(*row)] for row in zip(values, missing)]

    def plane(nodes, name):
        data = json.loads(saved(tmp_path, tmp_path, "JSON", name, nodes).read_text())["data"]
        return np.array(data, object).reshape(3, 3).tolist()

    assert plane(load(), "a.json") == expected
    with netCDF4.Dataset(saved(tmp_path, tmp_path, "netCDF", "a.nc")) as file:
        data = file["data"]
        np.testing.assert_array_equal(np.ma.getmaskarray(data[:].reshape(3, 3)), missing)
        np.testing.assert_array_equal(data[:].reshape(3, 3)[~missing], values[~missing])
        mark = data._FillValue
    cube = xarray.open_zarr(saved(tmp_path, tmp_path, "Zarr", "a.zarr"), mask_and_scale=False)["data"]
    assert cube.dtype == dtype and cube.attrs.get("_FillValue", cube.encoding.get("_FillValue", mark)) == mark
    np.testing.assert_array_equal(cube.values.reshape(3, 3) == dtype(mark), missing)
    tiff = saved(tmp_path, tmp_path, "GTiff", "a.tif")
    assert str(mark).encode() + b"\0" in tiff.read_bytes()
    (tmp_path / "T").mkdir()
    (tmp_path / "T" / "t_20200101_B1.tif").write_bytes(tiff.read_bytes())
    twincube("catalogue", "add", "--data", tmp_path, "--id", "S", tmp_path / "T")
    assert plane(load(), "b.json") == expected[::-1]  # rows from the north
    nodes = load()
    nodes["seen"] = {"process_id": "apply", "arguments": {"data": {"from_node": "load"}, "process": {"process_graph": {
        "v": {"process_id": "is_valid", "arguments": {"x": {"from_parameter": "x"}}, "result": True}}}}}
    assert plane(nodes, "c.json") == [[not gone for gone in row] for row in missing[::-1].tolist()]


# ---- what other services' users ask of GeoTIFF ----


ROUGH = np.random.default_rng(9).normal(size=(300, 420)).round(2)


def tiff(folder, values=ROUGH, name="a.tif", **options):
    """The open file of a plane saved with the options."""
    return rasterio.open(save(folder, picture_cube(values), "GTiff", name, **options))


def stored(folder, dtype, bands=1, nodata=None, height=150, width=260):
    """Nodes that load a collection of random values of a type, and these."""
    values = np.random.default_rng(4).integers(0, 250, (bands, height, width)).astype(dtype)
    (folder / "T").mkdir()
    for band in range(bands):
        with rasterio.open(folder / "T" / f"t_20200101_B{band + 1}.tif", "w", driver="GTiff", width=width,
                           height=height, count=1, dtype=dtype, crs="EPSG:32632", nodata=nodata,
                           transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5e6)) as file:
            file.write(values[band], 1)
    twincube("catalogue", "add", "--data", folder, "--id", "S", folder / "T")
    return values


NAMES = {"deflate": "deflate", "none": None, "lzw": "lzw", "zstd": "zstd", "packbits": "packbits", "lzma": "lzma",
         "lerc": "lerc", "lerc_deflate": "lerc_deflate", "lerc_zstd": "lerc_zstd"}


@pytest.mark.parametrize("name, cog", [(name, False) for name in NAMES] +
                         [(name, True) for name in ("deflate", "none", "packbits", "lerc_zstd")])
def test_compressions_lose_nothing(tmp_path, name, cog):
    values = ROUGH.copy()
    values[30:60, 100:] = np.nan
    if cog and name == "packbits":
        assert "lerc_zstd" in refusal(tmp_path, picture_cube(values), "GTiff", compress=name, cog=True)
        return
    with tiff(tmp_path, values, compression=name.upper(), cog=cog) as file:
        np.testing.assert_array_equal(file.read(1), values)
        said = file.tags(ns="IMAGE_STRUCTURE").get("COMPRESSION", "").lower() or None
        assert said == NAMES[name]


@pytest.mark.parametrize("cog", [False, True])
def test_compressions_of_bytes(tmp_path, cog):
    values = stored(tmp_path, "uint8", bands=3)
    with rasterio.open(saved(tmp_path, tmp_path, "GTiff", "w.tif", compress="webp", cog=cog)) as file:
        assert "WEBP" in file.tags(ns="IMAGE_STRUCTURE")["COMPRESSION"].upper()
        np.testing.assert_array_equal(file.read(), values)
    sizes = []
    for quality in (10, 90):
        with rasterio.open(saved(tmp_path, tmp_path, "GTiff", "j.tif", compress="jpeg", cog=cog,
                                 quality=quality)) as file:
            assert "JPEG" in file.tags(ns="IMAGE_STRUCTURE")["COMPRESSION"].upper()
            sizes.append((tmp_path / "j.tif").stat().st_size)
            assert abs(file.read().astype(float) - values).mean() < 80  # noise; JPEG is at its worst
    assert sizes[0] < sizes[1] / 2
    two = load(bands=["B1", "B2"])
    done = run(tmp_path, {**two, **saving({"from_node": "load"}, "GTiff", compress="webp")}, "x.tif")
    assert done.returncode == 1 and "3 or 4 bands; this one has 2" in done.stderr


def test_what_would_blur_no_data_is_refused(tmp_path):
    stored(tmp_path, "uint8", nodata=7)
    done = run(tmp_path, {**load(), **saving({"from_node": "load"}, "GTiff", compress="jpeg")}, "x.tif")
    assert done.returncode == 1 and "FormatUnsuitable" in done.stderr and "blur" in done.stderr


@pytest.mark.parametrize("options, words", [
    ({"compress": "jpeg"}, ["float64", "jpeg", "deflate, none, lzw"]),
    ({"compress": "middle-out"}, ["lerc_zstd", "middle-out"]),
    ({"compress": "lzma", "zlevel": 10}, ["zlevel", "1 to 9"]),
    ({"compress": "lerc", "predictor": 2}, ["predictor", "lerc"]),
    ({"predictor": 2}, ["predictor", "float64"]),
    ({"predictor": 4}, ["predictor", "1 to 3"]),
    ({"tile_size": 100}, ["tile_size", "multiple of 16"]),
    ({"tile_size": 64, "cog": True}, ["tile_size", "128"]),
    ({"tile_size": 1 << 20}, ["tile_size", "2048"]),
    ({"overviews": "SOME"}, ["overviews", "auto"]),
    ({"overview_method": "best"}, ["overview_method", "cubicspline"]),
    ({"bands_metadata": 3}, ["bands_metadata", "object"]),
    ({"bands_metadata": {"B1": "x"}}, ["B1", "object"]),
    ({"bands_metadata": {"B1": {"SCALE": "much"}}}, ["SCALE", "number", "much"]),
    ({"bands_metadata": {"B1": {"a": "b"}}}, ["B1", "no dimension of bands"]),
    ({"file_metadata": "x"}, ["file_metadata", "object"])])
def test_options_that_cannot_be_met_are_refused(tmp_path, options, words):
    said = refusal(tmp_path, picture_cube(ROUGH[:40, :40]), "GTiff", **options)
    assert "ProcessParameterInvalid" in said and "options" in said
    assert all(word in said for word in words), said


def test_options_that_are_null_are_left_out(tmp_path):
    with tiff(tmp_path, compress=None, tile_size=None, overviews=None, bands_metadata=None, file_metadata=None) as file:
        np.testing.assert_array_equal(file.read(1), ROUGH)
        assert file.overviews(1) == []


@pytest.mark.parametrize("size, compress",
                         [(16, "none"), (48, "deflate"), (128, "lzw"), (208, "none"), (1024, "deflate")])
def test_tile_size(tmp_path, size, compress):
    with tiff(tmp_path, tile_size=size, compress=compress) as file:
        smaller = [min(size, -(-side // 16) * 16) for side in ROUGH.shape]
        assert list(file.block_shapes[0]) == (smaller if compress != "lzw" else [size, size])
        np.testing.assert_array_equal(file.read(1), ROUGH)
    with tiff(tmp_path, tile_size=128, compress=compress, cog=True) as file:
        assert file.block_shapes[0] == (128, 128) and file.overviews(1) == [2, 4]


@pytest.mark.parametrize("predictor", [1, 2, 3])
@pytest.mark.parametrize("options", [{"zlevel": 6}, {"cog": True}, {"compress": "zstd"}])
def test_predictor(scenes, tmp_path, predictor, options):
    nodes = load(temporal_extent=["2020-01-01", "2020-01-02"], bands=["B1"])
    with rasterio.open(saved(scenes, tmp_path, "GTiff", "a.tif", nodes, predictor=predictor, **options)) as file:
        np.testing.assert_array_equal(file.read(1), noisy()[0, 0])
        assert int(file.tags(ns="IMAGE_STRUCTURE").get("PREDICTOR", 1)) == predictor


def halved(values, method):
    """The first overview by GDAL itself, of a file of our values."""
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", width=values.shape[1], height=values.shape[0], count=1, dtype="float64",
                         nodata=np.nan) as file:
            file.write(values, 1)
            file.build_overviews([2], rasterio.enums.Resampling[method])
        with memory.open(overview_level=0) as file:
            return file.read(1)


@pytest.mark.parametrize("method, options", [
    ("nearest", {"overviews": "AUTO", "overview_resample": None}), ("average", {"overviews": True}),
    ("cubic", {"cog": True}), ("bilinear", {"compress": "lzw", "overviews": "auto"}),
    ("rms", {"overviews": "AUTO", "tiled": False})])
def test_overviews(tmp_path, method, options):
    values = ROUGH.copy()
    values[30:60, 100:] = np.nan
    with tiff(tmp_path, values, tile_size=128, overview_method=method, **options) as file:
        np.testing.assert_array_equal(file.read(1), values)
        assert file.overviews(1) == [2, 4]
        assert float(file.tags(1)["STATISTICS_MAXIMUM"]) == np.nanmax(values)
    with rasterio.open(tmp_path / "a.tif", overview_level=0) as file:
        np.testing.assert_allclose(file.read(1), halved(values, method), rtol=1e-6, atol=1e-7)  # made from float32


@pytest.mark.parametrize("options", [{"overviews": "OFF"}, {"cog": True, "overviews": "OFF"}, {},
                                     {"cog": True, "overviews": False}])
def test_no_overviews(tmp_path, options):
    with tiff(tmp_path, tile_size=128, **options) as file:
        assert file.overviews(1) == []


@pytest.mark.parametrize("options", [{}, {"cog": True}, {"compress": "zstd"}, {"overviews": "AUTO", "tile_size": 128}])
def test_metadata_of_bands_and_file(scenes, tmp_path, options):
    path = saved(scenes, tmp_path, "GTiff", "a.tif", file_metadata={"Mission": "A & B <1>", "n": 3}, bands_metadata={
        "B2": {"scale": 0.5, "OFFSET": -3, "ARBITRARY": "ä", "unit": "K"}, "B3": {"DESCRIPTION": "third"}}, **options)
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(), noisy().reshape(6, 530, 700))
        assert file.scales == (1, 0.5, 1) * 2 and file.offsets == (0, -3, 0) * 2 and file.units[1] == "K"
        assert [file.tags(band + 1).get("ARBITRARY") for band in range(6)] == [None, "ä", None] * 2
        assert [name == "third" for name in file.descriptions] == [False, False, True] * 2
        assert file.tags()["Mission"] == "A & B <1>" and file.tags()["n"] == "3"
        assert float(file.tags(1)["STATISTICS_MAXIMUM"]) == np.nanmax(noisy()[0, 0])


def test_metadata_of_bands_in_files_of_their_own(scenes, tmp_path):
    nodes = {**load(temporal_extent=["2020-01-01", "2020-01-02"]),
             **saving({"from_node": "load"}, "GTiff", separate_bands=True, bands_metadata={"B2": {"SCALE": 2}})}
    assert run(scenes, nodes, f"{tmp_path}/").returncode == 0
    with rasterio.open(tmp_path / "save_B2.tif") as two, rasterio.open(tmp_path / "save_B1.tif") as one:
        assert (one.scales, two.scales) == ((1,), (2,))
    nodes = {**load(), **saving({"from_node": "load"}, "GTiff", bands_metadata={"B9": {}})}
    said = run(scenes, nodes, "x.tif").stderr
    assert "B9" in said and "B1, B2, B3" in said


def test_options_of_geotiff_are_listed(connection):
    listed = connection.list_file_formats()["output"]["GTiff"]["parameters"]
    assert set(NAMES) <= set(listed["compress"]["enum"])
    assert {"tile_size", "bands_metadata", "file_metadata", "overviews", "overview_resampling",
            "predictor"} <= set(listed)
    assert all(schema["description"].endswith(".") for schema in listed.values())


def results_of(connection, graph):
    job = connection.create_job(graph)
    job.start_and_wait(max_poll_interval=0.2, print=lambda text: None)
    return job.get_results().get_metadata()


@pytest.mark.parametrize("format", ["GTiff", "netCDF"])
def test_bands_of_results(connection, catalogue, scenes, format):
    catalogue.add("NOISE", scenes / "S", "--datetime", "_([0-9]{8})_", "--band", "_(B[0-9])[.]tif$")
    graph = {**load(id="NOISE"), **saving({"from_node": "load"}, format)}
    document = results_of(connection, graph)
    (asset,) = document["assets"].values()
    values = noisy()
    expected = values.reshape(6, 530, 700) if format == "GTiff" else values.swapaxes(0, 1).reshape(3, 1060, 700)
    assert document["stac_version"] == "1.1.0" and len(asset["bands"]) == len(expected)
    for band, truth in zip(asset["bands"], expected):
        assert band["data_type"] == "float32" and band["nodata"] == "nan" and band["name"]
        count = band["statistics"].pop("count", 0)
        assert count == np.isfinite(truth).sum()
        check_statistics(band["statistics"], truth)
    assert [band["name"][-2:] for band in asset["bands"]][:3] == ["B1", "B2", "B3"]


def test_results_without_time_claim_no_date(connection, catalogue, scenes):
    catalogue.add("NOISE", scenes / "S", "--datetime", "_([0-9]{8})_", "--band", "_(B[0-9])[.]tif$")
    mean = {"process_graph": {"m": {"process_id": "mean", "arguments": {"data": {"from_parameter": "data"}},
                                    "result": True}}}
    graph = {**load(id="NOISE"),
             "mean": {"process_id": "reduce_dimension",
                      "arguments": {"data": {"from_node": "load"}, "dimension": "t", "reducer": mean}},
             **saving({"from_node": "mean"}, "GTiff")}
    document = results_of(connection, graph)
    (asset,) = document["assets"].values()
    assert not {"datetime", "start_datetime", "end_datetime"} & set(asset)
    assert document["extent"]["temporal"]["interval"] == [[None, None]]
    dated = results_of(connection, {**load(id="NOISE"), **saving({"from_node": "load"}, "GTiff")})
    assert dated["extent"]["temporal"]["interval"] == [["2020-01-01T00:00:00Z", "2020-01-09T00:00:00Z"]]


# ---- the same bytes ----


@pytest.mark.parametrize("format, name", [("GTiff", "a.tif"), ("netCDF", "a.nc"), ("COG", "a.tif")])
def test_bytes_do_not_depend_on_who_was_faster(scenes, tmp_path, format, name):
    def slow():  # tiles of very different cost: long roots where there are values, little where there are none
        return {"process_graph": {
            "a": {"process_id": "power", "arguments": {"base": {"from_parameter": "x"}, "p": 0.3}},
            "b": {"process_id": "sin", "arguments": {"x": {"from_node": "a"}}, "result": True}}}
    graph = {**load(), "long": {"process_id": "apply", "arguments": {"data": {"from_node": "load"}, "process": slow()}}}
    files = {saved(scenes, tmp_path, format, f"{i}{name}", graph, threads=threads, zlevel=1).read_bytes()
             for i, threads in enumerate((1, 2, 2, 2, 3))}
    assert len(files) == 1


# ---- tables and values ----


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_csv_in_long_form(tmp_path):
    values = np.arange(12.0).reshape(2, 3, 2) / 8
    values[1, 2, 0] = np.nan
    cube = inline_cube(values, t={"type": "temporal", "values": ["2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"]},
                       bands={"type": "bands", "values": ['B "1", red', "B2", "B3"]},
                       x=spatial("x", [500, 510.5]))
    head, *rows = rows_of(save(tmp_path, cube, "csv", "a.csv"))
    assert head == ["t", "x", 'B "1", red', "B2", "B3"] and len(rows) == 4
    for row, (t, x) in zip(rows, ((0, 0), (0, 1), (1, 0), (1, 1))):
        assert row[:2] == [f"2020-0{t + 1}-01T00:00:00Z", ("500", "510.5")[x]]
        assert [float(cell) if cell else None for cell in row[2:]] == [
            None if np.isnan(value) else value for value in values[t, :, x]]


def test_csv_without_bands(scenes, tmp_path):
    nodes = load(bands=["B1"])
    nodes["drop"] = {"process_id": "drop_dimension", "arguments": {"data": {"from_node": "load"}, "name": "bands"}}
    nodes["few"] = {"process_id": "filter_bbox", "arguments": {
        "data": {"from_node": "drop"},
        "extent": {"west": 500000, "east": 500040, "south": 4997000, "north": 4998970, "crs": 32632}}}
    head, *rows = rows_of(saved(scenes, tmp_path, "CSV", "a.csv", nodes))
    assert head == ["t", "y", "x", "value"]
    truth = noisy()[:, 0, 103:300, :4]
    assert len(rows) == truth.size
    got = np.array([float(row[3]) if row[3] else np.nan for row in rows], "float32").reshape(truth.shape)
    np.testing.assert_array_equal(got, truth)


@pytest.mark.parametrize("value, text", [
    (5, "5"), ([1, None, 2.5], "[1,null,2.5]"), (True, "true"), ("a text", '"a text"'), ({"a": [1]}, '{"a":[1]}')])
def test_values_as_json(tmp_path, value, text):
    path = save(tmp_path, value, "JSON", "a.json")
    assert json.loads(path.read_text()) == value and path.read_text().replace(" ", "") == text.replace(" ", "") + "\n"


@pytest.mark.parametrize("value, table", [
    (2.5, [["value"], ["2.5"]]),
    ([1, None, 3], [["index", "value"], ["0", "1"], ["1", ""], ["2", "3"]]),
    ([[1, 2], [3, 4]],
     [["index", "index2", "value"], ["0", "0", "1"], ["0", "1", "2"], ["1", "0", "3"], ["1", "1", "4"]]),
    ({"a": [1, 2], "b": [3, None]}, [["index", "a", "b"], ["0", "1", "3"], ["1", "2", ""]]),
    ([{"a": 1, "b": 2}, {"b": 4, "a": 3}], [["index", "a", "b"], ["0", "1", "2"], ["1", "3", "4"]])])
def test_values_as_csv_and_netcdf(tmp_path, value, table):
    assert rows_of(save(tmp_path, value, "CSV", "a.csv")) == table
    with netCDF4.Dataset(save(tmp_path, value, "netCDF", "a.nc")) as file:
        names = [name for name in table[0] if not name.startswith("index")]
        for column, name in enumerate(names, len(table[0]) - len(names)):
            cells = np.ma.masked_invalid(file["var" if name == "value" else name][...]).filled(np.nan).ravel()
            np.testing.assert_array_equal(cells, [float(row[column] or "nan") for row in table[1:]])


@pytest.mark.parametrize("value", [
    "a text", [1, "a"], [[1, 2], [3]], {"a": [1, 2], "b": [1]}, {}, [{"a": 1}, {"b": 2}]])
def test_values_that_are_no_table(tmp_path, value):
    text = refusal(tmp_path, value, "CSV")
    assert "FormatUnsuitable" in text or "ProcessParameterInvalid" in text


def test_a_value_saved_beside_a_cube(scenes, tmp_path):
    nodes = {**load(bands=["B1"]), "sum": {"process_id": "add", "arguments": {"x": 1, "y": 2}},
             "note": {"process_id": "save_result", "arguments": {"data": {"from_node": "sum"}, "format": "JSON"}},
             **saving({"from_node": "load"}, "GTiff")}
    done = run(scenes, nodes, tmp_path / "a.tif")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", "a_note.json"]
    assert json.loads((tmp_path / "a_note.json").read_text()) == 3


def test_a_number_through_the_server(connection):
    graph = saving(7, "JSON")
    assert connection.execute(graph) == 7
    (asset,) = results_of(connection, graph)["assets"].values()
    assert asset["type"] == "application/json"
    table = connection.download(saving([1, 2], "CSV"))
    assert table == b"index,value\r\n0,1\r\n1,2\r\n"


# ---- Zarr ----


def open_zarr(path):
    if path.suffix == ".zip":
        import zarr

        return xarray.open_zarr(zarr.storage.ZipStore(path, mode="r"), decode_coords="all")
    return xarray.open_zarr(path, decode_coords="all")


@pytest.mark.parametrize("name", ["a.zarr", "a.zarr.zip"])
@pytest.mark.parametrize("options", [
    {}, {"version": 3}, {"compress": "deflate"}, {"version": 3, "compress": "deflate", "zlevel": 6},
    {"version": 3, "compress": "none"}])
def test_zarr_opens_in_xarray(scenes, tmp_path, name, options):
    values = noisy()
    with open_zarr(saved(scenes, tmp_path, "Zarr", name, **options)) as cube:
        assert set(cube.data_vars) == {"B1", "B2", "B3"} and cube.B1.dtype == "float32"
        for band in range(3):
            np.testing.assert_array_equal(cube[f"B{band + 1}"].transpose("t", "y", "x"), values[:, band])
        assert [str(time)[:10] for time in cube.t.values] == ["2020-01-01", "2020-01-09"]
        assert cube.x[:2].values.tolist() == [500005, 500015] and cube.y[:2].values.tolist() == [4999995, 4999985]
        assert pyproj.CRS(cube.crs.attrs["crs_wkt"]) == pyproj.CRS(32632)


def test_zarr_bytes_do_not_depend_on_who_was_faster(scenes, tmp_path):
    files = {saved(scenes, tmp_path, "Zarr", f"{threads}{i}.zarr.zip", threads=threads).read_bytes()
             for threads in (1, 2, 3) for i in range(2)}
    assert len(files) == 1


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype, nodata", [("uint8", 255), ("int16", -1), ("float64", -9999), ("uint16", None)])
def test_zarr_types_and_missing_values(tmp_path, version, dtype, nodata):
    values = np.random.default_rng(5).integers(0, 9, (40, 50)).astype(dtype)
    if nodata is not None:
        values[::3] = nodata
    (tmp_path / "T").mkdir()
    with rasterio.open(tmp_path / "T" / "t_20200101_B1.tif", "w", driver="GTiff", width=50, height=40, count=1,
                       dtype=dtype, crs="EPSG:32632", nodata=nodata,
                       transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5e6)) as file:
        file.write(values, 1)
    twincube("catalogue", "add", "--data", tmp_path, "--id", "S", tmp_path / "T")
    with open_zarr(saved(tmp_path, tmp_path, "Zarr", "a.zarr.zip", version=version)) as cube:
        (band,) = cube.data_vars.values()
        truth = values.astype(float) if nodata is None else np.where(values == nodata, np.nan, values.astype(float))
        np.testing.assert_array_equal(band.squeeze(), truth)
        assert nodata is not None or band.dtype == dtype


@pytest.mark.parametrize("calendar", ["proleptic_gregorian", "noleap", "all_leap", "360_day", "julian"])
@pytest.mark.parametrize("format, name", [("Zarr", "a.zarr"), ("netCDF", "a.nc")])
def test_dates_keep_their_calendar(tmp_path, format, name, calendar):
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as file:
        for axis, points in (("time", [58, 60]), ("lat", [50.0, 49.0]), ("lon", [10.0, 11.0])):
            file.createDimension(axis, 2)
            file.createVariable(axis, "f8", (axis,))[:] = points
        file["time"].setncatts({"units": "days since 2000-01-01", "calendar": calendar, "standard_name": "time"})
        file["lat"].setncatts({"units": "degrees_north", "standard_name": "latitude"})
        file["lon"].setncatts({"units": "degrees_east", "standard_name": "longitude"})
        file.createVariable("v", "f4", ("time", "lat", "lon"))[:] = np.arange(8).reshape(2, 2, 2)
    twincube("catalogue", "add", "--data", tmp_path, "--id", "S", tmp_path / "in.nc")
    written = saved(tmp_path, tmp_path, format, name)
    opened = open_zarr(written) if format == "Zarr" else xarray.open_dataset(written)
    with opened as cube, xarray.open_dataset(tmp_path / "in.nc") as truth:
        (time,) = (coordinate for coordinate in cube.coords.values() if coordinate.attrs.get("standard_name") == "time")
        assert time.encoding["calendar"] == calendar
        assert [str(date) for date in time.values] == [str(date) for date in truth["time"].values]


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_of_odd_cubes(tmp_path, version):
    names = {"type": "other", "values": ["a/b", "ü"]}
    with open_zarr(save(tmp_path, inline_cube(np.array([1.5, np.nan]), **{"x/..": names}), "zarr", "a.zarr.zip",
                        version=version)) as cube:
        assert cube["var"].values[0] == 1.5 and np.isnan(cube["var"].values[1])
        assert cube["x_.."].values.tolist() == ["a/b", "ü"]
    with open_zarr(save(tmp_path, 7.25, "zarr", "b.zarr.zip", version=version)) as cube:
        assert cube["var"].item() == 7.25


def test_a_zarr_folder_is_not_written_over(scenes, tmp_path):
    (tmp_path / "a.zarr").mkdir()
    done = run(scenes, {**load(), **saving({"from_node": "load"}, "Zarr")}, tmp_path / "a.zarr")
    assert done.returncode == 1 and "StorageFailure" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"] and not list((tmp_path / "a.zarr").iterdir())


@pytest.mark.parametrize("format, name", [("Zarr", "a.zarr.zip"), ("netCDF", "a.nc"), ("GTiff", "a.tif")])
def test_a_crop_that_begins_within_a_block(scenes, tmp_path, format, name):
    nodes = load(spatial_extent={"west": 500500, "east": 506900, "south": 4994800, "north": 4999500, "crs": 32632})
    values = noisy()[:, :, 50:520, 50:690]
    path = saved(scenes, tmp_path, format, name, nodes)
    if format == "GTiff":
        with rasterio.open(path) as file:
            np.testing.assert_array_equal(file.read(), values.reshape(6, 470, 640))
        return
    with open_zarr(path) if format == "Zarr" else xarray.open_dataset(path) as cube:
        for band in range(3):
            np.testing.assert_array_equal(cube[f"B{band + 1}"].transpose("t", "y", "x"), values[:, band])


# ---- one file a date, one a band ----


def test_a_file_for_each_date_and_band(scenes, tmp_path):
    values = noisy()
    graph = {**load(), **saving({"from_node": "load"}, "GTiff", separate_dates=True, separate_bands=True,
                                filename_prefix="ndvi/my")}
    done = run(scenes, graph, f"{tmp_path}/")
    assert done.returncode == 0, done.stderr
    names = {f"ndvi_my_2020-01-0{day}_B{band}.tif": (t, band - 1)
             for t, day in enumerate((1, 9)) for band in (1, 2, 3)}
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    for name, (t, band) in names.items():
        with rasterio.open(tmp_path / name) as file:
            np.testing.assert_array_equal(file.read(), values[t, band:band + 1])
            assert file.tags(1)["BAND"] == f"B{band + 1}" and file.tags(1)["TIME"].startswith("2020-01-0")


def test_a_file_for_each_date_of_a_job(connection, catalogue, scenes):
    catalogue.add("NOISE", scenes / "S", "--datetime", "_([0-9]{8})_", "--band", "_(B[0-9])[.]tif$")
    graph = {**load(id="NOISE"), **saving({"from_node": "load"}, "GTiff", separate_dates=True)}
    assets = results_of(connection, graph)["assets"]
    assert set(assets) == {"save_2020-01-01.tif", "save_2020-01-09.tif"}
    for name, asset in assets.items():
        assert asset["datetime"] == f"{name[5:15]}T00:00:00Z" and len(asset["bands"]) == 3
    with pytest.raises(openeo.rest.OpenEoApiError, match="FeatureUnsupported"):
        connection.download(graph)
    prefixed = {**load(id="NOISE"), **saving({"from_node": "load"}, "netCDF", filename_prefix="mine")}
    assert set(results_of(connection, prefixed)["assets"]) == {"mine.nc"}


# ---- edges ----


@pytest.mark.parametrize("format, name", [("GTiff", "a.tif"), ("COG", "a.tif"), ("netCDF", "a.nc"), ("PNG", "a.png"),
                                          ("CSV", "a.csv"), ("Zarr", "a.zarr.zip"), ("WebP", "a.webp")])
def test_one_pixel(tmp_path, format, name):
    assert save(tmp_path, picture_cube([[7.5]]), format, name).stat().st_size > 0


@pytest.mark.parametrize("format", ["GTiff", "netCDF", "PNG", "JPEG", "Zarr"])
def test_empty_cubes_are_refused(tmp_path, format):
    empty = inline_cube(np.empty((0, 2, 2)), t={"type": "temporal", "values": []}, y=spatial("y", [20, 10]),
                        x=spatial("x", [5, 15]))
    assert "DataCubeEmpty" in refusal(tmp_path, empty, format)


def test_labels_of_all_kinds(tmp_path):
    labels = ["a" * 5000, "b/c", "", "d\ne", 'f"<&>g', "ü" * 300]
    cube = inline_cube(np.arange(24.0).reshape(6, 2, 2), bands={"type": "bands", "values": labels},
                       y=spatial("y", [20, 10]), x=spatial("x", [5, 15]))
    with rasterio.open(save(tmp_path, cube, "GTiff", "a.tif")) as file:
        assert file.count == 6 and file.tags(5)["BAND"] == 'f"<&>g' and file.tags(5)["STATISTICS_MAXIMUM"] == "19"
    with xarray.open_dataset(save(tmp_path, cube, "netCDF", "a.nc")) as file:
        assert len(file.data_vars) - ("crs" in file.data_vars) == 6
    with open_zarr(save(tmp_path, cube, "Zarr", "a.zarr.zip")) as file:
        assert len(file.data_vars) - ("crs" in file.data_vars) == 6
    assert rows_of(save(tmp_path, cube, "CSV", "a.csv"))[0] == ["y", "x", *labels]


def test_too_many_bands_are_refused(tmp_path):
    cube = inline_cube(np.zeros((65536, 1, 1)), t={"type": "other", "values": list(range(65536))},
                       y=spatial("y", [20]), x=spatial("x", [5]))
    assert "65535" in refusal(tmp_path, cube, "GTiff")
