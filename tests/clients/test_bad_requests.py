"""Wrong graphs and wrong tokens through the openEO Python client: an error with a code that names the place, and a
server that goes on."""

import shutil

import numpy
import openeo
import pytest
import requests
from openeo.rest import JobFailedException, OpenEoApiError
from openeo.rest.auth.auth import BearerAuth

from conftest import DEMO_PATTERNS
from reference import open_cube

ADD = {"sum": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}


def load(**arguments):
    return {"process_id": "load_collection",
            "arguments": {"id": "DEMO_S2", "spatial_extent": None, "temporal_extent": None, **arguments}}


def saved(*nodes):
    """The nodes in a chain, the last one saved as netCDF."""
    graph = {f"n{i}": node for i, node in enumerate(nodes)}
    for i in range(1, len(nodes)):
        nodes[i]["arguments"].setdefault("data", {"from_node": f"n{i - 1}"})
    graph["save"] = {"process_id": "save_result", "result": True,
                     "arguments": {"data": {"from_node": f"n{len(nodes) - 1}"}, "format": "netCDF"}}
    return graph


def step(process, **arguments):
    return {"process_id": process, "arguments": arguments}


MEAN = {"process_graph": {"m": {"process_id": "mean", "arguments": {"data": {"from_parameter": "data"}},
                                "result": True}}}
UTM = "EPSG:32632"


def chain(length):
    """So many additions of one, each of the one before."""
    graph = {"n0": {"process_id": "add", "arguments": {"x": 0, "y": 1}}}
    for i in range(1, length):
        graph[f"n{i}"] = {"process_id": "add", "arguments": {"x": {"from_node": f"n{i - 1}"}, "y": 1}}
    graph[f"n{length - 1}"]["result"] = True
    return graph


# Graph, codes that fit, texts that the message must have (the node, the parameter, the value).
CASES = {
    "unknown process": ({"odd": {"process_id": "make_coffee", "arguments": {}, "result": True}},
                        {"ProcessUnsupported"}, ["make_coffee"]),
    "missing argument": ({"sum": {"process_id": "add", "arguments": {"x": 1}, "result": True}},
                         {"ProcessParameterRequired", "ProcessParameterMissing"}, ["sum", "y"]),
    "unknown argument": ({"sum": {"process_id": "add", "arguments": {"x": 1, "y": 2, "z": 3}, "result": True}},
                         {"ProcessParameterUnsupported", "ProcessParameterInvalid"}, ["sum", "z"]),
    "argument of a wrong type": ({"sum": {"process_id": "add", "arguments": {"x": 1, "y": "two"}, "result": True}},
                                 {"ProcessParameterInvalid"}, ["sum", "y"]),
    "unknown collection": (saved(load(id="NO_SUCH")), {"CollectionNotFound"}, ["NO_SUCH"]),
    "unknown band": (saved(load(bands=["B99"])), None, ["n0", "B99"]),
    "no band of filter_bands": (saved(load(), step("filter_bands", bands=["B98"])), None, ["empty"]),
    "unknown dimension": (saved(load(), step("reduce_dimension", dimension="depth", reducer=MEAN)),
                          {"DimensionNotAvailable"}, ["n1", "depth"]),
    "cycle": ({"a": {"process_id": "add", "arguments": {"x": 1, "y": {"from_node": "b"}}},
               "b": {"process_id": "add", "arguments": {"x": 1, "y": {"from_node": "a"}}, "result": True}}, None,
               ["a"]),
    "node that is not there": ({"a": {"process_id": "add", "arguments": {"x": 1, "y": {"from_node": "ghost"}},
                                      "result": True}}, None, ["a", "ghost"]),
    "no result node": ({"a": {"process_id": "add", "arguments": {"x": 1, "y": 2}}, "b": ADD["sum"] | {"result": False}},
                       None, ["result"]),
    "empty temporal extent": (saved(load(temporal_extent=["2024-05-01", "2024-05-01"])), None, ["n0"]),
    "temporal extent backwards": (saved(load(temporal_extent=["2024-06-01", "2024-05-01"])), None, ["n0"]),
    "no date": (saved(load(temporal_extent=["2024-13-45", "2024-05-01"])), None, ["n0"]),
    "empty spatial extent": (saved(load(spatial_extent=dict(west=11.6, east=11.6, south=48.4, north=48.4))), None,
                             ["n0"]),
    "bbox elsewhere": (saved(load(spatial_extent=dict(west=-60, east=-59, south=-30, north=-29))), None, ["n0"]),
    "bbox upside down": (saved(load(spatial_extent=dict(west=11.6, east=11.7, south=48.5, north=48.4))), None, ["n0"]),
    "absurd bbox": (saved(load(spatial_extent=dict(west=-1e300, east=1e300, south=-1e300, north=1e300))), None, ["n0"]),
    "bbox without north": (saved(load(spatial_extent=dict(west=11.6, east=11.7, south=48.4))), None, ["n0"]),
    "bbox in a wrong CRS": (saved(load(spatial_extent=dict(west=1, east=2, south=1, north=2, crs="EPSG:999999"))),
                            None, ["n0"]),
    "absurd resolution": (saved(load(), step("resample_spatial", resolution=1e-9)), None, ["n1"]),
    "negative resolution": (saved(load(), step("resample_spatial", resolution=-10)), None, ["n1", "resolution"]),
    "unknown format": ({"n0": load(), "save": {"process_id": "save_result", "result": True, "arguments": {
        "data": {"from_node": "n0"}, "format": "Stone"}}}, None, ["save", "Stone"]),
    "unknown period": (saved(load(), step("aggregate_temporal_period", period="fortnight", reducer=MEAN)), None,
                       ["n1", "period"]),
    "too many nodes": (chain(10001), {"ProcessGraphComplexity"}, ["10000"]),
}


