#!/usr/bin/env python3
"""Makes the benchmark's inputs: two uint16 bands (B04, B08) over a year, in UTM 32 at 10 m.

    generate.py series DIR   24 dates x 2048 x 2048: geotiff/S2_<YYYYMMDD>_<band>.tif and S2.nc, the same values
    generate.py large  DIR   8 dates x 16384 x 16384, smooth: geotiff/BIG_<YYYYMMDD>_<band>.tif, 8.6 GB raw, small files

The scene is a patchwork of fields whose greenness follows the season, with sensor noise; each date loses some round
patches (clouds) to the no-data value 0. Everything comes from one seed, so two machines time the same bytes.
"""
import argparse
import datetime
import os
import pathlib
import sys

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

CRS = "EPSG:32632"
WEST, NORTH, RES = 600000.0, 5200000.0, 10.0
BANDS = ("B04", "B08")
NODATA = 0
BLOCK = 512


def dates(count):
    first = datetime.date(2018, 1, 6)
    return [first + datetime.timedelta(days=round(i * 360 / count)) for i in range(count)]


def profile(size):
    return dict(driver="GTiff", width=size, height=size, count=1, dtype="uint16", nodata=NODATA, crs=CRS,
                transform=from_origin(WEST, NORTH, RES, RES), tiled=True, blockxsize=BLOCK, blockysize=BLOCK,
                compress="deflate", predictor=2, zlevel=6, num_threads=os.cpu_count())


def series_dates(size, count, seed=20180106):
    """Yields (date, {band: uint16 array})."""
    rng = np.random.default_rng(seed)
    field = rng.random((size // 64, size // 64), dtype=np.float32)
    vigour = np.kron(field, np.ones((64, 64), np.float32))
    rows, cols = np.ogrid[0:size, 0:size]
    for day in dates(count):
        season = 0.5 - 0.5 * np.cos(2 * np.pi * day.timetuple().tm_yday / 365.0)
        green = np.float32(0.15) + vigour * np.float32(0.7 * season)
        noise = rng.standard_normal((2, size, size), dtype=np.float32) * np.float32(4)
        bands = {"B04": 1800 - 1400 * green + noise[0], "B08": 1500 + 2600 * green + noise[1]}
        bands = {name: np.clip(values, 1, 10000).astype(np.uint16) for name, values in bands.items()}
        hidden = np.zeros((size, size), bool)
        for _ in range(6):
            y, x, radius = rng.random(3) * (size, size, size / 6)
            hidden |= (rows - y) ** 2 + (cols - x) ** 2 < radius ** 2
        for values in bands.values():
            values[hidden] = NODATA
        yield day, bands


def write_netcdf_frame(path, size, days):
    """Creates the file with its coordinates; the caller fills the variables B04 and B08 date by date."""
    import netCDF4
    from pyproj import CRS as ProjCRS
    nc = netCDF4.Dataset(path, "w", format="NETCDF4")
    nc.Conventions = "CF-1.8"
    nc.createDimension("t", len(days))
    nc.createDimension("y", size)
    nc.createDimension("x", size)
    t = nc.createVariable("t", "i4", ("t",))
    t.units, t.calendar, t.standard_name, t.axis = "days since 2018-01-01", "standard", "time", "T"
    t[:] = [(day - datetime.date(2018, 1, 1)).days for day in days]
    y = nc.createVariable("y", "f8", ("y",))
    y.units, y.standard_name, y.axis = "m", "projection_y_coordinate", "Y"
    y[:] = NORTH - RES * (np.arange(size) + 0.5)
    x = nc.createVariable("x", "f8", ("x",))
    x.units, x.standard_name, x.axis = "m", "projection_x_coordinate", "X"
    x[:] = WEST + RES * (np.arange(size) + 0.5)
    crs = nc.createVariable("crs", "i4")
    crs.setncatts({**ProjCRS(CRS).to_cf(), "GeoTransform": f"{WEST} {RES} 0 {NORTH} 0 {-RES}"})
    for name in BANDS:
        band = nc.createVariable(name, "u2", ("t", "y", "x"), zlib=True, complevel=1, shuffle=True,
                                 chunksizes=(1, BLOCK, BLOCK), fill_value=NODATA)
        band.grid_mapping = "crs"
        band.set_auto_maskandscale(False)
    return nc


def make_series(folder, size=2048, count=24):
    geotiff = folder / "geotiff"
    geotiff.mkdir(parents=True, exist_ok=True)
    nc = write_netcdf_frame(folder / "S2.nc", size, dates(count))
    for index, (day, bands) in enumerate(series_dates(size, count)):
        for name, values in bands.items():
            with rasterio.open(geotiff / f"S2_{day:%Y%m%d}_{name}.tif", "w", **profile(size)) as out:
                out.write(values, 1)
            nc[name][index] = values
    nc.close()


def make_large(folder, size=16384, count=8):
    """Planes of ramps and steps: they compress to almost nothing, and the values still differ by date and place."""
    geotiff = folder / "geotiff"
    geotiff.mkdir(parents=True, exist_ok=True)
    ramp = (np.arange(size, dtype=np.uint32) // 8).astype(np.uint16)
    for index, day in enumerate(dates(count)):
        for shift, name in enumerate(BANDS):
            path = geotiff / f"BIG_{day:%Y%m%d}_{name}.tif"
            with rasterio.open(path, "w", **{**profile(size), "zlevel": 1}) as out:
                for row in range(0, size, BLOCK):
                    base = 400 + 1500 * shift + 37 * ((index * 5) % count) + row // BLOCK
                    rows = np.broadcast_to(ramp + np.uint16(base), (BLOCK, size)).copy()
                    start = (index * 2048 + row) % size
                    rows[:, start:start + 1024] = NODATA
                    out.write(rows, 1, window=Window(0, row, size, BLOCK))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("series", "large"))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, help="pixels a side (default 2048 or 16384)")
    parser.add_argument("--dates", type=int, help="dates (default 24 or 8)")
    args = parser.parse_args()
    make, size, count = (make_series, 2048, 24) if args.what == "series" else (make_large, 16384, 8)
    make(args.folder, args.size or size, args.dates or count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
