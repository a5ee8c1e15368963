"""Zarr hierarchies as collections: versions, types, codecs and layouts of zarr-python, against its own reading."""

import json
import os
import subprocess

import numpy as np
import pytest
import xarray
import zarr
from numcodecs import CRC32, Adler32, BitRound, Blosc, Delta, FixedScaleOffset, GZip, Quantize, Shuffle, Zlib, Zstd
from zarr.codecs import numcodecs as v3
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec

from conftest import BINARY, twincube

SHAPE, CHUNKS = (3, 13, 17), (2, 5, 8)
TIMES = np.array([0, 2, 31])


def values(dtype, shape=SHAPE):
    random = np.random.default_rng(4)
    if np.dtype(dtype).kind == "b":
        return random.integers(0, 2, shape).astype(dtype)
    if np.dtype(dtype).kind in "iu":
        return random.integers(*(1, 100) if np.dtype(dtype).itemsize < 8 else (2**53, 2**62), shape).astype(dtype)
    real = random.normal(size=shape)
    return (real + 1j * random.normal(size=shape) if np.dtype(dtype).kind == "c" else real).astype(dtype)


def add_array(group, name, data, names, attributes=None, **options):
    version = group.metadata.zarr_format
    options.setdefault("chunks", CHUNKS if data.ndim == 3 else data.shape)
    array = group.create_array(name, shape=data.shape, dtype=data.dtype, attributes=attributes or {},
                               **({"dimension_names": names} if version == 3 else {}), **options)
    if version == 2:
        array.attrs["_ARRAY_DIMENSIONS"] = list(names)
    array[...] = data
    return array


def make(path, version, data, attributes=None, about=None, **options):
    """A hierarchy with one array "data" over (time, y, x), y descending."""
    group = zarr.open_group(path, mode="w", zarr_format=version, attributes=about or {})
    add_array(group, "data", data, ("time", "y", "x"), attributes, **options)
    add_array(group, "time", TIMES, ("time",), {"units": "days since 2020-01-01", "calendar": "standard"},
              chunks=(1,))
    add_array(group, "y", 5000000 - 10. * np.arange(SHAPE[1]), ("y",), chunks=(4,))
    add_array(group, "x", 600000 + 10. * np.arange(SHAPE[2]), ("x",))
    return group


def run(graph, data, out, *options):
    path = out.parent / "graph.json"
    path.write_text(json.dumps(graph))
    return subprocess.run([BINARY, "run", path, "--data", data, "-o", out, *options], capture_output=True, text=True,
                          timeout=60, check=False)


def load(folder, source, out="out.nc", **arguments):
    """The cube that a collection of the hierarchy gives, as this program writes it."""
    twincube("catalogue", "add", "--data", folder / "catalogue", "--id", "Z", source)
    graph = {"load": {"process_id": "load_collection", "result": True, "arguments": {
        "id": "Z", "spatial_extent": None, "temporal_extent": None, **arguments}}}
    done = run(graph, folder / "catalogue", folder / out, "--threads", "2")
    assert done.returncode == 0, done.stderr
    return folder / out


def stored(path, name="data"):
    with xarray.open_dataset(path, mask_and_scale=False, decode_times=False) as file:
        return file[name].values


TYPES = ["u1", "i1", "<u2", ">i2", "<i4", ">u4", "<i8", ">u8", "<f4", ">f4", "<f8"]


@pytest.mark.parametrize(("version", "dtype"), [(2, dtype) for dtype in TYPES] + [(3, dtype) for dtype in TYPES[3:8]])
def test_types(tmp_path, version, dtype):
    data = values(dtype)
    serial = {"serializer": BytesCodec(endian="big" if dtype[0] == ">" else "little")} if version == 3 else {}
    make(tmp_path / "a.zarr", version, data.astype(data.dtype.newbyteorder("=")) if version == 3 else data,
         compressors=None, **serial)
    read = stored(load(tmp_path, tmp_path / "a.zarr"))
    assert read.dtype == data.dtype.newbyteorder("=") and np.array_equal(read, data)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("dtype", ["c8", "c16", "bool"])
