"""What peers take for files of another host, each with the settings that its documentation recommends for COGs.

    remote_peer.py tiles URL FIRST END COLUMN ROW ZOOM   rio-tiler: "item SECONDS plain SECONDS", medians of a tile of
                                                         another file each time, with STAC item and without
    remote_peer.py scenes URL                            odc-stac: all scenes into memory; "compute SECONDS"
"""
import os
import statistics
import sys
import time

os.environ |= {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif",
               "GDAL_INGESTED_BYTES_AT_OPEN": "32768", "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
               "GDAL_HTTP_MULTIPLEX": "YES", "VSI_CACHE": "TRUE"}


def run_tiles(url, first, end, column, row, zoom):
    from rio_tiler.io import Reader, STACReader
    with_item, plain = [], []
    for number in range(int(first), int(end)):
        start = time.perf_counter()
        with STACReader(f"{url}tile{number}.json") as item:
            item.tile(int(column), int(row), int(zoom), assets=["B08"]).render(img_format="PNG")
        with_item.append(time.perf_counter() - start)
        start = time.perf_counter()
        with Reader(f"{url}B08~{number + 100}.tif") as cog:
            cog.tile(int(column), int(row), int(zoom)).render(img_format="PNG")
        plain.append(time.perf_counter() - start)
    print("item", statistics.median(with_item[2:]), "plain", statistics.median(plain[2:]))


def run_scenes(url):
    import odc.stac
    import pystac
    items = list(pystac.ItemCollection.from_file(url + "scenes.json"))
    for item in items:
        item.set_self_href(url + "scenes.json")
        item.make_asset_hrefs_absolute()
    start = time.perf_counter()
    data = odc.stac.load(items, bands=["B04", "B08"], pool=16)
    print(f"compute {time.perf_counter() - start}", {name: int(data[name].max()) for name in data}, sep="\n")


if __name__ == "__main__":
    {"tiles": run_tiles, "scenes": run_scenes}[sys.argv[1]](*sys.argv[2:])
