"""Any of the server's processes may die, and the machine may lack what they need: the server goes on, and no job pays.

What a job computes is compared with the same job undisturbed where it ends, and every row is looked at: none in error,
none running for ever.
"""

import collections
import concurrent.futures
import contextlib
import functools
import json
import os
import pathlib
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time

import pytest
import requests

from conftest import BINARY, until
from test_server_api import ADD, SLOW, Server, add_user, children, is_running, kill_all

FAULTS_SECONDS = 2


@pytest.fixture
def start(tmp_path):
    """Starts servers on one folder with a user; they are stopped at the end."""
    add_user(tmp_path, "alice")
    servers = []

    def make(*options, **environment):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            servers.append(Server(tmp_path, *options).login())
        return servers[-1]

    yield make
    for server in servers:
        if server.process.poll() is None:
            server.stop()


def lattice(configurations, seed, separation=1):
    """A job of some 40 ms of work a thousand configurations."""
    arguments = {"shape": [4, 4], "m2": -4, "lambda": 8, "seed": seed, "configurations": configurations,
                 "separation": separation}
    return {"f": {"process_id": "lft_scalar_field", "arguments": arguments},
            "s": {"process_id": "save_result", "arguments": {"data": {"from_node": "f"}, "format": "JSON"},
                  "result": True}}


@functools.cache
def separation_of_a_second():
    """How many trajectories between a hundred configurations take a second of a processor of this machine."""
    def taken():
        times = resource.getrusage(resource.RUSAGE_CHILDREN)
        return times.ru_utime + times.ru_stime

    separation = 100
    with tempfile.TemporaryDirectory() as folder:
        while True:
            before = taken()
            subprocess.run([BINARY, "run", "-", "--threads", "1", "-o", f"{folder}/out.json"], check=True, timeout=100,
                           input=json.dumps(lattice(100, 1, separation)).encode(), capture_output=True)
            if taken() - before > 0.4:
                return separation / (taken() - before)
            separation *= 4


def lasting(seconds, seed=1):
    """A job of so many seconds, on this machine when it has nothing else to do; longer if it has."""
    return lattice(round(100 * seconds), seed, round(separation_of_a_second()))


def zygote(server):
    (pid,) = children(server.process.pid)
    return pid


def kill_zygote(server):
    """Its pid; None between two zygotes, when there is none or the one that was seen has just been buried."""
    with contextlib.suppress(ValueError, ProcessLookupError):
        pid = zygote(server)
        os.kill(pid, signal.SIGKILL)
        return pid
    return None


def replace_zygote(server):
    """Kills it, and waits for the next one, which is there when it has workers."""
    old = zygote(server)
    os.kill(old, signal.SIGKILL)
    return until(lambda: [pid for pid in children(server.process.pid) if pid != old and children(pid)])


def rows(server):
    with contextlib.closing(sqlite3.connect(server.data / "server.sqlite")) as store:
        return dict(store.execute("SELECT id, status FROM jobs"))


def queue(server, count, configurations=300):
    """So many jobs, started, and what each is to give."""
    jobs = [server.create(lattice(configurations, seed)) for seed in range(count)]
    for job in jobs:
        with sqlite3.connect(server.data / "server.sqlite") as store:  # without the short wait of POST results
            store.execute("UPDATE jobs SET status = 'queued', queued = seq WHERE id = ?", (job,))
        store.close()
    return jobs


def wait_all(server, jobs, seconds=100):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        states = collections.Counter(status for job, status in rows(server).items() if job in set(jobs))
        if set(states) <= {"finished", "error", "canceled"}:
            return states
        time.sleep(0.05)
    raise AssertionError(f"after {seconds} s: {states}")


def result(server, job):
    (asset,) = server.call("GET", f"/jobs/{job}/results").json()["assets"].values()
    document = requests.get(asset["href"], timeout=30).json()
    return document["data"]


def attempts(server, job="%"):
    """Of the job, or of all that have finished."""
    with contextlib.closing(sqlite3.connect(server.data / "server.sqlite")) as store:
        counts = store.execute("SELECT attempts FROM jobs WHERE status = 'finished' AND id LIKE ?", [job])
        return {count for (count,) in counts}


def messages(server, job):
    return [entry["message"] for entry in server.call("GET", f"/jobs/{job}/logs").json()["logs"]]


# ---- the zygote ----


