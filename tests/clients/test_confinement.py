"""Workers are confined: what the system says of them, what of a catalogue they reach, and that two users' tasks and new
collections still work. What a confined process cannot do is tried from inside (tests/unit/server_confine.c)."""

import ctypes
import os
import pathlib
import shutil
import subprocess
import time
import types

import numpy as np
import pytest
import rasterio
import requests
from conftest import BINARY, PASSWORD, twincube

LANDLOCK = ctypes.CDLL(None).syscall(444, None, 0, 1)  # landlock_create_ruleset: the version that the machine has
ADD = {"add": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}


def status_of(process):
    lines = pathlib.Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def children_of(process):
    return [int(child) for child in pathlib.Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()]


def workers_of(process, least=1):
    """Those that there are, once there are so many."""
    workers, end = [], time.monotonic() + 20
    while len(workers) < least and time.monotonic() < end:
        workers = [worker for zygote in children_of(process) for worker in children_of(zygote)]
        time.sleep(0.05)
    return workers


@pytest.fixture(name="serve")
def serve_fixture(tmp_path_factory):
    """Starts servers, on a data folder of their own, with users alice and bob."""
    started = []

    def serve(*options):
        data = tmp_path_factory.mktemp("confined")
        for user in ("alice", "bob"):
            twincube("user", "add", user, "--data", data, input=PASSWORD + "\n")
        log = open(data / "log", "w+", encoding="utf-8")
        process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, *options], text=True,
                                   stdout=subprocess.PIPE, stderr=log)
        started.append((process, log))
        url = process.stdout.readline().strip().rstrip("/") + "/openeo/1.3"

        def result(graph, user="alice"):
            if user not in tokens:
                login = requests.get(url + "/credentials/basic", auth=(user, PASSWORD), timeout=60)
                tokens[user] = {"Authorization": "Bearer basic//" + login.json()["access_token"]}
            return requests.post(url + "/result", json={"process": {"process_graph": graph}}, headers=tokens[user],
                                 timeout=60)

        def put(user, name, content):
            result(ADD, user)
            reply = requests.put(f"{url}/files/{name}", data=content, headers=tokens[user], timeout=60)
            assert reply.status_code == 200, reply.text

        tokens = {}
        return types.SimpleNamespace(data=data, process=process, result=result, put=put,
                                     said=lambda: (data / "log").read_text("utf-8"))

    yield serve
    for process, log in started:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()
        log.close()


def write_scene(path, value):
    with rasterio.open(path, "w", driver="GTiff", width=4, height=3, count=1, dtype="float32", crs="EPSG:32632",
                       transform=rasterio.Affine(10, 0, 500000, 0, -10, 5000000)) as file:
        file.write(np.full((1, 3, 4), value, np.float32))


def load(name):
    return {"load": {"process_id": "load_collection", "arguments": {
                "id": name, "spatial_extent": None, "temporal_extent": None}},
            "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": "GTiff"},
                     "result": True}}


def value_of(reply):
    assert reply.status_code == 200, reply.text
    with rasterio.MemoryFile(reply.content) as memory, memory.open() as file:
        return float(file.read().mean())


def add_collection(server, name, folder):
    twincube("catalogue", "add", "--data", server.data, "--id", name, "--band", "_(B[0-9])[.]tif$", folder)


def test_what_the_system_says_of_workers(serve):
    server = serve()
    assert server.result(ADD).json() == 3
    if "not confined" in server.said() or LANDLOCK < 3:
        pytest.skip("a build with sanitizers, or a machine without landlock")
    assert "workers are confined: files by landlock" in server.said()
    statuses = [status_of(worker) for worker in workers_of(server.process.pid, 5)]  # four of the pool, one of jobs
    assert {status["NoNewPrivs"] for status in statuses} == {"1"}
    assert "2" in {status["Seccomp"] for status in statuses}  # those that have had a task
    for status in statuses:
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) & int(status["CapEff"], 16) == 0
        if os.geteuid() == 0:
            assert "0" not in status["Uid"].split()[:3] and "0" not in status["Gid"].split()


