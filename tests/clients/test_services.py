"""Web services: their life over HTTP and through the Python client, and tiles against the batch result of the same
graph, placed pixel by pixel by PROJ."""

import json
import math
import types

import numpy as np
import openeo
import pytest
import requests
from conftest import DEMO_PATTERNS, PASSWORD, USER
from rasterio.io import MemoryFile
from rasterio.warp import transform

EDGE = 20037508.342789244


@pytest.fixture(scope="module")
def api(running, catalogue, demo):
    """Root of the API, and how a user calls it."""
    catalogue.add("DEMO_MAPS", demo, *DEMO_PATTERNS)
    root = running.url + "/openeo/1.3"
    login = requests.get(root + "/credentials/basic", auth=(USER, PASSWORD), timeout=30)
    session = requests.Session()
    session.headers["Authorization"] = "Bearer basic//" + login.json()["access_token"]
    session.root = root
    return session


def load(**more):
    return {"process_id": "load_collection",
            "arguments": {"id": "DEMO_MAPS", "spatial_extent": None, "temporal_extent": None, **more}}


def reduced(data, dimension, reducer, **more):
    callback = {"r": {"process_id": reducer, "arguments": {"data": {"from_parameter": "data"}}, "result": True}}
    return {"process_id": "reduce_dimension", **more,
            "arguments": {"data": {"from_node": data}, "dimension": dimension, "reducer": {"process_graph": callback}}}


NDVI = {"load": load(bands=["B04", "B08"]),
        "ndvi": {"process_id": "ndvi", "arguments": {"data": {"from_node": "load"}, "nir": "B08", "red": "B04"}},
        "best": reduced("ndvi", "t", "max", result=True)}


def make(api, graph, configuration=None, kind="xyz", **more):
    body = {"type": kind, "process": {"process_graph": graph}, **more}
    if configuration is not None:
        body["configuration"] = configuration
    return api.post(api.root + "/services", json=body, timeout=60)


def service(api, graph, configuration=None, kind="xyz", **more):
    answer = make(api, graph, configuration, kind, **more)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{api.root}/services/{answer.headers['OpenEO-Identifier']}"
    return api.get(answer.headers["Location"], timeout=30).json()


def result(api, graph):
    """The graph's raster as a batch job or a synchronous request would write it."""
    nodes = json.loads(json.dumps(graph))
    last = next(name for name, node in nodes.items() if node.pop("result", False))
    nodes["save"] = {"process_id": "save_result", "result": True,
                     "arguments": {"data": {"from_node": last}, "format": "GTiff"}}
    answer = api.post(api.root + "/result", json={"process": {"process_graph": nodes}}, timeout=60)
    assert answer.status_code == 200, answer.text
    with MemoryFile(answer.content) as file, file.open() as raster:
        return types.SimpleNamespace(crs=raster.crs, values=raster.read(masked=True), inverse=~raster.transform)


def middle_tile(lonlat, zoom):
    west, south, east, north = lonlat
    lon, lat = (west + east) / 2, math.radians((south + north) / 2)
    return (int((lon + 180) / 360 * 2**zoom), int((1 - math.asinh(math.tan(lat)) / math.pi) / 2 * 2**zoom))


def tile_url(description, zoom, column, row, ending=""):
    return description["url"].format(z=zoom, x=column, y=row) + ending


def centres(zoom, column, row, size):
    """Web mercator coordinates of the pixels' centres of a tile: x of the columns, y of the rows."""
    res = 2 * EDGE / (size * 2**zoom)
    return (-EDGE + (column * size + np.arange(size) + 0.5) * res, EDGE - (row * size + np.arange(size) + 0.5) * res)


def nearest(raster, crs, x, y):
    """The raster's value under each point, NaN outside and where nothing is known; one plane a band."""
    grid_x, grid_y = np.meshgrid(x, y)
    there = transform(crs, raster.crs, grid_x.ravel(), grid_y.ravel())
    count, height, width = raster.values.shape
    columns, rows = raster.inverse @ np.array(there)
    columns, rows = np.floor(columns).astype(int), np.floor(rows).astype(int)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    values = raster.values.astype(float).filled(np.nan)
    out = np.full((count, grid_x.size), np.nan)
    out[:, inside] = values[:, rows[inside], columns[inside]]
    return out.reshape(count, *grid_x.shape)


