"""kill -9 at random moments under load, each process of the server in turn: no job is lost, doubled or half-visible.

TWINCUBE_KILLS says how many moments (20 by default), TWINCUBE_SEED which.
"""

import contextlib
import os
import random
import signal
import sqlite3
import threading
import time

import requests

from conftest import until
from test_server_api import ADD, Server, add_user, children, is_running
from test_survival import lattice, messages, result, wait_all

KILLS = int(os.environ.get("TWINCUBE_KILLS", "20"))
SEED = int(os.environ.get("TWINCUBE_SEED", "1"))
KINDS = {name: lattice(configurations, seed)
         for name, configurations, seed in (("short", 200, 1), ("middle", 1500, 2), ("long", 5000, 3))}
OPTIONS = ("--jobs", "2", "--workers", "1", "--threads", "1")


def family(server):
    """The server's processes: itself, the zygote, the workers."""
    zygotes = children(server.process.pid)
    return [server.process.pid], zygotes, [worker for zygote in zygotes for worker in children(zygote)]


class Load:
    """Threads that make jobs and start them until they are told to stop, and remember what was acknowledged."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.acknowledged = {}  # id -> kind
        self.started = set()
        self.unanswered = 0  # creations that may or may not have been stored

    def work(self, server, stop):
        with contextlib.closing(requests.Session()) as session:
            session.headers.update(server.session.headers)
            session.trust_env = False
            while not stop.is_set():
                kind = self.random.choice(list(KINDS))
                body = {"title": kind, "process": {"process_graph": KINDS[kind]}}
                try:
                    self.unanswered += 1
                    answer = session.post(server.api + "/jobs", json=body, timeout=20)
                    self.unanswered -= 1
                    if answer.status_code != 201:
                        continue
                    job = answer.headers["OpenEO-Identifier"]
                    self.acknowledged[job] = kind
                    if session.post(f"{server.api}/jobs/{job}/results", timeout=20).status_code == 202:
                        self.started.add(job)
                    time.sleep(0.05)
                    session.post(server.api + "/result", json={"process": {"process_graph": ADD}}, timeout=20)
                except requests.RequestException:
                    time.sleep(0.01)  # the server is being killed


def kill(server, victims):
    for pid in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def restart(server, data):
    """The same users' tokens go on; nothing of the old server does."""
    old = [pid for pids in family(server) for pid in pids]
    headers = dict(server.session.headers)
    with contextlib.suppress(ProcessLookupError):
        server.kill()
    until(lambda: not any(map(is_running, old)))
    server = Server(data, *OPTIONS)
    server.session.headers.update(headers)
    server.session.trust_env = False
    return server


def check_rows(server, load):
    """What was acknowledged is there, once; what was started is on its way or over."""
    with contextlib.closing(sqlite3.connect(server.data / "server.sqlite")) as store:
        rows = store.execute("SELECT id, status, attempts FROM jobs").fetchall()
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    states = {job: status for job, status, _ in rows}
    assert len(states) == len(rows) and set(load.acknowledged) <= set(states)
    assert len(rows) <= len(load.acknowledged) + load.unanswered
    assert {states[job] for job in load.started} <= {"queued", "running", "finished", "error"}
    return {job: (status, attempts) for job, status, attempts in rows}


def test_kill_9_of_each_process_at_random_moments(tmp_path):
    add_user(tmp_path, "alice")
    server = Server(tmp_path, *OPTIONS).login()
    expected = {kind: server.result(process_graph).json()["data"] for kind, process_graph in KINDS.items()}
    load, moments, killed = Load(SEED), random.Random(SEED + 1), 0
    try:
        for turn in range(KILLS):
            stop = threading.Event()
            threads = [threading.Thread(target=load.work, args=(server, stop)) for _ in range(2)]
            for thread in threads:
                thread.start()
            time.sleep(moments.uniform(0, 0.4))
            main, zygote, workers = family(server)
            victims = (main, zygote, workers[turn % max(1, len(workers)):][:1], main + zygote + workers)[turn % 4]
            kill(server, victims)
            killed += len(victims)
            if turn % 4 in (1, 2):  # the server itself lives
                time.sleep(0.1)
                assert server.process.poll() is None
            stop.set()
            if turn % 4 in (0, 3):
                server = restart(server, tmp_path)
            for thread in threads:
                thread.join(timeout=60)
            check_rows(server, load)
        wait_all(server, [job for job, (status, _) in check_rows(server, load).items() if status != "created"], 120)
        rows = check_rows(server, load)
        folders = tmp_path / "jobs"
        for job in load.started:
            status, attempts = rows[job]
            if status == "error":  # given up, as the third of its attempts was killed as well
                assert attempts == 3 and "given up" in messages(server, job)[-1]
                continue
            assert result(server, job) == expected[load.acknowledged[job]]
        server.stop()
        server = Server(tmp_path, *OPTIONS)  # sweeps
        left = {folder.name: [entry.name for entry in folder.iterdir()] for folder in folders.iterdir()}
        for job, names in left.items():
            assert len(names) == (rows[job][0] == "finished") and ".part" not in "".join(names), (job, names)
        assert list((tmp_path / "tmp").glob("worker-*/*")) == []
        print(f"{killed} processes killed at {KILLS} moments, {len(load.started)} jobs started, "
              f"{sum(status == 'error' for status, _ in rows.values())} given up")
    finally:
        if server.process.poll() is None:
            server.stop()
