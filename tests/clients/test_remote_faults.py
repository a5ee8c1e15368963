"""Hosts that fail while something is read of them, for whatever is read by ranges: what fails for a moment changes no
value, and what goes on failing is an error that names the address, never a value. Cases run side by side, for most of
their time they wait."""

import concurrent.futures
import functools
import json
import pathlib
import tempfile
import threading

import h5py
import numpy as np
import pytest
import xarray
import zarr

from remote_host import Fault, RemoteHost
from test_references import references
from test_remote_accounts import accounts, bearer
from test_remote_files import execute, item, load, put, raster, refusal
from test_remote_stac import cube_item

SHAPE = (3, 256, 256)
MAIN = {"cog": "d/a.tif", "netcdf": "d/a.h5", "references": "d/a.h5", "zarr": "d/z.zarr/v/1.1.1", "page": "i.json"}


def values(seed=3):
    return np.random.default_rng(seed).integers(1, 30000, SHAPE).astype("<i2")


def hdf5(path, data):
    with h5py.File(path, "w") as file:
        for name, size in zip(("time", "y", "x"), SHAPE):
            file.create_dataset(name, data=np.arange(size, dtype="f8")).make_scale(name)
            file[name].attrs["units"] = {"time": "days since 2020-01-01", "y": "degrees_north",
                                         "x": "degrees_east"}[name]
        file.create_dataset("v", data=data, chunks=(1, 128, 128))
        for axis, name in enumerate(("time", "y", "x")):
            file["v"].dims[axis].attach_scale(file[name])
    return path


def hierarchy(folder, data):
    group = zarr.open_group(folder, mode="w", zarr_format=2)
    for name, numbers in zip(("time", "y", "x"), map(np.arange, SHAPE)):
        made = group.create_array(name, shape=numbers.shape, dtype="f8")
        made[:] = numbers
        made.attrs.update({"_ARRAY_DIMENSIONS": [name], "units": {"time": "days since 2020-01-01", "y": "degrees_north",
                                                                  "x": "degrees_east"}[name]})
    made = group.create_array("v", shape=SHAPE, chunks=(1, 128, 128), dtype="<i2", compressors=None)
    made[:] = data
    made.attrs["_ARRAY_DIMENSIONS"] = ["time", "y", "x"]
    zarr.consolidate_metadata(folder, zarr_format=2)


@functools.cache
def files_of(kind, seed):
    """Files by name, the document that names them, a band of it and its values. Made by one thread."""
    with tempfile.TemporaryDirectory() as place:
        folder, data = pathlib.Path(place), values(seed)
        if kind in ("cog", "page"):
            data, content = raster(seed, compress="none")
            return {"d/a.tif": content}, item("a", {"B1": "d/a.tif"}), "B1", data[0]
        if kind == "zarr":
            hierarchy(folder / "z", data)
            files = {f"d/z.zarr/{path.relative_to(folder / 'z')}": path.read_bytes()
                     for path in (folder / "z").rglob("*") if path.is_file()}
            return files, cube_item("z", "d/z.zarr", "application/vnd+zarr"), "v", data
        files = {"d/a.h5": hdf5(folder / "a.h5", data).read_bytes()}
        if kind == "netcdf":
            return files, cube_item("z", "d/a.h5", "application/netcdf"), "v", data
        files["d/r.json"] = json.dumps({"version": 1, "refs": references(folder / "a.h5", "a.h5")}).encode()
        return files, cube_item("z", "d/r.json", "application/vnd+zarr"), "v", data


def publish(host, kind, seed=3):
    """The address of an item of files of the host, a band of it and the values that it has."""
    files, document, band, data = files_of(kind, seed)
    host.files |= files
    return put(host, "i.json", document), band, data


READING = threading.Lock()  # the libraries of files are no thread's but one's


def passes(folder, kind, faults):
    with RemoteHost() as host:
        url, band, data = publish(host, kind)
        host.faults[MAIN[kind]] = list(faults)
        done = execute(folder, url, remote=[host.url])
        assert done.returncode == 0, done.stderr
        with READING, xarray.open_dataset(folder / "out.nc", mask_and_scale=False) as file:
            assert np.array_equal(np.squeeze(file[band].values), data), kind
        return len(host.faults[MAIN[kind]]) < len(faults) - (faults[0] is None)  # some were met


