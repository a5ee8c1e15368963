"""The zones part: aggregate_spatial over many polygons against processes-dask, exactextract and the pixels themselves."""
import json
import warnings

import numpy as np

import graph
from common import (HERE, Failed, add_collection, compare, empty_data, goal_at_least, heading, made, our_run, own_time,
                    read_json, run_once, table, time_rounds)


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
        theirs = args.cache / f"zones_dask_{count}.json"
        theirs.write_text(json.dumps(request("S2NC", {**zones, "crs": 32632})))  # it wants the number
        for name, arguments in (("exactextract", (zones_file, series / "geotiff")), ("zones", (theirs, series / "S2.nc"))):
            out = args.cache / f"out_{name}.npy"
            title = "processes-dask" if name == "zones" else name
            rows[title] = [args.python, HERE / "peers.py", name, *arguments, out], out
    return rows


def check_zones(rows, expected, pixels):
    for name in ("twincube", "twincube, netCDF"):
        got = read_json(run_once(rows[name])[1]).reshape(expected.shape)
        compare(name, got, expected, 1e-6 * np.nanmax(expected), "rasterio's pixel centres")
    if "processes-dask" in rows:
        compare("processes-dask", np.load(run_once(rows["processes-dask"])[1]), expected, 1e-6 * np.nanmax(expected),
                "rasterio's pixel centres")
        got = np.load(run_once(rows["exactextract"])[1])
        # It weights pixels by the fraction inside: the same where edges are a small part of a polygon.
        large = pixels >= np.median(pixels)
        apart = np.nanmax(np.abs(got[:, large] / expected[:, large] - 1))
        print(f"  exactextract agrees within {100 * apart:.2f} % for the {large.sum()} larger polygons", flush=True)
        if not apart < 0.1:
            raise Failed(f"exactextract: differs by {100 * apart:.1f} %")


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
        wall = table(samples)
        for name, goal in (("processes-dask", 20), ("exactextract", 1)):
            if name in wall:
                goal_at_least(f"{name}, whole command / twincube", wall[name] / wall["twincube"], goal)
                goal_at_least(f"{name}, computation alone / twincube, whole command",
                              own_time(samples[name]) / wall["twincube"], goal)
