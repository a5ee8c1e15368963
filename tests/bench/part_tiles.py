"""The tiles part: a web service of the NDVI of two COGs. Every tile is computed, none comes from a cache."""
import concurrent.futures
import itertools
import json
import math
import os
import statistics
import subprocess
import threading
import time

import numpy as np
import rasterio
from rasterio.shutil import copy
from rasterio.transform import from_origin

import graph
from common import Failed, add_collection, empty_data, goal_at_least, goal_at_most, heading
from tile_peer import Titiler

SIDE = 4096
ZOOMS = 12, 13, 14


def make_cogs(args):
    """Two bands of one scene, uint16, with averaged overviews."""
    folder = args.cache / "tiles"
    if (folder / "complete").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    noise = np.random.default_rng(1)
    for band, base in (("B04", 900), ("B08", 2600)):
        values = (base + 600 * np.sin(x / 97) * np.cos(y / 131) + noise.integers(0, 300, x.shape)).astype("uint16")
        with rasterio.MemoryFile() as memory:
            with memory.open(driver="GTiff", width=SIDE, height=SIDE, count=1, dtype="uint16", crs="EPSG:32631",
                             transform=from_origin(500000, 5500000, 10, 10), nodata=0) as raster:
                raster.write(values, 1)
            copy(memory.name, folder / f"S2_20240601_{band}.tif", driver="COG", compress="deflate",
                 overview_resampling="average", blocksize=512)
    (folder / "complete").touch()
    return folder


def ndvi():
    nodes = {"load": graph.node("load_collection", id="TILES", spatial_extent=None, temporal_extent=None),
             "ndvi": graph.node("ndvi", data=graph.ref("load"), nir="B08", red="B04")}
    last = graph.reduce_over("ndvi", ["t"], "first", "first")
    next(reversed(last.values()))["result"] = True
    return {**nodes, **last}


def tiles_of(lonlat, zoom):
    """Those that lie wholly inside."""
    west, south, east, north = lonlat
    count = 2**zoom

    def column(lon):
        return int((lon + 180) / 360 * count)

    def row(lat):
        return int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * count)

    return [(zoom, x, y) for x in range(column(west) + 1, column(east)) for y in range(row(north) + 1, row(south))]


def fetch(connect, path, tiles, connections):
    """Seconds of each tile, and of all together."""
    waiting, lock, times = iter(tiles), threading.Lock(), []

    def work():
        connection = connect()
        while True:
            with lock:
                tile = next(waiting, None)
            if tile is None:
                return
            start = time.perf_counter()
            connection.request("GET", path.format(z=tile[0], x=tile[1], y=tile[2]))
            reply = connection.getresponse()
            text = reply.read()
            times.append(time.perf_counter() - start)
            if reply.status != 200:
                raise Failed(f"tile {tile}: {reply.status} {text[:300]!r}")

    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        for job in [pool.submit(work) for _ in range(connections)]:
            job.result()
    return times, time.perf_counter() - start


def publish(server, password):
    headers = server.login("bench", password)
    connection = server.connect()
    body = {"type": "xyz", "process": {"process_graph": ndvi()},
            "configuration": {"min": 0, "max": 1, "colormap": "viridis"}}
    server.ask(connection, "POST", "/openeo/1.2/services", json.dumps(body), headers)
    listed = json.loads(server.ask(connection, "GET", "/openeo/1.2/services", None, headers))["services"][0]
    shown = json.loads(server.ask(connection, "GET", f"/openeo/1.2/services/{listed['id']}", None, headers))
    connection.close()
    return shown


def told(times, wall):
    """p50 and p99 in milliseconds, tiles a second."""
    times = sorted(times)
    return statistics.median(times) * 1e3, times[min(len(times) - 1, int(len(times) * 0.99))] * 1e3, len(times) / wall


class Ours:
    name = "twincube"

    def __init__(self, args, server_of):
        password = "bench-" + os.urandom(8).hex()
        subprocess.run([args.twincube, "user", "add", "bench", "--data", args.data], input=password + "\n", text=True,
                       check=True, stdout=subprocess.DEVNULL)
        self.server = server_of(args)
        shown = publish(self.server, password)
        self.lonlat = shown["attributes"]["cube"]["lonlat"]
        self.connect, self.stop = self.server.connect, self.server.stop
        self.path = shown["url"].split(self.server.host, 1)[1]
        # an interval that ends with the only date, another for each round: the same tiles under a name of their own
        self.days = (f"?datetime={year}-{month:02}-{day:02}/.." for year in range(2000, 2020)
                     for month in range(1, 13) for day in range(1, 29))

    def fresh(self):
        """A path whose tiles nobody has asked for yet."""
        return self.path + next(self.days)


def run_tiles(args, server_of):
    folder = make_cogs(args)
    empty_data(args)
    add_collection(args, "TILES", folder, "--datetime", "_([0-9]{8})_", "--band", r"_(B[0-9]+)\.tif$")
    heading(args, "NDVI tiles of 256 pixels, two COGs of 4096²")
    print("cold: each tile is computed, page cache warm; again: the same tiles a second time")
    print("| server | zoom | connections | tiles | | p50 ms | p99 ms | tiles/s |")
    print("|---|---|---|---|---|---|---|---|")
    sides, measured = [Ours(args, server_of)], {}
    lonlat = sides[0].lonlat
    try:
        if not args.skip_peers and args.titiler.exists():
            sides.append(Titiler(args, folder))
        for zoom, connections in itertools.product(ZOOMS, (1, 2, 6)):
            for side in sides:
                tiles = tiles_of(lonlat, zoom)[:200 if side is sides[0] else 30]
                path = side.fresh()
                fetch(side.connect, path, tiles[:8], 2)  # opens the map in both workers
                for what in ("cold", "again") if side is sides[0] else ("cold",):
                    row = told(*fetch(side.connect, path, tiles[8:], connections))
                    measured[side.name, zoom, connections, what] = row
                    print(f"| {side.name} | {zoom} | {connections} | {len(tiles) - 8} | {what} | "
                          + " | ".join(f"{number:.1f}" for number in row) + " |", flush=True)
    finally:
        for side in sides:
            side.stop()
    ours = {key: row for key, row in measured.items() if key[0] == "twincube" and key[3] == "cold"}
    rate = max(row[2] for row in ours.values())
    goal_at_most("W8 p50 of tiles at zoom 13 and 14 on one connection, ms",
                 max(row[0] for key, row in ours.items() if key[1] > 12 and key[2] == 1), 8)
    goal_at_least("W8 tiles/s", rate, 300)
    if len(sides) > 1:
        times = [row[2] / measured["titiler-openeo", *key[1:]][2] for key, row in ours.items()]
        goal_at_least("W8 tiles/s: twincube / titiler-openeo, least of all zooms and connections", min(times), 40)
