"""Datasets that other hosts give by OPeNDAP (DAP 2): the cubes are those of the files of which they are views, and what
a host gets wrong is an error. The host here is our own; netCDF-C's client reads the same of it as was in the file."""

import json
import re
import subprocess
import sys

import netCDF4
import numpy as np
import pytest
import xarray

from conftest import twincube
from dap_host import DapHost
from remote_host import Fault, RemoteHost
from test_references import SHAPE, values
from test_remote_files import load as load_stac, put, refusal
from test_remote_netcdf import fill_in, load_here, make
from test_remote_stac import cube_item
from test_sources import THREDDS, add, catalogue, load as load_collection

MEDIA = "application/x-netcdf"


def item_of(host, name="x.nc", media=MEDIA):
    return put(host, "i.json", cube_item("z", host.url + "dodsC/" + name, media))


def many_types(path):
    """A variable of each type that DAP 2 has, with no data and odd texts; longitudes from 0 to 360."""
    random = np.random.default_rng(3)
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("time", 5), ("lat", 7), ("lon", 12)):
            file.createDimension(name, size)
        for name, numbers, units in (("time", [0, 31, 60, 91, 121], "days since 2020-01-01 12:00"),
                                     ("lat", np.linspace(60, -60, 7), "degrees_north"),
                                     ("lon", np.arange(12) * 30., "degrees_east")):
            file.createVariable(name, "f8", (name,))[:] = numbers
            file[name].units = units
        for kind in ("u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8"):
            variable = file.createVariable("v_" + kind, kind, ("time", "lat", "lon"),
                                           fill_value=np.array(3).astype(kind))
            variable.set_auto_maskandscale(False)
            low, high = (-99, 99) if kind[0] == "i" else (0, 99)
            variable[:] = random.integers(low, high, (5, 7, 12))
            variable.long_name = 'a "quoted" \\ text; {of} [marks], é'
    return path


READ = """
import sys, netCDF4, numpy
with netCDF4.Dataset(sys.argv[1]) as far, netCDF4.Dataset(sys.argv[2]) as near:
    for name, variable in near.variables.items():
        far.set_auto_maskandscale(False), near.set_auto_maskandscale(False)
        assert numpy.array_equal(far[name][...].astype(variable.dtype), variable[...]), name
"""


def test_the_host_gives_what_is_in_the_file(tmp_path):
    path = many_types(tmp_path / "x.nc")
    with DapHost({"x.nc": path}, grids=True) as host:
        subprocess.run([sys.executable, "-c", READ, host.url + "dodsC/x.nc", path], check=True, timeout=60)
        assert host.asked


@pytest.mark.parametrize("grids", [False, True])
def test_cubes_are_those_of_the_file(tmp_path, grids):
    path = many_types(tmp_path / "x.nc")
    here = load_here(tmp_path, path)
    with DapHost({"x.nc": path}, grids=grids) as host:
        there = load_stac(tmp_path, host, item_of(host))
    xarray.testing.assert_identical(here, there)


@pytest.mark.parametrize("kind", ["deflated", "records"])
def test_packing_and_no_data_are_those_of_the_file(tmp_path, kind):
    path = make(tmp_path / "x.nc", kind)
    here = load_here(tmp_path, path)
    with DapHost({"x.nc": path}) as host:
        xarray.testing.assert_identical(here, load_stac(tmp_path, host, item_of(host)))


def data_of(host):
    """Constraints of the answers that were no coordinates."""
    return [one for one in host.asked if one.startswith("v")]


def test_what_is_asked_for_is_what_was_selected(tmp_path):
    path = many_types(tmp_path / "x.nc")
    here = load_here(tmp_path, path)
    west = {"west": -70, "east": 40, "south": -30, "north": 30}  # over Greenwich: the two ends of the longitudes
    with DapHost({"x.nc": path}) as host:
        url = item_of(host)
        found = load_stac(tmp_path, host, url, bands=["v_f4"], temporal_extent=["2020-02-01", "2020-04-01"],
                          spatial_extent={"west": 50, "east": 130, "south": -50, "north": 10})
        assert data_of(host) == ["v_f4[1:1:2][3:1:5][2:1:4]"]
        assert np.array_equal(found["v_f4"], here["v_f4"][1:3, 3:6, 2:5])
        host.asked.clear()
        found = load_stac(tmp_path, host, url, bands=["v_i1"], spatial_extent=west)
        assert np.array_equal(found["v_i1"], np.concatenate([here["v_i1"][:, 2:5, 10:], here["v_i1"][:, 2:5, :2]], 2))
        assert found["x"].values.tolist() == [-60, -30, 0, 30]
        assert sorted(data_of(host)) == ["v_i1[0:1:4][2:1:4][0:1:1]", "v_i1[0:1:4][2:1:4][10:1:11]"]


