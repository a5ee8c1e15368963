"""GRIB files and what they hold, by ecCodes and cfgrib: run as a program, for their libraries get on badly with others
in one process.

    python grib_files.py make FOLDER       writes files, and beside each what its fields are (.npz)
    python grib_files.py read FOLDER FILE...    what cfgrib reads of files, into that folder (FILE.npz)
"""

import itertools
import os
import sys

import numpy as np

SHAPE = 12, 18
PACKINGS = ["grid_simple", "grid_complex", "grid_complex_spatial_differencing", "grid_ccsds", "grid_jpeg",
            "grid_ieee"]
MODES = list(itertools.product((0, 1), repeat=4))  # x back, y up, by columns, alternating


def pattern(seed, shape=SHAPE):
    """Smooth, so that packings by groups have groups, with some noise."""
    y, x = np.mgrid[:shape[0], :shape[1]]
    return 280 + 9 * np.sin(y / 3 + seed) + 5 * np.cos(x / 4) + np.random.default_rng(seed).normal(0, .3, shape)


def message(eccodes, edition=2, **keys):
    handle = eccodes.codes_grib_new_from_samples(f"regular_ll_pl_grib{edition}")
    start = {"Ni": SHAPE[1], "Nj": SHAPE[0], "latitudeOfFirstGridPointInDegrees": 55.5,
             "latitudeOfLastGridPointInDegrees": 50, "longitudeOfFirstGridPointInDegrees": 355,
             "longitudeOfLastGridPointInDegrees": 3.5, "iDirectionIncrementInDegrees": .5,
             "jDirectionIncrementInDegrees": .5, "dataDate": 20200101, "dataTime": 0, "level": 500, "shortName": "t"}
    for key, value in {**start, **keys}.items():
        eccodes.codes_set(handle, key, value)
    return handle


def fill(eccodes, handle, values, bits=16):
    """Values with NaN where none is."""
    hole = np.isnan(values)
    eccodes.codes_set(handle, "bitmapPresent", int(hole.any()))
    eccodes.codes_set(handle, "missingValue", 9999)
    eccodes.codes_set(handle, "bitsPerValue", bits)
    eccodes.codes_set_values(handle, np.where(hole, 9999, values).ravel())


def truth(eccodes, handle):
    """Latitudes, longitudes and values of all points, as ecCodes' iterator has them, whatever the order."""
    eccodes.codes_set(handle, "missingValue", 9999)
    points = np.array([(p["lat"], p["lon"], p["value"]) for p in eccodes.codes_grib_get_data(handle)])
    points[points[:, 2] == 9999, 2] = np.nan
    return points


def packings(eccodes, folder):
    """Each packing on a level of its own, as it is and with holes; GRIB 1 as well."""
    for edition, kinds in ((1, ["grid_simple", "grid_second_order"]), (2, PACKINGS)):
        found = {}
        with open(folder + f"/packings{edition}.grib", "wb") as file:
            for (n, kind), bits, holes in itertools.product(enumerate(kinds), (8, 12, 16, 24), (False, True)):
                if kind == "grid_ieee" and bits != 24:
                    continue
                level = 100 * n + 2 * bits + holes
                values = pattern(level)
                if holes:
                    values[3:6, 2:9] = np.nan
                handle = message(eccodes, edition, level=level)
                fill(eccodes, handle, values, bits)
                eccodes.codes_set(handle, "packingType", kind)
                assert eccodes.codes_get(handle, "packingType") == kind, (kind, bits)
                eccodes.codes_write(handle, file)
                found[str(level)] = truth(eccodes, handle)[:, 2].reshape(SHAPE)
        handle = message(eccodes, edition, level=900)
        eccodes.codes_set_values(handle, np.full(SHAPE, 7.25).ravel())
        with open(folder + f"/packings{edition}.grib", "ab") as file:
            eccodes.codes_write(handle, file)
        found["900"] = np.full(SHAPE, 7.25)
        np.savez(folder + f"/packings{edition}.npz", **found)


def places(back, up, columns, alternating):
    """Latitude and longitude of point after point, by the manual's table 3.4: ecCodes' iterator lets rows alternate
    where they do not."""
    lats = (55.5 - .5 * np.arange(SHAPE[0]))[::-1 if up else 1]
    lons = (-5 + .5 * np.arange(SHAPE[1]))[::-1 if back else 1]
    outer, inner = (lons, lats) if columns else (lats, lons)
    for n, first in enumerate(outer):
        for second in inner[::-1] if alternating and n % 2 else inner:
            yield (second, first) if columns else (first, second)


def modes(eccodes, folder):
    """Each order of points on a time of its own, in a file of its own."""
    for n, (back, up, columns, alternating) in enumerate(MODES):
        handle = message(eccodes)
        first, last = ("longitudeOfFirstGridPointInDegrees", "longitudeOfLastGridPointInDegrees")[::-1 if back else 1]
        eccodes.codes_set(handle, first, 355)
        eccodes.codes_set(handle, last, 3.5)
        first, last = ("latitudeOfFirstGridPointInDegrees", "latitudeOfLastGridPointInDegrees")[::-1 if up else 1]
        eccodes.codes_set(handle, first, 55.5)
        eccodes.codes_set(handle, last, 50)
        for key, value in (("iScansNegatively", back), ("jScansPositively", up), ("jPointsAreConsecutive", columns),
                           ("alternativeRowScanning", alternating)):
            eccodes.codes_set(handle, key, value)
        fill(eccodes, handle, pattern(n))
        with open(folder + f"/mode{n:02}.grib", "wb") as file:
            eccodes.codes_write(handle, file)
        values = eccodes.codes_get_values(handle)
        np.savez(folder + f"/mode{n:02}.npz", points=[(*place, values[i]) for i, place in enumerate(
            places(back, up, columns, alternating))])


