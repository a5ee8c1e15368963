"""Parts on one plane: x / max(x) (global), resample_spatial (W4), apply_kernel (W6)."""
import json

import numpy as np

import chunks
import graph
from common import (FOLDER_NAMES, FORMATS, HERE, SUFFIXES, Failed, add_collection, compare, contest, each_input,
                    empty_data, goal_at_least, goal_at_most, heading, made, our_run, read_json, read_planes,
                    read_raster, run_once, table, time_rounds)

GLOBAL_SIDES = {False: (2048, 8192), True: (512, 2048)}


def plane_folder(args, side, compress, kind="float32"):
    name = f"plane_{side}_{compress}_{kind}"
    return made(args, name, "plane", "--size", side, "--compress", compress, "--kind", kind)


def plane_of(folder):
    return folder / "geotiff" / "P_20200101_B01.tif"


# x / max(x)

def global_rows(args, name, source):
    load = {"load": graph.load(name)}
    most = graph.reduce_over("load", ("y", "x"), "max", "most")
    ratio = {**load, **most, "ratio": graph.combined("load", "most", "divide")}
    tiff = graph.save("ratio", "GTiff")
    half = {**load, "ratio": graph.node("apply", data=graph.ref("load"), process=graph.callback(
        "divide", x=graph.parameter("x"), y=2))}
    return {
        "max(x)": our_run(args, f"{name}_max", {**load, **most, "save": graph.save("most", "JSON")}, ".json"),
        "x / max(x)": our_run(args, f"{name}_ratio", {**ratio, "save": tiff}, ".tif"),
        "mean(x / max(x))": our_run(args, f"{name}_mean", {
            **ratio, **graph.reduce_over("ratio", ("y", "x"), "mean", "mean"),
            "save": graph.save("mean", "JSON")}, ".json"),
        "x / 2": our_run(args, f"{name}_half", {**half, "save": tiff}, ".tif"),
    }


def check_global(rows, source):
    x = read_raster(source)
    compare("max(x)", read_json(run_once(rows["max(x)"])[1]).reshape(-1).astype("f4"), x.max()[None], 0)
    ratio = x / x.max()
    compare("x / max(x)", read_raster(run_once(rows["x / max(x)"])[1]), ratio, 1e-7)
    got = read_json(run_once(rows["mean(x / max(x))"])[1]).reshape(-1)
    compare("mean(x / max(x))", got, np.array([ratio.mean(dtype="f8")]), 1e-6)
    compare("x / 2", read_raster(run_once(rows["x / 2"])[1]), x / 2, 0)


def run_global(args):
    empty_data(args)
    sides = GLOBAL_SIDES[args.small]
    for compress in ("none", "deflate"):
        rows = {}
        for side in sides:
            source = plane_of(plane_folder(args, side, compress))
            add_collection(args, f"P{side}{compress}", source.parent, *FOLDER_NAMES)
            rows[side] = global_rows(args, f"P{side}{compress}", source)
            check_global(rows[side], source)
        ratios = {}
        for side in sides:
            samples = time_rounds(rows[side], args.rounds)
            heading(args, f"global: x / max(x) of {side} x {side} float32, GeoTIFF, compression {compress}")
            wall = ratios[side] = table(samples)
            goal_at_most("x / max(x) : max(x), result written", wall["x / max(x)"] / wall["max(x)"], 2.3)
            goal_at_most("mean(x / max(x)) : max(x)", wall["mean(x / max(x))"] / wall["max(x)"], 2.3)
            both = wall["max(x)"] + wall["x / 2"]
            print(f"x / max(x) : max(x) and x / 2 one after the other = {wall['x / max(x)'] / both:.2f}")
        growth = ratios[sides[1]]["x / max(x)"] / ratios[sides[0]]["x / max(x)"]
        goal_at_most(f"time of {sides[1]}² : {sides[0]}² (16 times the pixels)", growth, 16 * 1.1)


# resample_spatial

def gdalwarp_source(source, files):
    return f"NETCDF:{source}:B01" if source.suffix == ".nc" else files[0]


def check_resample(exact, kind, plane):
    """Against the exact transformation: a hundredth of a pixel, in values of the steepest place."""
    values = read_raster(plane).astype("f8")
    steep = max(np.abs(np.diff(values, axis=0)).max(), np.abs(np.diff(values, axis=1)).max())
    limit = 2 * 0.01 * steep + (1 if kind == "uint16" else 0.01)

    def check(name, out):
        most, pixels = difference(out, exact)
        print(f"  {name} equals gdalwarp -et 0 within {most:.2g} ({pixels} pixels; a hundredth of a pixel is up to "
              f"{0.01 * steep:.2g} along each axis)", flush=True)
        if not most <= limit or pixels < 0.9 * values.size:
            raise Failed(f"{name}: differs by {most:.3g}, more than {limit:.3g}, or too few pixels ({pixels})")

    return check


