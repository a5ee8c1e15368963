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


# ---- items of a band that are packed differently ----


def test_scenes_of_different_packing_are_loaded_as_what_they_stand_for(subject, tmp_path):
    """Two scenes a date that mosaic, each with its own scale, offset and no-data value; one of them without any."""
    rng = numpy.random.default_rng(10)
    packings, nodata = [(1e-4, -0.1), (2e-4, 0.25), (1.0, 0.0)], [0, 7, 255]
    place = tmp_path / "mixed"
    place.mkdir()
    wanted = numpy.full((3, SIDE, SIDE), numpy.nan)
    for t, date in enumerate(DATES):
        for number in range(2):
            k = (t + number) % 3
            stored = rng.integers(0, 9, (SIDE, SIDE)).astype("uint16")
            write(place / f"{date}_{number}_B1.tif", stored, nodata[k], packings[k])
            values = numpy.where(stored == nodata[k], numpy.nan, stored * packings[k][0] + packings[k][1])
            wanted[t] = numpy.where(numpy.isnan(wanted[t]), values, wanted[t])
    subject.add("mixed", place, "--band", "_(B[0-9])")
    assert_same(values_of(subject, steps(load("mixed")))[:, 0], wanted)
    mean = callback(("mean", {"data": "$data"}))
    with numpy.errstate(invalid="ignore"):
        got = values_of(subject, steps(load("mixed"), ("reduce_dimension", {"dimension": "t", "reducer": mean})))
        assert_same(got[0], numpy.nanmean(wanted, 0))
    cut = ("filter_temporal", {"extent": ["2020-01-01", "2020-01-02"]})
    for nodes, part in (([cut], wanted[:1]), ([("resample_spatial", {"resolution": 5, "method": "near"})],
                                             wanted.repeat(2, 1).repeat(2, 2))):
        with dataset(subject, steps(load("mixed"), *nodes)) as file:
            assert file["B1"].dtype == numpy.float32 and not hasattr(file["B1"], "scale_factor")
            assert_same(numpy.ma.filled(file["B1"][:], numpy.nan), part)


@pytest.mark.parametrize("dtype,unpacked", [("uint8", "f4"), ("int16", "f4"), ("int32", "f8"), ("float32", "f4")])
def test_unpacking_by_order_of_the_operator(subject, tmp_path, dtype, unpacked):
    stored = numpy.random.default_rng(11).integers(1, 120, (len(DATES), 2, SIDE, SIDE)).astype(dtype)
    stored[0, 0, :3] = 0
    name = series(subject, tmp_path, f"unpack{dtype}", stored, 0, (0.01, -3.5), ["--unpack"])
    truth = numpy.where(stored == 0, numpy.nan, stored * 0.01 - 3.5)
    with dataset(subject, steps(load(name))) as file:
        assert file["B1"].dtype == numpy.dtype(unpacked) and not hasattr(file["B1"], "scale_factor")
        got = numpy.stack([numpy.ma.filled(file[band][:], numpy.nan) for band in BANDS], 1)
    assert_same(got, truth)
    scaled = callback(("add", {"x": "$x", "y": 1}))
    assert_same(values_of(subject, steps(load(name), ("apply", {"process": scaled}))), truth + 1)


# ---- validity beside the pixels ----


def with_alpha(path, values, valid):
    data = numpy.stack([*values, numpy.where(valid, 255, 0).astype(values.dtype)])
    colours = {1: "Gray+Alpha", 3: "RGBA"}[len(values)]
    write(path, data, photometric="RGB" if colours == "RGBA" else "MINISBLACK", alpha="YES")


def bytes_of(valid):
    return numpy.where(valid, 255, 0).astype("uint8")


def beside(path, values, valid):
    write(path, values)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(path, "r+") as file:
        file.write_mask(bytes_of(valid))
    assert path.with_name(path.name + ".msk").exists()


