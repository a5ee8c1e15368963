"""Hosts that would have one read for ever, or too much: each is a clear error, in bounded memory. Documents that lead
to themselves, here and there, are read once."""

import json
import os
import socket
import subprocess
import sys
import threading
import zlib

import pytest

from conftest import BINARY
from remote_host import RemoteHost
from test_refresh import COLLECTION, found, stac_item
from test_sources import catalogue

MEGABYTES = 80  # more than a document may have


def gzip_bomb():
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(MEGABYTES)) + packer.flush()
    return b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed


def again(what):
    """A generator of the same bytes for ever."""
    while True:
        yield what


HOSTS = {
    "a bomb": (lambda: [gzip_bomb()], "FileSizeExceeded"),
    "a body without end": (lambda: (piece for start in (b"\r\n[", again(b"1," * 50000))
                                    for piece in ([start] if isinstance(start, bytes) else start)), "FileSizeExceeded"),
    "headers without end": (lambda: again(b"".join(b"X-%d: %s\r\n" % (i, b"a" * 90) for i in range(500))),
                            "InfrastructureBusy"),
    "a header without end": (lambda: (piece for start in (b"X: ", again(b"a" * 50000))
                                      for piece in ([start] if isinstance(start, bytes) else start)),
                             "InfrastructureBusy"),
    "codings of codings": (lambda: [b"Content-Encoding: " + b", ".join([b"gzip"] * 1000) +
                                    b"\r\nContent-Length: 2\r\n\r\n{}"], "InfrastructureBusy"),
}


@pytest.fixture(name="host")
def host_fixture():
    """Starts hosts that answer every request with these pieces; gives the address."""
    sockets = []

    def answer(connection, pieces):
        with connection:
            try:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                for piece in pieces():
                    connection.sendall(piece)
            except OSError:
                pass

    def listen(server, pieces):
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection, pieces), daemon=True).start()

    def start(pieces):
        server = socket.create_server(("127.0.0.1", 0))
        sockets.append(server)
        threading.Thread(target=listen, args=(server, pieces), daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/"

    yield start
    for server in sockets:
        server.close()


# The most memory of a process counts what it had before it became another program: this one has little.
MEASURE = """
import os, subprocess, sys
with subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL) as process:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
print(process.returncode, usage.ru_maxrss // 1024)
"""


def failure(*command):
    """What a command that fails says, and the most memory that it had, in MiB."""
    done = subprocess.run([sys.executable, "-S", "-c", MEASURE, *map(str, command)], capture_output=True, text=True,
                          check=True)
    code, most = map(int, done.stdout.split())
    assert code == 1, done.stderr
    return done.stderr, most


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize("way", ["a source", "load_stac"])
def test_answers_that_would_never_end(tmp_path, host, name, way):
    pieces, code = HOSTS[name]
    url = host(pieces)
    graph = {"load": {"process_id": "load_stac", "arguments": {"url": url + "i.json"}, "result": True}}
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    said, most = (failure(BINARY, "catalogue", "load", "--data", tmp_path, url + "i.json") if way == "a source" else
                  failure(BINARY, "run", tmp_path / "graph.json", "--data", tmp_path, "-o", tmp_path / "out.nc",
                          "--remote", url))
    assert said.startswith(code) and url in said, said
    assert most < 400 or "TWINCUBE_SANITIZED" in os.environ


def test_catalogues_that_lead_to_themselves(tmp_path):
    """Round in a circle, at another host and on this machine, with one item in it."""
    documents = {
        "catalog.json": {**COLLECTION, "type": "Catalog", "id": "top", "links": [
            {"rel": "child", "href": "catalog.json"}, {"rel": "child", "href": "a/collection.json"},
            {"rel": "item", "href": "catalog.json"}]},
        "a/collection.json": {**COLLECTION, "links": [
            {"rel": "child", "href": "../catalog.json"}, {"rel": "child", "href": "../a/collection.json"},
            {"rel": "item", "href": "i.json"}, {"rel": "item", "href": "../a/i.json"}]},
        "a/i.json": stac_item("one", collection="far", links=[{"rel": "item", "href": "i.json"},
                                                              {"rel": "child", "href": "../catalog.json"}])}
    folder = tmp_path / "in"
    (folder / "a").mkdir(parents=True)
    with RemoteHost({name: json.dumps(document).encode() for name, document in documents.items()}) as host:
        for name, document in documents.items():
            (folder / name).write_text(json.dumps(document))
        for data, place in ((tmp_path / "there", host.url + "catalog.json"), (tmp_path / "here", folder)):
            done = catalogue(data, "load", place)
            assert done.returncode == 0, done.stderr
            assert list(found(data)) == ["one"], place
        assert len(host.requests) < 20
        del documents["a/collection.json"]["links"][2:]
        host.files["a/collection.json"] = json.dumps(documents["a/collection.json"]).encode()
        graph = {"load": {"process_id": "load_stac", "arguments": {"url": host.url + "catalog.json"}, "result": True}}
        (tmp_path / "graph.json").write_text(json.dumps(graph))
        said, _ = failure(BINARY, "run", tmp_path / "graph.json", "--data", tmp_path, "-o", tmp_path / "out.nc",
                          "--remote", host.url)
        assert said.startswith("NoDataAvailable") and f" {host.url}catalog.json leads to no item" in said
