#!/usr/bin/env python3
"""Times twincube against its peers and against the floor. Started by tests/bench/run, which prepares the ground.

speed    results compared first (numpy, xarray, processes-dask), then whole commands in alternation
memory   a cube of 8.6 GB raw under --memory 512M: peak resident size of all processes; what cannot fit is refused
threads  the speed jobs with one thread and with two
latency  server start, add(1,2) over HTTP keep-alive (p50, p99, requests a second, drift), `twincube run` of it
global, resample, kernel    part_raster.py
zones                       part_zones.py
anomaly, merge              part_series.py
chain                       part_chain.py
processes                   part_processes.py
tiles                       part_tiles.py
requests                    part_requests.py
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time
import urllib.parse

import numpy as np

import measure
from common import (HERE, Failed, add_collection, checked, empty_data, heading, made, remove, run_once, size, table,
                    time_rounds, verdict)
from common import compare as compare_values
from part_chain import run_chain
from part_processes import run_processes
from part_raster import run_global, run_kernel, run_resample
from part_series import run_anomaly, run_merge
from part_requests import run_requests
from part_tiles import run_tiles
from part_zones import run_zones

GOALS = {"median": 15.0, "month": 5.0}  # times faster than processes-dask
FLOOR_GOAL, RSS_GOAL = 1.25, 400e6
PLANES = {"median": 1, "month": 12}
FORMATS = {"geotiff": ("GTiff", ".tif"), "netcdf": ("netCDF", ".nc")}


# Inputs and graphs.

def prepare(args):
    """The series, its two collections, and the graphs for both."""
    args.series = made(args, "series", "series")
    empty_data(args)
    if args.twincube:
        add_folder(args, "S2", args.series / "geotiff")
        add_collection(args, "S2NC", args.series / "S2.nc")


def add_folder(args, name, folder):
    add_collection(args, name, folder, "--datetime", "_([0-9]{8})_", "--band", r"_(B[0-9]+)\.tif$")


def graph_file(args, task, collection, output_format):
    text = (HERE / "graphs" / f"ndvi_{task}.json").read_text()
    path = args.cache / f"{task}_{collection}.json"
    path.write_text(text.replace('"COLLECTION"', f'"{collection}"').replace('"FORMAT"', f'"{output_format}"'))
    return path


def our_command(args, task, inputs, out, threads=None, memory="512M"):
    collection = {"geotiff": "S2", "netcdf": "S2NC"}[inputs]
    graph = graph_file(args, task, collection, FORMATS[inputs][0])
    return [args.twincube, "run", graph, "-o", out, "--data", args.data, "--threads", threads or args.threads,
            "--memory", memory]


def commands(args, task, inputs):
    """name -> (command, output), for one task on one kind of input."""
    suffix = FORMATS[inputs][1]
    source = args.series / ("geotiff" if inputs == "geotiff" else "S2.nc")
    files = sorted(source.glob("*.tif")) if inputs == "geotiff" else [source]
    out = {name: args.cache / f"out_{name}{suffix}" for name in ("twincube", "floor", "dask", "xarray")}
    rows = {}
    if args.twincube:
        rows["twincube"] = our_command(args, task, inputs, out["twincube"])
    rows["floor"] = [args.floor, inputs, args.threads if inputs == "geotiff" else 1, PLANES[task], out["floor"], *files]
    if not args.skip_peers:
        graph = graph_file(args, task, "S2NC", "netCDF")
        # LocalConnection opens one file as a cube, so it reads the netCDF file in both cases.
        rows["dask"] = [args.python, HERE / "peers.py", "dask", graph, args.series / "S2.nc", out["dask"]]
        rows["xarray"] = [args.python, HERE / "peers.py", "xarray", task, source, out["xarray"]]
    return {name: ([str(c) for c in command], out[name]) for name, command in rows.items()}


# Comparing results.

def read_result(path):
    """The result as (planes, y, x) in float64."""
    if path.suffix == ".tif":
        import rasterio
        with rasterio.open(path) as file:
            data = file.read().astype("f8")
            if file.nodata is not None:
                data[data == file.nodata] = np.nan
            return data
    import xarray
    with xarray.open_dataset(path) as file:
        names = [n for n in file.data_vars if {"x", "y"} <= set(file[n].dims)]
        array = file[names[0]]
        array = array.transpose(*[d for d in array.dims if d not in ("y", "x")], "y", "x")
        return array.values.astype("f8").reshape((-1,) + array.shape[-2:])


def reference(args, task):
    """The result by numpy alone, from the GeoTIFFs, kept between runs."""
    path = args.series / f"reference_{task}.npy"
    if path.exists():
        return np.load(path)
    import rasterio
    import warnings
    warnings.simplefilter("ignore", RuntimeWarning)
    files = {band: sorted((args.series / "geotiff").glob(f"*_{band}.tif")) for band in ("B04", "B08")}
    def read(file):
        with rasterio.open(file) as f:
            values = f.read(1).astype("f8")
        values[values == 0] = np.nan
        return values
    planes = []
    for red_file, nir_file in zip(files["B04"], files["B08"]):
        red, nir = read(red_file), read(nir_file)
        planes.append((nir - red) / (nir + red))
    if task == "median":
        result = np.nanmedian(np.stack(planes), axis=0)[None]
    else:
        months = [f.name.split("_")[1][:6] for f in files["B04"]]
        result = np.stack([np.nanmean(np.stack([p for p, m in zip(planes, months) if m == month]), axis=0)
                           for month in sorted(set(months))])
    np.save(path, result)
    return result


def compare(name, got, expected):
    compare_values(name, got, expected, 1e-6)


# Tables.

def speed_table(args, task, inputs, samples, bytes_out):
    heading(args, f"NDVI + {'median over time' if task == 'median' else 'monthly mean'}, {inputs}")
    wall = table(samples)
    print("output: " + ", ".join(f"{name} {size(count)}" for name, count in bytes_out.items()))
    if "twincube" not in wall:
        return
    ratio = wall["twincube"] / wall["floor"]
    print(f"twincube / floor = {ratio:.2f} (goal at most {FLOOR_GOAL}): {verdict(ratio <= FLOOR_GOAL)}")
    for peer in ("dask", "xarray"):
        if peer in wall:
            ratio = wall[peer] / wall["twincube"]
            goal = f" (goal at least {GOALS[task]:.0f}): {verdict(ratio >= GOALS[task])}" if peer == "dask" else ""
            print(f"{'processes-dask' if peer == 'dask' else peer} / twincube = {ratio:.1f}{goal}")
    rss = max(s.rss for s in samples["twincube"])
    print(f"twincube's peak RSS {size(rss)} (goal under {size(RSS_GOAL)}): {verdict(rss < RSS_GOAL)}", flush=True)


def speed(args):
    prepare(args)
    for inputs in args.inputs:
        for task in GOALS:
            rows = commands(args, task, inputs)
            print(f"\ncomparing {task}, {inputs}", flush=True)
            bytes_out = {}
            for name, (command, out) in rows.items():
                run_once((command, out))
                bytes_out[name] = out.stat().st_size
                if name != "floor":
                    compare(name, read_result(out), reference(args, task))
            speed_table(args, task, inputs, time_rounds(rows, args.rounds), bytes_out)


def threads(args):
    prepare(args)
    for inputs in args.inputs:
        for task in GOALS:
            out = args.cache / f"out_threads{FORMATS[inputs][1]}"
            rows = {f"{n} threads": ([str(c) for c in our_command(args, task, inputs, out, n)], out) for n in (1, 2)}
            samples = time_rounds(rows, args.rounds)
            one, two = (statistics.median(s.wall for s in samples[name]) for name in rows)
            print(f"{task}, {inputs}: 1 thread {one:.2f} s, 2 threads {two:.2f} s, ratio {one / two:.2f} (goal at "
                  f"least 1.7 where not bound by the disk): {verdict(one / two >= 1.7)}", flush=True)


def memory(args):
    large = made(args, "large", "large")
    empty_data(args)
    add_folder(args, "BIG", large / "geotiff")
    out = args.cache / "out_large.tif"
    graph = graph_file(args, "median", "BIG", "GTiff")
    remove(out)
    command = [args.twincube, "run", graph, "-o", out, "--data", args.data, "--threads", args.threads]
    heading(args, "NDVI + median over 8 x 2 x 16384 x 16384 (8.6 GB raw), --memory 512M")
    sample = checked(command + ["--memory", "512M"], watch=True)
    check_large(large / "geotiff", out)
    print(f"{sample.wall:.1f} s wall, {sample.cpu:.1f} s CPU, peak resident size of all processes {size(sample.rss)} "
          f"(goal under 700 MB): {verdict(sample.rss < 700e6)}")
    remove(out)
    sample = measure.run([str(c) for c in command + ["--memory", "1M"]])
    refused = sample.status == 1 and not out.exists()
    print(f"under --memory 1M: status {sample.status} after {sample.wall:.2f} s: {sample.output.strip()[:300]}")
    print(f"refused before it starts: {verdict(refused)}", flush=True)


def check_large(folder, out):
    """A few windows against numpy."""
    import rasterio
    import warnings
    from rasterio.windows import Window
    warnings.simplefilter("ignore", RuntimeWarning)
    with rasterio.open(out) as result:
        for row, column in ((0, 0), (2047, 2047), (8000, 12000), (16300, 16300)):
            window = Window(column, row, 84, 84)
            planes = []
            for red_file in sorted(folder.glob("*_B04.tif")):
                pair = []
                for file in (red_file, red_file.with_name(red_file.name.replace("B04", "B08"))):
                    with rasterio.open(file) as f:
                        values = f.read(1, window=window).astype("f8")
                    pair.append(np.where(values == 0, np.nan, values))
                planes.append((pair[1] - pair[0]) / (pair[1] + pair[0]))
            compare(f"({row}, {column})", result.read(1, window=window).astype("f8")[None],
                    np.nanmedian(np.stack(planes), axis=0)[None])


# Latency.

class Server:
    def __init__(self, args):
        start = time.perf_counter()
        self.process = subprocess.Popen([args.twincube, "serve", "--listen", "127.0.0.1:0", "--data", args.data],
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        words = [w for w in line.split() if w.startswith("http")]
        if not words:
            raise Failed(f"the server printed no URL: {line!r}")
        self.host = urllib.parse.urlsplit(words[0]).netloc
        connection = self.connect()
        self.ask(connection, "GET", "/openeo/1.2/")
        self.start = time.perf_counter() - start
        connection.close()

    def connect(self):
        import socket
        connection = http.client.HTTPConnection(self.host, timeout=30)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    @staticmethod
    def ask(connection, method, path, body=None, headers=None):
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        text = reply.read()
        if reply.status >= 300:
            raise Failed(f"{method} {path}: {reply.status} {text[:300]!r}")
        return text

    def login(self, user, password):
        import base64
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        connection = self.connect()
        text = self.ask(connection, "GET", "/openeo/1.2/credentials/basic", None, {"Authorization": f"Basic {basic}"})
        connection.close()
        return {"Authorization": f"Bearer basic//{json.loads(text)['access_token']}",
                "Content-Type": "application/json"}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.process.stdout.close()


def post_many(server, headers, body, count):
    connection = server.connect()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        text = server.ask(connection, "POST", "/openeo/1.2/result", body, headers)
        times.append(time.perf_counter() - start)
    connection.close()
    if json.loads(text) != 3:
        raise Failed(f"add(1,2) answered {text[:100]!r}")
    return times


def latency(args):
    args.data = args.cache / "data_latency"
    remove(args.data)
    args.data.mkdir()
    password = "bench-" + os.urandom(8).hex()
    subprocess.run([args.twincube, "user", "add", "bench", "--data", args.data], input=password + "\n", text=True,
                   check=True, stdout=subprocess.DEVNULL)
    body = json.dumps({"process": {"process_graph": json.loads((HERE / "graphs" / "add.json").read_text())}})
    server = Server(args)
    try:
        headers = server.login("bench", password)
        post_many(server, headers, body, 200)
        times = post_many(server, headers, body, args.requests)
        tenth = max(1, len(times) // 10)
        begin, end = statistics.median(times[:tenth]), statistics.median(times[-tenth:])
        p50, p99 = statistics.median(times), sorted(times)[int(len(times) * 0.99)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            start = time.perf_counter()
            jobs = [pool.submit(post_many, server, headers, body, args.requests // 4) for _ in range(4)]
            done = sum(len(job.result()) for job in jobs)
            rate = done / (time.perf_counter() - start)
        rss = measure.tree_rss(server.process.pid)
    finally:
        server.stop()
    heading(args, "add(1,2)")
    print(f"server start to first answer {server.start * 1e3:.0f} ms")
    print(f"POST /result, keep-alive, {len(times)} requests: p50 {p50 * 1e3:.2f} ms (goal at most 2 ms): "
          f"{verdict(p50 <= 2e-3)}; p99 {p99 * 1e3:.2f} ms")
    print(f"first tenth {begin * 1e3:.2f} ms, last tenth {end * 1e3:.2f} ms: {verdict(end <= 1.2 * begin)}")
    print(f"4 connections: {rate:.0f} requests/s; resident size of all processes {size(rss)}")
    graph = HERE / "graphs" / "add.json"
    runs = [checked([args.twincube, "run", graph, "--data", args.data]).wall for _ in range(21)]
    once = statistics.median(runs)
    print(f"twincube run: median {once * 1e3:.0f} ms (goal at most 100 ms): {verdict(once <= 0.1)}", flush=True)


PARTS = {"speed": speed, "memory": memory, "threads": threads, "latency": latency, "global": run_global,
         "resample": run_resample, "kernel": run_kernel, "zones": run_zones, "anomaly": run_anomaly, "chain": run_chain,
         "merge": run_merge, "processes": run_processes, "tiles": lambda args: run_tiles(args, Server),
         "requests": lambda args: run_requests(args, Server)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skip-peers", action="store_true", help="without xarray and processes-dask")
    parser.add_argument("--skip-twincube", action="store_true", help="peers and floor only")
    parser.add_argument("--inputs", choices=tuple(FORMATS), help="one kind of input only")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--small", action="store_true", help="the later parts on small inputs, to try them out")
    parser.add_argument("--requests", type=int, default=2000, help="latency: requests timed")
    parser.add_argument("--twincube", type=pathlib.Path, required=True)
    parser.add_argument("--floor", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--titiler", type=pathlib.Path, default=pathlib.Path("/nowhere"),
                        help="folder of its environment's programs; tiles: without it ours alone")
    parser.add_argument("--python", required=True, help="interpreter that has the peers")
    args = parser.parse_args()
    args.inputs = [args.inputs] if args.inputs else list(FORMATS)
    if args.skip_twincube:
        args.twincube = None
    unknown = [part for part in args.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown part: {unknown[0]}")
    try:
        for part in args.parts or ["speed"]:
            start = time.perf_counter()
            PARTS[part](args)
            print(f"({part}: {time.perf_counter() - start:.0f} s in all)", flush=True)
    except Failed as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