MASKS = {
    "inside": lambda path, values, valid: write(path, values, mask=bytes_of(valid)),
    "beside": beside,
    "tiled": lambda path, values, valid: write(path, values, mask=bytes_of(valid), tiled=True, blockxsize=16,
                                               blockysize=16, compress="deflate"),
    "alpha": with_alpha,
    "with no-data": lambda path, values, valid: write(path, values, 250, mask=bytes_of(valid)),
}


@pytest.mark.parametrize("kind", MASKS)
def test_masked_pixels_hold_nothing(subject, tmp_path, kind):
    """A masked collection is what one with NaN in these places is: loaded, mosaicked, resampled by every method."""
    rng = numpy.random.default_rng(15)
    name = kind.replace(" ", "").replace("-", "")
    masked, plain = tmp_path / "masked", tmp_path / "plain"
    for folder in (masked, plain):
        folder.mkdir()
    for date in DATES[:2]:
        for number in range(2):
            values = rng.integers(1, 200, (1, SIDE, SIDE)).astype("uint8")
            valid = rng.random((SIDE, SIDE)) < 0.7
            MASKS[kind](masked / f"{date}_{number}_B1.tif", values, valid)
            floats = numpy.where(valid, values, numpy.nan).astype("float32")
            write(plain / f"{date}_{number}_B1.tif", floats, float("nan"))
    subject.add(f"masked{name}", masked, "--band", "_(B[0-9])")
    subject.add(f"plain{name}", plain, "--band", "_(B[0-9])")
    band = "B1_1" if kind == "alpha" else "B1"
    for nodes in ([], [("resample_spatial", {"resolution": 7, "method": "near"})],
                  [("resample_spatial", {"resolution": 25, "method": "average"})],
                  [("resample_spatial", {"resolution": 4, "method": "bilinear"})]):
        got = values_of(subject, steps(load(f"masked{name}"), ("filter_bands", {"bands": [band]}), *nodes))
        wanted = values_of(subject, steps(load(f"plain{name}"), *nodes))
        if nodes and nodes[0][1]["method"] != "near" and kind == "with no-data":  # the type stays
            wanted = numpy.round(wanted) if numpy.array_equal(got, numpy.round(got), equal_nan=True) else wanted
            numpy.testing.assert_allclose(got, wanted, atol=1, equal_nan=True)
        else:
            assert_same(got, wanted)
        assert numpy.isnan(got).any() or nodes


def test_a_fourth_band_with_a_name_is_data(subject, tmp_path):
    """Writers call the fourth of four byte bands alpha."""
    values = numpy.random.default_rng(4).integers(0, 3, (4, SIDE, SIDE)).astype("uint8")
    for named in (True, False):
        place = tmp_path / f"named{named}"
        place.mkdir()
        path = write(place / "20200101_x.tif", values)
        if named:
            with rasterio.open(path, "r+") as file:
                file.descriptions = ("red", "green", "blue", "nir")
        subject.add(f"named{named}", place)
        got = values_of(subject, steps(load(f"named{named}")))[0]
        wanted = values.astype(float)
        if not named:
            wanted[:3] = numpy.where(values[3] == 0, numpy.nan, wanted[:3])
        assert_same(got, wanted)


def test_text_holds_what_packed_values_stand_for(subject, tmp_path):
    """JSON and CSV cannot say how to read a code, netCDF and GeoTIFF can."""
    stored = numpy.random.default_rng(14).integers(0, 200, (len(DATES), 2, SIDE, SIDE)).astype("int16")
    name = series(subject, tmp_path, "texts", stored, 0, (0.01, -3.5))
    truth = numpy.where(stored == 0, numpy.nan, stored * 0.01 - 3.5)
    document = json.loads(subject.run(steps(load(name))))
    assert_same(numpy.array(document["data"], dtype=float), truth)
    assert document["data"][0][0][0][0] in (None, round(truth[0, 0, 0, 0], 2))
    lines = subject.run(steps(load(name)), output="result.csv").decode().splitlines()
    table = [dict(zip(lines[0].split(","), line.split(","))) for line in lines[1:]]
    for column, part in zip(BANDS, truth.swapaxes(0, 1)):
        assert_same(numpy.array([float(row[column] or "nan") for row in table]), part.ravel())
    second = callback(("array_element", {"data": "$data", "index": 1}))
    band = ("reduce_dimension", {"dimension": "bands", "reducer": second})
    assert_same(values_of(subject, steps(load(name), band)), truth[:, 1])
    computed = ("apply", {"process": callback(("add", {"x": "$x", "y": 0}))})
    assert_same(values_of(subject, steps(load(name), computed)), numpy.where(stored == 0, numpy.nan, stored))