def test_types_that_are_more_than_numbers(tmp_path, version, dtype):
    data = values(dtype)
    make(tmp_path / "a.zarr", version, data)
    load(tmp_path, tmp_path / "a.zarr", "out.zarr")
    read = zarr.open_group(tmp_path / "out.zarr", mode="r")["data"]
    assert np.array_equal(read[...].astype(dtype), data)


def codecs_2():
    return {"none": {"compressors": None}, "zlib": {"compressors": Zlib(3)}, "gzip": {"compressors": GZip(3)},
            "zstd": {"compressors": Zstd(3)}, "shuffled": {"compressors": Zlib(3), "filters": [Shuffle(4)]},
            **{f"blosc {name} {how}": {"compressors": Blosc(name, 5, how)}
               for name, how in (("lz4", 1), ("zstd", 2), ("zlib", 0), ("blosclz", 1), ("lz4hc", 2))},
            "columns first": {"order": "F"}, "columns first, shuffled": {"order": "F", "filters": [Shuffle(4)]},
            "rounded": {"filters": [BitRound(8), Quantize(2, "<f4")]}, "sums": {"filters": [CRC32(), Adler32()]},
            "slashes": {"chunk_key_encoding": {"name": "v2", "separator": "/"}}}


def codecs_3():
    return {"none": {"compressors": None}, "gzip": {"compressors": GzipCodec(level=3)},
            "zstd with sums": {"compressors": [ZstdCodec(checksum=True), Crc32cCodec()]},
            "blosc": {"compressors": BloscCodec(cname="zstd", shuffle="bitshuffle")},
            "two": {"compressors": [BloscCodec(cname="lz4", shuffle="shuffle", typesize=4), GzipCodec()]},
            "turned": {"filters": [TransposeCodec(order=(2, 0, 1))]},
            "turned twice": {"filters": [TransposeCodec(order=(2, 0, 1)), TransposeCodec(order=(1, 0, 2))]},
            "dots": {"chunk_key_encoding": {"name": "default", "separator": "."}},
            "old names": {"chunk_key_encoding": {"name": "v2", "separator": "."}},
            "shards": {"shards": (4, 10, 16)}, "shards, packed": {"shards": (2, 15, 8), "compressors": ZstdCodec()}}


@pytest.mark.parametrize(("version", "name"), [(2, name) for name in codecs_2()] + [(3, name) for name in codecs_3()])
def test_codecs(tmp_path, version, name):
    data = values("f4")
    data[1, 2, 3] = np.nan
    make(tmp_path / "a.zarr", version, data, **(codecs_2() if version == 2 else codecs_3())[name])
    data = zarr.open_group(tmp_path / "a.zarr", mode="r")["data"][...] if name == "rounded" else data
    read = stored(load(tmp_path, tmp_path / "a.zarr"))
    assert np.array_equal(read, data, equal_nan=True)


FILTERS = [("f4", FixedScaleOffset(offset=3, scale=10, dtype="<f4", astype="<i2")),
           (">f8", FixedScaleOffset(offset=-2.5, scale=1000, dtype=">f8", astype="<i4")),
           ("f8", FixedScaleOffset(offset=1, scale=2, dtype="<f8", astype="<f4")),
           ("i4", Delta(dtype="<i4", astype="<i2")), ("u1", Delta(dtype="|u1")), ("i8", Delta(dtype="<i8")),
           ("f4", Delta(dtype="<f4"))]


@pytest.mark.parametrize(("dtype", "filter_"), FILTERS, ids=str)
def test_filters_that_change_the_numbers(tmp_path, dtype, filter_):
    make(tmp_path / "a.zarr", 2, values(dtype), filters=[filter_], compressors=Zlib(1))
    expected = zarr.open_group(tmp_path / "a.zarr", mode="r")["data"][...]
    assert np.array_equal(stored(load(tmp_path, tmp_path / "a.zarr")), expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["delta", "scale"])
