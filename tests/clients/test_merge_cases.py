"""merge_cubes on random small cubes: labels that are the same, apart or overlap on several dimensions, dimensions in
another order or missing in one cube, integers with a no-data value. The result is found label by label."""

import itertools

import numpy
import pytest

from cube_tools import callback, chain, cube, dimension, failure, run

POOL = {"t": [f"2020-01-{day:02d}T00:00:00Z" for day in range(1, 8)], "bands": ["B1", "B2", "B3", "B4", "B5"],
        "x": [5.0, 15.0, 25.0, 35.0, 45.0], "level": [1000.0, 850.0, 500.0]}
KIND = {"t": "temporal", "bands": "bands", "x": "spatial", "level": "other"}


def subset(random, pool, relation, first):
    """Labels of the second cube: those of the first, others, or some of each; x is a run."""
    if relation == "same":
        return list(first)
    rest = [label for label in pool if label not in first]
    if relation == "apart":
        return rest or None
    some = [first[i] for i in sorted(random.choice(len(first), max(1, len(first) // 2), replace=False))]
    return some + rest[:random.integers(0, len(rest) + 1)]


def draw(random):
    """Two cubes as (names, labels, array), with labels in any relation."""
    names = list(random.permutation(["t", "bands", "x", "level"])[:random.integers(2, 5)])
    labels = [{}, {}]
    for name in names:
        pool = POOL[name]
        labels[0][name] = list(pool[:random.integers(1, len(pool))])
        if name == "bands":
            random.shuffle(labels[0][name])
        labels[1][name] = subset(random, pool, random.choice(["same", "same", "apart", "some"]), labels[0][name])
        if name in ("t", "x"):
            labels[1][name] = sorted(labels[1][name])
    other = list(random.permutation(names))
    missing = random.random() < 0.3 and all(labels[0][n] == labels[1][n] for n in names) and len(names) > 2
    if missing:
        other.remove(random.choice(other))
    parts = []
    for k, order in enumerate((names, other)):
        array = random.integers(-50, 50, [len(labels[k][n]) for n in order]).astype("float64")
        array[random.random(array.shape) < 0.2] = numpy.nan
        parts.append((order, {n: labels[k][n] for n in order}, array))
    return parts


def inline(part, dtype):
    order, labels, array = part
    more = {"x": {"axis": "x", "reference_system": "EPSG:32632"}}
    made = cube(array, **{n: dimension(KIND[n], labels[n], **more.get(n, {})) for n in order})
    if dtype != "float64":
        made |= {"dtype": dtype, "nodata": -999} if dtype != "float32" else {"dtype": dtype}
    return made


def lookup(part):
    order, labels, array = part
    index = [{label: i for i, label in enumerate(labels[n])} for n in order]

    def value(at):
        places = [table.get(at[n]) for n, table in zip(order, index)]
        return None if None in places else array[tuple(places)]

    return value


def joined(parts, name):
    labels = [part[1].get(name) for part in parts]
    if None in labels:
        return labels[0] or labels[1]
    both = labels[0] + [label for label in labels[1] if label not in labels[0]]
    return sorted(both) if name in ("t", "x") else both


def expected(parts, names):
    values, labels = [lookup(part) for part in parts], [joined(parts, n) for n in names]
    out, overlaps = numpy.empty([len(part) for part in labels]), False
    for place in itertools.product(*(range(len(part)) for part in labels)):
        at = {n: labels[i][place[i]] for i, n in enumerate(names)}
        a, b = values[0](at), values[1](at)
        overlaps = overlaps or (a is not None and b is not None)
        out[place] = numpy.nan if a is None and b is None else b if a is None else a if b is None else a - b
    return out, labels, overlaps


@pytest.mark.parametrize("seed", range(24))
def test_random_cubes(tmp_path, seed):
    random = numpy.random.default_rng(seed)
    parts = draw(random)
    types = random.choice(["float64", "float32", "int16"], 2)
    cubes = [inline(part, dtype) for part, dtype in zip(parts, types)]
    step = ("merge_cubes", {"cube1": cubes[0], "cube2": cubes[1]})
    leading = parts[1][0] if len(parts[1][0]) > len(parts[0][0]) else parts[0][0]
    want, labels, overlaps = expected(parts, leading)
    resolver = {"overlap_resolver": callback("subtract", ["x", "y"])}
    if overlaps:
        assert failure(tmp_path, chain(step)).startswith("OverlapResolverMissing")
    for arguments in ([resolver] if overlaps else [{}, resolver]):
        for threads in (1, 2):
            result = run(tmp_path, chain((step[0], step[1] | arguments)), "--threads", threads)
            assert [d["name"] for d in result["dimensions"]] == leading
            assert [d["labels"] for d in result["dimensions"]] == labels
            numpy.testing.assert_array_equal(numpy.array(result["data"], dtype="float64").reshape(want.shape), want)
    if not overlaps and set(types) == {"int16"}:
        assert run(tmp_path, chain(step))["dtype"] == "int16"


def test_merged_and_filtered_again(tmp_path):
    """Without an overlap each cube comes back by its labels."""
    random = numpy.random.default_rng(3)
    arrays = random.normal(size=(2, 3, 4))
    parts = [cube(array, bands=dimension("bands", names), x=dimension("spatial", [1.0, 2.0, 3.0, 4.0], axis="x"))
             for array, names in zip(arrays, (["a", "b", "c"], ["d", "e", "f"]))]
    for array, names in zip(arrays, (["a", "b", "c"], ["d", "e", "f"])):
        graph = chain(("merge_cubes", {"cube1": parts[0], "cube2": parts[1]}), ("filter_bands", {"bands": names}))
        numpy.testing.assert_array_equal(run(tmp_path, graph)["data"], array)


@pytest.mark.parametrize("change, code", [
    ({"x": dimension("temporal", ["2020-01-01"])}, "IncompatibleDataCubes")])
def test_what_does_not_fit(tmp_path, change, code):
    one, two = cube([1.0], x=dimension("bands", ["2020-01-01"])), cube([1.0], **change)
    assert failure(tmp_path, chain(("merge_cubes", {"cube1": one, "cube2": two}))).startswith(code)