# ---- integers without a no-data value ----


@pytest.mark.parametrize("method", ["near", "bilinear", "average", "max"])
def test_integers_stay_where_every_pixel_is_covered(subject, tmp_path, method):
    stored = numpy.random.default_rng(19).integers(0, 250, (len(DATES), 2, SIDE, SIDE)).astype("uint8")
    name = series(subject, tmp_path, f"covered{method}", stored)
    for resolution, kept in ((20, True), (5, True), (11, True), (7, False)):  # 7: a centre east of the edge at 120
        graph = steps(load(name), ("resample_spatial", {"resolution": resolution, "method": method}))
        with dataset(subject, graph) as file:
            assert file["B1"].dtype == (numpy.uint8 if kept else numpy.float32)
            gap = not kept and method in ("near", "bilinear")  # the others have what part of a pixel lies inside
            assert numpy.ma.is_masked(file["B1"][:]) == gap
            got = numpy.ma.filled(file["B1"][:].astype(float), numpy.nan)
        if method == "near":
            places = ((numpy.arange(got.shape[1]) + 0.5) * resolution / 10).astype(int)
            wanted = numpy.pad(stored[:, 0].astype(float), ((0, 0), (0, 1), (0, 1)), constant_values=numpy.nan)
            assert_same(got, wanted[:, places][:, :, places])
        if resolution == 20 and method == "average":
            wanted = stored[:, 0].reshape(3, SIDE // 2, 2, SIDE // 2, 2).mean((2, 4))
            numpy.testing.assert_allclose(got, wanted, atol=0.5)
    projected = steps(load(name), ("resample_spatial", {"projection": 32633, "resolution": 10, "method": method}))
    with dataset(subject, projected) as file:
        assert file["B1"].dtype == numpy.float32 and numpy.ma.is_masked(file["B1"][:])
    west, north = 500030, 4999970
    box = {"west": west, "east": west + 60, "north": north, "south": north - 60, "crs": 32632}
    inner = ("filter_bbox", {"extent": box})
    with dataset(subject, steps(load(name), inner, ("resample_spatial", {"resolution": 20, "method": method}))) as file:
        assert file["B1"].dtype == numpy.uint8 and file["B1"].shape[1:] == (3, 3)


def test_counts_beside_packed_values_are_counts(subject, tmp_path):
    stored = numpy.random.default_rng(20).integers(1, 9, (len(DATES), 2, SIDE, SIDE)).astype("int16")
    name = series(subject, tmp_path, "zones", stored, 0, (SCALE, OFFSET))
    ring = [[500000, 4999880], [500120, 4999880], [500120, 5000000], [500000, 5000000], [500000, 4999880]]
    place = {"type": "Polygon", "coordinates": [ring], "crs": {"type": "name", "properties": {"name": "EPSG:32632"}}}
    zones = {"geometries": place, "reducer": callback(("max", {"data": "$data"}))}
    got = values_of(subject, steps(load(name), ("aggregate_spatial", zones)))
    assert_same(got.reshape(3, 2), stored.max((2, 3)) * SCALE + OFFSET)
    got = values_of(subject, steps(load(name), ("aggregate_spatial", {**zones, "target_dimension": "what"})))
    assert_same(got.reshape(3, 3, 2)[1:], numpy.full((2, 3, 2), SIDE * SIDE))
    assert_same(got.reshape(3, 3, 2)[0], stored.max((2, 3)))
