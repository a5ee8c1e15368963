"""Parts on series: the anomaly of daily values (W7), joining two long series (merge)."""
import netCDF4
import numpy as np

import chunks
import graph
from common import (HERE, add_collection, compare, contest, empty_data, goal_at_least, goal_at_most, goal_floor,
                    goal_peer, heading, made, our_run, read_variable, run_once, table, time_rounds)
from part_stack import cdo_of

FIRST_YEAR = 2001  # of generate.py's daily series


def anomaly_rows(args, source, years):
    out = {name: args.work / f"out_{name}.nc" for name in ("flox", "xarray", "cdo")}
    normals = graph.node("climatological_normal", data=graph.ref("load"), period="month",
                         climatology_period=[FIRST_YEAR, FIRST_YEAR + years - 1])
    nodes = {"load": graph.load("DAILY"), "normals": normals,
             "anomaly": graph.node("anomaly", data=graph.ref("load"), normals=graph.ref("normals"), period="month")}
    rows = {"twincube": our_run(args, "anomaly", nodes | {"save": graph.save("anomaly", "netCDF")}, ".nc")}
    if not args.skip_peers:
        for name in ("xarray", "flox"):
            rows[name] = [args.python, HERE / "peers.py", "anomaly", name, source, out[name]], out[name]
        rows["cdo"] = [cdo_of(args), "-L", "-O", "ymonsub", source, "-ymonmean", source, out["cdo"]], out["cdo"]
    return rows


def run_anomaly(args):
    empty_data(args)
    years, side = (3, 32) if args.small else (10, 128)
    source = made(args, f"daily_{years}_{side}", "daily", "--years", years, "--size", side) / "daily.nc"
    add_collection(args, "DAILY", source)
    with netCDF4.Dataset(source) as file:
        values = np.array(file["tas"][:], dtype="f8").reshape(years, 365, side, side)
    month = np.repeat(np.arange(12), [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    means = np.stack([values[:, month == m].mean(axis=(0, 1)) for m in range(12)])
    expected = (values - means[month]).reshape(-1, side, side)

    def check(name, out):  # single precision of values about 300
        compare(name, read_variable(out).reshape(expected.shape), expected, 1e-3 if name != "twincube" else 4e-5)

    rows = {name: (*row, check) for name, row in anomaly_rows(args, source, years).items()}
    result = contest(args, f"W7: {years * 365} days x {side} x {side} float32, netCDF (deflate 1), minus the normals",
                     rows, chunks.of([source]))
    goal_floor("W7", result, 1.3)
    if "flox" in result.samples:
        for name in ("xarray", "flox"):
            print(f"{name}, in memory alone / twincube, whole command = "
                  f"{result.own_time(name) / result.wall('twincube'):.2f}")
        goal_peer("W7", result, "flox", 5)
        goal_at_least("W7: xarray without flox / twincube", result.wall("xarray") / result.wall("twincube"), 5)
        goal_at_least("W7: cdo / twincube", result.wall("cdo") / result.wall("twincube"), 3)


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
