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


def closed_after(connection, started, most):
    """Seconds until the other side closes."""
    while time.monotonic() - started < most:
        if select.select([connection], [], [], 0.2)[0]:
            try:
                if not connection.recv(4096):
                    break
            except ConnectionError:
                break
    return time.monotonic() - started


def test_headers_sent_byte_by_byte(running):
    with socket.create_connection(address(running.url)) as slow, socket.create_connection(address(running.url)) as idle:
        started = time.monotonic()
        text = iter(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 100)
        gone = None
        while gone is None and time.monotonic() - started < 20:
            try:
                slow.send(bytes([next(text)]))
            except ConnectionError:
                gone = time.monotonic() - started
            if select.select([slow], [], [], 0.5)[0] and slow.recv(1) == b"":
                gone = time.monotonic() - started
        assert gone is not None and 8 < gone < 15
        idle.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")  # who has not begun may take longer
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")


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
