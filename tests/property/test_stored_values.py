"""What stored numbers stand for: no-data values that computed values happen to equal, packing, masks.

Truth is NumPy on the numbers that were written. The files hold all small numbers, so that every no-data value is met by
what is computed sooner or later.
"""

import json

import netCDF4
import numpy
import pytest
import rasterio

SIDE = 12
BANDS = ("B1", "B2")
DATES = ("20200101", "20200109", "20200117")


def write(path, values, nodata=None, packing=None, mask=None, res=10, **options):
    """One GeoTIFF; values (y, x) or (band, y, x)."""
    values = values if values.ndim == 3 else values[None]
    transform = rasterio.transform.from_origin(500000, 5000000, res, res)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(
            path, "w", driver="GTiff", count=len(values), height=values.shape[1], width=values.shape[2],
            dtype=values.dtype, crs="EPSG:32632", transform=transform, nodata=nodata, **options) as file:
        file.write(values)
        if packing:
            file.scales, file.offsets = [packing[0]] * len(values), [packing[1]] * len(values)
        if mask is not None:
            file.write_mask(mask)
    return path


def series(subject, folder, name, values, nodata=None, packing=None, options=()):
    """A collection of values (t, band, y, x)."""
    place = folder / name
    place.mkdir()
    for date, planes in zip(DATES, values):
        for band, plane in zip(BANDS, planes):
            write(place / f"{date}_{band}.tif", plane, nodata, packing)
    subject.add(name, place, *options)
    return name


def steps(*nodes):
    """A chain of cube processes after one another: (id, arguments) each."""
    graph = {}
    for i, (process, arguments) in enumerate(nodes):
        data = {"data": {"from_node": f"n{i - 1}"}} if i else {}
        graph[f"n{i}"] = {"process_id": process, "arguments": {**data, **arguments}}
    graph[f"n{len(nodes) - 1}"]["result"] = True
    return graph


def load(name):
    return "load_collection", {"id": name, "spatial_extent": None, "temporal_extent": None}


def callback(*nodes):
    """A callback of processes after one another; "*" in the arguments stands for the one before."""
    graph, before = {}, None
    for i, (process, arguments) in enumerate(nodes):
        arguments = {key: before if value == "*" else {"from_parameter": value[1:]} if str(value).startswith("$")
                     else value for key, value in arguments.items()}
        graph[f"c{i}"] = {"process_id": process, "arguments": arguments}
        before = {"from_node": f"c{i}"}
    graph[f"c{len(nodes) - 1}"]["result"] = True
    return {"process_graph": graph}


def values_of(subject, graph, *options):
    return numpy.array(json.loads(subject.run(graph, *options))["data"], dtype=float)


def dataset(subject, graph, *options):
    return netCDF4.Dataset("result.nc", memory=subject.run(graph, *options, output="result.nc"))


def assert_same(got, wanted):
    assert got.shape == wanted.shape
    numpy.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6, equal_nan=True)


# ---- computed values that equal the no-data value ----

TYPES = {"uint8": (0, 6), "int16": (-3, 3), "uint32": (0, 6)}
ELEMENTS = {
    "clip": (callback(("clip", {"x": "$x", "min": 2, "max": 4})), lambda x: numpy.clip(x, 2, 4)),
    "larger": (callback(("max", {"data": [{"from_parameter": "x"}, 3]})), lambda x: numpy.fmax(x, 3)),
    "smaller": (callback(("min", {"data": [{"from_parameter": "x"}, 1], "ignore_nodata": False})),
                lambda x: numpy.minimum(x, 1)),
    "if": (callback(("lt", {"x": "$x", "y": 2}), ("if", {"value": "*", "accept": 0, "reject": "$x"})),
           lambda x: numpy.where(x < 2, 0, x)),
    "filled": (callback(("is_nodata", {"x": "$x"}), ("if", {"value": "*", "accept": 2, "reject": "$x"})),
               lambda x: numpy.where(numpy.isnan(x), 2, x)),
    "absolute": (callback(("absolute", {"x": "$x"})), abs),
}


@pytest.mark.parametrize("dtype", TYPES)
def test_computed_values_are_no_missing_ones(subject, tmp_path, dtype):
    low, high = TYPES[dtype]
    rng = numpy.random.default_rng(16)
    stored = rng.integers(low, high, (len(DATES), 2, SIDE, SIDE)).astype(dtype)
    for nodata in (0, 2):
        name = series(subject, tmp_path, f"s{dtype}{nodata}", stored, nodata)
        truth = numpy.where(stored == nodata, numpy.nan, stored.astype(float))
        for process, numpys in ELEMENTS.values():
            assert_same(values_of(subject, steps(load(name), ("apply", {"process": process}))), numpys(truth))


