"""PostgreSQL as the server's store: a real database (postgres_host.py).

What the store promises is tested again on it: the unit tests of the store, and the tests of clients that do not look
into SQLite's file. Then what only several servers can show: that they share jobs, that one's death or the database's
costs nothing that was acknowledged.
"""

import collections
import concurrent.futures
import contextlib
import hashlib
import os
import random
import sqlite3
import subprocess
import threading
import time

import pytest
import requests

from conftest import BINARY, until
from postgres_host import database, run_tests_again  # noqa: F401 (database is a fixture)
from test_kills import KINDS, Load
from test_server_api import ADD, Server, add_user, run
from test_survival import lasting, lattice, messages, result

SILENCE = 3  # seconds after which a server is taken for dead here


# ---- what holds for the store holds for this one ----


@pytest.mark.parametrize("program", ["test_server_store", "test_server_turns"])
def test_unit_tests_of_the_store(database, program, tmp_path):
    path = BINARY.parent / "unit" / program
    if not path.exists():
        pytest.skip(f"{program} is not built")
    uri = database.make(program) + "&options=-csearch_path%3Dunit"
    done = subprocess.run([path], cwd=tmp_path, env={**os.environ, "TWINCUBE_TEST_STORE": uri}, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


# Tests of clients that ask the server alone; the program that they run has a database for each data folder, in which
# its catalogue lies, too.
AGAIN = ["test_isolation.py", "test_process_graphs.py::test_lists_come_in_pages", "test_stac_edit.py"]


def test_clients_see_no_difference(database, tmp_path):
    assert run_tests_again(database, tmp_path, AGAIN) > 0


# ---- several servers ----


class Farm:
    """Servers on one store and one folder of jobs, each with a data folder of its own."""

    def __init__(self, database, name, folder):
        self.database, self.name, self.folder = database, name, folder
        self.uri = database.make(name)
        self.servers = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TWINCUBE_STORE", self.uri)
            add_user(folder, "alice")

    def start(self, name, *options):
        data = self.folder / name
        data.mkdir(exist_ok=True)
        server = Server(data, "--store", self.uri, "--shared", str(self.folder / "shared"), "--threads", "1",
                        "--server-silence", f"{SILENCE}s", *options).login()
        self.servers.append(server)
        return server

    def ask(self, sql):
        return self.database.ask(sql, self.name)

    def wait(self, jobs, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            states = collections.Counter(status for job, status in self.ask("SELECT id, status FROM jobs")
                                         if job in set(jobs))
            if set(states) <= {"finished", "error", "canceled"}:
                return states
            time.sleep(0.1)
        raise AssertionError(f"after {seconds} s: {states}")

    def stop(self):
        for server in self.servers:
            if server.process.poll() is None:
                server.stop()


@pytest.fixture
def farm(database, tmp_path, request):
    farm = Farm(database, "farm_" + hashlib.md5(request.node.name.encode()).hexdigest()[:12], tmp_path)
    yield farm
    farm.stop()


def start_job(server, job):
    assert server.call("POST", f"/jobs/{job}/results").status_code == 202


def test_two_servers_share_jobs_and_each_runs_once(farm):
    one, two = farm.start("one"), farm.start("two")
    expected = {seed: one.result(lattice(300, seed)).json()["data"] for seed in (1, 2, 3)}
    jobs = {(one, two)[i % 2].create(lattice(300, 1 + i % 3)): 1 + i % 3 for i in range(24)}
    for i, job in enumerate(jobs):
        start_job((two, one)[i % 2], job)  # not where it was made
    assert farm.wait(jobs) == {"finished": 24}
    rows = farm.ask("SELECT server, attempts, run FROM jobs")
    assert {(attempts, count) for _, attempts, count in rows} == {("1", "1")}
    assert len({server for server, _, _ in rows}) == 2
    for i, (job, seed) in enumerate(jobs.items()):
        assert result((one, two)[i % 2], job) == expected[seed]
        assert sum("the job starts" in message for message in messages(one, job)) == 1


def test_one_server_cancels_what_another_runs(farm):
    one = farm.start("one")
    job = one.create(lasting(200))
    start_job(one, job)
    one.wait(job, "running")
    two = farm.start("two")
    until(lambda: two.call("GET", f"/jobs/{job}").json()["progress"] > 0)  # the other's is seen here, too
    small = two.create(ADD)
    assert two.call("DELETE", f"/jobs/{job}/results").status_code == 204
    part = farm.folder / "shared" / "jobs" / job / "run-1.part"
    until(lambda: not part.exists())
    assert one.status(job) == "canceled"
    assert two.call("DELETE", f"/jobs/{job}").status_code == 204
    start_job(two, small)
    assert farm.wait([small]) == {"finished": 1}


def test_a_job_that_another_runs_is_deleted_with_its_folder(farm):
    one, two = farm.start("one"), farm.start("two", "--jobs", "1")
    jobs = [one.create(lasting(200, seed)) for seed in (1, 2)]
    for job in jobs:
        start_job(one, job)
        one.wait(job, "running")
    for job in jobs:  # one of them runs elsewhere
        assert two.call("DELETE", f"/jobs/{job}").status_code == 204
    folders = [farm.folder / "shared" / "jobs" / job for job in jobs]
    until(lambda: not any(folder.exists() for folder in folders))
    until(lambda: farm.ask("SELECT count(*) FROM dropped") == [["0"]])
    after = [one.create(ADD) for _ in range(2)]
    for job in after:
        start_job(two, job)
    assert farm.wait(after) == {"finished": 2}


def test_jobs_of_a_server_that_died_are_taken_over(farm):
    one = farm.start("one")
    expected = one.result(lasting(3)).json()["data"]
    job = one.create(lasting(3))
    start_job(one, job)
    one.wait(job, "running")
    two = farm.start("two")
    one.kill()
    assert two.status(job) == "running"  # nobody may know yet
    assert farm.wait([job]) == {"finished": 1}
    assert result(two, job) == expected
    assert farm.ask(f"SELECT attempts, run FROM jobs WHERE id = '{job}'") == [["2", "2"]]
    assert any("the server ended while the job was running" in message for message in messages(two, job))


def test_a_server_that_comes_back_goes_on_with_its_own_jobs(farm):
    """At once, without waiting for its own silence to be noticed; what another runs it leaves alone."""
    one, two = farm.start("one"), farm.start("two")
    jobs = [one.create(lasting(3, seed)) for seed in (1, 2)]
    for job in jobs:
        start_job(one, job)
        one.wait(job, "running")
    one.kill()
    again = farm.start("one")
    assert farm.wait(jobs) == {"finished": 2}
    assert sorted(farm.ask("SELECT attempts, run FROM jobs")) == [["1", "1"], ["2", "2"]]
    assert again.status(jobs[0]) == two.status(jobs[1]) == "finished"


def test_the_database_restarts(farm):
    """Requests wait for it with 503; what runs goes on and is taken when it is back, even after a long while."""
    server = farm.start("one", "--jobs", "2")
    expected = server.result(lasting(2)).json()["data"]
    running, queued = server.create(lasting(2)), [server.create(lattice(100, seed)) for seed in range(6)]
    start_job(server, running)
    server.wait(running, "running")
    for job in queued:
        start_job(server, job)
    farm.database.stop("immediate")
    try:
        codes = set()
        end = time.monotonic() + SILENCE + 1
        while time.monotonic() < end:
            answer = server.call("GET", "/jobs")
            codes.add((answer.status_code, answer.json().get("code")))
            assert answer.headers["Retry-After"]
            assert server.call("POST", "/jobs", {"process": {"process_graph": ADD}}).status_code == 503
            assert requests.get(server.url, timeout=10).status_code == 200  # wants no store
            time.sleep(0.2)
        assert codes == {(503, "InfrastructureMaintenance")}
    finally:
        farm.database.start()
    until(lambda: server.call("GET", "/jobs").status_code == 200)
    assert farm.wait([running, *queued]) == {"finished": 7}
    assert result(server, running) == expected
    assert {attempts for (attempts,) in farm.ask("SELECT attempts FROM jobs")} == {"1"}
    assert server.process.poll() is None


def test_nothing_that_was_acknowledged_is_lost_while_the_database_restarts(farm):
    server = farm.start("one", "--jobs", "2")
    acknowledged, refused = [], 0
    done = threading.Event()

    def ask():
        nonlocal refused
        while not done.is_set():
            answer = server.call("POST", "/jobs", {"process": {"process_graph": ADD}})
            if answer.status_code == 201:
                acknowledged.append(answer.headers["OpenEO-Identifier"])
            else:
                assert answer.status_code == 503, answer.text
                refused += 1
                time.sleep(0.01)

    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        asking = thread.submit(ask)
        try:
            for turn in range(3):
                before = len(acknowledged)
                until(lambda: len(acknowledged) >= before + 5)
                farm.database.stop("immediate" if turn % 2 else "fast")
                farm.database.start()
        finally:
            done.set()
        asking.result()
    assert refused > 0 and len(acknowledged) >= 15
    assert set(acknowledged) <= {job for (job,) in farm.ask("SELECT id FROM jobs")}
    for job in acknowledged[-3:]:  # each connection is made anew when it is next used
        until(lambda: server.call("POST", f"/jobs/{job}/results").status_code == 202)
    assert farm.wait(acknowledged[-3:]) == {"finished": 3}


# ---- what is refused ----


def test_a_server_with_another_folder_of_jobs_says_so(farm, tmp_path):
    farm.start("one")
    (tmp_path / "other").mkdir()
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "other"), "--store", farm.uri)
    assert done.returncode == 1
    assert "the jobs of this store do not lie in" in done.stderr and "--shared" in done.stderr