def test_filters_of_version_3(tmp_path, name):
    how = {"delta": v3.Delta(dtype="<f4"), "scale": v3.FixedScaleOffset(offset=3, scale=10, dtype="<f4", astype="<i2")}
    make(tmp_path / "a.zarr", 3, values("f4"), filters=[how[name]])
    expected = zarr.open_group(tmp_path / "a.zarr", mode="r")["data"][...]
    assert np.array_equal(stored(load(tmp_path, tmp_path / "a.zarr")), expected)


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 0, 2), (2, 1, 0)])
def test_shards_of_turned_arrays(tmp_path, order):
    """Axes change places before the array is cut into shards' chunks: zarr-python reads what a turned array has."""
    data, shards = values("f4", (20, 18, 13)), (20, 20, 20)
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    add_array(group, "data", data.transpose(order), ("time", "y", "x"), chunks=tuple((2, 5, 4)[d] for d in order),
              shards=shards)
    for name, count in zip(("time", "y", "x"), data.shape):
        add_array(group, name, np.arange(count) * 1., (name,))
    edit(tmp_path / "a.zarr" / "data" / "zarr.json", lambda d: (
        d.update(shape=data.shape), d["chunk_grid"]["configuration"].update(chunk_shape=shards),
        d["codecs"].insert(0, {"name": "transpose", "configuration": {"order": order}})))
    assert np.array_equal(zarr.open_group(tmp_path / "a.zarr", mode="r")["data"][...], data)
    assert np.array_equal(stored(load(tmp_path, tmp_path / "a.zarr")), data)


@pytest.mark.parametrize("dtype", ["i8", "u8", "u4", "i1"])
@pytest.mark.parametrize("where", ["fill of version 2", "attribute of version 2", "attribute of version 3"])
def test_the_largest_number_as_what_is_missing(tmp_path, where, dtype):
    data, most = values(dtype), int(np.iinfo(dtype).max)
    data[0, 0, 0] = most
    data[0, 0, 1] = most - 1
    attributes = {"_FillValue": most} if "attribute" in where else {}
    make(tmp_path / "a.zarr", int(where[-1]), data, attributes,
         fill_value=most if where.startswith("fill") else None if where[-1] == "2" else 0)
    with xarray.open_dataset(load(tmp_path, tmp_path / "a.zarr"), mask_and_scale=False) as read:
        assert read["data"].attrs["_FillValue"] == most and np.array_equal(read["data"].values, data)


@pytest.mark.parametrize("version", [2, 3])
def test_a_row_of_data_is_not_read_as_labels(tmp_path, version):
    """More chunks than labels may have; none of them is needed to know the cube."""
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=version)
    names, count = {"dimension_names": ("y", "x")} if version == 3 else {}, 300000
    row = group.create_array("data", shape=(1, count), chunks=(1, 1), dtype="i2", fill_value=7, **names)
    if version == 2:
        row.attrs["_ARRAY_DIMENSIONS"] = ["y", "x"]
    add_array(group, "y", np.array([5.]), ("y",))
    add_array(group, "x", np.arange(count) * 1., ("x",))
    row[0, 3] = 9
    box = {"west": 1.5, "east": 4.5, "south": 0, "north": 10, "crs": 32632}
    edit(tmp_path / "a.zarr" / ("data/.zattrs" if version == 2 else "data/zarr.json"),
         lambda d: (d if version == 2 else d["attributes"]).update({"proj:code": "EPSG:32632"}))
    read = stored(load(tmp_path, tmp_path / "a.zarr", spatial_extent=box))
    assert np.array_equal(np.squeeze(read), [7, 9, 7])


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("shards", [None, (4, 10, 16)])
def test_chunks_that_were_never_written_are_the_fill_value(tmp_path, version, shards):
    if version == 2 and shards:
        return
    data = values("i4")
    group = make(tmp_path / "a.zarr", version, data, {"_FillValue": -9} if version == 3 else {}, fill_value=-9,
                 shards=shards)
    group["data"][2, :5, :8] = -9
    group["data"][0:2, 10:, 8:16] = -9
    expected = group["data"][...]
    if shards is None:
        folder = tmp_path / "a.zarr" / "data"
        for chunk in ("1.0.0", "0.2.1") if version == 2 else ("c/1/0/0", "c/0/2/1"):
            (folder / chunk).unlink(missing_ok=True)
    out = load(tmp_path, tmp_path / "a.zarr")
    with xarray.open_dataset(out) as file:
        assert np.array_equal(np.isnan(file["data"].values), expected == -9)
        assert np.array_equal(file["data"].values[expected != -9], expected[expected != -9])


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("consolidated", [False, True])
def test_what_xarray_writes(tmp_path, version, consolidated):
    """Packed and plain variables, dates, a CRS, as xarray means them; cut by box, dates and bands."""
    cube = xarray.Dataset(
        {"packed": (("time", "y", "x"), np.round(values("f8") * 20) / 10, {"units": "K", "grid_mapping": "crs"}),
         "plain": (("time", "y", "x"), values("f8"), {"grid_mapping": "crs"}), "crs": ((), 0)},
        coords={"time": np.datetime64("2020-01-01", "ns") + TIMES.astype("m8[D]"),
                "y": 5000000 - 10. * np.arange(SHAPE[1]), "x": 600000 + 10. * np.arange(SHAPE[2])})
    cube["packed"].values[0, 4, 4] = np.nan
    cube["crs"].attrs["crs_wkt"] = "EPSG:32632"
    cube.to_zarr(tmp_path / "a.zarr", zarr_format=version, consolidated=consolidated, encoding={
        "packed": {"dtype": "i2", "scale_factor": .1, "add_offset": 5., "_FillValue": -32768, "chunks": CHUNKS}})
    box = {"west": 600015, "east": 600085, "south": 4999925, "north": 4999975, "crs": 32632}
    out = load(tmp_path, tmp_path / "a.zarr", spatial_extent=box, temporal_extent=["2020-01-02", "2020-03-01"],
               bands=["plain", "packed"])
    with xarray.open_dataset(out) as read:
        part = cube.sel(time=slice("2020-01-02", "2020-03-01"), y=slice(4999975, 4999925), x=slice(600015, 600085))
        assert part.sizes == {"time": 2, "y": 5, "x": 7}
        for name in "plain", "packed":
            np.testing.assert_allclose(read[name].values, part[name].values, rtol=1e-6)
        assert np.array_equal(read["t"].values, part["time"].values)
        assert np.array_equal(read["x"].values, part["x"].values) and np.array_equal(read["y"].values, part["y"].values)
        assert "32632" in read["crs"].attrs["crs_wkt"]


