"""SIGTERM while 64 connections are busy: who has sent a whole request is answered, whatever the answer says.

Each connection always has a request on its way. One kind asks again and again on the same connection until an answer
says that it closes; the other opens a connection for each request. Nobody may see a reset, or an end before the answer.
"""

import collections
import json
import selectors
import signal
import socket
import time
import urllib.parse

import pytest

from test_server_api import ADD, Server, add_user

BUSY = 64


class Client:
    """A connection that is never idle, driven by an event loop. `end` tells why it stopped; None: it goes on."""

    def __init__(self, selector, address, request, stays):
        self.selector, self.address, self.request, self.stays = selector, address, request, stays
        self.end, self.answers = None, collections.Counter()
        self.open()

    def open(self):
        self.seen, self.is_open = b"", False
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(self.address)
        self.selector.register(self.socket, selectors.EVENT_WRITE, self)

    def close(self, reason):
        self.selector.unregister(self.socket)
        self.socket.close()
        self.end = reason

    def turn(self):
        try:
            self.go_on()
        except OSError as error:
            self.close(f"{error} after {len(self.seen)} bytes of an answer")

    def go_on(self):
        if not self.is_open:
            refused = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if refused:
                self.close("not connected")
                return
            self.is_open = True
            self.selector.modify(self.socket, selectors.EVENT_READ, self)
            self.socket.sendall(self.request)
            return
        piece = self.socket.recv(1 << 20)
        self.seen += piece
        head, mark, body = self.seen.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        if mark and len(body) == int(fields[b"content-length"]):
            self.answers[head.split()[1]] += 1
            self.go_to_next(fields.get(b"connection") == b"close")
        elif not piece:
            self.close(f"ended after {len(self.seen)} bytes of an answer")

    def has_ended(self):
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False

    def go_to_next(self, was_told):
        self.seen = b""
        if was_told:
            self.close("told to")
        elif self.stays and self.has_ended():
            self.close("closed while nothing was asked")
        elif self.stays:
            self.socket.sendall(self.request)
        else:
            self.close(None)
            self.open()


def make_requests(host, token):
    def head(method, path, *more):
        return "\r\n".join([f"{method} /openeo/1.2{path} HTTP/1.1", f"Host: {host}", *more, "", ""]).encode()

    known = "Authorization: " + token
    body = json.dumps({"process": {"process_graph": ADD}}).encode()
    result = head("POST", "/result", known, "Content-Type: application/json", f"Content-Length: {len(body)}") + body
    return [head("GET", "/processes"), result, head("GET", "/jobs", known), result]


@pytest.mark.parametrize("options", [(), ("--workers", "1", "--user-requests", "200")], ids=["plain", "one worker"])
def test_whoever_has_asked_is_answered(tmp_path, options):
    add_user(tmp_path, "alice")
    server = Server(tmp_path, *options).login()
    selector = selectors.DefaultSelector()
    try:
        place = urllib.parse.urlsplit(server.url)
        asked = make_requests(place.netloc, server.session.headers["Authorization"])
        clients = [Client(selector, (place.hostname, place.port), asked[i % 4], i % 8 < 4) for i in range(BUSY)]
        end, told = time.monotonic() + 100, False
        while selector.get_map() and time.monotonic() < end:
            if not told and sum(client.answers[b"200"] for client in clients) > 10 * BUSY:
                server.process.send_signal(signal.SIGTERM)
                told = True
            for key, _ in selector.select(0.1):
                key.data.turn()
        ends = collections.Counter(client.end for client in clients)
        assert set(ends) <= {"told to", "not connected", "closed while nothing was asked"}, ends
        assert ends["told to"] >= BUSY / 4, ends
        assert server.process.wait(timeout=30) == 0
    finally:
        for key in list(selector.get_map().values()):
            key.data.close("the test is over")
        server.kill()
