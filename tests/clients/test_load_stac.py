"""load_stac: documents and rasters are written here by rasterio and json, so every value is known; what jobs of ours
write comes back as it was; a server reads below the folders that were opened to it, and nothing else."""

import json
import signal
import subprocess

import numpy as np
import openeo
import pytest
import rasterio
import requests
import xarray
from rasterio.transform import from_origin

from conftest import BINARY, PASSWORD, USER, shared, twincube, until

SHAPE = 6, 8
RNG = np.random.default_rng(7)


def raster(path, values, west=500000, north=5000000, res=10, crs="EPSG:32632", nodata=None):
    values = np.atleast_3d(values) if values.ndim == 3 else values[None]
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", driver="GTiff", dtype=values.dtype, count=len(values), height=values.shape[1],
                       width=values.shape[2], crs=crs, transform=from_origin(west, north, res, res),
                       nodata=nodata) as file:
        file.write(values)
    return values


def plane():
    return RNG.integers(1, 10000, SHAPE).astype("uint16")


def asset(href, *bands, roles=("data",), **more):
    return {"href": href, "type": "image/tiff; application=geotiff", "roles": list(roles),
            **({"eo:bands": [{"name": name} for name in bands]} if bands else {}), **more}


def item(name, assets, date=None, **properties):
    return {"type": "Feature", "stac_version": "1.0.0", "id": name, "geometry": None, "links": [],
            "properties": {"datetime": date, **properties}, "assets": assets}


def collection(name, links=(), interval=(None, None), **more):
    return {"type": "Collection", "stac_version": "1.0.0", "id": name, "description": "x", "license": "other",
            "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [list(interval)]}},
            "links": [{"rel": rel, "href": href} for rel, href in links], **more}


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def graph(url, **arguments):
    return {"load": {"process_id": "load_stac", "arguments": {"url": str(url), **arguments}},
            "save": {"process_id": "save_result", "result": True,
                     "arguments": {"data": {"from_node": "load"}, "format": "netCDF"}}}


def execute(folder, url, cwd=None, **arguments):
    (folder / "graph.json").write_text(json.dumps(graph(url, **arguments)))
    return subprocess.run([BINARY, "run", folder / "graph.json", "--data", folder / "none", "-o", folder / "out.nc"],
                          capture_output=True, text=True, timeout=120, check=False, cwd=cwd)


def load(folder, url, cwd=None, **arguments):
    done = execute(folder, url, cwd, **arguments)
    assert done.returncode == 0, done.stderr
    with xarray.open_dataset(folder / "out.nc", mask_and_scale=False) as file:
        return file.load()


def refusal(folder, url, **arguments):
    done = execute(folder, url, **arguments)
    assert done.returncode == 1, done
    return done.stderr


def condition(process, **arguments):
    return {"process_graph": {"p": {"process_id": process, "result": True,
                                    "arguments": {"x": {"from_parameter": "value"}, **arguments}}}}


def dates(file):
    return [str(value)[:10] for value in file["t"].values]


# ---- real documents -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["example_stac_catalog", "recursive-stac-example"])
def test_real_collection(tmp_path, name):
    folder = shared("eo", "openeo_stac_S2_3dates", name)
    file = load(tmp_path, folder / "collection.json")
    assert dates(file) == ["2023-06-01", "2023-06-04", "2023-06-06"]
    for i, day in enumerate(dates(file)):
        (path,) = folder.rglob(f"openEO_{day}Z.tif")
        with rasterio.open(path) as source:
            for band, label in enumerate(["B04", "B03", "B02"]):
                assert np.array_equal(file[label].values[i], source.read(band + 1))
    part = load(tmp_path, f"file://{folder}/collection.json", bands=["B02"],
                temporal_extent=["2023-06-02", "2023-06-05"])
    assert dates(part) == ["2023-06-04"] and "B04" not in part
    assert np.array_equal(part["B02"].values[0], file["B02"].values[1])


def test_a_path_from_here(tmp_path):
    folder = shared("eo", "openeo_stac_S2_3dates")
    file = load(tmp_path, "example_stac_catalog/openEO_2023-06-04Z.tif.json", cwd=folder)
    assert dates(file) == ["2023-06-04"]


