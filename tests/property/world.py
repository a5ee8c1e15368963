"""Small collections made for the test: what is in the files, and what loading them means.

GeoTIFF folders with and without a common grid, in two zones, of four types, with every kind of no-data, packed,
mosaicked; netCDF files with a grid of their own. Truth is in memory: the files are never read back.
"""

import dataclasses

import netCDF4
import numpy
import pyproj
import rasterio

import naive
from naive import Cube, Dimension, Grid, Retry

ZONE, NEXT = 32632, 32633  # the ground lies east of 11.8 degrees, near the edge of the two zones
CORNER = {ZONE: (702000.0, 5551000.0), NEXT: (272650.0, 5552040.0)}
BANDS = ("B04", "B08", "B11")
PACKING = (0.5, 10.0)  # scale and offset of the packed netCDF file


@dataclasses.dataclass(frozen=True)
class Scene:
    """One date of all bands on one grid; values (band, y, x), NaN where missing. Scenes are in item order."""

    date: str
    grid: Grid
    values: numpy.ndarray


@dataclasses.dataclass(frozen=True)
class Collection:
    name: str
    bands: tuple
    scenes: tuple
    grid: Grid = None  # of the collection, where its scenes do not share one
    whole_numbers: bool = False
    scale: tuple = (1.0, 0.0)  # of stored to loaded values
    packing: tuple = None  # of the loaded values, as metadata
    rounded: bool = False  # values are floats of 32 bits

    @property
    def crs(self):
        return self.grid.crs if self.grid else self.scenes[0].grid.crs

    @property
    def fluid(self):
        """Methods whose answer depends on whether scenes are mosaicked or resampled first."""
        if self.grid:
            return frozenset({"near", "bilinear"})
        dates = [scene.date for scene in self.scenes]
        return frozenset({"bilinear"} if len(set(dates)) < len(dates) else ())

    def footprint(self, scenes):
        boxes = numpy.array([naive.image_of(scene.grid.extent(), scene.grid.crs, self.crs) for scene in scenes])
        box = (*boxes[:, :2].min(0), *boxes[:, 2:].max(0))
        if self.grid:
            return naive.anchored(box, self.grid.res, self.crs)
        res = scenes[0].grid.res
        return Grid(box[0], box[3], res, round((box[2] - box[0]) / res), round((box[3] - box[1]) / res), self.crs)


def meets(grid, box, crs):
    """Whether a box reaches into a grid; a near miss is not decided here."""
    west, south, east, north = naive.image_of(box, crs, grid.crs)
    own = grid.extent()
    depths = (east - own[0], own[2] - west, north - own[1], own[3] - south)
    if any(abs(depth) < 0.05 * grid.res for depth in depths):
        raise Retry("the box touches a scene")
    return all(depth > 0 for depth in depths)


def load(collection, box=None, crs=None, interval=None, bands=None):
    """The cube of a collection: the footprints' union cut to the box, first valid pixel of the scenes of a date."""
    bands = tuple(bands or collection.bands)
    scenes = [
        scene
        for scene in collection.scenes
        if (interval is None or interval[0] <= scene.date < interval[1])
        and (box is None or meets(scene.grid, box, crs))
    ]
    if not scenes:
        raise Retry("no scene")
    all_of_it = grid = collection.footprint(scenes)
    if box is not None:
        x0, x1, y0, y1 = naive.inside(grid, naive.image_of(box, crs, grid.crs))
        if x1 <= x0 or y1 <= y0:
            raise Retry("an empty box")
        grid = grid.part(x0, x1, y0, y1)
    layers = {}
    for scene in scenes:
        plane = naive.Cube((Dimension("bands", "bands", collection.bands), Dimension("y", "spatial", ()),
                            Dimension("x", "spatial", ())), scene.values, numpy.zeros(scene.values.shape, bool),
                           grid=scene.grid)
        plane = naive.pick(naive.nearest(plane, grid), "bands", [collection.bands.index(band) for band in bands])
        if scene.grid.crs == grid.crs and not covers_a_centre(scene.grid, grid):
            continue
        if scene.date not in layers:
            layers[scene.date] = [plane.values, plane.unsure]
        else:
            values, unsure = layers[scene.date]
            gaps = numpy.isnan(values)
            layers[scene.date] = [numpy.where(gaps, plane.values, values), unsure | plane.unsure]
    if not layers:
        raise Retry("no scene has a pixel in the box")
    dates = sorted(layers)
    values = numpy.stack([layers[date][0] for date in dates]) * collection.scale[0] + collection.scale[1]
    cube = Cube(
        (
            Dimension("t", "temporal", tuple(date + "T00:00:00Z" for date in dates)),
            Dimension("bands", "bands", bands),
            Dimension("y", "spatial", ()),
            Dimension("x", "spatial", ()),
        ),
        values,
        numpy.stack([layers[date][1] for date in dates]),
        rounds=collection.whole_numbers,
        fluid=collection.fluid,
        whole=grid == all_of_it and len(scenes) == len(collection.scenes),
        slack=1e-6 * float(numpy.nanmax(abs(values), initial=1)) if collection.rounded else 0,
        packing={band: collection.packing for band in bands} if collection.packing else {},
    )
    return naive.on_grid(cube, grid)


