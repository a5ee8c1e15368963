#!/usr/bin/env python3
"""Runs the same random process graphs on twincube and on openeo-processes-dask and says where they differ.

    python3 conformance/against_dask.py --bin build/twincube [--graphs 300] [--seed 1] [--verbose]

Needs the packages openeo, openeo-processes-dask, openeo-pg-parser-networkx, netCDF4 (tests/bench/run makes such an
environment). Each graph is a chain of processes over a small random cube with missing values. A chain that ends
differently is cut shorter until one process remains that makes the difference; differences are counted by process and
kind. Those that are known, with what the specification says about them, are in dask_differences.json. Exit status 1
where there is one that is not.
"""

import argparse
import collections
import contextlib
import io
import json
import logging
import pathlib
import random
import subprocess
import tempfile
import warnings

import numpy as np
import xarray as xr

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

UNARY = ["absolute", "ceil", "floor", "int", "sgn", "sin", "cos", "tan", "exp", "ln", "sqrt", "arctan", "tanh", "sinh"]
BINARY = ["add", "subtract", "multiply", "divide", "power", "mod", "arctan2"]
COMPARE = ["gt", "gte", "lt", "lte", "eq", "neq"]
REDUCERS = ["mean", "median", "min", "max", "sum", "product", "sd", "variance", "first", "last", "count"]
SERIES = ["cumsum", "cumproduct", "cummax", "cummin", "sort", "order", "rearrange"]
PERIODS = ["day", "week", "month", "season", "year", "decade", "tropical-season", "dekad"]


def callback(process, arguments):
    return {"process_graph": {"f": {"process_id": process, "arguments": arguments, "result": True}}}


def element(name="x"):
    return {"from_parameter": name}


class Chain:
    """Draws the nodes of a chain; knows which dimensions are left."""

    def __init__(self, draw):
        self.draw = draw
        self.dimensions = ["t", "bands", "y", "x"]
        self.many = {"t", "bands", "y", "x"}  # dimensions with more than one label

    def apply(self):
        kind = self.draw.random()
        number = round(self.draw.uniform(-3, 3), 2)
        if kind < .4:
            process = self.draw.choice(UNARY)
            return "apply", {"process": callback(process, {"p" if process == "exp" else "x": element()})}
        if kind < .7:
            process = self.draw.choice(BINARY)
            first, second = {"power": ("base", "p"), "arctan2": ("y", "x")}.get(process, ("x", "y"))
            return "apply", {"process": callback(process, {first: element(), second: number})}
        if kind < .85:
            return "apply", {"process": callback(self.draw.choice(COMPARE), {"x": element(), "y": number})}
        process = self.draw.choice(["clip", "linear_scale_range", "between", "is_nan", "is_nodata", "is_valid",
                                    "round"])
        arguments = {"clip": {"min": -1, "max": 1}, "between": {"min": -1, "max": 1}, "round": {"p": 1},
                     "linear_scale_range": {"inputMin": -2, "inputMax": 2, "outputMin": 0, "outputMax": 255}}
        return "apply", {"process": callback(process, {"x": element(), **arguments.get(process, {})})}

    def reducer(self):
        process = self.draw.choice(REDUCERS)
        arguments = {"data": element("data")}
        if process not in ("count",) and self.draw.random() < .4:
            arguments["ignore_nodata"] = False
        return callback(process, arguments)

    def reduce_dimension(self):
        dimension = self.draw.choice(self.dimensions)
        self.dimensions.remove(dimension)
        return "reduce_dimension", {"dimension": dimension, "reducer": self.reducer()}

    def apply_dimension(self):
        process = self.draw.choice(SERIES)
        arguments = {"data": element("data")}
        if process == "rearrange":
            arguments["order"] = [0]
        if process == "sort":
            arguments["asc"] = self.draw.random() < .5
        return "apply_dimension", {"dimension": self.draw.choice(self.dimensions),
                                   "process": callback(process, arguments)}

    def aggregate_temporal_period(self):
        return "aggregate_temporal_period", {"period": self.draw.choice(PERIODS), "reducer": self.reducer()}

    def aggregate_temporal(self):
        return "aggregate_temporal", {"intervals": [["2018-01-01", "2018-02-01"], ["2018-02-01", "2018-06-01"]],
                                      "labels": ["2018-01-01", "2018-02-01"], "reducer": self.reducer()}

    def filter_temporal(self):
        return "filter_temporal", {"extent": ["2018-01-10", self.draw.choice(["2018-03-01", "2018-05-05", None])]}

    def filter_bands(self):
        return "filter_bands", {"bands": self.draw.sample(["B1", "B2", "B3"], self.draw.choice([1, 2]))}

    def filter_bbox(self):
        return "filter_bbox", {"extent": {"west": 10.5, "east": 13.4, "south": 47.6, "north": 49.6}}

    def mask(self):
        return "mask", {"mask": {"from_node": "truth"}, **({"replacement": -9} if self.draw.random() < .5 else {})}

    def merge_cubes(self):
        process = self.draw.choice(["add", "subtract", "max", "mean"])
        pair = {"data": [element("x"), element("y")]} if process in ("max", "mean") else {"x": element("x"),
                                                                                          "y": element("y")}
        return "merge_cubes", {"overlap_resolver": callback(process, pair)}

    def ndvi(self):
        self.dimensions.remove("bands")
        return "ndvi", {"red": "B1", "nir": "B2"}

    def apply_kernel(self):
        return "apply_kernel", {"kernel": [[1, 2, 0], [0, 3, 1], [1, 0, 1]], "factor": .5}

    def next(self):
        choices = [self.apply, self.apply]
        if self.dimensions:
            choices += [self.reduce_dimension, self.apply_dimension]
        if "t" in self.dimensions:
            choices += [self.aggregate_temporal_period, self.aggregate_temporal, self.filter_temporal]
        if "bands" in self.dimensions:
            choices += [self.filter_bands, self.ndvi]
        if {"x", "y"} <= set(self.dimensions):
            choices += [self.filter_bbox, self.apply_kernel]
        if self.dimensions == ["t", "bands", "y", "x"]:
            choices += [self.mask, self.merge_cubes]
        return self.draw.choice(choices)()


