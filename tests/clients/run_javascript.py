#!/usr/bin/env python3
"""run_javascript.py FOLDER: runs js_client.mjs against a server of its own, with the demonstration series.

FOLDER holds node_modules with @openeo/js-client. The programs lie beside $TWINCUBE_BIN. What the client downloaded is
compared here: netCDF, GeoTIFF and the batch job's GeoTIFF hold the same numbers. Ends with a line
"N passed, N failed, N skipped"; exit status 1 where a test fails.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import numpy
import rasterio
import xarray

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TWINCUBE_BIN", ROOT / "build" / "twincube"))
SCRIPT = pathlib.Path(__file__).with_name("js_client.mjs")
PASSWORD = "a password of the tests"
PATTERNS = ["--datetime", "_([0-9]{8})_", "--band", "_(B[0-9]{2}|QA)[.]tif$"]


def prepare(work):
    data = work / "data"
    subprocess.run([BINARY.with_name("twincube-demo"), work / "DEMO_S2"], check=True)
    subprocess.run([BINARY, "catalogue", "add", "--data", data, "--id", "DEMO_S2", *PATTERNS, work / "DEMO_S2"],
                   check=True)
    subprocess.run([BINARY, "user", "add", "dora", "--data", data], input=PASSWORD + "\n", text=True, check=True)
    return data


def client(modules, work):
    """Runs the script to its end: how many of its tests passed and failed."""
    data = prepare(work)
    server = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data], stdout=subprocess.PIPE,
                              text=True)
    try:
        url = server.stdout.readline().strip()
        # Node looks for modules beside the script, so the script goes to where they are.
        script = shutil.copy(SCRIPT, modules)
        done = subprocess.run(["node", script, url, "dora", PASSWORD, work], timeout=300, stdout=subprocess.PIPE,
                              text=True)
    finally:
        server.send_signal(signal.SIGTERM)
        status = server.wait(timeout=60)
        server.stdout.close()
    print(done.stdout)
    counts = re.search(r"^(\d+) passed, (\d+) failed$", done.stdout, re.MULTILINE)
    if not counts or status != 0:
        print(f"FAILED  the script ended with status {done.returncode}, the server with {status}")
        return (int(counts.group(1)) if counts else 0), (int(counts.group(2)) if counts else 0) + 1
    return int(counts.group(1)), int(counts.group(2))


def compare(work):
    """Three downloads, one result: five months, in which something is valid."""
    with xarray.open_dataset(work / "ndvi.nc", mask_and_scale=False) as dataset:
        [name] = [name for name in dataset.data_vars if dataset[name].ndim == 3]
        netcdf = dataset[name].transpose("t", "y", "x").values
    [job] = (work / "job").glob("*.tif")
    for path in (work / "ndvi.tif", job):
        with rasterio.open(path) as file:
            numpy.testing.assert_array_equal(file.read(), netcdf)
    assert netcdf.shape[0] == 5 and 0.3 < numpy.nanmean(netcdf) < 0.9


def main():
    modules = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="twincube-js-") as folder:
        work = pathlib.Path(folder)
        passed, failed = client(modules, work)
        try:
            compare(work)
            passed += 1
            print("ok      the downloads hold the same numbers")
        except Exception as error:  # whatever it is, it is the test's failure
            failed += 1
            print(f"FAILED  the downloads hold the same numbers: {error!r}")
    print(f"\n{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