def covers_a_centre(grid, of):
    west, south, east, north = grid.extent()
    x, y = of.x(), of.y()
    return ((x >= west) & (x < east)).any() and ((y > south) & (y <= north)).any()


# ---- the files ----


def pixels(rng, shape, low, high, missing):
    """Values in steps, so that neighbours differ and ties occur; NaN where missing."""
    values = rng.integers(low, high, shape).astype(float)
    values[rng.random(shape) < missing] = numpy.nan
    return values


def write_raster(path, grid, stored, dtype, nodata, packing, masked=False):
    """Stored values (y, x), NaN where missing: there, the no-data value; or any number, under a mask."""
    valid = ~numpy.isnan(stored)
    stored = numpy.where(valid, stored, 77 if masked else 0 if nodata is None else nodata)
    transform = rasterio.transform.from_origin(grid.west, grid.north, grid.res, grid.res)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(
            path, "w", driver="GTiff", width=grid.width, height=grid.height, count=1, dtype=dtype,
            crs=f"EPSG:{grid.crs}", transform=transform, nodata=nodata, tiled=True, blockxsize=16,
            blockysize=16) as file:
        file.write(stored.astype(dtype), 1)
        if packing:
            file.scales, file.offsets = packing[:1], packing[1:]
        if masked:
            file.write_mask(numpy.where(valid, 255, 0).astype("uint8"))


def rasters(rng, folder, add, name, footprints, dates, dtype="int16", nodata=-9999, bands=BANDS, missing=0.15, high=200,
            packing=None, grid=None, masked=False, packings=()):
    """A folder of GeoTIFFs: every footprint at each date, but for some that are left out where there are several.
    `packings`: scenes take turns; they are loaded unpacked, then."""
    place = folder / name
    place.mkdir()
    scenes = []
    for date in dates:
        kept = [f for f in range(len(footprints)) if len(footprints) == 1 or rng.random() < 0.8] or [0]
        for number in kept:
            own = footprints[number]
            share = missing if masked or nodata is not None else 0
            values = pixels(rng, (len(bands), own.height, own.width), 1, high, share)
            if dtype == "float32":
                values += 0.25
            codes = packings[len(scenes) % len(packings)] if packings else packing
            scenes.append(Scene(date, own, values * codes[0] + codes[1] if packings else values))
            for b, band in enumerate(bands):
                path = place / f"T{number}_{date.replace('-', '')}_{band}.tif"
                write_raster(path, own, values[b], dtype, nodata, codes, masked)
    options = ["--crs", grid.crs, "--resolution", grid.res] if grid else []
    add(name, place, *options)
    whole_numbers = dtype != "float32" and not masked and not packings
    return Collection(name, tuple(bands), tuple(scenes), grid, whole_numbers, packing=packing, rounded=bool(packings))


