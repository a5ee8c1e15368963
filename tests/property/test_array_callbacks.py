"""Array processes inside callbacks on cubes: what each pixel gets is what plain Python makes of its values.

Above all array_filter with a condition that depends on the pixel, so that each pixel has an array of its own length:
every process that needs no fixed length must see just the elements that are left.
"""

import json
import math
import statistics

import numpy
import pytest

import subject as subjects
from maker import parameter, reference

DATES = 9
LABELS = [f"2020-0{month}-01T00:00:00Z" for month in range(1, 10)]


def graph(**nodes):
    last = list(nodes)[-1]
    return {"process_graph": {key: {"process_id": name, "arguments": arguments,
                                    **({"result": True} if key == last else {})}
                              for key, (name, arguments) in nodes.items()}}


@pytest.fixture(scope="module")
def values():
    random = numpy.random.default_rng(5)
    cube = numpy.round(random.normal(size=(DATES, 4, 6)), 2)
    cube[random.random(cube.shape) < 0.2] = numpy.nan
    cube[:, 0, 0] = numpy.nan
    cube[:, 0, 1] = -numpy.abs(cube[:, 0, 1]) - 1  # nothing is left of these
    cube[:, 0, 2] = numpy.abs(numpy.nan_to_num(cube[:, 0, 2])) + 1  # all of these
    return cube


def inline(values):
    data = [[[None if math.isnan(value) else value for value in row] for row in plane] for plane in values.tolist()]
    return {"type": "datacube", "order": ["t", "y", "x"], "data": data, "dimensions": {
        "t": {"type": "temporal", "values": LABELS[: len(values)]},
        "y": {"type": "spatial", "axis": "y", "values": list(range(values.shape[1]))},
        "x": {"type": "spatial", "axis": "x", "values": list(range(values.shape[2]))}}}


def run(subject, process, argument, values, callback):
    node = {"process_id": process, "result": True,
            "arguments": {"data": inline(values), "dimension": "t", argument: callback}}
    return numpy.array(json.loads(subject.run({"a": node}))["data"], dtype=float)


def pixels(values, function):
    """The function over each pixel's list of values, None for missing."""
    lists = [[None if math.isnan(value) else value for value in column] for column in values.reshape(DATES, -1).T]
    results = [function(column) for column in lists]
    flat = numpy.array([[numpy.nan if value is None else float(value) for value in
                         (result if isinstance(result, list) else [result])] for result in results])
    return flat.T.reshape(-1, *values.shape[1:]) if isinstance(results[0], list) else flat.reshape(values.shape[1:])


X, DATA = parameter("x"), parameter("data")
POSITIVE = graph(gt=("gt", {"x": X, "y": 0}))
NOT_LOW = graph(lt=("lt", {"x": X, "y": -0.5}), no=("not", {"x": reference("lt")}), na=("is_nodata", {"x": X}),
                either=("or", {"x": reference("no"), "y": reference("na")}))  # keeps the missing ones


def positive(column):
    return [value for value in column if value is not None and value > 0]


def not_low(column):
    return [value for value in column if value is None or value >= -0.5]


def known(column):
    return [value for value in column if value is not None]


def reduced(function, least=1):
    """A reducer with ignore_nodata, as the processes have it."""
    def reduce(column, ignore):
        if not ignore and None in column:
            return None
        return function(known(column)) if len(known(column)) >= least else None
    return reduce


def end(index):
    return lambda column, ignore: (lambda left: left[index] if left else None)(known(column) if ignore else column)


def logical(decisive):
    """all and any, of values x > 0, one missing element alone is as good as nothing."""
    def reduce(column, ignore):
        truth = [None if value is None else value > 0 for value in column]
        if decisive in truth:
            return decisive
        return None if None in truth and not ignore and len(truth) > 1 else not decisive
    return reduce


REDUCERS = {
    "sum": reduced(math.fsum), "product": reduced(math.prod), "mean": reduced(statistics.fmean), "min": reduced(min),
    "max": reduced(max), "median": reduced(statistics.median), "sd": reduced(statistics.stdev, 2),
    "variance": reduced(statistics.variance, 2), "first": end(0), "last": end(-1),
}


