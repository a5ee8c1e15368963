"""Documents of references (version 1 of Kerchunk's form): what they give is what the files hold to which they lead.

Documents here are made with h5py and by hand, so they owe nothing to the program's own writer.
"""

import base64
import json
import subprocess

import h5py
import numpy as np
import pytest
import xarray

from conftest import BINARY
from remote_host import Fault, RemoteHost
from test_remote_files import load as load_remote, put, refusal
from test_remote_stac import cube_item
from test_zarr_input import load, stored

SHAPE, CHUNKS = (3, 24, 30), (1, 10, 16)
DIMENSIONS = {"time": ("i4", np.arange(3), {"units": "days since 2020-01-01"}),
              "y": ("f8", 50 - .5 * np.arange(24), {}), "x": ("f8", 10 + .5 * np.arange(30), {})}


def values():
    return np.random.default_rng(5).integers(-300, 300, SHAPE).astype("<i2")


def dataset(path, **options):
    """An HDF5 file of netCDF's conventions with packed values."""
    with h5py.File(path, "w") as file:
        for name, (dtype, numbers, attributes) in DIMENSIONS.items():
            file.create_dataset(name, data=numbers.astype(dtype)).make_scale(name)
            file[name].attrs.update(attributes)
        options = {"chunks": CHUNKS, "compression": "gzip", "shuffle": True, **options}
        data = file.create_dataset("v", data=values(), fillvalue=-999, **options)
        data.attrs.update({"scale_factor": .5, "add_offset": 10., "_FillValue": np.int16(-999)})
        for axis, name in enumerate(DIMENSIONS):
            data.dims[axis].attach_scale(file[name])
    return path


def plain(value):
    return value.item() if isinstance(value, np.generic) else value


