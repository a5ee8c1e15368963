"""Specs that bring a process graph: on random input it gives what our C gives, where we have C.

The graphs are those of the official specs, read in place, and those of our own specs. Numbers, booleans, nulls, NaN and
infinities, and arrays of these are tried; what a graph does not know is
named in in_scope."""

import json
import os
import pathlib
import random

import pytest

import many

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = pathlib.Path(os.environ.get("TWINCUBE_SHARED", ROOT.parent / "shared")) / "reference" / "openeo"
CALLS = 100
INFINITE = float("inf")


def definitions():
    found = {}
    paths = [*ROOT.glob("processes/*/*.json"), *REFERENCE.glob("processes/*.json"), *REFERENCE.glob("proposals/*.json")]
    written = {path.stem for path in ROOT.glob("processes/*/*.c")}
    for path in paths:
        if path.stem in written and "process_graph" in (spec := json.loads(path.read_text())):
            found[spec["id"]] = spec
    return found


DEFINITIONS = definitions()
VALUES = {"x": "number", "y": "number", "min": "number", "max": "number", "p": "number", "inputMin": "number",
          "inputMax": "number", "outputMin": "number", "outputMax": "number", "data": "array", "value": "number",
          "ignore_nodata": "flag", "exclude_max": "flag", "asc": "flag", "nodata": "maybe"}
LOGIC = {"and", "or", "xor"}
POSITIVE = {"sqrt", "ln"}
SKIPPED = {
    "variance": "the graph calls apply, which takes cubes, on an array",
    "ard_normalized_radar_backscatter": "needs a radar scene",
}


def number(source, process):
    if process in LOGIC:
        return source.choice([True, False, None])
    kinds = [source.randint(-3, 3), round(source.uniform(-9, 9), 3)]
    if process == "linear_scale_range":
        return source.choice(kinds)
    kinds.append(None)
    if process not in ("sort", "median", "array_contains"):
        kinds += [INFINITE, -INFINITE, float("nan")]
    value = source.choice(kinds + kinds[:2])
    if process in POSITIVE and value is not None:
        return abs(value)
    return value


def argument(source, process, name):
    kind = VALUES[name]
    if kind == "flag":
        return source.choice([True, False])
    if kind == "maybe":
        return source.choice([True, False, None])
    if kind == "array":
        return [number(source, process) for _ in range(source.randint(0, 7))]
    if process == "array_contains":
        return source.randint(-3, 3)
    return number(source, process)


def replaced(value, arguments, prefix):
    """The graph's expression with parameters filled in and nodes renamed."""
    if isinstance(value, list):
        return [replaced(item, arguments, prefix) for item in value]
    if not isinstance(value, dict):
        return value
    if "from_parameter" in value:
        return arguments[value["from_parameter"]]
    if "from_node" in value:
        return {"from_node": prefix + value["from_node"]}
    return {key: replaced(item, arguments, prefix) for key, item in value.items()}


def by_graph(subject, spec, calls):
    nodes, ends = {}, []
    for i, arguments in enumerate(calls):
        defaults = {p["name"]: p.get("default") for p in spec["parameters"]}
        graph = spec["process_graph"]
        for key, node in graph.items():
            filled = replaced(node["arguments"], {**defaults, **arguments}, f"{i}_")
            nodes[f"{i}_{key}"] = {"process_id": node["process_id"], "arguments": filled}
            if node.get("result"):
                ends.append({"from_node": f"{i}_{key}"})
    nodes["all"] = {"process_id": "array_create", "arguments": {"data": ends}, "result": True}
    return json.loads(subject.run(nodes))


def in_scope(process, arguments):
    """Whether the graph means what the text says, for these arguments."""
    numbers = [value for value in arguments.values() if isinstance(value, float)]
    undefined = any(value != value for value in numbers)
    if process in ("gte", "lte", "neq", "between", "sgn", "absolute") and undefined:
        return False  # comparisons with NaN are false, so the graphs' conditions go astray
    if process == "neq":
        return None not in (arguments["x"], arguments["y"])
    if process == "between" and None in (arguments["min"], arguments["max"], arguments["x"]):
        return False
    if process == "linear_scale_range":  # numbers outside are clipped first
        return arguments["inputMin"] <= arguments["x"] <= arguments["inputMax"] != arguments["inputMin"]
    if process in ("add", "multiply", "normalized_difference") and undefined:
        return None not in arguments.values()  # of a missing and an undefined operand, the first wins
    if process == "mean":
        return not any(isinstance(value, float) and value != value for value in arguments["data"])  # a value, or none?
    return True


@pytest.mark.parametrize("process", [process for process in DEFINITIONS if process not in SKIPPED])
def test_graph_agrees_with_the_code(subject, process):
    spec = DEFINITIONS[process]
    source = random.Random(process)
    required = [p["name"] for p in spec["parameters"] if p["name"] in VALUES]
    calls = [{name: argument(source, process, name) for name in required} for _ in range(CALLS)]
    calls = [arguments for arguments in calls if in_scope(process, arguments)]
    assert len(calls) > CALLS // 10
    want = by_graph(subject, spec, calls)
    have = many.results(subject, [(process, arguments) for arguments in calls])
    wrong = [(arguments, h, w) for arguments, h, w in zip(calls, have, want) if not many.same(h, w, 1e-9)]
    assert wrong == []
