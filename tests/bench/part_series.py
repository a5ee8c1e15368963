"""Parts on series: the anomaly of daily values (W7), joining two long series (merge)."""
import netCDF4
import numpy as np

import chunks
import graph
from common import (HERE, Failed, add_collection, compare, contest, empty_data, goal_at_least, goal_at_most, goal_floor,
                    goal_peer, heading, made, our_run, read_variable, run_once, table, time_rounds)
from part_stack import cdo_of

FIRST_YEAR = 2001  # of generate.py's daily series


def anomaly_nodes(years):
    normals = graph.node("climatological_normal", data=graph.ref("load"), period="month",
                         climatology_period=[FIRST_YEAR, FIRST_YEAR + years - 1])
    return {"load": graph.load("DAILY"), "normals": normals,
            "anomaly": graph.node("anomaly", data=graph.ref("load"), normals=graph.ref("normals"), period="month"),
            "save": graph.save("anomaly", "netCDF")}


def anomaly_rows(args, source, years):
    out = {name: args.work / f"out_{name}.nc" for name in ("flox", "xarray", "cdo")}
    rows = {"twincube": our_run(args, "anomaly", anomaly_nodes(years), ".nc")}
    if not args.skip_peers:
        for name in ("xarray", "flox"):
            rows[name] = [args.python, HERE / "peers.py", "anomaly", name, source, out[name]], out[name]
        rows["cdo"] = [cdo_of(args), "-L", "-O", "ymonsub", source, "-ymonmean", source, out["cdo"]], out["cdo"]
    return rows


MONTH = np.repeat(np.arange(12), [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def years_of(path):
    """The values of a daily file, year by year: all of it may not find room."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        variable = max(file.variables.values(), key=lambda v: v.ndim)
        for first in range(0, variable.shape[0], 365):
            values = variable[first:first + 365]
            yield values.reshape(len(values), *values.shape[-2:]).astype("f8")


def monthly_means(source):
    sums, count = 0, 0
    for values in years_of(source):
        sums, count = sums + np.stack([values[MONTH == m].sum(axis=0) for m in range(12)]), count + 1
    return sums / (np.bincount(MONTH) * count)[:, None, None]


def daily_of(args, years, height, width):
    name = f"daily_{years}_{height}" + (f"x{width}" if width != height else "")
    return made(args, name, "daily", "--years", years, "--size", height, "--width", width) / "daily.nc"


def run_anomaly(args):
    run_anomaly_of(args, *((3, 32, 32) if args.small else (10, 128, 128)))


def run_global_anomaly(args):
    """The globe by degrees: a gigabyte, more than a run may hold."""
    run_anomaly_of(args, *((3, 18, 36) if args.small else (10, 180, 360)))


def run_anomaly_of(args, years, height, width):
    empty_data(args)
    source = daily_of(args, years, height, width)
    add_collection(args, "DAILY", source)
    means = monthly_means(source)

    def check(name, out):  # single precision of values about 300
        limit, worst, seen = 1e-3 if name != "twincube" else 4e-5, 0, 0
        for got, values in zip(years_of(out), years_of(source)):
            worst, seen = max(worst, np.abs(got - (values - means[MONTH])).max()), seen + 1
        print(f"  {name} equals numpy within {worst:.1e}, {seen} years", flush=True)
        if not worst <= limit or seen != years:
            raise Failed(f"{name}: differs by {worst:.3g}, more than {limit:g}, or has {seen} of {years} years")

    rows = {name: (*row, check) for name, row in anomaly_rows(args, source, years).items()}
    part = f"W7 {height} x {width}"
    result = contest(args, f"{part}: {years * 365} days, float32, netCDF (deflate 1), minus the normals", rows,
                     chunks.of([source]))
    goal_floor(part, result, 1.3)
    if "flox" in result.samples:
        for name in ("xarray", "flox"):
            print(f"{name}, in memory alone / twincube, whole command = "
                  f"{result.own_time(name) / result.wall('twincube'):.2f}")
        goal_peer(part, result, "flox", 5)
        goal_at_least(f"{part}: xarray without flox / twincube", result.wall("xarray") / result.wall("twincube"), 5)
        goal_at_least(f"{part}: cdo / twincube", result.wall("cdo") / result.wall("twincube"), 3)


# merge_cubes

def run_merge(args):
    empty_data(args)
    count = 400 if args.small else 4000
    folder = made(args, f"dates_{count}", "dates", "--dates", count)
    values = {name: read_variable(folder / f"{name}.nc") for name in ("first", "second", "between")}
    for name in values:
        add_collection(args, name.upper(), folder / f"{name}.nc")
    first = values["first"]
    woven = np.empty((2 * count,) + first.shape[1:], "f4")
    woven[0::2], woven[1::2] = first, values["between"]
    cases = {
        "one after the other": ("SECOND", False, np.concatenate([first, values["second"]])),
        "date by date in turn": ("BETWEEN", False, woven),
        "the same dates, added": ("FIRST", True, first + first),
    }
    rows = {}
    for i, (name, (other, add, expected)) in enumerate(cases.items()):
        merge = (graph.combined("a", "b", "add") if add
                 else graph.node("merge_cubes", cube1=graph.ref("a"), cube2=graph.ref("b")))
        rows[name] = our_run(args, f"merge_{i}", {"a": graph.load("FIRST"), "b": graph.load(other), "merged": merge,
                                                  "save": graph.save("merged", "netCDF")}, ".nc")
        out = run_once(rows[name])[1]
        compare(name, in_time(out), expected, 0)
    samples = time_rounds(rows, args.rounds)
    heading(args, f"merge: {count} and {count} dates of 16 x 16 float32, netCDF to netCDF")
    for name, seconds in table(samples).items():
        goal_at_most(f"{name}: seconds", seconds, 1.0)


def in_time(path):
    """Values in the order of their dates: merge_cubes puts the labels of the first cube first."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        variable = max(file.variables.values(), key=lambda v: v.ndim)
        return variable[:].squeeze()[np.argsort(file["t"][:])]