@pytest.mark.parametrize(("attributes", "about"), [
    ({"_CRS": {"wkt": "EPSG:32633"}}, {}), ({}, {"proj:code": "EPSG:32633"}), ({"proj:code": "EPSG:32633"}, {})])
def test_other_ways_to_tell_the_crs(tmp_path, attributes, about):
    make(tmp_path / "a.zarr", 3, values("f4"), attributes, about)
    with xarray.open_dataset(load(tmp_path, tmp_path / "a.zarr")) as read:
        assert "32633" in read["crs"].attrs["crs_wkt"]


def test_groups_texts_and_one_array_alone(tmp_path):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    inner = group.create_group("level")
    data = values("u2", (2, 4, 6))
    add_array(inner, "data", data, ("bands", "y", "x"), chunks=(1, 4, 4))
    add_array(inner, "bands", np.array(["röt", "nir"], dtype=np.dtypes.StringDType()), ("bands",))
    for name, count in ("y", 4), ("x", 6):
        add_array(inner, name, np.arange(count) + .5, (name,))
    read = load(tmp_path, tmp_path / "a.zarr", bands=["nir"])
    assert np.array_equal(np.squeeze(stored(read, "nir")), data[1])
    zarr.create_array(tmp_path / "b.zarr", data=data, chunks=(2, 3, 3), zarr_format=2)
    twincube("catalogue", "add", "--data", tmp_path / "catalogue", "--id", "ALONE", tmp_path / "b.zarr")
    assert np.array_equal(stored(load(tmp_path, tmp_path / "b.zarr"), "data"), data)


@pytest.mark.parametrize("version", ["2", "3"])
@pytest.mark.parametrize("dtype", ["u1", "<i2", "<f4", "<i8"])
def test_what_we_write_reads_back_with_the_same_bits(tmp_path, version, dtype):
    data = values(dtype)
    if data.dtype.kind == "f":
        data[0, 3, 3:6] = np.nan
    make(tmp_path / "a.zarr", 3, data, {"proj:code": "EPSG:32632"})
    twincube("catalogue", "add", "--data", tmp_path / "catalogue", "--id", "Z", tmp_path / "a.zarr")
    graph = {"load": {"process_id": "load_collection", "arguments": {
        "id": "Z", "spatial_extent": None, "temporal_extent": None}}, "save": {
            "process_id": "save_result", "result": True,
            "arguments": {"data": {"from_node": "load"}, "format": "Zarr", "options": {"version": int(version)}}}}
    done = run(graph, tmp_path / "catalogue", tmp_path / "b.zarr")
    assert done.returncode == 0, done.stderr
    before, after = load(tmp_path, tmp_path / "a.zarr", "a.nc"), load(tmp_path, tmp_path / "b.zarr", "b.nc")
    assert stored(after).tobytes() == stored(before).tobytes() == data.tobytes()
    with xarray.open_dataset(before) as one, xarray.open_dataset(after) as other:
        assert one.drop_attrs(deep=False).identical(other.drop_attrs(deep=False))


