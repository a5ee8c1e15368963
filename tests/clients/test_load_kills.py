"""Loading items is killed at many moments of its writing: afterwards the catalogue is as before, or has all of it.

The limit of a file's size is what kills: the kernel ends the process at the byte at which a file passes it, in the
journal while the transaction is written, in the database itself while the journal is copied there."""

import json
import resource
import shutil
import signal
import sqlite3
import subprocess

import pytest

from conftest import BINARY, twincube

BEFORE, TOUCHED, AFTER = 300, 200, 900  # items that are there; those of them that are loaded again; those afterwards


def item(i, version):
    west, south = i % 170, i % 80
    return {"type": "Feature", "stac_version": "1.0.0", "id": f"item {i}", "collection": "kills",
            "geometry": {"type": "Point", "coordinates": [west, south]}, "bbox": [west, south, west, south],
            "properties": {"datetime": f"20{i % 60:02d}-01-01T00:00:00Z", "version": version, "fill": "x" * 400},
            "assets": {}, "links": []}


def write(path, first, last, version):
    path.write_text("".join(json.dumps(item(i, version)) + "\n" for i in range(first, last)), encoding="utf-8")
    return path


OLD = {f"item {i}": 1 for i in range(BEFORE)}
NEW = OLD | {f"item {i}": 2 for i in range(BEFORE - TOUCHED, AFTER)}


def look(data):
    """The items and their versions, after a check of all that hangs together."""
    with sqlite3.connect(data / "catalogue.sqlite") as db:
        assert db.execute("SELECT rtreecheck('item_boxes')").fetchall() == [("ok",)]
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = dict(db.execute("SELECT id, json_extract(json, '$.properties.version') FROM items JOIN documents "
                                "USING (key)"))
        assert db.execute("SELECT count(*) FROM item_boxes").fetchone() == (len(found),)
        document, = db.execute("SELECT document FROM collections WHERE id = 'kills'").fetchone()
    db.close()
    last = max(int(name.split()[1]) % 60 for name in found)
    assert json.loads(document)["extent"]["temporal"]["interval"][0][1].startswith(f"20{last:02d}")
    return found


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """A folder with the catalogue before, and the lines to load."""
    folder = tmp_path_factory.mktemp("kills")
    twincube("catalogue", "load", "--data", folder / "before", write(folder / "old.ndjson", 0, BEFORE, 1))
    lines = write(folder / "new.ndjson", BEFORE - TOUCHED, AFTER, 2)
    assert look(folder / "before") == OLD
    return folder, lines


def limit_files(most):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def load(data, lines, most):
    """What the program ends with where no file may have more bytes than that."""
    return subprocess.run([BINARY, "catalogue", "load", "--data", data, lines], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=60, preexec_fn=lambda: limit_files(most)).returncode


def test_whatever_is_written(catalogue, tmp_path):
    folder, lines = catalogue
    ends = []
    for kilobytes in range(8, 8192, 96):
        data = tmp_path / str(kilobytes)
        shutil.copytree(folder / "before", data)
        code = load(data, lines, kilobytes * 1024)
        found = look(data)
        assert found in (OLD, NEW), (kilobytes, len(found))
        ends.append((code, found == NEW))
        assert twincube("catalogue", "load", "--data", data, lines) == f"{AFTER - BEFORE + TOUCHED} items\n"
        assert look(data) == NEW
        if code == 0:
            break
    killed = -signal.SIGXFSZ
    assert ends[-1] == (0, True) and ends[0] == (killed, False)
    assert ends.count((killed, False)) >= 5, "while the transaction is written"
    assert (killed, True) in ends, "behind the transaction, while the journal is copied"