def grids(eccodes, folder):
    earth = {"shapeOfTheEarth": 6}
    kinds = {
        "lambert": {"Nx": 20, "Ny": 15, "LaDInDegrees": 45, "LoVInDegrees": 10, "Latin1InDegrees": 40,
                    "Latin2InDegrees": 50, "DxInMetres": 9000, "DyInMetres": 8000, "jScansPositively": 1,
                    "latitudeOfFirstGridPointInDegrees": 44, "longitudeOfFirstGridPointInDegrees": 7},
        "polar_stereographic": {"Nx": 20, "Ny": 15, "LaDInDegrees": 60, "orientationOfTheGridInDegrees": 10,
                                "DxInMetres": 9000, "DyInMetres": 8000, "jScansPositively": 1,
                                "latitudeOfFirstGridPointInDegrees": 64, "longitudeOfFirstGridPointInDegrees": 7},
        "mercator": {"Ni": 20, "Nj": 15, "LaDInDegrees": 20, "DiInMetres": 9000, "DjInMetres": 8000,
                     "jScansPositively": 1, "latitudeOfFirstGridPointInDegrees": 14,
                     "longitudeOfFirstGridPointInDegrees": 7, "latitudeOfLastGridPointInDegrees": 15,
                     "longitudeOfLastGridPointInDegrees": 8.6},
        "regular_gg": {"N": 8, "Ni": 32, "Nj": 16, "latitudeOfFirstGridPointInDegrees": 81.651,
                       "latitudeOfLastGridPointInDegrees": -81.651, "longitudeOfFirstGridPointInDegrees": 0,
                       "longitudeOfLastGridPointInDegrees": 348.75, "iDirectionIncrementInDegrees": 11.25}}
    for kind, keys in kinds.items():
        handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
        for key, value in {"gridType": kind, **earth, **keys, "shortName": "2t"}.items():
            eccodes.codes_set(handle, key, value)
        shape = keys.get("Ny", keys.get("Nj")), keys.get("Nx", keys.get("Ni"))
        fill(eccodes, handle, pattern(1, shape))
        with open(folder + f"/{kind}.grib", "wb") as file:
            eccodes.codes_write(handle, file)
        np.savez(folder + f"/{kind}.npz", points=truth(eccodes, handle))
    for kind in ("reduced_gg_sfc_grib2", "sh_ml_grib2", "rotated_ll_sfc_grib2"):
        with open(folder + f"/{kind}.grib", "wb") as file:
            eccodes.codes_write(eccodes.codes_grib_new_from_samples(kind), file)


def times(eccodes, folder):
    """One forecast with steps; several with several; sums from the beginning and of six hours; a file for each day."""
    def write(name, rows, mode="wb"):
        with open(folder + "/" + name, mode) as file:
            for row in rows:
                handle = message(eccodes, **row)
                fill(eccodes, handle, pattern(row["dataDate"] % 100 * 40 + row.get("endStep", row.get("step", 0))))
                eccodes.codes_write(handle, file)

    write("steps.grib", [{"dataDate": 20200101, "step": step} for step in (6, 0, 12, 18)])
    write("forecasts.grib2", [{"dataDate": day, "step": step} for day in (20200101, 20200102) for step in (0, 6, 24)])
    sums = {"productDefinitionTemplateNumber": 8, "shortName": "tp", "stepType": "accum"}
    write("sums.grb", [{**sums, "dataDate": 20200101, "startStep": start, "endStep": end}
                       for start, end in ((0, 6), (6, 12), (0, 12), (12, 18), (0, 18))])
    os.makedirs(folder + "/days", exist_ok=True)
    for day in (20200103, 20200101, 20200102):
        write(f"days/t_{day}.grib2", [{"dataDate": day, "level": level} for level in (850, 500)])


def many_fields(eccodes, folder):
    """Three levels in one message, which shares its grid."""
    found = {}
    multi = eccodes.codes_grib_multi_new()
    for n, level in enumerate((500, 700, 850)):
        handle = message(eccodes, level=level)
        values = pattern(level)
        if n > 0:
            values[:2] = np.nan
        fill(eccodes, handle, values)
        found[str(level)] = truth(eccodes, handle)[:, 2].reshape(SHAPE)
        eccodes.codes_grib_multi_append(handle, 4, multi)
    with open(folder + "/multi.grib2", "wb") as file:
        eccodes.codes_grib_multi_write(multi, file)
    np.savez(folder + "/multi.npz", **found)


def make(folder):
    import eccodes

    for part in (packings, modes, grids, times, many_fields):
        part(eccodes, folder)


def read(folder, *paths):
    import xarray

    options = {"engine": "cfgrib", "decode_timedelta": False, "backend_kwargs": {"indexpath": ""}}
    for path in paths:
        found = {}
        with xarray.open_dataset(path, **options) as file:
            for name, array in file.variables.items():
                found[name] = array.values
                found[name + "_dims"] = np.array(array.dims)
        np.savez(os.path.join(folder, os.path.basename(path) + ".npz"), **found)


if __name__ == "__main__":
    {"make": make, "read": read}[sys.argv[1]](*sys.argv[2:])
    sys.stdout.flush()
    os._exit(0)  # unloading the libraries may fail
