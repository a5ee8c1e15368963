#!/usr/bin/env python3
"""Times twincube against its peers and against the floor. Started by tests/bench/run, which prepares the ground."""
import argparse
import datetime
import importlib.metadata
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import traceback

import common
from part_catalogue import run_catalogue
from part_chain import run_chain
from part_growth import run_growth
from part_kernels import run_kernels
from part_lattice import run_lattice
from part_load import run_load
from part_memory import run_memory
from part_processes import run_processes
from part_ranks import run_ranks
from part_raster import run_global, run_kernel, run_resample
from part_remote import run_remote
from part_requests import run_requests
from part_search import run_search
from part_series import run_anomaly, run_global_anomaly, run_merge
from part_stack import TASKS, run_stack
from part_start import run_start
from part_threads import run_threads
from part_tiles import run_tiles
from part_zones import run_zones
from service import Server

PARTS = {workload.lower(): [lambda args, workload=workload: run_stack(args, workload)] for workload in TASKS} | {
    "w4": [run_resample], "w5": [run_zones], "w6": [run_kernel], "w7": [run_anomaly],
    "w8": [lambda args: run_tiles(args, Server), run_load],
    "w9": [run_catalogue], "w10": [run_start, lambda args: run_requests(args, Server)],
    "growth": [run_growth], "threads": [lambda args: run_threads(args, Server)], "kernels": [run_kernels],
    "lattice": [run_lattice], "w7globe": [run_global_anomaly], "remote": [lambda args: run_remote(args, Server)],
    "global": [run_global], "chain": [run_chain], "merge": [run_merge], "memory": [run_memory],
    "processes": [run_processes], "ranks": [run_ranks],
    "search": [run_search]}
ALL = [f"w{i}" for i in range(1, 11) if f"w{i}" in PARTS] + ["growth", "threads", "kernels", "lattice"]


def first_line(path, start):
    with open(path, encoding="utf-8") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith(start)), "unknown")


def print_surroundings(args):
    """What the figures depend on, as a table."""
    names = ("openeo-processes-dask", "xarray", "dask", "flox", "odc-stac", "scipy", "exactextract", "rasterio",
             "skyborn-cdo", "numpy")
    peers = []
    for name in names:
        try:
            peers.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    commit = subprocess.run(["git", "-C", common.HERE, "describe", "--always", "--dirty"], capture_output=True,
                            text=True, check=False).stdout.strip()
    rows = {"date": f"{datetime.datetime.now():%Y-%m-%d %H:%M}", "command": "tests/bench/run " + args.told,
            "twincube": commit, "CPU": f"{os.cpu_count()} x {first_line('/proc/cpuinfo', 'model name')}",
            "memory": common.bandwidth(args), "load average": ", ".join(f"{load:.1f}" for load in os.getloadavg()),
            "peers": ", ".join(peers)}
    print("\n| | |\n|---|---|")
    for name, text in rows.items():
        print(f"| {name} | {text} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="8 seconds of rounds for each command, not 30")
    parser.add_argument("--skip-peers", action="store_true", help="without those written in Python")
    parser.add_argument("--inputs", choices=tuple(common.FORMATS), action="append",
                        help="w1 to w4, w6: one kind of input only")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--small", action="store_true", help="small inputs, to try the parts out")
    parser.add_argument("--requests", type=int, default=2000, help="requests timed")
    parser.add_argument("--items", type=int, help="search: how many")
    parser.add_argument("--twincube", type=pathlib.Path, required=True)
    parser.add_argument("--floor", type=pathlib.Path, required=True)
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of kernel_bench and the like")
    parser.add_argument("--openqcd", type=pathlib.Path, help="lattice: folder of the peer")
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--titiler", type=pathlib.Path, required=True, help="folder of its environment's programs")
    parser.add_argument("--python", required=True, help="interpreter that has the peers")
    parser.add_argument("--told", default="", help="the arguments as they were given")
    args = parser.parse_args()
    args.patience = 8 if args.quick else 30
    unknown = [part for part in args.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown part: {unknown[0]}")
    with tempfile.TemporaryDirectory(prefix="run-", dir=args.cache) as args.work:
        args.work = pathlib.Path(args.work)
        status = run_parts(args)
        print_surroundings(args)
    common.print_goals()
    return status


def run_parts(args):
    status = 0
    for part in args.parts or ALL:
        start = time.perf_counter()
        try:
            for run in PARTS[part]:
                run(args)
        except Exception:  # the others are still wanted
            traceback.print_exc()
            status = 1
        print(f"({part}: {time.perf_counter() - start:.0f} s in all)", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
