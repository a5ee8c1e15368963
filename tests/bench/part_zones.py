"""W5: aggregate_spatial over many polygons against processes-dask and exactextract.

processes-dask takes up to a second a polygon, so it gets the first few of the larger number only: the time of all of
them is estimated from two.
"""
import json
import warnings

import numpy as np

import chunks
import graph
from common import (DECODE, FOLDER_NAMES, HERE, Failed, add_collection, compare, contest, empty_data, goal_at_least,
                    made, our_run, read_json)
from part_stack import stack_of

FEW, MORE = 2, 8  # polygons for processes-dask
DASK = "processes-dask, {} polygons"


def centre_means(folder, zones_file):
    """Mean per date and polygon of the valid pixels whose centre lies inside, by rasterio and numpy; kept."""
    path = zones_file.with_suffix(".npy")
    if path.exists():
        return np.load(path)
    import rasterio
    from rasterio.features import rasterize
    polygons = [f["geometry"] for f in json.loads(zones_file.read_text())["features"]]
    files = sorted((folder / "geotiff").glob("*_B08.tif"))
    with rasterio.open(files[0]) as file:
        transform, side = file.transform, file.width
    series = []
    for name in files:
        with rasterio.open(name) as file:
            series.append(file.read(1))
    series = np.stack(series)
    out = np.full((len(files), len(polygons)), np.nan)
    pixels = np.zeros(len(polygons), int)
    for i, polygon in enumerate(polygons):
        ring = np.array(polygon["coordinates"][0])
        left, top = np.floor(~transform * (ring[:, 0].min(), ring[:, 1].max())).astype(int)
        right, bottom = np.ceil(~transform * (ring[:, 0].max(), ring[:, 1].min())).astype(int)
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, side), min(bottom, side)
        inside = rasterize([polygon], out_shape=(bottom - top, right - left),
                           transform=transform * transform.translation(left, top)).astype(bool)
        values = series[:, top:bottom, left:right][:, inside].astype("f8")
        values[values == 0] = np.nan
        pixels[i] = inside.sum()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            out[:, i] = np.nanmean(values, axis=1)
    np.save(path, out)
    np.save(zones_file.with_suffix(".pixels.npy"), pixels)
    return out


def zone_rows(args, stack, zones_file, count, with_dask):
    zones = json.loads(zones_file.read_text())

    def request(collection, zones=zones):
        return {"load": graph.load(collection),
                "band": graph.node("filter_bands", data=graph.ref("load"), bands=["B08"]),
                "zones": graph.node("aggregate_spatial", data=graph.ref("band"), geometries=zones,
                                    reducer=graph.callback("mean", data=graph.parameter()))}

    save = {"save": graph.save("zones", "JSON")}
    rows = {"twincube": our_run(args, f"zones_{count}", {**request("S2"), **save}, ".json"),
            "twincube, netCDF": our_run(args, f"zones_nc_{count}", {**request("S2NC"), **save}, ".json")}
    if not args.skip_peers:
        peer = [args.python, HERE / "peers.py"]
        out = args.work / "out_exactextract.npy"
        rows["exactextract"] = [*peer, "exactextract", zones_file, stack / "geotiff", out], out
        for some in (FEW, MORE) if with_dask else ():
            theirs, out = args.work / f"zones_dask_{count}_{some}.json", args.work / f"out_dask_{some}.npy"
            first = {**zones, "crs": 32632, "features": zones["features"][:some]}  # it wants the CRS as a number
            theirs.write_text(json.dumps(request("S2NC", first)))
            rows[DASK.format(some)] = [*peer, "zones", theirs, stack / "S2.nc", out], out
    return rows


def checks_of(expected, pixels):
    """name -> check. exactextract weights pixels by the fraction inside: the same where edges are a small part."""
    large, limit = pixels >= np.median(pixels), 1e-6 * np.nanmax(expected)

    def ours(name, out):
        compare(name, read_json(out).reshape(expected.shape), expected, limit, "rasterio's pixel centres")

    def dask(name, out):
        got = np.load(out)
        compare(name, got, expected[:, :got.shape[1]], limit, "rasterio's pixel centres")

    def exactextract(name, out):
        apart = np.nanmax(np.abs(np.load(out)[:, large] / expected[:, large] - 1))
        print(f"  {name} agrees within {100 * apart:.2f} % for the {large.sum()} larger polygons", flush=True)
        if not apart < 0.1:
            raise Failed(f"{name}: differs by {100 * apart:.1f} %")

    return {"twincube": ours, "twincube, netCDF": ours, "exactextract": exactextract, DASK.format(FEW): dask,
            DASK.format(MORE): dask}


def judge(result, count):
    name = f"W5 {count} polygons"
    print(f"{name}: twincube / decode = {result.wall('twincube') / result.wall(DECODE):.2f}")
    if "exactextract" not in result.samples:
        return
    goal_at_least(f"{name}: exactextract / twincube", result.wall("exactextract") / result.wall("twincube"), 3)
    if DASK.format(FEW) not in result.samples:
        return
    few, more = result.wall(DASK.format(FEW)), result.wall(DASK.format(MORE))
    each = (more - few) / (MORE - FEW)
    goal_at_least(f"{name}: processes-dask, estimated from {MORE} at {each:.2f} s each / twincube, both netCDF",
                  (more + (count - MORE) * each) / result.wall("twincube, netCDF"), 100)


def run_zones(args):
    empty_data(args)
    stack, counts = stack_of(args), (50, 200) if args.small else (500, 5000)
    add_collection(args, "S2", stack / "geotiff", *FOLDER_NAMES)
    add_collection(args, "S2NC", stack / "S2.nc")
    for count in counts:
        side = 512 if args.small else 2048
        zones_file = made(args, f"{stack.name}_zones_{count}", "zones", "--size", side, "--count",
                          count) / "zones.geojson"
        expected = centre_means(stack, zones_file)
        checks = checks_of(expected, np.load(zones_file.with_suffix(".pixels.npy")))
        rows = zone_rows(args, stack, zones_file, count, with_dask=count == counts[-1])
        rows = {name: (*row, checks[name]) for name, row in rows.items()}
        result = contest(args, f"W5: mean in {count} polygons x {len(expected)} dates, {side}² uint16", rows,
                         chunks.of(sorted((stack / "geotiff").glob("*_B08.tif"))))
        judge(result, count)
