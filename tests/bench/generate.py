#!/usr/bin/env python3
"""Makes the benchmark's inputs, in UTM 32 at 10 m where they have a place.

    generate.py stack  DIR   24 dates x 4 bands x 2048 x 2048: geotiff/ and cog/S2_<YYYYMMDD>_<band>.tif, S2.nc, S2.zarr
    generate.py large  DIR   8 dates x 2 x 16384 x 16384, smooth: geotiff/BIG_<YYYYMMDD>_<band>.tif, 8.6 GB, small files
    generate.py plane  DIR   one plane: geotiff/ and cog/P_20200101_B01.tif, plane.nc, plane.zarr
    generate.py scenes DIR   items of two bands of 4096 x 4096, uint16: COG_<YYYYMMDD>_<band>.tif
    generate.py zones  DIR   star-shaped polygons over the series: zones.geojson
    generate.py bands  DIR   one date of many variables of 512 x 512: bands.nc
    generate.py items  DIR   many scenes of 16 x 16, a day each, at one place or spread: I_<YYYYMMDD>_B01.tif
    generate.py daily  DIR   daily temperatures of some years of 365 days: daily.nc
    generate.py dates  DIR   series of many small planes: first.nc, second.nc after it, between.nc in between

The stack's scene is a patchwork of fields whose greenness follows the season, with sensor noise; each date loses some
round patches (clouds) to the no-data value 0. Everything comes from seeds, so two machines time the same bytes.
"""
import argparse
import datetime
import json
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
STACK = ("B02", "B04", "B08", "SCL")  # SCL: 4 vegetation, 3 shadow, 8 and 9 clouds
NODATA = 0
BLOCK = 512


def dates(count):
    first = datetime.date(2018, 1, 6)
    return [first + datetime.timedelta(days=round(i * 360 / count)) for i in range(count)]


def profile(size):
    return dict(driver="GTiff", width=size, height=size, count=1, dtype="uint16", nodata=NODATA, crs=CRS,
                transform=from_origin(WEST, NORTH, RES, RES), tiled=True, blockxsize=BLOCK, blockysize=BLOCK,
                compress="deflate", predictor=2, zlevel=6, num_threads=os.cpu_count())