def test_environment(serve, monkeypatch):
    """What workers inherit holds no secret of the server's, however it is named."""
    for name in ("PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "GDAL_HTTP_USERPWD", "TWINCUBE_STORE_PASSWORD", "NONSENSE"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("TZ", "UTC")
    server = serve()
    assert server.result(ADD).json() == 3
    processes = children_of(server.process.pid) + workers_of(server.process.pid)
    assert len(processes) > 1
    for process in processes:
        variables = pathlib.Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        assert b"TZ=UTC" in variables and not any(b"secret" in variable for variable in variables)


def test_modes(serve):
    server = serve("--confine", "off")
    assert server.result(ADD).json() == 3
    assert "workers are not confined (--confine off)" in server.said()
    assert {status_of(worker)["Seccomp"] for worker in workers_of(server.process.pid)} == {"0"}
    wrong = subprocess.run([BINARY, "serve", "--data", server.data, "--confine", "maybe"], capture_output=True,
                           text=True, timeout=60)
    assert wrong.returncode == 2 and "auto" in wrong.stderr and "required" in wrong.stderr


def test_collections_come_while_it_runs(serve, tmp_path):
    server = serve()
    for number in range(3):
        folder = tmp_path / f"c{number}"
        folder.mkdir()
        write_scene(folder / "x_2024-01-01_B1.tif", number + 1)
        add_collection(server, f"C{number}", folder)
        assert value_of(server.result(load(f"C{number}"))) == number + 1
        assert value_of(server.result(load("C0"), "bob")) == 1


@pytest.mark.parametrize("closed", [False, True])
def test_what_a_scene_leads_to(serve, tmp_path, closed):
    """A scene that has become a link is followed as far as the collections' folders go."""
    server = serve()
    folder, elsewhere = tmp_path / "scenes", tmp_path / "elsewhere"
    folder.mkdir(mode=0o700 if closed else 0o755)
    elsewhere.mkdir()
    write_scene(elsewhere / "secret.tif", 7)
    for name, value in (("x_2024-01-01_B1.tif", 1), ("y_2024-01-01_B1.tif", 2)):
        write_scene(folder / name, value)
    if closed and os.geteuid() == 0:
        os.chown(folder, 12345, 12345)
    add_collection(server, "S", folder)  # whose folder it is is looked at when the catalogue changes
    assert value_of(server.result(load("S"))) in (1, 2)
    (folder / "x_2024-01-01_B1.tif").unlink()
    (folder / "y_2024-01-01_B1.tif").unlink()
    for name in ("x", "y"):
        (folder / f"{name}_2024-01-01_B1.tif").symlink_to(elsewhere / "secret.tif")
    reply = server.result(load("S"), "bob")
    if "not confined" in server.said() or LANDLOCK < 3:
        pytest.skip("a build with sanitizers, or a machine without landlock")
    assert reply.status_code >= 400 and "access is refused" in reply.json()["message"], reply.text
    shutil.rmtree(elsewhere)


def test_users_in_turn(serve, tmp_path):
    """Each sees own files, whoever's task the worker had before; files that come later are seen, too."""
    server = serve("--workers", "1")
    graph = {"load": {"process_id": "load_uploaded_files", "arguments": {"paths": ["in.tif"], "format": "GTiff"}},
             "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "load"}, "format": "GTiff"},
                      "result": True}}
    for user in ("alice", "bob"):
        assert server.result(graph, user).status_code == 404
    for value, user in enumerate(("alice", "bob"), 1):
        write_scene(tmp_path / "in.tif", value)
        server.put(user, "in.tif", (tmp_path / "in.tif").read_bytes())
    seen = set()
    for turn in range(8):
        for value, user in enumerate(("alice", "bob"), 1):
            assert value_of(server.result(graph, user)) == value
            assert server.result(ADD, user).json() == 3
            seen |= set(workers_of(server.process.pid)) if turn > 1 else set()
    assert len(seen) < 12  # each user's process waits for its next turn; a new one for each turn would make 15


@pytest.mark.parametrize("option", ["--stac", "--workspaces"])
def test_no_folder_of_others_holds_the_data(serve, option):
    data = serve().data
    for folder in (data, data.parent):
        wrong = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, option, folder],
                               capture_output=True, text=True, timeout=60)
        assert wrong.returncode == 1 and "holds the data folder" in wrong.stderr
