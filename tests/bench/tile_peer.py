"""titiler-openeo on the same files, with rustac as its STAC API: another server of the same tiles."""
import base64
import http.client
import json
import os
import socket
import subprocess
import time

import rasterio
from rasterio.warp import transform_bounds

import graph
from common import Failed

SECONDS = 60  # that a server may take to start


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port, path):
    end = time.monotonic() + SECONDS
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            connection.getresponse().read()
            return
        except OSError:
            if time.monotonic() > end:
                raise Failed(f"no server at port {port}")
            time.sleep(0.2)


def item_of(folder):
    paths = sorted(folder.glob("*_B*.tif"))
    with rasterio.open(paths[0]) as raster:
        box = list(transform_bounds(raster.crs, "EPSG:4326", *raster.bounds))
        projection = {"proj:epsg": raster.crs.to_epsg(), "proj:shape": list(raster.shape),
                      "proj:transform": list(raster.transform)[:6]}
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Feature", "stac_version": "1.0.0", "id": "scene", "collection": "tiles", "bbox": box,
            "geometry": {"type": "Polygon", "coordinates": [ring]}, "links": [],
            "properties": {"datetime": "2024-06-01T00:00:00Z", **projection},
            "assets": {path.stem[-3:]: {"href": path.resolve().as_uri(), "roles": ["data"], **projection,
                                        "type": "image/tiff; application=geotiff; profile=cloud-optimized"}
                       for path in paths}}


def collection_of(item):
    return {"type": "Collection", "stac_version": "1.0.0", "id": "tiles", "description": "two bands",
            "license": "other",
            "links": [], "extent": {"spatial": {"bbox": [item["bbox"]]},
                                    "temporal": {"interval": [["2024-01-01T00:00:00Z", "2024-12-31T00:00:00Z"]]}}}


def process():
    scale = graph.callback("linear_scale_range", x=graph.parameter("x"), inputMin=0, inputMax=1, outputMin=0,
                           outputMax=255)
    return {"load": graph.node("load_collection", id="tiles", spatial_extent={"from_parameter": "bounding_box"},
                               temporal_extent=["2024-01-01", "2024-12-31"], bands=["B04", "B08"]),
            "one": graph.node("reduce_dimension", data=graph.ref("load"), dimension="t",
                              reducer=graph.callback("firstpixel", data=graph.parameter("data"))),
            "ndvi": graph.node("ndvi", data=graph.ref("one"), nir=2, red=1),
            "scaled": graph.node("apply", data=graph.ref("ndvi"), process=scale),
            "save": {**graph.node("save_result", data=graph.ref("scaled"), format="png"), "result": True}}


class Titiler:
    """`args.titiler`: folder of the environment's programs."""
    name = "titiler-openeo"

    def __init__(self, args, folder):
        work, item, stac = args.work / "titiler-data", item_of(folder), free_port()
        work.mkdir(exist_ok=True)
        (work / "items.ndjson").write_text(json.dumps(item) + "\n")
        (work / "collection.json").write_text(json.dumps(collection_of(item)))
        (work / "services.json").write_text(json.dumps({"services": {}, "udp_definitions": {}}))
        self.port, self.processes = free_port(), []
        self.start(work, ["rustac", "serve", "-a", f"127.0.0.1:{stac}", "collection.json", "items.ndjson"], args, {})
        self.start(work, ["uvicorn", "titiler.openeo.main:app", "--host", "127.0.0.1", "--port", str(self.port)], args,
                   {"TITILER_OPENEO_STAC_API_URL": f"http://127.0.0.1:{stac}/",
                    "TITILER_OPENEO_STORE_URL": str(work / "services.json")})
        try:
            wait_for(stac, "/")
            wait_for(self.port, "/")
            self.path = self.publish()
        except BaseException:
            self.stop()
            raise

    def start(self, work, command, args, more):
        log = open(work / (command[0] + ".log"), "w", encoding="utf-8")
        self.processes.append(subprocess.Popen([args.titiler / command[0], *command[1:]], cwd=work, stdout=log,
                                               stderr=log, env={**os.environ, **more}))

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def publish(self):
        connection = self.connect()
        login = base64.b64encode(b"test:test").decode()
        connection.request("GET", "/credentials/basic", headers={"Authorization": f"Basic {login}"})
        token = json.loads(connection.getresponse().read())["access_token"]
        body = {"type": "XYZ", "process": {"process_graph": process()}, "configuration": {"scope": "public"}}
        connection.request("POST", "/services", json.dumps(body), {"Authorization": f"Bearer basic//{token}",
                                                                   "Content-Type": "application/json"})
        reply = connection.getresponse()
        text = reply.read()
        if reply.status != 201:
            raise Failed(f"titiler-openeo makes no service: {reply.status} {text[:300]!r}")
        return f"/services/xyz/{reply.headers['openeo-identifier']}/tiles/{{z}}/{{x}}/{{y}}"

    def fresh(self):
        return self.path  # it keeps no tiles

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.wait(timeout=30)
