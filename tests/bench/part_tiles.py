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
from common import Failed, add_collection, empty_data, heading, verdict

SIDE = 4096
RATE_GOAL, P50_GOAL = 200, 10e-3


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


def run_tiles(args, server_of):
    folder = make_cogs(args)
    empty_data(args)
    add_collection(args, "TILES", folder, "--datetime", "_([0-9]{8})_", "--band", r"_(B[0-9]+)\.tif$")
    password = "bench-" + os.urandom(8).hex()
    subprocess.run([args.twincube, "user", "add", "bench", "--data", args.data], input=password + "\n", text=True,
                   check=True, stdout=subprocess.DEVNULL)
    server = server_of(args)
    rows, best = [], (math.inf, 0)
    try:
        shown = publish(server, password)
        path = shown["url"].split(server.host, 1)[1]
        # an interval that ends with the only date, another for each round: the same tiles under a name of their own
        days = (f"?datetime=2020-{month:02}-{day:02}/.." for month in range(1, 13) for day in range(1, 29))
        for zoom, connections in itertools.product((12, 13, 14), (1, 2, 6)):
            tiles, query = tiles_of(shown["attributes"]["cube"]["lonlat"], zoom)[:200], next(days)
            fetch(server.connect, path + query, tiles[:8], 2)  # opens the map in both workers
            times, wall = fetch(server.connect, path + query, tiles[8:], connections)
            p50, p95 = statistics.median(times), sorted(times)[int(len(times) * 0.95)]
            rows.append([zoom, connections, len(times), f"{p50 * 1e3:.1f}", f"{p95 * 1e3:.1f}",
                         f"{len(times) / wall:.0f}"])
            best = (min(best[0], p50), max(best[1], len(times) / wall))
    finally:
        server.stop()
    heading(args, "NDVI tiles of 256 pixels, two COGs of 4096²")
    print("| zoom | connections | tiles | p50 ms | p95 ms | tiles/s |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(f"best p50 {best[0] * 1e3:.1f} ms (goal at most {P50_GOAL * 1e3:.0f}): {verdict(best[0] <= P50_GOAL)}; "
          f"best rate {best[1]:.0f} tiles/s (goal at least {RATE_GOAL}): {verdict(best[1] >= RATE_GOAL)}", flush=True)