def picture(answer):
    """Pixels as red, green, blue, opacity; and the numbers of the palette, if there is one."""
    with MemoryFile(answer.content) as file, file.open() as opened:
        bands = opened.read()
        if opened.count > 1:
            return bands, None
        palette = opened.colormap(1)
        table = np.array([palette.get(i, (0, 0, 0, 0)) for i in range(256)], "uint8")
        return table[bands[0]].transpose(2, 0, 1), bands[0]


def steps(values, low, high):
    """Numbers of the ramp's colours: 1 … 255, 0 where nothing is known."""
    at = np.clip((values - low) * (255 / (high - low)), 0, 254)
    return np.where(np.isnan(values), 0, 1 + np.nan_to_num(at).astype(int))


@pytest.mark.parametrize("size", [256, 512])
def test_a_tile_shows_the_batch_result(api, size):
    shown = service(api, NDVI, {"min": -0.2, "max": 0.9, "colormap": "viridis", "tile_size": size})
    raster = result(api, NDVI)
    seen = set()
    for zoom in (11, 13, 14):
        column, row = middle_tile(shown["attributes"]["cube"]["lonlat"], zoom)
        for dx in (0, 1):
            answer = requests.get(tile_url(shown, zoom, column + dx, row), timeout=60)
            assert answer.headers["Content-Type"] == "image/png"
            _, numbers = picture(answer)
            want = steps(nearest(raster, "EPSG:3857", *centres(zoom, column + dx, row, size))[0], -0.2, 0.9)
            assert numbers.shape == (size, size)
            np.testing.assert_array_equal(numbers, want)
            seen |= set(np.unique(numbers))
    assert 0 in seen and len(seen) > 100


def test_colours_are_three_bands_and_missing_is_transparent(api):
    graph = {"load": load(bands=["B02", "B04", "B03"]), "last": reduced("load", "t", "last", result=True)}
    shown = service(api, graph, {"bands": ["B04", "B03", "B02"], "min": 0, "max": [3000, 3000, 2500]})
    assert shown["attributes"]["bands"] == ["B04", "B03", "B02"]
    zoom = 13
    column, row = middle_tile(shown["attributes"]["cube"]["lonlat"], zoom)
    values = nearest(result(api, graph), "EPSG:3857", *centres(zoom, column + 1, row, 256))[[1, 2, 0]]
    bands, _ = picture(requests.get(tile_url(shown, zoom, column + 1, row, ".png"), timeout=60))
    known = ~np.isnan(values).any(0)
    assert 0 < known.sum() < known.size
    np.testing.assert_array_equal(bands[3] == 255, known)
    np.testing.assert_array_equal(bands[3] == 0, ~known)
    for band, high in zip(range(3), (3000, 3000, 2500)):
        want = np.clip(np.floor(values[band] / high * 255 + 0.5), 0, 255)
        assert np.abs(bands[band][known] - want[known]).max() <= 1e-9


def test_a_date_is_chosen_by_the_query(api):
    graph = {"load": {**load(bands=["B08"]), "result": True}}
    shown = service(api, graph, {"min": 0, "max": 10000})
    dates = next(d["labels"] for d in shown["attributes"]["cube"]["dimensions"] if d["type"] == "temporal")
    zoom = 13
    column, row = middle_tile(shown["attributes"]["cube"]["lonlat"], zoom)
    url = tile_url(shown, zoom, column, row)
    pictures = {date: requests.get(url, params={"datetime": date}, timeout=60).content for date in dates[:4]}
    assert len(set(pictures.values())) == 4
    one = {"load": load(bands=["B08"], temporal_extent=[dates[1][:10], dates[2][:10]]),
           "drop": reduced("load", "t", "first", result=True)}
    want = steps(nearest(result(api, one), "EPSG:3857", *centres(zoom, column, row, 256))[0], 0, 10000)
    for text in (dates[1], dates[1][:10], f"{dates[0]}/{dates[1][:10]}", f"../{dates[1]}"):
        np.testing.assert_array_equal(picture(requests.get(url, params={"time": text}, timeout=60))[1], want, text)
    assert requests.get(url, timeout=60).content == requests.get(url, params={"datetime": dates[-1]},
                                                                 timeout=60).content
    for text in ("1999-01-01", "soon", "../1999-01-01"):
        bad = requests.get(url, params={"datetime": text}, timeout=60)
        assert (bad.status_code, bad.json()["code"]) == (400, "QueryParameterInvalid"), bad.text