def test_an_asset_of_a_stac_item(tmp_path):
    data = values("f4")
    make(tmp_path / "a.zarr", 3, data)
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": [],
            "properties": {"datetime": "2020-01-01T00:00:00Z"}, "assets": {"cube": {
                "href": "./a.zarr", "type": "application/vnd.zarr; version=3", "roles": ["data"]}}}
    (tmp_path / "item.json").write_text(json.dumps(item))
    graph = {"load": {"process_id": "load_stac", "result": True, "arguments": {"url": str(tmp_path / "item.json")}}}
    (tmp_path / "empty").mkdir()
    done = run(graph, tmp_path / "empty", tmp_path / "out.nc")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(stored(tmp_path / "out.nc"), data)


def test_a_confined_worker_reads_it(connection, data, tmp_path):
    expected = values("f4")
    make(tmp_path / "a.zarr", 3, expected, shards=(4, 10, 16), compressors=BloscCodec(cname="zstd"))
    twincube("catalogue", "add", "--data", data, "--id", "ZARR", tmp_path / "a.zarr")
    cube = connection.load_collection("ZARR")
    cube.download(tmp_path / "out.nc")
    assert np.array_equal(stored(tmp_path / "out.nc"), expected)


# ---- what is wrong with it ----------------------------------------------------------------------------------------


