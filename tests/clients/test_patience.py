"""Slow and idle connections cost nobody else anything; a download that is under way at the end is finished."""

import contextlib
import json
import resource
import select
import signal
import socket
import subprocess
import time

import pytest
import requests
from conftest import BINARY, PASSWORD, USER, until

CONNECTIONS = 1000
MANY = CONNECTIONS + 50


def address(url):
    host, port = url.rsplit("//", 1)[1].split(":")
    return host, int(port)


def begun(url, path, token):
    """A connection whose body of a megabyte is still to come."""
    connection = socket.create_connection(address(url))
    head = (f"PUT /openeo/1.2{path} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", "Content-Length: 1000000")
    connection.send(("\r\n".join(head) + "\r\n\r\n").encode())
    return connection


def closed_after(connections, count, started):
    """Sends each its piece once a second until so many are closed. {name: seconds until the other side closed}"""
    closed = {}
    while time.monotonic() - started < 100 and len(closed) < count:
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
    token, started = connection.auth.bearer, time.monotonic()
    head = socket.create_connection(address(running.url))
    head.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
    idle = socket.create_connection(address(running.url))
    bodies = [begun(running.url, f"/files/slow-{i}.bin", token) for i in range(2)]
    try:
        senders = {"head": (head, b"a"), "body": (bodies[0], b"a"), "steady": (bodies[1], b"a" * 2000)}
        closed = closed_after(senders, 2, started)
        assert closed.keys() == {"head", "body"}
        assert closed["head"] > 8 and closed["body"] > 18
        idle.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")  # who has not begun may take longer
        assert idle.recv(4096).startswith(b"HTTP/1.1 200")
    finally:
        for socket_ in (head, idle, *bodies):
            socket_.close()


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3000:
        pytest.skip("too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def served(data, *options):
    """A server of its own; its address."""
    server = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, *options], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield server.stdout.readline().strip().rstrip("/")
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=60) == 0
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def connect_all(stack, url, count):
    return [stack.enter_context(socket.create_connection(address(url), timeout=20)) for _ in range(count)]


def ask(connection, path="/health", fields=""):
    """Status, or None where the other side closed."""
    try:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode())
        answer = connection.recv(65536)
    except ConnectionError:
        return None
    return int(answer.split()[1]) if answer else None


def test_idle_connections_do_not_shut_the_door(tmp_path, many_descriptors):
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(served(tmp_path, "--connections", str(CONNECTIONS), "--connections-per-address",
                                         str(2 * CONNECTIONS)))
        connect_all(stack, url, MANY)
        for _ in range(5):
            assert requests.get(url + "/health", timeout=20).status_code == 200


def test_a_thousand_idle_and_two_hundred_busy_connections_are_held(running, many_descriptors):
    """By default, from one address: who was idle is still there afterwards."""
    with contextlib.ExitStack() as stack:
        idle, busy = connect_all(stack, running.url, 1000), connect_all(stack, running.url, 200)
        assert all(ask(connection) == 200 for connection in idle)
        started, rounds = time.monotonic(), 20
        for _ in range(rounds):
            for connection in busy:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            for connection in busy:
                assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        print(f"{rounds * len(busy) / (time.monotonic() - started):.0f} requests/s beside 1000 idle connections")
        assert all(ask(connection) == 200 for connection in idle)


def test_one_address_cannot_have_all_connections(tmp_path):
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(served(tmp_path, "--connections", "100", "--connections-per-address", "10"))
        first = connect_all(stack, url, 10)
        assert [ask(connection) for connection in first] == [200] * 10
        answer = requests.get(url + "/health", timeout=20)
        assert (answer.status_code, answer.json()["code"]) == (429, "TooManyRequests")
        assert int(answer.headers["Retry-After"]) > 0 and answer.headers["Access-Control-Allow-Origin"] == "*"
        rest = connect_all(stack, url, 40)  # a few more would be told, the others are closed
        assert {ask(connection) for connection in rest} == {429, None}
        other = stack.enter_context(socket.create_connection(address(url), 20, ("127.0.0.2", 0)))
        assert ask(other) == 200
        for connection in first + rest:
            connection.close()

        def have_all_room():
            connections = connect_all(stack, url, 10)
            answers = [ask(connection) for connection in connections]
            for connection in connections:
                connection.close()
            return answers == [200] * 10

        until(have_all_room)


def test_connections_of_a_trusted_proxy_are_not_counted(tmp_path):
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(served(tmp_path, "--connections-per-address", "2", "--trust-proxy", "127.0.0.1"))
        assert [ask(connection) for connection in connect_all(stack, url, 20)] == [200] * 20
        other = [stack.enter_context(socket.create_connection(address(url), 20, ("127.0.0.2", 0))) for _ in range(3)]
        assert [ask(connection) for connection in other] == [200, 200, 429]


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