def test_replacements_counts_and_merged_values_are_no_missing_ones(subject, tmp_path):
    rng = numpy.random.default_rng(17)
    stored = rng.integers(0, 5, (len(DATES), 2, SIDE, SIDE)).astype("int32")
    a = series(subject, tmp_path, "ra", stored, 0)
    b = series(subject, tmp_path, "rb", stored[::-1].copy(), 4)
    truth = numpy.where(stored == 0, numpy.nan, stored.astype(float))
    other = numpy.where(stored[::-1] == 4, numpy.nan, stored[::-1].astype(float))
    over = {"m": {"process_id": "apply", "arguments": {
        "data": {"from_node": "n0"}, "process": callback(("gt", {"x": "$x", "y": 2}))}}}
    masked = {**steps(load(a), ("mask", {"mask": {"from_node": "m"}, "replacement": 0})), **over}
    assert_same(values_of(subject, masked), numpy.where(truth > 2, 0, truth))
    count = callback(("count", {"data": "$data"}))
    for process, arguments in (("reduce_dimension", {"dimension": "t", "reducer": count}),
                               ("aggregate_temporal_period", {"period": "year", "reducer": count})):
        got = values_of(subject, steps(load(a), (process, arguments)))
        assert_same(got.reshape(2, SIDE, SIDE), (~numpy.isnan(truth)).sum(0).astype(float))
    resolver = callback(("is_nodata", {"x": "$x"}), ("if", {"value": "*", "accept": "$y", "reject": "$x"}))
    merged = {"a": {"process_id": load(a)[0], "arguments": load(a)[1]},
              "b": {"process_id": load(b)[0], "arguments": load(b)[1]},
              "m": {"process_id": "merge_cubes", "result": True, "arguments": {
                  "cube1": {"from_node": "a"}, "cube2": {"from_node": "b"}, "overlap_resolver": resolver}}}
    assert_same(values_of(subject, merged), numpy.where(numpy.isnan(truth), other, truth))


def test_selected_values_keep_their_type(subject, tmp_path):
    stored = numpy.random.default_rng(18).integers(0, 5, (len(DATES), 2, SIDE, SIDE)).astype("uint8")
    name = series(subject, tmp_path, "kept", stored, 0)
    for process in (callback(("clip", {"x": "$x", "min": 2, "max": 4})), ELEMENTS["larger"][0]):
        with dataset(subject, steps(load(name), ("apply", {"process": process}))) as file:
            assert file["B1"].dtype == numpy.uint8 and file["B1"]._FillValue == 0


# ---- packing ----

SCALE, OFFSET = 0.5, 100.0
REDUCERS = {
    "first": True, "last": True, "max": True, "min": True, "count": False, "sum": False, "sd": False,
    "variance": False, "product": False, "mean": False, "median": False,
}


@pytest.mark.parametrize("reducer", REDUCERS)
def test_only_stored_values_keep_the_packing(subject, tmp_path, reducer):
    stored = numpy.random.default_rng(12).integers(1, 9, (len(DATES), 2, SIDE, SIDE)).astype("int16")
    name = series(subject, tmp_path, f"pack{reducer}", stored, 0, (SCALE, OFFSET))
    process = callback((reducer, {"data": "$data"}))
    numpys = {"first": lambda x, axis: x[0], "last": lambda x, axis: x[-1], "product": numpy.prod,
              "count": lambda x, axis: numpy.full(x.shape[1:], len(x)),
              "sd": lambda x, axis: x.std(axis, ddof=1), "variance": lambda x, axis: x.var(axis, ddof=1)}
    wanted = numpys.get(reducer, getattr(numpy, reducer, None))(stored.astype(float), axis=0)
    for graph in (steps(load(name), ("reduce_dimension", {"dimension": "t", "reducer": process})),
                  steps(load(name), ("aggregate_temporal_period", {"period": "year", "reducer": process}))):
        with dataset(subject, graph) as file:
            assert hasattr(file["B1"], "scale_factor") == REDUCERS[reducer]
            got = numpy.stack([file[band][:] for band in BANDS]).reshape(wanted.shape)
        assert_same(numpy.ma.filled(got, numpy.nan), wanted * SCALE + OFFSET if REDUCERS[reducer] else wanted)


def test_views_keep_the_packing_and_arithmetic_has_none(subject, tmp_path):
    stored = numpy.random.default_rng(13).integers(1, 9, (len(DATES), 2, SIDE, SIDE)).astype("int16")
    name = series(subject, tmp_path, "views", stored, 0, (SCALE, OFFSET))
    for nodes, keeps in (
            ([("filter_bands", {"bands": ["B2"]})], True),
            ([("filter_temporal", {"extent": ["2020-01-05", "2020-01-12"]})], True),
            ([("resample_spatial", {"resolution": 20, "method": "near"})], True),
            ([("apply", {"process": callback(("absolute", {"x": "$x"}))})], False),
            ([("apply", {"process": callback(("add", {"x": "$x", "y": 0}))})], False),
            ([("apply", {"process": callback(("clip", {"x": "$x", "min": 2, "max": 3}))})], False),
            ([("apply_kernel", {"kernel": [[1.0]]})], False),
            ([("apply_dimension", {"dimension": "t", "process": callback(("cumsum", {"data": "$data"}))})], False),
            ([("apply_dimension", {"dimension": "t", "process": callback(("rearrange", {
                "data": "$data", "order": [2, 0, 1]}))})], True),
            ([("reduce_dimension", {"dimension": "bands", "reducer": callback(("array_element", {
                "data": "$data", "label": "B2"}))})], True)):
        with dataset(subject, steps(load(name), *nodes)) as file:
            [variable] = [file[v] for v in file.variables if file[v].dtype.kind in "if" and file[v].ndim >= 3][-1:]
            assert hasattr(variable, "scale_factor") == keeps, nodes