def test_parameters_of_the_process_come_with_the_query(api):
    graph = {"load": load(bands=["B08"], temporal_extent={"from_parameter": "temporal_extent"},
                          spatial_extent={"from_parameter": "spatial_extent"}),
             "best": reduced("load", "t", "max"),
             "scaled": {"process_id": "apply", "result": True, "arguments": {
                 "data": {"from_node": "best"}, "context": {"from_parameter": "factor"},
                 "process": {"process_graph": {"m": {"process_id": "multiply", "result": True, "arguments": {
                     "x": {"from_parameter": "x"}, "y": {"from_parameter": "context"}}}}}}}}
    parameters = [{"name": "factor", "description": "a number", "schema": {"type": "number"}}]
    answer = api.post(api.root + "/services", timeout=60, json={
        "type": "XYZ", "process": {"process_graph": graph, "parameters": parameters},
        "configuration": {"min": 0, "max": 10000}})
    assert (answer.status_code, answer.json()["code"]) == (400, "ProcessParameterMissing"), answer.text
    answer = api.post(api.root + "/services", timeout=60, json={
        "type": "XYZ", "process": {"process_graph": graph, "parameters": parameters},
        "configuration": {"min": 0, "max": 10000, "parameters": {"factor": 1}}})
    assert answer.status_code == 201, answer.text
    shown = api.get(answer.headers["Location"], timeout=30).json()
    assert shown["attributes"]["parameters"] == ["factor"]
    zoom = 13
    column, row = middle_tile(shown["attributes"]["cube"]["lonlat"], zoom)
    url, points = tile_url(shown, zoom, column, row), centres(zoom, column, row, 256)
    plain = {"load": load(bands=["B08"]), "best": reduced("load", "t", "max", result=True)}
    values = nearest(result(api, plain), "EPSG:3857", *points)[0]
    for factor in (1, 0.5, 2):
        got = picture(requests.get(url, params={"factor": factor}, timeout=60))[1]
        np.testing.assert_array_equal(got, steps(values * factor, 0, 10000))
    spring = {"load": load(bands=["B08"], temporal_extent=["2024-03-01", "2024-05-01"]),
              "best": reduced("load", "t", "max", result=True)}
    values = nearest(result(api, spring), "EPSG:3857", *points)[0]
    got = picture(requests.get(url, params={"datetime": "2024-03-01/2024-05-01"}, timeout=60))[1]
    np.testing.assert_array_equal(got, steps(values, 0, 10000))


CLASSES = {"load": load(bands=["QA"]), "first": reduced("load", "t", "first", result=True)}


def test_categories_have_their_own_colours(api):
    raster = result(api, CLASSES)
    known = [int(v) for v in np.unique(raster.values.compressed())][:3]
    colours = {str(v): f"#{40 * i + 10:02x}20{200 - 50 * i:02x}" for i, v in enumerate(known)}
    shown = service(api, CLASSES, {"categories": colours})
    zoom = 14
    column, row = middle_tile(shown["attributes"]["cube"]["lonlat"], zoom)
    values = nearest(raster, "EPSG:3857", *centres(zoom, column, row, 256))[0]
    bands, _ = picture(requests.get(tile_url(shown, zoom, column, row), timeout=60))
    for value in known:
        where = values == value
        colour = [int(colours[str(value)][i:i + 2], 16) for i in (1, 3, 5)]
        assert (bands[:3, where] == np.array(colour)[:, None]).all() and (bands[3, where] == 255).all()
    assert (bands[3, ~np.isin(values, known)] == 0).all()


RAMPS = {  # of matplotlib 3.11: the colours at 0, 1/4, 1/2, 3/4 and 1
    "viridis": "440154 3b528b 21918c 5ec962 fde725",
    "cividis": "00224e 434e6c 7d7c78 bcae6c fee838",
    "jet": "000080 0080ff 7dff7a ff9400 800000",
    "RdYlGn": "a50026 f98e52 feffbe 84ca66 006837",
    "twilight": "e2d9e2 6276ba 2f1436 b25652 e2d9e2",
    "cubehelix": "000000 16534c a1794a c6b4ee ffffff",
    "BuPu": "f7fcfd bfd3e6 8c95c6 88409c 4d004b",
}


