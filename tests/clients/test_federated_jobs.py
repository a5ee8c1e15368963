"""Batch jobs of a back-end that is nothing to rely on: their files, logs and ends, and that nothing is left. Those of
another server are in test_federation.py."""

import pathlib
import tempfile

import numpy
import pytest

from conftest import until
from publisher import Page, Publisher
from test_federation import load, missing, opened, publish_api, refused, saved
from test_server_api import Server, add_user


def publish_jobs(publisher):
    """It makes jobs from now on, each named j 1."""
    publish_api(publisher)
    endpoints = [{"path": "/result", "methods": ["POST"]}, {"path": "/jobs", "methods": ["GET", "POST"]}]
    publisher.publish("/api/", {"api_version": "1.2.0", "endpoints": endpoints})
    publisher.publish("/api/processes", {"processes": [{"id": "load_collection"}]})
    publisher.publish("POST /api/jobs", b"", status=201, headers={"OpenEO-Identifier": "j 1"})
    publisher.publish("POST /api/jobs/j%201/results", b"", status=202)
    publisher.publish("/api/jobs/j%201", {"id": "j 1", "status": "finished"})
    publisher.publish("/api/jobs/j%201/logs", {"logs": []})
    publisher.publish("DELETE /api/jobs/j%201", b"", status=204)


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    """A server, the back-end that it asks, and the server's folder."""
    publisher, data = Publisher(), tmp_path_factory.mktemp("data")
    publish_jobs(publisher)
    add_user(data, "alice")
    config = data / "twincube.toml"
    config.write_text(f'[[federation]]\nid = "odd"\nurl = "{publisher.root}/api"\nresult_size = "2M"\n')
    server = Server(data, "--config", str(config)).login()
    yield server, publisher, data
    assert server.stop() == 0
    publisher.stop()


@pytest.fixture
def asker(asking):
    until(lambda: missing(asking[0], "/file_formats") is None and missing(asking[0]) is None)
    return asking[0]


@pytest.fixture
def worker(asking):
    publisher = asking[1]
    publisher.pages.clear()
    publish_jobs(publisher)
    publisher.asked.clear()
    return publisher


def results(**assets):
    return Page({"assets": assets})


def values_of(bands, days):
    """By band; t, y, x."""
    return {band: numpy.array([[[100 * ord(band[-1]) + 10 * day + i + 3 * j for i in range(3)] for j in range(2)]
                               for day in days], "int16") for band in bands}


def cube_file(bands=("B1",), days=(0,), west=100):
    """The bytes of a small netCDF file, its dates counted in days."""
    import xarray

    t = xarray.Variable("t", numpy.array(days, "int32"), {"units": "days since 2024-01-01", "standard_name": "time"})
    x, y = numpy.arange(3) * 10.0 + west, numpy.array([20.0, 10.0])
    data = {name: (("t", "y", "x"), values, {"grid_mapping": "crs"}) for name, values in values_of(bands, days).items()}
    crs = xarray.Variable((), 0, {"spatial_ref": "EPSG:32632"})
    cube = xarray.Dataset({**data, "crs": crs}, {"t": t, "y": ("y", y, {"units": "m"}), "x": ("x", x, {"units": "m"})})
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "cube.nc")
        cube.to_netcdf(path)
        return path.read_bytes()


