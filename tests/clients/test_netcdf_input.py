"""netCDF files as people write them: packing, the many ways to say "missing", groups, filters, and what is not read.

The answers are netCDF4-python's own decoding (masked and scaled), or numbers worked out by hand.
"""

import json
import subprocess

import h5py
import netCDF4
import numpy as np
import pytest

from conftest import BINARY

LOAD = {"process_id": "load_collection", "arguments": {"id": "c", "spatial_extent": None, "temporal_extent": None}}


def make(path, axes=(("y", [50, 49]), ("x", [10, 11, 12])), group=None):
    """A file with these coordinates, packed ones as dictionaries of attributes beside their stored values."""
    file = netCDF4.Dataset(path, "w")
    place = file if group is None else file.createGroup(group)
    units = {"x": "degrees_east", "y": "degrees_north", "time": "days since 2001-01-01"}
    for name, values, *attributes in axes:
        place.createDimension(name, len(values))
        variable = place.createVariable(name, np.asarray(values).dtype if attributes else "f8", (name,))
        variable.set_auto_maskandscale(False)
        variable.setncatts({"units": units.get(name, "1"), **(attributes[0] if attributes else {})})
        variable[:] = values
    return file, place


def put(place, name, values, kind, dimensions=("y", "x"), fill=None, attributes=None, **options):
    variable = place.createVariable(name, kind, dimensions, fill_value=fill, **options)
    variable.set_auto_maskandscale(False)
    variable.setncatts(attributes or {})
    variable[:] = values
    return variable


def call(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)


def add(tmp_path, *options, name="x.nc"):
    return call("catalogue", "add", "--data", tmp_path / "data", "--id", "c", *options, str(tmp_path / name))


def compute(tmp_path, graph=None):
    """The JSON result of a graph, by default the whole collection."""
    added = add(tmp_path)
    assert added.returncode == 0, added.stderr
    (tmp_path / "graph.json").write_text(json.dumps(graph or {"load": {**LOAD, "result": True}}))
    run = call("run", tmp_path / "graph.json", "--data", tmp_path / "data", "-o", tmp_path / "out.json")
    assert run.returncode == 0, run.stderr
    return json.loads((tmp_path / "out.json").read_text())


def band(document, name="a"):
    """Values of a band, NaN where missing; the band dimension is taken away."""
    names = [dimension["name"] for dimension in document["dimensions"]]
    labels = document["dimensions"][names.index("bands")]["labels"]
    values = np.array(document["data"], dtype=object)
    values = np.where(values == None, np.nan, values).astype(float)  # noqa: E711
    return np.take(values, labels.index(name), axis=names.index("bands"))


def labels(document, name):
    return next(dimension["labels"] for dimension in document["dimensions"] if dimension["name"] == name)


