"""What the parts share: checked commands, inputs, collections, comparing, rounds of alternation, the table."""
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

import numpy as np

import measure

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 30.0  # seconds that a command gets in a table: what does not fit in them runs fewer rounds, at least one


class Failed(Exception):
    pass


def checked(command, **more):
    sample = measure.run([str(c) for c in command], **more)
    if sample.status != 0:
        raise Failed(f"{' '.join(map(str, command))[:2000]}\n{sample.output[-4000:]}")
    return sample


def remove(path):
    path = pathlib.Path(path)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def made(args, name, what, *options):
    """The folder of an input of generate.py, made where it is not there yet."""
    folder = args.cache / name
    if not (folder / "complete").exists():
        print(f"making {name} …", flush=True)
        remove(folder)
        checked([sys.executable, HERE / "generate.py", what, folder, *options])
        (folder / "complete").touch()
    return folder


def empty_data(args):
    args.data = args.cache / "data"
    remove(args.data)
    args.data.mkdir()


def add_collection(args, name, path, *options):
    checked([args.twincube, "catalogue", "add", "--data", args.data, "--id", name, *options, path])


def our_run(args, name, graph, suffix, threads=None, memory="1G"):
    """(command, output) that runs a graph."""
    path, out = args.cache / f"{name}.json", args.cache / f"out_{name}{suffix}"
    path.write_text(json.dumps(graph))
    return [args.twincube, "run", path, "-o", out, "--data", args.data, "--threads", threads or args.threads,
            "--memory", memory], out


def run_once(row):
    command, out = row
    remove(out)
    sample = checked(command)
    return sample, out


# Results.

def read_raster(path, band=1):
    import rasterio
    with rasterio.open(path) as file:
        return file.read(band)


def read_variable(path):
    """The one variable with the most dimensions, as it is stored."""
    import netCDF4
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        return max(file.variables.values(), key=lambda v: v.ndim)[:]


def read_json(path):
    """Values of the JSON format; null is NaN."""
    return np.array(json.loads(path.read_text())["data"], dtype="f8")


def compare(name, got, expected, limit, what="numpy"):
    """Same shape, same missing values, and no difference above limit."""
    if got.shape != expected.shape:
        raise Failed(f"{name}: shape {got.shape}, expected {expected.shape}")
    missing = np.isnan(got) != np.isnan(expected)
    if missing.any():
        raise Failed(f"{name}: {missing.sum()} values differ in being missing")
    difference = np.nanmax(np.abs(got.astype("f8") - expected))
    print(f"  {name} equals {what} within {difference:.1e}, same missing values", flush=True)
    if not difference <= limit:
        raise Failed(f"{name}: differs by {difference:.3g}, more than {limit:g}")


# Tables.

def verdict(good):
    return "met" if good else "MISSED"


def goal_at_most(text, value, limit):
    print(f"{text} = {value:.2f} (goal at most {limit:g}): {verdict(value <= limit)}", flush=True)


def goal_at_least(text, value, limit):
    print(f"{text} = {value:.2f} (goal at least {limit:g}): {verdict(value >= limit)}", flush=True)


def size(number):
    return f"{number / 1e6:.0f} MB"


def heading(args, title):
    print(f"\n{title}\n{platform.machine()}, {os.cpu_count()} cores, threads {args.threads}, rounds {args.rounds}, "
          f"page cache warm, load {os.getloadavg()[0]:.1f}, {datetime.date.today()}", flush=True)


def time_rounds(rows, rounds):
    """Alternates the commands, `rounds` times; name -> samples."""
    samples = {name: [] for name in rows}
    for _ in range(rounds):
        for name, row in rows.items():
            done = samples[name]
            if not done or sum(s.wall for s in done) + done[0].wall <= PATIENCE:
                samples[name].append(run_once(row)[0])
    return samples


def medians(samples):
    return {name: statistics.median(s.wall for s in list_) for name, list_ in samples.items()}


def table(samples):
    """Prints the samples; returns the median wall seconds by name."""
    wall = medians(samples)
    print("| command | median wall | fastest | slowest | CPU | peak RSS | runs |")
    print("|---|---|---|---|---|---|---|")
    for name, list_ in samples.items():
        walls = [s.wall for s in list_]
        print(f"| {name} | {wall[name]:.3f} s | {min(walls):.3f} s | {max(walls):.3f} s | "
              f"{statistics.median(s.cpu for s in list_):.2f} s | {size(max(s.rss for s in list_))} | {len(walls)} |")
    sys.stdout.flush()
    return wall


def own_time(samples):
    """Median of the seconds that a peer says it spent on the computation alone (its line "compute SECONDS")."""
    lines = [line for s in samples for line in s.output.splitlines() if line.startswith("compute ")]
    return statistics.median(float(line.split()[1]) for line in lines)


def bandwidth(args):
    """Gigabytes a second that all threads together read and copy in memory."""
    words = checked([args.floor, "memory", args.threads]).output.split()
    print(f"memory: reads {words[1]} GB/s, copies {words[3]} GB/s with {args.threads} threads", flush=True)
