"""Tiles of web services in files: they outlive the server, follow their data, stay within their room."""

import contextlib
import pathlib
import shutil
import time

import pytest
import rasterio
import requests
from conftest import DEMO_PATTERNS, twincube, until
from test_request_log import Server
from test_services import NDVI, load, middle_tile, picture

NODES = {**NDVI, "load": {**NDVI["load"], "arguments": {**NDVI["load"]["arguments"], "id": "OWN"}}}
STYLE = {"min": -0.2, "max": 0.9, "colormap": "viridis"}


@pytest.fixture
def folder(tmp_path, demo):
    shutil.copytree(demo, tmp_path / "scenes")
    twincube("user", "add", "carol", "--data", tmp_path / "data", input="a password\n")
    twincube("catalogue", "add", "--data", tmp_path / "data", "--id", "OWN", *DEMO_PATTERNS, tmp_path / "scenes")
    return tmp_path


def service(server, nodes=NODES, style=STYLE):
    answer = server.call("POST", "/services", json={"type": "xyz", "configuration": style,
                                                    "process": {"process_graph": nodes}})
    assert answer.status_code == 201, answer.text
    return server.call("GET", answer.headers["Location"]).json()


def tiles(description, zoom, side=1):
    column, row = middle_tile(description["attributes"]["cube"]["lonlat"], zoom)
    return [f"/services/{description['id']}/xyz/{zoom}/{column + i}/{row + j}"
            for i in range(side) for j in range(side)]


def files(folder):
    """Those that there are; some come and go meanwhile."""
    found = {}
    for path in (folder / "data" / "tiles").rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                found[path] = path.stat()
    return found


def until_written(folder, count):
    until(lambda: len(files(folder)) >= count)
    return files(folder)


def test_tiles_outlive_the_server_and_follow_their_data(folder):
    server = Server(folder)
    shown = service(server)
    path, = tiles(shown, 13)
    first = server.call("GET", path)
    (name, before), = until_written(folder, 1).items()
    assert first.content in name.read_bytes()
    server.stop()

    server = Server(folder)
    again = server.call("GET", path)
    assert again.content == first.content and again.headers["ETag"] == first.headers["ETag"]
    until(lambda: name.stat().st_mtime_ns > before.st_mtime_ns)
    after = name.stat()
    assert after.st_ino == before.st_ino  # used, not written
    same = server.call("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    server.stop()

    name.write_bytes(name.read_bytes()[:-40])  # a damaged file is as good as none
    server = Server(folder)
    assert server.call("GET", path).content == first.content
    server.stop()
    damaged = bytearray(name.read_bytes())
    damaged[-30] ^= 1
    name.write_bytes(damaged)
    server = Server(folder)
    assert server.call("GET", path).content == first.content
    server.stop()

    for scene in pathlib.Path(folder, "scenes").rglob("*_B08.tif"):  # other data
        with rasterio.open(scene) as opened:
            values, profile = opened.read(), opened.profile
        time.sleep(0.01)
        with rasterio.open(scene, "w", **profile) as opened:
            opened.write((values * 0.5).astype(values.dtype))
    server = Server(folder)
    changed = server.call("GET", path)
    assert changed.status_code == 200 and changed.headers["ETag"] != first.headers["ETag"]
    assert picture(changed)[1].mean() < picture(first)[1].mean()
    until(lambda: changed.content in name.read_bytes())
    assert len(files(folder)) == 1
    assert server.call("DELETE", f"/services/{shown['id']}").status_code == 204
    assert requests.get(server.api + path, timeout=30).status_code == 404
    server.stop()


def test_the_files_keep_within_their_room(folder):
    server = Server(folder, "--tile-cache", "1M")
    colours = {"load": {**load(id="OWN", bands=["B02", "B04", "B08"]), "result": True}}
    shown = service(server, colours, {"tile_size": 512, "max": 10000, "resampling": "bilinear"})
    most = made = 0
    dates = next(d["labels"] for d in shown["attributes"]["cube"]["dimensions"] if d["type"] == "temporal")
    for date in dates[:6]:
        for path in tiles(shown, 14, 3):
            made += len(server.call("GET", path, params={"datetime": date}).content)
        most = max(most, sum(status.st_blocks * 512 for status in files(folder).values()))
    assert most <= 1 << 20 < made, (most, made)
    last = server.call("GET", tiles(shown, 14)[0]).content
    server.stop()
    assert len(files(folder)) > 4
    leftover = folder / "data" / "tiles" / "00"
    leftover.mkdir(exist_ok=True)
    (leftover / ("0" * 32 + ".7")).write_bytes(b"cut off")
    server = Server(folder, "--tile-cache", "1M")
    assert not (leftover / ("0" * 32 + ".7")).exists()
    assert server.call("GET", tiles(shown, 14)[0]).content == last
    server.stop()