MISSING = {
    "fill": ("i2", -99, {}, [[-99, 1, 2], [3, 4, 5]], [[None, 1, 2], [3, 4, 5]]),
    "several": ("i2", -99, {"missing_value": np.array([-1, -2, -3], "i2")}, [[-99, -1, -2], [-3, 4, 5]],
                [[None, None, None], [None, 4, 5]]),
    "text": ("f4", None, {"missing_value": "-999."}, [[-999, 1, 2], [3, 4, 5]], [[None, 1, 2], [3, 4, 5]]),
    "range": ("i2", None, {"valid_range": np.array([0, 100], "i2")}, [[-1, 0, 50], [100, 101, 7]],
              [[None, 0, 50], [100, None, 7]]),
    "least and most": ("f4", None, {"valid_min": np.float32(0), "valid_max": np.float32(10)},
                       [[-1, 0, 5], [10, 11, np.nan]], [[None, 0, 5], [10, None, None]]),
    "library's own": ("i2", None, {}, [[-32767, 1, 2], [3, 4, 5]], [[None, 1, 2], [3, 4, 5]]),
    "all bytes are data": ("u1", None, {}, [[255, 0, 2], [3, 4, 5]], [[255, 0, 2], [3, 4, 5]]),
    "unsigned": ("i1", -1, {"_Unsigned": "true", "valid_max": np.int8(-56)}, [[-1, -56, -55], [3, 4, 5]],
                 [[None, 200, None], [3, 4, 5]]),
    "packed": ("i2", -99, {"scale_factor": .5, "add_offset": 10.}, [[-99, 0, 2], [3, 4, 5]],
               [[None, 10, 11], [11.5, 12, 12.5]]),
    "packed, range as stored": ("i2", None, {"scale_factor": .5, "valid_range": np.array([0, 4], "i2")},
                                [[-1, 0, 2], [3, 4, 5]], [[None, 0, 1], [1.5, 2, None]]),
    "packed, range as meant": ("i2", None, {"scale_factor": .5, "valid_range": np.array([0, 2], "f8")},
                               [[-1, 0, 2], [3, 4, 5]], [[None, 0, 1], [1.5, 2, None]]),
    "negative scale, range as meant": ("i2", None, {"scale_factor": -.1, "valid_min": np.float32(-.4)},
                                       [[-1, 0, 2], [3, 4, 5]], [[.1, 0, -.2], [-.3, -.4, None]]),
    "unsigned and packed": ("i1", -1, {"_Unsigned": "true", "scale_factor": np.float32(.5)},
                            [[-1, -2, 2], [3, 4, 5]], [[None, 127, 1], [1.5, 2, 2.5]]),
    "fine steps on a large offset": ("i2", -99, {"scale_factor": .001, "add_offset": 100000.},
                                     [[-99, 1, 2], [3, 4, 5]],
                                     [[None, 100000.001, 100000.002], [100000.003, 100000.004, 100000.005]]),
    "64 bits": ("i8", None, {"missing_value": np.int64(2**53)}, [[2**53, 2**52, 2], [3, 4, 5]],
                [[None, 2**52, 2], [3, 4, 5]]),
}


@pytest.mark.parametrize("case", MISSING)
def test_missing_and_packed(tmp_path, case):
    kind, fill, attributes, stored, expected = MISSING[case]
    file, place = make(tmp_path / "x.nc")
    put(place, "a", np.array(stored, kind), kind, fill=fill, attributes=attributes)
    file.close()
    np.testing.assert_allclose(band(compute(tmp_path)), np.array(expected, float), rtol=1e-6, atol=0)


def test_random_packing_as_netcdf4_decodes_it(tmp_path):
    rng = np.random.default_rng(7)
    file, place = make(tmp_path / "x.nc", (("y", np.arange(40.)[::-1]), ("x", np.arange(300.))))
    for i, kind in enumerate(("i1", "u1", "i2", "u2", "i4", "f4", "f8")):
        low, high = (-100, 100) if kind[0] in "if" else (0, 200)
        put(place, f"v{i}", rng.integers(low, high, (40, 300)).astype(kind), kind, fill=3, zlib=i % 2 == 0,
            attributes={"scale_factor": rng.uniform(-2, 2), "add_offset": rng.uniform(-9, 9),
                        "missing_value": np.array([5, 6], kind), "valid_range": np.array([low + 20, high - 9], kind)})
    file.close()
    document = compute(tmp_path)
    with netCDF4.Dataset(tmp_path / "x.nc") as truth:
        for name in labels(document, "bands"):
            expected = np.ma.filled(truth[name][:].astype(float), np.nan)
            np.testing.assert_allclose(band(document, name), expected, rtol=1e-6, atol=1e-5, err_msg=name)


def test_packed_coordinates(tmp_path):
    packed = {"scale_factor": .5, "add_offset": 10.}
    file, place = make(tmp_path / "x.nc", (("time", np.array([0, 1, 3], "i2"), packed),
                                           ("level", np.array([0, 2], "i2"), packed),
                                           ("y", np.array([80, 79], "i2"), {"scale_factor": .5, "add_offset": 0.}),
                                           ("x", np.array([-2, -1, 0], "i1"),
                                            {"_Unsigned": "true", "scale_factor": .5})))
    put(place, "a", np.arange(36.).reshape(3, 2, 2, 3), "f4", ("time", "level", "y", "x"))
    file.close()
    document = compute(tmp_path)
    assert labels(document, "t") == ["2001-01-11T00:00:00Z", "2001-01-11T12:00:00Z", "2001-01-12T12:00:00Z"]
    assert labels(document, "level") == [10, 11]
    assert labels(document, "y") == [40, 39.5]
    assert labels(document, "x") == [127, 127.5, 0]