# ---- what documents say ---------------------------------------------------------------------------------------------

@pytest.fixture
def scenes(tmp_path):
    """Three items of two bands, by a catalogue of catalogues; their values."""
    values = {}
    for day in (1, 11, 21):
        assets = {}
        for band in ("B04", "B08"):
            values[day, band] = plane()
            raster(tmp_path / f"data/a folder/{band}_{day}.tif", values[day, band])
            assets[band] = asset(f"../a%20folder/{band}_{day}.tif", band)
        write(tmp_path / f"data/items/{day}.json",
              item(f"scene{day}", assets, f"2022-06-{day:02}T10:00:00Z", **{"eo:cloud_cover": 3.0 * day}))
    write(tmp_path / "data/catalog.json", {"type": "Catalog", "stac_version": "1.0.0", "id": "top", "description": "x",
                                           "links": [{"rel": "child", "href": "sub/collection.json"}]})
    write(tmp_path / "data/sub/collection.json",
          collection("sub", [("item", f"../items/{day}.json") for day in (1, 11, 21)] + [("child", "../catalog.json")]))
    return tmp_path / "data/catalog.json", values


def test_extents_bands_and_properties(tmp_path, scenes):
    url, values = scenes
    file = load(tmp_path, url, bands=["B08"], temporal_extent=["2022-06-11", None],
                properties={"eo:cloud_cover": condition("lt", y=50)},
                spatial_extent={"west": 500020, "east": 500060, "south": 4999960, "north": 5000000, "crs": 32632})
    assert dates(file) == ["2022-06-11"]
    assert np.array_equal(file["B08"].values[0], values[11, "B08"][:4, 2:6])
    assert "NoDataAvailable" in refusal(tmp_path, url, temporal_extent=["2023-01-01", "2024-01-01"])
    assert "NoDataAvailable" in refusal(tmp_path, url, spatial_extent={"west": 1, "south": 1, "east": 2, "north": 2})
    assert "NoDataAvailable" in refusal(tmp_path, url, properties={"eo:cloud_cover": condition("gt", y=99)})
    assert "TemporalExtentEmpty" in refusal(tmp_path, url, temporal_extent=["2022-06-11", "2022-06-11"])
    assert "BandNotAvailable" in refusal(tmp_path, url, bands=["B99"])


def test_a_polygon(tmp_path, scenes):
    url, values = scenes
    ring = [[500000, 5000000], [500040, 5000000], [500000, 4999960], [500000, 5000000]]
    area = {"type": "Polygon", "coordinates": [ring], "crs": {"type": "name", "properties": {"name": "EPSG:32632"}}}
    file = load(tmp_path, url, bands=["B04"], spatial_extent=area, temporal_extent=["2022-06-01", "2022-06-02"])
    inside = file["B04"].values[0] == values[1, "B04"][:4, :4]
    rows, columns = np.indices((4, 4))
    assert np.array_equal(inside, rows + columns < 3) or np.array_equal(inside, rows + columns < 4)


def test_item_collection(tmp_path):
    first, second = plane(), plane()
    raster(tmp_path / "a.tif", first)
    raster(tmp_path / "b.tif", second)
    url = write(tmp_path / "items.json", {"type": "FeatureCollection", "features": [
        item("a", {"red": asset("a.tif")}, "2022-01-01T00:00:00Z"),
        item("b", {"red": asset("b.tif")}, "2022-01-02T00:00:00Z")]})
    file = load(tmp_path, url)
    assert np.array_equal(file["red"].values, [first, second])


@pytest.mark.parametrize("roles", [("data",), ("visual",), ()])
def test_a_picture_of_bands_is_not_their_data(tmp_path, roles):
    """The picture comes first, and is finer: neither makes it a band."""
    values = {band: plane() for band in ("B02", "B03", "B04")}
    raster(tmp_path / "visual.tif", RNG.integers(0, 255, (3, 12, 16)).astype("uint8"), res=5)
    for band, value in values.items():
        raster(tmp_path / f"{band}.tif", value)
    url = write(tmp_path / "item.json", item("s", {
        "visual": asset("visual.tif", "B04", "B03", "B02", roles=roles),
        **{band: asset(f"{band}.tif", band) for band in values}}, "2022-01-01T00:00:00Z"))
    file = load(tmp_path, url)
    for band, value in values.items():
        assert np.array_equal(file[band].values[0], value)