FILE = {"href": "/files/cube.nc", "type": "application/x-netcdf"}
ANSWERS = {
    "fails": ({"/api/jobs/j%201": Page({"status": "error"}), "/api/jobs/j%201/logs": Page(
        {"logs": [{"level": "error", "code": "BandNotAvailable", "message": "no B1"}, {"level": "info", "message": ""}]}
    )}, "BandNotAvailable", "the job at the back-end 'odd' failed: no B1"),
    "fails and says nothing": ({"/api/jobs/j%201": Page({"status": "error"}), "/api/jobs/j%201/logs": Page(b"[]")},
                               "InfrastructureBusy", "failed"),
    "is cancelled": ({"/api/jobs/j%201": Page({"status": "canceled"})}, "InfrastructureBusy", "cancelled the job"),
    "is not started": ({"POST /api/jobs/j%201/results": Page({"code": "PaymentRequired", "message": "pay"}, 402)},
                       "InfrastructureBusy", "does not let this server in"),
    "a file twice": ({"/api/jobs/j%201/results": results(a=FILE, b=FILE), "/files/cube.nc": Page(cube_file())},
                     "FileContentInvalid", "'file 1 of 2'"),
    "two grids": ({"/api/jobs/j%201/results": results(a=FILE, b={**FILE, "href": "/files/b.nc"}),
                   "/files/cube.nc": Page(cube_file()), "/files/b.nc": Page(cube_file(days=[1], west=90))},
                  "FileContentInvalid", "'file 2 of 2'"),
    "two that are too large": ({"/api/jobs/j%201/results": results(a=FILE, b=FILE),
                                "/files/cube.nc": Page(b"x" * (3 << 19))}, "InfrastructureBusy", "too large"),
    "the second is gone": ({"/api/jobs/j%201/results": results(a=FILE, b={**FILE, "href": "/files/b.nc"}),
                            "/files/cube.nc": Page(cube_file())}, "InfrastructureBusy", "status 404"),
    "too many files": ({"/api/jobs/j%201/results": results(**{str(i): FILE for i in range(1001)})},
                       "FeatureUnsupported", "made 1001 netCDF files"),
    "a file nowhere": ({"/api/jobs/j%201/results": results(a={"type": FILE["type"]})}, "InfrastructureBusy",
                       "does not say where"),
    "no file": ({"/api/jobs/j%201/results": results(a={"href": "a.tif", "type": "image/tiff"})}, "FeatureUnsupported",
                "made 0 netCDF files"),
    "assets are none": ({"/api/jobs/j%201/results": Page({"assets": 5})}, "FeatureUnsupported", "made 0 netCDF files"),
    "file in our net": ({"/api/jobs/j%201/results": results(a={**FILE, "href": "http://127.0.0.1:9/cube.nc"})},
                        "PermissionsInsufficient", "not public"),
    "file of the cloud": ({"/api/jobs/j%201/results": results(a={**FILE, "href": "http://169.254.169.254/a.nc"})},
                          "PermissionsInsufficient", "not public"),
    "file that is none": ({"/api/jobs/j%201/results": results(a=FILE), "/files/cube.nc": Page(b"x" * 1000)}, None,
                          "odd|A"),
    "file that is gone": ({"/api/jobs/j%201/results": results(a=FILE)}, "InfrastructureBusy", "status 404"),
    "state that is none": ({"/api/jobs/j%201": Page({"code": "JobNotFound", "message": "which?"}, 404)},
                           "JobNotFound", "which?"),
}


@pytest.mark.parametrize("pages, code, words", ANSWERS.values(), ids=ANSWERS)
def test_jobs_that_come_to_nothing(asking, asker, worker, pages, code, words):
    worker.pages.update(pages)
    answer = asker.result(saved(load("odd|A"), "load"))
    assert answer.status_code >= 400 and words in answer.json()["message"], answer.text
    assert code in (None, answer.json()["code"])
    assert worker.count("DELETE /api/jobs/j%201") == 1
    until(lambda: not list(asking[2].glob("tmp/*/~loaded/*")))


@pytest.mark.parametrize("files", [
    [(["B1", "B2"], [3]), (["B1", "B2"], [0, 1]), (["B1", "B2"], [2])],
    [(["B1"], [2, 3]), (["B2"], [0, 1, 2]), (["B2"], [3]), (["B1"], [0, 1])],
], ids=["a date each", "bands apart"])
def test_several_files_are_one_cube(asking, asker, worker, tmp_path, files):
    assets = {}
    for i, (bands, days) in enumerate(files):
        worker.publish(f"/files/{i}.nc", cube_file(bands, days))
        assets[f"{i}.nc"] = {**FILE, "href": f"/files/{i}.nc"}
    worker.pages["/api/jobs/j%201/results"] = results(picture={"href": "a.png", "type": "image/png"}, **assets)
    found = opened(asker.result(saved(load("odd|A"), "load")), tmp_path)
    wanted = values_of(["B1", "B2"], range(4))
    assert found.sizes["t"] == 4 and all(numpy.array_equal(found[name], wanted[name]) for name in wanted)
    assert [path.name for path in asking[2].glob("tmp/*/~loaded/*")] == []


@pytest.mark.parametrize("headers", [{}, {"Location": "/"}, {"Location": "/api/jobs/.."},
                                     {"OpenEO-Identifier": "x" * 600}], ids=range(4))
def test_jobs_without_a_name(asker, worker, headers):
    worker.publish("POST /api/jobs", b"", status=201, headers=headers)
    assert "which job" in refused(asker, saved(load("odd|A"), "load"), "InfrastructureBusy", 503)
    assert not any(path.startswith("DELETE") for path in worker.asked)


def test_a_job_that_is_cancelled_here_is_deleted_there(asker, worker):
    worker.publish("/api/jobs/j%201", {"status": "running"})
    job = asker.create(saved(load("odd|A"), "load"))
    asker.call("POST", f"/jobs/{job}/results")
    until(lambda: worker.count("/api/jobs/j%201") > 1)
    assert asker.call("DELETE", f"/jobs/{job}/results").status_code == 204
    until(lambda: worker.count("DELETE /api/jobs/j%201") == 1)
    asker.wait(job, "canceled")


def test_a_state_that_cannot_be_had_now_is_asked_for_again(asker, worker):
    states = iter([Page(b"", 502), Page(b"{", 200), Page({"status": "queued"}), Page({"status": "error"})])
    worker.pages["/api/jobs/j%201"] = lambda _: next(states)
    assert "failed" in refused(asker, saved(load("odd|A"), "load"), "InfrastructureBusy", 503)
    assert worker.count("/api/jobs/j%201") == 4
