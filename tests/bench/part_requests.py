"""The requests part: how fast light requests are, alone and beside heavy ones, and what many of them leave behind."""
import concurrent.futures
import json
import os
import re
import sqlite3
import statistics
import subprocess
import time

import graph
import measure
from common import Failed, add_collection, checked, empty_data, goal_at_least, goal_at_most, heading
from part_tiles import make_cogs

JSON = {"Content-Type": "application/json"}
ADD = {"add": graph.node("add", x=1, y=2) | {"result": True}}
HEAVY = {"field": graph.node("lft_scalar_field", shape=[64, 64], m2=0.5, configurations=200000, separation=50,
                             **{"lambda": 1}),
         "save": graph.node("save_result", data=graph.ref("field"), format="netCDF") | {"result": True}}


def ndvi():
    """256 by 256 pixels of the two bands, as PNG."""
    extent = {"west": 520000, "east": 522560, "south": 5480000, "north": 5482560, "crs": 32631}
    nodes = {"load": graph.node("load_collection", id="TILES", spatial_extent=extent, temporal_extent=None),
             "ndvi": graph.node("ndvi", data=graph.ref("load"), nir="B08", red="B04")}
    nodes |= graph.reduce_over("ndvi", ["t"], "first", "first")
    scale = graph.callback("linear_scale_range", x=graph.parameter("x"), inputMin=-1, inputMax=1, outputMax=255)
    nodes["scale"] = graph.node("apply", data=graph.ref("first"), process=scale)
    return nodes | {"save": graph.node("save_result", data=graph.ref("scale"), format="PNG") | {"result": True}}


def body_of(nodes):
    return json.dumps({"process": {"process_graph": nodes}})


def ask_many(server, request, count):
    """Seconds of each of `count` requests, one after the other on one connection."""
    connection, times = server.connect(), []
    for _ in range(count):
        start = time.perf_counter()
        server.ask(connection, *request)
        times.append(time.perf_counter() - start)
    connection.close()
    return times


def ask_side_by_side(server, request, count, connections):
    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        parts = [pool.submit(ask_many, server, request, count // connections) for _ in range(connections)]
        times = [seconds for part in parts for seconds in part.result()]
    return times, time.perf_counter() - start


def wrk(args, server, request, connections):
    """Requests a second and their median in milliseconds, by a client that costs little: wrk for five seconds."""
    method, path, body, headers = request
    lines = [f"wrk.method, wrk.body = {json.dumps(method)}, {json.dumps(body)}"]
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()]
    script = args.work / "wrk.lua"
    script.write_text("\n".join(lines))
    told = checked(["wrk", "-t1", f"-c{connections}", "-d5s", "--latency", "-s", script,
                    f"http://{server.host}{path}"]).output
    if "Non-2xx" in told or "Socket errors" in told:
        raise Failed(told)
    number, unit = re.search(r"50%\s+([0-9.]+)(us|ms|s)\n", told).groups()
    return (float(re.search(r"Requests/sec:\s+([0-9.]+)", told).group(1)),
            float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit])


def judge_add(args, server, request):
    """By whichever number of connections is fastest."""
    alone, (rate, _) = wrk(args, server, request, 1), max(wrk(args, server, request, n) for n in (4, 16))
    print(f"add(1,2) by wrk: one connection {alone[0]:.0f} requests/s, 4 or 16 {rate:.0f}", flush=True)
    goal_at_most("W10 add(1,2): p50 of one connection, ms", alone[1], 0.5)
    goal_at_least("W10 add(1,2): requests/s", rate, 5000)


def percentile(times, share):
    return f"{1e3 * sorted(times)[min(len(times) - 1, int(len(times) * share))]:.2f} ms"


def print_rates(server, requests):
    print("| request | alone: p50 | p99 | 4 connections: requests/s | p50 | p99 |")
    print("|---|---|---|---|---|---|")
    for name, (request, count) in requests.items():
        ask_many(server, request, 20)
        alone = ask_many(server, request, count)
        times, wall = ask_side_by_side(server, request, count, 4)
        print(f"| {name} | {percentile(alone, 0.5)} | {percentile(alone, 0.99)} | {len(times) / wall:.0f} | "
              f"{percentile(times, 0.5)} | {percentile(times, 0.99)} |", flush=True)