def test_bands_of_one_file_alone_are_data(tmp_path):
    values = raster(tmp_path / "all.tif", np.stack([plane(), plane()]))
    url = write(tmp_path / "item.json", item("s", {"all": asset("all.tif", "B04", "B08")}, "2022-01-01T00:00:00Z"))
    file = load(tmp_path, url)
    assert np.array_equal([file["B04"].values[0], file["B08"].values[0]], values)


@pytest.mark.parametrize(("dtype", "declared", "own", "marked"), [
    ("uint16", -9999, 7, 7), ("uint8", 256, 7, 7), ("int16", 0.5, 7, 7), ("uint16", 9, 7, 9), ("uint16", 9, None, 9),
    ("uint16", -9999, None, None), ("float32", -3.4028235e38, None, np.finfo("f4").min), ("float32", 0.1, None, 0.1),
])
def test_declared_no_data(tmp_path, dtype, declared, own, marked):
    """What a type cannot hold marks nothing, and leaves the file its own; float32 has it rounded."""
    values = plane().astype(dtype) % 5 + 20
    values[0, 0], values[0, 1] = (7, 9) if dtype != "float32" else (np.float32(declared), 9)
    raster(tmp_path / "a.tif", values, nodata=own)
    url = write(tmp_path / "item.json", item("i", {"red": asset("a.tif", **{"raster:bands": [{"nodata": declared}]})},
                                             "2022-01-01T00:00:00Z"))
    done = execute(tmp_path, url)
    assert done.returncode == 0, done.stderr
    with xarray.open_dataset(tmp_path / "out.nc") as file:
        missing = np.isnan(file["red"].values[0].astype("f8"))
    assert np.array_equal(missing, values == np.asarray(marked, dtype) if marked is not None else values < 0)


# ---- dates ----------------------------------------------------------------------------------------------------------

def test_no_date_no_dimension_of_time(tmp_path):
    west, east = plane(), plane()
    raster(tmp_path / "w.tif", west)
    raster(tmp_path / "e.tif", east, west=500000 + 10 * SHAPE[1])
    url = write(tmp_path / "items.json", {"type": "FeatureCollection", "features": [
        item("w", {"heights": asset("w.tif")}), item("e", {"heights": asset("e.tif")})]})
    for extent in (None, ["2020-01-01", "2021-01-01"]):
        file = load(tmp_path, url, temporal_extent=extent)
        assert set(file.sizes) == {"x", "y"}
        assert np.array_equal(np.squeeze(file["heights"].values), np.hstack([west, east]))


def test_items_without_a_date_among_others_are_left_out(tmp_path):
    dated = plane()
    raster(tmp_path / "a.tif", dated)
    raster(tmp_path / "b.tif", plane())
    url = write(tmp_path / "items.json", {"type": "FeatureCollection", "features": [
        item("undated", {"red": asset("b.tif")}), item("dated", {"red": asset("a.tif")}, "2022-01-01T00:00:00Z")]})
    done = execute(tmp_path, url)
    assert done.returncode == 0 and "undated" in done.stderr
    file = load(tmp_path, url)
    assert dates(file) == ["2022-01-01"] and np.array_equal(file["red"].values[0], dated)


def test_two_scenes_of_a_place_without_dates_are_refused(tmp_path):
    raster(tmp_path / "a.tif", plane())
    raster(tmp_path / "b.tif", plane())
    url = write(tmp_path / "items.json", {"type": "FeatureCollection", "features": [
        item("a", {"red": asset("a.tif")}), item("b", {"red": asset("b.tif")})]})
    assert "NoDataAvailable" in refusal(tmp_path, url)


# ---- assets of a collection -----------------------------------------------------------------------------------------

