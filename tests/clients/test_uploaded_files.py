"""load_uploaded_files: what a user has uploaded as a cube, against rasterio, xarray and shapely."""

import io
import json
import tempfile
import zipfile

import numpy
import pytest
import rasterio
import requests
import shapely
import xarray
from rasterio.transform import from_origin

from test_server_api import Server, add_user, assert_error, graph, run

DTYPES = ("uint8", "int16", "float32", "float64")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    for name in ("alice", "bob"):
        add_user(data, name)
    server = Server(data, "--workers", "1").login()
    yield server
    assert server.stop() == 0


@pytest.fixture(autouse=True)
def empty(server):
    yield
    for file in server.call("GET", "/files").json()["files"]:
        assert server.session.delete(server.api + "/files/" + requests.utils.quote(file["path"])).status_code == 204


def put(server, path, body):
    answer = server.session.put(server.api + "/files/" + requests.utils.quote(path), data=body, timeout=60)
    assert answer.status_code == 200, answer.text


def raster(values, west=500000, north=4600000, resolution=10, crs="EPSG:32632", nodata=None, names=(), driver="GTiff",
           scale=None, offset=0):
    """The bytes of a raster; values of shape (y, x) or (band, y, x)."""
    values = numpy.atleast_3d(values.T).T if values.ndim == 2 else values
    profile = {"driver": driver, "count": values.shape[0], "height": values.shape[1], "width": values.shape[2],
               "dtype": values.dtype, "crs": crs, "nodata": nodata,
               "transform": from_origin(west, north, resolution, resolution)}
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(values)
            for i, name in enumerate(names):
                file.set_band_description(i + 1, name)
            if scale:
                file.scales, file.offsets = (scale,) * values.shape[0], (offset,) * values.shape[0]
        return memory.read()


def load(server, paths, format="GTiff", save="netCDF", **options):
    return server.result({
        "load": {"process_id": "load_uploaded_files",
                 "arguments": {"paths": paths, "format": format, **({"options": options} if options else {})}},
        "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": save},
                 "result": True}})


def cube(server, paths, format="GTiff", **options):
    """The cube as an array with its dimensions; a variable a band."""
    answer = load(server, paths, format, **options)
    assert answer.status_code == 200, answer.text
    with tempfile.NamedTemporaryFile(suffix=".nc") as file:
        file.write(answer.content)
        file.flush()
        with xarray.open_dataset(file.name, mask_and_scale=False) as found:
            return found.load()


def numbers(count, *shape, dtype="float32", seed=1):
    values = numpy.random.default_rng(seed).integers(1, 200, (count, *shape) if count else shape)
    return values.astype(dtype)


# ---- rasters ----


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_raster(server, dtype):
    values = numbers(0, 7, 9, dtype=dtype)
    put(server, "one.tif", raster(values))
    found = cube(server, ["one.tif"])
    [name] = [n for n in found.data_vars if found[n].ndim >= 2]
    assert found[name].dims[-2:] == ("y", "x") and "t" not in found.dims and found[name].dtype == dtype
    numpy.testing.assert_array_equal(found[name].squeeze().values, values)
    numpy.testing.assert_allclose(found.x.values, 500005 + 10 * numpy.arange(9))
    numpy.testing.assert_allclose(found.y.values, 4599995 - 10 * numpy.arange(7))


@pytest.mark.parametrize("path", ["a/b/one.tif", "/a/b/one.tif", "./a/b/one.tif", "//a//b/one.tif", "././a/b/one.tif"])
def test_ways_to_write_a_path(server, path):
    put(server, "a/b/one.tif", raster(numbers(0, 2, 2)))
    assert load(server, [path]).status_code == 200


def test_bands_of_a_file(server):
    values = numbers(3, 4, 5)
    put(server, "named", raster(values, names=("red", "nir", "mask")))
    put(server, "plain", raster(values))
    for path, names in (("named", ["red", "nir", "mask"]), ("plain", ["B1", "B2", "B3"])):
        found = cube(server, [path])
        assert [n for n in found.data_vars if n in names] == names
        for i, name in enumerate(names):
            numpy.testing.assert_array_equal(found[name].values, values[i])