def print_beside_heavy(server, headers, request):
    """Both workers are busy, four more requests wait."""
    waiting = [server.connect() for _ in range(6)]
    for connection in waiting:
        connection.request("POST", "/openeo/1.2/result", body_of(HEAVY), headers)
    time.sleep(2)
    times = ask_many(server, request, 300)
    for connection in waiting:
        connection.close()
    print(f"add(1,2) beside six heavy requests: p50 {percentile(times, 0.5)}, p99 {percentile(times, 0.99)}"
          " (goal: 50 ms)")
    time.sleep(1)


def print_growth(server, requests, count):
    pid, before = server.process.pid, measure.tree_rss(server.process.pid)
    for request, _ in requests.values():
        ask_side_by_side(server, request, count // len(requests), 4)
    after = measure.tree_rss(pid)
    print(f"resident size of all processes before and after {count} requests: {before / 1e6:.1f}, {after / 1e6:.1f} MB")


def print_jobs(server, headers):
    connection, times = server.connect(), []
    for _ in range(30):
        start = time.perf_counter()
        connection.request("POST", "/openeo/1.2/jobs", body_of(ADD), headers)
        reply = connection.getresponse()
        reply.read()
        path = "/openeo/1.2/jobs/" + reply.getheader("OpenEO-Identifier")
        server.ask(connection, "POST", path + "/results", None, headers)
        while json.loads(server.ask(connection, "GET", path, None, headers))["status"] != "finished":
            time.sleep(0.002)
        times.append(time.perf_counter() - start)
    connection.close()
    print(f"job of add(1,2), from POST /jobs to finished: p50 {1e3 * statistics.median(times):.0f} ms")


def print_list(args, server, headers):
    """10 000 jobs of the user, written by hand."""
    store = sqlite3.connect(args.data / "server.sqlite", timeout=30)
    row = ("INSERT INTO jobs (id, owner, title, process, log_level, status, created, updated, run)"
           " VALUES (?, 'bench', 't', ")
    with store:
        store.executemany(row + "'{}', 'info', 'created', 1, 1, 0)", [(f"j-{i:024x}",) for i in range(10000)])
    store.close()
    page = ask_many(server, ("GET", "/openeo/1.2/jobs?limit=100", None, headers), 50)
    whole = ask_many(server, ("GET", "/openeo/1.2/jobs?limit=10000", None, headers), 5)
    print(f"10 000 jobs: a page of 100 {1e3 * statistics.median(page):.1f} ms, all of them in one "
          f"{1e3 * statistics.median(whole):.0f} ms")


def run_requests(args, server_of):
    empty_data(args)
    add_collection(args, "TILES", make_cogs(args), "--datetime", "_([0-9]{8})_", "--band", r"_(B[0-9]+)\.tif$")
    password = "bench-" + os.urandom(8).hex()
    subprocess.run([args.twincube, "user", "add", "bench", "--data", args.data], input=password + "\n", text=True,
                   check=True, stdout=subprocess.DEVNULL)
    server = server_of(args)
    try:
        headers = server.login("bench", password) | JSON
        result = ("POST", "/openeo/1.2/result")
        light = {"GET /": (("GET", "/openeo/1.2/", None, {}), args.requests),
                 "GET /collections": (("GET", "/openeo/1.2/collections", None, {}), args.requests),
                 "add(1,2)": ((*result, body_of(ADD), headers), args.requests)}
        heading(args, "requests")
        print(f"load of the machine {os.getloadavg()[0]:.1f}")
        heavy = ((*result, body_of(ndvi()), headers), max(20, args.requests // 10))
        print_rates(server, light | {"NDVI, 256²": heavy})
        judge_add(args, server, light["add(1,2)"][0])
        print_beside_heavy(server, headers, light["add(1,2)"][0])
        print_growth(server, light, 50 * args.requests)
        print_jobs(server, headers)
        print_list(args, server, headers)
    finally:
        server.stop()
