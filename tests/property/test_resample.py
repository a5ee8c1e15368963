"""resample_spatial against GDAL's warper: every method and align, random grids, no-data, other CRSs; and grids that run
from south to north, which are the same pixels in another order.

GDAL is given our target grid and transforms point by point; float64 both sides, NaN is no-data. Where a pixel's edge or
a weight falls on a limit the two may decide differently, so a small share of pixels may differ.
"""

import json
import math

import netCDF4
import numpy
import pytest
import rasterio
import rasterio.warp
from rasterio.transform import from_origin

SIDE = (37, 43)  # rows, columns
ORIGIN = {32632: (702000.0, 5551000.0, 10.0), 4326: (11.8, 50.1, 0.0001), 3035: (4456000.0, 3012000.0, 10.0)}
METHODS = ("near", "bilinear", "cubic", "cubicspline", "lanczos", "average", "mode", "max", "min", "med", "q1", "q3",
           "sum", "rms")
GDAL = {"near": "nearest", "cubicspline": "cubic_spline"}
ALIGN = ("upper-left", "lower-left", "lower-right", "upper-right")


def values_of(rng, method, holes=True):
    rows, columns = SIDE
    y, x = numpy.mgrid[0:rows, 0:columns]
    values = 50 + 20 * numpy.sin(x / 5) * numpy.cos(y / 4) + rng.normal(0, 3, SIDE)
    if method == "mode":
        values = rng.integers(1, 4, SIDE).astype(float)
    if holes:
        values[rng.random(SIDE) < 0.08] = numpy.nan
        values[9:13, 20:27] = numpy.nan
    return values


def write(folder, name, values, crs, south_up=False, kind="float64", nodata=numpy.nan):
    west, north, res = ORIGIN[crs]
    transform = from_origin(west, north, res, res)
    if south_up:
        values = values[::-1]
        transform = rasterio.Affine(res, 0, west, 0, res, north - values.shape[0] * res)
    path = folder / name / "20200101_v.tif"
    path.parent.mkdir()
    with rasterio.open(path, "w", driver="GTiff", count=1, height=values.shape[0], width=values.shape[1], dtype=kind,
                       crs=f"EPSG:{crs}", transform=transform, nodata=nodata) as file:
        file.write(values.astype(kind), 1)
    return path.parent


def load(name, **arguments):
    return {"process_id": "load_collection",
            "arguments": {"id": name, "spatial_extent": None, "temporal_extent": None, **arguments}}


def step(name, /, **arguments):
    return {"process_id": name, "arguments": arguments}


def node(name):
    return {"from_node": name}


def answer(subject, graph, *options):
    last = list(graph)[-1]
    document = json.loads(subject.run({**graph, last: {**graph[last], "result": True}}, *options))
    labels = {dimension["name"]: numpy.array(dimension["labels"]) for dimension in document["dimensions"]}
    data = numpy.array(document["data"], dtype=float)
    y = next(labels[n] for n in ("y", "lat") if n in labels)
    x = next(labels[n] for n in ("x", "lon") if n in labels)
    return data.reshape(data.shape[-2:]), y, x


def warped(values, crs, y, x, to_crs, method):
    """GDAL's answer on the grid of the labels."""
    west, north, res = ORIGIN[crs]
    step_x, step_y = x[1] - x[0], y[0] - y[1]
    out = numpy.full((len(y), len(x)), numpy.nan)
    rasterio.warp.reproject(
        values, out, src_transform=from_origin(west, north, res, res), src_crs=f"EPSG:{crs}", src_nodata=numpy.nan,
        dst_transform=from_origin(x[0] - step_x / 2, y[0] + step_y / 2, step_x, step_y), dst_crs=f"EPSG:{to_crs}",
        dst_nodata=numpy.nan, resampling=rasterio.warp.Resampling[GDAL.get(method, method)], tolerance=0,
        XSCALE=str(min(1, res / step_x)), YSCALE=str(min(1, res / step_y)))
    return out


def agree(ours, theirs, share):
    same = numpy.isclose(ours, theirs, rtol=1e-5, atol=1e-5, equal_nan=True)
    assert same.mean() >= share, f"{same.mean():.4f} agree"
    assert (~numpy.isnan(ours)).any()


@pytest.fixture(scope="module")
def scenes(subject, tmp_path_factory):
    """Name and values of a scene by method and CRS."""
    folder, made = tmp_path_factory.mktemp("resample"), {}

    def scene(method, crs, holes=True):
        key = f"{'classes' if method == 'mode' else 'plain'}{crs}{'' if holes else 'full'}"
        if key not in made:
            made[key] = values_of(numpy.random.default_rng(7), method, holes)
            subject.add(key, write(folder, key, made[key], crs))
        return key, made[key]

    return scene


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [0.6, 2.7])
def test_every_method_is_gdals(subject, scenes, method, factor):
    """Inside the rim: beyond the edge GDAL weighs pixels more than they are covered."""
    name, values = scenes(method, 32632, holes=method != "cubic")  # cubic beside a gap is each one's own
    ours, y, x = answer(subject, {"load": load(name), "warp": step(
        "resample_spatial", data=node("load"), resolution=10 * factor, method=method, align="lower-right")})
    theirs = warped(values, 32632, y, x, 32632, method)
    inside = numpy.s_[4:-4, 4:-4]
    if method == "cubicspline" and factor > 1:  # GDAL cuts a widened spline at another radius
        assert numpy.allclose(ours[inside], theirs[inside], rtol=3e-3, equal_nan=True)
    else:  # sums beside a gap have slivers of pixels
        agree(ours[inside], theirs[inside], 0.98 if method == "sum" else 0.995)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_into_another_crs_is_near_gdals(subject, scenes, method):
    name, values = scenes(method, 32632, holes=False)
    ours, y, x = answer(subject, {"load": load(name), "warp": step(
        "resample_spatial", data=node("load"), projection=3035, resolution=24, method=method)})
    theirs = warped(values, 32632, y, x, 3035, method)
    both = ~numpy.isnan(ours) & ~numpy.isnan(theirs)
    assert both.mean() > 0.8
    if method in ("near", "mode", "min", "max", "med", "q1", "q3"):
        assert numpy.isclose(ours, theirs, rtol=1e-6)[both].mean() > 0.95
    else:
        assert (abs(ours - theirs)[both] <= 0.02 * abs(theirs[both]) + 0.01).mean() > 0.95