def stack_dates(size, count, seed=20180106):
    """Yields (date, {band: uint16 array})."""
    rng = np.random.default_rng(seed)
    field = rng.random((size // 64, size // 64), dtype=np.float32)
    vigour = np.kron(field, np.ones((64, 64), np.float32))
    rows, cols = np.ogrid[0:size, 0:size]
    for day in dates(count):
        season = 0.5 - 0.5 * np.cos(2 * np.pi * day.timetuple().tm_yday / 365.0)
        green = np.float32(0.15) + vigour * np.float32(0.7 * season)
        noise = rng.standard_normal((3, size, size), dtype=np.float32) * np.float32(4)
        bands = {"B02": 900 - 500 * green + noise[2], "B04": 1800 - 1400 * green + noise[0],
                 "B08": 1500 + 2600 * green + noise[1]}
        bands = {name: np.clip(values, 1, 10000).astype(np.uint16) for name, values in bands.items()}
        bands["SCL"] = np.full((size, size), 4, np.uint16)
        for kind in (NODATA, NODATA, NODATA, 3, 8, 9):
            y, x, radius = rng.random(3) * (size, size, size / 6)
            inside = (rows - y) ** 2 + (cols - x) ** 2 < radius ** 2
            for values in [bands["SCL"]] if kind else bands.values():
                values[inside] = np.where(values[inside] == NODATA, NODATA, kind)
        yield day, bands


def write_netcdf_frame(path, size, days, names=STACK, dtype="u2", nodata=NODATA):
    """Creates the file with its coordinates; the caller fills the variables date by date."""
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
    for name in names:
        band = nc.createVariable(name, dtype, ("t", "y", "x"), zlib=True, complevel=1, shuffle=True,
                                 chunksizes=(1, min(BLOCK, size), min(BLOCK, size)), fill_value=nodata)
        band.grid_mapping = "crs"
        band.set_auto_maskandscale(False)
    return nc


def write_zarr(path, source):
    """The variables of a netCDF file as Zarr 3, as xarray stores them where nobody says how (zstd)."""
    import warnings

    import xarray
    warnings.simplefilter("ignore")
    with xarray.open_dataset(source, mask_and_scale=False, chunks={"t": 1}) as data:
        for variable in data.variables.values():
            variable.encoding = {}
        cubes = [name for name, values in data.data_vars.items() if values.ndim == 3]
        data.to_zarr(path, mode="w", zarr_format=3, encoding={name: {"chunks": (1, BLOCK, BLOCK)} for name in cubes})


def write_cog(path, source):
    from rasterio.shutil import copy
    copy(source, path, driver="COG", compress="deflate", predictor="yes", blocksize=BLOCK, num_threads="all_cpus")


def make_stack(folder, size=2048, count=24):
    for name in ("geotiff", "cog"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    nc = write_netcdf_frame(folder / "S2.nc", size, dates(count))
    for index, (day, bands) in enumerate(stack_dates(size, count)):
        for name, values in bands.items():
            path = folder / "geotiff" / f"S2_{day:%Y%m%d}_{name}.tif"
            with rasterio.open(path, "w", **profile(size)) as out:
                out.write(values, 1)
            write_cog(folder / "cog" / path.name, path)
            nc[name][index] = values
    nc.close()
    write_zarr(folder / "S2.zarr", folder / "S2.nc")


def make_scenes(folder, size=4096, count=10, seed=9):
    """COGs as odc-stac loads them; every date its own noise."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size]
    waves = 600 * np.sin(x / 97) * np.cos(y / 131)
    for day in dates(count):
        for name, base in zip(BANDS, (900, 2600)):
            values = (base + waves + rng.integers(0, 300, x.shape, "u2")).astype("uint16")
            with rasterio.MemoryFile() as memory:
                with memory.open(**{**profile(size), "compress": "none", "predictor": 1}) as raster:
                    raster.write(values, 1)
                write_cog(folder / f"COG_{day:%Y%m%d}_{name}.tif", memory.name)


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


def make_plane(folder, size=4096, compress="none", kind="float32", seed=3):
    """Waves and noise, floats in steps of 1/64 so that they deflate as measured data do; positive. Four formats."""
    for name in ("geotiff", "cog"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    x = np.arange(size, dtype=np.float32)
    options = {**profile(size), "dtype": kind, "compress": compress, "zlevel": 1}
    if kind == "float32":
        options |= {"nodata": None, "predictor": 3}
    if compress == "none":
        options.pop("zlevel"), options.pop("predictor")
    path = folder / "geotiff" / "P_20200101_B01.tif"
    nc = write_netcdf_frame(folder / "plane.nc", size, [datetime.date(2020, 1, 1)], ["B01"], kind,
                            options["nodata"])
    with rasterio.open(path, "w", **options) as out:
        for row in range(0, size, BLOCK):
            y = np.arange(row, row + BLOCK, dtype=np.float32)[:, None]
            values = 300 + 40 * np.sin(x / 97) * np.cos(y / 131) + 2 * rng.standard_normal((BLOCK, size), np.float32)
            values = (np.round(values * 64) / np.float32(64 if kind == "float32" else 1)).astype(kind)
            out.write(values, 1, window=Window(0, row, size, BLOCK))
            nc["B01"][0, row:row + BLOCK] = values
    nc.close()
    write_cog(folder / "cog" / path.name, path)
    write_zarr(folder / "plane.zarr", folder / "plane.nc")


def stars(size, count, seed=11):
    """Rings (points, 2) in UTM: one a cell of a lattice over the scene, some reaching into the next."""
    rng = np.random.default_rng(seed)
    across = int(np.ceil(np.sqrt(count)))
    cell = size * RES / across
    for i in range(count):
        centre = (np.array([i % across, i // across]) + rng.uniform(0.3, 0.7, 2)) * cell
        angle = np.sort(rng.uniform(0, 2 * np.pi, 24))
        radius = cell * rng.uniform(0.35, 0.65, 24)
        ring = centre[:, None] + radius * np.array([np.cos(angle), np.sin(angle)])
        ring = np.clip(ring, RES / 3, size * RES - RES / 3)
        yield np.column_stack([WEST + ring[0], NORTH - ring[1]])


def make_zones(folder, size=2048, count=500):
    folder.mkdir(parents=True, exist_ok=True)
    features = [{"type": "Feature", "id": f"zone {i}", "properties": {"number": i},
                 "geometry": {"type": "Polygon", "coordinates": [np.vstack([ring, ring[:1]]).tolist()]}}
                for i, ring in enumerate(stars(size, count))]
    crs = {"type": "name", "properties": {"name": CRS}}
    (folder / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))


def write_time_series(path, name, days, calendar, planes, chunk):
    """A netCDF file (t, y, x) of float32; planes yields slices in time, chunk is (t, y, x)."""
    import netCDF4
    with netCDF4.Dataset(path, "w", format="NETCDF4") as nc:
        nc.Conventions = "CF-1.8"
        nc.createDimension("t", len(days))
        t = nc.createVariable("t", "f8", ("t",))
        t.units, t.calendar, t.standard_name, t.axis = "days since 2001-01-01", calendar, "time", "T"
        t[:] = days
        for axis, standard, values in (("y", "latitude", 60 - 0.1 * np.arange(chunk[1])),
                                       ("x", "longitude", 5 + 0.1 * np.arange(chunk[2]))):
            nc.createDimension(axis, len(values))
            coordinate = nc.createVariable(axis, "f8", (axis,))
            coordinate.units = "degrees_north" if axis == "y" else "degrees_east"
            coordinate.standard_name, coordinate.axis = standard, axis.upper()
            coordinate[:] = values
        data = nc.createVariable(name, "f4", ("t", "y", "x"), zlib=True, complevel=1, shuffle=True, chunksizes=chunk)
        data.units = "K"
        done = 0
        for part in planes:
            data[done:done + len(part)] = part
            done += len(part)


def make_daily(folder, size=128, width=None, years=10, seed=5):
    """Years of 365 days, so that every program means the same by the day of the year."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    days, width = np.arange(365 * years), width or size

    def each_year():
        for year in range(years):
            planes = rng.standard_normal((365, size, width), np.float32) * np.float32(4)
            warmth = 280 - 12 * np.cos(2 * np.pi * days[365 * year:365 * (year + 1)] / 365)
            yield np.round((planes + warmth.astype("f4")[:, None, None]) * 128) / np.float32(128)

    write_time_series(folder / "daily.nc", "tas", days, "365_day", each_year(), (1, size, width))


def make_dates(folder, count=4000, size=16, seed=6):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    days = 2.0 * np.arange(count)
    for name, start in (("first", 0), ("second", 2 * count), ("between", 1)):
        planes = rng.standard_normal((count, size, size), np.float32)
        write_time_series(folder / f"{name}.nc", "tas", days + start, "standard", [planes],
                          (min(64, count), size, size))


def make_bands(folder, count=192, size=512, seed=12):
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"B{i:03}" for i in range(count)]
    values = np.random.default_rng(seed).integers(1, 10000, (count, size, size), "u2")
    nc = write_netcdf_frame(folder / "bands.nc", size, [datetime.date(2020, 1, 1)], names)
    for name, plane in zip(names, values):
        nc[name][0] = plane
    nc.close()


def make_items(folder, count=10000, size=16, spread=False, seed=13):
    """Where spread, each at a place of its own in a lattice of 100 columns."""
    folder.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(1, 10000, (size, size), "u2")
    options = {**profile(size), "compress": "none", "predictor": 1, "tiled": False}
    for i in range(count):
        day = datetime.date(1990, 1, 1) + datetime.timedelta(days=i)
        if spread:
            options["transform"] = from_origin(WEST + i % 100 * size * RES, NORTH - i // 100 * size * RES, RES, RES)
        with rasterio.open(folder / f"I_{day:%Y%m%d}_B01.tif", "w", **options) as out:
            out.write(values + np.uint16(i % 100), 1)


MAKERS = {"stack": make_stack, "scenes": make_scenes, "large": make_large, "plane": make_plane, "zones": make_zones,
          "bands": make_bands, "items": make_items, "daily": make_daily, "dates": make_dates}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=MAKERS)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, help="pixels a side")
    parser.add_argument("--dates", "--count", dest="count", type=int, help="dates, polygons, bands or items")
    parser.add_argument("--spread", action="store_true", default=None, help="items: side by side")
    parser.add_argument("--years", type=int, help="daily: years")
    parser.add_argument("--width", type=int, help="daily: pixels of a row, where they are not as many as rows")
    parser.add_argument("--compress", choices=("none", "deflate"), help="plane: compression of the GeoTIFF")
    parser.add_argument("--kind", choices=("float32", "uint16"), help="plane: type of its values")
    args = vars(parser.parse_args())
    make = MAKERS[args.pop("what")]
    make(args.pop("folder"), **{name: value for name, value in args.items() if value is not None})
    return 0


if __name__ == "__main__":
    sys.exit(main())
