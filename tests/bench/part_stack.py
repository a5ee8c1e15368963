"""W1 to W3: a stack of 24 dates, 2048², uint16, reduced over time, on GeoTIFF, COG, netCDF and Zarr.

month   NDVI, mean of each month (W1)
median  NDVI, median over time (W2)
evi     EVI where SCL shows neither cloud nor shadow, maximum over time (W3)

openEO's LocalConnection opens one file as one cube, so processes-dask reads the netCDF file only.
"""
import json
import shutil
import warnings

import numpy as np

import chunks
import graph
from common import (FORMATS, HERE, SUFFIXES, compare, contest, each_input, empty_data, goal_floor, goal_peer, made,
                    our_run, read_planes)

TASKS = {"W1": "month", "W2": "median", "W3": "evi"}
BANDS = {"month": ("B04", "B08"), "median": ("B04", "B08"), "evi": ("B02", "B04", "B08", "SCL")}
HIDDEN = (3, 8, 9)  # of SCL
PEER_GOALS = {"month": 7, "median": 15, "evi": 7}


# Graphs.

def child(**nodes):
    return {"process_graph": nodes}


def band(label):
    return graph.node("array_element", data=graph.parameter(), label=label)


def math(process, x, y, result=False):
    return graph.node(process, result, x=x, y=y)


def over_bands(data, **nodes):
    return graph.node("reduce_dimension", data=graph.ref(data), dimension="bands", reducer=child(**nodes))


def ndvi(data):
    return over_bands(data, n=band("B08"), r=band("B04"),
                      d=math("normalized_difference", graph.ref("n"), graph.ref("r"), True))


def evi_nodes(load):
    """2.5 (N - R) / (N + 6 R - 7.5 B + 10000): reflectance in steps of 1/10000."""
    ref = graph.ref
    hidden = {f"is{kind}": math("eq", ref("s"), kind) for kind in HIDDEN}
    hidden["some"] = math("or", ref("is3"), ref("is8"))
    hidden["hidden"] = math("or", ref("some"), ref("is9"), True)
    evi = {"n": band("B08"), "r": band("B04"), "b": band("B02"), "up": math("subtract", ref("n"), ref("r")),
           "up25": math("multiply", ref("up"), 2.5), "r6": math("multiply", ref("r"), 6),
           "b75": math("multiply", ref("b"), 7.5), "nr": math("add", ref("n"), ref("r6")),
           "nrb": math("subtract", ref("nr"), ref("b75")), "down": math("add", ref("nrb"), 10000),
           "evi": math("divide", ref("up25"), ref("down"), True)}
    return {"load": load, "clouds": over_bands("load", s=band("SCL"), **hidden),
            "colours": graph.node("filter_bands", data=ref("load"), bands=["B02", "B04", "B08"]),
            "clear": graph.node("mask", data=ref("colours"), mask=ref("clouds")),
            "evi": over_bands("clear", **evi)}


def nodes_of(task, collection):
    load = graph.load(collection, bands=list(BANDS[task]))
    if task == "evi":
        nodes = evi_nodes(load)
        return nodes | {"time": graph.node("reduce_dimension", data=graph.ref("evi"), dimension="t",
                                           reducer=graph.callback("max", data=graph.parameter()))}
    nodes = {"load": load, "ndvi": ndvi("load")}
    reducer = graph.callback("mean" if task == "month" else "median", data=graph.parameter())
    if task == "month":
        time = graph.node("aggregate_temporal_period", data=graph.ref("ndvi"), period="month", reducer=reducer)
    else:
        time = graph.node("reduce_dimension", data=graph.ref("ndvi"), dimension="t", reducer=reducer)
    return nodes | {"time": time}


# Results.

def reference(stack, task):
    """By numpy alone, kept between runs."""
    path = stack / f"reference_{task}.npy"
    if not path.exists():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            np.save(path, reference_of(stack, task))
    return np.load(path)


