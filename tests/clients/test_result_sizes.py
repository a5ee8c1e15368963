"""Output is bounded before it is written: by --result-size, by the user's quota, by the disk."""

import json
import os
import pathlib

import pytest

from test_server_api import ADD, Server, add_user, children, run

HUGE = 1000 * 1000 * 10**7 * 8  # bytes of a lattice of a million sites with ten million configurations


def field(side, configurations):
    """side * side * configurations doubles."""
    arguments = {
        "shape": [side, side],
        "m2": 0.5,
        "lambda": 1,
        "configurations": configurations,
        "thermalisation": 0,
        "separation": 1,
    }
    return {
        "field": {"process_id": "lft_scalar_field", "arguments": arguments},
        "save": {
            "process_id": "save_result",
            "arguments": {"data": {"from_node": "field"}, "format": "netCDF"},
            "result": True,
        },
    }


SMALL, LARGE = field(100, 10), field(100, 20)  # 0.8 MB and 1.6 MB


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    add_user(data, "alice")
    add_user(data, "bob")
    server = Server(data, "--workers", "1", "--result-size", "1M", "--user-results", "2M").login()
    yield server
    assert server.stop() == 0


def failed(server, job):
    server.call("POST", f"/jobs/{job}/results")
    server.wait(job, "error", "finished")
    answer = server.call("GET", f"/jobs/{job}/results")
    assert answer.status_code == 424, answer.text
    return answer.json()


def test_a_result_past_the_limit_is_refused_with_the_numbers(server):
    assert server.result(SMALL).status_code == 200
    for body in (server.result(LARGE), server.result(field(1000, 10**7))):
        assert body.status_code == 400 and body.json()["code"] == "ProcessGraphComplexity"
        assert "1048576" in body.json()["message"]
    assert str(HUGE) in body.json()["message"]
    assert list((server.data / "tmp").rglob("*.nc")) == []


def test_a_job_past_the_limit_ends_as_error(server):
    error = failed(server, server.create(LARGE))
    assert error["code"] == "ProcessGraphComplexity" and "1600000" in error["message"]


def test_workers_cannot_write_much_larger_files(server):
    (worker, *_) = [w for z in children(server.process.pid) for w in children(z)]
    limits = pathlib.Path(f"/proc/{worker}/limits").read_text().splitlines()
    (most,) = [line.split()[3] for line in limits if line.startswith("Max file size")]
    assert most == str(4 * (1 << 20) + (64 << 20))


def test_a_user_has_a_quota(server):
    kept = [server.create(SMALL) for _ in range(2)]
    for job in kept:
        server.call("POST", f"/jobs/{job}/results")
        server.wait(job, "finished")
    error = failed(server, over := server.create(SMALL))
    assert error["code"] == "StorageQuotaExceeded" and "800000" in error["message"]
    # Another user has room, and so has this one when a result is gone; a job that is run anew replaces its own.
    other = Server.__new__(Server)
    other.__dict__.update(server.__dict__, session=type(server.session)())
    other.login("bob")
    job = other.create(SMALL)
    other.call("POST", f"/jobs/{job}/results")
    other.wait(job, "finished")
    other.session.close()
    assert server.call("DELETE", f"/jobs/{kept[0]}").status_code == 204
    for job in (over, kept[1]):
        server.call("POST", f"/jobs/{job}/results")
        server.wait(job, "finished")
    assert server.result(ADD).json() == 3


def test_the_disk_is_asked_first(tmp_path):
    (tmp_path / "graph.json").write_text(json.dumps(field(1000, 10**7)))
    disk = os.statvfs(tmp_path)
    if disk.f_bavail * disk.f_frsize > HUGE:
        pytest.skip("the disk has room for eighty terabytes")
    done = run("run", str(tmp_path / "graph.json"), "-o", str(tmp_path) + "/")
    assert done.returncode == 1 and done.stderr.startswith("StorageFailure: ")
    assert str(HUGE) in done.stderr and "free" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["graph.json"]
