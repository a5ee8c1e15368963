"""What the parts share: checked commands, inputs, collections, comparing, contests of commands, goals."""
import dataclasses
import datetime
import fcntl
import json
import os
import pathlib
import platform
import shutil
import statistics
import sys

import numpy as np

import measure

HERE = pathlib.Path(__file__).resolve().parent


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
    with open(args.cache / "lock", "w", encoding="utf-8") as lock:  # another run may want the same
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            print(f"making {name} …", flush=True)
            remove(folder)
            checked([sys.executable, HERE / "generate.py", what, folder, *options])
            (folder / "complete").touch()
    return folder


def empty_data(args):
    args.data = args.work / "data"
    remove(args.data)
    args.data.mkdir()


def add_collection(args, name, path, *options):
    return checked([args.twincube, "catalogue", "add", "--data", args.data, "--id", name, *options, path])


FORMATS = {"geotiff": "GTiff", "cog": "GTiff", "netcdf": "netCDF", "zarr": "Zarr"}  # of inputs, of the output
SUFFIXES = {"GTiff": ".tif", "netCDF": ".nc", "Zarr": ".zarr"}
FOLDER_NAMES = ("--datetime", "_([0-9]{8})_", "--band", r"_(B[0-9]+|SCL)\.tif$")


def each_input(args, name, folder):
    """Adds the same values in one format after the other as collection `name`: (kind, source, its files)."""
    for inputs in args.inputs or FORMATS:
        if (folder / inputs).is_dir():
            add_collection(args, name, folder / inputs, *FOLDER_NAMES)
            yield inputs, folder / inputs, sorted((folder / inputs).glob("*.tif"))
            continue
        source = next(folder.glob({"netcdf": "*.nc"}.get(inputs, "*.zarr")))
        add_collection(args, name, source)
        yield inputs, source, [source]


def our_run(args, name, graph, suffix, threads=None, memory="1G"):
    """(command, output) that runs a graph."""
    path, out = args.work / f"{name}.json", args.work / f"out_{name}{suffix}"
    path.write_text(json.dumps(graph))
    return [args.twincube, "run", path, "-o", out, "--data", args.data, "--threads", threads or args.threads,
            "--memory", memory], out


def run_once(row):
    """Of (command, output, …)."""
    command, out = row[:2]
    remove(out)
    sample = checked(command)
    return sample, out


def bytes_of(path):
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else path.stat().st_size


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


def read_planes(path):
    """(planes, y, x) in float64, missing values NaN, of a file of any format."""
    if path.suffix == ".tif":
        import rasterio
        with rasterio.open(path) as file:
            data = file.read().astype("f8")
            return np.where(data == file.nodata, np.nan, data)
    import xarray
    with xarray.open_dataset(path, engine="zarr" if path.suffix == ".zarr" else "netcdf4") as file:
        array = max(file.data_vars.values(), key=lambda values: values.ndim)
        return array.values.astype("f8").reshape((-1,) + array.shape[-2:])


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


# Contests: whole commands from start to the file on disk, each result checked before anything is timed.

DECODE, WRITE = "floor: decode", "floor: write"


@dataclasses.dataclass
class Contest:
    samples: dict  # name -> list of measure.Sample

    def wall(self, *names):
        """Median seconds; of several commands one after the other."""
        return sum(statistics.median(s.wall for s in self.samples[name]) for name in names)

    def cpu(self, *names):
        return sum(statistics.median(s.cpu for s in self.samples[name]) for name in names)

    def rss(self, name):
        return max(s.rss for s in self.samples[name])

    def own_time(self, name):
        """Median of the seconds that a peer says it spent on the computation alone (its line "compute SECONDS")."""
        lines = [line for s in self.samples[name] for line in s.output.splitlines() if line.startswith("compute ")]
        return statistics.median(float(line.split()[1]) for line in lines)