def test_ramps_have_the_colours_that_their_names_promise(api):
    shown = service(api, NDVI, {"min": 0, "max": 1})
    for name, colours in RAMPS.items():
        for ending in ("", "_r"):
            changed = api.patch(f"{api.root}/services/{shown['id']}", timeout=60, json={
                "configuration": {"min": 0, "max": 1, "colormap": name + ending}})
            assert changed.status_code == 204, changed.text
            bands, _ = picture(requests.get(f"{api.root}/services/{shown['id']}/legend", timeout=60))
            want = [[int(colour[i:i + 2], 16) for i in (0, 2, 4)] for colour in colours.split()]
            at = np.rint(np.array([0, 0.25, 0.5, 0.75, 1]) * 254).astype(int)
            got = bands[:3, 10, at].T.astype(int)
            assert np.abs(got - (want[::-1] if ending else want)).max() <= 6, (name, ending)


def neighbours(node):
    """A blur that looks at pixels around each: it has to be computed on the data's own pixels."""
    return {**NDVI, "best": {k: v for k, v in NDVI["best"].items() if k != "result"},
            "blur": {"process_id": "apply_kernel", "result": True,
                     "arguments": {"data": {"from_node": node}, "kernel": [[1] * 5] * 5, "factor": 0.04}}}


def count_dates():
    """A count is 0 where nothing is known: but not outside the data."""
    return {"load": load(bands=["B08"]), "n": reduced("load", "t", "count", result=True)}


def cropped():
    return {"load": load(bands=["B08"]), "crop": {"process_id": "filter_bbox", "arguments": {
        "data": {"from_node": "load"}, "extent": {"west": 11.59, "south": 48.335, "east": 11.62, "north": 48.36}}},
        "best": reduced("crop", "t", "max", result=True)}


def coarse():
    return {**cropped(), "best": reduced("crop", "t", "max"),
            "coarse": {"process_id": "resample_spatial", "result": True, "arguments": {
                "data": {"from_node": "best"}, "resolution": 60, "method": "average"}}}


def merged():
    """Two crops side by side: holes, views and a stack."""
    east = {"west": 11.605, "south": 48.335, "east": 11.63, "north": 48.36}
    west = {"west": 11.58, "south": 48.33, "east": 11.60, "north": 48.35}
    return {"load": load(bands=["B08"]), "best": reduced("load", "t", "max"),
            "a": {"process_id": "filter_bbox", "arguments": {"data": {"from_node": "best"}, "extent": east}},
            "b": {"process_id": "filter_bbox", "arguments": {"data": {"from_node": "best"}, "extent": west}},
            "merge": {"process_id": "merge_cubes", "result": True, "arguments": {
                "cube1": {"from_node": "a"}, "cube2": {"from_node": "b"}, "overlap_resolver": {"process_graph": {
                    "m": {"process_id": "max", "result": True, "arguments": {"data": [
                        {"from_parameter": "x"}, {"from_parameter": "y"}]}}}}}}}


def share_of_most():
    """x / max(x): a statistic of all pixels is the same whatever the map shows."""
    divide = {"m": {"process_id": "divide", "arguments": {"x": {"from_parameter": "x"}, "y": {"from_parameter": "y"}},
                    "result": True}}
    return {"load": load(bands=["B08"]), "best": reduced("load", "t", "max"),
            "rows": reduced("best", "y", "max"), "most": reduced("rows", "x", "max"),
            "share": {"process_id": "merge_cubes", "result": True, "arguments": {
                "cube1": {"from_node": "best"}, "cube2": {"from_node": "most"},
                "overlap_resolver": {"process_graph": divide}}}}


@pytest.mark.parametrize("graph,low,high", [
    (neighbours("best"), -0.2, 0.9), (count_dates(), 0, 30), (cropped(), 0, 10000), (coarse(), 0, 10000),
    (merged(), 0, 10000), (share_of_most(), 0, 1)],
    ids=["neighbours", "count", "crop", "coarse", "merge", "share"])
def test_whatever_a_graph_does_its_tile_is_its_result(api, graph, low, high):
    shown = service(api, graph, {"min": low, "max": high, "colormap": "magma"})
    raster = result(api, graph)
    holes = False
    for zoom in (12, 14):
        column, row = middle_tile(shown["attributes"]["cube"]["lonlat"], zoom)
        answer = requests.get(tile_url(shown, zoom, column, row), timeout=60)
        want = steps(nearest(raster, "EPSG:3857", *centres(zoom, column, row, 256))[0], low, high)
        np.testing.assert_array_equal(picture(answer)[1], want)
        holes = holes or (want == 0).any()
    assert holes and (want > 0).any()