def test_files_as_bands(server):
    values = numbers(3, 4, 5)
    for names in (("B02", "B03", "B04"), ("red", "green", "blue")):
        for i, name in enumerate(names):
            put(server, f"s_{name}.tif" if name[0] == "B" else f"{name}.tif", raster(values[i]))
        found = cube(server, [f"s_{n}.tif" if n[0] == "B" else f"{n}.tif" for n in names])
        for i, name in enumerate(names):
            numpy.testing.assert_array_equal(found[name].values, values[i])


def test_tiles_of_one_band(server):
    values = numbers(0, 6, 10)
    put(server, "left.tif", raster(values[:, :4]))
    put(server, "right.tif", raster(values[:, 4:], west=500040))
    put(server, "low.tif", raster(values[4:, :4], north=4600000 - 40))
    put(server, "left_top.tif", raster(values[:4, :4]))
    for paths in (["left.tif", "right.tif"], ["right.tif", "low.tif", "left_top.tif"]):
        found = cube(server, paths)
        [name] = [n for n in found.data_vars if found[n].ndim >= 2]
        numpy.testing.assert_array_equal(found[name].squeeze().values, values)


def test_dates_in_names(server):
    values = numbers(4, 3, 3)
    dates = ["2021-03-01", "2020-01-05", "2020-12-31", "2021-01-01"]
    for date, plane in zip(dates, values):
        put(server, f"ndvi_{date}.tif", raster(plane))
    found = cube(server, [f"ndvi_{date}.tif" for date in dates])
    assert list(found.t.values.astype("datetime64[D]").astype(str)) == sorted(dates)
    [name] = [n for n in found.data_vars if found[n].ndim >= 3]
    for date, plane in zip(dates, values):
        numpy.testing.assert_array_equal(found[name].sel(t=date).squeeze().values, plane)
    put(server, "undated.tif", raster(values[0]))
    assert_error(load(server, ["undated.tif", "ndvi_2020-01-05.tif"]), 400, "FormatUnsuitable")


def test_dates_and_bands(server):
    values = numbers(4, 3, 3)
    names = ["red_20200101.tif", "nir_20200101.tif", "red_20200201.tif", "nir_20200201.tif"]
    for name, plane in zip(names, values):
        put(server, name, raster(plane))
    found = cube(server, names)
    for name, plane in zip(names, values):
        band, date = name.removesuffix(".tif").split("_")
        numpy.testing.assert_array_equal(found[band].sel(t=date).values, plane)


def test_no_data_and_packing(server):
    values = numbers(2, 3, 4, dtype="int16")
    values[0, 1, 1] = values[1, 2, 0] = -9
    put(server, "a_20200101.tif", raster(values[0], nodata=-9, scale=0.5, offset=1))
    put(server, "a_20200102.tif", raster(values[1], nodata=-9, scale=2.0))
    found = cube(server, ["a_20200101.tif", "a_20200102.tif"])
    [name] = [n for n in found.data_vars if found[n].ndim >= 3]
    meant = numpy.where(values == -9, numpy.nan, values * numpy.array([0.5, 2.0])[:, None, None] +
                        numpy.array([1, 0])[:, None, None])
    numpy.testing.assert_array_equal(found[name].squeeze().values, meant)  # they differ: loaded as what they stand for
    found = cube(server, ["a_20200101.tif"])
    [name] = [n for n in found.data_vars if found[n].ndim >= 3]
    numpy.testing.assert_array_equal(found[name].squeeze().values, values[0])  # stored values and their meaning
    assert found[name].attrs["scale_factor"] == 0.5 and found[name].attrs["_FillValue"] == -9


def test_another_grid_is_resampled_to_the_first(server):
    put(server, "fine.tif", raster(numbers(0, 8, 8), resolution=10))
    coarse = numbers(0, 4, 4, seed=2)
    put(server, "coarse.tif", raster(coarse, resolution=20, west=500080))
    found = cube(server, ["fine.tif", "coarse.tif"])
    [name] = [n for n in found.data_vars if found[n].ndim >= 2]
    assert found[name].shape[-2:] == (8, 16)
    numpy.testing.assert_array_equal(found[name].squeeze().values[:, 8:], numpy.kron(coarse, numpy.ones((2, 2))))