def contest(args, title, rows, chunks=()):
    """Runs and checks each of `rows`, name -> (command, output[, check of the output]), then alternates them.

    With `chunks`, what "twincube" has to decode, the floors of decoding them and of writing as many bytes as it wrote
    take part. A peer whose first run takes more than half of what one is given (args.patience) is not run again.
    """
    heading(args, title)
    rows, samples = dict(rows), {}
    for name, row in rows.items():
        first, out = run_once(row)
        for check in row[2:]:
            check(name, out)
        samples[name] = [first] if first.wall > args.patience / 2 and not name.startswith("twincube") else []
    if chunks:
        index = args.work / "index.txt"
        index.write_text("\n".join(" ".join(map(str, chunk)) for chunk in chunks) + "\n")
        out = args.work / "out_floor.bin"
        rows[DECODE] = [args.floor, "decode", args.threads, index], out
        rows[WRITE] = [args.floor, "write", bytes_of(rows["twincube"][1]), out], out
    for _ in range(args.rounds):
        for name, row in rows.items():
            done, ours = samples.setdefault(name, []), name.startswith(("twincube", "floor"))
            if not done or ours or sum(s.wall for s in done) + done[0].wall <= args.patience:
                done.append(run_once(row)[0])
    for _, out, *_ in rows.values():
        remove(out)
    table(samples)
    result = Contest(samples)
    if "twincube" in rows:
        print("times as long as twincube, times its memory: " + ", ".join(
            f"{name} {result.wall(name) / result.wall('twincube'):.2f}, {result.rss(name) / result.rss('twincube'):.1f}"
            for name in rows if name != "twincube"), flush=True)
    return result


def time_rounds(rows, rounds):
    """Alternates the commands, `rounds` times; name -> samples."""
    samples = {name: [] for name in rows}
    for _ in range(rounds):
        for name, row in rows.items():
            samples[name].append(run_once(row)[0])
    return samples


def medians(samples):
    return {name: statistics.median(s.wall for s in list_) for name, list_ in samples.items()}


def table(samples):
    """Prints the samples; returns the median wall seconds by name."""
    print("| command | median wall | fastest | slowest | CPU | peak RSS | runs |")
    print("|---|---|---|---|---|---|---|")
    for name, list_ in samples.items():
        walls = [s.wall for s in list_]
        print(f"| {name} | {statistics.median(walls):.3f} s | {min(walls):.3f} s | {max(walls):.3f} s | "
              f"{statistics.median(s.cpu for s in list_):.2f} s | {size(max(s.rss for s in list_))} | {len(walls)} |")
    sys.stdout.flush()
    return medians(samples)


def size(number):
    return f"{number / 1e6:.0f} MB"


def heading(args, title):
    print(f"\n{title}\n{platform.machine()}, {os.cpu_count()} cores, threads {args.threads}, rounds {args.rounds}, "
          f"page cache warm, load {os.getloadavg()[0]:.1f}, {datetime.date.today()}", flush=True)


def bandwidth(args):
    """What all threads together read and copy in memory."""
    words = checked([args.floor, "memory", args.threads]).output.split()
    return f"{args.threads} threads read {words[1]} GB/s, copy {words[3]} GB/s"


# Goals: printed where they are measured, and all together at the end.

GOALS = []  # (text, value, "at most 1.15", met)


def verdict(good):
    return "met" if good else "MISSED"


def _goal(text, value, limit, met):
    told = f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    GOALS.append((text, told, limit, verdict(met)))
    print(f"{text} = {told} (goal {limit}): {verdict(met)}", flush=True)


def goal_at_most(text, value, limit):
    _goal(text, value, f"at most {limit:g}", value <= limit)


def goal_at_least(text, value, limit):
    _goal(text, value, f"at least {limit:g}", value >= limit)


def goal_floor(name, result, limit):
    apart = result.cpu("twincube") / result.cpu(DECODE, WRITE)
    goal_at_most(f"{name}: twincube / decode + write (CPU time: {apart:.2f})",
                 result.wall("twincube") / result.wall(DECODE, WRITE), limit)


def goal_peer(name, result, peer, times):
    """So many times faster than the peer, with at most a tenth of its memory."""
    apart = result.cpu(peer) / result.cpu("twincube")
    goal_at_least(f"{name}: {peer} / twincube (CPU time: {apart:.1f})",
                  result.wall(peer) / result.wall("twincube"), times)
    goal_at_most(f"{name}: peak memory, twincube / {peer}", result.rss("twincube") / result.rss(peer), 0.1)


def print_goals():
    print("\n| measured | value | goal | |\n|---|---|---|---|")
    for row in GOALS:
        print(f"| {' | '.join(row)} |")
    print(f"\n{sum(row[3] != 'MISSED' for row in GOALS)} of {len(GOALS)} goals met", flush=True)
