"""The zones part: aggregate_spatial over many polygons against processes-dask and exactextract.

processes-dask takes up to a second a polygon, so it gets the first few only: the time of the larger number is a lower
bound for all, and the difference of the two gives an estimate.
"""
import json
import warnings

import numpy as np

import graph
from common import (HERE, Failed, add_collection, compare, empty_data, goal_at_least, heading, made, our_run, own_time,
                    read_json, run_once, table, time_rounds)

FEW, MORE = 5, 15  # polygons for processes-dask
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


def zone_rows(args, series, zones_file, count):
    zones = json.loads(zones_file.read_text())

    def request(collection, zones=zones):
        return {"load": graph.load(collection),
                "band": graph.node("filter_bands", data=graph.ref("load"), bands=["B08"]),
                "zones": graph.node("aggregate_spatial", data=graph.ref("band"), geometries=zones,
                                    reducer=graph.callback("mean", data=graph.parameter()))}

    save = {"save": graph.save("zones", "JSON")}
    rows = {
        "twincube": our_run(args, f"zones_{count}", {**request("S2"), **save}, ".json"),
        "twincube, netCDF": our_run(args, f"zones_nc_{count}", {**request("S2NC"), **save}, ".json"),
        "floor: decode": ([args.floor, "geotiff", args.threads, 0, args.cache / "out_floor.tif",
                           *sorted((series / "geotiff").glob("*_B08.tif"))], args.cache / "out_floor.tif"),
    }
    if not args.skip_peers:
        peer = [args.python, HERE / "peers.py"]
        out = args.cache / "out_exactextract.npy"
        rows["exactextract"] = [*peer, "exactextract", zones_file, series / "geotiff", out], out
        for some in (FEW, MORE):
            theirs, out = args.cache / f"zones_dask_{count}_{some}.json", args.cache / f"out_dask_{some}.npy"
            first = {**zones, "crs": 32632, "features": zones["features"][:some]}  # it wants the CRS as a number
            theirs.write_text(json.dumps(request("S2NC", first)))
            rows[DASK.format(some)] = [*peer, "zones", theirs, series / "S2.nc", out], out
    return rows


def check_zones(rows, expected, pixels):
    for name in ("twincube", "twincube, netCDF"):
        got = read_json(run_once(rows[name])[1]).reshape(expected.shape)
        compare(name, got, expected, 1e-6 * np.nanmax(expected), "rasterio's pixel centres")
    if "exactextract" in rows:
        compare(DASK.format(MORE), np.load(run_once(rows[DASK.format(MORE)])[1]), expected[:, :MORE],
                1e-6 * np.nanmax(expected), "rasterio's pixel centres")
        got = np.load(run_once(rows["exactextract"])[1])
        # It weights pixels by the fraction inside: the same where edges are a small part of a polygon.
        large = pixels >= np.median(pixels)
        apart = np.nanmax(np.abs(got[:, large] / expected[:, large] - 1))
        print(f"  exactextract agrees within {100 * apart:.2f} % for the {large.sum()} larger polygons", flush=True)
        if not apart < 0.1:
            raise Failed(f"exactextract: differs by {100 * apart:.1f} %")


def judge(samples, wall, count):
    if "exactextract" not in wall:
        return
    goal_at_least("exactextract, whole command / twincube", wall["exactextract"] / wall["twincube"], 1)
    goal_at_least("exactextract, computation alone / twincube, whole command",
                  own_time(samples["exactextract"]) / wall["twincube"], 1)
    few, more, ours = wall[DASK.format(FEW)], wall[DASK.format(MORE)], wall["twincube, netCDF"]
    each = (more - few) / (MORE - FEW)
    goal_at_least(f"processes-dask with {MORE} polygons / twincube with {count}, both netCDF", more / ours, 20)
    goal_at_least(f"processes-dask with {count} polygons / twincube, estimated at {each:.2f} s a polygon",
                  (more + (count - MORE) * each) / ours, 20)


def run_zones(args):
    empty_data(args)
    side, dates, counts = (512, 4, (50, 200)) if args.small else (2048, 24, (500, 5000))
    series = made(args, f"series_{side}_{dates}", "series", "--size", side, "--dates", dates) if args.small else made(
        args, "series", "series")
    add_collection(args, "S2", series / "geotiff", "--datetime", "_([0-9]{8})_", "--band", r"_(B[0-9]+)\.tif$")
    add_collection(args, "S2NC", series / "S2.nc")
    for count in counts:
        zones = made(args, f"zones_{side}_{dates}_{count}", "zones", "--size", side, "--count", count)
        zones_file = zones / "zones.geojson"
        expected = centre_means(series, zones_file)
        rows = zone_rows(args, series, zones_file, count)
        check_zones(rows, expected, np.load(zones_file.with_suffix(".pixels.npy")))
        samples = time_rounds(rows, args.rounds)
        heading(args, f"zones: mean in {count} polygons x {dates} dates, {side}² uint16")
        judge(samples, table(samples), count)
