"""Requests have ids, and the log tells of each: lines of JSON, or text. What is secret is in none of them."""

import datetime
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest
import requests

from conftest import BINARY, twincube, until

ADD = {"process": {"process_graph": {"a": {"process_id": "add", "arguments": {"x": 1, "y": 2}, "result": True}}}}


class Server:
    def __init__(self, folder, *options):
        self.folder, self.log = folder, folder / "log"
        if not (folder / "data").exists():
            twincube("user", "add", "carol", "--data", folder / "data", input="a password\n")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", folder / "data",
                                             *options], stdout=subprocess.PIPE, stderr=log, text=True)
        self.url = self.process.stdout.readline().strip().rstrip("/")
        self.api = self.url + "/openeo/1.3"
        self.session = requests.Session()
        login = self.session.get(self.api + "/credentials/basic", auth=("carol", "a password"), timeout=30)
        self.token = login.json()["access_token"]
        self.session.headers["Authorization"] = "Bearer basic//" + self.token

    def call(self, method, path, **options):
        return self.session.request(method, (path if path.startswith("http") else self.api + path), timeout=30,
                                    **options)

    def lines(self):
        return self.log.read_text("utf-8").splitlines()

    def line_of(self, answer):
        """The line of the log about an answer; it is written when the answer has been sent."""
        return self.line_with("request", answer.headers["X-Request-Id"])

    def line_with(self, name, value, message="a request was answered"):
        end = time.monotonic() + 60
        while True:
            found = [line for line in (json.loads(text) for text in self.lines() if text.startswith("{"))
                     if line.get(name) == value and line["message"] == message]
            if found:
                assert len(found) == 1
                return found[0]
            assert time.monotonic() < end, (name, value)
            time.sleep(0.02)

    def stop(self):
        self.session.close()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0, self.log.read_text()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("log"), "--log-format", "json")
    yield running
    running.stop()


def test_a_request_leaves_a_line(server):
    began = datetime.datetime.now(datetime.timezone.utc)
    answer = server.call("POST", "/result", json=ADD)
    line = server.line_of(answer)
    assert set(line) == {"time", "level", "message", "request", "client", "user", "method", "route", "status",
                         "duration", "bytes"}
    assert (line["level"], line["user"], line["method"], line["route"], line["status"]) == (
        "info", "carol", "POST", "/result", 200)
    assert line["client"] == "127.0.0.1" and line["bytes"] == len(answer.content) and 0 < line["duration"] < 30
    written = datetime.datetime.fromisoformat(line["time"])
    assert -1 < (written - began).total_seconds() < 30 and line["time"].endswith("Z")


@pytest.mark.parametrize("method, path, wanted", [
    ("GET", "/", {"route": "/", "status": 200}),
    ("HEAD", "/", {"route": "/", "status": 200, "bytes": 0}),
    ("OPTIONS", "/jobs", {"status": 204, "bytes": 0}),
    ("GET", "/jobs/none", {"route": "/jobs/{job_id}", "job": "none", "status": 404}),
    ("GET", "/no/such%0Apath", {"path": "/openeo/1.3/no/such%0Apath", "status": 404}),
    ("DELETE", "/result", {"status": 405}),
])
def test_lines_of_all_kinds(server, method, path, wanted):
    answer = server.call(method, path)
    line = server.line_of(answer)
    assert {name: line.get(name) for name in wanted} == wanted and line["method"] == method
    assert line["bytes"] == len(answer.content)


def test_jobs_are_named(server):
    made = server.call("POST", "/jobs", json=ADD)
    job = made.headers["OpenEO-Identifier"]
    assert server.line_of(made)["job"] == job
    assert server.line_of(server.call("POST", f"/jobs/{job}/results"))["job"] == job
    with server.session.get(f"{server.api}/jobs/{job}/events", stream=True, timeout=30) as events:
        heard = events.content
    line = server.line_of(events)
    assert line["job"] == job and line["bytes"] == len(heard) > 0
    results = server.call("GET", f"/jobs/{job}/results").json()
    (asset,) = results["assets"].values()
    part = requests.get(asset["href"], headers={"Range": "bytes=0-0"}, timeout=30)
    line = server.line_of(part)
    assert (line["job"], line["status"], line["bytes"]) == (job, 206, 1) and "user" not in line
    signature = asset["href"].split("/")[-2]
    assert len(signature) > 20 and signature not in server.log.read_text()


