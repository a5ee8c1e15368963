"""The same results by other means: NumPy, rasterio and pyproj, straight from the files.

A cube's pixel takes the value of the source pixel that holds its centre. Missing values are NaN, arrays float64.
"""

import functools
import re
import warnings

import numpy
import pyproj
import rasterio
import xarray


@functools.lru_cache(maxsize=64)
def raster(path, band=1):
    with rasterio.open(path) as source:
        return source.read(band), source.transform, source.crs


def read_at(path, x, y, crs=None, nodata=None, band=1):
    """Values at the grid of centres x, y (in `crs`, or in the file's own), nearest neighbour."""
    values, transform, own = raster(str(path), band)
    xs, ys = numpy.meshgrid(x, y)
    if crs is not None:
        xs, ys = pyproj.Transformer.from_crs(crs, own.to_wkt(), always_xy=True).transform(xs, ys)
    with numpy.errstate(invalid="ignore"):
        columns = numpy.floor((xs - transform.c) / transform.a + 1e-10)
        rows = numpy.floor((ys - transform.f) / transform.e + 1e-10)
        inside = (columns >= 0) & (columns < values.shape[1]) & (rows >= 0) & (rows < values.shape[0])
    out = numpy.full(xs.shape, numpy.nan)
    out[inside] = values[rows[inside].astype(int), columns[inside].astype(int)]
    if nodata is not None:
        out[out == nodata] = numpy.nan
    return out


def mosaic(layers):
    """The first valid pixel of each place, in the order of the layers."""
    out = None
    for layer in layers:
        out = layer if out is None else numpy.where(numpy.isnan(out), layer, out)
    return out


def scenes_by_date(folder, pattern):
    """Files below the folder by the date in their names: {"20180106": [path, …]}, sorted by name."""
    dates = {}
    for path in sorted(folder.rglob("*")):
        found = re.search(pattern, path.name)
        if found:
            dates.setdefault(found.group(1), []).append(path)
    return dict(sorted(dates.items()))


def monthly_median(layers):
    """Of {"20180106": array}: {"2018-01": median over the month's valid values}."""
    months = {}
    for date, layer in layers.items():
        months.setdefault(f"{date[:4]}-{date[4:6]}", []).append(layer)
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # months without a valid value
        return {month: numpy.nanmedian(numpy.array(stack), axis=0) for month, stack in months.items()}


def open_cube(path):
    """The one data variable of a netCDF file without bands, or a stack of its bands."""
    with xarray.open_dataset(path, decode_coords="all") as dataset:
        dataset.load()
    names = [name for name in dataset.data_vars if dataset[name].ndim >= 2]
    if len(names) == 1:
        return dataset[names[0]]
    return xarray.concat([dataset[name] for name in names], dim="bands").assign_coords(bands=names)


def assert_same(actual, expected, tolerance=1e-6):
    """Equal within the tolerance, and missing in the same places; there is something to compare."""
    actual, expected = numpy.asarray(actual, dtype="f8"), numpy.asarray(expected)
    assert actual.shape == expected.shape
    different = int((numpy.isnan(actual) != numpy.isnan(expected)).sum())
    assert different == 0, f"{different} of {actual.size} pixels are missing in one and not in the other"
    valid = ~numpy.isnan(expected)
    assert valid.any()
    numpy.testing.assert_allclose(actual[valid], expected[valid], rtol=0, atol=tolerance)
