"""GRIB files as collections, documents and uploads: values, places and times against ecCodes and cfgrib."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pyproj
import pytest
import xarray

from conftest import BINARY, shared, twincube
from grib_files import pattern
from remote_host import RemoteHost
from test_remote_files import load as load_remote, put
from test_remote_stac import cube_item
from test_zarr_input import load, run

MAKER = pathlib.Path(__file__).with_name("grib_files.py")
SAMPLES = ["era5-levels-members", "forecast_monthly_ukmo", "alternate-scanning"]


def grib_files(*arguments):
    environment = {**os.environ, "PYTHONPATH": os.path.join(sys.prefix, "grib")}
    subprocess.run([sys.executable, "-W", "ignore", MAKER, *arguments], env=environment, check=True, timeout=120)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grib")
    grib_files("make", folder)
    return folder


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    paths = [shared("climate", "cfgrib_samples", name + ".grib") for name in SAMPLES]
    grib_files("read", folder, *paths)
    return {path.stem: (path, np.load(folder / (path.name + ".npz"))) for path in paths}


def opened(folder, source, **arguments):
    with xarray.open_dataset(load(folder, source, **arguments), decode_timedelta=False) as file:
        return file.load()


def refused(folder, source):
    done = subprocess.run([BINARY, "catalogue", "add", "--data", folder / "catalogue", "--id", "Z", source],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_what_cfgrib_reads(tmp_path, samples, name):
    path, truth = samples[name]
    own = opened(tmp_path, path)
    names = {"latitude": "y", "longitude": "x", "time": "t"}
    for band in set(truth.files) & {"t", "z", "t2m"}:
        dims = [names.get(d, d) for d in truth[band + "_dims"]]
        array = own["t_" if band == "t" else band]
        wanted = xarray.DataArray(truth[band], dims=dims)
        assert set(array.dims) == set(dims) | {"t"}
        if "t" not in dims:
            wanted = wanted.expand_dims("t")
        assert np.array_equal(array.transpose(*wanted.dims), wanted, equal_nan=True)
    for key, own_key in names.items():
        if key != "time" or truth["time"].size > 1:
            assert np.allclose(own[own_key].values.astype("f8"), truth[key].astype("f8"), rtol=0, atol=1e-9)
    if name == "alternate-scanning":
        assert str(own.t.values[0])[:16] == "2021-08-01T15:00"  # what it is for


@pytest.mark.parametrize("edition", (1, 2))
def test_packings(tmp_path, files, edition):
    own, truth = opened(tmp_path, files / f"packings{edition}.grib"), np.load(files / f"packings{edition}.npz")
    assert own["t_"].dims == ("t", "isobaricInhPa", "y", "x") and own["t_"].attrs["units"] == "K"
    assert sorted(own.isobaricInhPa.values) == sorted(map(float, truth.files)) and own.isobaricInhPa.values[0] == 900
    for level in truth.files:
        found = own["t_"].sel(isobaricInhPa=float(level)).values[0]
        assert np.array_equal(np.isnan(found), np.isnan(truth[level])), level
        assert np.array_equal(found, truth[level].astype("f4"), equal_nan=True), level


def by_place(points):
    """Values by latitude and longitude from -180."""
    return {(round(lat, 4), round((lon + 180) % 360 - 180, 4)): value for lat, lon, value in points}


@pytest.mark.parametrize("mode", (6, 15))
def test_orders_of_points(tmp_path, files, mode):
    own = opened(tmp_path, files / f"mode{mode:02}.grib").t_[0]
    lat, lon = np.meshgrid(own.y, own.x, indexing="ij")
    found = by_place(zip(lat.ravel(), lon.ravel(), own.values.ravel()))
    wanted = by_place(np.load(files / f"mode{mode:02}.npz")["points"])
    assert found.keys() == wanted.keys()
    assert all(found[place] == np.float32(wanted[place]) for place in wanted)


@pytest.mark.parametrize("kind", ("lambert", "polar_stereographic", "mercator", "regular_gg"))
def test_grids(tmp_path, files, kind):
    own = opened(tmp_path, files / f"{kind}.grib")
    x, y = np.meshgrid(own.x, own.y)
    if kind != "regular_gg":
        crs = pyproj.CRS(own.crs.attrs["crs_wkt"])
        assert crs.ellipsoid.semi_major_metre == crs.ellipsoid.semi_minor_metre == 6371229
        x, y = pyproj.Proj(crs)(x, y, inverse=True)
    points = np.load(files / f"{kind}.npz")["points"]
    assert np.allclose(y.ravel(), points[:, 0], rtol=0, atol=2e-6)
    assert np.allclose((x.ravel() - points[:, 1] + 180) % 360, 180, rtol=0, atol=2e-6)
    assert np.array_equal(own.t2m.values.ravel(), points[:, 2].astype("f4"))


def test_what_is_not_supported(tmp_path, files):
    assert "FeatureUnsupported" in (said := refused(tmp_path, files / "reduced_gg_sfc_grib2.grib")) and "gg" in said
    assert "FeatureUnsupported" in refused(tmp_path, files / "sh_ml_grib2.grib")


def test_steps_of_one_forecast_are_times(tmp_path, files):
    own = opened(tmp_path, files / "steps.grib")
    assert [str(t)[:13] for t in own.t.values] == ["2020-01-01T00", "2020-01-01T06", "2020-01-01T12", "2020-01-01T18"]
    assert own["t_"].dims == ("t", "y", "x")


def test_steps_of_several_forecasts(tmp_path, files):
    own = opened(tmp_path, files / "forecasts.grib2")
    assert dict(own.sizes) == {"t": 2, "step": 3, "y": 12, "x": 18} and list(own.step.values) == [0, 6, 24]
    assert [str(t)[:10] for t in own.t.values] == ["2020-01-01", "2020-01-02"]


def test_sums_of_two_kinds(tmp_path, files):
    own = opened(tmp_path, files / "sums.grb")
    assert set(own.data_vars) == {"crs", "tp", "tp_interval"} and own.t.size == 3
    assert np.isfinite(own.tp).all() and np.isnan(own.tp_interval[0]).all() and np.isfinite(own.tp_interval[1:]).all()


def test_fields_in_one_message(tmp_path, files):
    own, truth = opened(tmp_path, files / "multi.grib2")["t_"], np.load(files / "multi.npz")
    for level in truth.files:
        assert np.array_equal(own.sel(isobaricInhPa=float(level))[0], truth[level].astype("f4"), equal_nan=True)
    done = subprocess.run([BINARY, "catalogue", "references", "-o", files / "multi.json", files / "multi.grib2"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "FeatureUnsupported" in done.stderr


def test_folder_and_references(tmp_path, files):
    own = opened(tmp_path, files / "days")
    assert [str(t)[:10] for t in own.t.values] == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert list(own.isobaricInhPa.values) == [850, 500]
    days = sorted(pathlib.Path(files, "days").glob("*.grib2"))
    twincube("catalogue", "references", "-o", files / "days.json", *days)
    assert json.loads((files / "days.json").read_text())["refs"]["t/1.0.0.0"][0] == "days/t_20200102.grib2"
    assert opened(tmp_path, files / "days.json").equals(own)


def test_of_another_host(tmp_path, files):
    name = "forecasts.grib2"
    with RemoteHost({f"d/{name}": (files / name).read_bytes()}) as host:
        item = cube_item("a", f"../d/{name}", "application/wmo-GRIB2")
        own = load_remote(tmp_path, host, put(host, "stac/item.json", item))
    assert own["t_"].shape == (2, 3, 12, 18)
    assert abs(own["t_"].values[1, 1] - pattern(2 * 40 + 6)).max() < .01


def test_uploads_and_a_client(connection, catalogue, files, tmp_path):
    catalogue.add("GRIB", files / "packings2.grib")
    connection.load_collection("GRIB", bands=["t"]).download(tmp_path / "a.nc")
    truth = np.load(files / "packings2.npz")
    with xarray.open_dataset(tmp_path / "a.nc") as own:
        assert np.array_equal(own["t_"].sel(isobaricInhPa=16)[0], truth["16"].astype("f4"))
    connection.upload_file(files / "steps.grib", "steps.grib")
    cube = connection.datacube_from_process("load_uploaded_files", paths=["steps.grib"], format="GRIB")
    cube.download(tmp_path / "b.nc", format="netCDF")
    with xarray.open_dataset(tmp_path / "b.nc") as own:
        assert own["t_"].shape == (4, 12, 18)


def test_damage_is_told(tmp_path, files):
    whole = (files / "packings2.grib").read_bytes()
    first = int.from_bytes(whole[8:16], "big")
    cut = tmp_path / "cut.grib"
    product = whole.index(b"\0\0\0\x22\x04")
    for bytes_ in (whole[:20], whole[:first + 40], whole[:8] + b"\xff" * 8 + whole[16:],
                   whole[:40] + b"\xff" * 8 + whole[48:first],
                   whole[:product + 17] + b"\x74\x6f\x77\x67\x73" + whole[product + 22:first]):  # a unit of time
        cut.write_bytes(bytes_)
        assert "FileContentInvalid" in refused(tmp_path, cut)
    damaged = bytearray(whole[:first])  # more bits of a value than there are: told when they are read
    damaged[whole.index(b"\0\0\0\x15\x05") + 19] = 31
    cut.write_bytes(damaged)
    twincube("catalogue", "add", "--data", tmp_path / "catalogue", "--id", "Z", cut)
    graph = {"load": {"process_id": "load_collection", "result": True, "arguments": {
        "id": "Z", "spatial_extent": None, "temporal_extent": None}}}
    done = run(graph, tmp_path / "catalogue", tmp_path / "o.nc")
    assert done.returncode == 1 and "FileContentInvalid" in done.stderr, done.stderr