def test_assets_of_a_collection(tmp_path):
    first, second = plane(), plane()
    raster(tmp_path / "a.tif", first)
    raster(tmp_path / "b.tif", second)
    assets = {"a": asset("a.tif", "B1", datetime="2022-01-05T00:00:00Z"),
              "b": asset("b.tif", "B1", datetime="2022-01-03T00:00:00Z")}
    url = write(tmp_path / "collection.json", collection("c", assets=assets))
    file = load(tmp_path, url)
    assert dates(file) == ["2022-01-03", "2022-01-05"] and np.array_equal(file["B1"].values, [second, first])
    assert "PropertiesUnsupported" in refusal(tmp_path, url, properties={"eo:cloud_cover": condition("lt", y=1)})


def test_items_go_before_assets_of_their_collection(tmp_path):
    value = plane()
    raster(tmp_path / "a.tif", value)
    raster(tmp_path / "preview.tif", plane())
    write(tmp_path / "item.json", item("i", {"red": asset("a.tif")}, "2022-01-01T00:00:00Z"))
    url = write(tmp_path / "collection.json",
                collection("c", [("item", "item.json")], assets={"red": asset("preview.tif")}))
    assert np.array_equal(load(tmp_path, url)["red"].values[0], value)


@pytest.mark.parametrize("by_date", [True, False])
def test_dates_as_bands_of_a_file(tmp_path, by_date):
    values = np.stack([np.stack([plane(), plane()]) for _ in range(3)])  # t, bands
    stored = values if by_date else values.swapaxes(0, 1)
    raster(tmp_path / "a.tif", stored.reshape(6, *SHAPE))
    days = [f"2022-01-0{i}T00:00:00Z" for i in (1, 2, 3)]
    time, bands = {"type": "temporal", "values": days}, {"type": "bands", "values": ["B04", "B08"]}
    order = [("t", time), ("bands", bands)] if by_date else [("bands", bands), ("t", time)]
    dimensions = dict(order + [(axis, {"type": "spatial", "axis": axis, "extent": [0, 1]}) for axis in "yx"])
    names = [{"name": f"plane {i}"} for i in range(6)]
    url = write(tmp_path / "collection.json", collection("c", assets={
        "a": {**asset("a.tif"), "bands": names, "cube:dimensions": dimensions}}))
    file = load(tmp_path, url)
    assert dates(file) == [day[:10] for day in days]
    assert np.array_equal([file["B04"].values, file["B08"].values], values.swapaxes(0, 1))


# ---- netCDF ---------------------------------------------------------------------------------------------------------

def test_a_netcdf_item_is_chosen_by_its_properties(tmp_path):
    values = RNG.random((2, *SHAPE))
    xarray.Dataset({"rain": (("time", "lat", "lon"), values)}, {
        "time": np.array(["2020-01-01", "2020-02-01"], "datetime64[ns]"),
        "lat": ("lat", np.arange(SHAPE[0])[::-1] + 40.0, {"units": "degrees_north"}),
        "lon": ("lon", np.arange(SHAPE[1]) + 5.0, {"units": "degrees_east"})}).to_netcdf(tmp_path / "rain.nc")
    url = write(tmp_path / "item.json", item("rain", {"data": {"href": "rain.nc", "type": "application/netcdf"}},
                                             "2020-01-01T00:00:00Z", level=3))
    assert np.array_equal(load(tmp_path, url, properties={"level": condition("eq", y=3)})["rain"].values, values)
    late = load(tmp_path, url, temporal_extent=["2020-02-01", None], properties={"level": condition("eq", y=3)})
    assert np.array_equal(late["rain"].values, values[1:])
    assert "NoDataAvailable" in refusal(tmp_path, url, properties={"level": condition("eq", y=4)})
    assert "NoDataAvailable" in refusal(tmp_path, url, properties={"other": condition("eq", y=4)})


# ---- what cannot be -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("document", "code"), [
    ("", "ProcessParameterInvalid"), ("[]", "ProcessParameterInvalid"),
    ('{"type": "Feature"}', "ProcessParameterInvalid"),
    ('{"type": "Catalog", "links": []}', "NoDataAvailable"),
    ('{"type": "Collection", "assets": 7, "extent": 1}', "NoDataAvailable"),
    ('{"type": "Collection", "assets": {"a": 7, "b": {"href": 1}}, "extent": {"temporal": {"interval": [[1, 2]]}}}',
     "NoDataAvailable"),
    ('{"type": "Catalog", "links": [{"rel": "child", "href": "https://example.org/x.json"}]}', "FeatureUnsupported"),
    ('{"type": "Catalog", "links": [{"rel": "child", "href": "gone.json"}]}', "FileNotFound"),
])
def test_bad_documents(tmp_path, document, code):
    (tmp_path / "x.json").write_text(document)
    assert code in refusal(tmp_path, tmp_path / "x.json")


