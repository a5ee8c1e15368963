"""Search: many items loaded as they are; what clients ask (search_mix.py), kind by kind and mixed, deep paging; against
rustac, and stac-fastapi-pgstac where PostgreSQL with PostGIS is given by PGHOST and the like."""
import json
import os
import re
import resource
import shutil
import subprocess
import time

from common import Failed, checked, empty_data, goal_at_least, goal_at_most, heading
from measure import tree_memory, tree_seconds
from search_items import COLLECTIONS, make_items, some_ids
from search_mix import KINDS, in_turn, lua, queries
from service import Server
from tile_peer import free_port, wait_for

QUERIES, SECONDS = 300, 3


def wrk(args, side, asked, connections, seconds):
    """Searches a second, milliseconds of the median and the slowest hundredth, CPU of a search: the queries in turn."""
    script = args.work / "search.lua"
    script.write_text(lua(asked))
    before = tree_seconds(side.server.process.pid)
    told = checked([shutil.which("wrk") or "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s",
                    "--latency", "-s", script, f"http://{side.server.host}{side.path}"]).output
    busy = tree_seconds(side.server.process.pid) - before
    if "Non-2xx" in told or "Socket errors" in told:
        raise Failed(told)
    scale = {"us": 1e-3, "ms": 1, "s": 1e3}
    half, most = (float(number) * scale[unit] for number, unit in (
        re.search(rf"{share}%\s+([0-9.]+)(us|ms|s)\s*\n", told).groups() for share in (50, 99)))
    done = int(re.search(r"(\d+) requests in", told).group(1))
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", told).group(1)), half, most, 1e3 * busy / max(done, 1)


def found(side, asked):
    """Of each page the ids where an order was asked for, else how many; None: the server does not take that."""
    connection, headers, pages = side.server.connect(), {"Content-Type": "application/json"}, []
    try:
        for query in asked:
            page = json.loads(side.server.ask(connection, "POST", side.path, json.dumps(query), headers))
            ids = [item["id"] for item in page["features"]]
            pages.append(ids if "sortby" in query else len(ids))
    except Failed:
        return None
    finally:
        connection.close()
    return pages


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
        start = time.perf_counter()
        wait_for(port, "/")
        print(f"{name}: answers after {time.perf_counter() - start:.1f} s", flush=True)

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
    start = time.perf_counter()
    checked([pypgstac, "load", "items", path, "--method", "insert"])
    print(f"pgstac: loaded in {time.perf_counter() - start:.1f} s", flush=True)
    return Peer(args, "pgstac", [args.titiler / "uvicorn", "--factory", "stac_fastapi.pgstac.app:create_app", "--host",
                                 "127.0.0.1", "--port", str(port)], port)


class Side:
    def __init__(self, server, path):
        self.server, self.path = server, path


def start_sides(args, path):
    sides = {"twincube": Side(Server(args), "/stac/search")}
    if args.skip_peers:
        return sides
    sides["rustac"] = Side(rustac(args, path), "/search")
    if os.environ.get("PGHOST") and (args.titiler / "pypgstac").exists():
        sides["pgstac"] = Side(pgstac(args, path), "/search")
    else:
        print("(without pgstac: PGHOST is not set, or it is not installed)")
    return sides


def agreeing(sides, kind, ids):
    """The servers that find what we do, which says that they understood the question."""
    pages = {name: found(side, queries(kind, ids, 20)) for name, side in sides.items()}
    if pages["twincube"] is None:
        raise Failed(f"{kind}: is refused")
    return [name for name in sides if pages[name] == pages["twincube"]]


def compare(args, sides, what, asked, names, connections=4, seconds=SECONDS):
    row, own = [], None
    for name in sides:
        figures = wrk(args, sides[name], asked, connections, seconds) if name in names else None
        own = own or figures
        row.append("-" if figures is None else f"{figures[0]:.4g}/s; {figures[1]:.3g}, {figures[2]:.3g} ms; "
                   f"{figures[3]:.3g} ms" + ("" if name == "twincube" else f"; {own[0] / figures[0]:.3g} times"))
    print(f"| {what}, {connections} | " + " | ".join(row) + " |", flush=True)
    return own


def run_search(args):
    count = args.items or (10000 if args.small else 100000)
    empty_data(args)
    path = make_items(args, count)
    heading(args, f"search: {count} items, {QUERIES} queries of a kind")
    load(args, path, count)
    engine(args, count)
    sides, ids, common = start_sides(args, path), some_ids(path), {}
    try:
        print("| what, connections | " + " | ".join(f"{name}: p50, p99; CPU" for name in sides) + " |\n|"
              + "---|" * (len(sides) + 1))
        for kind, _ in KINDS:
            common[kind] = agreeing(sides, kind, ids)
            compare(args, sides, kind, queries(kind, ids, QUERIES), common[kind])
        kinds = [kind for kind in common if len(common[kind]) == len(sides)]
        asked = in_turn(kinds, ids, QUERIES // 5)
        compare(args, sides, f"{len(kinds)} kinds that all take", asked, sides, 1)
        mixed = compare(args, sides, f"{len(kinds)} kinds that all take", asked, sides)
        own = compare(args, sides, "all kinds", in_turn(list(common), ids, QUERIES // 5), ["twincube"])
        print("memory: " + ", ".join(f"{name} {tree_memory(side.server.process.pid) / 2**20:.0f} MiB"
                                     for name, side in sides.items()))
        goal_at_least(f"search, {count} items: requests/s", mixed[0], 5000)
        goal_at_most(f"search, {count} items: p99 of all kinds, ms", own[2], 20)
        for name, times in ("rustac", 100), ("pgstac", 30):
            if name in sides:
                rate = wrk(args, sides[name], asked, 4, SECONDS)[0]
                goal_at_least(f"search, {count} items: twincube / {name}", mixed[0] / rate, times)
    finally:
        for side in sides.values():
            side.server.stop()
