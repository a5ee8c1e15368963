"""Cubes as NumPy arrays, and what the processes mean, said plainly.

A cube's values are float64 with NaN for missing. Beside them stands what the answer may differ by: `unsure` marks
pixels that a hair's breadth decides (a centre on the edge of a source pixel after a projection, a value at a
threshold), `slack` is the absolute error that arithmetic in float32 and a position .01 pixel off may make. Nothing here
knows tiles, plans, drivers or pushed-down reads: that is the point of it.
"""

import dataclasses
import functools
import math

import numpy
import pyproj

FLOAT_SLACK = 1e-6  # of the largest value: some roundings of float32
POSITION = 0.01  # of a pixel: what an approximated transformation may err by


class Retry(Exception):
    """The arguments drawn make no sense here, or the answer hangs on less than the allowed error: draw others."""


# ---- places ----


@dataclasses.dataclass(frozen=True)
class Grid:
    """North-up pixels: outer corner, resolution, size; CRS as an EPSG code."""

    west: float
    north: float
    res: float
    width: int
    height: int
    crs: int

    def x(self):
        return self.west + (numpy.arange(self.width) + 0.5) * self.res

    def y(self):
        return self.north - (numpy.arange(self.height) + 0.5) * self.res

    def extent(self):
        """west, south, east, north"""
        return self.west, self.north - self.height * self.res, self.west + self.width * self.res, self.north

    def part(self, x0, x1, y0, y1):
        return dataclasses.replace(self, west=self.west + x0 * self.res, north=self.north - y0 * self.res,
                                   width=x1 - x0, height=y1 - y0)


@functools.lru_cache(maxsize=None)
def transformer(source, target):
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def image_of(box, source, target):
    """The smallest box in `target` that holds the image of a box."""
    if source == target:
        return box
    return transformer(source, target).transform_bounds(*box, densify_pts=400)


def anchored(box, res, crs):
    """The smallest grid with edges at multiples of the resolution that covers the box."""
    edges = [edge / res for edge in box]
    if any(abs(edge - round(edge)) < 0.02 and abs(edge - round(edge)) > 1e-9 for edge in edges):
        raise Retry("an edge so near a multiple that rounding decides")
    west, south = (math.floor(edge + 1e-9) for edge in edges[:2])
    east, north = (math.ceil(edge - 1e-9) for edge in edges[2:])
    return Grid(west * res, north * res, res, east - west, north - south, crs)


def inside(grid, box):
    """x0, x1, y0, y1: the pixels whose centres lie in the box (in the grid's CRS)."""
    west, south, east, north = box
    places = ((west - grid.west) / grid.res, (east - grid.west) / grid.res, (grid.north - north) / grid.res,
              (grid.north - south) / grid.res)
    if any(abs(place - 0.5 - round(place - 0.5)) < 0.02 for place in places):
        raise Retry("a centre on the edge of the box")
    x0, x1, y0, y1 = (math.ceil(place - 0.5) for place in places)
    return max(x0, 0), min(x1, grid.width), max(y0, 0), min(y1, grid.height)


def positions(source, target):
    """Column and row in the source grid (pixels, fractions counted from the outer corner) of the target's centres."""
    x, y = numpy.meshgrid(target.x(), target.y())
    if source.crs != target.crs:
        x, y = transformer(target.crs, source.crs).transform(x, y)
    return (x - source.west) / source.res, (source.north - y) / source.res


def metres(grid):
    """The shorter and the longer side of a pixel, about, at the latitude of the collections (50 degrees)."""
    return (71000 * grid.res, 112000 * grid.res) if grid.crs == 4326 else (grid.res, grid.res)


# ---- cubes ----


@dataclasses.dataclass(frozen=True)
class Dimension:
    name: str
    type: str
    labels: tuple

    @property
    def size(self):
        return len(self.labels)