def test_what_is_done_with_it(server):
    values = numbers(2, 5, 6)
    put(server, "two.tif", raster(values, names=("red", "nir")))
    answer = server.result({
        "load": {"process_id": "load_uploaded_files", "arguments": {"paths": ["two.tif"], "format": "geotiff"}},
        "ndvi": {"process_id": "reduce_dimension", "arguments": {
            "data": {"from_node": "load"}, "dimension": "bands", "reducer": {"process_graph": {
                "n": {"process_id": "normalized_difference", "arguments": {
                    "x": {"from_node": "b"}, "y": {"from_node": "a"}}, "result": True},
                "a": {"process_id": "array_element",
                      "arguments": {"data": {"from_parameter": "data"}, "label": "red"}},
                "b": {"process_id": "array_element",
                      "arguments": {"data": {"from_parameter": "data"}, "label": "nir"}}}}}},
        "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "ndvi"}, "format": "GTiff"},
                 "result": True}})
    with rasterio.MemoryFile(answer.content) as memory, memory.open() as file:
        red, nir = values.astype("float64")
        numpy.testing.assert_allclose(file.read(1), (nir - red) / (nir + red), rtol=1e-6)


def test_a_job_reads_it_and_sees_what_is_there_then(server):
    first, second = numbers(0, 3, 3), numbers(0, 3, 3, seed=5)
    put(server, "job.tif", raster(first))
    nodes = {"load": {"process_id": "load_uploaded_files", "arguments": {"paths": ["job.tif"], "format": "GTiff"}},
             "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": "GTiff"},
                      "result": True}}
    job = server.create(nodes)
    for values in (first, second):
        put(server, "job.tif", raster(values))
        assert server.call("POST", f"/jobs/{job}/results").status_code == 202
        server.wait(job, "finished")
        [asset] = server.call("GET", f"/jobs/{job}/results").json()["assets"].values()
        with rasterio.MemoryFile(requests.get(asset["href"]).content) as memory, memory.open() as file:
            numpy.testing.assert_array_equal(file.read(1), values)
        answer = server.result(nodes)
        with rasterio.MemoryFile(answer.content) as memory, memory.open() as file:
            numpy.testing.assert_array_equal(file.read(1), values)


# ---- other formats ----


def test_netcdf(server, tmp_path):
    data = xarray.Dataset(
        {"tas": (("time", "lat", "lon"), numbers(2, 3, 4)), "mask": (("lat", "lon"), numbers(0, 3, 4))},
        coords={"time": numpy.array(["2020-01-01", "2020-01-02"], "datetime64[ns]"), "lat": [10.0, 11.0, 12.0],
                "lon": [1.0, 2.0, 3.0, 4.0]})
    data.to_netcdf(tmp_path / "x.nc")
    put(server, "x.nc", (tmp_path / "x.nc").read_bytes())
    put(server, "no extension", (tmp_path / "x.nc").read_bytes())
    for path in ("x.nc", "no extension"):
        found = cube(server, [path], "NETCDF")
        numpy.testing.assert_array_equal(found["tas"].sortby("y").values, data["tas"].values)
    found = cube(server, ["x.nc"], "netcdf", variable="mask")
    [name] = [n for n in found.data_vars if found[n].ndim >= 2]
    numpy.testing.assert_array_equal(found[name].squeeze().sortby("y").values, data["mask"].values)
    assert_error(load(server, ["x.nc"], "netCDF", variable="none"), 400, "FormatUnsuitable")


