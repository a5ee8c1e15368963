"""Slow and idle connections cost nobody else anything; a download that is under way at the end is finished."""

import json
import resource
import select
import signal
import socket
import subprocess
import time

import pytest
import requests
from conftest import BINARY, PASSWORD, USER

MANY = 1050  # more than the server keeps


def address(url):
    host, port = url.rsplit("//", 1)[1].split(":")
    return host, int(port)


def begun(url, path, token):
    """A connection whose body of a megabyte is still to come."""
    connection = socket.create_connection(address(url))
    head = (f"PUT /openeo/1.2{path} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", "Content-Length: 1000000")
    connection.send(("\r\n".join(head) + "\r\n\r\n").encode())
    return connection


def closed_after(connections, count, seconds):
    """Sends each its piece once a second until so many are closed. {name: seconds until the other side closed}"""
    started, closed = time.monotonic(), {}
    while time.monotonic() - started < seconds and len(closed) < count:
        for name, (connection, piece) in connections.items():
            if name in closed:
                continue
            try:
                connection.send(piece)
                if select.select([connection], [], [], 0)[0] and connection.recv(4096) == b"":
                    closed[name] = time.monotonic() - started
            except ConnectionError:
                closed[name] = time.monotonic() - started
        time.sleep(1)
    return closed


def test_slow_senders_are_closed_and_others_are_not(running, connection):
    token = connection.auth.bearer
    head = socket.create_connection(address(running.url))
    head.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
    idle = socket.create_connection(address(running.url))
    bodies = [begun(running.url, f"/files/slow-{i}.bin", token) for i in range(2)]
    try:
        closed = closed_after({"head": (head, b"a"), "body": (bodies[0], b"a"), "steady": (bodies[1], b"a" * 2000)}, 2, 60)
        assert closed.keys() == {"head", "body"}
        assert closed["head"] > 8 and closed["body"] > 18
        idle.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")  # who has not begun may take longer
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
    finally:
        for socket_ in (head, idle, *bodies):
            socket_.close()


def test_idle_connections_do_not_shut_the_door(running):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < MANY + 200:
        pytest.skip("too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    idle = []
    try:
        for _ in range(MANY):
            idle.append(socket.create_connection(address(running.url), timeout=20))
        for _ in range(5):
            started = time.monotonic()
            assert requests.get(running.url + "/health", timeout=20).status_code == 200
            assert time.monotonic() - started < 5
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_download_is_finished_at_the_end(tmp_path):
    subprocess.run([BINARY, "user", "add", USER, "--data", tmp_path], input=PASSWORD + "\n", text=True, check=True,
                   stdout=subprocess.DEVNULL)
    server = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", tmp_path], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        url = server.stdout.readline().strip().rstrip("/")
        token = requests.get(url + "/openeo/1.2/credentials/basic", auth=(USER, PASSWORD), timeout=20).json()
        headers = {"Authorization": "Bearer basic//" + token["access_token"]}
        content = json.dumps(list(range(4_000_000))).encode()  # more than sockets take in
        put = requests.put(url + "/openeo/1.2/files/long.json", data=content, headers=headers, timeout=60)
        assert put.status_code == 200, put.text
        with requests.get(url + "/openeo/1.2/files/long.json", headers=headers, stream=True, timeout=60) as download:
            pieces = download.iter_content(65536)
            taken = [next(pieces)]
            server.send_signal(signal.SIGTERM)
            time.sleep(1)
            taken += list(pieces)
        assert b"".join(taken) == content
        assert server.wait(timeout=20) == 0
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
