"""Parts on one plane: x / max(x) (global), resample_spatial (resample), apply_kernel (kernel)."""
import json

import numpy as np

import graph
import warp
from common import (HERE, Failed, add_collection, bandwidth, compare, empty_data, goal_at_least, goal_at_most, heading,
                    made, our_run, own_time, read_json, read_raster, run_once, table, time_rounds)

GLOBAL_SIDES = {False: (2048, 8192), True: (512, 2048)}
PLANE_NAMES = ("--datetime", "_([0-9]{8})_", "--band", r"_(B[0-9]+)\.tif$")


def plane(args, side, compress):
    folder = made(args, f"plane_{side}_{compress}", "plane", "--size", side, "--compress", compress)
    return folder / "P_20200101_B01.tif"


# x / max(x)

def global_rows(args, name, source):
    load = {"load": graph.load(name)}
    most = graph.reduce_over("load", ("y", "x"), "max", "most")
    ratio = {**load, **most, "ratio": graph.combined("load", "most", "divide")}
    tiff = graph.save("ratio", "GTiff")
    half = {**load, "ratio": graph.node("apply", data=graph.ref("load"), process=graph.callback(
        "divide", x=graph.parameter("x"), y=2))}
    floor = args.cache / "out_floor.tif"
    return {
        "max(x)": our_run(args, f"{name}_max", {**load, **most, "save": graph.save("most", "JSON")}, ".json"),
        "x / max(x)": our_run(args, f"{name}_ratio", {**ratio, "save": tiff}, ".tif"),
        "mean(x / max(x))": our_run(args, f"{name}_mean", {
            **ratio, **graph.reduce_over("ratio", ("y", "x"), "mean", "mean"),
            "save": graph.save("mean", "JSON")}, ".json"),
        "x / 2": our_run(args, f"{name}_half", {**half, "save": tiff}, ".tif"),
        "floor: decode, write": ([args.floor, "geotiff", args.threads, 1, floor, source], floor),
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
            source = plane(args, side, compress)
            add_collection(args, f"P{side}{compress}", source.parent, *PLANE_NAMES)
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
    bandwidth(args)


# resample_spatial

def resample_rows(args, kind, folder):
    scene = folder / f"scenes_{kind}" / "SCENE_20200101_B1.tif"
    if not scene.exists():
        scene.parent.mkdir()
        warp.make_scene(scene, kind, 512 if args.small else 2048)
    name = f"SCENE{kind}"
    add_collection(args, name, scene.parent)
    request = warp.graph("bilinear", 30)
    request["load"]["arguments"]["id"] = name
    peer = [warp.gdalwarp(folder), "-q", "-multi", "-wo", f"NUM_THREADS={args.threads}", "-r", "bilinear", "-t_srs",
            "EPSG:32619", "-tr", "30", "30", "-tap"]
    theirs, exact, floor = (folder / f"{n}_{kind}.tif" for n in ("gdalwarp", "exact", "floor"))
    return {
        "twincube": our_run(args, f"resample_{kind}", request, ".tif"),
        "gdalwarp -multi": ([*peer, scene, theirs], theirs),
        "gdalwarp -multi -et 0 (exact)": ([*peer, "-et", "0", scene, exact], exact),
        "floor: decode, write": ([args.floor, "geotiff", args.threads, 1, floor, scene], floor),
    }, scene


def check_resample(rows, scene):
    """Against the exact transformation: a hundredth of a pixel, in values of the steepest place."""
    most, pixels = warp.difference(run_once(rows["twincube"])[1], run_once(rows["gdalwarp -multi -et 0 (exact)"])[1])
    x = read_raster(scene).astype("f8")
    steep = max(np.abs(np.diff(x, axis=0)).max(), np.abs(np.diff(x, axis=1)).max())
    kind = x.dtype if scene.parent.name.endswith("float32") else "rounded"
    limit = 2 * 0.01 * steep + (1 if kind == "rounded" else 0.01)
    print(f"  twincube equals gdalwarp -et 0 within {most:.2g} ({pixels} pixels; a hundredth of a pixel is up to "
          f"{0.01 * steep:.2g} along each axis)", flush=True)
    if not most <= limit or pixels < 0.9 * x.size:
        raise Failed(f"resample: differs by {most:.3g}, more than {limit:.3g}, or too few pixels ({pixels})")


def run_resample(args):
    empty_data(args)
    folder = args.cache / f"resample{'_small' if args.small else ''}"
    folder.mkdir(exist_ok=True)
    for kind in ("float32", "uint16"):
        rows, scene = resample_rows(args, kind, folder)
        check_resample(rows, scene)
        samples = time_rounds(rows, args.rounds)
        heading(args, f"resample: resample_spatial of a {kind} scene to the next UTM zone, bilinear")
        wall = table(samples)
        goal_at_most("twincube / gdalwarp -multi", wall["twincube"] / wall["gdalwarp -multi"], 1.0)


# apply_kernel

SCIPY = "scipy.ndimage.convolve"


def kernel_weights(side):
    """Not symmetric, so that a turned kernel is found out."""
    weights = np.random.default_rng(side).uniform(0.1, 1, (side, side))
    return weights / weights.sum()


def run_kernel(args):
    empty_data(args)
    source = plane(args, 1024 if args.small else 4096, "none")
    add_collection(args, "PLANE", source.parent, *PLANE_NAMES)
    for side in (5, 11):
        weights = kernel_weights(side).tolist()
        weights_file = args.cache / f"kernel_{side}_weights.json"
        weights_file.write_text(json.dumps(weights))
        theirs, floor = args.cache / "out_scipy.tif", args.cache / "out_floor.tif"
        rows = {
            "twincube": our_run(args, f"kernel_{side}", {
                "load": graph.load("PLANE"),
                "sum": graph.node("apply_kernel", data=graph.ref("load"), kernel=weights),
                "save": graph.save("sum", "GTiff")}, ".tif"),
            SCIPY: ([args.python, HERE / "peers.py", "kernel", weights_file, source, theirs], theirs),
            "floor: decode, write": ([args.floor, "geotiff", args.threads, 1, floor, source], floor),
        }
        expected = read_raster(run_once(rows[SCIPY])[1]).astype("f8")
        compare("twincube", read_raster(run_once(rows["twincube"])[1]), expected, 1e-6 * expected.max(), "scipy")
        samples = time_rounds(rows, args.rounds)
        heading(args, f"kernel: apply_kernel {side} x {side} on {'1024' if args.small else '4096'}² float32")
        wall, alone = table(samples), own_time(samples[SCIPY])
        goal_at_least("scipy, whole command / twincube", wall[SCIPY] / wall["twincube"], 5)
        goal_at_least("scipy, in memory alone / twincube, whole command", alone / wall["twincube"], 5)