@pytest.mark.parametrize("order", [("time", "lat", "lon"), ("lev", "time", "lat", "lon")])
def test_netcdf_files_of_a_series(server, tmp_path, order):
    """Months of a year in files of uneven lengths, given in any order, are what xarray makes of them."""
    sizes = {"lev": 2, "time": 12, "lat": 5, "lon": 7}
    whole = xarray.Dataset(
        {name: (order, numbers(0, *(sizes[d] for d in order), seed=seed)) for seed, name in enumerate(("a", "b"))},
        coords={"time": numpy.arange("2020-01", "2021-01", dtype="datetime64[M]").astype("datetime64[ns]"),
                "lat": numpy.arange(5.0) + 40, "lon": numpy.arange(7.0), "lev": [1.0, 2.0]})
    parts = {"c.nc": slice(0, 5), "a.nc": slice(5, 6), "d.nc": slice(6, 10), "b.nc": slice(10, 12)}
    for name, dates in parts.items():
        part = whole.isel(time=dates)
        part.to_netcdf(tmp_path / name, encoding={v: {"chunksizes": part[v].shape} for v in part},
                       unlimited_dims=["time"])
        put(server, name, (tmp_path / name).read_bytes())
    found = cube(server, ["a.nc", "b.nc", "c.nc", "d.nc"], "netCDF")
    for name in ("a", "b"):
        got = found[name].sortby("y")
        got = got.transpose(*(d for d in ("lev", "t", "y", "x") if d in got.dims))
        wanted = whole[name].transpose(*(d for d in ("lev", "time", "lat", "lon") if d in order))
        numpy.testing.assert_array_equal(got.values, wanted.values)
        assert list(found["t"].values.astype("datetime64[ns]")) == list(whole["time"].values)
    one = server.result({
        "load": {"process_id": "load_uploaded_files", "arguments": {"paths": ["d.nc", "c.nc"], "format": "netCDF"}},
        "some": {"process_id": "filter_temporal", "arguments": {
            "data": {"from_node": "load"}, "extent": ["2020-04-01", "2020-09-01"]}},
        "box": {"process_id": "filter_bbox", "arguments": {
            "data": {"from_node": "some"}, "extent": {"west": 1.5, "east": 4.5, "south": 40.5, "north": 43.5}}},
        "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "box"}, "format": "netCDF"},
                 "result": True}})
    assert one.status_code == 200, one.text
    (tmp_path / "one.nc").write_bytes(one.content)
    with xarray.open_dataset(tmp_path / "one.nc") as file:
        wanted = whole["a"].isel(time=[3, 4, 6, 7], lat=slice(1, 4), lon=slice(2, 5))
        got = file["a"].sortby("y").transpose(*(d for d in ("lev", "t", "y", "x") if d in file["a"].dims))
        numpy.testing.assert_array_equal(got.values, wanted.transpose(*(d for d in ("lev", "time", "lat", "lon")
                                                                        if d in order)).values)


def test_netcdf_files_that_are_no_series(server, tmp_path):
    def write(name, dates, step=1.0, dtype="f4", variable="a"):
        xarray.Dataset({variable: (("time", "lat", "lon"), numpy.ones((len(dates), 3, 4), dtype))}, coords={
            "time": numpy.array(dates, "datetime64[ns]"), "lat": 10 + step * numpy.arange(3),
            "lon": step * numpy.arange(4)}).to_netcdf(tmp_path / name)
        put(server, name, (tmp_path / name).read_bytes())
        return name

    first = write("first.nc", ["2020-01-01", "2020-01-03"])
    for other, words in ((write("same.nc", ["2020-01-03"]), "same span"), (first, "same span"),
                         (write("between.nc", ["2020-01-02"]), "same span"),
                         (write("around.nc", ["2019-01-01", "2021-01-01"]), "same span"),
                         (write("grid.nc", ["2020-02-01"], step=2.0), "different"),
                         (write("type.nc", ["2020-02-01"], dtype="f8"), "types"),
                         (write("name.nc", ["2020-02-01"], variable="z"), "different"),
                         (write("down.nc", ["2020-02-03", "2020-02-01"]), "ascend")):
        answer = load(server, [first, other], "netCDF")
        assert_error(answer, 400, "FormatUnsuitable")
        assert words in answer.json()["message"] and first.split(".")[0] in answer.json()["message"] + "first"
        assert str(server.data) not in answer.text
    xarray.Dataset({"a": (("lat", "lon"), numpy.ones((3, 4), "f4"))}, coords={
        "lat": [10.0, 11, 12], "lon": [0.0, 1, 2, 3]}).to_netcdf(tmp_path / "still.nc")
    put(server, "still.nc", (tmp_path / "still.nc").read_bytes())
    assert "no dates" in load(server, [first, "still.nc"], "netCDF").json()["message"]