def test_a_crop_of_all_of_it_is_asked_for_by_itself(tmp_path):
    shape = (40, 200, 300)
    data = np.random.default_rng(5).normal(size=shape).astype("f4")
    xarray.Dataset({"v": (("time", "lat", "lon"), data)}, {
        "time": ("time", np.arange(40), {"units": "days since 2020-01-01"}),
        "lat": ("lat", 50 - .25 * np.arange(200), {"units": "degrees_north"}),
        "lon": ("lon", .5 * np.arange(300), {"units": "degrees_east"})}).to_netcdf(
            tmp_path / "x.nc", format="NETCDF3_CLASSIC")
    box = {"west": 10, "east": 13, "south": 40, "north": 41, "crs": "EPSG:4326"}
    with DapHost({"x.nc": tmp_path / "x.nc"}) as host:
        graph = {"load": {"process_id": "load_stac", "arguments": {"url": item_of(host)}}, "crop": {
            "process_id": "filter_bbox", "result": True,
            "arguments": {"data": {"from_node": "load"}, "extent": box}}}
        (tmp_path / "graph.json").write_text(json.dumps(graph))
        twincube("run", tmp_path / "graph.json", "--data", tmp_path, "--remote", host.url, "-o", tmp_path / "out.nc")
        with xarray.open_dataset(tmp_path / "out.nc") as file:
            found = file["v"].values
        moved = sum(np.prod([int(b) - int(a) + 1 for a, b in re.findall(r"\[(\d+):1:(\d+)\]", one)])
                    for one in data_of(host))
    assert np.array_equal(found, data[:, 36:41, 20:27]) and moved <= 2 * found.size and len(data_of(host)) <= 4


FAULTS = [Fault("status", 503), Fault("reset"), Fault("short"), Fault("gzip")]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_what_fails_for_a_moment_is_asked_for_again(tmp_path, fault):
    path = make(tmp_path / "x.nc", "classic")
    with DapHost({"x.nc": path}) as host:
        host.faults = {"dodsC/x.nc.dods": [None, None, None, fault], "dodsC/x.nc.dds": [fault]}
        found = load_stac(tmp_path, host, item_of(host))["v"]
    xarray.testing.assert_identical(load_here(tmp_path, path)["v"], found)


def only_values(spoil):
    """Coordinates are left as they are."""
    return lambda answer: spoil(answer) if b" v[" in answer else answer


SPOILT = {
    "cut short": lambda answer: answer[:-8],
    "too long": lambda answer: answer + bytes(4),
    "another count": lambda answer: answer.replace(b"Data:\n\0\0", b"Data:\n\0\1", 1),
    "another shape": lambda answer: answer.replace(b"[x = 30]", b"[x = 15]"),
    "another type": lambda answer: answer.replace(b"Int16 v", b"UInt16 v"),
    "no head": lambda answer: answer.partition(b"Data:\n")[2],
    "a page": lambda _: b"<html><body>log in</body></html>",
    "nothing": lambda _: b"",
    "no DDS": lambda answer: b"Dataset {\nInt16 v[" + b"9" * 30 + b"];\n} x;\nData:\n" + answer,
    "an error": lambda _: b'Error {\n code = 500;\n message = "out of \x01 memory";\n};\n',
}


@pytest.mark.parametrize("how", SPOILT)
def test_answers_that_are_not_what_was_asked_for(tmp_path, how):
    with DapHost({"x.nc": make(tmp_path / "x.nc", "classic")}) as host:
        host.spoil = only_values(SPOILT[how])
        said = refusal(tmp_path, item_of(host), [host.url])
        assert "FileContentInvalid" in said and "x.nc.dods?v" in said, said
        assert how != "an error" or "out of   memory" in said


DESCRIPTIONS = [  # the parser by itself is fuzzed (tests/fuzz/fuzz_dap.c)
    "", "Dataset { Float32 v[x = -3]; } a;", "Dataset { " + "Structure { " * 5000,
    "Dataset { Float32 v[x = 99999999999999999999999]; } a;", "<!DOCTYPE html><html></html>",
    'Error { code = 404; message = "no such dataset"; };', "Dataset { " + "Byte a;" * 9000 + "} a;",
    "Dataset { Float64 x[x = 1152921504606846976]; Float32 v[x = 1152921504606846976]; } a;",
    "Dataset { Sequence { Float32 v; } s; } a;", "Dataset { Float32 v[x = 0]; } a;",
    "Dataset { Float32 v[x = 4]; Float32 v[x = 4]; } a;", "Dataset { Float32 %2F[x = 2][y = 2]; } a;",
]


@pytest.mark.parametrize("text", DESCRIPTIONS, ids=lambda text: text[:40])
def test_descriptions_that_make_no_sense(tmp_path, text):
    with DapHost({"x.nc": make(tmp_path / "x.nc", "classic")}) as host:
        host.pages["dodsC/x.nc.dds"] = lambda _: (200, text.encode())
        said = refusal(tmp_path, item_of(host), [host.url])
        assert any(code in said for code in ("FileContentInvalid", "NoDataAvailable", "FeatureUnsupported")), said
        assert not data_of(host)


ATTRIBUTES = ["", 'Attributes { v { String units "K } }', "Attributes { " + "a { " * 5000,
              "Attributes { v { Int16 a " + "1, " * 70000 + "1; } }"]