def make_graph(steps, source):
    """Nodes of the chain; the mask is a comparison of the input with 1."""
    load = {"process_id": "load_collection",
            "arguments": {"id": source, "spatial_extent": None, "temporal_extent": None}}
    graph = {"load": load}
    if any(process == "mask" for process, _ in steps):
        graph["truth"] = {"process_id": "apply", "arguments": {
            "data": {"from_node": "load"}, "process": callback("gt", {"x": element(), "y": 1})}}
    last = "load"
    for i, (process, arguments) in enumerate(steps):
        data = {"cube1": {"from_node": last}, "cube2": {"from_node": "load"}} if process == "merge_cubes" else {
            "data": {"from_node": last}}
        last = f"n{i}"
        graph[last] = {"process_id": process, "arguments": {**data, **arguments}}
    graph[last]["result"] = True
    return graph


def make_input(path, rng):
    values = rng.normal(0, 1.5, (9, 3, 5, 6)).astype("f4").round(2)
    values[rng.random(values.shape) < .15] = np.nan
    times = np.array(["2018-01-03", "2018-01-20", "2018-02-02", "2018-02-28", "2018-03-05", "2018-04-30", "2018-05-01",
                      "2018-07-09", "2018-12-31"], "datetime64[ns]")
    coordinates = {"t": times, "bands": ["B1", "B2", "B3"], "y": 50 - np.arange(5) * .7, "x": 10 + np.arange(6) * .8}
    data = xr.DataArray(values, coordinates, ("t", "bands", "y", "x"))
    dataset = data.to_dataset("bands")
    dataset["crs"] = xr.DataArray(0, attrs={"crs_wkt": "EPSG:4326", "grid_mapping_name": "latitude_longitude"})
    for name in ("B1", "B2", "B3"):
        dataset[name].attrs["grid_mapping"] = "crs"
    dataset.to_netcdf(path)


class Peer:
    def __init__(self, source):
        from openeo.local import LocalConnection
        self.source = source
        self.connection = LocalConnection(str(source.parent))

    def run(self, steps):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return self.connection.execute(make_graph(steps, str(self.source))).compute()