@pytest.mark.parametrize("what,graph", [
    ("number", {"add": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}),
    ("dimensions", {**NDVI, "best": reduced("ndvi", "t", "max"), "row": reduced("best", "y", "mean", result=True)}),
    ("dimensions", {"field": {"process_id": "lft_scalar_field", "result": True, "arguments": {
        "shape": [4, 4], "m2": 1, "lambda": 1, "configurations": 2, "thermalisation": 1}}})])
def test_what_is_no_map_is_refused(api, what, graph):
    answer = make(api, graph)
    assert (answer.status_code, answer.json()["code"]) == (400, "FormatUnsuitable"), answer.text
    assert what in answer.json()["message"]


@pytest.mark.parametrize("code,parameter,change", [
    ("ServiceUnsupported", "type", {"type": "gopher"}), ("ServiceUnsupported", "type", {"type": None}),
    ("ServiceConfigUnsupported", "speed", {"configuration": {"speed": 3}}),
    ("ServiceConfigInvalid", "tile_size", {"configuration": {"tile_size": 300}}),
    ("ServiceConfigInvalid", "format", {"configuration": {"format": "gif"}}),
    ("ServiceConfigInvalid", "colormap", {"configuration": {"colormap": "mud"}}),
    ("ServiceConfigInvalid", "resampling", {"configuration": {"resampling": "guess"}}),
    ("ServiceConfigInvalid", "bands", {"configuration": {"bands": ["B04"]}}),
    ("ServiceConfigInvalid", "bands", {"configuration": {"bands": ["B04", "B03"]}}),
    ("ServiceConfigInvalid", "max", {"configuration": {"min": 3, "max": 2}}),
    ("ServiceConfigInvalid", "min", {"configuration": {"min": "low"}}),
    ("ServiceConfigInvalid", "categories", {"configuration": {"categories": {"4": "green"}}}),
    ("ServiceConfigInvalid", "configuration", {"configuration": []}),
    ("RequestBodyInvalid", "enabled", {"enabled": "yes"}), ("BudgetInvalid", "budget", {"budget": -1}),
    ("ProcessGraphMissing", "process", {"process": {}}), ("RequestBodyInvalid", "title", {"title": 5}),
    ("RequestBodyInvalid", "log_level", {"log_level": "loud"})])