@dataclasses.dataclass(frozen=True)
class Cube:
    dimensions: tuple
    values: numpy.ndarray
    unsure: numpy.ndarray
    slack: float = 0.0
    grid: Grid = None  # of x and y, where the cube has both
    whole: bool = True  # False: cut from something larger, so that interpolation at its rim may see beyond
    rounds: bool = False  # whole numbers: interpolation may round
    fluid: frozenset = frozenset()  # methods that give something else when scenes are resampled before mosaicking
    packing: dict = dataclasses.field(default_factory=dict)  # scale and offset by band; None: of a cube without bands
    flags: bool = False  # there are booleans in it, or were: comparing those with numbers is another thing

    def index(self, name):
        return next((i for i, dimension in enumerate(self.dimensions) if dimension.name == name), None)

    def named(self, name):
        return self.dimensions[self.index(name)]

    def has(self, *names):
        return all(self.index(name) is not None for name in names)

    def with_values(self, values, unsure=None, **changes):
        """A cube that a computation gave."""
        unsure = self.unsure if unsure is None else unsure
        valid = values[~numpy.isnan(values)]
        largest = numpy.abs(valid).max(initial=0)
        if not numpy.isfinite(valid).all() or largest > 1e7:
            raise Retry("values without bounds")
        changes.setdefault("slack", self.slack)
        changes["slack"] += FLOAT_SLACK * largest
        changes.setdefault("rounds", False)
        changes.setdefault("fluid", frozenset())
        changes.setdefault("packing", {})
        return dataclasses.replace(self, values=values, unsure=unsure, **changes)


def bands_of(cube_or_dimensions):
    """The dimension that packing goes by, or None."""
    dimensions = getattr(cube_or_dimensions, "dimensions", cube_or_dimensions)
    return next((dimension for dimension in dimensions if dimension.type == "bands"), None)


def without(cube, name):
    """The packing where a dimension goes: that of the only band stays."""
    bands = bands_of(cube)
    if not bands or bands.name != name:
        return cube.packing
    return {None: cube.packing[bands.labels[0]]} if bands.size == 1 and bands.labels[0] in cube.packing else {}


def decoded(cube):
    """What the values stand for, as text holds them."""
    if not cube.packing:
        return cube
    bands, values = bands_of(cube), cube.values.copy()
    for label, (scale, offset) in cube.packing.items():
        part = values if label is None else values.swapaxes(0, cube.dimensions.index(bands))[bands.labels.index(label)]
        part *= scale
        part += offset
    scales = [abs(scale) for scale, _ in cube.packing.values()]
    covered = not bands or len(cube.packing) == bands.size
    slack = cube.slack * max(scales + ([] if covered else [1])) + 1e-6 * numpy.nanmax(abs(values), initial=1)
    return dataclasses.replace(cube, values=values, slack=slack, packing={})


def pick(cube, name, indexes):
    """Some labels of a dimension."""
    d = cube.index(name)
    dimension = cube.dimensions[d]
    kept = dataclasses.replace(dimension, labels=tuple(dimension.labels[i] for i in indexes))
    dimensions = cube.dimensions[:d] + (kept,) + cube.dimensions[d + 1:]
    packing = cube.packing
    if bands_of(cube) is dimension:
        packing = {label: packing[label] for label in kept.labels if label in packing}
    return dataclasses.replace(cube, dimensions=dimensions, values=cube.values.take(indexes, d),
                               unsure=cube.unsure.take(indexes, d), packing=packing)


def on_grid(cube, grid, **changes):
    """The same cube whose x and y are those of the grid; the values come with the changes."""
    places = {"x": grid.x(), "y": grid.y()}
    dimensions = tuple(dataclasses.replace(dimension, labels=tuple(places[dimension.name])) if dimension.name in places
                       else dimension for dimension in cube.dimensions)
    return dataclasses.replace(cube, dimensions=dimensions, grid=grid, **changes)


def crop(cube, box, crs):
    x0, x1, y0, y1 = inside(cube.grid, image_of(box, crs, cube.grid.crs))
    if x1 <= x0 or y1 <= y0:
        raise Retry("an empty box")
    part = pick(pick(cube, "x", range(x0, x1)), "y", range(y0, y1))
    return on_grid(part, cube.grid.part(x0, x1, y0, y1), whole=cube.whole and part.values.shape == cube.values.shape)


# ---- resampling ----