def test_other_files_are_no_documents(tmp_path):
    raster(tmp_path / "a.tif", plane())
    assert "ProcessParameterInvalid" in refusal(tmp_path, tmp_path / "a.tif")
    assert refusal(tmp_path, tmp_path)
    assert "FeatureUnsupported" in refusal(tmp_path, "s3://bucket/x.json")


# ---- a server -------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A server that opens one folder, that folder, and a connection."""
    data, folder = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("stac") / "open"
    folder.mkdir()
    twincube("user", "add", USER, "--data", data, input=PASSWORD + "\n")
    process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, "--stac", folder],
                               text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    url = process.stdout.readline().strip().rstrip("/")
    yield openeo.connect(url, auto_validate=False).authenticate_basic(USER, PASSWORD), folder
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0
    process.stdout.close()


def ask(connection, url, **arguments):
    answer = connection.post("/result", json={"process": {"process_graph": graph(url, **arguments)}},
                             check_error=False)
    return answer


def test_a_server_reads_below_the_opened_folder_only(opened, tmp_path):
    connection, folder = opened
    value = plane()
    raster(folder / "a.tif", value)
    raster(folder.parent / "secret.tif", plane())
    good = write(folder / "good.json", item("i", {"red": asset("a.tif")}, "2022-01-01T00:00:00Z"))
    outside = write(folder.parent / "outside.json", item("i", {"red": asset("open/a.tif")}, "2022-01-01T00:00:00Z"))
    for url in (good, "good.json", f"file://{good}", folder / "../open/good.json"):
        answer = ask(connection, url)
        assert answer.status_code == 200, answer.text
        (tmp_path / "got.nc").write_bytes(answer.content)
        with xarray.open_dataset(tmp_path / "got.nc", mask_and_scale=False) as file:
            assert np.array_equal(file["red"].values[0], value)
    (folder / "link.json").symlink_to(outside)
    (folder / "link.tif").symlink_to(folder.parent / "secret.tif")
    refused = [ask(connection, url).json() for url in (outside, folder / "gone.json", folder / "link.json",
                                                       folder / "../outside.json", "/etc/passwd")]
    assert {answer["code"] for answer in refused} == {"FileNotFound"}
    for href in ("link.tif", "../secret.tif", str(folder.parent / "secret.tif"), f"file://{folder.parent}/secret.tif"):
        url = write(folder / "leads_out.json", item("i", {"red": asset(href)}, "2022-01-01T00:00:00Z"))
        assert ask(connection, url).json()["code"] == "NoDataAvailable", href
    url = write(folder / "leads_out.json", collection("c", [("item", "../outside.json")]))
    assert ask(connection, url).json()["code"] == "FileNotFound"


def test_without_an_opened_folder_nothing_is_read(connection, scenes):
    assert ask(connection, scenes[0]).json()["code"] == "FileNotFound"


def test_users_own_documents(connection, tmp_path):
    value = plane()
    raster(tmp_path / "a.tif", value)
    connection.upload_file(tmp_path / "a.tif", "stac/a.tif")
    write(tmp_path / "item.json", item("i", {"red": asset("a.tif")}, "2022-01-01T00:00:00Z"))
    connection.upload_file(tmp_path / "item.json", "stac/item.json")
    answer = ask(connection, "stac/item.json")
    assert answer.status_code == 200, answer.text
    (tmp_path / "got.nc").write_bytes(answer.content)
    with xarray.open_dataset(tmp_path / "got.nc", mask_and_scale=False) as file:
        assert np.array_equal(file["red"].values[0], value)


