"""Nobody takes workers, queues or time of others: users take turns, small requests get through, limits hold.
"""

import concurrent.futures
import contextlib
import sqlite3
import statistics
import time

import pytest
import requests

from conftest import until
from test_server_api import ADD, SLOW, Server, add_user, assert_error, graph, refused, run, send_slow


@pytest.fixture
def start(tmp_path):
    """Starts a server for alice and bob; who is called is who asks."""
    for name in ("alice", "bob"):
        add_user(tmp_path, name)
    servers = []

    def make(*options):
        servers.append(Server(tmp_path, *options).login("alice"))
        return servers[-1]

    yield make
    for server in servers:
        if server.process.poll() is None:
            assert server.stop() == 0


@contextlib.contextmanager
def user(server, name):
    """The server as another user sees it."""
    other = object.__new__(Server)
    other.__dict__.update(server.__dict__)
    other.session = requests.Session()
    with contextlib.closing(other.session):
        yield other.login(name)


def p50(server, count=40):
    """Half of them take no longer; who hears nothing for seconds gives up."""
    times = []
    body = {"process": {"process_graph": ADD}}
    for _ in range(count):
        begin = time.perf_counter()
        with contextlib.suppress(requests.Timeout):
            assert server.session.post(server.api + "/result", json=body, timeout=5).json() == 3
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


# ---- synchronous requests ----


@pytest.mark.alone
def test_small_requests_get_through_while_all_workers_are_busy(start):
    server = start("--workers", "2", "--threads", "1")
    waiting = [send_slow(server) for _ in range(6)]
    time.sleep(1.5)  # two run, four wait: each has been tried for a moment
    busy = p50(server)
    with user(server, "bob") as bob:
        others = p50(bob)
    print(f"add(1,2) beside heavy requests: p50 {1e3 * busy:.1f} ms for who sent them, {1e3 * others:.1f} ms for bob")
    assert busy < 1 and others < 1  # where the others are waited for, it is minutes
    for s in waiting:
        s.close()


@pytest.mark.alone
def test_work_is_given_up_in_the_middle_of_a_step(start):
    # Hours before the first configuration is there, on the lattice of many sweeps a trajectory.
    long = {**SLOW["field"]["arguments"], "shape": [256, 256], "thermalisation": 1500, "steps": 10000,
            "separation": 1, "configurations": 1}
    server = start("--workers", "1", "--threads", "1")
    server.result(ADD)
    workers = sorted(server.workers())
    for _ in range(3):
        with contextlib.closing(send_slow(server, {**SLOW, "field": {**SLOW["field"], "arguments": long}})):
            server.computing()
        assert server.result(ADD).json() == 3
    assert sorted(server.workers()) == workers, (server.data / "server.log").read_text()


@pytest.mark.alone
def test_one_users_requests_leave_room_for_others(start):
    server = start("--workers", "1", "--threads", "1", "--user-requests", "5")
    waiting = [send_slow(server) for _ in range(30)]
    for process_graph in (ADD, SLOW, SLOW):
        answer = refused(server, process_graph, waiting)
        assert_error(answer, 429, "TooManyRequests")
        assert int(answer.headers["Retry-After"]) > 0
    with user(server, "bob") as bob:
        assert bob.result(ADD).json() == 3
    for s in waiting:
        s.close()
    until(lambda: server.result(ADD).status_code == 200)  # those who hung up take no place
    assert server.result(ADD).json() == 3


def test_a_request_has_its_time(start):
    server = start("--request-time", "1s", "--workers", "1")
    assert_error(server.result(SLOW), 408, "RequestTimeout")
    assert server.result(ADD).json() == 3


def test_strangers_have_a_worker_of_their_own(start):
    server = start("--workers", "1", "--threads", "1")
    waiting = [send_slow(server) for _ in range(3)]
    server.computing()
    answer = requests.post(server.api + "/validation", json={"process_graph": ADD}, timeout=30)
    assert answer.json() == {"errors": []}
    for s in waiting:
        s.close()


# ---- jobs ----

WORK = graph("lft_scalar_field", shape=[4, 4], m2=-4, configurations=2000, seed=1, **{"lambda": 8})
WORK["node1"].pop("result")
WORK["save"] = {"process_id": "save_result", "arguments": {"data": {"from_node": "node1"}, "format": "JSON"},
                "result": True}


def queue_quietly(server, count):
    """So many jobs, queued without the short wait of POST results."""
    jobs = [server.create(WORK) for _ in range(count)]
    with contextlib.closing(sqlite3.connect(server.data / "server.sqlite")) as store, store:
        store.executemany("UPDATE jobs SET status = 'queued', queued = seq, turn = seq WHERE id = ?",
                          [(job,) for job in jobs])
    return jobs


def test_one_users_jobs_do_not_hold_up_another(start):
    server = start("--jobs", "1", "--threads", "1")
    with user(server, "bob") as bob:
        job = bob.create(WORK)
        queue_quietly(server, 60)
        assert server.call("POST", f"/jobs/{server.create(WORK)}/results").status_code == 202  # wakes the queue
        bob.call("POST", f"/jobs/{job}/results")
        bob.wait(job, "finished")
    with contextlib.closing(sqlite3.connect(server.data / "server.sqlite")) as store:
        between = store.execute("SELECT count(*) FROM jobs, (SELECT queued AS asked, started AS begun FROM jobs"
                                " WHERE owner = 'bob') WHERE owner = 'alice' AND started > asked AND started < begun")
        assert between.fetchone()[0] < 4  # of sixty


def test_a_job_has_its_time(start):
    server = start("--job-time", "1s")
    job = server.create(SLOW)
    server.call("POST", f"/jobs/{job}/results")
    server.wait(job, "error")
    answer = server.call("GET", f"/jobs/{job}/results")
    assert answer.status_code == 424 and answer.json()["code"] == "RequestTimeout"


def test_the_queue_of_jobs_is_bounded(start):
    server = start("--user-jobs", "2", "--all-jobs", "3")
    running = server.create(SLOW)
    server.call("POST", f"/jobs/{running}/results")
    server.wait(running, "running")
    jobs = [server.create(SLOW) for _ in range(3)]
    answers = [server.call("POST", f"/jobs/{job}/results") for job in jobs]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert int(answers[2].headers["Retry-After"]) > 0
    assert server.status(jobs[2]) == "created"
    with user(server, "bob") as bob:
        mine = [bob.create(ADD) for _ in range(2)]
        answers = [bob.call("POST", f"/jobs/{job}/results") for job in mine]
        assert [answer.status_code for answer in answers] == [202, 503]
    assert server.call("DELETE", f"/jobs/{jobs[0]}/results").status_code == 204
    assert server.call("POST", f"/jobs/{jobs[2]}/results").status_code == 202


def test_options_are_checked():
    for *before, wrong, value in (("--job-time", "never"), ("--request-time", "0"), ("--request-time", "3w"),
                                  ("--user-jobs", "0"), ("--user-requests", "x"), ("--keep-results", "-1"),
                                  ("--tariff", "currency=EUR"), ("--jobs", None), ("--prot", None),
                                  ("--data", "x", "--port", "1")):
        done = run("serve", *before, wrong, *([value] if value else []))
        assert done.returncode == 2 and wrong.lstrip("-") in done.stderr