def difference(ours, theirs):
    """Largest difference where both have a value, on the pixels that both files have; how many they are."""
    (x, x0, y0), (y, x1, y1) = placed(ours), placed(theirs)
    column, row = round((x1 - x0) / 10), round((y0 - y1) / 10)
    height, width = min(x.shape[0] - row, y.shape[0]), min(x.shape[1] - column, y.shape[1])
    x, y = x[max(row, 0):row + height, max(column, 0):column + width], y[max(-row, 0):height, max(-column, 0):width]
    both = (x > 0) & (y > 0)
    return np.abs(x - y)[both].max(), both.sum()


def placed(path):
    """Values, and the centre of the first pixel."""
    if path.suffix == ".tif":
        import rasterio
        with rasterio.open(path) as file:
            return read_planes(path)[0], *(file.transform * (0.5, 0.5))
    import xarray
    with xarray.open_dataset(path, engine="zarr" if path.suffix == ".zarr" else "netcdf4") as file:
        return read_planes(path)[0], float(file["x"][0]), float(file["y"][0])


def resample_nodes(collection):
    return {"load": graph.load(collection),
            "warp": graph.node("resample_spatial", data=graph.ref("load"), projection=32633, resolution=10,
                               method="bilinear")}


def run_resample(args):
    empty_data(args)
    for kind in ("uint16", "float32"):
        folder = plane_folder(args, 1024 if args.small else 4096, "deflate", kind)
        exact = args.work / "exact.tif"
        warp = ["gdalwarp", "-q", "-overwrite", "-multi", "-wo", f"NUM_THREADS={args.threads}", "-r", "bilinear",
                "-t_srs", "EPSG:32633", "-tr", "10", "10", "-tap", "-co", "TILED=YES",
                "-wo", "XSCALE=1", "-wo", "YSCALE=1"]  # four pixels each: else it widens its window where it shrinks
        run_once(([*warp, "-et", "0", plane_of(folder), exact], exact))
        check = check_resample(exact, kind, plane_of(folder))
        for inputs, source, files in each_input(args, "PLANE", folder):
            nodes = resample_nodes("PLANE") | {"save": graph.save("warp", FORMATS[inputs])}
            rows = {"twincube": (*our_run(args, f"resample_{kind}_{inputs}", nodes, SUFFIXES[FORMATS[inputs]]), check)}
            theirs = args.work / "out_gdalwarp.tif"
            if inputs != "zarr":
                rows["gdalwarp"] = [*warp, gdalwarp_source(source, files), theirs], theirs
            name = f"W4 {kind} {inputs}"
            result = contest(args, f"{name}: to the next UTM zone, bilinear, {FORMATS[inputs]} written", rows,
                             chunks.of(files))
            if "gdalwarp" in rows:
                apart = result.cpu("twincube") / result.cpu("gdalwarp")
                goal_at_most(f"{name}: twincube / gdalwarp -multi (CPU time: {apart:.2f})",
                             result.wall("twincube") / result.wall("gdalwarp"), 0.8)


# apply_kernel

SCIPY = "scipy.ndimage.convolve"


def kernel_weights(side):
    """Not symmetric, so that a turned kernel is found out."""
    weights = np.random.default_rng(side).uniform(0.1, 1, (side, side))
    return weights / weights.sum()


def run_kernel(args):
    empty_data(args)
    folder = plane_folder(args, 1024 if args.small else 4096, "none")
    for side in (5, 11):
        weights = kernel_weights(side).tolist()
        weights_file = args.work / f"kernel_{side}_weights.json"
        weights_file.write_text(json.dumps(weights))
        expected = args.work / "expected.tif"
        peer = [args.python, HERE / "peers.py", "kernel", weights_file, plane_of(folder)]
        run_once(([*peer, expected], expected))
        values = read_raster(expected).astype("f8")

        def check(name, out):
            compare(name, read_planes(out)[0], values, 1e-6 * values.max(), "scipy")

        for inputs, _, files in each_input(args, "PLANE", folder):
            nodes = {"load": graph.load("PLANE"),
                     "sum": graph.node("apply_kernel", data=graph.ref("load"), kernel=weights),
                     "save": graph.save("sum", FORMATS[inputs])}
            rows = {"twincube": (*our_run(args, f"kernel_{side}_{inputs}", nodes, SUFFIXES[FORMATS[inputs]]), check)}
            theirs = args.work / "out_scipy.tif"
            if inputs == "geotiff":
                rows[SCIPY] = [*peer, theirs], theirs
            name = f"W6 {side} x {side} {inputs}"
            result = contest(args, f"{name}: apply_kernel, {values.shape[0]}² float32", rows, chunks.of(files))
            if SCIPY in rows:
                goal_at_least(f"{name}: scipy, whole command / twincube", result.wall(SCIPY) / result.wall("twincube"),
                              8)
                print(f"scipy, in memory alone / twincube, whole command = "
                      f"{result.own_time(SCIPY) / result.wall('twincube'):.2f}")