@pytest.mark.parametrize("text", ATTRIBUTES, ids=lambda text: text[:40])
def test_attributes_that_make_no_sense(tmp_path, text):
    with DapHost({"x.nc": make(tmp_path / "x.nc", "classic")}) as host:
        host.pages["dodsC/x.nc.das"] = lambda _: (200, text.encode())
        assert "FileContentInvalid" in refusal(tmp_path, item_of(host), [host.url])


def test_names_with_slashes_are_those_of_groups(tmp_path):
    with DapHost({"x.nc": make(tmp_path / "x.nc", "classic")}) as host:
        host.pages["dodsC/x.nc.das"] = lambda _: (200, b"Attributes { }")
        host.pages["dodsC/x.nc.dds"] = lambda _: (200, b"Dataset { Byte %2Fa[x = 2]; Byte b%2Fa[x = 2]; } a;")
        done = twincube("catalogue", "add", "--data", tmp_path, "--id", "c", host.url + "dodsC/x.nc")
        assert done.startswith("c: 1 item, ")


def test_a_dataset_that_changes_meanwhile_is_an_error(tmp_path):
    with DapHost({"x.nc": make(tmp_path / "x.nc", "classic")}) as host:
        url, dated = item_of(host), host.pages["dodsC/x.nc.dods"]

        def later(query):
            host.date = "Wed, 04 Mar 2020 10:00:00 GMT" if query.startswith("v") else host.date
            return dated(query)

        host.pages["dodsC/x.nc.dods"] = later
        said = refusal(tmp_path, url, [host.url])
        assert "FileContentInvalid" in said and "changed" in said


def test_who_may_be_asked(tmp_path):
    with DapHost({"x.nc": make(tmp_path / "x.nc", "classic")}) as host, RemoteHost() as other:
        url = put(other, "i.json", cube_item("z", host.url + "dodsC/x.nc", MEDIA))
        assert "PermissionsInsufficient" in refusal(tmp_path, url, [other.url])
        assert not host.requests
        item = cube_item("z", host.url + "dodsC/x.nc?v[0:1]", MEDIA)
        assert "FeatureUnsupported" in refusal(tmp_path, put(other, "j.json", item), [other.url, host.url])


def test_a_file_is_read_rather_than_the_view_of_it(tmp_path):
    path = make(tmp_path / "x.nc", "classic")
    with DapHost({"x.nc": path}) as host:
        host.files["d/x.nc"] = path.read_bytes()
        item = cube_item("z", "d/x.nc", MEDIA)
        item["assets"]["view"] = {"href": host.url + "dodsC/x.nc.html", "type": "text/html", "roles": ["data"]}
        url = put(host, "i.json", item)
        found = load_stac(tmp_path, host, url)
        assert not host.asked
        del item["assets"]["data"]
        again = load_stac(tmp_path, host, put(host, "j.json", item))
        assert host.asked
    xarray.testing.assert_identical(found, again)


def test_a_dataset_as_a_collection_that_is_refreshed(tmp_path):
    path = make(tmp_path / "x.nc", "classic")
    with DapHost({"x.nc": path}) as host:
        assert add(tmp_path, host.url + "dodsC/x.nc").startswith("c: 1 item, 2 bands, 3 dates, 1 file read")
        xarray.testing.assert_identical(load_here(tmp_path, path)["a"],
                                        load_collection(tmp_path, "--remote", host.url)["a"])
        assert "unchanged" in catalogue(tmp_path, "refresh", "c").stdout
        with netCDF4.Dataset(path, "a") as file:
            file["v"].long_name = "another"
        host.publish("x.nc", path)
        assert "unchanged" not in catalogue(tmp_path, "refresh", "c").stdout
        assert "FileContentInvalid" in catalogue(tmp_path, "add", "--source", "opendap", host.url + "i.json").stderr \
            or "FileNotFound" in catalogue(tmp_path, "add", "--source", "opendap", host.url + "i.json").stderr


def test_datasets_of_thredds_that_are_no_files(tmp_path):
    services = ('<service name="all" serviceType="Compound" base=""><service name="dap" serviceType="OpenDAP" '
                'base="/dodsC/"/><service name="wms" serviceType="WMS" base="/wms/"/></service>')
    paths = {}
    for i, year in enumerate(("2020", "2021")):
        path = paths[f"a/{year}"] = tmp_path / f"{year}.nc"
        with netCDF4.Dataset(path, "w") as file:
            fill_in(file, False)
            file["time"].units = f"hours since {year}-01-01"
            file["a"][:] = values() + i
    with DapHost(paths) as host:
        host.files["catalog.xml"] = THREDDS.format(services + "".join(
            f'<dataset name="{name}" urlPath="{name}"/>' for name in paths)).encode()
        assert add(tmp_path, host.url + "catalog.xml").startswith("c: 2 items, 2 bands, 6 dates, 2 files read")
        found = load_collection(tmp_path, "--remote", host.url, bands=["a"])["a"].values
    assert np.array_equal(found, np.concatenate([values(), values() + 1])) and found.shape[1:] == SHAPE[1:]
