"""NetCDF and HDF5 files of other hosts: values are those that are read of the same file here, by few of its bytes."""

import json
import subprocess

import netCDF4
import numpy as np
import pytest
import xarray

from conftest import BINARY
from remote_host import Fault, RemoteHost
from test_references import SHAPE, dataset, values
from test_remote_files import execute, load as load_stac, put, refusal
from test_remote_stac import cube_item


def fill_in(file, record, **options):
    """Dimensions, coordinates and two variables over them, one of them packed, with missing values."""
    for name, size in zip(("time", "y", "x"), SHAPE):
        file.createDimension(name, None if record and name == "time" else size)
    for name, numbers, units in (("time", np.arange(3) * 24, "hours since 2020-01-01"),
                                 ("y", 50 - .5 * np.arange(24), "degrees_north"),
                                 ("x", 10 + .5 * np.arange(30), "degrees_east")):
        file.createVariable(name, "f8" if name != "time" else "i4", (name,))[:] = numbers
        file[name].units = units
    packed = file.createVariable("v", "i2", ("time", "y", "x"), fill_value=-999, **options)
    packed.scale_factor, packed.add_offset, packed.long_name = np.float32(.1), 10., "é"
    packed.set_auto_maskandscale(False)
    packed[:] = values()
    plain = file.createVariable("a", "f4", ("time", "y", "x"), **options)
    plain[:] = values() * .25
    plain[1, 2:4] = np.ma.masked
    file.createVariable("crs", "S1", ()).grid_mapping_name = "latitude_longitude"
    packed.grid_mapping = plain.grid_mapping = "crs"


def make(path, kind):
    forms = {"netcdf4": ("NETCDF4", {}), "deflated": ("NETCDF4", {"zlib": True, "chunksizes": (1, 10, 16)}),
             "checksums": ("NETCDF4", {"zlib": True, "fletcher32": True}),
             "zstd": ("NETCDF4", {"compression": "zstd"}), "big endian": ("NETCDF4", {"endian": "big"}),
             "classic": ("NETCDF3_CLASSIC", {}), "offset": ("NETCDF3_64BIT_OFFSET", {}),
             "cdf5": ("NETCDF3_64BIT_DATA", {}), "records": ("NETCDF3_CLASSIC", {})}
    form, options = forms[kind]
    with netCDF4.Dataset(path, "w", format=form) as file:
        fill_in(file, kind in ("records", "cdf5", "netcdf4"), **options)
    return path


def load_here(folder, path):
    graph = {"load": {"process_id": "load_collection", "result": True, "arguments": {
        "id": "Z", "spatial_extent": None, "temporal_extent": None}}}
    (folder / "graph.json").write_text(json.dumps(graph))
    for words in (["catalogue", "add", "--data", folder / "c", "--id", "Z", path],
                  ["run", folder / "graph.json", "--data", folder / "c", "-o", folder / "here.nc"]):
        subprocess.run([BINARY, *words], check=True, capture_output=True, timeout=60)
    with xarray.open_dataset(folder / "here.nc", mask_and_scale=False) as file:
        return file.load()


def moved(host, name):
    """Bytes of a file that were sent; those of requests without a range count in full."""
    spans = [span for path, span, _ in host.requests if path == name]
    ends = [span.removeprefix("bytes=").split("-") if span else (0, len(host.files[name]) - 1) for span in spans]
    return sum(min(int(last), len(host.files[name]) - 1) - int(first) + 1 for first, last in ends)


KINDS = ["netcdf4", "deflated", "checksums", "zstd", "big endian", "classic", "offset", "cdf5", "records"]


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_those_of_the_file(tmp_path, kind):
    path = make(tmp_path / "a.nc", kind)
    here = load_here(tmp_path, path)
    with RemoteHost({"d/a.nc": path.read_bytes()}) as host:
        url = put(host, "i.json", cube_item("z", "d/a.nc", "application/netcdf"))
        host.faults["d/a.nc"] = [Fault("status", 503), None, Fault("reset"), Fault("short")]
        there = load_stac(tmp_path, host, url)
        assert all(span for path, span, _ in host.requests if path == "d/a.nc"), "the file was fetched as a whole"
    xarray.testing.assert_identical(here, there)


def large(path, form, records, **options):
    data = np.random.default_rng(2).integers(0, 2**15, (40, 512, 512)).astype("i2")
    with netCDF4.Dataset(path, "w", format=form) as file:
        for name, size in zip(("time", "y", "x"), data.shape):
            file.createDimension(name, None if records and name == "time" else size)
            one = {"chunksizes": (size,)} if options else {}
            file.createVariable(name, "f8", (name,), **one)[:] = np.arange(size)
        file["time"].units, file["y"].units, file["x"].units = "days since 2020-01-01", "degrees_north", "degrees_east"
        file.createVariable("v", "i2", ("time", "y", "x"), **options)[:] = data
    return data


@pytest.mark.parametrize(("form", "records", "most", "options"), [
    ("NETCDF3_CLASSIC", False, 1e6, {}), ("NETCDF3_CLASSIC", True, 1.3e6, {}),  # the times lie in each record
    ("NETCDF4", True, 1e6, {"zlib": True, "complevel": 1, "chunksizes": (1, 256, 256)})], ids=str)
def test_of_a_large_file_few_bytes_are_sent(tmp_path, form, records, most, options):
    """One date, of 512 KB, of a file of 20 MB."""
    data = large(tmp_path / "a.nc", form, records, **options)
    with RemoteHost({"a.nc": (tmp_path / "a.nc").read_bytes()}, latency=.005) as host:
        url = put(host, "i.json", cube_item("z", "a.nc", "application/netcdf"))
        found = load_stac(tmp_path, host, url, temporal_extent=["2020-01-21", "2020-01-22"])["v"].values
        assert np.array_equal(found, data[20:21])
        assert len(host.files["a.nc"]) > 19e6 and moved(host, "a.nc") < most
        assert host.count("a.nc") < (60 if records else 20) and (not records or host.most_active > 1)


@pytest.mark.parametrize(("fault", "code"), [(Fault("status", 403), "PermissionsInsufficient"), (
    Fault("status", 500), "InfrastructureBusy")], ids=str)
def test_a_host_that_fails_is_an_error(tmp_path, fault, code):
    with RemoteHost({"a.h5": dataset(tmp_path / "a.h5").read_bytes()}) as host:
        url = put(host, "i.json", cube_item("z", "a.h5", "application/netcdf"))
        host.always = {"a.h5": fault}
        assert code in refusal(tmp_path, url, [host.url])


@pytest.mark.parametrize("kind", ["deflated", "records"])
def test_damage_is_an_error_or_data(tmp_path, kind):
    """Files that are cut short, and headers of netCDF-3 with bytes changed: never a signal, always an end."""
    random = np.random.default_rng(6)
    whole = make(tmp_path / "a.nc", kind).read_bytes()
    for i in range(6):
        broken = bytearray(whole[:len(whole) * (i + 2) // 8] if kind == "deflated" else whole)
        for at in random.integers(0, 600, 3 if kind == "records" else 0):
            broken[at] = random.integers(256)
        with RemoteHost({"a.nc": bytes(broken)}) as host:
            url = put(host, "i.json", cube_item("z", "a.nc", "application/netcdf"))
            done = execute(tmp_path, url, remote=[host.url])
            assert done.returncode in ((1,) if kind == "deflated" else (0, 1)), done.stderr
