"""Running the program with the fake driver."""

import json
import os
import pathlib
import subprocess

import netCDF4
import numpy
from rasterio.crs import CRS

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TWINCUBE_BIN", ROOT / "build" / "twincube")).resolve()
LIBRARIES = BINARY.parent / "fake_device"
REAL = "TWINCUBE_REAL_DEVICE" in os.environ  # there is one: nothing is the fake's


def twincube(*arguments, program=BINARY, **options):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=240, **options)


def run_with_fake(arguments, fake=True, program=BINARY, **surroundings):
    """`surroundings` are variables of the environment, most of them the fake's: see fake/fake_device.h."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TWINCUBE_NVRTC")}
    if fake and not REAL:
        environment["LD_LIBRARY_PATH"] = str(LIBRARIES)
    environment.update({name: str(value) for name, value in surroundings.items()})
    return twincube(*arguments, program=program, env=environment)


def write_axes(file, dates, rows, columns):
    """Every tenth day from 2020-01-01, cells of 10 m."""
    for name, size in zip(("t", "y", "x"), (dates, rows, columns)):
        file.createDimension(name, size)
        axis = file.createVariable(name, "f8", (name,))
        axis[:] = numpy.arange(size) * 10.0 if name != "y" else numpy.arange(size)[::-1] * 10.0
        axis.units = "days since 2020-01-01" if name == "t" else "m"
        axis.standard_name = "time" if name == "t" else f"projection_{name}_coordinate"
    crs = file.createVariable("crs", "i4")
    crs.crs_wkt = CRS.from_epsg(32632).to_wkt()
    crs.grid_mapping_name = "transverse_mercator"


def write_cube(path, values, **storage):
    """(t, bands, y, x) as netCDF: a variable a band; no-data -1."""
    with netCDF4.Dataset(path, "w") as file:
        write_axes(file, values.shape[0], *values.shape[2:])
        for band in range(values.shape[1]):
            variable = file.createVariable(f"B{band}", "i2", ("t", "y", "x"), fill_value=-1, **storage)
            variable.grid_mapping = "crs"
            variable[:] = values[:, band]


def plain(values):
    """Masked ones are NaN; complex ones, pairs in a file, are numbers."""
    if values.dtype.names:
        return numpy.asarray(values["r"]) + 1j * numpy.asarray(values["i"])
    return numpy.ma.filled(values.astype(float), numpy.nan)


def call(process, /, **arguments):
    return {"process_id": process, "arguments": arguments}


def from_node(name):
    return {"from_node": name}


def callback(**steps):
    """The last step is the result."""
    steps[list(steps)[-1]]["result"] = True
    return {"process_graph": steps}


def reducer(name, **more):
    return callback(r=call(name, data={"from_parameter": "data"}, **more))


LOAD = call("load_collection", id="CUBE", spatial_extent=None, temporal_extent=None)


def graph(**nodes):
    """Nodes behind `load`, the last one is the result."""
    nodes[list(nodes)[-1]]["result"] = True
    return {"load": LOAD, **nodes}


class Run:
    """A graph's result by a device: its values, what the fake device counted, what was told."""

    def __init__(self, data, folder, process_graph, *options, device="cuda", **surroundings):
        name, report = folder / f"{device.replace(':', '')}.nc", folder / "report"
        (folder / "graph.json").write_text(json.dumps(process_graph))
        done = run_with_fake(["run", folder / "graph.json", "--data", data, "--device", device, "-o", name, *options],
                             TWINCUBE_FAKE_REPORT=report, **surroundings)
        assert done.returncode == 0, done.stderr
        self.told = [line for line in done.stderr.splitlines() if line.startswith("warning")]
        self.counts = dict(line.split() for line in report.read_text().splitlines()) if report.exists() else {}
        with netCDF4.Dataset(name) as file:
            self.values = {key: plain(variable[:]) for key, variable in file.variables.items() if variable.ndim > 1}

    def count(self, name):
        return int(self.counts.get(name, 0))


def compare(have, want, tolerance=0.0):
    assert have.keys() == want.keys() and want
    for key, wanted in want.items():
        numpy.testing.assert_allclose(have[key], wanted, rtol=tolerance, atol=tolerance, err_msg=key)
