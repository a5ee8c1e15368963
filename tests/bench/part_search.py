"""Search: many items loaded as they are; searches by collection, box and half year, deep paging; against rustac, and
stac-fastapi-pgstac where PostgreSQL with PostGIS is given by PGHOST and the like."""
import datetime
import json
import os
import random
import re
import resource
import shutil
import subprocess
import time

from common import Failed, checked, empty_data, goal_at_least, goal_at_most, heading
from service import Server
from tile_peer import free_port, wait_for

COLLECTIONS, QUERIES = [f"c{i}" for i in range(10)], 500
START = datetime.datetime(2017, 1, 1)
BANDS = "B02", "B03", "B04", "B08", "SCL"


def make_item(i, chance):
    """Some 2.5 kB, as a scene of Sentinel-2 may have."""
    west, south = chance.uniform(-180, 178), chance.uniform(-80, 79)
    east, north = west + 1.1, south + 1
    time_of = (START + datetime.timedelta(seconds=chance.randrange(8 * 365 * 86400))).strftime("%Y-%m-%dT%H:%M:%SZ")
    collection, name = COLLECTIONS[i % 10], f"S2_{i:07d}_{time_of[:10]}"
    assets = {band: {"href": f"https://example.com/data/{collection}/{name}/{band}.tif", "roles": ["data"],
                     "type": "image/tiff; application=geotiff; profile=cloud-optimized", "title": f"Band {band}",
                     "eo:bands": [{"name": band}], "raster:bands": [{
                         "nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1}]} for band in BANDS}
    extensions = [f"https://stac-extensions.github.io/{word}/v1.1.0/schema.json" for word in ("eo", "projection")]
    return {"type": "Feature", "stac_version": "1.0.0", "stac_extensions": extensions, "id": name,
            "collection": collection, "bbox": [west, south, east, north], "geometry": {
                "type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north],
                                                    [west, south]]]},
            "properties": {"datetime": time_of, "eo:cloud_cover": chance.uniform(0, 100), "gsd": 10,
                           "platform": f"sentinel-2{chance.choice('ab')}", "proj:epsg": chance.randrange(32601, 32661)},
            "links": [{"rel": "collection", "href": f"https://example.com/{collection}.json"}], "assets": assets}


def make_items(args, count):
    path, chance = args.cache / f"search_{count}.ndjson", random.Random(1)
    if not path.exists():
        with open(path.with_suffix(".part"), "w", encoding="utf-8") as file:
            for i in range(count):
                file.write(json.dumps(make_item(i, chance)) + "\n")
        path.with_suffix(".part").rename(path)
    return path


def queries():
    chance = random.Random(2)
    for _ in range(QUERIES):
        west, south = chance.uniform(-180, 170), chance.uniform(-80, 70)
        begin = START + datetime.timedelta(days=chance.randrange(7 * 365))
        end = begin + datetime.timedelta(days=182)
        yield {"collections": [chance.choice(COLLECTIONS)], "limit": 10, "bbox": [west, south, west + 10, south + 10],
               "datetime": f"{begin:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"}


def wrk(args, host, path, connections):
    """Searches a second and milliseconds of the median and the slowest hundredth, the queries in turn."""
    bodies = ",\n".join(json.dumps(json.dumps(query)) for query in queries())
    script = args.work / "search.lua"
    script.write_text(f"local bodies = {{{bodies}}}\nlocal at = 0\nfunction request()\n  at = at % #bodies + 1\n"
                      "  return wrk.format('POST', nil, {['Content-Type'] = 'application/json'}, bodies[at])\nend\n")
    told = checked([shutil.which("wrk") or "wrk", "-t1", f"-c{connections}", "-d10s", "--latency", "-s", script,
                    f"http://{host}{path}"]).output
    if "Non-2xx" in told or "Socket errors" in told:
        raise Failed(told)
    scale = {"us": 1e-3, "ms": 1, "s": 1e3}
    half, most = (float(n) * scale[unit] for n, unit in (
        re.search(rf"{share}%\s+([0-9.]+)(us|ms|s)\n", told).groups() for share in (50, 99)))
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", told).group(1)), half, most


def found_ids(server, path):
    connection = server.connect()
    pages = [json.loads(server.ask(connection, "POST", path, json.dumps(query), {"Content-Type": "application/json"}))
             for query in list(queries())[:50]]
    connection.close()
    return [len(page["features"]) for page in pages]


def load(args, path, count):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    checked([args.twincube, "catalogue", "load", "--data", args.data, path])
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"load: {count / seconds:.0f} items/s, {1e6 * busy / count:.0f} us of CPU an item, peak "
          f"{after.ru_maxrss / 1024:.0f} MiB, {path.stat().st_size / 1e6:.0f} MB of JSON became "
          f"{(args.data / 'catalogue.sqlite').stat().st_size / 1e6:.0f} MB", flush=True)
    goal_at_least(f"search, {count} items: loaded a second", count / seconds, 20000)


def engine(args, count):
    """Without a server."""
    told = json.loads(checked([args.programs / "search_bench", args.data, 2, 5, *COLLECTIONS]).output)
    print(f"engine, 2 threads: {told['rate']:.0f} searches/s, p50 {1e3 * told['p50']:.2f} ms, p99 "
          f"{1e3 * told['p99']:.2f} ms, {told['found']:.1f} items each, peak {told['peak_kib'] / 1024:.0f} MiB\n"
          f"pages of ten items: 1 to 100 {1e6 * told['first_page']:.0f} us of CPU, 1900 to 2000 "
          f"{1e6 * told['last_page']:.0f} us", flush=True)
    goal_at_least(f"search, {count} items: searches/s of the engine", told["rate"], 5000)
    goal_at_most(f"search, {count} items: the last pages / the first ones", told["last_page"] / told["first_page"], 2)


class Peer:
    """A server of the same items, started by a command."""

    connect, ask = Server.connect, staticmethod(Server.ask)

    def __init__(self, args, name, command, port):
        self.host = f"127.0.0.1:{port}"
        with open(args.work / f"{name}.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(port, "/")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def rustac(args, path):
    port = free_port()
    return Peer(args, "rustac", [args.titiler / "rustac", "serve", "-a", f"127.0.0.1:{port}", "--use-duckdb", "false",
                                 "--create-collections", path], port)


def pgstac(args, path):
    """Into an empty database of the server that PGHOST and the like name."""
    pypgstac, port = args.titiler / "pypgstac", free_port()
    lines = [json.dumps({"type": "Collection", "stac_version": "1.0.0", "id": name, "description": name, "links": [],
                         "license": "other", "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]},
                                                        "temporal": {"interval": [[None, None]]}}})
             for name in COLLECTIONS]
    (args.work / "collections.ndjson").write_text("\n".join(lines))
    checked([pypgstac, "migrate"])
    checked([pypgstac, "load", "collections", args.work / "collections.ndjson", "--method", "upsert"])
    checked([pypgstac, "load", "items", path, "--method", "upsert"])
    return Peer(args, "pgstac", [args.titiler / "uvicorn", "--factory", "stac_fastapi.pgstac.app:create_app", "--host",
                                 "127.0.0.1", "--port", str(port)], port)


def run_search(args):
    count = args.items or (10000 if args.small else 100000)
    empty_data(args)
    path = make_items(args, count)
    heading(args, f"search: {count} items, {QUERIES} queries in turn")
    load(args, path, count)
    engine(args, count)
    sides = {"twincube": (Server(args), "/stac/search")}
    try:
        if not args.skip_peers:
            sides["rustac"] = rustac(args, path), "/search"
            if os.environ.get("PGHOST") and (args.titiler / "pypgstac").exists():
                sides["pgstac"] = pgstac(args, path), "/search"
            else:
                print("(without pgstac: PGHOST is not set, or it is not installed)")
        counts = {name: found_ids(*side) for name, side in sides.items()}
        if any(found != counts["twincube"] for found in counts.values()):
            raise Failed(f"other numbers of items: {counts}")
        print("| server | 1 connection: requests/s | p50 ms | p99 ms | 4: requests/s | p50 ms | p99 ms |\n"
              "|---|---|---|---|---|---|---|")
        rates = {}
        for name, (server, address) in sides.items():
            alone, four = (wrk(args, server.host, address, n) for n in (1, 4))
            rates[name] = four[0]
            print(f"| {name} | " + " | ".join(f"{value:.4g}" for value in (*alone, *four)) + " |", flush=True)
            if name == "twincube":
                goal_at_most(f"search, {count} items: p99, ms", four[2], 20)
        for name, times in ("rustac", 100), ("pgstac", 30):
            if name in rates:
                goal_at_least(f"search, {count} items: twincube / {name}", rates["twincube"] / rates[name], times)
    finally:
        for server, _ in sides.values():
            server.stop()
