"""The growth part: CPU time against n, 8n and 64n of everything that a plan can have more of; 10 000 items.

With t(n) = c + a n^p, the constant c drops out: (t(64n) - t(8n)) / (t(8n) - t(n)) = 8^p. CPU times are the least of the
rounds, since others make them longer, never shorter.
"""
import datetime
import json
import math

import numpy as np

import graph
from common import (FOLDER_NAMES, add_collection, checked, compare, contest, empty_data, goal_at_most, heading, made,
                    our_run, read_json, read_raster)
from part_raster import kernel_weights, plane_folder

FACTORS = 1, 8, 64
WEST, NORTH, RES = 600000, 5200000, 10  # of generate.py
CUBE = "t", "y", "x"


def square(side):
    return {"west": WEST, "east": WEST + RES * side, "south": NORTH - RES * side, "north": NORTH, "crs": 32632}


def small():
    return {"load": graph.load("PLANE", spatial_extent=square(16))}


def add_one(data):
    return graph.node("apply", data=graph.ref(data), process=graph.callback("add", x=graph.parameter("x"), y=1))


# One function a thing that grows: the nodes, the last of which is called "end".

def pixels(_, count):
    kernel = graph.node("apply_kernel", data=graph.ref("load"), kernel=kernel_weights(5).tolist())
    nodes = {"load": graph.load("PLANE", spatial_extent=square(math.isqrt(count))), "sum": kernel}
    return nodes | graph.reduce_over("sum", CUBE, "mean", "end")


def dates(_, count, process="mean"):
    day = datetime.date(2001, 1, 1) + datetime.timedelta(days=count % 365)  # of a calendar without leap years
    load = graph.load("DAILY", temporal_extent=["2001-01-01", f"{2001 + count // 365}-{day:%m-%d}"])
    nodes = {"load": load} | graph.reduce_over("load", ["t"], process)
    return nodes | graph.reduce_over("reduced", ("y", "x"), "mean", "end")


def dates_and_median(_, count):
    return dates(_, count, "median")


def bands(_, count):
    load = graph.load("BANDS", bands=[f"B{i:03}" for i in range(count)])
    return {"load": load} | graph.reduce_over("load", ("bands", *CUBE), "mean", "end")


def items(_, count):
    until = datetime.date(1990, 1, 1) + datetime.timedelta(days=count)
    load = graph.load("ITEMS", temporal_extent=["1990-01-01", f"{until}"])
    return {"load": load} | graph.reduce_over("load", CUBE, "max", "end")


def polygons(args, count):
    zones = made(args, f"zones_2048_{count}", "zones", "--size", 2048, "--count", count) / "zones.geojson"
    return {"load": graph.load("PLANE"),
            "end": graph.node("aggregate_spatial", data=graph.ref("load"), geometries=json.loads(zones.read_text()),
                              reducer=graph.callback("mean", data=graph.parameter()))}


def nodes_in_a_row(_, count):
    nodes = {f"n{i}": add_one(f"n{i - 1}" if i else "load") for i in range(count)}
    return small() | nodes | graph.reduce_over(f"n{count - 1}", CUBE, "max", "end")


def nodes_of_a_callback(_, count):
    child = {f"n{i}": graph.node("add", i == count - 1, x=graph.ref(f"n{i - 1}") if i else graph.parameter("x"), y=1)
             for i in range(count)}
    nodes = {"apply": graph.node("apply", data=graph.ref("load"), process={"process_graph": child})}
    return small() | nodes | graph.reduce_over("apply", CUBE, "max", "end")


def nodes_of_a_tree(_, count):
    """Cubes of their own, merged by pairs."""
    level = [f"leaf{i}" for i in range(count // 2)]
    nodes = small() | {name: add_one("load") for name in level}
    while len(level) > 1:
        pairs = list(zip(level[::2], level[1::2]))
        nodes |= {f"{a}x": graph.combined(a, b, "add") for a, b in pairs}
        level = [f"{a}x" for a, _ in pairs] + level[2 * len(pairs):]
    return nodes | graph.reduce_over(level[0], CUBE, "max", "end")


GROWING = {pixels: 512 * 512, dates: 57, dates_and_median: 57, bands: 3, items: 150, polygons: 150, nodes_in_a_row: 20,
           nodes_of_a_callback: 25, nodes_of_a_tree: 8}


def grow(args, what, first):
    """CPU seconds at n, 8n, 64n; of nodes, those of the plan alone."""
    commands = []
    for factor in FACTORS:
        nodes = what(args, first * factor) | {"save": graph.save("end", "JSON")}
        command, _ = our_run(args, f"growth_{factor}", nodes, ".json", threads=1)
        if what.__name__.startswith("nodes"):
            command = [args.twincube, "explain", command[2], "--data", args.data]
        commands.append(command)
    return [min(times) for times in zip(*[[checked(c).cpu for c in commands] for _ in range(args.rounds)])]


def print_growth(args):
    heading(args, "growth: CPU seconds at n, 8n and 64n, one thread")
    print("| of | n | t(n) | t(8n) | t(64n) | exponent |\n|---|---|---|---|---|---|")
    exponents, each = {}, {}
    for what, first in GROWING.items():
        name, times = what.__name__.replace("_", " "), grow(args, what, first)
        steps = max(times[1] - times[0], 1e-3), max(times[2] - times[1], 1e-3)
        exponents[name] = math.log(steps[1] / steps[0]) / math.log(8)
        each[name] = 1e3 * steps[1] / (56 * first)
        print(f"| {name} | {first} | {' | '.join(f'{t:.3f}' for t in times)} | {exponents[name]:.2f} |", flush=True)
    for name, exponent in exponents.items():
        goal_at_most(f"growth with {name}: exponent", exponent, 1.1)
    for name in (name for name in each if name.startswith("nodes")):
        goal_at_most(f"planning, {name}: ms a node", each[name], 1)


def print_items(args, folder):
    name, nodes = "10 000 items of 16² opened, largest value of all", items(args, 10000)
    largest = max(read_raster(path).max() for path in sorted(folder.glob("*.tif"))[:100])  # they repeat

    def check(who, out):
        compare(who, read_json(out).reshape(-1), np.array([float(largest)]), 0)

    result = contest(args, name, {"twincube": (*our_run(args, "items", nodes | {"save": graph.save("end", "JSON")},
                                                        ".json"), check)})
    goal_at_most(f"{name}, s", result.wall("twincube"), 2)


def run_growth(args):
    empty_data(args)
    folders = {"PLANE": plane_folder(args, 4096, "none") / "plane.nc",
               "DAILY": made(args, "daily_10_128", "daily", "--years", 10, "--size", 128) / "daily.nc",
               "BANDS": made(args, "bands_192", "bands", "--count", 192) / "bands.nc"}
    for name, path in folders.items():
        add_collection(args, name, path)
    folder = made(args, "items_10000", "items", "--count", 10000)
    print(f"catalogue add of 10 000 files: {add_collection(args, 'ITEMS', folder, *FOLDER_NAMES).wall:.2f} s")
    print_growth(args)
    print_items(args, folder)
