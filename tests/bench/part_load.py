"""W8's loading: 10 items of two bands of 4096² against odc-stac, which reads them into memory; rio-tiler's tiles."""
import numpy as np

import chunks
import graph
from common import (DECODE, FOLDER_NAMES, HERE, Failed, add_collection, checked, contest, empty_data, goal_at_most,
                    made, our_run, read_json, read_raster)
from part_tiles import make_cogs


def run_load(args):
    empty_data(args)
    side, count = (1024, 3) if args.small else (4096, 10)
    folder = made(args, f"scenes_{side}_{count}", "scenes", "--size", side, "--dates", count)
    add_collection(args, "SCENES", folder, *FOLDER_NAMES)
    files = sorted(folder.glob("*.tif"))
    most = [max(read_raster(path).max() for path in files if path.stem.endswith(band)) for band in ("B04", "B08")]
    nodes = {"load": graph.load("SCENES", bands=["B04", "B08"])} | graph.reduce_over("load", ("t", "y", "x"), "max")

    def check(name, out):
        got = read_json(out).reshape(-1)
        if not np.array_equal(got, most):
            raise Failed(f"{name}: largest values {got}, expected {most}")
        print(f"  {name}: the largest value of each band is numpy's", flush=True)

    rows = {"twincube": (*our_run(args, "load", nodes | {"save": graph.save("reduced", "JSON")}, ".json"), check)}
    if not args.skip_peers:
        out = args.work / "out_load"
        rows["odc-stac"] = [args.python, HERE / "peers.py", "load", "-", folder, out], out
    result = contest(args, f"load: {count} items x 2 bands x {side}², COG; twincube: their largest values", rows,
                     chunks.of(files))
    print(f"load: twincube / decode = {result.wall('twincube') / result.wall(DECODE):.2f} (CPU time: "
          f"{result.cpu('twincube') / result.cpu(DECODE):.2f})")
    if "odc-stac" in result.samples:
        goal_at_most("load: twincube, whole command / odc-stac's load alone",
                     result.wall("twincube") / result.own_time("odc-stac"), 0.5)
        told = checked([args.titiler / "python", HERE / "tile_reader.py", make_cogs(args)]).output
        print(f"rio-tiler, one COG and no NDVI, no server: {told.strip()}", flush=True)