def netcdf(rng, folder, add, name, grid, dates, packed, unpacks):
    """A CF file of two variables, float32 or packed as int16; `unpacks`: loading gives scale * stored + offset."""
    path = folder / f"{name}.nc"
    scenes = [Scene(date, grid, pixels(rng, (2, grid.height, grid.width), 1, 200, 0.15)) for date in dates]
    with netCDF4.Dataset(path, "w") as file:
        for axis, labels in (("t", dates), ("y", grid.y()), ("x", grid.x())):
            file.createDimension(axis, len(labels))
        days = [(numpy.datetime64(date) - numpy.datetime64("2020-01-01")).astype(int) for date in dates]
        for axis, labels, attributes in (
                ("t", days, {"standard_name": "time", "units": "days since 2020-01-01", "calendar": "standard"}),
                ("y", grid.y(), {"standard_name": "projection_y_coordinate", "units": "m"}),
                ("x", grid.x(), {"standard_name": "projection_x_coordinate", "units": "m"})):
            variable = file.createVariable(axis, "f8", (axis,))
            variable.setncatts(attributes)
            variable[:] = labels
        crs = file.createVariable("crs", "i4")
        crs.setncatts(pyproj.CRS.from_epsg(grid.crs).to_cf())
        for b, band in enumerate(BANDS[:2]):
            variable = file.createVariable(band, "i2" if packed else "f4", ("t", "y", "x"), fill_value=-99,
                                           chunksizes=(1, 7, 5), zlib=True)
            variable.grid_mapping = "crs"
            if packed:
                variable.scale_factor, variable.add_offset = PACKING
            variable.set_auto_maskandscale(False)
            variable[:] = numpy.stack([numpy.nan_to_num(scene.values[b], nan=-99) for scene in scenes])
    add(name, path)
    return Collection(
        name,
        BANDS[:2],
        tuple(scenes),
        whole_numbers=packed and not unpacks,
        scale=PACKING if packed and unpacks else (1.0, 0.0),
        rounded=packed and unpacks,
    )


def shifted(crs, res, across, down, width, height):
    west, north = CORNER[crs]
    return Grid(west + across * res, north - down * res, res, width, height, crs)


def make(rng, folder, add, unpacks):
    """All collections by name. `add` registers a file or folder: add(id, path, *options)."""
    dates = ["2020-01-03", "2020-01-19", "2020-02-04", "2020-04-08"]
    one, fine, next_zone = (
        shifted(ZONE, 10.0, 0, 0, 26, 21),
        shifted(ZONE, 10.0, -4, 3, 34, 18),
        shifted(NEXT, 10.0, 2, 1, 25, 24),
    )
    pair = [shifted(ZONE, 10.0, 0, 2, 17, 16), shifted(ZONE, 10.0, 9, -1, 18, 15)]
    made = [
        rasters(rng, folder, add, "u8zero", [one], dates[:3], "uint8", 0),
        rasters(rng, folder, add, "i16pair", pair, dates, "int16", -9999, packing=(0.0001, -0.1)),
        rasters(rng, folder, add, "u8masked", pair, dates[1:], "uint8", None, BANDS[:2], masked=True),
        rasters(rng, folder, add, "i16codes", pair, dates[:3], "int16", -9999, BANDS[1:],
                packings=[(0.5, 10.0), (0.25, -3.0), (0.5, 0.0)]),
        rasters(rng, folder, add, "u16none", [fine], dates[:2], "uint16", None, BANDS[:2], high=3000),
        rasters(rng, folder, add, "f32nan", [one], dates[1:], "float32", float("nan"), BANDS[:2]),
        rasters(rng, folder, add, "f32coarse", [shifted(ZONE, 20.0, 1, 1, 12, 11)], dates[:3], "float32", -9999.0),
        rasters(rng, folder, add, "u8next", [next_zone], dates[:3], "uint8", 0),
        rasters(rng, folder, add, "mixed", [one, next_zone], dates[:3], "int16", 0, BANDS[:2],
                grid=Grid(0, 0, 10.0, 0, 0, ZONE)),
        netcdf(rng, folder, add, "ncfloat", shifted(ZONE, 15.0, -1, 0, 20, 15), dates[:3], False, unpacks),
        netcdf(rng, folder, add, "ncpacked", shifted(ZONE, 10.0, 3, 2, 22, 17), dates[1:], True, unpacks),
    ]
    return {collection.name: collection for collection in made}