def test_no_password_is_ever_told(database, tmp_path):
    secret = "of-the-tests"
    for uri in (f"postgresql://tests:{secret}@/nosuch?host={database.folder}&port={database.port}",
                f"postgresql://tests:{secret}@127.0.0.1:1/x", f"postgresql://tests:{secret}@/x?what=1",
                f"mysql://tests:{secret}@/x"):
        for command in (("serve", "--listen", "127.0.0.1:0"), ("user", "list"), ("job", "list")):
            done = run(*command, "--data", str(tmp_path), "--store", uri)
            assert done.returncode in (1, 2) and done.stderr, (command, uri)
            assert secret not in done.stderr + done.stdout
    file = tmp_path / "x.toml"
    file.write_text(f'store = "postgresql://tests:{secret}@/x"\n')
    done = run("config", "check", str(file))
    assert done.returncode == 0 and secret not in done.stdout and "store = " in done.stdout


# ---- from one store into another ----


def sqlite_tables(folder):
    """All rows of all tables, those of dead servers apart."""
    with contextlib.closing(sqlite3.connect(folder / "server.sqlite")) as store:
        names = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(store.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
                for name in names if name != "servers"}


def fill_sqlite(folder, rows):
    """So many rows in every table that there is, no value of them NULL or like another's of its column."""
    add_user(folder, "alice")  # makes the tables
    with contextlib.closing(sqlite3.connect(folder / "server.sqlite")) as store, store:
        names = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                 if name not in ("servers", "sqlite_sequence")]
        for name in names:
            store.execute(f"DELETE FROM {name}")
        for name in names:
            columns = store.execute(f"PRAGMA table_info({name})").fetchall()
            foreign = {row[3]: f"{row[4]}{row[2]}" for row in store.execute(f"PRAGMA foreign_key_list({name})")}
            for i in range(rows):
                values = [{"TEXT": f"{foreign.get(column, column + name)} é€\U0001F600\n{i:06d}",
                           "INTEGER": 3 * i + 1, "REAL": i / 7 + 0.1,
                           "BLOB": hashlib.sha256(f"{column}{i}".encode()).digest()}[kind]
                          for _, column, kind, *_ in columns]
                store.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(values))})", values)
        assert store.execute("PRAGMA foreign_key_check").fetchall() == []
        store.execute("UPDATE sqlite_sequence SET seq = seq + 1000 WHERE name IN ('jobs', 'services')")
        store.execute("UPDATE jobs SET budget = NULL, title = NULL, queued = NULL WHERE seq % 2")