def test_ids_of_errors_are_those_of_the_log(server):
    answer = server.call("GET", "/collections/none")
    assert answer.json()["id"] == answer.headers["X-Request-Id"] == server.line_of(answer)["request"]
    ids = {server.call("GET", "/conformance").headers["X-Request-Id"] for _ in range(20)}
    assert len(ids) == 20 and all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)
    assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
    assert "X-Request-Id" in server.call("OPTIONS", "/jobs").headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("given", ["a", "7f3e.A_b-9", "x" * 64])
def test_sane_ids_are_kept(server, given):
    answer = server.call("GET", "/collections/none", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == answer.json()["id"] == given
    server.line_with("request", given)


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", 'a"b', "a;b", "a\tb", "\xe9", "{}", "a/b", "a%0ab"])
def test_other_ids_are_not(server, given):
    answer = server.call("GET", "/conformance", headers={"X-Request-Id": given.encode("latin-1")})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_whatever_bytes_come_a_line_is_json(server):
    for path in (b"/\xff\xfe\xc3", b"/\x7f", b'/"\\', b"/" + b"\xc3\xa9" * 400):
        with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=30) as connection:
            connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while connection.recv(65536):
                pass
    for line in server.lines():
        assert isinstance(json.loads(line), dict)
        assert not re.search("[\x00-\x1f]", line)


def test_other_processes_write_json_too(server):
    def children(pid):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as list_:
            return [int(child) for child in list_.read().split()]

    server.call("POST", "/result", json=ADD)
    worker = [worker for maker in children(server.process.pid) for worker in children(maker)][0]
    os.kill(worker, signal.SIGKILL)
    server.line_with("level", "warning", f"worker {worker} was ended by signal 9")


def test_one_that_hangs_up_is_told_as_cut_off(server):
    head = f"POST /openeo/1.3/result HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nX-Request-Id: hung-up\r\n" \
           f"Authorization: Bearer basic//{server.token}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=30) as connection:
        connection.sendall(head.encode() + b"{")
        time.sleep(0.3)
    line = server.line_with("request", "hung-up", "the request was cut off")
    assert line["route"] == "/result" and line["bytes"] == 0 and "status" not in line and "path" not in line


def test_no_secrets(server):
    server.call("GET", f"/conformance?token={server.token}")
    server.call("GET", "/collections/none", headers={"X-Request-Id": "last"})
    server.line_with("request", "last")
    text = server.log.read_text()
    assert server.token not in text and "a password" not in text and "Y2Fyb2w6YSBwYXNzd29yZA" not in text


def test_text_tells_requests_only_at_debug(tmp_path):
    for options, is_told in ((("--log-level", "debug"), True), (("--verbose",), True), ((), False),
                             (("--log-level", "warning", "--log-format", "json"), False)):
        server = Server(tmp_path, *options)
        answer = server.call("GET", "/collections/none")
        server.stop()
        told = [line for line in server.lines() if answer.headers["X-Request-Id"] in line]
        assert len(told) == is_told
        if is_told:
            assert re.fullmatch(r"debug: a request was answered request=[0-9a-f]{32} client=127.0.0.1 user=carol "
                                r"method=GET route=/collections/\{collection_id\} status=404 "
                                r"duration=[0-9.e-]+ bytes=[0-9]+", told[0])


def test_format_and_level_change_by_reload(tmp_path):
    config = tmp_path / "twincube.toml"
    config.write_text('log-level = "debug"\n')
    server = Server(tmp_path, "--config", config)
    try:
        server.call("GET", "/conformance")
        config.write_text('log-format = "json"\nlog-level = "info"\njobs = 3\n')
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "the settings were read again" in server.log.read_text())
        assert "jobs cannot change" in server.log.read_text()
        told = [json.loads(line)["message"] for line in server.lines() if line.startswith("{")]
        assert "settings: log-format has changed" in told and "settings: log-level has changed" in told
        server.line_of(server.call("GET", "/conformance"))
    finally:
        server.stop()
