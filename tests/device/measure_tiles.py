"""measure_tiles.py SIDE: tiles of an XYZ service, the median of a season's NDVI, from a server whose workers use the
CPU and from one whose workers use the device: that they are the same, and how fast they come."""

import json
import os
import pathlib
import sys
import tempfile
import types

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / folder) for folder in ("property", "bench")]

import fake  # noqa: E402
from measure_runs import write  # noqa: E402
from part_tiles import fetch, tiles_of, told  # noqa: E402
from service import Server  # noqa: E402
from test_device_runs import MEDIAN  # noqa: E402

ZOOM, MOST, CONNECTIONS = 14, 60 if fake.REAL else 8, 2
STYLE = {"min": -1, "max": 1, "colormap": "viridis"}


def publish(server, password, title):
    """The service's address below the server, and its extent."""
    headers = server.login("tiles", password)
    connection = server.connect()
    body = {"type": "xyz", "process": {"process_graph": MEDIAN}, "configuration": STYLE,
            "title": title}
    server.ask(connection, "POST", "/openeo/1.2/services", json.dumps(body), headers)
    listed = json.loads(server.ask(connection, "GET", "/openeo/1.2/services", None, headers))["services"]
    (own,) = [service["id"] for service in listed if service["title"] == title]
    shown = json.loads(server.ask(connection, "GET", f"/openeo/1.2/services/{own}", None, headers))
    connection.close()
    return shown["url"].split(server.host, 1)[1], shown["attributes"]["cube"]["lonlat"]


def measure(folder, password, device):
    """All tiles, and how fast the ones behind the first few came."""
    options = ["--device", device, *(["--confine", "off"] if not fake.REAL else [])]
    server = Server(types.SimpleNamespace(twincube=str(fake.BINARY), data=str(folder)), *options)
    try:
        path, lonlat = publish(server, password, device)
        tiles = tiles_of(lonlat, ZOOM)[:MOST]
        fetch(server.connect, path, tiles[:4], CONNECTIONS)  # opens the map in both workers
        speed = told(*fetch(server.connect, path, tiles[4:], CONNECTIONS))
        connection = server.connect()
        pictures = [server.ask(connection, "GET", path.format(z=z, x=x, y=y)) for z, x, y in tiles]
        connection.close()
    finally:
        server.stop()
    return pictures, speed


def main():
    with tempfile.TemporaryDirectory() as name:
        folder, password = pathlib.Path(name), "tiles-" + os.urandom(8).hex()
        write(folder, max(int(sys.argv[1]) // 4, 1024))
        fake.twincube("user", "add", "tiles", "--data", folder, input=password + "\n", check=True)
        print(f"{'XYZ tiles':10}{'p50 ms':>9}{'p99 ms':>9}{'tiles/s':>9}")
        pictures = {}
        for device in ("cpu", "cuda"):
            pictures[device], speed = measure(folder, password, device)
            print(f"{device:10}" + "".join(f"{number:9.1f}" for number in speed))
        assert list((folder / "devices").rglob("*.kernel")), "no kernel was made for the device"
        wrong = sum(have != want for have, want in zip(pictures["cuda"], pictures["cpu"], strict=True))
        assert wrong == 0, f"{wrong} of {len(pictures['cpu'])} tiles are not the CPU's"


main()