def test_packed_bounds_of_a_lone_pixel(tmp_path):
    """The width of a single pixel comes from bounds that are packed as their coordinate."""
    packed = {"scale_factor": .5, "add_offset": 10., "bounds": "x_bnds"}
    file, place = make(tmp_path / "x.nc", (("y", [50, 49]), ("x", np.array([4], "i2"), packed)))
    place.createDimension("two", 2)
    put(place, "x_bnds", np.array([[2, 6]], "i2"), "i2", ("x", "two"))
    put(place, "a", [[1], [2]], "f4")
    file.close()
    added = add(tmp_path)
    assert added.returncode == 0, added.stderr
    (tmp_path / "graph.json").write_text(json.dumps({"load": {**LOAD, "result": True}}))
    run = call("run", tmp_path / "graph.json", "--data", tmp_path / "data", "-o", tmp_path / "out.tif")
    assert run.returncode == 0, run.stderr
    rasterio = pytest.importorskip("rasterio")
    with rasterio.open(tmp_path / "out.tif") as tif:
        assert tif.bounds.left == 11 and tif.bounds.right == 13


def test_packed_through_crop_count_and_warp(tmp_path):
    rng = np.random.default_rng(1)
    file, place = make(tmp_path / "x.nc", (("y", np.arange(50.)[::-1]), ("x", np.arange(60.))))
    stored = rng.integers(0, 200, (50, 60)).astype("i2")
    stored[rng.random((50, 60)) < .3] = -99
    put(place, "a", stored, "i2", fill=-99, attributes={"scale_factor": .01, "add_offset": 273.15})
    file.close()
    meant = np.where(stored == -99, np.nan, stored * .01 + 273.15)
    crop = {"process_id": "filter_bbox", "arguments": {"data": {"from_node": "load"}, "extent": {
        "west": 9.5, "east": 29.5, "south": 9.5, "north": 39.5}}}
    count = {"process_id": "reduce_dimension",
             "arguments": {"data": {"from_node": "crop"}, "dimension": "x", "reducer": {
        "process_graph": {"r": {"process_id": "count", "arguments": {"data": {"from_parameter": "data"}},
                                "result": True}}}}}
    document = compute(tmp_path, {"load": LOAD, "crop": crop, "count": {**count, "result": True}})
    part = meant[10:40, 10:30]
    np.testing.assert_array_equal(band(document), np.isfinite(part).sum(axis=1))
    warp = {"process_id": "resample_spatial",
            "arguments": {"data": {"from_node": "crop"}, "resolution": 2, "method": "near"}}
    document = compute(tmp_path, {"load": LOAD, "crop": crop, "warp": {**warp, "result": True}})
    values = band(document)
    assert np.nanmin(values) >= 273.15 and np.nanmax(values) < 275.16 and 50 < np.isfinite(values).sum() < 150