def test_bad_requests_name_what_is_wrong(api, code, parameter, change):
    answer = api.post(api.root + "/services", json={"type": "xyz", "process": {"process_graph": NDVI}, **change},
                      timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text
    assert f'"{parameter}"' in answer.json()["message"]


def test_a_service_is_no_store(api):
    long = make(api, NDVI, {"min": 0, "max": 1}, description="x" * 3_000_000)
    assert (long.status_code, long.json()["code"]) == (413, "ContentTooLarge")
    assert make(api, NDVI, {"min": 0, "max": 1}, title="x" * 100_001).json()["code"] == "RequestBodyInvalid"
    assert make(api, NDVI, {"min": 0, "max": 1}, title="x" * 100_000).status_code == 201


def test_the_life_of_a_service(api):
    shown = service(api, NDVI, {"min": 0, "max": 1}, title="green", description="*how* green", budget=3, plan="free")
    path = f"{api.root}/services/{shown['id']}"
    assert {k: shown[k] for k in ("title", "description", "type", "enabled", "budget", "plan", "log_level")} == {
        "title": "green", "description": "*how* green", "type": "XYZ", "enabled": True, "budget": 3, "plan": "free",
        "log_level": "info"}
    assert shown["process"] == {"process_graph": NDVI} and shown["configuration"] == {"min": 0, "max": 1}
    listed = api.get(api.root + "/services", timeout=30).json()
    assert listed["services"][0]["id"] == shown["id"] and not {"process", "configuration"} & set(listed["services"][0])
    page = api.get(api.root + "/services?limit=1", timeout=30).json()
    assert len(page["services"]) == 1 and (page["links"] == [] or page["links"][0]["rel"] == "next")
    tile = tile_url(shown, 13, *middle_tile(shown["attributes"]["cube"]["lonlat"], 13))
    before = requests.get(tile, timeout=60)
    assert api.patch(path, json={"title": None, "configuration": {"min": 0.5, "max": 1}}, timeout=60).status_code == 204
    changed = api.get(path, timeout=30).json()
    assert "title" not in changed and changed["configuration"] == {"min": 0.5, "max": 1}
    assert requests.get(tile, timeout=60).content != before.content
    for body, code in (({}, "NoDataForUpdate"), ({"type": "xyz"}, "PropertyNotEditable"),
                       ({"configuration": {"min": []}}, "ServiceConfigInvalid")):
        assert api.patch(path, json=body, timeout=60).json()["code"] == code
    assert api.patch(path, json={"enabled": False}, timeout=60).status_code == 204
    gone = requests.get(tile, timeout=60)
    assert (gone.status_code, gone.json()["code"]) == (404, "ServiceNotFound")
    assert gone.headers["Access-Control-Allow-Origin"] == "*"
    messages = [entry["message"] for entry in api.get(path + "/logs", timeout=30).json()["logs"]]
    assert messages[:3] == ["the service was made", "the service was changed", "the service was changed"]
    assert requests.get(path, timeout=30).status_code == 401
    assert api.delete(path, timeout=30).status_code == 204
    for call in (api.get, api.delete):
        assert call(path, timeout=30).json()["code"] == "ServiceNotFound"
    assert requests.get(tile, timeout=60).status_code == 404


def test_tiles_have_tags_and_formats(api):
    shown = service(api, NDVI, {"min": 0, "max": 1, "format": "webp"})
    zoom = 13
    column, row = middle_tile(shown["attributes"]["cube"]["lonlat"], zoom)
    first = requests.get(tile_url(shown, zoom, column, row), timeout=60)
    assert first.headers["Content-Type"] == "image/webp" and first.headers["Access-Control-Allow-Origin"] == "*"
    again = requests.get(tile_url(shown, zoom, column, row), headers={"If-None-Match": first.headers["ETag"]},
                         timeout=60)
    assert (again.status_code, again.content) == (304, b"")
    jpeg = requests.get(tile_url(shown, zoom, column, row, ".jpg"), timeout=60)
    assert jpeg.headers["Content-Type"] == "image/jpeg"
    exact = picture(requests.get(tile_url(shown, zoom, column, row, ".png"), timeout=60))[0]
    for lossy in (first, jpeg):
        with MemoryFile(lossy.content) as file, file.open() as opened:
            assert np.abs(opened.read()[:3].astype(int) - exact[:3]).mean() < 12
    far = requests.get(tile_url(shown, zoom, 0, 0, ".png"), timeout=60)
    assert far.status_code == 200 and not picture(far)[0][3].any()
    for bad in ("13/0/8192", "13/-1/0", "29/0/0", "13/0/0.gif", "13/0/0x", "a/0/0"):
        answer = requests.get(shown["url"].replace("{z}/{x}/{y}", bad), timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (404, "NotFound"), bad
    legend = requests.get(f"{api.root}/services/{shown['id']}/legend", timeout=30)
    colours, _ = picture(legend)
    assert colours.shape == (4, 20, 256) and (np.diff(colours[0, 0].astype(int)) >= 0).all()


def test_the_python_client_makes_a_service(api, running):
    connection = openeo.connect(running.url).authenticate_basic(USER, PASSWORD)
    assert "XYZ" in connection.list_service_types()
    cube = connection.load_collection("DEMO_MAPS", bands=["B08"]).max_time()
    made = connection.create_service(cube.flat_graph(), type="xyz", configuration={"max": 9000}, title="near infrared")
    described = made.describe_service()
    assert described["title"] == "near infrared" and made.service_id in described["url"]
    assert made.service_id in [s["id"] for s in connection.list_services()]
    assert made.logs()[0]["message"] == "the service was made"
    made.delete_service()


def test_types_say_their_options(api):
    kinds = requests.get(api.root + "/service_types", timeout=30).json()
    for described in kinds.values():
        assert {"configuration", "process_parameters", "title", "description"} <= set(described)
        assert {"spatial_extent", "temporal_extent"} == {p["name"] for p in described["process_parameters"]}
    names = kinds["XYZ"]["configuration"]["colormap"]["enum"]
    assert {"viridis", "RdYlGn_r", "gray"} <= set(names)
    for name in names:
        answer = make(api, NDVI, {"colormap": name, "min": 0, "max": 1}) if name in ("turbo_r", "Blues") else None
        assert answer is None or answer.status_code == 201
