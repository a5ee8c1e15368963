"""The processes part: nanoseconds of one core for each value that a process takes from a 2048² plane, slowest first.

A process runs as the callback of apply on the plane, or of reduce_dimension and apply_dimension on sixteen planes of
512². What loading and writing take without it is taken away.
"""
import numpy as np

import graph
from common import Failed, add_collection, empty_data, heading, our_run, run_once

SIDE, LAYERS, SHOWN = 2048, 16, 20
X = graph.parameter("x")
UNARY = ("absolute", "arccos", "arcosh", "arcsin", "arctan", "arsinh", "artanh", "ceil", "cos", "cosh", "floor", "int",
         "is_infinite", "is_nan", "is_nodata", "is_valid", "ln", "sgn", "sin", "sinh", "sqrt", "tan", "tanh")
BINARY = ("add", "subtract", "multiply", "divide", "mod", "eq", "gt", "lte", "neq")
MORE = {"exp": {"p": X}, "power": {"base": X, "p": 2.3}, "log": {"x": X, "base": 7}, "arctan2": {"y": X, "x": 2},
        "round": {"x": X, "p": 1}, "clip": {"x": X, "min": 0, "max": 1}, "between": {"x": X, "min": 0, "max": 1},
        "linear_scale_range": {"x": X, "inputMin": 0, "inputMax": 1, "outputMax": 255}}
REDUCERS = ("any", "all", "count", "first", "last", "max", "mean", "median", "min", "product", "sd", "sum", "variance")
SERIES = ("array_interpolate_linear", "cummax", "cummin", "cumproduct", "cumsum", "order", "sort")


def make_inputs(args):
    import netCDF4
    rng = np.random.default_rng(8)
    for name, layers, side in (("plane", 1, SIDE), ("layers", LAYERS, SIDE // 4)):
        path = args.work / f"processes_{name}.nc"
        values = rng.normal(1, 1, (layers, side, side)).astype("f4")
        values[rng.random(values.shape) < .05] = np.nan
        with netCDF4.Dataset(path, "w") as file:
            for axis, count, units in (("t", layers, "days since 2020-01-01"), ("y", side, "m"), ("x", side, "m")):
                file.createDimension(axis, count)
                variable = file.createVariable(axis, "f8", (axis,))
                variable.units = units
                variable[:] = np.arange(count) if axis != "y" else np.arange(count)[::-1]
            file.createVariable("v", "f4", ("t", "y", "x"), chunksizes=(1, 256, 256))[:] = values
        add_collection(args, name, path, "--crs", "EPSG:32632")


def callbacks():
    """(name, collection, process of the cube, arguments)"""
    for name in UNARY:
        yield name, "plane", "apply", {"process": graph.callback(name, x=X)}
    for name in BINARY:
        yield name, "plane", "apply", {"process": graph.callback(name, x=X, y=1.5)}
    for name, arguments in MORE.items():
        yield name, "plane", "apply", {"process": graph.callback(name, **arguments)}
    for name in REDUCERS:
        yield name, "layers", "reduce_dimension", {"dimension": "t",
                                                   "reducer": graph.callback(name, data=graph.parameter())}
    for name in SERIES:
        yield name, "layers", "apply_dimension", {"dimension": "t",
                                                  "process": graph.callback(name, data=graph.parameter())}
    quantiles = graph.callback("quantiles", data=graph.parameter(), probabilities=[.1, .5, .9])
    yield "quantiles", "layers", "apply_dimension", {"dimension": "t", "target_dimension": "bands",
                                                     "process": quantiles}


def seconds(args, name, nodes, rounds=3):
    command, out = our_run(args, "process", {**nodes, "save": graph.save(name, "GTiff")}, ".tif", threads=1)
    return min(run_once((command, out))[0].cpu for _ in range(rounds))


def run_processes(args):
    heading(args, "processes: ns a value of a 2048² plane, one core")
    empty_data(args)
    make_inputs(args)
    bare = {name: seconds(args, "load", {"load": graph.load(name)}) for name in ("plane", "layers")}
    rows = []
    for name, collection, process, arguments in callbacks():
        nodes = {"load": graph.load(collection), "node": graph.node(process, data=graph.ref("load"), **arguments)}
        try:
            rows.append((1e9 * (seconds(args, "node", nodes) - bare[collection]) / SIDE ** 2, name, process))
        except Failed as failure:
            print(f"{name}: {str(failure).strip().splitlines()[-1]}")
    print(f"load and write alone: {1e9 * bare['plane'] / SIDE ** 2:.1f} ns")
    for cost, name, process in sorted(rows, reverse=True)[:SHOWN]:
        print(f"{cost:8.1f}  {name} ({process})")