def edit(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def cut(path, to):
    path.write_bytes(path.read_bytes()[:to])


DOCUMENTS = {  # of version 3
    "no JSON": lambda p: p.write_text("{"), "empty": lambda p: p.write_text(""),
    "nested": lambda p: p.write_text('{"a":' * 100000 + "1" + "}" * 100000),
    "zeroes": lambda p: p.write_bytes(b'{"a":1}\0\0'), "a list": lambda p: p.write_text("[]"),
    "no shape": lambda p: edit(p, lambda d: d.pop("shape")),
    "a shape below zero": lambda p: edit(p, lambda d: d.update(shape=[-3, 13, 17])),
    "a shape of fractions": lambda p: edit(p, lambda d: d.update(shape=[3.5, 13, 17])),
    "a longer shape": lambda p: edit(p, lambda d: d.update(shape=[3, 13, 17, 2])),
    "a huge shape": lambda p: edit(p, lambda d: d.update(shape=[3, 2**62, 2**62])),
    "a shape of other coordinates": lambda p: edit(p, lambda d: d.update(shape=[3, 14, 17])),
    "no chunks": lambda p: edit(p, lambda d: d["chunk_grid"]["configuration"].update(chunk_shape=[2, 0, 8])),
    "huge chunks": lambda p: edit(p, lambda d: d["chunk_grid"]["configuration"].update(chunk_shape=[2**20] * 3)),
    "one chunk more": lambda p: edit(p, lambda d: d["chunk_grid"]["configuration"].update(chunk_shape=[2, 5, 9])),
    "many dimensions": lambda p: edit(p, lambda d: d.update(shape=[1] * 20)),
    "other codecs": lambda p: edit(p, lambda d: d["codecs"].append({"name": "zfp"})),
    "another type": lambda p: edit(p, lambda d: d.update(data_type="float16")),
    "a name with slashes": lambda p: edit(p, lambda d: d.update(dimension_names=["time", "../y", "x"])),
}


def outcome(folder):
    """What adding and loading end with: the error of one of them."""
    added = subprocess.run([BINARY, "catalogue", "add", "--data", folder / "catalogue", "--id", "Z", folder / "a.zarr"],
                           capture_output=True, text=True, timeout=60, check=False)
    assert added.returncode in (0, 1), added
    if added.returncode:
        return added.stderr
    graph = {"load": {"process_id": "load_collection", "result": True, "arguments": {
        "id": "Z", "spatial_extent": None, "temporal_extent": None}}}
    done = run(graph, folder / "catalogue", folder / "out.nc")
    assert done.returncode in (0, 1), done
    return done.stderr


@pytest.mark.parametrize("name", DOCUMENTS)
def test_wrong_documents(tmp_path, name):
    make(tmp_path / "a.zarr", 3, values("f4"))
    DOCUMENTS[name](tmp_path / "a.zarr" / "data" / "zarr.json")
    error = outcome(tmp_path)
    assert error.startswith(("FileContentInvalid", "FeatureUnsupported")), error


def link_outside(path):
    secret = path.parents[2] / "secret"
    secret.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(secret)


def replace_by_pipe(path):
    path.unlink()
    os.mkfifo(path)


CHUNKS_OF_VERSION_2 = {
    "cut": lambda p: cut(p, 10), "empty": lambda p: cut(p, 0), "longer": lambda p: p.write_bytes(p.read_bytes() * 900),
    "noise": lambda p: p.write_bytes(np.random.default_rng(1).bytes(200)), "a link": link_outside,
    "a pipe": replace_by_pipe, "a folder": lambda p: (p.unlink(), p.mkdir()),
}


@pytest.mark.parametrize("codec", ["none", "zlib", "blosc lz4 1"])
@pytest.mark.parametrize("name", CHUNKS_OF_VERSION_2)
def test_wrong_chunks(tmp_path, name, codec):
    make(tmp_path / "a.zarr", 2, values("f4"), **codecs_2()[codec])
    CHUNKS_OF_VERSION_2[name](tmp_path / "a.zarr" / "data" / "0.1.1")
    assert outcome(tmp_path).startswith("FileContentInvalid")


def test_a_large_index_of_a_shard_has_its_sum(tmp_path):
    """Two of its rows changed places: each leads to a chunk, but to another one's."""
    data = np.arange(4 * 64 * 64, dtype="i4").reshape(64, 256)
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    add_array(group, "data", data, ("y", "x"), chunks=(4, 4), shards=(64, 256), compressors=None)
    for name, count in ("y", 64), ("x", 256):
        add_array(group, name, np.arange(count) * 1., (name,))
    assert np.array_equal(stored(load(tmp_path, tmp_path / "a.zarr")), data)
    shard = tmp_path / "a.zarr" / "data" / "c" / "0" / "0"
    content = bytearray(shard.read_bytes())
    index = len(content) - (16 * 16 * 64 + 4)
    content[index:index + 32] = content[index + 16:index + 32] + content[index:index + 16]
    shard.write_bytes(content)
    assert outcome(tmp_path).startswith("FileContentInvalid")


@pytest.mark.parametrize("name", ["cut", "noise", "empty", "index", "sum"])
def test_wrong_shards(tmp_path, name):
    make(tmp_path / "a.zarr", 3, values("f4"), shards=(4, 10, 16))
    shard = tmp_path / "a.zarr" / "data" / "c" / "0" / "0" / "0"
    content = bytearray(shard.read_bytes())
    if name == "cut":
        content = content[:-7]
    elif name == "noise":
        content = bytearray(np.random.default_rng(2).bytes(len(content)))
    elif name == "empty":
        content = bytearray()
    elif name == "index":
        content[-100:-4] = np.random.default_rng(2).bytes(96)
    else:
        content[-1] ^= 1
    shard.write_bytes(content)
    assert outcome(tmp_path).startswith("FileContentInvalid")


def test_nothing_is_read_through_links(tmp_path):
    make(tmp_path / "a.zarr", 3, values("f4"))
    make(tmp_path / "b.zarr", 3, values("f8"))
    (tmp_path / "b.zarr" / "data").rename(tmp_path / "elsewhere")
    (tmp_path / "b.zarr" / "data").symlink_to(tmp_path / "elsewhere")
    assert stored(load(tmp_path, tmp_path / "a.zarr")).shape == SHAPE
    done = subprocess.run([BINARY, "catalogue", "add", "--data", tmp_path / "catalogue", "--id", "B",
                           tmp_path / "b.zarr"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and done.stderr.startswith("NoDataAvailable"), done.stderr
