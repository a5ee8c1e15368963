"""W9: searching 10 000 items by place and date, and paging through all of them, against rustac's server of them."""
import json
import subprocess
import time
import urllib.parse

from common import (FOLDER_NAMES, Failed, add_collection, empty_data, goal_at_least, heading, made)
from part_requests import ask_many, ask_side_by_side, percentile
from service import Server
from tile_peer import free_port, wait_for

COUNT, PAGE, ITEMS = 10000, 1000, "/openeo/1.2/collections/ITEMS/items"
QUERIES = {  # few of a small box; a hundred by date; a hundred of many
    "place": {"bbox": [10.30, 46.80, 10.36, 46.84]},
    "date": {"datetime": "1995-01-01T00:00:00Z/1995-04-10T23:59:59Z"},
    "place and date": {"bbox": [10.3, 45.0, 10.9, 47.0], "datetime": "1991-01-01T00:00:00Z/.."},
}


def our_request(query):
    texts = {name: value if isinstance(value, str) else ",".join(map(str, value)) for name, value in query.items()}
    return "GET", f"{ITEMS}?{urllib.parse.urlencode(texts | {'limit': 100})}"


def rustac_request(query):  # its GET refuses bbox
    body = json.dumps(query | {"collections": ["ITEMS"], "limit": 100})
    return "POST", "/search", body, {"Content-Type": "application/json"}


def pages(server, path):
    """All items, by `next` links, and the seconds they took."""
    start, items, connection = time.perf_counter(), [], server.connect()
    while path:
        page = json.loads(server.ask(connection, "GET", path))
        items += page["features"]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        path = following[0].split(server.host, 1)[1] if following else None
    connection.close()
    return items, time.perf_counter() - start


class Rustac:
    """rustac serving the same items from memory."""

    def __init__(self, args, items, collection):
        folder = args.work / "rustac"
        folder.mkdir()
        (folder / "items.ndjson").write_text("\n".join(map(json.dumps, items)) + "\n")
        (folder / "collection.json").write_text(json.dumps(collection))
        port = free_port()
        self.host = f"127.0.0.1:{port}"
        with open(folder / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([args.titiler / "rustac", "serve", "-a", self.host, "collection.json",
                                             "items.ndjson"], cwd=folder, stdout=log, stderr=log)
        wait_for(port, "/")

    connect, ask = Server.connect, staticmethod(Server.ask)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def compare_servers(sides, query):
    """The same number of items; the same ones where a page holds all of them."""
    found = {}
    for name, (server, request_of) in sides.items():
        connection = server.connect()
        page = json.loads(server.ask(connection, *request_of(query)))
        found[name] = frozenset(item["id"] for item in page["features"])
        connection.close()
    counts = {name: len(some) for name, some in found.items()}
    print(f"  {query}: {counts}", flush=True)
    whole = max(counts.values()) < 100
    if len(set(counts.values())) != 1 or (whole and len(set(found.values())) != 1):
        raise Failed(f"{query}: other items: {counts}")


def run_catalogue(args):
    empty_data(args)
    folder = made(args, f"items_{COUNT}_spread", "items", "--count", COUNT, "--spread")
    add_collection(args, "ITEMS", folder, *FOLDER_NAMES)
    heading(args, f"W9: {COUNT} items")
    server = Server(args)
    sides = {"twincube": (server, our_request)}
    try:
        items, seconds = pages(server, f"{ITEMS}?limit={PAGE}")
        if len({item["id"] for item in items}) != COUNT:
            raise Failed(f"paging gave {len(items)} items")
        print(f"{len(items)} items through next links, pages of {PAGE}: {seconds:.2f} s", flush=True)
        if not args.skip_peers:
            collection = json.loads(server.ask(server.connect(), "GET", ITEMS.removesuffix("/items")))
            sides["rustac"] = Rustac(args, items, collection), rustac_request
        for query in QUERIES.values():
            compare_servers(sides, query)
        print("| query | server | alone: p50 | p99 | 4 connections: requests/s |\n|---|---|---|---|---|")
        for what, query in QUERIES.items():
            rates = {name: print_rate(args, what, name, *side, query) for name, side in sides.items()}
            if "rustac" in rates:
                goal_at_least(f"W9 {what}: requests/s, twincube / rustac", rates["twincube"] / rates["rustac"], 2)
    finally:
        for one, _ in sides.values():
            one.stop()


def print_rate(args, what, name, server, request_of, query):
    """Requests a second on four connections."""
    request = request_of(query)
    alone = ask_many(server, request, max(20, args.requests // 20))
    times, wall = ask_side_by_side(server, request, max(40, args.requests // 10), 4)
    print(f"| {what} | {name} | {percentile(alone, 0.5)} | {percentile(alone, 0.99)} | {len(times) / wall:.0f} |",
          flush=True)
    return len(times) / wall
