#!/usr/bin/env python3
"""resample_spatial of one scene to the next UTM zone against gdalwarp -multi: wall, CPU, and whether they agree.

    python3 tests/bench/warp.py [--twincube PATH] [--rounds N] [--side N] [--methods near,bilinear,cubic]

Needs numpy and rasterio. gdalwarp is taken from PATH; where there is none, warp_peer.c is built with pkg-config gdal.
Both read one deflated GeoTIFF (page cache warm), write one GeoTIFF, and may use two threads.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import numpy
import rasterio
import rasterio.transform

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import measure  # noqa: E402  (beside this file)

HERE = pathlib.Path(__file__).resolve().parent


def make_scene(path, kind, side):
    random = numpy.random.default_rng(1)
    y, x = numpy.mgrid[0:side, 0:side]
    values = 2000 + 1000 * numpy.sin(x / 37) * numpy.cos(y / 53) + random.normal(0, 30, (side, side))
    with rasterio.open(path, "w", driver="GTiff", width=side, height=side, count=1, dtype=kind, crs="EPSG:32618",
                       transform=rasterio.transform.from_origin(600000, 4800000, 30, 30), tiled=True, blockxsize=256,
                       blockysize=256, nodata=0, compress="deflate") as file:
        file.write(values.astype(kind), 1)


def gdalwarp(folder):
    found = shutil.which("gdalwarp")
    if found:
        return found
    program = folder / "warp_peer"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "gdal"], capture_output=True, text=True, check=True)
    subprocess.run(["cc", "-O2", str(HERE / "warp_peer.c"), "-o", str(program), *flags.stdout.split()], check=True)
    return str(program)


def graph(method, resolution):
    return {
        "load": {"process_id": "load_collection",
                 "arguments": {"id": "SCENE", "spatial_extent": None, "temporal_extent": None}},
        "warp": {"process_id": "resample_spatial",
                 "arguments": {"data": {"from_node": "load"}, "projection": 32619, "resolution": resolution,
                               "method": method}},
        "save": {"process_id": "save_result", "arguments": {"data": {"from_node": "warp"}, "format": "GTiff"},
                 "result": True},
    }


def difference(ours, theirs):
    """Largest difference where both have a value, on the pixels that both files have."""
    with rasterio.open(ours) as a, rasterio.open(theirs) as b:
        column = round((b.transform.c - a.transform.c) / a.transform.a)
        row = round((b.transform.f - a.transform.f) / a.transform.e)
        x, y = a.read(1).astype(float), b.read(1).astype(float)
    height, width = min(x.shape[0] - row, y.shape[0]), min(x.shape[1] - column, y.shape[1])
    x, y = x[max(row, 0):row + height, max(column, 0):column + width], y[max(-row, 0):height, max(-column, 0):width]
    both = (x != 0) & (y != 0)
    return numpy.abs(x - y)[both].max(), both.sum()


def compare(options, folder, kind, method):
    scenes, data = folder / kind, folder / f"data-{kind}"
    scene = scenes / "SCENE_20200101_B1.tif"
    if not scene.exists():
        scenes.mkdir()
        make_scene(scene, kind, options.side)
        subprocess.run([options.twincube, "catalogue", "add", "--id", "SCENE", "--data", data, scenes], check=True,
                       stdout=subprocess.DEVNULL)
    request, ours, theirs = folder / "graph.json", folder / "ours.tif", folder / "theirs.tif"
    request.write_text(json.dumps(graph(method, 30)))
    commands = {
        "twincube": [options.twincube, "run", request, "--data", data, "--threads", "2", "-o", ours],
        "gdalwarp": [gdalwarp(folder), "-q", "-multi", "-wo", "NUM_THREADS=2", "-r", method, "-t_srs", "EPSG:32619",
                     "-tr", "30", "30", "-tap", scene, theirs],
    }
    samples = {name: [] for name in commands}
    for _ in range(options.rounds):
        for name, command in commands.items():
            ours.unlink(missing_ok=True) if name == "twincube" else theirs.unlink(missing_ok=True)
            sample = measure.run([str(part) for part in command])
            if sample.status != 0:
                raise SystemExit(f"{name}: {sample.output}")
            samples[name].append(sample)
    wall = {name: statistics.median(s.wall for s in list_) for name, list_ in samples.items()}
    cpu = {name: statistics.median(s.cpu for s in list_) for name, list_ in samples.items()}
    most, pixels = difference(ours, theirs)
    print(f"| {kind} | {method} | {wall['twincube']:.2f} s ({cpu['twincube']:.2f}) | {wall['gdalwarp']:.2f} s "
          f"({cpu['gdalwarp']:.2f}) | {wall['twincube'] / wall['gdalwarp']:.2f} "
          f"({cpu['twincube'] / cpu['gdalwarp']:.2f}) | {most:.3g} of {pixels} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--twincube", default=str(HERE.parents[1] / "build" / "twincube"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--methods", default="near,bilinear,cubic")
    options = parser.parse_args()
    print("| type | method | twincube: wall (CPU) | gdalwarp -multi | ratio (goal at most 1.0) | largest difference |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("float32", "uint16"):
            for method in options.methods.split(","):
                compare(options, pathlib.Path(folder), kind, method)


if __name__ == "__main__":
    main()
