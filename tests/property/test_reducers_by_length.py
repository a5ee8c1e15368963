"""Reducers whose work depends on how many values there are: zones and periods have each its own number of them."""

import json
import os
import subprocess

import numpy
import pytest

import subject as subjects
from maker import parameter, reference

DATA, X = parameter("data"), parameter("x")
VALUES = numpy.arange(1.0, 17).reshape(4, 4)
# columns and rows of three zones, and of one without a pixel
ZONES = [(slice(0, 4), slice(0, 4)), (slice(2, 4), slice(0, 2)), (slice(3, 4), slice(0, 1))]


def graph(*nodes):
    return {"process_graph": {f"n{i}": {"process_id": name, "arguments": arguments,
                                        **({"result": True} if i == len(nodes) - 1 else {})}
                              for i, (name, arguments) in enumerate(nodes)}}


def box(rows, columns):
    west, east, north, south = columns.start * 10, columns.stop * 10, 40 - rows.start * 10, 40 - rows.stop * 10
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def by_zone(subject, reducer):
    crs = {"type": "name", "properties": {"name": "EPSG:32632"}}
    outside = box(slice(40, 41), slice(40, 41))
    cube = {"type": "datacube", "order": ["y", "x"], "data": VALUES.tolist(), "dimensions": {
        "y": {"type": "spatial", "axis": "y", "values": [35, 25, 15, 5], "reference_system": "EPSG:32632"},
        "x": {"type": "spatial", "axis": "x", "values": [5, 15, 25, 35], "reference_system": "EPSG:32632"}}}
    features = [box(*zone) for zone in ZONES] + [outside]
    node = {"process_id": "aggregate_spatial", "result": True, "arguments": {
        "data": cube, "reducer": reducer,
        "geometries": {"type": "FeatureCollection", "crs": crs, "features": features}}}
    return json.loads(subject.run({"a": node}))["data"]


def by_period(subject, reducer):
    """The same groups of values, as dates of four months, the last of them empty."""
    groups = [VALUES[zone].ravel().tolist() for zone in ZONES]
    dates = [f"2020-0{month + 1}-{day + 1:02d}" for month, group in enumerate(groups) for day in range(len(group))]
    cube = {"type": "datacube", "order": ["t"], "data": sum(groups, []),
            "dimensions": {"t": {"type": "temporal", "values": [f"{date}T00:00:00Z" for date in dates]}}}
    intervals = [[f"2020-0{month}-01", f"2020-0{month + 1}-01"] for month in range(1, 5)]
    node = {"process_id": "aggregate_temporal", "result": True, "arguments": {
        "data": cube, "intervals": intervals, "labels": list("abcd"), "reducer": reducer}}
    return json.loads(subject.run({"a": node}))["data"]


def condition(process, name, y):
    return graph((process, {"x": parameter(name), "y": y}))


CASES = {
    "element": ([("array_element", {"data": DATA, "index": 3, "return_nodata": True})],
                lambda values: values[3] if len(values) > 3 else None),
    "length": ([("count", {"data": DATA, "condition": True})], len),
    "first three": ([("array_filter", {"data": DATA, "condition": condition("lt", "index", 3)}),
                     ("sum", {"data": reference("n0")})], lambda values: sum(values[:3])),
    "above": ([("array_filter", {"data": DATA, "condition": condition("gt", "x", 9)}),
               ("sum", {"data": reference("n0")})], lambda values: sum(v for v in values if v > 9)),
    "first above": ([("array_filter", {"data": DATA, "condition": condition("gt", "x", 9)}),
                     ("first", {"data": reference("n0"), "ignore_nodata": False})],
                    lambda values: [v for v in values if v > 9][0]),
    "largest": ([("sort", {"data": DATA, "asc": False}), ("array_element", {"data": reference("n0"), "index": 0})],
                max),
    "per value": ([("sum", {"data": DATA}), ("count", {"data": DATA, "condition": True}),
                   ("divide", {"x": reference("n0"), "y": reference("n1")})], lambda values: sum(values) / len(values)),
    "a list in a list": ([("mean", {"data": [DATA]})], lambda values: sum(values) / len(values)),
}


@pytest.mark.parametrize("aggregate", [by_zone, by_period])
@pytest.mark.parametrize("name", CASES)
def test_lengths_differ(subject, name, aggregate):
    nodes, function = CASES[name]
    have = aggregate(subject, graph(*nodes))
    want = [function(VALUES[zone].ravel().tolist()) for zone in ZONES]
    assert have[:3] == want
    if aggregate is by_zone:
        assert have[3] is None  # no pixel, whatever the reducer makes of nothing


def test_too_few_pixels(subject):
    with pytest.raises(subjects.Failure) as failure:
        by_zone(subject, graph(("array_element", {"data": DATA, "index": 3})))
    assert failure.value.code == "ArrayElementNotAvailable" and "an array of 1 elements" in str(failure.value)


@pytest.mark.parametrize("memory, factor", [("4M", 200000), ("1M", 50000)])
def test_memory_is_the_graphs_doing(subject, memory, factor):
    """What a graph asks for before anything is computed is no fault of ours, and stays within the memory given."""
    nodes = {"a": {"process_id": "array_create", "arguments": {"data": [1, 2, 3, 4], "repeat": factor}, "result": True}}
    with pytest.raises(subjects.Failure) as failure:
        subject.call("run", nodes, "--memory", memory)
    assert failure.value.code == "ProcessGraphComplexity"


def peak(command, text):
    """Most memory that a command took, in bytes."""
    report = subprocess.run(["/usr/bin/env", "python3", "-c",
                             "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdin=sys.stdin,"
                             "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL);"
                             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)", *command],
                            input=text, capture_output=True, text=True, check=True)
    return int(report.stdout)


@pytest.mark.skipif("TWINCUBE_SANITIZED" in os.environ, reason="sanitizers keep memory of their own")
@pytest.mark.parametrize("value", ["0", "[]", "{}", '"a"', '{"a":0}', "1.5"])
def test_memory_bounds_what_is_read(subject, value):
    """Whatever the values of a large graph are, its tree and what is made of it stay within the memory together."""
    memory, beside = 128 << 20, 48 << 20  # the program itself, its libraries, the text
    count = min(990000, (12 << 20) // (len(value) + 1))
    text = '{"a":{"process_id":"constant","arguments":{"x":[' + ",".join([value] * count) + ']},"result":true}}'
    taken = peak([subject.binary, "run", "-", "--data", subject.data, "--memory", str(memory >> 20) + "M"], text)
    assert taken < memory + beside