def test_twenty_zygotes_die_under_load(start):
    server = start("--jobs", "2", "--workers", "2", "--threads", "1")
    expected = {seed: server.result(lattice(500, seed)).json()["data"] for seed in (27, 59)}
    jobs = queue(server, 60, configurations=500)
    server.call("POST", f"/jobs/{server.create(ADD)}/results")  # wakes the queue
    done, failures = threading.Event(), []

    def ask():
        while not done.is_set():
            answer = server.result(ADD)
            if answer.status_code not in (200, 503) or (answer.status_code == 200 and answer.json() != 3):
                failures.append(answer.text)

    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        threads.submit(ask)
        threads.submit(ask)
        seen = set()
        try:
            for _ in range(20):
                seen.add(until(lambda: kill_zygote(server)))
                time.sleep(0.2)
        finally:  # or the two would ask for ever
            done.set()
    assert server.process.poll() is None and failures == []
    assert len(seen) > 5
    assert wait_all(server, jobs) == {"finished": len(jobs)}
    assert attempts(server) == {1}
    assert server.result(ADD).json() == 3
    assert {seed: result(server, jobs[seed]) for seed in expected} == expected


def test_a_running_job_is_not_charged_for_its_zygote(start):
    server = start("--threads", "1")
    job = server.create(SLOW)
    server.call("POST", f"/jobs/{job}/results")
    for _ in range(5):  # more often than a job may fail
        server.computing()
        replace_zygote(server)
    server.computing()
    assert server.status(job) == "running"
    assert server.call("DELETE", f"/jobs/{job}/results").status_code == 204
    assert server.call("PATCH", f"/jobs/{job}", {"process": {"process_graph": ADD}}).status_code == 204
    with contextlib.closing(sqlite3.connect(server.data / "server.sqlite")) as store:
        assert store.execute("SELECT attempts FROM jobs").fetchall() == [(1,)]
    server.call("POST", f"/jobs/{job}/results")
    assert wait_all(server, [job]) == {"finished": 1}


def test_a_request_survives_its_zygote(start):
    server = start("--workers", "1", "--threads", "1")
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        answer = thread.submit(server.result, lasting(1))
        server.computing()
        os.kill(zygote(server), signal.SIGKILL)
        assert answer.result(timeout=60).status_code == 200


def test_a_job_that_kills_its_worker_is_still_given_up(start):
    server = start("--threads", "1")
    job = server.create(SLOW)
    server.call("POST", f"/jobs/{job}/results")
    for _ in range(3):
        victims = server.computing()
        kill_all(victims)
        until(lambda: not any(map(is_running, victims)))
    server.wait(job, "error")
    assert "given up" in messages(server, job)[-1]


def test_the_zygote_holds_nothing_of_the_server(start):
    server = start()
    for _ in range(2):
        held = [os.readlink(entry) for entry in pathlib.Path(f"/proc/{zygote(server)}/fd").iterdir()]
        assert sum("socket:" in name for name in held) == 1 and not any("sqlite" in name for name in held)
        replace_zygote(server)


def test_the_new_zygote_ends_with_the_server(start):
    server = start()
    replace_zygote(server)
    assert server.result(ADD).json() == 3
    family = [zygote(server), *server.workers()]
    server.kill()
    until(lambda: not any(map(is_running, family)))


# ---- descriptors and processes ----


def disturbed(server, jobs, disturb, restore):
    """The fault lasts a while, and the workers die in it."""
    disturb()
    kill_all(server.workers())
    time.sleep(FAULTS_SECONDS)
    states = collections.Counter(rows(server).values())
    restore()
    assert "error" not in states, states
    assert wait_all(server, jobs) == {"finished": len(jobs)}
    assert attempts(server) <= {1, 2}
    assert server.result(ADD).json() == 3


def test_no_descriptors_for_a_while(start):
    server = start("--threads", "1")
    running = server.create(lattice(15000, 1))
    server.call("POST", f"/jobs/{running}/results")
    jobs = [running, *queue(server, 40)]
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    disturbed(server, jobs, lambda: resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (8, hard)),
              lambda: resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (hard, hard)))


@pytest.fixture
def pids(tmp_path):
    """A control group whose number of processes can be limited; skips where there is none to be had."""
    for top, events in (("/sys/fs/cgroup/pids", "pids.max"), ("/sys/fs/cgroup", "pids.max")):
        folder = pathlib.Path(top, f"twincube-{tmp_path.parent.name}-{tmp_path.name}")
        with contextlib.suppress(OSError):
            folder.mkdir()
            if (folder / events).exists():
                yield folder
                (folder / events).write_text("max")
                for pid in (folder / "cgroup.procs").read_text().split():
                    with contextlib.suppress(OSError):
                        (folder.parent / "cgroup.procs").write_text(pid)
                with contextlib.suppress(OSError):
                    folder.rmdir()
                return
            folder.rmdir()
    pytest.skip("no control group for processes can be made here")


def confine(server, pids):
    """Puts the server's processes into the group; a worker that ends meanwhile leaves none behind."""
    for pid in (server.process.pid, zygote(server), *server.workers()):
        with contextlib.suppress(ProcessLookupError):
            (pids / "cgroup.procs").write_text(str(pid))


