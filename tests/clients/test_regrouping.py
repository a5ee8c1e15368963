"""Windows, planes, flattened and split dimensions, trimmed cubes: against NumPy, on several threads and in little
memory, also beyond the length at which reducers take an array in parts."""

import functools

import numpy
import pytest

from cube_tools import callback, chain, cube, dimension, failure, labels, run, values

HEIGHT, WIDTH = 150, 201


def spatial(axis, count, start, step):
    return dimension("spatial", [start + i * step for i in range(count)], axis=axis, reference_system="EPSG:32632")


@functools.lru_cache(maxsize=None)
def plane(rising=False):
    """Three dates, with no-data; y falls or rises."""
    random = numpy.random.default_rng(11)
    array = random.normal(size=(3, HEIGHT, WIDTH)).round(2)
    array[random.random(array.shape) < 0.1] = numpy.nan
    y = spatial("y", HEIGHT, 1000, -10) if not rising else spatial("y", HEIGHT, -490, 10)
    t = dimension("temporal", ["2020-01-01", "2020-02-01", "2020-03-01"])
    return array, cube(array, t=t, y=y, x=spatial("x", WIDTH, 5, 10))


OPTIONS = [("--threads", 1), ("--threads", 2, "--memory", "128M")]


def windows(array, size, boundary, align, rising):
    """The windows as [t, row, column, pixel], their centres' offsets, by cutting and padding."""
    width, height = size
    upper, left = align.split("-")
    from_end = ((upper == "lower") != rising, left == "right")
    for axis, step, end in ((1, height, from_end[0]), (2, width, from_end[1])):
        rest = array.shape[axis] % step
        if boundary == "trim":
            keep = slice(rest, None) if end else slice(None, array.shape[axis] - rest)
            array = array[:, keep] if axis == 1 else array[:, :, keep]
        elif rest:
            pad = [(0, 0)] * 3
            pad[axis] = (step - rest, 0) if end else (0, step - rest)
            array = numpy.pad(array, pad, constant_values=numpy.nan)
    t, rows, columns = array.shape
    parts = array.reshape(t, rows // height, height, columns // width, width).swapaxes(2, 3)
    return parts.reshape(*parts.shape[:3], width * height)


@pytest.mark.parametrize("size, boundary, align, rising", [
    ((4, 3), "pad", "upper-left", False), ((7, 4), "pad", "lower-right", False), ((7, 4), "pad", "upper-right", True),
    ((7, 4), "trim", "lower-left", True), ((60, 70), "trim", "lower-right", False),
    ((100, 64), "pad", "lower-left", False),
    ((201, 1), "pad", "upper-left", False), ((1, 1), "trim", "upper-left", False)])
def test_windows(tmp_path, size, boundary, align, rising):
    array, data = plane(rising)
    want = windows(array, size, boundary, align, rising)
    for options in OPTIONS:
        result = run(tmp_path, chain(("aggregate_spatial_window", {
            "data": data, "size": list(size), "boundary": boundary, "align": align, "reducer": callback("sum")})),
            *options)
        counts = (~numpy.isnan(want)).sum(axis=-1)
        numpy.testing.assert_allclose(values(result), numpy.where(counts, numpy.nansum(want, axis=-1), numpy.nan),
                                      rtol=1e-9,
                                      atol=1e-9)
    full = run(tmp_path, chain(("aggregate_spatial_window", {
        "data": data, "size": list(size), "boundary": boundary, "align": align,
        "reducer": callback("count", condition=True)})))
    assert (values(full) == want.shape[-1]).all()


def test_centres_of_windows(tmp_path):
    """The labels are the means of those of a window's pixels; beyond the edge they go on."""
    _, data = plane()
    graph = chain(("aggregate_spatial_window", {"data": data, "size": [4, 40], "align": "lower-right",
                                                "reducer": callback("max")}))
    result = run(tmp_path, graph)
    x, y = labels(result, "x"), labels(result, "y")
    numpy.testing.assert_allclose(x, [5 + 10 * (WIDTH - 1) - 15 - 40 * k for k in range(51)][::-1])
    numpy.testing.assert_allclose(y, [1000 - 10 * (HEIGHT - 1) + 195 + 400 * k for k in range(4)][::-1])


@pytest.mark.parametrize("process, want", [
    ("mean", numpy.nanmean), ("max", numpy.nanmax), ("median", numpy.nanmedian), ("count", lambda a: (a == a).sum()),
    ("sd", lambda a: numpy.nanstd(a, ddof=1))])
def test_all_of_the_plane(tmp_path, process, want):
    array, data = plane()
    for options in OPTIONS:
        result = run(tmp_path, chain(("reduce_spatial", {"data": data, "reducer": callback(process)})), *options)
        numpy.testing.assert_allclose(values(result), [want(date) for date in array], rtol=1e-10)


def test_a_plane_against_itself(tmp_path):
    """A node that is read twice, cropped before: each date less its mean has the mean 0."""
    array, data = plane()
    graph = chain(("filter_bbox", {"data": data, "extent": {"west": 0, "east": 500, "south": 600, "north": 900,
                                                             "crs": "EPSG:32632"}}),
                  ("reduce_spatial", {"reducer": callback("mean")}))
    graph["s1"]["result"] = False
    graph["less"] = {"process_id": "merge_cubes", "arguments": {
        "cube1": {"from_node": "s0"}, "cube2": {"from_node": "s1"},
        "overlap_resolver": callback("subtract", ["x", "y"])}}
    graph["again"] = {"process_id": "reduce_spatial", "arguments": {
        "data": {"from_node": "less"}, "reducer": callback("mean")}, "result": True}
    numpy.testing.assert_allclose(values(run(tmp_path, graph)), 0, atol=1e-12)
    graph["s1"]["result"], graph["again"]["result"] = True, False
    rows = [i for i in range(HEIGHT) if 600 <= 1000 - 10 * i <= 900]
    numpy.testing.assert_allclose(values(run(tmp_path, graph)), numpy.nanmean(array[:, rows][:, :, :50], axis=(1, 2)))


@pytest.mark.parametrize("names", [["t", "y", "x"], ["x", "t"], ["y", "t"], ["t", "x"], ["y", "x"], ["y"]])
def test_flattened_and_split_again(tmp_path, names):
    random = numpy.random.default_rng(2)
    array = random.normal(size=(3, 40, 27))
    array[random.random(array.shape) < 0.1] = numpy.nan
    whole = cube(array, t=dimension("temporal", ["2020-01-01", "2020-02-01", "2020-03-01"]),
                 y=spatial("y", 40, 1000, -10), x=spatial("x", 27, 5, 10))
    order = ["t", "y", "x"]
    rest = [name for name in order if name not in names]
    moved = array.transpose([order.index(name) for name in names + rest])
    flat = moved.reshape(-1, *moved.shape[len(names):])
    for options in OPTIONS:
        result = run(tmp_path, chain(("flatten_dimensions", {
            "data": whole, "dimensions": names, "target_dimension": "f", "label_separator": " & "})), *options)
        assert [d["name"] for d in result["dimensions"]] == ["f", *rest]
        numpy.testing.assert_array_equal(values(result), flat)
        if len(names) == 1:
            continue
        back = run(tmp_path, chain(
            ("flatten_dimensions", {"data": whole, "dimensions": names, "target_dimension": "f"}),
            ("unflatten_dimension", {"dimension": "f", "target_dimensions": [name + "_" for name in names]})), *options)
        numpy.testing.assert_array_equal(values(back), moved)
        for name in names:
            assert labels(back, name + "_") == [str(v) if name != "t" else v + "T00:00:00Z" for v in (
                int(v) if name != "t" else v for v in whole["dimensions"][name]["values"])]


def test_parts_of_flattened_dimensions(tmp_path):
    """What is computed from a part of a flattened dimension asks for no more than that part; reducers take it in
    parts."""
    array, data = plane()
    graph = chain(("flatten_dimensions", {"data": data, "dimensions": ["x", "t", "y"], "target_dimension": "f"}),
                  ("reduce_dimension", {"dimension": "f", "reducer": callback("max")}))
    assert values(run(tmp_path, graph, *OPTIONS[1])) == numpy.nanmax(array)
    graph = chain(("flatten_dimensions", {"data": data, "dimensions": ["x", "y"], "target_dimension": "f"}),
                  ("apply_dimension", {"dimension": "f", "process": callback("cumsum")}))
    flat = numpy.nan_to_num(array.transpose(0, 2, 1).reshape(3, -1)).cumsum(axis=1).T
    have = values(run(tmp_path, graph, *OPTIONS[1]))
    there = ~numpy.isnan(have)
    numpy.testing.assert_allclose(have[there], flat[there], rtol=1e-9, atol=1e-9)
    assert there.mean() > 0.8


def test_labels_that_are_not_all_pairs(tmp_path):
    """Pairs in any order, some of them missing."""
    random = numpy.random.default_rng(6)
    pairs = [f"{a}~{b}~{c}" for a in "pqr" for b in "12" for c in "xyz"]
    chosen = random.permutation(len(pairs))[:11]
    array = random.normal(size=(11, 2))
    result = run(tmp_path, chain(("unflatten_dimension", {
        "data": cube(array, f=dimension("other", [pairs[i] for i in chosen]), x=spatial("x", 2, 0, 1)),
        "dimension": "f", "target_dimensions": ["a", "b", "c"]})))
    a, b, c = (labels(result, name) for name in "abc")
    have, seen = values(result), 0
    for i, p in enumerate(a):
        for j, q in enumerate(b):
            for k, s in enumerate(c):
                at = [n for n, pair in enumerate(chosen) if pairs[pair] == f"{p}~{q}~{s}"]
                numpy.testing.assert_array_equal(have[i, j, k], array[at[0]] if at else [numpy.nan] * 2)
                seen += len(at)
    assert seen == 11


@pytest.mark.parametrize("seed", range(4))
def test_trimmed(tmp_path, seed):
    """Ends of axes, bands anywhere; after a warp of what was cropped, and again when nothing is left to be cut."""
    random = numpy.random.default_rng(seed)
    array = numpy.full((4, 5, 30, 40), numpy.nan)
    for _ in range(random.integers(1, 4)):
        array[random.integers(4), random.integers(5), random.integers(30), random.integers(40)] = random.normal()
    data = cube(array, t=dimension("temporal", [f"2020-01-0{i + 1}" for i in range(4)]),
                bands=dimension("bands", [f"B{i}" for i in range(5)]), y=spatial("y", 30, 1000, -10),
                x=spatial("x", 40, 5, 10))
    there = ~numpy.isnan(array)

    def ends(axis):
        some = numpy.nonzero(there.any(axis=tuple(d for d in range(4) if d != axis)))[0]
        return numpy.arange(some[0], some[-1] + 1)

    bands = numpy.nonzero(there.any(axis=(0, 2, 3)))[0]
    want = array[numpy.ix_(ends(0), bands, ends(2), ends(3))]
    for options in OPTIONS:
        result = run(tmp_path, chain(("trim_cube", {"data": data}), ("trim_cube", {})), *options)
        numpy.testing.assert_array_equal(values(result), want)
        assert labels(result, "bands") == [f"B{i}" for i in bands]
        assert labels(result, "x") == [5 + 10 * i for i in ends(3)]


def test_trimmed_where_blocks_are_not_known(tmp_path):
    _, data = plane()
    error = failure(tmp_path, chain(("apply_neighborhood", {
        "data": data, "process": callback("trim_cube"), "size": [{"dimension": "x", "value": 10, "unit": "px"},
                                                                  {"dimension": "y", "value": 10, "unit": "px"}]})))
    assert error.startswith("FeatureUnsupported") and "block" in error
