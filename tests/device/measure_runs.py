"""measure_runs.py SIDE: whole commands on the CPU and on the device, in turn: the median of a season's NDVI and a
window. The cubes are a quarter of SIDE wide and written without compression, so that little of the time is decoding.
Prints the best of three, in seconds."""

import pathlib
import sys
import tempfile
import time

import netCDF4
import numpy

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "property"))

import fake  # noqa: E402
from test_device_runs import GRAPHS, MEDIAN  # noqa: E402


def write(folder, side):
    rng = numpy.random.default_rng(1)
    with netCDF4.Dataset(folder / "cube.nc", "w") as file:
        fake.write_axes(file, 24, side, side)
        for band in range(2):
            variable = file.createVariable(f"B{band}", "i2", ("t", "y", "x"), fill_value=-1)
            variable.grid_mapping = "crs"
            for date in range(24):
                variable[date] = rng.integers(0, 3000, (side, side), dtype="int16")
    fake.twincube("catalogue", "add", "--data", folder, "--id", "CUBE", folder / "cube.nc", check=True)


def seconds(folder, name, device):
    begin = time.perf_counter()
    fake.twincube("run", folder / f"{name}.json", "--data", folder, "--device", device, "-o", folder / "out.nc",
                  check=True)
    return time.perf_counter() - begin


def main():
    side = max(int(sys.argv[1]) // 4, 64)
    graphs = {"ndvi_median": MEDIAN, "window": GRAPHS["a window"]}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write(folder, side)
        print(f"{'command':14}{'cpu':>9}{'device':>9}{'ratio':>7}   ({side} x {side} cells)")
        for label, nodes in graphs.items():
            (folder / f"{label}.json").write_text(fake.json.dumps(nodes))
            best = {"cpu": 1e9, "cuda": 1e9}
            for _ in range(3):
                for device in best:
                    best[device] = min(best[device], seconds(folder, label, device))
            print(f"{label:14}{best['cpu']:9.3f}{best['cuda']:9.3f}{best['cpu'] / best['cuda']:7.2f}")


if __name__ == "__main__":
    main()
