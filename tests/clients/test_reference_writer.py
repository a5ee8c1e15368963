"""`twincube catalogue references`: zarr-python and xarray read by its documents what is in the files, and so do we."""

import base64
import json
import subprocess

import h5py
import netCDF4
import numpy as np
import pytest
import xarray
import zarr
from zarr.core.buffer.cpu import Buffer

from conftest import BINARY, twincube
from remote_host import RemoteHost
from test_references import SHAPE, dataset, values
from test_remote_netcdf import make
from test_zarr_input import load


def resolve(document):
    """The files of Zarr that a document stands for, by the rules of fsspec's ReferenceFileSystem."""
    refs = json.loads(document.read_text())["refs"]
    files = {}
    for key, value in refs.items():
        if isinstance(value, list):
            target, at, length = value
            found = (document.parent / target).read_bytes()[at:at + length]
            assert len(found) == length
        else:
            found = base64.b64decode(value[7:]) if value.startswith("base64:") else value.encode()
        files[key] = Buffer.from_bytes(found)
    return zarr.storage.MemoryStore(files)


def open_document(document, **options):
    return xarray.open_dataset(resolve(document), engine="zarr", consolidated=False, zarr_format=2, **options)


def write(folder, *inputs, name="r.json", **options):
    more = [word for key, value in options.items() for word in (f"--{key}", value)]
    twincube("catalogue", "references", "-o", folder / name, *more, *inputs)
    return folder / name