def test_where_users_files_lie_is_not_told(connection, tmp_path, data):
    for name, content in (("none.json", "{}"),
                          ("gone.json", json.dumps(item("i", {"red": asset("no.tif")}, "2022-01-01"))),
                          ("broken.json", "{")):
        (tmp_path / name).write_text(content)
        connection.upload_file(tmp_path / name, f"told/{name}")
        answer = ask(connection, f"told/{name}")
        assert answer.status_code == 400 and str(data) not in answer.text, answer.text


# ---- results come back ----------------------------------------------------------------------------------------------

def saved_result(connection, folder, format, data):
    """The document of a job that saves the data, with its files beside it; what a client keeps of it."""
    job = connection.create_job({"save": {"process_id": "save_result", "result": True,
                                          "arguments": {"data": data, "format": format}}})
    job.start_and_wait(max_poll_interval=0.2, connection_retry_interval=1)
    document = job.get_results().get_metadata()
    for name, described in document["assets"].items():
        (folder / name).write_bytes(requests.get(described["href"], timeout=60).content)
        described["href"] = f"./{name}"
    return write(folder / "results.json", document)


@pytest.mark.parametrize("format", ["GTiff", "netCDF"])
@pytest.mark.parametrize("days", [1, 3])
def test_results_of_a_job_come_back(connection, tmp_path, format, days):
    values = RNG.random((days, 2, *SHAPE)).astype("float32").astype(float)
    cube = {"type": "datacube", "order": ["t", "bands", "y", "x"], "data": values.tolist(), "dimensions": {
        "t": {"type": "temporal", "values": [f"2022-01-0{i + 1}T00:00:00Z" for i in range(days)]},
        "bands": {"type": "bands", "values": ["B04", "B08"]},
        "y": {"type": "spatial", "axis": "y", "values": [5000000 - 10 * i for i in range(SHAPE[0])],
              "reference_system": 32632},
        "x": {"type": "spatial", "axis": "x", "values": [500000 + 10 * i for i in range(SHAPE[1])],
              "reference_system": 32632}}}
    url = saved_result(connection, tmp_path, format, cube)
    file = load(tmp_path, url)
    assert dates(file) == [f"2022-01-0{i + 1}" for i in range(days)]
    assert np.array_equal([file["B04"].values, file["B08"].values], values.swapaxes(0, 1))


@pytest.fixture(scope="module")
def finished(connection):
    """A finished job with two files of a cube of two dates, and its values."""
    values = np.arange(2 * SHAPE[0] * SHAPE[1], dtype="float64").reshape(2, 1, *SHAPE)
    cube = {"type": "datacube", "order": ["t", "bands", "y", "x"], "data": values.tolist(), "dimensions": {
        "t": {"type": "temporal", "values": ["2022-01-01T00:00:00Z", "2022-01-02T00:00:00Z"]},
        "bands": {"type": "bands", "values": ["B04"]},
        "y": {"type": "spatial", "axis": "y", "values": [5000000 - 10 * i for i in range(SHAPE[0])],
              "reference_system": 32632},
        "x": {"type": "spatial", "axis": "x", "values": [500000 + 10 * i for i in range(SHAPE[1])],
              "reference_system": 32632}}}
    job = connection.create_job({"save": {"process_id": "save_result", "result": True,
                                          "arguments": {"data": cube, "format": "GTiff"}}})
    job.start_and_wait(max_poll_interval=0.2, connection_retry_interval=1)
    return job, values[:, 0]


def own_urls(job):
    """The plain address and the signed one, as the job's document tells them."""
    links = job.get_results().get_metadata()["links"]
    return [link["href"] for link in links if link["rel"] in ("self", "canonical")]


def total(url):
    return {"load": {"process_id": "load_stac", "arguments": {"url": url}},
            "save": {"process_id": "save_result", "result": True,
                     "arguments": {"data": {"from_node": "load"}, "format": "netCDF"}}}


def read_total(content, tmp_path):
    (tmp_path / "total.nc").write_bytes(content)
    with xarray.open_dataset(tmp_path / "total.nc") as file:
        return file["B04"].values


