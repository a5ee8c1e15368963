"""What is large is computed by batch jobs of other back-ends: their files, logs and ends, and that nothing is left."""

import pytest

from conftest import DEMO_PATTERNS, twincube, until
from publisher import Page, Publisher
from test_federation import MAX, chain, load, missing, opened, publish_api, refused, same, saved, scenes
from test_server_api import Server, add_user

__all__ = ["scenes"]  # a fixture


@pytest.fixture(scope="module")
def provider(tmp_path_factory, scenes):
    data = tmp_path_factory.mktemp("provider")
    add_user(data, "service")
    twincube("catalogue", "add", "--data", data, "--id", "DEMO", *DEMO_PATTERNS, scenes)
    server = Server(data).login("service")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory, provider):
    data = tmp_path_factory.mktemp("data")
    add_user(data, "alice")
    token, config = data / "token", data / "twincube.toml"
    token.write_text(provider.session.headers["Authorization"].removeprefix("Bearer ") + "\n")
    config.write_text(f'[[federation]]\nid = "far"\nurl = "{provider.url}/openeo/1.3/"\ntoken_file = "{token}"\n'
                      'job_size = "1M"\n')
    server = Server(data, "--config", str(config)).login()
    until(lambda: missing(server) is None and missing(server, "/file_formats") is None)
    yield server
    assert server.stop() == 0


def jobs_of(provider):
    return provider.call("GET", "/jobs").json()["jobs"]


def explained(server, graph):
    (part,) = server.call("GET", f"/jobs/{server.create(graph)}/explain").json()["plan"]["elsewhere"]
    return part


def test_what_is_large_is_a_job_there(server, provider, tmp_path):
    large = saved(load("far|DEMO", bands=["B04"]), "load")
    assert explained(server, large)["is_job"] and explained(server, large)["bytes"] > 1 << 20
    theirs = opened(provider.result(saved(load("DEMO", bands=["B04"]), "load")), tmp_path)
    assert same(opened(server.result(large), tmp_path)["B04"], theirs["B04"])
    assert jobs_of(provider) == [], "it was deleted when its file was here"
    zones = {"type": "Point", "coordinates": [11.6, 48.35]}
    small = chain("far|DEMO", ("aggregate_spatial", {"geometries": zones, "reducer": MAX}), bands=["B04"])
    assert not explained(server, small)["is_job"]


def test_its_log_comes_here(server, provider):
    job = server.create(saved(load("far|DEMO", bands=["B08"]), "load"))
    server.call("POST", f"/jobs/{job}/results")
    server.wait(job, "finished", "error", seconds=60)
    told = [entry["message"] for entry in server.call("GET", f"/jobs/{job}/logs").json()["logs"]]
    assert any(text.startswith("far: ") for text in told), told
    assert jobs_of(provider) == []


def test_what_is_wrong_there_is_told_here(server, provider):
    said = refused(server, saved(load("far|DEMO", bands=["B99"]), "load"), "BandNotAvailable", 400)
    assert "far" in said and "B99" in said
    assert jobs_of(provider) == []


# ---- a back-end that is nothing to rely on ----


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
    server = Server(data, "--federation", f"odd={publisher.root}/api").login()
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
    "two files": ({"/api/jobs/j%201/results": results(a=FILE, b=FILE)}, "FeatureUnsupported", "made 2 netCDF files"),
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