ONLY_THE_PLAN_CAN_TELL = ()


@pytest.fixture(scope="module", autouse=True)
def series(catalogue, demo):
    catalogue.add("DEMO_S2", demo, *DEMO_PATTERNS)


def goes_on(connection):
    return connection.execute(ADD) == 3


@pytest.mark.parametrize("name", CASES)
def test_error_names_the_place(connection, name):
    graph, codes, words = CASES[name]
    with pytest.raises(OpenEoApiError) as caught:
        connection.execute(graph)
    error = caught.value
    print(error.code, error.message)
    assert 400 <= error.http_status_code < 500
    assert error.code and error.code != "Internal" and error.message
    assert codes is None or error.code in codes
    for word in words:
        assert word in error.message
    assert goes_on(connection)


@pytest.mark.parametrize("name", [name for name in CASES])
def test_validation_finds_it_too(connection, name):
    """POST /validation answers with the same code, as far as it can be known without reading pixels."""
    graph, _, _ = CASES[name]
    with pytest.raises(OpenEoApiError) as caught:
        connection.execute(graph)
    found = connection.validate_process_graph(graph)
    if found:
        assert [entry["code"] for entry in found] == [caught.value.code]
    else:
        assert name in ONLY_THE_PLAN_CAN_TELL


def test_a_long_chain_is_no_error(connection):
    assert connection.execute(chain(5000)) == 5000


@pytest.mark.parametrize("depth", [150, 10000])
def test_callbacks_within_callbacks(connection, depth):
    """The text is sent as it is: no client could write it otherwise."""
    inner = '{"x":{"process_id":"apply","arguments":{"data":[1],"process":{"process_graph":'
    text = '{"process":{"process_graph":' + inner * depth + "{}" + "}},\"result\":true}}" * depth + "}}"
    answer = requests.post(connection.build_url("/result"), data=text, auth=connection.auth, timeout=60)
    assert answer.status_code == 400 and answer.json()["code"] in ("ProcessGraphComplexity", "ProcessGraphInvalid")
    assert goes_on(connection)


def test_a_wide_bbox_is_cut_to_the_data(connection, tmp_path):
    world = dict(west=-180, south=-90, east=180, north=90)
    cube = connection.load_collection("DEMO_S2", spatial_extent=world, temporal_extent=["2024-07-01", "2024-07-31"],
                                      bands=["B04"])
    cube.download(tmp_path / "world.nc", format="netCDF")
    loaded = open_cube(tmp_path / "world.nc")
    assert (loaded.sizes["x"], loaded.sizes["y"]) == (656, 512) and numpy.isfinite(loaded.values).any()


@pytest.mark.parametrize("damage", ["truncated", "no file", "no raster"])
def test_a_file_that_broke_after_it_was_catalogued(connection, catalogue, demo, tmp_path, damage):
    """At once and as a job: an error that names the file; the job's log has it; the server goes on."""
    file = tmp_path / "S2B_32UPU_20240408_B04.tif"
    shutil.copy(demo / file.name, file)
    name = catalogue.add("BROKEN_" + damage.replace(" ", "_"), tmp_path)
    cube = connection.load_collection(name)
    cube.download(tmp_path / "sound.nc", format="netCDF")
    if damage == "no file":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:20000] if damage == "truncated" else b"no raster at all" * 1000)
    with pytest.raises(OpenEoApiError) as caught:
        cube.download(tmp_path / "broken.nc", format="netCDF")
    print(caught.value)
    assert caught.value.code and file.name in caught.value.message
    assert goes_on(connection)
    job = cube.create_job(out_format="netCDF")
    with pytest.raises(JobFailedException):
        job.start_and_wait(max_poll_interval=1, connection_retry_interval=1, print=lambda line: None)
    assert job.status() == "error"
    assert any(file.name in entry.message for entry in job.logs(level="error"))
    assert goes_on(connection)


@pytest.mark.parametrize("token", ["basic//nonsense", "basic//", "oidc/x/abc", "nonsense", "basic//" + "a" * 5000])
def test_bad_token(running, connection, token):
    stranger = openeo.connect(running.url, auto_validate=False)
    stranger.auth = BearerAuth(token)
    with pytest.raises(OpenEoApiError) as caught:
        stranger.describe_account()
    assert caught.value.http_status_code in (401, 403)
    assert caught.value.code in ("TokenInvalid", "AuthenticationRequired", "AuthenticationSchemeInvalid")
    assert goes_on(connection)


def test_no_token_and_wrong_password(running, connection):
    stranger = openeo.connect(running.url, auto_validate=False)
    with pytest.raises(OpenEoApiError) as caught:
        stranger.describe_account()
    assert (caught.value.http_status_code, caught.value.code) == (401, "AuthenticationRequired")
    with pytest.raises(OpenEoApiError) as caught:
        stranger.authenticate_basic("carol", "not her password")
    assert (caught.value.http_status_code, caught.value.code) == (403, "CredentialsInvalid")
    assert goes_on(connection)


def test_jobs_of_others_are_not_found(connection):
    with pytest.raises(OpenEoApiError) as caught:
        connection.job("j-there-is-none").describe()
    assert (caught.value.http_status_code, caught.value.code) == (404, "JobNotFound")
