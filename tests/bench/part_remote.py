"""Files of another host, every answer 20 ms late: the first tile of a COG against rio-tiler, whole scenes against
odc-stac, and what it takes to open 10 000 items."""
import json
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np

import graph
from common import HERE, Failed, checked, contest, empty_data, goal_at_most, heading, our_run, read_json, read_raster
from part_tiles import SIDE, make_cogs

LATE, ITEMS, PAGE, TRIES = 20, 10000, 1000, 12
BAND = {"data_type": "uint16", "nodata": 0}


class Host:
    """web_host.py over a folder."""

    def __init__(self, folder):
        self.process = subprocess.Popen([sys.executable, HERE / "web_host.py", folder, str(LATE)],
                                        stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.process.stdout.close()


def item(number, day, described):
    """An item of the two bands; `number` makes its files others than those of the items before."""
    properties = {"datetime": f"{day}T00:00:00Z"}
    if described:
        properties |= {"proj:epsg": 32631, "proj:shape": [SIDE, SIDE],
                       "proj:transform": [10, 0, 500000, 0, -10, 5500000]}
    return {"type": "Feature", "stac_version": "1.0.0", "id": f"i{number}", "links": [], "collection": "c",
            "geometry": {"type": "Point", "coordinates": [3.2, 49.5]}, "bbox": [3.0, 49.2, 3.6, 49.7],
            "stac_extensions": ["https://stac-extensions.github.io/projection/v1.1.0/schema.json",
                                "https://stac-extensions.github.io/raster/v1.1.0/schema.json"] if described else [],
            "properties": properties,
            "assets": {band: {"href": f"./{band}~{number}.tif", "type": "image/tiff; application=geotiff",
                              "roles": ["data"], **({"raster:bands": [BAND]} if described else {})}
                       for band in ("B04", "B08")}}


def fill(args):
    """The folder that is served."""
    folder = args.work / "web"
    folder.mkdir()
    for band in ("B04", "B08"):
        shutil.copy(make_cogs(args) / f"S2_20240601_{band}.tif", folder / f"{band}.tif")
    for number in range(2 * TRIES):
        (folder / f"tile{number}.json").write_text(json.dumps(item(number, "2024-06-01", False)))
    days = np.datetime64("1990-01-01") + np.arange(ITEMS)
    scenes = [item(1000 + number, str(days[number]), True) for number in range(2 if args.small else 4)]
    (folder / "scenes.json").write_text(json.dumps({"type": "FeatureCollection", "features": scenes}))
    count = 1000 if args.small else ITEMS
    for first in range(0, count, PAGE):
        some = [item(10000 + number, str(days[number]), False) for number in range(first, first + PAGE)]
        for one in some:
            del one["assets"]["B08"]
        links = [{"rel": "next", "href": f"items{first + PAGE}.json"}] if first + PAGE < count else []
        (folder / f"items{first}.json").write_text(json.dumps(
            {"type": "FeatureCollection", "features": some, "links": links}))
    return folder, count


def tile_graph(url, box, size):
    west, south, east, north = box
    return {"l": graph.node("load_stac", url=url, bands=["B08"], spatial_extent={
        "west": west, "south": south, "east": east, "north": north, "crs": 3857}),
        "w": graph.node("resample_spatial", data=graph.ref("l"), projection=3857, resolution=(east - west) / size),
        "s": graph.node("save_result", True, data=graph.ref("w"), format="PNG",
                        options={"min": 0, "max": 5000})}


def first_tiles(args, host, Server):
    """A tile of 256 pixels at zoom 13, of another file each time."""
    size, zoom, column, row = 256, 13, 4170, 2795
    side = 2 * 20037508.342789244 / 2**zoom
    west, north = column * side - 20037508.342789244, 20037508.342789244 - row * side
    subprocess.run([args.twincube, "user", "add", "bench", "--data", args.data], input="a password of ours\n",
                   text=True, check=True, stdout=subprocess.DEVNULL)
    server = Server(args, "--remote", host.url, "--confine", "auto")
    headers, times = server.login("bench", "a password of ours"), []
    connection = server.connect()
    for number in range(TRIES):
        nodes = tile_graph(f"{host.url}tile{number}.json", (west, north - side, west + side, north), size)
        start = time.perf_counter()
        server.ask(connection, "POST", "/openeo/1.2/result", json.dumps({"process": {"process_graph": nodes}}), headers)
        times.append(time.perf_counter() - start)
    connection.close()
    server.stop()
    peer = checked([args.titiler / "python", HERE / "remote_peer.py", "tiles", host.url, str(TRIES), str(2 * TRIES),
                    str(column), str(row), str(zoom)]).output.split()
    stac, plain = float(peer[1]), float(peer[3])
    ours = statistics.median(times[2:])
    print(f"first tile of a remote COG, its item read before: twincube, by its server {ours * 1e3:.0f} ms, "
          f"rio-tiler, no server {stac * 1e3:.0f} ms; rio-tiler without the item {plain * 1e3:.0f} ms", flush=True)
    goal_at_most("remote: first tile, twincube / rio-tiler (STACReader)", ours / stac, 1.2)


def whole_scenes(args, host, folder):
    nodes = {"load": graph.node("load_stac", url=host.url + "scenes.json", bands=["B04", "B08"])}
    nodes |= graph.reduce_over("load", ("t", "y", "x"), "max") | {"save": graph.save("reduced", "JSON")}
    command, out = our_run(args, "remote", nodes, ".json")
    most = [read_raster(folder / f"{band}.tif").max() for band in ("B04", "B08")]

    def check(name, result):
        if not np.array_equal(read_json(result).reshape(-1), most):
            raise Failed(f"{name}: other largest values than {most}")

    rows = {"twincube": (command + ["--remote", host.url], out, check)}
    if not args.skip_peers:
        rows["odc-stac"] = [args.python, HERE / "remote_peer.py", "scenes", host.url], args.work / "none"
    result = contest(args, f"remote: scenes x 2 bands x {SIDE}², {LATE} ms late; twincube: their largest values", rows)
    if "odc-stac" in result.samples:
        goal_at_most("remote: whole scenes, twincube, whole command / odc-stac's load alone",
                     result.wall("twincube") / result.own_time("odc-stac"), 1.0)


def open_items(args, host, count):
    """Heads of as many files, none of which its item describes; the plan alone, nothing is read of the pixels."""
    nodes = {"load": graph.node("load_stac", url=host.url + "items0.json")}
    nodes |= graph.reduce_over("load", ("t", "y", "x"), "max") | {"save": graph.save("reduced", "JSON")}
    path = args.work / "items_graph.json"
    path.write_text(json.dumps(nodes))
    heading(args, f"remote: {count} items opened, {LATE} ms late")
    walls = []
    for _ in range(min(args.rounds, 3)):
        sample = checked([args.twincube, "explain", path, "--data", args.data, "--remote", host.url])
        walls.append(sample.wall)
        print(f"  {sample.wall:.1f} s, CPU {sample.cpu:.1f} s", flush=True)
    goal_at_most(f"remote: seconds to open {count} items", statistics.median(walls), 10)


def run_remote(args, Server):
    empty_data(args)
    folder, count = fill(args)
    host = Host(folder)
    try:
        if not args.skip_peers:
            first_tiles(args, host, Server)
        whole_scenes(args, host, folder)
        open_items(args, host, count)
    finally:
        host.stop()