@pytest.mark.parametrize("ignore", [True, False])
@pytest.mark.parametrize("name", REDUCERS)
def test_reducers_of_what_is_left(subject, values, name, ignore):
    """Two conditions one after the other, the first of which keeps missing elements."""
    callback = graph(f=("array_filter", {"data": DATA, "condition": NOT_LOW}),
                     g=("array_filter", {"data": reference("f"), "condition": graph(
                         i=("neq", {"x": parameter("index"), "y": 1}))}),
                     r=(name, {"data": reference("g"), "ignore_nodata": ignore}))
    want = pixels(values, lambda column: REDUCERS[name](
        [value for index, value in enumerate(not_low(column)) if index != 1], ignore))
    numpy.testing.assert_allclose(run(subject, "reduce_dimension", "reducer", values, callback), want, rtol=1e-12)


@pytest.mark.parametrize("ignore", [True, False])
@pytest.mark.parametrize("name, decisive", [("all", False), ("any", True)])
def test_logic_of_what_is_left(subject, values, name, decisive, ignore):
    callback = graph(f=("array_filter", {"data": DATA, "condition": NOT_LOW}),
                     a=("array_apply", {"data": reference("f"), "process": POSITIVE}),
                     r=(name, {"data": reference("a"), "ignore_nodata": ignore}))
    want = pixels(values, lambda column: logical(decisive)(not_low(column), ignore))
    numpy.testing.assert_array_equal(run(subject, "reduce_dimension", "reducer", values, callback), want)


def ordered(column, index):
    return column[index] if index < len(column) else None


def place(column, wanted):
    found = [index for index, value in enumerate(column) if value == wanted]
    return found[0] if found else None


def running(column, ignore):
    total, sums = 0.0, []
    for value in column:
        if value is None and not ignore:
            total = None
        if value is not None and total is not None:
            total += value
        sums.append(None if value is None else total)
    return sums


SUM_APART = reduced(math.fsum)
LEFT = {
    "count": (("count", {}), lambda left: len(known(left))),
    "count all": (("count", {"condition": True}), len),
    "count some": (("count", {"condition": POSITIVE}), lambda left: len(positive(left))),
    "quantiles": (("quantiles", {"probabilities": [0.3]}),
                  lambda left: float(numpy.quantile(known(left), 0.3)) if known(left) else None),
    "element": (("array_element", {"index": 2, "return_nodata": True}), lambda left: ordered(left, 2)),
    "contains": (("array_contains", {"value": 1.25}), lambda left: 1.25 in left),
    "find": (("array_find", {"value": 1.25}), lambda left: place(left, 1.25)),
    "append": (("array_append", {"value": 7}), lambda left: SUM_APART(left + [7], True)),
    "concat": (("array_concat", {"__other": 2.5}), lambda left: SUM_APART(left + [2.5], True)),
    "apply": (("array_apply", {"process": graph(m=("multiply", {"x": X, "y": parameter("index")}))}),
              lambda left: SUM_APART([None if value is None else value * index for index, value in enumerate(left)],
                                     True)),
    "cumsum": (("cumsum", {"ignore_nodata": True}), lambda left: SUM_APART(running(left, True), True)),
    "cumsum strict": (("cumsum", {"ignore_nodata": False}), lambda left: SUM_APART(running(left, False), True)),
}


@pytest.mark.parametrize("name", LEFT)
def test_other_processes_of_what_is_left(subject, values, name):
    (process, arguments), function = LEFT[name]
    cube = values.copy()
    cube[3::2, 2] = 1.25
    arguments = {"data": reference("f"), **arguments}
    if process == "array_concat":
        arguments = {"array1": arguments["data"], "array2": arguments["__other"]}
    nodes = {"f": ("array_filter", {"data": DATA, "condition": NOT_LOW}), "p": (process, arguments)}
    if process in ("array_append", "array_apply", "array_concat", "cumsum", "quantiles"):
        nodes["s"] = ("sum", {"data": reference("p")})
    have = run(subject, "reduce_dimension", "reducer", cube, graph(**nodes))
    numpy.testing.assert_allclose(have, pixels(cube, lambda column: function(not_low(column))), rtol=1e-12)


