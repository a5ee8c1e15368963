"""How long rio-tiler takes for a tile of one COG, in this process: PNG of 256 pixels at zoom 13.

    tile_reader.py FOLDER    with the COGs of part_tiles.py
"""
import pathlib
import statistics
import sys
import time

import morecantile
from rio_tiler.io import Reader


def main():
    path = sorted(pathlib.Path(sys.argv[1]).glob("*_B08.tif"))[0]
    times = []
    with Reader(str(path)) as cog:
        tiles = list(morecantile.tms.get("WebMercatorQuad").tiles(*cog.get_geographic_bounds("EPSG:4326"), 13))
    for tile in tiles[:60]:
        start = time.perf_counter()
        with Reader(str(path)) as cog:
            cog.tile(*tile).render(img_format="PNG")
        times.append(time.perf_counter() - start)
    print(f"p50 {1e3 * statistics.median(times):.1f} ms, longest {1e3 * max(times):.1f} ms of {len(times)} tiles")


if __name__ == "__main__":
    main()
