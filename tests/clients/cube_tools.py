"""Small cubes written into a graph, and what the program makes of them."""

import json
import subprocess

import numpy

from conftest import BINARY


def dimension(kind, values, **more):
    return {"type": kind, "values": list(values), **more}


def cube(array, **dimensions):
    """A data cube of the array; NaN is no-data. dimensions: in their order."""
    def plain(part):
        return [plain(item) for item in part] if isinstance(part, list) else None if part != part else part

    return {"type": "datacube", "order": list(dimensions), "dimensions": dimensions,
            "data": plain(numpy.asarray(array, dtype="float64").tolist())}


def callback(process, names=("data",), **arguments):
    """A process graph of one process that is given the callback's parameters of these names."""
    given = {name: {"from_parameter": name} for name in names}
    return {"process_graph": {"p": {"process_id": process, "arguments": {**given, **arguments}, "result": True}}}


def chain(*steps, argument="data"):
    """A graph of processes one behind the other, each (process, arguments)."""
    graph = {}
    for i, (process, arguments) in enumerate(steps):
        before = {argument: {"from_node": f"s{i - 1}"}} if i else {}
        graph[f"s{i}"] = {"process_id": process, "arguments": {**before, **arguments}, "result": i == len(steps) - 1}
    return graph


def run(folder, graph, *options):
    """What the graph gives: a plain value, or the JSON of a cube."""
    (folder / "graph.json").write_text(json.dumps(graph))
    out = folder / "out.json"
    done = subprocess.run([BINARY, "run", folder / "graph.json", "--data", folder, "-o", out, *map(str, options)],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text())


def failure(folder, graph):
    """The error that the graph ends with, "Code: message"."""
    (folder / "graph.json").write_text(json.dumps(graph))
    done = subprocess.run([BINARY, "run", folder / "graph.json", "--data", folder, "-o", folder / "out.json"],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done
    return done.stderr


def labels(result, name):
    return next(d["labels"] for d in result["dimensions"] if d["name"] == name)


def values(result):
    return numpy.array(result["data"], dtype="float64")