def stays(folder, kind, fault):
    """The first request is answered where there are several."""
    with RemoteHost() as host:
        url, _, _ = publish(host, kind)
        host.faults[MAIN[kind]] = [None] if kind not in ("page", "zarr") else []
        host.always[MAIN[kind]] = fault
        said = refusal(folder, url, [host.url])
        assert host.url + MAIN[kind] in said, said
        return said.split(":")[0]


def changes(folder, kind, first):
    """Another state of the file, as long as before, after so many requests: an error, or one of the two, for a slow
    reader asks for more at once and may need no other request."""
    with RemoteHost() as host:
        later = publish(host, kind, 4)[2]
        after = host.files[MAIN[kind]]
        url, band, data = publish(host, kind)
        host.faults[MAIN[kind]] = [None] * first + [Fault("become", after)]
        done = execute(folder, url, remote=[host.url])
        if done.returncode:
            return "changed" in done.stderr
        with READING, xarray.open_dataset(folder / "out.nc", mask_and_scale=False) as file:
            found = np.squeeze(file[band].values)
        return any(np.array_equal(found, whole) for whole in (data, later))


def expires(folder, kind):
    """A token that is good for some requests."""
    seen = []
    with RemoteHost() as host:
        url, _, _ = publish(host, kind)
        good = bearer("Bearer abc.def", seen)
        host.admits = lambda handler: 401 if host.count(MAIN[kind]) > 1 else good(handler)
        said = refusal(folder, url, [host.url], *accounts(folder, url=host.url, token_file="abc.def"))
        assert "token" in said and host.url in said, said
        return said.split(":")[0]


def side_by_side(tmp_path, cases):
    """What each (function, arguments…) returns, in their order."""
    def run(number, function, *arguments):
        folder = tmp_path / str(number)
        folder.mkdir()
        return function(folder, *arguments)

    for kind in MAIN:
        for seed in (3, 4):
            files_of(kind, seed)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(run, number, *case) for number, case in enumerate(cases)]
        return [future.result() for future in futures]


def test_what_fails_for_a_moment_changes_nothing(tmp_path):
    faults = [Fault("reset"), Fault("short"), Fault("status", 503)], [Fault("status", 429), Fault("long")]
    some = [(passes, kind, turn) for kind in MAIN for turn in faults]
    shifted = [(passes, kind, [None, Fault("shifted", 512)]) for kind in ("cog", "netcdf", "references")]
    drip = [(passes, "netcdf", [None, Fault("drip")])]  # slower than is waited for
    assert side_by_side(tmp_path, drip + some + shifted) == [True] * (len(some) + 4)


def test_what_goes_on_failing_is_an_error(tmp_path):
    cases = [(kind, fault) for kind in MAIN for fault in (Fault("short"), Fault("reset"), Fault("status", 429))
             if kind != "cog"]
    assert side_by_side(tmp_path, [(stays, *case) for case in cases]) == ["InfrastructureBusy"] * len(cases)


def test_files_that_change_meanwhile(tmp_path):
    cases = [(changes, kind, first) for kind in ("netcdf", "references") for first in (1, 2)]
    assert side_by_side(tmp_path, cases) == [True] * len(cases)


def test_tokens_that_run_out(tmp_path):
    cases = [(expires, kind) for kind in ("cog", "netcdf", "references")]
    found = side_by_side(tmp_path, cases)
    assert found[0] in ("PermissionsInsufficient", "FileContentInvalid")  # blocks of rasters are the file's content
    assert found[1:] == ["PermissionsInsufficient"] * 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_says_when_to_come_again(tmp_path, status):
    with RemoteHost() as host:
        url, band, data = publish(host, "cog")
        host.faults["d/a.tif"] = [Fault("later", (status, 1))]
        assert np.array_equal(load(tmp_path, host, url)[band].values[0], data)
        first, second = [when for path, when in host.times if path == "d/a.tif"][:2]
        assert second - first >= 1
