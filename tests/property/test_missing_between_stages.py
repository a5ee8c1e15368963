"""A computed NaN is a value and no-data is none, whatever lies between the stage that makes them and the one that asks.

NaN comes from 0/0, no-data from the file, 1 from all else; the same questions are asked with nothing between, with a
stage of each kind, and with results that are kept. Truth is NumPy.
"""

import numpy
import pytest

from test_stored_values import SIDE, callback, load, steps, values_of, write

DATES = 6
SAME = callback(("multiply", {"x": "$x", "y": 1}))


@pytest.fixture(scope="module")
def stored(subject, tmp_path_factory):
    """Values (t, y, x): 0 is no-data, 3 becomes NaN."""
    values = numpy.random.default_rng(3).integers(0, 6, (DATES, SIDE, SIDE)).astype("int16")
    folder = tmp_path_factory.mktemp("stages")
    for t, plane in enumerate(values):
        write(folder / f"202001{t + 10}_B1.tif", plane, nodata=0)
    subject.add("stages", folder)
    return values


ZERO_BY_ZERO = ("apply", {"process": {"process_graph": {
    "s": {"process_id": "subtract", "arguments": {"x": {"from_parameter": "x"}, "y": 3}},
    "d": {"process_id": "divide", "arguments": {"x": {"from_node": "s"}, "y": {"from_node": "s"}}, "result": True}}}})
WINDOW = [{"dimension": "x", "value": 5, "unit": "px"}, {"dimension": "y", "value": 4, "unit": "px"}]
NEIGHBOURS = ("apply_neighborhood", {"size": WINDOW, "overlap": [], "process": {"process_graph": {
    "a": {"process_id": "apply", "arguments": {"data": {"from_parameter": "data"}, "process": SAME}, "result": True}}}})
BETWEEN = {
    "nothing": [],
    "another program": [("apply", {"process": SAME})],
    "neighbourhoods": [NEIGHBOURS],
    "two stages": [NEIGHBOURS, ("filter_bands", {"bands": ["B1"]}), NEIGHBOURS],
    "resampled": [("resample_spatial", {"resolution": 5, "method": "near"}),
                  ("resample_spatial", {"resolution": 10, "method": "near"})],
    "a view with another order": [("add_dimension", {"name": "z", "label": "a"}), ("drop_dimension", {"name": "z"})],
}
QUESTIONS = {
    "is_nan": lambda x, missing: numpy.isnan(x) & ~missing,
    "is_nodata": lambda x, missing: missing,
    "is_valid": lambda x, missing: ~numpy.isnan(x) & ~missing,
}


def truth(stored):
    with numpy.errstate(invalid="ignore"):
        return (stored - 3.0) / (stored - 3.0), stored == 0


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("options", [[], ["--threads", "2"]], ids=["", "threads"])
def test_elements_are_what_they_were(subject, stored, between, options):
    values, missing = truth(stored)
    for question, numpys in QUESTIONS.items():
        nodes = [load("stages"), ZERO_BY_ZERO, *BETWEEN[between],
                 ("apply", {"process": callback((question, {"x": "$x"}))})]
        got = values_of(subject, steps(*nodes), *options).reshape(stored.shape)
        numpy.testing.assert_array_equal(got, numpys(values, missing).astype(float))


@pytest.mark.parametrize("between", BETWEEN)
def test_reducers_see_what_was_made(subject, stored, between):
    values, missing = truth(stored)
    valid = ~numpy.isnan(values) & ~missing
    nan = (numpy.isnan(values) & ~missing).any(0)
    for reducer, wanted in (("count", valid.sum(0).astype(float)),
                            ("sum", numpy.where(nan | missing.all(0), numpy.nan, valid.sum(0)))):
        nodes = [load("stages"), ZERO_BY_ZERO, *BETWEEN[between],
                 ("reduce_dimension", {"dimension": "t", "reducer": callback((reducer, {"data": "$data"}))})]
        numpy.testing.assert_array_equal(values_of(subject, steps(*nodes)).reshape(SIDE, SIDE), wanted)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("reducer", ["first", "last", "max", "sum"])
def test_reductions_that_are_asked_for_again(subject, stored, question, reducer):
    """A reduction over time beside every date: it is a stage of its own, or kept."""
    values, missing = truth(stored)
    some, nan = ~missing.all(0), (numpy.isnan(values) & ~missing).any(0)
    if reducer in ("first", "last"):
        order = range(DATES) if reducer == "first" else range(DATES - 1, -1, -1)
        nan = numpy.zeros_like(some)
        for y, x in numpy.argwhere(some):
            nan[y, x] = numpy.isnan(next(values[t, y, x] for t in order if not missing[t, y, x]))
    answer = {"is_nan": some & nan, "is_nodata": ~some, "is_valid": some & ~nan}[question]
    graph = steps(load("stages"), ZERO_BY_ZERO)
    graph["n1"].pop("result")
    graph["r"] = {"process_id": "reduce_dimension", "arguments": {
        "data": {"from_node": "n1"}, "dimension": "t", "reducer": callback((reducer, {"data": "$data"}))}}
    graph["m"] = {"process_id": "merge_cubes", "result": True, "arguments": {
        "cube1": {"from_node": "n1"}, "cube2": {"from_node": "r"},
        "overlap_resolver": callback((question, {"x": "$y"}))}}
    got = values_of(subject, graph).reshape(stored.shape)
    numpy.testing.assert_array_equal(got, numpy.broadcast_to(answer, stored.shape).astype(float))


@pytest.mark.parametrize("question", QUESTIONS)
def test_zones_and_their_results(subject, stored, question):
    """aggregate_spatial of single pixels gives those pixels, then they are asked."""
    values, missing = truth(stored)
    ring = lambda x, y: [[[x, y], [x + 9, y], [x + 9, y + 9], [x, y + 9], [x, y]]]  # noqa: E731
    places = [(0, 0), (3, 5), (7, 2), (11, 11), (4, 4), (6, 9)]
    features = {"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "EPSG:32632"}},
                "features": [
        {"type": "Feature", "properties": {}, "geometry": {
            "type": "Polygon", "coordinates": ring(500000.5 + 10 * c, 5000000.5 - 10 * (r + 1))}} for r, c in places]}
    nodes = [load("stages"), ZERO_BY_ZERO, ("aggregate_spatial", {
        "geometries": features, "reducer": callback(("first", {"data": "$data"}))}),
        ("apply", {"process": callback((question, {"x": "$x"}))})]
    got = values_of(subject, steps(*nodes)).reshape(DATES, len(places))
    wanted = numpy.stack([QUESTIONS[question](values[:, r, c], missing[:, r, c]) for r, c in places], -1)
    numpy.testing.assert_array_equal(got, wanted.astype(float))