def test_own_results_by_their_address(connection, finished, data, tmp_path):
    job, values = finished
    urls = own_urls(job)
    assert len(urls) == 2 and "/download/" in "".join(urls)
    for url in (*urls, urls[0] + "?partial=true", urls[0].replace("127.0.0.1", "eo.example.org")):
        connection.download(total(url), tmp_path / "download.nc")
        assert np.array_equal(read_total((tmp_path / "download.nc").read_bytes(), tmp_path), values)
        answer = connection.post("/validation", json={"process_graph": total(url)}, expected_status=200).json()
        assert answer["errors"] == []
    again = connection.create_job(total(urls[1]))
    again.start_and_wait(max_poll_interval=0.2, connection_retry_interval=1)
    [asset] = again.get_results().get_assets()
    assert np.array_equal(read_total(asset.load_bytes(), tmp_path), values)
    assert not list(data.glob("jobs/*/*/~loaded"))
    until(lambda: not list(data.glob("tmp/*/~loaded")))  # goes after the answer
    twice = total(urls[0])
    twice["more"] = {"process_id": "load_stac", "arguments": {"url": urls[1]}}
    twice["sum"] = {"process_id": "merge_cubes", "arguments": {
        "cube1": {"from_node": "load"}, "cube2": {"from_node": "more"}, "overlap_resolver": {"process_graph": {
            "a": {"process_id": "add", "result": True,
                  "arguments": {"x": {"from_parameter": "x"}, "y": {"from_parameter": "y"}}}}}}}
    twice["save"]["arguments"]["data"] = {"from_node": "sum"}
    connection.download(twice, tmp_path / "twice.nc")
    assert np.array_equal(read_total((tmp_path / "twice.nc").read_bytes(), tmp_path), 2 * values)


def test_results_that_cannot_be_loaded(connection, running, finished, data):
    job, _ = finished
    twincube("user", "add", "mallory", "--data", data, input=PASSWORD + "\n")
    other = openeo.connect(running.url, auto_validate=False).authenticate_basic("mallory", PASSWORD)
    for url in own_urls(job):
        answer = ask(other, url)
        assert answer.status_code == 404 and answer.json()["code"] == "JobNotFound"
        assert 'node "load' in answer.json()["message"]
    waiting = connection.create_job(total("x"))
    url = own_urls(job)[0].replace(job.job_id, waiting.job_id)
    answer = ask(connection, url)
    assert (answer.status_code, answer.json()["code"]) == (400, "JobNotFinished")
    waiting.start_job()
    until(lambda: waiting.status() in ("error", "finished"))
    assert ask(connection, url).json()["code"] == "NoDataAvailable"
    file = job.get_results().get_assets()[0].href
    for url in (file, own_urls(job)[0] + "/more", running.url + "/jobs/" + job.job_id, "https://example.org/stac.json",
                running.url + "/openeo/1.2/jobs//results"):
        assert ask(connection, url).json()["code"] == "FeatureUnsupported"
    assert ask(connection, running.url + "/openeo/1.2/jobs/nothing/results").json()["code"] == "JobNotFound"


def test_features_come_back(connection, tmp_path):
    features = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"n": i + 0.5}, "geometry": {"type": "Point", "coordinates": [i, 40 + i]}}
        for i in range(3)]}
    cube = {"load": {"process_id": "load_geojson", "arguments": {"data": features, "properties": ["n"]}},
            "save": {"process_id": "save_result", "result": True,
                     "arguments": {"data": {"from_node": "load"}, "format": "GeoJSON"}}}
    job = connection.create_job(cube)
    job.start_and_wait(max_poll_interval=0.2, connection_retry_interval=1)
    document = job.get_results().get_metadata()
    for name, described in document["assets"].items():
        (tmp_path / name).write_bytes(requests.get(described["href"], timeout=60).content)
        described["href"] = name
    url = write(tmp_path / "results.json", document)
    (tmp_path / "graph.json").write_text(json.dumps({
        "load": {"process_id": "load_stac", "arguments": {"url": str(url)}, "result": True}}))
    twincube("run", tmp_path / "graph.json", "--data", tmp_path, "-o", tmp_path / "out.geojson")
    back = json.loads((tmp_path / "out.geojson").read_text())["features"]
    assert [feature["geometry"]["coordinates"] for feature in back] == [[i, 40 + i] for i in range(3)]
    assert [feature["properties"]["n"] for feature in back] == [0.5, 1.5, 2.5]
