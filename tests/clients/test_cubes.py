"""Processes that change a cube's dimensions, on small random cubes with no-data, against NumPy."""

import datetime

import numpy
import pytest

from cube_tools import callback, chain, cube, dimension, failure, labels, run, values

X = dimension("spatial", [5.0, 15.0, 25.0], axis="x", reference_system="EPSG:32632")


def dates(random, count):
    """Instants of half a year, in no order, with their time of day."""
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    minutes = random.choice(180 * 24 * 60, count, replace=False)
    return [start + datetime.timedelta(minutes=int(m)) for m in minutes]


def text(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def sparse(random, *shape):
    array = random.normal(size=shape).round(3)
    array[random.random(shape) < 0.3] = numpy.nan
    return array


def mean(part):
    """Along the first axis, without no-data; NaN of nothing."""
    count = (~numpy.isnan(part)).sum(axis=0)
    return numpy.where(count > 0, numpy.nansum(part, axis=0) / numpy.maximum(count, 1), numpy.nan)


@pytest.mark.parametrize("seed", range(3))
def test_intervals_overlap_and_are_empty(tmp_path, seed):
    random = numpy.random.default_rng(seed)
    moments, array = dates(random, 40), sparse(random, 40, 3)
    edges = sorted(dates(random, 14))
    pairs = [(edges[i], edges[i + 4]) for i in range(10)]
    pairs += [(edges[0] + datetime.timedelta(days=900), edges[0] + datetime.timedelta(days=901))]
    graph = chain(("aggregate_temporal", {
        "data": cube(array, t=dimension("temporal", map(text, moments)), x=X),
        "intervals": [list(map(text, pair)) for pair in pairs] + [[None, text(edges[3])], [text(edges[5]), None]],
        "labels": [f"i{k}" for k in range(len(pairs) + 2)], "reducer": callback("mean")}))
    pairs += [(datetime.datetime.min.replace(tzinfo=datetime.timezone.utc), edges[3]),
              (edges[5], datetime.datetime.max.replace(tzinfo=datetime.timezone.utc))]
    inside = [[low <= moment < high for moment in moments] for low, high in pairs]
    result = run(tmp_path, graph)
    assert labels(result, "t") == [f"i{k}" for k in range(len(pairs))]
    numpy.testing.assert_allclose(values(result), [mean(array[chosen]) for chosen in inside], rtol=1e-12)


def test_times_of_day(tmp_path):
    random = numpy.random.default_rng(8)
    moments, array = dates(random, 60), sparse(random, 60, 3)
    clocks = [("06:00:00", "18:00:00"), ("18:00:00", "06:00:00"), ("23:30:00", "00:30:00"), ("12:00:00", "24:00:00")]
    graph = chain(("aggregate_temporal", {
        "data": cube(array, t=dimension("temporal", map(text, moments)), x=X),
        "intervals": clocks, "reducer": callback("median", ignore_nodata=False)}))
    want = []
    for low, high in clocks:
        now = [moment.strftime("%H:%M:%S") for moment in moments]
        want.append([low <= n < high if low < high else n >= low or n < high for n in now])
    result = run(tmp_path, graph)
    assert labels(result, "t") == [low for low, _ in clocks]
    numpy.testing.assert_allclose(values(result), [numpy.median(array[chosen], axis=0) for chosen in want], rtol=1e-12)


def test_order_of_dates_is_kept(tmp_path):
    """first and last are those along the dimension, whatever the order of its dates."""
    data = cube([1, 2, 3], t=dimension("temporal", ["2020-03-01", "2020-01-01", "2020-02-01"]))
    for process, want in (("first", [2, 1]), ("last", [3, 3])):
        result = run(tmp_path, chain(("aggregate_temporal", {
            "data": data, "intervals": [["2020-01-01", "2020-03-01"], ["2020-01-15", "2021-01-01"]],
            "reducer": callback(process)})))
        assert result["data"] == want


@pytest.mark.parametrize("kind", ["float32", "int16", "uint8", "boolean", "complex64", "float64"])
def test_json_reads_back(tmp_path, kind):
    """What the JSON format writes is a data cube that a graph takes, and comes out the same."""
    random = numpy.random.default_rng(3)
    if kind == "boolean":
        data = [[True, None, False], [False, True, True]]
    elif kind == "complex64":
        data = [[[1.5, 2], [0, -1], None], [[3, 4], [0, 0], [1, 1]]]
    else:
        data = random.integers(0, 100, (2, 3)).tolist()
        data[0][1] = None if kind != "uint8" else 7
    given = {"type": "datacube", "dtype": kind, "crs": "EPSG:32632", "dimensions": [
        {"name": "t", "type": "temporal", "labels": ["2020-01-01T00:00:00Z", "2020-02-01T12:00:00Z"]},
        {"name": "x", "type": "spatial", "axis": "x", "labels": [5, 15, 25]}], "data": data}
    if kind == "int16":
        given["nodata"] = -999
    rename = ("rename_dimension", {"source": "t", "target": "u"})
    first = run(tmp_path, chain(("rename_dimension", {"data": given, "source": "t", "target": "u"})))
    assert first["dtype"] == kind
    second = run(tmp_path, chain((rename[0], {"data": first, "source": "u", "target": "t"}), ("rename_dimension", {
        "source": "t", "target": "u"})))
    assert second == first
    assert first["data"] == data


@pytest.mark.parametrize("change, said", [
    ({"dtype": "uint8", "data": [1, 300]}, "uint8"), ({"dtype": "int16", "data": [None, 1]}, "int16"),
    ({"dtype": "quaternion"}, "quaternion"), ({"data": [1]}, "shape"), ({"data": [1, "a"]}, "string"),
    ({"dimensions": [{"name": "x", "labels": [1, [2]]}]}, "label 1"), ({"dimensions": [{"name": "x"}]}, "values")])
def test_inline_cubes_that_are_none(tmp_path, change, said):
    given = {"type": "datacube", "dimensions": [{"name": "x", "labels": [1, 2]}], "data": [1, 2], **change}
    error = failure(tmp_path, chain(("rename_dimension", {"data": given, "source": "x", "target": "y"})))
    assert error.startswith("ProcessParameterInvalid") and said in error


def test_empty_cube_gets_dimensions(tmp_path):
    graph = chain(("create_data_cube", {}), ("add_dimension", {"name": "bands", "label": "B1", "type": "bands"}),
                  ("add_dimension", {"name": "t", "label": "2020-01-01", "type": "temporal"}))
    result = run(tmp_path, graph)
    assert [d["name"] for d in result["dimensions"]] == ["t", "bands"] and result["data"] == [[None]]
    graph["merge"] = {"process_id": "merge_cubes", "arguments": {
        "cube1": {"from_node": "s2"}, "cube2": cube([[4.0]], t=dimension("temporal", ["2020-01-02"]),
                                                    bands=dimension("bands", ["B1"]))}, "result": True}
    graph["s2"]["result"] = False
    assert run(tmp_path, graph)["data"] == [[None], [4.0]]


@pytest.mark.parametrize("threads", [1, 2])
def test_values_go_into_an_existing_dimension(tmp_path, threads):
    """apply_dimension: the source goes, the target with its one label is filled and stays where it was."""
    random = numpy.random.default_rng(4)
    array = sparse(random, 5, 1, 3)
    data = cube(array, t=dimension("temporal", [f"2020-01-0{i + 1}" for i in range(5)]),
                bands=dimension("bands", ["B1"]), x=X)
    graph = chain(("apply", {"data": data, "process": callback("multiply", ["x"], y=2)}),
                  ("apply_dimension", {"dimension": "t", "target_dimension": "bands", "process": callback(
                      "quantiles", probabilities=[0.25, 0.75])}))
    result = run(tmp_path, graph, "--threads", threads)
    assert [d["name"] for d in result["dimensions"]] == ["bands", "x"] and labels(result, "bands") == [0, 1]
    numpy.testing.assert_allclose(values(result), 2 * numpy.nanquantile(array[:, 0], [0.25, 0.75], axis=0))


def test_many_labels_are_renamed_at_once(tmp_path):
    """In time that grows with the labels, not with their square."""
    many = 60000
    names = [f"label {i}" for i in range(many)]
    data = cube(numpy.arange(many), n=dimension("other", names))
    result = run(tmp_path, chain(("rename_labels", {
        "data": data, "dimension": "n", "source": names[::-1], "target": [f"new {i}" for i in range(many)]})))
    assert labels(result, "n") == [f"new {many - 1 - i}" for i in range(many)]