def test_groups(tmp_path):
    file, place = make(tmp_path / "x.nc", group="PRODUCT")
    put(place, "a", [[1, 2, 3], [4, 5, 6]], "f4", attributes={"grid_mapping": "mapping"})
    inner = place.createGroup("DETAIL")
    put(inner, "b", [[10, 20, 30], [40, 50, 60]], "f4", zlib=True)
    put(inner, "a", [[7, 7, 7], [8, 8, 8]], "f4")
    mapping = file.createVariable("mapping", "i4")
    mapping.epsg_code = 4258
    file.close()
    document = compute(tmp_path)
    assert labels(document, "bands") == ["PRODUCT/a", "b", "PRODUCT/DETAIL/a"]
    np.testing.assert_array_equal(band(document, "b"), [[10, 20, 30], [40, 50, 60]])
    np.testing.assert_array_equal(band(document, "PRODUCT/a"), [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(band(document, "PRODUCT/DETAIL/a"), [[7, 7, 7], [8, 8, 8]])
    assert labels(document, "y") == [50, 49]


@pytest.mark.parametrize("other", [{"contiguous": True}, {"fletcher32": True}, {"shuffle": True, "zlib": True}, {}])
def test_storages_beside_each_other(tmp_path, other):
    file, place = make(tmp_path / "x.nc")
    put(place, "a", [[1, 2, 3], [4, 5, 6]], "f4", zlib=True)
    put(place, "b", [[7, 8, 9], [10, 11, 12]], "f4", **other)
    file.close()
    document = compute(tmp_path)
    np.testing.assert_array_equal(band(document, "a"), [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(band(document, "b"), [[7, 8, 9], [10, 11, 12]])


def test_zstd(tmp_path):
    """Raw chunks, and a variable with a checksum, which goes through the library."""
    rng = np.random.default_rng(3)
    file, place = make(tmp_path / "x.nc", (("y", np.arange(40.)[::-1]), ("x", np.arange(300.))))
    values = rng.integers(0, 9, (40, 300)).astype("i4")
    put(place, "a", values, "i4", compression="zstd", shuffle=True, chunksizes=(16, 64))
    put(place, "b", values + 1, "i4", compression="zstd", shuffle=False, fletcher32=True, chunksizes=(16, 64))
    file.close()
    document = compute(tmp_path)
    np.testing.assert_array_equal(band(document, "a"), values)
    np.testing.assert_array_equal(band(document, "b"), values + 1)


def test_variables_over_other_dimensions_are_named_and_can_be_had(tmp_path):
    file, place = make(tmp_path / "x.nc", (("level", [1, 2]), ("y", [50, 49]), ("x", [10, 11, 12])))
    put(place, "a", np.zeros((2, 3)), "f4")
    put(place, "b", np.zeros((2, 3)), "f4")
    put(place, "t", np.arange(12).reshape(2, 2, 3), "f4", ("level", "y", "x"))
    file.close()
    added = add(tmp_path)
    assert added.returncode == 0 and "t (level, y, x)" in added.stderr and "FILE:VARIABLE" in added.stderr
    assert add(tmp_path, name="x.nc:t").returncode == 0
    (tmp_path / "graph.json").write_text(json.dumps({"load": {**LOAD, "result": True}}))
    run = call("run", tmp_path / "graph.json", "--data", tmp_path / "data", "-o", tmp_path / "out.json")
    assert run.returncode == 0, run.stderr
    np.testing.assert_array_equal(band(json.loads((tmp_path / "out.json").read_text()), "t"),
                                  np.arange(12).reshape(2, 2, 3))
    assert add(tmp_path, name="x.nc:absent").returncode != 0


def test_unknown_filters_are_named(tmp_path):
    with h5py.File(tmp_path / "x.nc", "w") as file:
        for name, count in (("y", 2), ("x", 3)):
            file[name] = np.arange(float(count))
            file[name].make_scale(name)
        for name, compression in (("good", "gzip"), ("bad", "lzf")):
            file.create_dataset(name, data=np.ones((2, 3), "f4"), chunks=(2, 3), compression=compression)
            for d, axis in enumerate("yx"):
                file[name].dims[d].attach_scale(file[axis])
    added = add(tmp_path)
    assert added.returncode == 0 and "bad" in added.stderr and "lzf" in added.stderr
    with h5py.File(tmp_path / "x.nc", "a") as file:
        del file["good"]
    added = add(tmp_path)
    assert added.returncode != 0 and "lzf" in added.stderr and "32000" in added.stderr


def foreign_link(path, secret):
    with h5py.File(path, "a") as file:
        file["stolen"] = h5py.ExternalLink(str(secret), "/a")


def foreign_storage(path, secret):
    with h5py.File(path, "a") as file:
        dataset = file.create_dataset("stolen", (2, 3), "u1", external=[(str(secret), 0, 6)])
        for d, axis in enumerate("yx"):
            dataset.dims[d].attach_scale(file[axis])


def virtual(path, secret):
    layout = h5py.VirtualLayout((2, 3), "f4")
    layout[:] = h5py.VirtualSource(str(secret), "a", (2, 3))
    with h5py.File(path, "a") as file:
        group = file.create_group("inner")
        group.create_virtual_dataset("stolen", layout)


@pytest.mark.parametrize("how", [foreign_link, foreign_storage, virtual])
def test_files_that_read_other_files_are_refused(tmp_path, how):
    for name in ("x.nc", "secret.nc"):
        file, place = make(tmp_path / name)
        put(place, "a", [[1, 2, 3], [4, 5, 6]], "f4")
        file.close()
    how(tmp_path / "x.nc", tmp_path / "secret.nc")
    added = add(tmp_path)
    reason = "virtual dataset" if how is virtual else "another file"
    assert added.returncode != 0 and "stolen" in added.stderr and reason in added.stderr
