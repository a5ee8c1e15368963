"""What the main process may hold for its clients: bodies, answers, lists; all of it within one budget."""

import contextlib
import json
import pathlib
import socket
import sqlite3
import threading
import time

import pytest

from test_server_api import ADD, Server, add_user

MIB = 1 << 20
BODY = 16 * MIB  # the largest that is taken
KNOWN, STRANGERS = 256, 64  # MiB that the bodies of users, and of strangers, may take together


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    add_user(data, "alice")
    server = Server(data, "--workers", "2").login()
    yield server
    assert server.stop() == 0


def resident(server):
    """MiB of the main process; skips under a sanitizer, which keeps what is freed."""
    process = pathlib.Path("/proc") / str(server.process.pid)
    if "libasan" in (process / "maps").read_text():
        pytest.skip("memory is not measured under the address sanitizer")
    status = (process / "status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def connect(server):
    host, port = server.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def head(server, method, path, length, known=True):
    token = f"Authorization: {server.session.headers['Authorization']}\r\n" if known else ""
    return f"{method} /openeo/1.2{path} HTTP/1.1\r\nHost: h\r\n{token}Content-Length: {length}\r\n\r\n".encode()


def answer(connection):
    """Status and JSON of the answer on a connection that the server closes or leaves open."""
    with connection.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        length = 0
        while (line := stream.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return status, json.loads(stream.read(length) or b"null")


@pytest.mark.parametrize(
    ("method", "path", "length", "known", "status"),
    [
        ("POST", "/jobs", BODY, False, 401),
        ("POST", "/result", 10, False, 401),
        ("PATCH", "/jobs/j-1", BODY, False, 401),
        ("POST", "/nothing/here", BODY, False, 404),
        ("POST", "/nothing/here", BODY, True, 404),
        ("PUT", "/jobs", BODY, True, 405),
        ("POST", "/collections", BODY, False, 405),
        ("POST", "/result", BODY + 1, True, 413),
        ("POST", "/validation", BODY + 1, False, 413),
    ],
)
def test_the_head_decides(server, method, path, length, known, status):
    with contextlib.closing(connect(server)) as s:
        s.sendall(head(server, method, path, length, known))  # the body never comes
        assert answer(s)[0] == status


def test_who_sends_the_body_before_it_reads_gets_the_answer(server):
    for path, known, status in (("/jobs", False, 401), ("/nowhere", True, 404)):
        with contextlib.closing(connect(server)) as s:
            s.sendall(head(server, "POST", path, BODY, known) + b" " * BODY)
            assert answer(s)[0] == status


def test_a_body_where_none_is_wanted_is_dropped(server):
    before = resident(server)
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            s = stack.enter_context(contextlib.closing(connect(server)))
            s.sendall(head(server, "GET", "/", BODY, known=False) + b" " * (BODY - 1))
        wait_until_read(server)
        assert resident(server) < before + 20
        s.sendall(b" ")
        assert answer(s)[0] == 200


def wait_until_read(server):
    """Until no byte lies between clients and server: neither is one to be sent nor to be read."""
    port, end = f":{int(server.url.rsplit(':', 1)[1]):04X}", time.monotonic() + 60
    while time.monotonic() < end:
        rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        if all(row[4] == "00000000:00000000" for row in rows if port in row[1] + row[2] and row[3] == "01"):
            return
        time.sleep(0.01)
    raise AssertionError("bytes are not read")


def send_unfinished(server, stack, count, path, known):
    """One after the other: who comes first has room."""
    connections = []
    for _ in range(count):
        s = stack.enter_context(contextlib.closing(connect(server)))
        s.sendall(head(server, "POST", path, BODY, known) + b"{" * (BODY - 1))
        wait_until_read(server)
        connections.append(s)
    return connections


@pytest.mark.parametrize(("path", "known", "room"), [("/validation", False, STRANGERS), ("/jobs", True, KNOWN)])
def test_bodies_share_a_budget(server, path, known, room):
    before = resident(server)
    with contextlib.ExitStack() as stack:
        connections = send_unfinished(server, stack, room // 16 + 3, path, known)
        server.call("GET", "/")  # what was read is taken, too: the server does one thing after the other
        assert resident(server) < before + room + 40
        if not known:  # who is known has room all the same
            assert server.result(ADD).json() == 3
        last = connections[-1]
        last.sendall(b"{")
        status, error = answer(last)
        assert status == 503 and error["code"] == "InfrastructureBusy"
    assert server.result(ADD).json() == 3  # and when they have gone, everybody has


def test_long_values_do_not_pass_through_the_main_process(server):
    long = {
        "a": {"process_id": "array_create", "arguments": {"data": [1.25e-100], "repeat": 450000}},
        "b": {
            "process_id": "array_concat",
            "arguments": {"array1": {"from_node": "a"}, "array2": {"from_node": "a"}},
            "result": True,
        },
    }
    before = resident(server)
    with contextlib.ExitStack() as stack:
        body = json.dumps({"process": {"process_graph": long}}).encode()
        for _ in range(3):  # 9 MB each, not read
            s = stack.enter_context(contextlib.closing(connect(server)))
            s.settimeout(60)
            s.sendall(head(server, "POST", "/result", len(body)) + body)
            assert s.recv(12).endswith(b"200")
        assert resident(server) < before + 16
    values = server.result(long)
    assert values.headers["Content-Type"] == "application/json" and values.headers["OpenEO-Costs"] == "0"
    assert values.json() == [1.25e-100] * 900000
    assert list((server.data / "tmp").rglob("*.json")) == []


def test_pages_of_a_list_are_bounded(server):
    """300 jobs with descriptions of 1 MB: the list comes in pages, and eight at a time take little."""
    with contextlib.closing(sqlite3.connect(server.data / "server.sqlite")) as db, db:
        for i in range(300):
            db.execute(
                "INSERT INTO jobs (id, owner, description, process, log_level, status, created, updated)"
                " VALUES (?, 'alice', ?, '{}', 'info', 'created', 0, 0)",
                (f"j-{i:024x}", "x" * 1000000),
            )
    before, sizes, seen = resident(server), [], []
    readers = [threading.Thread(target=lambda: sizes.append(len(server.call("GET",
                                                                            "/jobs").content))) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(sizes) == 8 and max(sizes) < 6e6
    assert resident(server) < before + 120
    url = server.api + "/jobs"
    while url:
        page = server.session.get(url).json()
        seen += [job["id"] for job in page["jobs"]]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert seen == [f"j-{i:024x}" for i in reversed(range(300))]


def peak(server):
    """MiB that the main process had at most since this was asked last."""
    process = pathlib.Path("/proc") / str(server.process.pid)
    found = int((process / "status").read_text().split("VmHWM:")[1].split()[0]) // 1024
    (process / "clear_refs").write_text("5")
    return found


def test_bodies_of_jobs_become_no_trees(server):
    """A tree of these bodies would take more than a gigabyte; the text takes its own 16 MiB a few times."""
    resident(server)  # skips where memory is not measured
    wide = "[" + ",".join(["[]"] * (5 * MIB)) + "]"
    graph = '{"process_graph":{"a":{"process_id":"count","arguments":{"data":' + wide + '},"result":true}}}'
    peak(server)
    for method, path, body, status, code in (
        ("POST", "/jobs", '{"process":' + graph + "}", 201, None),
        ("POST", "/jobs", '{"process":{"process_graph":{}},"job_options":' + wide + "}", 400, "RequestBodyInvalid"),
        ("POST", "/services", '{"type":"xyz","configuration":' + wide + "}", 413, "ContentTooLarge"),
        ("POST", "/jobs", "[" * (15 * MIB), 400, "RequestBodyInvalid"),
        ("PUT", "/process_graphs/wide", graph, 400, "ProcessGraphComplexity"),
    ):
        reply = server.call(method, path, data=body.encode(), headers={"Content-Type": "application/json"})
        assert reply.status_code == status and (code is None or reply.json()["code"] == code), reply.text[:300]
        if status == 201:
            job = "/jobs/" + reply.headers["OpenEO-Identifier"]
            assert server.call("PATCH", job, data=body.encode()).status_code == 204
            assert server.call("GET", job).json()["process"] == json.loads(graph)
            server.call("DELETE", job)
        assert peak(server) < 300, method + path