def test_fork_is_refused_for_a_while(start, pids):
    server = start("--threads", "1")
    running = server.create(lattice(15000, 1))
    server.call("POST", f"/jobs/{running}/results")
    jobs = [running, *queue(server, 40)]
    confine(server, pids)
    disturbed(server, jobs, lambda: (pids / "pids.max").write_text("1"), lambda: (pids / "pids.max").write_text("max"))


def test_the_zygote_dies_where_fork_is_refused(start, pids):
    server = start("--threads", "1")
    jobs = queue(server, 20)
    confine(server, pids)
    (pids / "pids.max").write_text("1")
    os.kill(zygote(server), signal.SIGKILL)
    time.sleep(FAULTS_SECONDS)
    until(lambda: children(server.process.pid) == [])
    assert server.process.poll() is None
    answer = server.call("GET", "/jobs")
    assert answer.status_code == 200
    (pids / "pids.max").write_text("max")
    assert wait_all(server, jobs) == {"finished": len(jobs)}


# ---- the disk ----


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MB; skips where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """To the last byte."""
    with open(folder / "filler", "ab", buffering=0) as filler:
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    filler.write(b"x" * size)


@pytest.fixture
def on_small_disk(small_disk):
    add_user(small_disk, "alice")
    started = []

    def make(*options):
        started.append(Server(small_disk, *options).login())
        return started[-1]

    yield make
    for server in started:
        (small_disk / "filler").unlink(missing_ok=True)
        server.stop()


def test_the_disk_is_full_for_a_while(on_small_disk, small_disk):
    server = on_small_disk("--threads", "1")
    jobs = queue(server, 12, configurations=300)
    fill(small_disk)
    time.sleep(3)
    (small_disk / "filler").unlink()
    assert wait_all(server, jobs, 90) == {"finished": len(jobs)}


def test_the_disk_fills_while_a_job_runs(on_small_disk, small_disk):
    """The row says running until the store takes the end, and no longer."""
    server = on_small_disk("--threads", "1")
    job = server.create(lasting(2))
    server.call("POST", f"/jobs/{job}/results")
    server.wait(job, "running")
    fill(small_disk)
    time.sleep(4)
    (small_disk / "filler").unlink()
    assert wait_all(server, [job], 60) in ({"finished": 1}, {"error": 1})
    assert server.result(ADD).json() == 3


def test_a_result_too_large_for_the_disk_is_the_jobs_own_fault(on_small_disk):
    server = on_small_disk("--threads", "1")
    large = lattice(400000, 1)
    large["s"]["arguments"]["format"] = "netCDF"
    job = server.create(large)
    server.call("POST", f"/jobs/{job}/results")
    server.wait(job, "finished", "error", "queued", seconds=60)
    server.wait(job, "error", seconds=60)
    assert server.call("GET", f"/jobs/{job}/results").json()["code"] == "StorageFailure"


# ---- cancel and restart ----

HOLD = r"""
/* Holds the thread that has just cancelled a job in the store for two seconds, once each time $HOLD_FILE is made. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int sqlite3_reset(sqlite3_stmt *statement)
{
  int (*real)(sqlite3_stmt *) = (int (*)(sqlite3_stmt *))dlsym(RTLD_NEXT, "sqlite3_reset");
  const char *file = getenv("HOLD_FILE"), *sql = statement ? sqlite3_sql(statement) : NULL;
  int ran = statement && sqlite3_stmt_busy(statement) == 0, code = real(statement);
  if (ran && sql && strstr(sql, "'canceled' ELSE 'created'") && file && unlink(file) == 0)
    usleep(2000000);
  return code;
}
"""


@pytest.fixture
def held(start, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler or os.environ.get("TWINCUBE_SANITIZED"):
        pytest.skip("no compiler for the shim, or a sanitizer that wants to be first")
    source, shim, switch = tmp_path / "hold.c", tmp_path / "hold.so", tmp_path / "hold"
    source.write_text(HOLD)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    server = start("--jobs", "2", "--threads", "1", LD_PRELOAD=str(shim), HOLD_FILE=str(switch))
    server.switch = switch
    return server


def test_a_late_cancel_does_not_end_the_next_run(held):
    """The cancel stands in the store, and the user starts the job again before the worker is told."""
    job = held.create(SLOW)
    held.call("POST", f"/jobs/{job}/results")
    held.wait(job, "running")
    held.switch.touch()
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        cancelling = thread.submit(requests.delete, f"{held.api}/jobs/{job}/results",
                                   headers=dict(held.session.headers), timeout=30)
        held.wait(job, "canceled")
        until(lambda: not held.switch.exists())  # it is being held
        again = {"process": {"process_graph": lasting(4)}}
        assert held.call("PATCH", f"/jobs/{job}", again).status_code == 204
        assert held.call("POST", f"/jobs/{job}/results").status_code == 202
        assert held.status(job) in ("queued", "running")
        assert cancelling.result().status_code == 204
    assert wait_all(held, [job]) == {"finished": 1}
    assert not any("interrupted" in message for message in messages(held, job))


def test_cancels_and_restarts_at_the_same_moment(start):
    server = start("--jobs", "2", "--threads", "1")
    job = server.create(lattice(2000, 1))
    headers = dict(server.session.headers)

    def call(method):
        return requests.request(method, f"{server.api}/jobs/{job}/results", headers=headers, timeout=30).status_code

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(call, method) for _ in range(60) for method in ("POST", "DELETE")]
        assert {one.result() for one in calls} <= {202, 204}
    assert call("POST") == 202
    assert wait_all(server, [job]) == {"finished": 1}