def features():
    return {"type": "FeatureCollection", "features": [
        {"type": "Feature", "id": i, "properties": {"n": 3 * i, "name": f"f{i}"},
         "geometry": shapely.geometry.mapping(shapely.box(i, 40, i + 0.5, 41))} for i in range(4)]}


def test_features(server, tmp_path):
    put(server, "f.geojson", json.dumps(features()))
    put(server, "any name", json.dumps(features()))
    for path in ("f.geojson", "any name"):
        answer = load(server, [path], "GeoJSON", save="GeoJSON")
        assert answer.status_code == 200, answer.text
        found = answer.json()["features"]
        assert [f["properties"]["name"] for f in found] == ["f0", "f1", "f2", "f3"]
        assert all(shapely.geometry.shape(f["geometry"]).equals(shapely.box(i, 40, i + 0.5, 41))
                   for i, f in enumerate(found))
    package = load(server, ["f.geojson"], "GeoJSON", save="GPKG").content
    put(server, "f.gpkg", package)
    assert len(load(server, ["f.gpkg"], "gpkg", save="GeoJSON").json()["features"]) == 4
    zipped = load(server, ["f.geojson"], "GeoJSON", save="ESRI Shapefile").content
    put(server, "f.zip", zipped)
    assert len(load(server, ["f.zip"], "Shapefile", save="GeoJSON").json()["features"]) == 4
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        names = archive.namelist()
        for name in names:
            put(server, "parts/" + name, archive.read(name))
    parts = ["parts/" + name for name in names]
    assert len(load(server, parts, "ESRI Shapefile", save="GeoJSON").json()["features"]) == 4
    assert_error(load(server, [p for p in parts if not p.endswith(".shp")], "ESRI Shapefile"), 400, "FormatUnsuitable")
    put(server, "f.csv", "lon,lat,n\n1,2,3\n4,5,6\n")
    assert len(load(server, ["f.csv"], "CSV", save="GeoJSON").json()["features"]) == 2