def migrate(source, target):
    return run("store", "migrate", str(source), str(target))


def test_every_row_of_every_table_migrates_and_comes_back(database, tmp_path):
    source, back = tmp_path / "source", tmp_path / "back"
    source.mkdir()
    back.mkdir()
    fill_sqlite(source, 1203)  # pages
    before, uri = sqlite_tables(source), database.make("migrated")
    done = migrate(source, uri)
    assert done.returncode == 0, done.stderr
    counts = {line.split()[1]: int(line.split()[0]) for line in done.stdout.splitlines()}
    assert counts == {name: len(rows) for name, rows in before.items() if name != "sqlite_sequence"}
    assert sqlite_tables(source) == before
    assert int(database.ask("SELECT nextval('jobs_seq_seq')", "migrated")[0][0]) == 3 * 1202 + 1 + 1001
    check = run("store", "check", "--store", uri, "--data", str(tmp_path))
    assert check.returncode == 0 and "1203  jobs" in check.stdout and "0  servers" in check.stdout, check.stdout
    done = migrate(uri, back)
    assert done.returncode == 0, done.stderr
    after = sqlite_tables(back)
    assert {name for name in before if before[name] != after[name]} <= {"sqlite_sequence"}
    sequences = {name: dict(tables["sqlite_sequence"]) for name, tables in (("before", before), ("after", after))}
    assert sequences["before"].items() <= {**sequences["after"], "jobs": sequences["after"]["jobs"] - 1}.items()
    check = run("store", "check", "--data", str(back))
    assert check.returncode == 0 and "1203  jobs" in check.stdout, check.stderr