def refuse(folder, *inputs):
    done = subprocess.run([BINARY, "catalogue", "references", "-o", folder / "r.json", *inputs], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 1 and not (folder / "r.json").exists()
    return done.stderr


@pytest.mark.parametrize("kind", ["netcdf4", "deflated", "checksums", "zstd", "classic", "cdf5", "records"])
def test_xarray_reads_what_is_in_the_file(tmp_path, kind):
    path = make(tmp_path / "a.nc", kind)
    with xarray.open_dataset(path) as own, open_document(write(tmp_path, path)) as found:
        own["a"] = own.a.where(own.a < 9e36).assign_attrs(own.a.attrs)  # what netCDF fills with is missing
        for name in ("v", "a", "time", "y", "x"):
            assert np.array_equal(found[name], own[name], equal_nan=name in "va")
            assert found[name].attrs == own[name].attrs and found[name].dims == own[name].dims
        assert found.crs.attrs["grid_mapping_name"] == "latitude_longitude"


@pytest.mark.parametrize("kind", ["deflated", "records"])
def test_a_collection_of_references_is_that_of_the_file(tmp_path, kind):
    (tmp_path / "deep").mkdir()
    path = make(tmp_path / "deep" / "a.nc", kind)
    document = write(tmp_path, path)
    with xarray.open_dataset(load(tmp_path, document)) as found:
        found.load()
    with xarray.open_dataset(load(tmp_path, path, out="own.nc")) as own:
        xarray.testing.assert_equal(found, own)


def test_layouts_of_hdf5(tmp_path):
    """Groups, texts, compact storage, complex numbers, chunks that were never written."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("g", track_order=True)
        group["z"] = np.arange(5, dtype=">i4")
        group["c"] = np.arange(4) + 1j
        group["text"] = np.array(["one", "zwölf"], dtype=h5py.string_dtype())
        group["fixed"] = np.array([b"ab", b"cde"])
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        h5py.h5d.create(group.id, b"compact", h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((3,)), plist).write(
            h5py.h5s.ALL, h5py.h5s.ALL, np.array([1., 2, 4]))
        holes = group.create_dataset("holes", (40, 7), "i2", chunks=(10, 7), fillvalue=-5)
        holes.attrs["_FillValue"] = np.int16(-5)
        holes[10:15] = 3
        group.create_dataset("large", data=np.arange(3 * 401 * 301, dtype="f4").reshape(3, 401, 301))
    found = zarr.open_group(resolve(write(tmp_path, tmp_path / "a.h5")), mode="r", zarr_format=2)["g"]
    with h5py.File(tmp_path / "a.h5") as own:
        for name in ("z", "c", "compact", "holes", "large"):
            assert np.array_equal(found[name][...], own["g"][name][...])
        assert list(found["text"][...]) == ["one", "zwölf"] and list(found["fixed"][...]) == [b"ab", b"cde"]


def month(path, start, count, form="NETCDF4", units="days since 2020-01-01", **options):
    data = np.random.default_rng(start).integers(0, 99, (count, 5, 6)).astype("f4")
    with netCDF4.Dataset(path, "w", format=form) as file:
        for name, numbers in (("time", start + np.arange(count)), ("y", np.arange(5.)), ("x", np.arange(6.))):
            file.createDimension(name, None if name == "time" else len(numbers))
            file.createVariable(name, "f8", (name,))[:] = numbers
        file["time"].units = units
        file.createVariable("v", "f4", ("time", "y", "x"), **options)[:] = data
    return data


@pytest.mark.parametrize(("form", "options"), [
    ("NETCDF4", {"zlib": True, "chunksizes": (1, 5, 6)}), ("NETCDF4", {"zlib": True, "chunksizes": (3, 5, 6)}),
    ("NETCDF4", {"chunksizes": (4, 5, 3)}), ("NETCDF3_CLASSIC", {})], ids=str)
def test_files_are_joined_along_time(tmp_path, form, options):
    """Lengths that chunks divide, but for the last file; or chunks without compression, that can be cut."""
    parts = [month(tmp_path / f"{i}.nc", start, count, form, **options)
             for i, (start, count) in enumerate(((0, 6), (6, 3), (9, 4)))]
    document = write(tmp_path, *(tmp_path / f"{i}.nc" for i in range(3)))
    with open_document(document, decode_times=False) as found:
        assert np.array_equal(found.v, np.concatenate(parts)) and np.array_equal(found.time, np.arange(13.))
    with xarray.open_dataset(load(tmp_path, document)) as own:
        assert np.array_equal(own.v, np.concatenate(parts)) and str(own.t.values[12])[:10] == "2020-01-13"


def test_what_does_not_fit_is_not_joined(tmp_path):
    month(tmp_path / "a.nc", 0, 4, zlib=True, chunksizes=(3, 5, 6))
    for name, more in (("units", {"units": "hours since 2020-01-01"}), ("chunks", {"chunksizes": (2, 5, 6)}),
                       ("meet", {}), ("NETCDF3_CLASSIC", {"form": "NETCDF3_CLASSIC"})):
        month(tmp_path / "b.nc", 4, 4, **{"zlib": True, "chunksizes": (3, 5, 6), **more} if name[0] != "N" else more)
        assert "FeatureUnsupported" in refuse(tmp_path, tmp_path / "a.nc", tmp_path / "b.nc"), name
    month(tmp_path / "a.nc", 0, 3)
    month(tmp_path / "b.nc", 3, 3)
    with netCDF4.Dataset(tmp_path / "b.nc", "a") as file:
        file["x"][2] = 77
    assert "values of x" in refuse(tmp_path, tmp_path / "a.nc", tmp_path / "b.nc")


def test_what_cannot_be_said_is_an_error(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    dataset(tmp_path / "out.h5")
    assert "does not lie below" in refuse(inside, tmp_path / "out.h5")
    (inside / "a.grib").write_bytes(b"GRIB" + bytes(60))
    assert "FeatureUnsupported" in refuse(inside, inside / "a.grib")
    dataset(inside / "lzf.h5", compression="lzf")
    assert "FeatureUnsupported" in refuse(inside, inside / "lzf.h5")
    (inside / "cut.h5").write_bytes((tmp_path / "out.h5").read_bytes()[:3000])
    assert "FileContentInvalid" in refuse(inside, inside / "cut.h5")
    assert "FileNotFound" in refuse(inside, inside / "none.h5")
    with h5py.File(inside / "link.h5", "w") as file:
        file["v"] = h5py.ExternalLink("lzf.h5", "v")
    assert "another file" in refuse(inside, inside / "link.h5")


def graph_of(folder):
    (folder / "g.json").write_text(json.dumps({"load": {"process_id": "load_collection", "result": True, "arguments": {
        "id": "Z", "spatial_extent": None, "temporal_extent": None}}}))
    return folder / "g.json"


def test_files_of_another_host(tmp_path):
    with RemoteHost({"d/a.h5": dataset(tmp_path / "a.h5").read_bytes()}) as host:
        document = write(tmp_path, host.url + "d/a.h5")
        refs = json.loads(document.read_text())["refs"]
        assert refs["v/0.0.0"][0] == host.url + "d/a.h5"
        assert refs["v/0.0.0"][1:] == json.loads(write(tmp_path, tmp_path / "a.h5", name="s.json").read_text())[
            "refs"]["v/0.0.0"][1:]
        twincube("catalogue", "add", "--data", tmp_path / "c", "--id", "Z", document, "--remote", host.url)
        twincube("run", graph_of(tmp_path), "--data", tmp_path / "c", "--remote", host.url, "-o", tmp_path / "o.nc")
    with xarray.open_dataset(tmp_path / "o.nc") as found:
        assert np.allclose(found.v, values() * .5 + 10) and found.v.shape == SHAPE


def test_documents_of_another_host_are_a_source(tmp_path):
    path = dataset(tmp_path / "a.h5")
    with RemoteHost({"d/a.h5": path.read_bytes(), "d/r.json": write(tmp_path, path).read_bytes()}) as host:
        twincube("catalogue", "add", "--data", tmp_path / "c", "--id", "Z", "--source", "references",
                 host.url + "d/r.json")
        twincube("run", graph_of(tmp_path), "--data", tmp_path / "c", "--remote", host.url, "-o", tmp_path / "o.nc")
    with xarray.open_dataset(tmp_path / "o.nc") as found:
        assert np.allclose(found.v, values() * .5 + 10)
