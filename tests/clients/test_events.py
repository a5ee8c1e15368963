"""Server-sent events of a job: what changes is heard as it happens, from any entry of the log on, and nobody holds more
than a few streams.
"""

import json
import os
import time

import pytest
import requests

from conftest import until
from test_accounting import execute
from test_fairness import WORK, start, user  # noqa: F401 (start is a fixture)
from test_server_api import ADD, FILE, SLOW, UNKNOWN, assert_error


class Stream:
    """The events of a job, as they come: (name, id, data)."""

    def __init__(self, server, job, url=None):
        headers = dict(server.session.headers) if url is None else {}
        url = url or f"{server.api}/jobs/{job}/events"
        self.answer = requests.get(url, headers=headers, stream=True, timeout=20)

    def __enter__(self):
        assert self.answer.status_code == 200, self.answer.text
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        return self

    def __exit__(self, *_):
        self.answer.close()

    def __iter__(self):
        event = {}
        for line in self.answer.iter_lines(chunk_size=1, decode_unicode=True):
            if line == "" and event:
                yield event.get("event"), event.get("id"), json.loads(event["data"])
                event = {}
            elif line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                event[name] = value


def listen(server, job, **options):
    with Stream(server, job, **options) as stream:
        return list(stream)


def test_a_job_is_heard_from_its_start_to_its_end(start):  # noqa: F811
    server = start("--threads", "1")
    long = {**WORK, "node1": {**WORK["node1"], "arguments": {**WORK["node1"]["arguments"], "configurations": 20000}}}
    job = server.create(long, log_level="debug")
    with Stream(server, job) as stream:
        events = iter(stream)
        assert next(events)[2]["status"] == "created"
        server.call("POST", f"/jobs/{job}/results")
        heard = list(events)
    states = [data for name, _, data in heard if name == "status"]
    assert [state["status"] for state in states][-1] == "finished" and states[-1]["progress"] == 100
    order = [s for i, s in enumerate([state["status"] for state in states]) if i == 0 or s != states[i - 1]["status"]]
    assert order in (["queued", "running", "finished"], ["running", "finished"], ["finished"])
    progress = [state["progress"] for state in states if state["status"] == "running"]
    assert progress == sorted(progress)
    assert heard[-1][0] == "end" and heard[-1][2] == {"id": job, "status": "finished"}
    logs = server.call("GET", f"/jobs/{job}/logs").json()["logs"]
    assert [data for name, _, data in heard if name == "log"] == logs
    assert [number for name, number, _ in heard if name == "log"] == [entry["id"] for entry in logs]


def test_what_is_over_is_told_and_ends(start):  # noqa: F811
    server = start()
    for process_graph, status in ((ADD, "finished"), (UNKNOWN, "error")):
        job = server.create(process_graph)
        server.call("POST", f"/jobs/{job}/results")
        server.wait(job, status)
        heard = listen(server, job)
        assert heard[0][2]["status"] == status and heard[-1][0] == "end"
        logs = server.call("GET", f"/jobs/{job}/logs").json()["logs"]
        assert [data for name, _, data in heard if name == "log"] == logs
        later = requests.get(f"{server.api}/jobs/{job}/events", timeout=10,
                             headers={**server.session.headers, "Last-Event-ID": logs[0]["id"]}).text
        assert later.count("event: log") == len(logs) - 1


def test_a_cancelled_and_a_deleted_job_end_the_stream(start):  # noqa: F811
    server = start()
    for method, path in (("DELETE", "/results"), ("DELETE", "")):
        job = server.create(SLOW)
        server.call("POST", f"/jobs/{job}/results")
        server.wait(job, "running")
        with Stream(server, job) as stream:
            events = iter(stream)
            next(events)
            assert server.call(method, f"/jobs/{job}{path}").status_code == 204
            last = [event for event in events]
        assert not path or last[-1][2]["status"] == "canceled"


def test_who_may_listen(start):  # noqa: F811
    server = start()
    job = server.create(FILE)
    server.call("POST", f"/jobs/{job}/results")
    server.wait(job, "finished")
    url = f"{server.api}/jobs/{job}/events"
    assert_error(requests.get(url, timeout=10), 401, "AuthenticationRequired")
    assert_error(requests.get(url, timeout=10, headers={"Authorization": "Bearer basic//x"}), 403, "TokenInvalid")
    with user(server, "bob") as bob:
        assert_error(bob.call("GET", f"/jobs/{job}/events"), 404, "JobNotFound")
    assert_error(server.call("GET", "/jobs/nothing/events"), 404, "JobNotFound")
    (link,) = [link for link in server.call("GET", f"/jobs/{job}").json()["links"] if link["rel"] == "events"]
    assert link["type"] == "text/event-stream"
    assert listen(server, job, url=link["href"])[-1][0] == "end"
    assert requests.head(link["href"], timeout=10).status_code == 200
    assert requests.options(link["href"], timeout=10).status_code == 204
    for wrong in (link["href"][:-1], link["href"] + "A", link["href"].replace("expires=1", "expires=2"),
                  link["href"].replace(job, server.create(ADD))):
        assert_error(requests.get(wrong, timeout=10), 403, "PermissionsInsufficient")


def test_listeners_are_few_and_leave_their_place(start):  # noqa: F811
    server = start()
    job = server.create(ADD)
    headers = dict(server.session.headers)

    def connect():
        return requests.get(f"{server.api}/jobs/{job}/events", headers=headers, stream=True, timeout=10)

    held = [connect() for _ in range(8)]
    assert {answer.status_code for answer in held} == {200}
    with connect() as refused:
        assert_error(refused, 429, "TooManyRequests")
    assert server.result(ADD).json() == 3
    with user(server, "bob") as bob, Stream(bob, bob.create(ADD)) as stream:
        assert next(iter(stream))[0] == "status"
    for answer in held:
        answer.close()

    def is_let_in():
        with connect() as answer:
            return answer.status_code == 200

    until(is_let_in)


def test_the_server_ends_while_somebody_listens(start):  # noqa: F811
    server = start()
    job = server.create(ADD)
    with Stream(server, job) as stream:
        assert next(iter(stream))[0] == "status"
        assert server.stop() == 0


def test_a_client_that_does_not_read_costs_little(start):  # noqa: F811
    """What waits for it stays small, and it gets all once it reads."""
    server = start()
    job = server.create(ADD, log_level="debug")
    with Stream(server, job) as stream:
        execute("INSERT INTO logs (job, level, time, message)"
                " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
                " SELECT ?, 2, 0, hex(randomblob(10000)) FROM n", server, job)
        time.sleep(2)  # 40 MB, more than sockets hold
        with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as lines:
            resident = int(next(line for line in lines if line.startswith("VmRSS")).split()[1])
        if not os.environ.get("TWINCUBE_SANITIZED"):
            assert resident < 60 * 1024
        count = 0
        for line in stream.answer.iter_lines(chunk_size=1 << 16):
            count += line == b"event: log"
            if count == 300:
                break
    assert server.result(ADD).json() == 3