@pytest.mark.parametrize("align", ALIGN)
@pytest.mark.parametrize("res", [7.0, 24.0, 33.3])
def test_align_names_the_corner_that_stays(subject, scenes, align, res):
    name, _ = scenes("near", 32632)
    _, y, x = answer(subject, {"load": load(name), "warp": step(
        "resample_spatial", data=node("load"), resolution=res, align=align)})
    west, north, own = ORIGIN[32632]
    east, south = west + SIDE[1] * own, north - SIDE[0] * own
    assert (len(y), len(x)) == tuple(math.ceil(n * own / res - 1e-9) for n in SIDE)
    corner = x[-1] + res / 2 - east if "right" in align else x[0] - res / 2 - west
    other = y[-1] - res / 2 - south if "lower" in align else y[0] + res / 2 - north
    assert abs(corner) < 1e-6 and abs(other) < 1e-6


@pytest.fixture(scope="module")
def upside_down(subject, tmp_path_factory):
    """The same pixels as a raster from the north, a raster from the south, and a netCDF file from the south."""
    folder = tmp_path_factory.mktemp("upside")
    values = numpy.round(values_of(numpy.random.default_rng(3), "near"))
    subject.add("north", write(folder, "north", values, 4326))
    subject.add("south", write(folder, "south", values, 4326, south_up=True))
    west, north, res = ORIGIN[4326]
    with netCDF4.Dataset(folder / "up.nc", "w") as file:
        for name, labels, unit in (("time", [0.0], "days since 2020-01-01"),
                                   ("lat", north - res * (numpy.arange(SIDE[0])[::-1] + 0.5), "degrees_north"),
                                   ("lon", west + res * (numpy.arange(SIDE[1]) + 0.5), "degrees_east")):
            file.createDimension(name, len(labels))
            variable = file.createVariable(name, "f8", (name,))
            variable.units = unit
            variable[:] = labels
        file.createVariable("v", "f8", ("time", "lat", "lon"), fill_value=numpy.nan)[:] = values[None, ::-1]
    subject.add("netcdf", folder / "up.nc")
    return values


@pytest.mark.parametrize("method", ["near", "bilinear", "average", "max"])
@pytest.mark.parametrize("name", ["south", "netcdf"])
@pytest.mark.parametrize("crop", [False, True])
def test_cubes_from_the_south_resample_as_those_from_the_north(subject, upside_down, name, method, crop):
    west, north, res = ORIGIN[4326]
    box = {"west": west + 5.4 * res, "east": west + 30.4 * res, "south": north - 30.4 * res, "north": north - 4.4 * res}
    answers = []
    for one in ("north", name):
        graph = {"load": load(one)}
        if crop:
            graph["part"] = step("filter_bbox", data=node("load"), extent=box)
        graph["warp"] = step("resample_spatial", data=node(list(graph)[-1]), resolution=2.3 * res, method=method)
        answers.append(answer(subject, graph))
    numpy.testing.assert_allclose(answers[1][1], answers[0][1], rtol=0, atol=1e-9)
    same = numpy.isclose(answers[1][0], answers[0][0], rtol=1e-6, equal_nan=True)
    assert same[1:-1, 1:-1].mean() > 0.99 and (~numpy.isnan(answers[0][0])).any()


@pytest.mark.parametrize("data, other", [("north", "netcdf"), ("netcdf", "north"), ("netcdf", "south")])
def test_cubes_from_the_south_meet_those_from_the_north(subject, upside_down, data, other):
    add = {"process_graph": {"a": {"process_id": "add", "result": True, "arguments": {
        "x": {"from_parameter": "x"}, "y": {"from_parameter": "y"}}}}}
    drop = {"process_graph": {"f": {"process_id": "first", "result": True, "arguments": {
        "data": {"from_parameter": "data"}}}}}
    graph = {}
    for name in (data, other):
        graph[name] = load(name)
        graph[name + "1"] = step("reduce_dimension", data=node(name), dimension="t", reducer=drop)
        graph[name + "2"] = step("reduce_dimension", data=node(name + "1"), dimension="bands", reducer=drop)
    graph["sum"] = step("merge_cubes", cube1=node(data + "2"), cube2=node(other + "2"), overlap_resolver=add)
    ours, y, _ = answer(subject, graph)
    expected = 2 * (upside_down if y[0] > y[-1] else upside_down[::-1])
    numpy.testing.assert_allclose(ours, expected, rtol=1e-6)