def test_a_row_that_nobody_runs_is_found(start):
    """As a store restored from elsewhere, or a fault of ours, would leave it: a minute old, it is queued again."""
    server = start("--threads", "1")
    job = server.create(ADD)
    with contextlib.closing(sqlite3.connect(server.data / "server.sqlite")) as store, store:
        store.execute("UPDATE jobs SET status = 'running', run = 1, attempts = 1, updated = 0 WHERE id = ?", (job,))
    assert wait_all(server, [job], 90) == {"finished": 1}
    assert any("nobody ran the job" in message for message in messages(server, job))


# ---- other processes at the store ----


def test_a_command_beside_the_server_costs_nothing(start):
    """SQLite deletes the log of a database that nobody else seems to hold: what the server writes would be lost."""
    server = start()
    jobs = []
    for name in ("bob", "carol", "dave"):
        jobs.append(server.create(ADD))
        server.call("POST", f"/jobs/{jobs[-1]}/results")
        add_user(server.data, name)
    jobs.append(server.create(ADD))
    assert set(rows(server)) == set(jobs)
    server.kill()
    server = start()
    assert set(rows(server)) == set(jobs) and server.result(ADD).json() == 3


# ---- what a job has made before it is interrupted -----------------------------------------------------------------


def centred(*separations):
    """A graph of chains that are read twice, one after the other: each is kept."""
    nodes, last = {}, None
    for seed, separation in enumerate(separations):
        arguments = {"shape": [32, 32], "m2": -4, "lambda": 8, "seed": seed, "configurations": 1000,
                     "separation": separation}
        mean = {"mean": {"process_id": "mean", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}
        minus = {"minus": {"process_id": "subtract", "result": True,
                           "arguments": {"x": {"from_parameter": "x"}, "y": {"from_parameter": "y"}}}}
        nodes[f"f{seed}"] = {"process_id": "lft_scalar_field", "arguments": arguments}
        nodes[f"m{seed}"] = {"process_id": "reduce_dimension", "arguments": {
            "data": {"from_node": f"f{seed}"}, "dimension": "configuration", "reducer": {"process_graph": mean}}}
        nodes[f"d{seed}"] = {"process_id": "merge_cubes", "arguments": {
            "cube1": {"from_node": f"f{seed}"}, "cube2": {"from_node": f"m{seed}"},
            "overlap_resolver": {"process_graph": minus}}}
        if last:
            nodes[f"s{seed}"] = {"process_id": "merge_cubes", "arguments": {
                "cube1": {"from_node": last}, "cube2": {"from_node": f"d{seed}"},
                "overlap_resolver": {"process_graph": minus}}}
        last = f"s{seed}" if last else f"d{seed}"
    most = {"max": {"process_id": "max", "arguments": {"data": {"from_parameter": "data"}}, "result": True}}
    nodes["most"] = {"process_id": "reduce_dimension", "arguments": {
        "data": {"from_node": last}, "dimension": "configuration", "reducer": {"process_graph": most}}}
    nodes["save"] = {"process_id": "save_result", "result": True,
                     "arguments": {"data": {"from_node": "most"}, "format": "JSON"}}
    return nodes


def test_a_job_goes_on_from_what_it_has_kept(start):
    server = start()

    def kept():
        return [file.name for file in folder.glob("kept-*/*") if file.suffix != ".part"]

    for longer in (16, 64, 256, 1024):  # until the second takes long enough to be seen at it
        graph = centred(4, longer)
        job = server.create(graph)
        server.call("POST", f"/jobs/{job}/results")
        folder = server.data / "jobs" / job
        until(lambda: kept() or server.status(job) == "finished")
        server.kill()
        server = start()
        if len(kept()) == 1 and server.status(job) != "finished":
            break
    expected = server.result(graph).json()["data"]
    assert wait_all(server, [job]) == {"finished": 1} and attempts(server, job) == {2}
    assert [m for m in messages(server, job) if "was there, made by an earlier run" in m]
    assert result(server, job) == expected
    until(lambda: not list(folder.glob("kept-*")))  # it goes behind the state
