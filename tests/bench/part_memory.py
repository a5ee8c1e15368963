"""The memory part: a cube far larger than what it may take."""
import warnings

import numpy as np

import graph
import measure
from common import (FOLDER_NAMES, add_collection, checked, compare, empty_data, goal_at_most, heading, made, our_run,
                    remove, verdict)
from part_stack import nodes_of


def run_memory(args):
    large = made(args, "large", "large")
    empty_data(args)
    add_collection(args, "BIG", large / "geotiff", *FOLDER_NAMES)
    nodes = nodes_of("median", "BIG") | {"save": graph.save("time", "GTiff")}
    command, out = our_run(args, "large", nodes, ".tif", memory="512M")
    remove(out)
    heading(args, "NDVI + median over 8 x 2 x 16384 x 16384 (8.6 GB raw), --memory 512M")
    sample = checked(command, watch=True)
    check_large(large / "geotiff", out)
    print(f"{sample.wall:.1f} s wall, {sample.cpu:.1f} s CPU")
    goal_at_most("memory: peak resident size of all processes, MB", sample.rss / 1e6, 700)
    remove(out)
    sample = measure.run([str(c) for c in command[:-1]] + ["1M"])
    refused = sample.status == 1 and not out.exists()
    print(f"under --memory 1M: status {sample.status} after {sample.wall:.2f} s: {sample.output.strip()[:300]}")
    print(f"refused before it starts: {verdict(refused)}", flush=True)


def check_large(folder, out):
    """A few windows against numpy."""
    import rasterio
    from rasterio.windows import Window
    warnings.simplefilter("ignore", RuntimeWarning)
    with rasterio.open(out) as result:
        for row, column in ((0, 0), (2047, 2047), (8000, 12000), (16300, 16300)):
            window = Window(column, row, 84, 84)
            planes = []
            for red_file in sorted(folder.glob("*_B04.tif")):
                pair = []
                for file in (red_file, red_file.with_name(red_file.name.replace("B04", "B08"))):
                    with rasterio.open(file) as f:
                        values = f.read(1, window=window).astype("f8")
                    pair.append(np.where(values == 0, np.nan, values))
                planes.append((pair[1] - pair[0]) / (pair[1] + pair[0]))
            compare(f"({row}, {column})", result.read(1, window=window).astype("f8"),
                    np.nanmedian(np.stack(planes), axis=0), 1e-6)
