"""Files of many items, lines of JSON and Parquet, of other hosts and of this machine, packed and not: what is loaded
are the items that were written, whatever the host does on the way, or an error and nothing."""

import gzip
import json
import random
import sqlite3
import subprocess

import pytest

from conftest import BINARY
from remote_host import Fault, RemoteHost
from test_parquet_items import FILES, ITEMS
from test_refresh import refresh

COUNT = 2500


def make(number):
    noise = random.Random(number).getrandbits(16000)
    return {"type": "Feature", "stac_version": "1.0.0", "id": f"i{number}", "collection": f"c{number % 2}", "links": [],
            "geometry": {"type": "Point", "coordinates": [number % 360 - 180, number % 90]}, "bbox": [
                number % 360 - 180, number % 90, number % 360 - 180, number % 90], "assets": {},
            "properties": {"datetime": "2020-01-01T00:00:00Z", "noise": f"{noise:x}"}}


def lines(items):
    return "".join(json.dumps(item) + "\n" for item in items).encode()


ALL = [make(number) for number in range(COUNT)]
TEXT = lines(ALL)


def command(data, *arguments):
    return subprocess.run([BINARY, "catalogue", arguments[0], "--data", data, *arguments[1:]], capture_output=True,
                          text=True, timeout=120, check=False)


def kept(data):
    with sqlite3.connect(data / "catalogue.sqlite") as file:
        documents = [json.loads(text) for text, in file.execute("SELECT json FROM documents")]
    return {d["id"]: d for d in documents if d["type"] == "Feature"}


def zstd(body, window=20):
    """A frame of blocks that are stored as they are (RFC 8878); one of a single byte many times is told by it."""
    blocks = []
    for at in range(0, len(body), 1 << 17):
        block = body[at:at + (1 << 17)]
        is_same = len(block) > 1 and block == block[:1] * len(block)
        head = (at + len(block) == len(body)) | (2 if is_same else 0) | len(block) << 3
        blocks.append(head.to_bytes(3, "little") + (block[:1] if is_same else block))
    return b"\x28\xb5\x2f\xfd\x00" + bytes([window - 10 << 3]) + b"".join(blocks)


def test_lines_that_come_in_pieces_through_failures(tmp_path):
    packed = gzip.compress(TEXT, 1)
    assert len(packed) > 5 << 20  # several ranges
    with RemoteHost({"all.ndjson.gz": packed}) as host:
        host.faults["all.ndjson.gz"] = [None, Fault("reset"), Fault("status", 503), Fault("short"), Fault("long")]
        done = command(tmp_path, "load", host.url + "all.ndjson.gz?key=1")
        assert done.stdout == f"all.ndjson.gz: {COUNT} items\n", done.stderr
        assert kept(tmp_path) == {item["id"]: item for item in ALL}
        host.files["all.ndjson.gz"] = gzip.compress(lines(ALL[5:]), 1)
        assert refresh(tmp_path, "all.ndjson.gz") == f"all.ndjson.gz: {COUNT - 5} items, 5 gone\n"
        assert len(kept(tmp_path)) == COUNT - 5
        host.always["all.ndjson.gz"] = Fault("status", 503)
        refresh(tmp_path, "all.ndjson.gz", status=1)
        assert len(kept(tmp_path)) == COUNT - 5


def test_parquet_of_another_host(tmp_path):
    with RemoteHost({"a/deltas.parquet": (FILES / "deltas.parquet").read_bytes()}) as host:
        done = command(tmp_path, "load", host.url + "a/deltas.parquet")
        assert done.stdout == f"deltas.parquet: {len(ITEMS)} items\n", done.stderr
        assert kept(tmp_path).keys() == {item["id"] for item in ITEMS}


def packed_twice(body):
    return gzip.compress(body[:len(body) // 2]) + gzip.compress(body[len(body) // 2:])


@pytest.mark.parametrize("name, pack", [("a.ndjson.gz", packed_twice), ("a.jsonl.zst", zstd), ("a.ndjson", zstd),
                                        ("a.json.gz", lambda body: gzip.compress(b'{"type": "FeatureCollection", '
                                         b'"features": [' + b",".join(body.split(b"\n")[:-1]) + b"]}"))])
def test_packed_files_of_this_machine(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(lines(ALL[:50])))
    done = command(tmp_path / "data", "load", tmp_path / name)
    assert done.stdout == "50 items\n", done.stderr
    assert kept(tmp_path / "data") == {item["id"]: item for item in ALL[:50]}


def test_packed_files_that_are_damaged(tmp_path):
    text = lines(ALL[:50])
    whole = gzip.compress(text)
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0x55
    for body, code in ((whole[:-5], "FileContentInvalid"), (whole[:20], "FileContentInvalid"),
                       (bytes(damaged), "FileContentInvalid"), (whole + b"x", "FileContentInvalid"),
                       (zstd(text)[:-5], "FileContentInvalid"), (zstd(text) + b"x", "FileContentInvalid"),
                       (zstd(text, 40), "FileContentInvalid"),  # a window of a terabyte
                       (zstd(b" " * (80 << 20)), "FileSizeExceeded")):
        (tmp_path / "a.ndjson.gz").write_bytes(body)
        done = command(tmp_path / "data", "load", tmp_path / "a.ndjson.gz")
        assert done.returncode == 1 and done.stderr.startswith(code + ": "), (code, done.stderr)
        assert kept(tmp_path / "data") == {}


@pytest.mark.parametrize("name, body, code", [("a.ndjson", b"\n", "NoDataAvailable"), ("a.parquet", b"PAR1",
                         "FileContentInvalid"), ("gone.ndjson", None, "FileNotFound")])
def test_files_that_are_none(tmp_path, name, body, code):
    with RemoteHost({name: body} if body is not None else {}) as host:
        done = command(tmp_path, "load", host.url + name)
        assert done.returncode == 1 and code in done.stderr and host.url + name in done.stderr, done.stderr
