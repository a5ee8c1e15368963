"""Store and folders of jobs stay in step: removed users, results that the store does not know, a store not theirs."""

import contextlib
import shutil
import sqlite3
import time

from test_server_api import ADD, SLOW, add_user, fresh, run  # noqa: F401


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


def finish(server, count=1):
    jobs = [server.create(ADD) for _ in range(count)]
    for job in jobs:
        server.call("POST", f"/jobs/{job}/results")
        server.wait(job, "finished")
    return jobs


def forget(data, job):
    """As if the store were an older copy: neither the job nor its end is in it."""
    with contextlib.closing(sqlite3.connect(data / "server.sqlite")) as db, db:
        db.execute("DELETE FROM jobs WHERE id = ?", (job,))
        db.execute("DELETE FROM dropped WHERE id = ?", (job,))


def test_removing_a_user_removes_results_and_ends_jobs(fresh, tmp_path):
    server = fresh("--jobs", "1", "--threads", "1")
    (done,) = finish(server)
    running = server.create(SLOW)
    server.call("POST", f"/jobs/{running}/results")
    server.wait(running, "running")
    wait_for(lambda: (tmp_path / "jobs" / running).is_dir())
    add_user(tmp_path, "bob")
    assert run("user", "remove", "alice", "--data", str(tmp_path)).returncode == 0
    wait_for(lambda: not (tmp_path / "jobs" / done).exists() and not (tmp_path / "jobs" / running).exists())
    server.login("bob")  # the slot is free again
    finish(server)


def test_a_user_removed_while_no_server_runs_leaves_nothing(fresh, tmp_path):
    server = fresh()
    (done,) = finish(server)
    assert server.stop() == 0
    assert run("user", "remove", "alice", "--data", str(tmp_path)).returncode == 0
    add_user(tmp_path, "alice")
    fresh()
    wait_for(lambda: not (tmp_path / "jobs" / done).exists())
    assert not (tmp_path / "jobs" / "lost").exists()


def test_results_that_the_store_does_not_know_are_kept(fresh, tmp_path):
    server = fresh()
    known, unknown = finish(server, 2)
    assert server.stop() == 0
    forget(tmp_path, unknown)
    server = fresh()
    (kept,) = (tmp_path / "jobs" / "lost" / unknown).rglob("*.json")
    assert kept.read_text().strip() == "3"
    assert (tmp_path / "jobs" / known).is_dir() and not (tmp_path / "jobs" / unknown).exists()
    assert server.call("GET", f"/jobs/{known}/results").status_code == 200
    assert "warning: 1 job folders" in (tmp_path / "server.log").read_text()
    assert server.stop() == 0
    fresh()  # what is lost stays
    assert kept.exists()


def test_they_are_removed_where_that_is_asked_for(fresh, tmp_path):
    server = fresh()
    _, unknown = finish(server, 2)
    assert server.stop() == 0
    forget(tmp_path, unknown)
    fresh("--sweep")
    assert not list((tmp_path / "jobs").rglob(unknown))
    assert "1 job folders that the store does not know were removed" in (tmp_path / "server.log").read_text()


def test_an_empty_store_beside_results_is_refused(fresh, tmp_path):
    server = fresh()
    (done,) = finish(server)
    assert server.stop() == 0
    for file in tmp_path.glob("server.sqlite*"):
        shutil.move(file, tmp_path / ("old-" + file.name))
    add_user(tmp_path, "alice")
    refused = run("serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path))
    assert refused.returncode == 1 and refused.stderr.startswith("StorageFailure: ")
    assert "empty" in refused.stderr and (tmp_path / "jobs" / done).is_dir()
    for file in tmp_path.glob("server.sqlite*"):
        file.unlink()
    for file in tmp_path.glob("old-*"):
        shutil.move(file, tmp_path / file.name.removeprefix("old-"))
    assert fresh().call("GET", f"/jobs/{done}/results").status_code == 200