def references(path, target, inline=base64.b64encode):
    """What h5py says of its chunks, as references; coordinates inline."""
    refs = {".zgroup": '{"zarr_format": 2}', ".zattrs": "{}"}
    with h5py.File(path) as file:
        for name, array in file.items():
            filters = [{"id": "shuffle", "elementsize": array.dtype.itemsize}] if array.shuffle else None
            packed = {"id": "zlib", "level": 4} if array.compression else None
            attributes = {key: plain(array.attrs[key]) for key in ("units", "scale_factor", "add_offset", "_FillValue")
                          if key in array.attrs}
            names = [name] if array.ndim == 1 else list(DIMENSIONS)
            refs[f"{name}/.zattrs"] = json.dumps({**attributes, "_ARRAY_DIMENSIONS": names})
            refs[f"{name}/.zarray"] = json.dumps({
                "zarr_format": 2, "shape": array.shape, "chunks": array.chunks or array.shape, "order": "C",
                "dtype": array.dtype.str, "fill_value": plain(array.fillvalue), "filters": filters,
                "compressor": packed})
            if array.chunks is None:
                refs[f"{name}/{'.'.join('0' * array.ndim)}"] = (
                    "base64:" + inline(array[...].tobytes()).decode() if array.ndim == 1
                    else [target, array.id.get_offset(), array.nbytes])
                continue
            for i in range(array.id.get_num_chunks()):
                chunk = array.id.get_chunk_info(i)
                index = ".".join(str(at // size) for at, size in zip(chunk.chunk_offset, array.chunks))
                refs[f"{name}/{index}"] = [target, chunk.byte_offset, chunk.size]
    return refs


def write(path, refs, **more):
    path.write_text(json.dumps({"version": 1, **more, "refs": refs}))
    return path


@pytest.mark.parametrize("options", [{}, {"compression": None, "shuffle": False},
                                     {"compression": None, "shuffle": False, "chunks": None}], ids=str)
def test_values_are_those_of_the_file(tmp_path, options):
    refs = references(dataset(tmp_path / "a.h5", **options), "a.h5")
    read = load(tmp_path, write(tmp_path / "r.json", refs))
    assert np.allclose(stored(read, "v"), values() * .5 + 10)
    with xarray.open_dataset(read) as file:
        assert np.array_equal(file.x, DIMENSIONS["x"][1]) and str(file.t.values[2])[:10] == "2020-01-03"


def test_templates_whole_files_and_folders(tmp_path):
    """Targets by a template, by their full path, as file: and as a whole; a chunk that is not there is fill."""
    (tmp_path / "deep").mkdir()
    refs = references(dataset(tmp_path / "deep" / "a.h5", compression=None, shuffle=False), "{{u}}/a.h5")
    keys = [key for key in refs if key.startswith("v/") and "z" not in key]
    refs[keys[0]][0], refs[keys[1]][0] = str(tmp_path / "deep/a.h5"), f"file://{tmp_path}/deep/a.h5"
    bytes_of = (tmp_path / "deep/a.h5").read_bytes()
    _, at, length = refs[keys[2]]
    (tmp_path / "one").write_bytes(bytes_of[at:at + length])
    refs[keys[2]] = ["one"]
    gone = [int(at) for at in keys[3].split("/")[1].split(".")]
    del refs[keys[3]]
    expected = values() * .5 + 10
    expected[tuple(slice(i * size, (i + 1) * size) for i, size in zip(gone, CHUNKS))] = np.nan
    path = load(tmp_path, write(tmp_path / "r.json", refs, templates={"u": "deep"}))
    with xarray.open_dataset(path) as file:
        assert np.allclose(file["v"], expected, equal_nan=True)


def first_chunk(refs):
    return next(key for key in refs if key.startswith("v/") and "z" not in key)


def damage(what):
    """A document with one fault, and the code and a word of the error."""
    def change(refs, more):
        key = first_chunk(refs)
        if what == "beyond":
            refs[key][1] = 10**9
        elif what == "overflow":
            refs[key][1:] = [2**63, 2**63]
        elif what == "negative":
            refs[key][1] = -1
        elif what == "cut":
            refs[key][2] -= 3
        elif what == "two":
            refs[key] = refs[key][:2]
        elif what == "number":
            refs[key] = 7
        elif what == "base64":
            refs[key] = "base64:%%%"
        elif what == "gen":
            more["gen"] = [{"key": "v/{{i}}", "url": "a.h5", "dimensions": {"i": [0]}}]
        elif what == "function":
            refs[key][0] = "{{u(c='x')}}"
            more["templates"] = {"u": "{{c}}.h5"}
        elif what == "missing":
            refs[key][0] = "b.h5"
        elif what == "document":
            refs["v/.zarray"] = "{"
        elif what == "scheme":
            refs[key][0] = "ftp://example.org/a.h5"
        else:
            refs[key][0] = what
    return change


@pytest.mark.parametrize(("what", "code"), [
    ("beyond", "FileContentInvalid"), ("overflow", "FileContentInvalid"), ("negative", "FileContentInvalid"),
    ("cut", "FileContentInvalid"), ("two", "FileContentInvalid"), ("number", "FileContentInvalid"),
    ("base64", "FileContentInvalid"), ("gen", "FeatureUnsupported"), ("function", "FeatureUnsupported"),
    ("missing", "FileContentInvalid"), ("document", "FileContentInvalid"), ("scheme", "FeatureUnsupported"),
    ("../a.h5", "FileContentInvalid"), ("/etc/passwd", "FileContentInvalid"), ("link.h5", "FileContentInvalid"),
    ("r.json", "FileContentInvalid"), ("https://127.0.0.1:1/a.h5", "FeatureUnsupported")], ids=str)
def test_damage_is_an_error(tmp_path, what, code):
    (tmp_path / "d").mkdir()
    dataset(tmp_path / "a.h5")
    (tmp_path / "d" / "link.h5").symlink_to(tmp_path / "a.h5")
    refs, more = references(dataset(tmp_path / "d" / "a.h5"), "a.h5"), {}
    damage(what)(refs, more)
    path = write(tmp_path / "d" / "r.json", refs, **more)
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps({"load": {"process_id": "load_collection", "result": True, "arguments": {
        "id": "Z", "spatial_extent": None, "temporal_extent": None}}}))
    for words in (["catalogue", "add", "--data", tmp_path / "c", "--id", "Z", path],
                  ["run", graph, "--data", tmp_path / "c", "-o", tmp_path / "out.nc"]):
        done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            break
    assert done.returncode == 1 and code in done.stderr, done.stderr


def test_documents_of_another_host(tmp_path):
    """Its references lead to files beside it, by ranges; none leads to this machine."""
    refs = references(dataset(tmp_path / "a.h5"), "a.h5")
    with RemoteHost({"d/a.h5": (tmp_path / "a.h5").read_bytes()}) as host:
        put(host, "d/r.json", {"version": 1, "refs": refs})
        url = put(host, "i.json", cube_item("z", "d/r.json", "application/vnd+zarr"))
        host.faults["d/a.h5"] = [Fault("status", 503), None, Fault("reset")]
        assert np.allclose(load_remote(tmp_path, host, url)["v"], values() * .5 + 10)
        assert all(span for path, span, _ in host.requests if path == "d/a.h5")
        for target in ("../../x.h5", "file:///etc/passwd", "/etc/passwd"):
            refs[first_chunk(refs)][0] = target
            put(host, "d/r.json", {"version": 1, "refs": refs})
            assert "FileContentInvalid" in refusal(tmp_path, url, [host.url])
        refs[first_chunk(refs)][0] = "http://127.0.0.1:9/a.h5"
        put(host, "d/r.json", {"version": 1, "refs": refs})
        assert "PermissionsInsufficient" in refusal(tmp_path, url, [host.url])


def test_bytes_that_are_changed_anywhere_are_an_error_or_data(tmp_path):
    """Documents with bytes changed at random: never a signal, always an end."""
    random = np.random.default_rng(8)
    refs = references(dataset(tmp_path / "a.h5"), "a.h5")
    whole = bytearray(write(tmp_path / "r.json", refs).read_bytes())
    for i in range(12):
        broken = whole.copy()
        for at in random.integers(0, len(broken), 1 + i % 3):
            broken[at] = random.choice(list(b'{}[]",:09-ae\\\x00\xff'))
        (tmp_path / "r.json").write_bytes(broken if i % 4 else whole[:random.integers(len(whole))])
        done = subprocess.run([BINARY, "catalogue", "add", "--data", tmp_path / f"c{i}", "--id", "Z",
                               tmp_path / "r.json"], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode in (0, 1), done.stderr