SERIES = {
    "apply": (graph(a=("array_apply", {"data": DATA, "process": graph(
        s=("subtract", {"x": X, "y": parameter("context")})), "context": 2})),
        lambda column: [None if value is None else value - 2 for value in column]),
    "apply beside the whole": (graph(m=("mean", {"data": DATA}), a=("array_apply", {"data": DATA, "process": graph(
        s=("subtract", {"x": X, "y": parameter("context")})), "context": reference("m")})),
        lambda column: [None if value is None else value - statistics.fmean(known(column)) for value in column]),
    "apply with an array": (graph(a=("array_apply", {"data": DATA, "process": graph(
        c=("array_create", {"data": [X, 0]}), m=("max", {"data": reference("c"), "ignore_nodata": False}))})),
        lambda column: [None if value is None else max(value, 0) for value in column]),
    "apply with labels": (graph(a=("array_apply", {"data": DATA, "process": graph(
        b=("date_between", {"x": parameter("label"), "min": "2020-03-01", "max": "2020-05-01"}),
        i=("if", {"value": reference("b"), "accept": X, "reject": parameter("index")}))})),
        lambda column: [value if 2 <= index <= 4 else index for index, value in enumerate(column)]),
    "append": (graph(a=("array_append", {"data": DATA, "value": 1, "label": "new"})), lambda column: column + [1]),
    "modify": (graph(a=("array_modify", {"data": DATA, "values": [5, None], "index": 2, "length": 4})),
               lambda column: column[:2] + [5, None] + column[6:]),
    "filter by label": (graph(a=("array_filter", {"data": DATA, "condition": graph(
        b=("date_between", {"x": parameter("label"), "min": "2020-02-01", "max": "2020-04-01"}))})),
        lambda column: column[1:4]),
    "labels": (graph(l=("array_labels", {"data": DATA}), n=("count", {"data": reference("l"), "condition": True}),
                     a=("array_create", {"data": [reference("n"), 0]})), lambda column: [DATES, 0]),
    "index of a label": (graph(i=("array_find_label", {"data": DATA, "label": "2020-04-01"}),
                               a=("array_element", {"data": DATA, "index": reference("i")})),
                               lambda column: [column[3]]),
    "labels of one's own": (graph(c=("array_create_labeled", {"data": DATA, "labels": list("abcdefghi")}),
                                  e=("array_element", {"data": reference("c"), "label": "d"})),
                                  lambda column: [column[3]]),
}


@pytest.mark.parametrize("name", SERIES)
def test_fixed_lengths(subject, values, name):
    callback, function = SERIES[name]
    have = run(subject, "apply_dimension", "process", values, callback)
    numpy.testing.assert_allclose(have, pixels(values, function), rtol=1e-12)


@pytest.mark.parametrize("process, argument, nodes", [
    ("apply_dimension", "process", {}),
    ("reduce_dimension", "reducer",
     {"s": ("sort", {"data": reference("f")}), "r": ("first", {"data": reference("s")})}),
    ("reduce_dimension", "reducer", {"e": ("array_element", {"data": reference("f"), "index": 0})}),
])
def test_what_needs_one_length_is_refused(subject, values, process, argument, nodes):
    with pytest.raises(subjects.Failure) as failure:
        run(subject, process, argument, values,
            graph(f=("array_filter", {"data": DATA, "condition": POSITIVE}), **nodes))
    assert failure.value.code == "FeatureUnsupported"


def test_long_axes(subject):
    """The callback is walked once, not once an element, so that a long axis is cut and summed up as ever."""
    count = 20000
    random = numpy.random.default_rng(1)
    data = numpy.round(random.normal(size=count), 3)
    cube = {"type": "datacube", "order": ["n", "k"], "data": numpy.stack([data, -data], 1).tolist(), "dimensions": {
        "n": {"type": "other", "values": list(range(count))}, "k": {"type": "other", "values": [0, 1]}}}
    callback = graph(f=("array_filter", {"data": DATA, "condition": POSITIVE}), r=("mean", {"data": reference("f")}))
    document = json.loads(subject.run({"a": {"process_id": "reduce_dimension", "result": True, "arguments": {
        "data": cube, "dimension": "n", "reducer": callback}}}))
    want = [data[data > 0].mean(), -data[data < 0].mean()]
    numpy.testing.assert_allclose(document["data"], want, rtol=1e-12)
