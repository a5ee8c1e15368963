"""merge_cubes with many labels: soon planned, and the values of the cube that has the label."""

import json
import time

import numpy
import pytest

from conftest import twincube

DATES = 4000


def cube(days, values):
    dates = [str(numpy.datetime64("2000-01-01") + int(day)) + "T00:00:00Z" for day in days]
    return {"type": "datacube", "order": ["t"], "dimensions": {"t": {"type": "temporal", "values": dates}},
            "data": [None if numpy.isnan(value) else float(value) for value in values]}


def graph(first, second, resolver=None):
    arguments = {"cube1": first, "cube2": second}
    if resolver:
        arguments["overlap_resolver"] = {"process_graph": {"r": {"process_id": resolver, "arguments": {
            "x": {"from_parameter": "x"}, "y": {"from_parameter": "y"}}, "result": True}}}
    return {"merge": {"process_id": "merge_cubes", "arguments": arguments, "result": True}}


@pytest.mark.parametrize("shift", [0, 1, 1000, 10000])
def test_many_dates(tmp_path, shift):
    """shift 0: the same dates; 1: those between; 1000: half of the dates are common; 10000: none is."""
    random = numpy.random.default_rng(shift)
    days = 2 * numpy.arange(DATES), 2 * numpy.arange(DATES) + shift
    values = random.normal(size=(2, DATES))
    values[random.random(values.shape) < 0.2] = numpy.nan
    (tmp_path / "graph.json").write_text(json.dumps(graph(*map(cube, days, values), "subtract")))
    begin = time.monotonic()
    twincube("run", tmp_path / "graph.json", "--data", tmp_path, "-o", tmp_path / "out.json",
             "--encoding", "official")
    assert time.monotonic() - begin < 10  # .3 s on an idle machine
    want = {}
    for day, value in zip(days[0], values[0]):
        want[day] = value
    for day, value in zip(days[1], values[1]):
        want[day] = want[day] - value if day in want else value
    have = numpy.array(json.loads((tmp_path / "out.json").read_text())["data"], dtype="float64")
    numpy.testing.assert_array_equal(have, [want[day] for day in sorted(want)])


def plane(days, bands, values):
    part = cube(days, values[:, 0])
    part["order"] = ["t", "bands"]
    part["dimensions"]["bands"] = {"type": "bands", "values": bands}
    part["data"] = [[None if numpy.isnan(value) else float(value) for value in row] for row in values]
    return part


def test_two_dimensions_differ(tmp_path):
    """Dates and bands: there are labels that no cube has together."""
    random = numpy.random.default_rng(9)
    days, bands = (range(0, 60), range(40, 90)), (["a", "b", "c"], ["c", "d"])
    values = [random.normal(size=(len(d), len(b))) for d, b in zip(days, bands)]
    values[0][random.random(values[0].shape) < 0.2] = numpy.nan
    (tmp_path / "graph.json").write_text(json.dumps(graph(*map(plane, days, bands, values), "subtract")))
    twincube("run", tmp_path / "graph.json", "--data", tmp_path, "-o", tmp_path / "out.json",
             "--encoding", "official")
    have = numpy.array(json.loads((tmp_path / "out.json").read_text())["data"], dtype="float64")
    want = numpy.full((90, 4), numpy.nan)
    want[:60, :3] = values[0]
    want[40:60, 2] = values[0][40:, 2] - values[1][:20, 0]
    want[60:, 2] = values[1][20:, 0]
    want[40:, 3] = values[1][:, 1]
    numpy.testing.assert_array_equal(have, want)