class Ours:
    def __init__(self, binary, source, folder):
        self.binary, self.folder = str(pathlib.Path(binary).resolve()), folder
        subprocess.run([self.binary, "catalogue", "add", "--data", folder, "--id", "c", str(source)], check=True,
                       capture_output=True)

    def run(self, steps):
        (self.folder / "graph.json").write_text(json.dumps(make_graph(steps, "c")))
        done = subprocess.run([self.binary, "run", self.folder / "graph.json", "--data", self.folder, "-o",
                               self.folder / "out.json", "--encoding", "official", "--threads", "1"],
                               capture_output=True,
                              text=True, check=False, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        return json.loads((self.folder / "out.json").read_text())


def as_array(document):
    if not isinstance(document, dict):
        return (), np.array(np.nan if document is None else document, "f8")
    names = tuple(dimension["name"] for dimension in document["dimensions"])
    values = np.array(document["data"], dtype=object)
    return names, np.where(values == None, np.nan, values).astype("f8")  # noqa: E711


def compare(mine, theirs):
    """"" where they agree, else the kind of difference."""
    names, values = as_array(mine)
    if set(names) != set(theirs.dims):
        return f"dimensions {sorted(names)} against {sorted(theirs.dims)}"
    other = theirs.transpose(*names).values.astype("f8") if names else np.asarray(theirs.values, "f8")
    other = np.where(np.isfinite(other), other, np.nan)  # JSON has no infinities
    if values.shape != other.shape:
        return f"sizes differ along {[n for n, a, b in zip(names, values.shape, other.shape) if a != b]}"
    missing = np.isnan(values), np.isnan(other)
    if not np.array_equal(*missing):
        more = "more" if missing[0].sum() > missing[1].sum() else "fewer"
        return f"{more} missing values here"
    if not np.allclose(values, other, rtol=1e-4, atol=1e-4, equal_nan=True):
        return "values"
    return ""


def label(step):
    """A step in words: process and callback, with what the outcome may hang on."""
    process, arguments = step
    for key in ("process", "reducer", "overlap_resolver"):
        if key in arguments:
            inner = arguments[key]["process_graph"]["f"]
            flag = ", nodata counts" if inner["arguments"].get("ignore_nodata") is False else ""
            return f"{process}({inner['process_id']}{flag})"
    return process


def judge(ours, peer, steps):
    outcome = []
    for engine in (ours, peer):
        try:
            outcome.append(engine.run(steps))
        except Exception as error:  # noqa: BLE001, whatever the peer throws is its answer
            outcome.append(error)
    failed = [isinstance(result, Exception) for result in outcome]
    if failed == [False, False]:
        return compare(*outcome), outcome
    return {(True, True): "", (True, False): "an error here", (False, True): "an error there"}[tuple(failed)], outcome


def shortest(ours, peer, steps):
    """The shortest beginning of the chain whose results differ."""
    for length in range(1, len(steps) + 1):
        kind, outcome = judge(ours, peer, steps[:length])
        if kind:
            return steps[:length], kind, outcome
    return None, "", None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default="build/twincube")
    parser.add_argument("--graphs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    known = json.loads(pathlib.Path(__file__).with_name("dask_differences.json").read_text("utf-8"))
    found, equal, examples = collections.Counter(), 0, {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_input(folder / "input.nc", np.random.default_rng(options.seed))
        ours, peer = Ours(options.bin, folder / "input.nc", folder), Peer(folder / "input.nc")
        for number in range(options.graphs):
            draw = random.Random(options.seed * 100000 + number)
            chain = Chain(draw)
            steps = [chain.next() for _ in range(draw.choice([1, 1, 2, 3]))]
            cut, kind, outcome = shortest(ours, peer, steps)
            if not kind:
                equal += 1
                continue
            name = f"{label(cut[-1])}: {kind}"
            found[name] += 1
            examples.setdefault(name, (cut, outcome))
    unknown = [name for name in sorted(found) if not any(row["difference"] in name for row in known)]
    print(f"{options.graphs} graphs, {equal} with equal results, {len(found)} kinds of difference")
    for name, count in found.most_common():
        row = next((row for row in known if row["difference"] in name), None)
        print(f"{count:4d}  {name}" + (f"  -- right: {row['right']}; {row['reason']}" if row else "  -- NOT KNOWN"))
        if options.verbose and row is None:
            cut, outcome = examples[name]
            print(json.dumps(cut), *[str(part)[:1200] for part in outcome], sep="\n   ")
    raise SystemExit(bool(unknown))


if __name__ == "__main__":
    main()