def test_a_migration_wants_a_store_at_rest_and_an_empty_one(database, tmp_path):
    full, other, nothing = tmp_path / "full", tmp_path / "other", tmp_path / "nothing"
    for folder in (full, other, nothing):
        folder.mkdir()
    add_user(full, "alice")
    add_user(other, "bob")
    uri = database.make("refused")
    assert "there is no store in" in migrate(nothing, uri).stderr
    assert "not empty" in migrate(full, other).stderr
    done = migrate(full, uri)
    assert done.returncode == 0, done.stderr
    assert "not empty" in migrate(other, uri).stderr
    server = Server(full)
    try:
        assert "a server uses the folder" in migrate(full, database.make("refused_too")).stderr
    finally:
        server.stop()
    shared = Server(full, "--store", uri).login()  # goes on with what was migrated
    try:
        assert shared.call("GET", "/jobs").json()["jobs"] == []
        assert "1 servers use the database" in migrate(uri, nothing).stderr
    finally:
        shared.stop()
    assert migrate(uri, nothing).returncode == 0


def test_a_damaged_store_is_found_out(tmp_path):
    add_user(tmp_path, "alice")
    with contextlib.closing(sqlite3.connect(tmp_path / "server.sqlite")) as store, store:
        store.execute("PRAGMA foreign_keys = OFF")
        store.execute("INSERT INTO tokens VALUES (x'00', 'nobody', 1)")
    done = run("store", "check", "--data", str(tmp_path))
    assert done.returncode == 1 and "rows of tokens refer to rows that are not there" in done.stderr


def test_kill_9_of_servers_at_random_moments_under_load(farm):
    """As test_kills.py has it for one server: nothing that was acknowledged is lost or doubled, whoever dies."""
    options = ("--jobs", "2", "--workers", "1")
    servers = [farm.start(name, *options) for name in ("one", "two")]
    expected = {kind: servers[0].result(graph).json()["data"] for kind, graph in KINDS.items() if kind != "long"}
    loads, moments = [Load(seed) for seed in (1, 2)], random.Random(3)
    for load in loads:
        load.random.choice = lambda kinds, rest=load.random: "short" if rest.random() < 0.7 else "middle"
    for turn in range(4):
        stop = threading.Event()
        threads = [threading.Thread(target=load.work, args=(server, stop)) for load, server in zip(loads, servers)]
        for thread in threads:
            thread.start()
        time.sleep(moments.uniform(0.1, 0.8))
        victim = turn % 2
        servers[victim].kill()
        stop.set()
        for thread in threads:
            thread.join()
        headers = dict(servers[victim].session.headers)
        if turn < 3:  # the last of the dead stays dead
            servers[victim] = farm.start(("one", "two")[victim], *options)
            servers[victim].session.headers.update(headers)
    kinds = {job: kind for load in loads for job, kind in load.acknowledged.items()}
    started = set().union(*(load.started for load in loads))
    rows = {job: status for job, status in farm.ask("SELECT id, status FROM jobs")}
    assert set(kinds) <= set(rows) and len(rows) <= len(kinds) + sum(load.unanswered for load in loads)
    assert len(started) > 0 and set(farm.wait(started)) <= {"finished", "error"}
    for job in started:
        if servers[0].status(job) == "finished":
            assert result(servers[0], job) == expected[kinds[job]]
        else:  # it was running each time that a server died
            assert farm.ask(f"SELECT attempts FROM jobs WHERE id = '{job}'") == [["3"]]
