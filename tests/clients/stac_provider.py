"""A small STAC API of another make: items in memory, pages by an offset, links as its kind writes them."""

import datetime
import http.server
import json
import threading


class StacProvider:
    """`mode`: None, or what goes wrong with searches: "silent", "broken", "foreign" (its next page is elsewhere),
    "hostile" (what it sends are no items). One that is `plain` neither sorts nor looks at a filter or a query."""

    def __init__(self, collection, days, plain=False):
        self.collection, self.mode, self.bodies, self.foreign, self.plain = collection, None, [], None, plain
        self.awake = threading.Event()
        self.items = [self.item(day) for day in days]
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.get(self)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                provider.bodies.append(body)
                provider.search(self, body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.root = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self.awake.set()
        self.server.shutdown()
        self.server.server_close()

    def item(self, day):
        when = datetime.datetime(2021, 1, 1) + datetime.timedelta(days=day)
        return {"type": "Feature", "stac_version": "1.1.0", "id": f"scene-{day:03d}", "collection": self.collection,
                "geometry": {"type": "Point", "coordinates": [day % 180, 10]}, "bbox": [day % 180, 10, day % 180, 10],
                "properties": {"datetime": when.isoformat() + "Z", "odd:number": day, "eo:cloud_cover": day % 7},
                "links": [{"rel": "self", "href": f"/collections/{self.collection}/items/scene-{day:03d}"},
                          {"rel": "root", "href": "/"}, {"rel": "license", "href": "licence.txt"}],
                "assets": {"data": {"href": f"data/{day}.tif"}}}

    def send(self, request, document, status=200):
        text = document if isinstance(document, bytes) else json.dumps(document, indent=1).encode()
        try:
            request.send_response(status)
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(text)))
            request.end_headers()
            request.wfile.write(text)
        except OSError:
            pass

    def classes(self):
        return [f"https://api.stacspec.org/v1.0.0/item-search{part}" for part in
                ([""] if self.plain else ["", "#sort", "#query"])]

    def get(self, request):
        collection = {"type": "Collection", "stac_version": "1.1.0", "id": self.collection, "title": "Odd scenes",
                      "description": "", "license": "other", "links": [],
                      "extent": {"spatial": {"bbox": [[0, 10, 179, 10]]}, "temporal": {"interval": [[None, None]]}}}
        items = {f"/collections/{self.collection}/items/{item['id']}": item for item in self.items}
        pages = {"/": {"type": "Catalog", "id": "odd", "stac_version": "1.1.0", "description": "",
                       "conformsTo": self.classes(),
                       "links": [{"rel": "search", "href": "./search", "method": "GET"},
                                 {"rel": "search", "href": "./search", "method": "POST"}]},
                 "/collections": {"collections": [collection], "links": []},
                 "/collections/" + self.collection: collection, **items}
        self.send(request, pages.get(request.path, {"code": "NotFound"}), 200 if request.path in pages else 404)

    def search(self, request, body):
        if self.mode == "silent":
            self.awake.wait(60)
        if self.mode in ("silent", "broken"):
            return self.send(request, {"code": "InternalServerError"}, 500)
        if self.mode == "hostile":
            deep = b"[" * 900 + b"]" * 900
            return self.send(request, b'{"features": [' + deep + b', {"id": 5}, {}, null], "links": [7]}')
        if self.plain:
            body = {key: value for key, value in body.items() if key not in ("sortby", "query", "filter")}
        keys = body.get("sortby", [{"field": "eo:cloud_cover" if self.plain else "datetime", "direction": "desc"}])
        found = [item for item in self.items if body.get("collections", [self.collection]) == [self.collection] and
                 item["properties"]["eo:cloud_cover"] < body.get("query", {}).get("eo:cloud_cover", {}).get("lt", 100)]
        for key in reversed(keys):
            name = key["field"].removeprefix("properties.")
            found.sort(key=lambda item: item.get(name) or item["properties"].get(name),
                       reverse=key["direction"] == "desc")
        start, limit = int(body.get("token", 0)), min(body["limit"], 4)
        links = [{"rel": "next", "href": "search", "method": "POST", "body": {**body, "token": str(start + limit)}}]
        if self.mode == "foreign":
            links[0]["href"] = self.foreign
        page = {"type": "FeatureCollection", "features": found[start:start + limit],
                "links": links if start + limit < len(found) else []}
        return self.send(request, page)