def test_features_choose_pixels(server):
    """Uploaded polygons over an uploaded raster."""
    values = numbers(0, 8, 8)
    put(server, "r.tif", raster(values, west=0, north=8, resolution=1, crs="EPSG:4326"))
    box = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(shapely.box(1, 2, 4, 7))}
    put(server, "p.geojson", json.dumps({"type": "FeatureCollection", "features": [box]}))
    answer = server.result({
        "r": {"process_id": "load_uploaded_files", "arguments": {"paths": ["r.tif"], "format": "GTiff"}},
        "p": {"process_id": "load_uploaded_files", "arguments": {"paths": ["p.geojson"], "format": "GeoJSON"}},
        "a": {"process_id": "aggregate_spatial", "arguments": {
            "data": {"from_node": "r"}, "geometries": {"from_node": "p"}, "reducer": {"process_graph": {
                "m": {"process_id": "sum", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}}}},
        "s": {"process_id": "save_result", "arguments": {"data": {"from_node": "a"}, "format": "JSON"},
              "result": True}})
    assert answer.status_code == 200, answer.text
    assert str(values[1:6, 1:4].sum()).removesuffix(".0") in answer.text


# ---- what is refused ----


def test_what_is_not_there(server):
    put(server, "mine.tif", raster(numbers(0, 2, 2)))
    [root] = [p for p in (server.data / "files").iterdir() if list(p.iterdir())]
    (root / "link.tif").symlink_to("mine.tif")
    (root / "out.tif").symlink_to("/etc/passwd")
    for path in ("none.tif", "mine.tif/x", "../" + root.name + "/mine.tif", "../../server.sqlite", "a/../mine.tif",
                 "..", ".", "", "/", "link.tif", "out.tif", "/etc/passwd", str(root / "mine.tif"), "x" * 3000):
        answer = load(server, [path])
        assert answer.status_code in (400, 404) and answer.json()["code"] in ("FileNotFound",
                                                                              "ProcessParameterInvalid"), answer.text
        assert str(server.data) not in answer.text.replace(path, "")
    for link in ("link.tif", "out.tif"):
        (root / link).unlink()
    bob = Server.__new__(Server)
    bob.api, bob.session = server.api, requests.Session()
    bob.login("bob")
    assert load(server, ["mine.tif"]).status_code == 200
    assert_error(load(bob, ["mine.tif"]), 404, "FileNotFound")  # the same graph as alice's, in the same worker


def test_files_that_do_not_fit(server):
    good = raster(numbers(0, 40, 40))
    put(server, "good.tif", good)
    put(server, "text.tif", b"no raster at all")
    put(server, "cut.tif", good[:200])
    put(server, "empty.tif", b"")
    put(server, "png", raster(numbers(0, 4, 4, dtype="uint8"), driver="PNG"))
    put(server, "vrt.tif", b"<VRTDataset rasterXSize='1' rasterYSize='1'></VRTDataset>")
    put(server, "bad.geojson", b'{"type": "FeatureCollection", "features": [')
    put(server, "bad.nc", b"CDF\x01" + b"\0" * 3)
    for path, format in (("text.tif", "GTiff"), ("cut.tif", "GTiff"), ("empty.tif", "GTiff"), ("png", "GTiff"),
                         ("vrt.tif", "GTiff"), ("good.tif", "netCDF"), ("good.tif", "PNG"), ("good.tif", "GeoJSON"),
                         ("good.tif", "GPKG"), ("bad.geojson", "GeoJSON"), ("bad.nc", "netCDF"), ("good.tif", "XYZ"),
                         ("good.tif", "Zarr"), ("text.tif", "ESRI Shapefile")):
        answer = load(server, [path], format)
        assert_error(answer, 400, "FormatUnsuitable")
        assert str(server.data) not in answer.text
    for options in ({"layer": "x"}, {"anything": 1}):
        assert_error(load(server, ["good.tif"], **options), 400, "ProcessParameterInvalid")


def test_the_command_line(tmp_path):
    (tmp_path / "files").mkdir()
    values = numbers(0, 3, 3)
    (tmp_path / "files" / "r.tif").write_bytes(raster(values))
    (tmp_path / "graph.json").write_text(json.dumps(graph("load_uploaded_files", paths=["r.tif"], format="GTiff")))
    done = run("run", str(tmp_path / "graph.json"), "--files", str(tmp_path / "files"), "--data",
               str(tmp_path / "data"),
               "-o", str(tmp_path / "out.tif"))
    assert done.returncode == 0, done.stderr
    with rasterio.open(tmp_path / "out.tif") as file:
        numpy.testing.assert_array_equal(file.read(1), values)
    done = run("run", str(tmp_path / "graph.json"), "--files", str(tmp_path / "data"), "--data", str(tmp_path / "data"))
    assert done.returncode == 1 and done.stderr.startswith("FileNotFound")


# ---- web services ----


def test_a_service_shows_its_owner_s_files(server):
    """Two users, the same graph, files of the same name: each service shows its owner's."""
    bob = Server.__new__(Server)
    bob.api, bob.session = server.api, requests.Session()
    bob.login("bob")
    shown = []
    for user, level in ((server, 50), (bob, 200)):
        put(user, "map.tif", raster(numpy.full((64, 64), level, "uint8"), west=-180, north=80, resolution=2.5,
                                    crs="EPSG:4326"))
        answer = user.call("POST", "/services", {
            "type": "xyz", "configuration": {"min": 0, "max": 255},
            "process": {"process_graph": graph("load_uploaded_files", paths=["map.tif"], format="GTiff")}})
        assert answer.status_code == 201, answer.text
        url = user.call("GET", "/services/" + answer.headers["OpenEO-Identifier"]).json()["url"]
        for _ in range(2):
            tile = requests.get(url.replace("{z}", "1").replace("{x}", "0").replace("{y}", "0"), timeout=60)
            assert tile.status_code == 200, tile.text
        with rasterio.MemoryFile(tile.content) as memory, memory.open() as file:
            shown.append(int(file.read(1)[128, 128]))
    assert shown == [51, 201]  # of a palette whose first colour is for what is not there
    assert bob.session.delete(bob.api + "/files/map.tif").status_code == 204