def planes(cube):
    """Values and doubts with y and x last."""
    order = [d for d in range(len(cube.dimensions)) if cube.dimensions[d].name not in ("y", "x")]
    order += [cube.index("y"), cube.index("x")]
    return cube.values.transpose(order), cube.unsure.transpose(order), numpy.argsort(order)


def nearest(cube, grid):
    """Each target pixel takes the source pixel that contains its centre."""
    values, unsure, back = planes(cube)
    column, row = positions(cube.grid, grid)
    i, j = numpy.floor(row + 1e-9).astype(int), numpy.floor(column + 1e-9).astype(int)
    there = (i >= 0) & (i < cube.grid.height) & (j >= 0) & (j < cube.grid.width)
    i, j = i.clip(0, cube.grid.height - 1), j.clip(0, cube.grid.width - 1)
    doubt = numpy.where(there, unsure[..., i, j], False)
    if cube.grid.crs != grid.crs:
        edge = numpy.minimum(abs(row - numpy.rint(row)), abs(column - numpy.rint(column))) < POSITION
        doubt = doubt | edge
    return on_grid(cube, grid, values=numpy.where(there, values[..., i, j], numpy.nan).transpose(back),
                   unsure=doubt.transpose(back))


def taps(place, scale):
    """Indexes round each place (pixels) and their weights, for a triangle of the given half-width."""
    at = place - 0.5
    at = numpy.where(abs(at - numpy.rint(at)) < 1e-7, numpy.rint(at), at)
    reach = numpy.arange(-math.ceil(scale), math.ceil(scale) + 1)
    index = numpy.rint(at).astype(int)[..., None] + reach
    return index, (1 - abs(index - at[..., None]) / scale).clip(0)


def bilinear(cube, grid):
    """The mean of the valid pixels round the centre, weighed by a triangle as wide as a pixel of the coarser grid; a
    value only where nearest has one."""
    if cube.grid.crs != grid.crs and metres(grid)[1] / metres(cube.grid)[0] > 0.8:
        raise Retry("the kernel's width would hang on the local scale")
    scale = 1.0 if cube.grid.crs != grid.crs else max(grid.res / cube.grid.res, 1.0)
    near = nearest(cube, grid)
    values, unsure, back = planes(cube)
    column, row = positions(cube.grid, grid)
    (i, across), (j, along) = taps(row, scale), taps(column, scale)
    i, j = i[..., :, None], j[..., None, :]
    weight = across[..., :, None] * along[..., None, :]
    there = (i >= 0) & (i < cube.grid.height) & (j >= 0) & (j < cube.grid.width)
    ci, cj = i.clip(0, cube.grid.height - 1), j.clip(0, cube.grid.width - 1)
    found = values[..., ci, cj]
    used = numpy.where(there & ~numpy.isnan(found), weight, 0)
    total = used.sum((-2, -1))
    with numpy.errstate(invalid="ignore", divide="ignore"):
        mean = (used * numpy.nan_to_num(found)).sum((-2, -1)) / total
    doubt = (unsure[..., ci, cj] & there & (weight > 0)).any((-2, -1)) | planes(near)[1]
    if not cube.whole:
        doubt = doubt | ((weight > 0) & ~there).any((-2, -1))
    valid = ~numpy.isnan(planes(near)[0]) & (total > 1e-6)
    mean = numpy.where(valid, mean, numpy.nan)
    spread = numpy.nanmax(values, initial=0) - numpy.nanmin(values, initial=0) if values.size else 0
    slack = cube.slack + (0 if cube.grid.crs == grid.crs else 2 * POSITION * spread)
    slack += FLOAT_SLACK * spread + (0.5 if cube.rounds else 0)
    return on_grid(cube, grid, values=mean.transpose(back), unsure=doubt.transpose(back), slack=slack)


def resample(cube, grid, method):
    if method in cube.fluid:
        raise Retry("scenes may be resampled before they are mosaicked")
    if grid.width * grid.height > 4000:
        raise Retry("too large")
    return (nearest if method == "near" else bilinear)(cube, grid)


