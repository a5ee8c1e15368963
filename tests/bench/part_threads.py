"""The threads part: W1 to W8 with two threads against one, the same files in, the same values out."""
import json
import statistics

import graph
from common import (FOLDER_NAMES, add_collection, compare, contest, empty_data, goal_at_least, heading, made, our_run,
                    read_json, read_planes)
from part_raster import kernel_weights, plane_folder, resample_nodes
from part_series import anomaly_nodes, daily_of
from part_stack import TASKS, nodes_of, stack_of
from part_tiles import Ours, fetch, make_cogs, tiles_of

GOAL = 1.85
TILES, ROUNDS = 150, 3


def jobs_of(args, stack, years):
    """name -> graph with its save_result, and the suffix of the file."""
    zones = made(args, f"{stack.name}_zones_500", "zones", "--size", 512 if args.small else 2048, "--count",
                 500) / "zones.geojson"
    jobs = {f"{workload} {task}": nodes_of(task, "STACK") | {"save": graph.save("time", "netCDF")}
            for workload, task in TASKS.items()}
    jobs["W4 bilinear"] = resample_nodes("PLANE") | {"save": graph.save("warp", "netCDF")}
    jobs["W5 500 polygons"] = {
        "load": graph.load("STACK", bands=["B08"]),
        "zones": graph.node("aggregate_spatial", data=graph.ref("load"), geometries=json.loads(zones.read_text()),
                            reducer=graph.callback("mean", data=graph.parameter())),
        "save": graph.save("zones", "JSON")}
    for side in (5, 11):
        jobs[f"W6 {side} x {side}"] = {
            "load": graph.load("PLANE"),
            "sum": graph.node("apply_kernel", data=graph.ref("load"), kernel=kernel_weights(side).tolist()),
            "save": graph.save("sum", "netCDF")}
    jobs["W7 anomaly"] = anomaly_nodes(years)
    return jobs


def same_values():
    """Checks of the result with one thread, which is kept, and of that with two."""
    first = []

    def values(out):
        return read_json(out).reshape(-1) if out.suffix == ".json" else read_planes(out)

    def keep(_, out):
        first.append(values(out))

    def check(name, out):
        compare(name, values(out), first.pop(), 0, "one thread")

    return keep, check


def run_jobs(args):
    years, side = (3, 32) if args.small else (10, 128)
    stack = stack_of(args)
    sources = {"STACK": stack / "S2.nc", "DAILY": daily_of(args, years, side, side),
               "PLANE": plane_folder(args, 1024 if args.small else 4096, "none") / "plane.nc"}
    for name, path in sources.items():
        add_collection(args, name, path)
    for name, nodes in jobs_of(args, stack, years).items():
        suffix = ".json" if name.startswith("W5") else ".nc"
        checks = same_values()
        rows = {f"twincube, {n} threads": (*our_run(args, f"threads_{n}", nodes, suffix, threads=n), checks[n - 1])
                for n in (1, 2)}
        result = contest(args, f"threads: {name}", rows)
        goal_at_least(f"{name}: 1 thread / 2 threads",
                      result.wall("twincube, 1 threads") / result.wall("twincube, 2 threads"), GOAL)


def run_workers(args, server_of):
    """W8: a worker computes a tile by one thread, so two workers are what two threads are elsewhere."""
    folder, rates = make_cogs(args), {1: [], 2: []}
    for workers, rate in rates.items():
        empty_data(args)
        add_collection(args, "TILES", folder, *FOLDER_NAMES)
        ours = Ours(args, lambda args, workers=workers: server_of(args, "--workers", str(workers)))
        try:
            tiles = tiles_of(ours.lonlat, 14)[:8 + TILES]
            for _ in range(ROUNDS):
                path = ours.fresh()
                fetch(ours.connect, path, tiles[:8], 2)
                rate.append((len(tiles) - 8) / fetch(ours.connect, path, tiles[8:], 2)[1])
        finally:
            ours.stop()
    heading(args, "threads: W8, NDVI tiles at zoom 14, two connections")
    for workers, rate in rates.items():
        print(f"{workers} workers: {', '.join(f'{r:.0f}' for r in rate)} tiles/s")
    goal_at_least("W8: 2 workers / 1 worker", statistics.median(rates[2]) / statistics.median(rates[1]), GOAL)


def run_threads(args, server_of):
    empty_data(args)
    run_jobs(args)
    run_workers(args, server_of)