def reference_of(stack, task):
    import netCDF4
    planes = []
    with netCDF4.Dataset(stack / "S2.nc") as file:
        file.set_auto_mask(False)
        months = netCDF4.num2date(file["t"][:], file["t"].units)
        months = [(day.year, day.month) for day in months]
        for i in range(len(months)):
            values = {name: np.where(file[name][i] == 0, np.nan, file[name][i].astype("f8")) for name in BANDS[task]}
            red, nir = values["B04"], values["B08"]
            if task == "evi":
                plane = 2.5 * (nir - red) / (nir + 6 * red - 7.5 * values["B02"] + 10000)
                planes.append(np.where(np.isin(values["SCL"], HIDDEN), np.nan, plane))
            else:
                planes.append((nir - red) / (nir + red))
    if task == "month":
        return np.stack([np.nanmean([p for p, m in zip(planes, months) if m == month], axis=0)
                         for month in sorted(set(months))])
    return (np.nanmedian if task == "median" else np.nanmax)(planes, axis=0)[None]


# Contests.

def peers(args, task, inputs, source):
    """name -> (command, output) of those that read this kind of input."""
    if args.skip_peers:
        return {}
    script = [args.python, HERE / "peers.py"]
    out = {name: args.work / f"out_{name}.nc" for name in ("dask", "xarray", "flox", "odc", "cdo")}
    rows = {}
    if inputs == "netcdf":
        nodes = args.work / "graph_dask.json"
        nodes.write_text(json.dumps(nodes_of(task, "STACK")))
        rows["processes-dask"] = [*script, "dask", nodes, source, out["dask"]], out["dask"]
        if task == "month":
            rows["xarray, flox"] = [*script, "flox", task, source, out["flox"]], out["flox"]
            rows["cdo"] = [cdo_of(args), "-L", "-O", "-P", args.threads, "-f", "nc4", "monmean",
                           "-expr,ndvi=(B08-B04)/(B08+B04)", source, out["cdo"]], out["cdo"]
    if inputs == "cog":
        rows["odc-stac"] = [*script, "odc", task, source, out["odc"]], out["odc"]
    elif inputs != "zarr" or source.suffix == ".zarr":
        rows["xarray"] = [*script, "xarray", task, source, out["xarray"]], out["xarray"]
    return rows


def cdo_of(args):
    return shutil.which("cdo") or str(args.cache / "venv" / "bin" / "skyborn-cdo")


def run_one(args, workload, inputs, source, files):
    task, name, stack = TASKS[workload], f"{workload} {inputs}", source.parent
    expected = reference(stack, task)

    def check(who, out):
        compare(who, read_planes(out), expected, 1e-6)

    nodes = nodes_of(task, "STACK") | {"save": graph.save("time", FORMATS[inputs])}
    rows = {"twincube": our_run(args, f"{workload}_{inputs}", nodes, SUFFIXES[FORMATS[inputs]], memory="512M")}
    rows = {who: (*row, check) for who, row in (rows | peers(args, task, inputs, source)).items()}
    bands = [path for path in files if path.suffix != ".tif" or path.stem.rsplit("_", 1)[1] in BANDS[task]]
    title = f"{name}: {task}, {FORMATS[inputs]} written, 24 dates x {len(BANDS[task])} bands x {expected.shape[-1]}²"
    result = contest(args, title, rows, chunks.of(bands, BANDS[task]))
    goal_floor(name, result, 1.15)
    if "processes-dask" in result.samples:
        goal_peer(name, result, "processes-dask", PEER_GOALS[task])


def stack_of(args):
    side, count = 512 if args.small else 2048, 24
    return made(args, f"stack_{side}_{count}", "stack", "--size", side, "--dates", count)


def run_stack(args, workload):
    empty_data(args)
    for inputs, source, files in each_input(args, "STACK", stack_of(args)):
        run_one(args, workload, inputs, source, files)