def follow(cube, other):
    """The cube on the other's grid, nearest; where one has no grid, as it is."""
    if cube.grid is None or other.grid is None or cube.grid == other.grid:
        return cube
    return resample(cube, other.grid, "near")


# ---- along a dimension ----


def _quiet(function):
    @functools.wraps(function)
    def wrapped(*arguments):
        with numpy.errstate(all="ignore"):
            return function(*arguments)
    return wrapped


def _where_any(values, axis, result):
    return numpy.where(numpy.isnan(values).all(axis), numpy.nan, result)


def _median(values, axis):
    ordered = numpy.sort(numpy.moveaxis(values, axis, -1), -1)  # NaN last
    count = (~numpy.isnan(ordered)).sum(-1)
    low, high = ((count - 1) // 2).clip(0), (count // 2).clip(0, ordered.shape[-1] - 1)
    ends = [numpy.take_along_axis(ordered, index[..., None], -1)[..., 0] for index in (low, high)]
    return (ends[0] + ends[1]) / 2


def _first(values, axis):
    index = numpy.expand_dims((~numpy.isnan(values)).argmax(axis), axis)
    return numpy.take_along_axis(values, index, axis).squeeze(axis)


def _sd(values, axis):
    count = (~numpy.isnan(values)).sum(axis)
    mean = numpy.expand_dims(numpy.nansum(values, axis) / count, axis)
    square = numpy.nansum((values - mean) ** 2, axis) / (count - 1)
    return numpy.where(count > 1, numpy.sqrt(square), numpy.nan)


REDUCERS = {
    "mean": lambda v, axis: _where_any(v, axis, numpy.nansum(v, axis) / (~numpy.isnan(v)).sum(axis)),
    "sum": lambda v, axis: _where_any(v, axis, numpy.nansum(v, axis)),
    "min": lambda v, axis: numpy.fmin.reduce(v, axis),
    "max": lambda v, axis: numpy.fmax.reduce(v, axis),
    "median": _median,
    "first": _first,
    "last": lambda v, axis: _first(numpy.flip(v, axis), axis),
    "count": lambda v, axis: (~numpy.isnan(v)).sum(axis).astype(float),
    "sd": _sd,
}


def _cumulative(function, start):
    def series(values, axis):
        filled = numpy.where(numpy.isnan(values), start, values)
        return numpy.where(numpy.isnan(values), numpy.nan, function(filled, axis))
    return series


SERIES = {
    "cumsum": _cumulative(numpy.cumsum, 0.0),
    "cummax": _cumulative(numpy.maximum.accumulate, -numpy.inf),
    "cummin": _cumulative(numpy.minimum.accumulate, numpy.inf),
    "sort": lambda v, axis: numpy.sort(v, axis),
}


@_quiet
def reduce(cube, name, reducer):
    d = cube.index(name)
    size = cube.dimensions[d].size
    values = REDUCERS[reducer](cube.values, d)
    slack = {"count": 0, "sum": size * cube.slack}.get(reducer, cube.slack)
    if reducer == "sd":  # a difference of nearly equal numbers, under a root
        slack = 2 * cube.slack + 1e-4 * numpy.nanmax(numpy.abs(cube.values), initial=0)
    dimensions = cube.dimensions[:d] + cube.dimensions[d + 1:]
    packing = without(cube, name) if reducer in ("first", "last", "min", "max") else {}
    return cube.with_values(values, cube.unsure.any(d), dimensions=dimensions, slack=slack, packing=packing,
                            grid=None if name in ("x", "y") else cube.grid)


@_quiet
def along(cube, name, series):
    d = cube.index(name)
    doubt = numpy.broadcast_to(cube.unsure.any(d, keepdims=True), cube.unsure.shape)
    slack = cube.slack * (cube.dimensions[d].size if series == "cumsum" else 1)
    bands = bands_of(cube)
    moves = bands and bands.name == name and len({cube.packing.get(label) for label in bands.labels}) > 1
    packing = {} if series == "cumsum" or moves else cube.packing
    return cube.with_values(SERIES[series](cube.values, d), doubt, slack=slack, packing=packing)


def periods(cube, period, reducer):
    """A reducer over the dates of each month or year; months and years without dates are there, without values."""
    length = {"year": 4, "month": 7}[period]
    time = cube.named("t")
    keys = [label[:length] for label in time.labels]
    first, last = min(keys), max(keys)
    if period == "year":
        labels = [str(year) for year in range(int(first), int(last) + 1)]
    else:
        numbers = [int(key[:4]) * 12 + int(key[5:7]) - 1 for key in (first, last)]
        labels = [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(numbers[0], numbers[1] + 1)]
    d = cube.index("t")
    parts = [reduce(pick(cube, "t", [i for i, key in enumerate(keys) if key == label]), "t", reducer)
             if label in keys else None for label in labels]
    some = next(part for part in parts if part is not None)
    empty = numpy.full(some.values.shape, 0.0 if reducer == "count" else numpy.nan)
    dimensions = cube.dimensions[:d] + (Dimension("t", "temporal", tuple(labels)),) + cube.dimensions[d + 1:]
    values = numpy.stack([empty if part is None else part.values for part in parts], d)
    doubt = numpy.stack([numpy.zeros(empty.shape, bool) if part is None else part.unsure for part in parts], d)
    return cube.with_values(values, doubt, dimensions=dimensions, packing=some.packing,
                            slack=max(part.slack for part in parts if part is not None))


# ---- two cubes ----


def _spread(cube, dimensions):
    """Values and doubts with the given dimensions, those that the cube lacks of size 1."""
    order = [cube.index(dimension.name) for dimension in dimensions]
    have = [d for d in order if d is not None]
    shape = [1 if d is None else cube.values.shape[d] for d in order]
    return [array.transpose(have).reshape(shape) for array in (cube.values, cube.unsure)]


RESOLVERS = {
    "add": (numpy.add, lambda a, b: a.slack + b.slack),
    "subtract": (numpy.subtract, lambda a, b: a.slack + b.slack),
    "max": (numpy.fmax, lambda a, b: max(a.slack, b.slack)),
    "min": (numpy.fmin, lambda a, b: max(a.slack, b.slack)),
}


def _joined(a, b):
    """Labels of both, those of the first first; dates in order."""
    if a.labels == b.labels:
        return a.labels
    if (a.type == "temporal" and len({len(label) for label in a.labels + b.labels}) > 1) or a.type == "spatial":
        raise Retry("labels of different kinds")
    both = a.labels + tuple(label for label in b.labels if label not in a.labels)
    return tuple(sorted(both)) if a.type == "temporal" else both


def _merged_packing(first, second, dimensions, selected):
    """Bands of one cube keep theirs; those of both where they are of one kind and one of the values is taken."""
    bands, packing = bands_of(dimensions), {}
    for label in bands.labels if bands else [None]:
        own = []
        for cube in (first, second):
            if bands and cube.has(bands.name):
                if label in cube.named(bands.name).labels:
                    own.append(cube.packing.get(label))
            else:
                own.append(None if bands_of(cube) else cube.packing.get(None))
        if own[0] and (len(own) == 1 or (selected and own[0] == own[1])):
            packing[label] = own[0]
    return packing


def merge(first, second, resolver):
    second = follow(second, first)
    lead, other = (second, first) if len(second.dimensions) > len(first.dimensions) else (first, second)
    dimensions = []
    for dimension in lead.dimensions + tuple(d for d in other.dimensions if not lead.has(d.name)):
        a, b = (cube.named(dimension.name) if cube.has(dimension.name) else None for cube in (first, second))
        if a and b and a.type != b.type:
            raise Retry("one name, two types")
        labels = _joined(a, b) if a and b else (a or b).labels
        dimensions.append(Dimension(dimension.name, dimension.type, labels))
    shape = [dimension.size for dimension in dimensions]
    if numpy.prod(shape) > 60000 or len(shape) > 5:
        raise Retry("too large")
    function, slack = RESOLVERS[resolver]
    values = numpy.full(shape, numpy.nan)
    doubt = numpy.zeros(shape, bool)
    has = []
    for cube in (first, second):
        places = numpy.ix_(*[[dimension.labels.index(label) for label in cube.named(dimension.name).labels]
                             if cube.has(dimension.name) else range(dimension.size) for dimension in dimensions])
        own = numpy.full(shape, numpy.nan), numpy.zeros(shape, bool), numpy.zeros(shape, bool)
        part, unsure = _spread(cube, dimensions)
        target = [len(p.ravel()) for p in places]
        own[0][places] = numpy.broadcast_to(part, target)
        own[1][places] = numpy.broadcast_to(unsure, target)
        own[2][places] = True
        has.append(own)
    (a, unsure_a, in_a), (b, unsure_b, in_b) = has
    values = numpy.where(in_a & in_b, function(a, b), numpy.where(in_a, a, b))
    doubt = unsure_a | unsure_b
    return dataclasses.replace(first, dimensions=tuple(dimensions), flags=first.flags or second.flags).with_values(
        values, doubt, slack=slack(first, second), grid=first.grid or second.grid, whole=first.whole and second.whole,
        packing=_merged_packing(first, second, dimensions, resolver in ("min", "max") or not (in_a & in_b).any()))


def mask(data, where, replacement):
    where = follow(where, data)
    for dimension in where.dimensions:
        if not data.has(dimension.name) or data.named(dimension.name).labels != dimension.labels:
            raise Retry("the mask has other labels")
    flags, doubt = _spread(where, data.dimensions)
    hit = ~numpy.isnan(flags) & (flags != 0)
    doubt = doubt | (~numpy.isnan(flags) & (abs(flags) <= where.slack) & (where.slack > 0))
    value = numpy.nan if replacement is None else replacement
    return data.with_values(numpy.where(hit, value, data.values), data.unsure | doubt,
                            packing=data.packing if replacement is None else {})


# ---- the rest ----


def linear(cube, factor, offset):
    return cube.with_values(cube.values * factor + offset, slack=abs(factor) * cube.slack)


def clip(cube, low, high):
    return cube.with_values(cube.values.clip(low, high))


def absolute(cube):
    return cube.with_values(abs(cube.values))


def greater(cube, threshold):
    if cube.flags:
        raise Retry("booleans")
    with numpy.errstate(invalid="ignore"):
        close = abs(cube.values - threshold) <= cube.slack + 1e-6 * (1 + abs(threshold))
        flags = numpy.where(numpy.isnan(cube.values), numpy.nan, (cube.values > threshold).astype(float))
    return dataclasses.replace(cube.with_values(flags, cube.unsure | close), slack=0.0, flags=True)


def ndvi(cube, nir, red):
    d, labels = cube.index("bands"), cube.named("bands").labels
    n, r = (cube.values.take(labels.index(name), d) for name in (nir, red))
    total = n + r
    if not (total[~numpy.isnan(total)] >= 1).all() or cube.slack > 0.01:
        raise Retry("a sum near zero")
    dimensions = cube.dimensions[:d] + cube.dimensions[d + 1:]
    return cube.with_values((n - r) / total, cube.unsure.take([labels.index(nir), labels.index(red)], d).any(d),
                            dimensions=dimensions, slack=4 * cube.slack + FLOAT_SLACK)


def add_dimension(cube, name, kind, label):
    return dataclasses.replace(cube, dimensions=(Dimension(name, kind, (label,)),) + cube.dimensions,
                               values=cube.values[None], unsure=cube.unsure[None])


def drop_dimension(cube, name):
    d = cube.index(name)
    return dataclasses.replace(cube, dimensions=cube.dimensions[:d] + cube.dimensions[d + 1:],
                               values=cube.values.squeeze(d), unsure=cube.unsure.squeeze(d),
                               packing=without(cube, name))


def rename(cube, dimension, **changes):
    d = cube.index(dimension)
    renamed = dataclasses.replace(cube.dimensions[d], **changes)
    packing = cube.packing
    if bands_of(cube) is cube.dimensions[d]:
        packing = {new: packing[old] for old, new in zip(cube.dimensions[d].labels, renamed.labels) if old in packing}
    return dataclasses.replace(cube, packing=packing,
                               dimensions=cube.dimensions[:d] + (renamed,) + cube.dimensions[d + 1:])
