"""A catalogue that several servers share by a PostgreSQL database: they show the same, whoever changes it and however
one of them or the database ends. (test_postgres.py has the tests of clients that edit see no difference.)"""

import concurrent.futures
import contextlib
import io
import json
import random
import signal
import sqlite3
import subprocess
import time

import numpy as np
import pytest
import rasterio
import requests
from rasterio.transform import from_origin

from conftest import BINARY, PASSWORD, until
from postgres_host import database  # noqa: F401 (database is a fixture)
from test_stac_edit import Api, collection, item

TABLES = {"collections": "key", "private_collections": "key", "bands": "collection, position", "grids": "key",
          "items": "key", "documents": "key", "assets": "item, band", "sources": "name"}


def twincube(uri, *arguments, status=0, **options):
    done = subprocess.run([BINARY, *map(str, arguments), *(["--catalogue", uri] if uri else [])], timeout=120,
                          capture_output=True, text=True, **options)
    assert done.returncode == status, done.stderr + done.stdout
    return done.stdout if status == 0 else done.stderr


class Server:
    """One of those that share the catalogue. After login, `api` is an editor's."""

    def __init__(self, folder, uri, *options):
        self.data = folder
        folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", folder, "--catalogue",
                                         uri, "--udf-python", "none", "--stac-editor", "carol", "--workers", "1",
                                         "--jobs", "1", "--threads", "1", *options], text=True, stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().strip().rstrip("/")
        assert self.url

    def login(self):
        subprocess.run([BINARY, "user", "add", "carol", "--data", self.data], input=PASSWORD + "\n", text=True,
                       check=True, capture_output=True, timeout=60)
        token = requests.get(self.url + "/openeo/1.3/credentials/basic", auth=("carol", PASSWORD), timeout=30).json()
        self.api = Api(self.url, "basic//" + token["access_token"])
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0

    def kill(self):
        self.process.kill()
        self.process.wait(60)

    def find(self, **search):
        """A page: its items without what names the server, and the token of the next one."""
        page = self.api("POST", "/search", 200, search).json()
        following = [link for link in page["links"] if link["rel"] == "next"]
        items = json.loads(json.dumps(page["features"]).replace(self.url, "URL"))
        return items, following[0]["body"]["token"] if following else None

    def find_all(self, **search):
        items, token = self.find(**search)
        while token:
            more, token = self.find(**search, token=token)
            items += more
        return items

    def load(self, name):
        graph = {"load": {"process_id": "load_collection", "arguments": {"id": name, "spatial_extent": None,
                                                                          "temporal_extent": None}},
                 "save": {"process_id": "save_result", "result": True,
                          "arguments": {"data": {"from_node": "load"}, "format": "GTiff"}}}
        answer = requests.post(self.url + "/openeo/1.3/result", json={"process": {"process_graph": graph}},
                               headers=self.api.headers, timeout=60)
        assert answer.status_code == 200, answer.text
        with rasterio.open(io.BytesIO(answer.content)) as file:
            return file.read(1)


@pytest.fixture(scope="module")
def pair(database, tmp_path_factory):  # noqa: F811
    """The database of two servers, and these."""
    uri = database.make("shared")
    servers = [Server(tmp_path_factory.mktemp(name), uri).login() for name in ("one", "two")]
    yield uri, *servers
    for server in servers:
        server.stop()


def rows_of_copy(folder):
    with contextlib.closing(sqlite3.connect(f"file:{folder}/catalogue.sqlite?mode=ro", uri=True)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'documents by %'")]
        rows = {table: db.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
                for table, order in TABLES.items()}
        boxes = db.execute("SELECT item, west, east, south, north, collection_low, first, last FROM item_boxes"
                           " ORDER BY 1").fetchall()
        assert db.execute("SELECT rtreecheck('item_boxes')").fetchall() == [("ok",)]
        assert [box[0] for box in boxes] == [row[0] for row in rows["items"]]
    return {**rows, "boxes": boxes, "indexes": sorted(names)}


def version_of_copy(folder):
    with contextlib.closing(sqlite3.connect(f"file:{folder}/catalogue.sqlite?mode=ro", uri=True)) as db:
        return db.execute("SELECT version FROM shared_catalogue").fetchone()[0]


def rows_of_database(database, uri):  # noqa: F811
    """As the driver of SQLite tells them: read from JSON, in which PostgreSQL writes a row."""
    name = uri.split("/")[3].split("?")[0]
    return {table: [tuple(json.loads(row).values())
                    for (row,) in database.ask(f"SELECT row_to_json(t) FROM (SELECT * FROM catalogue_{table}"
                                               f" ORDER BY {order}) AS t", name)]
            for table, order in TABLES.items()}


def check_alike(database, uri, *folders):  # noqa: F811
    """All copies come to have the rows of the database, and no more; their numbers of items are those there are."""
    latest = database.ask("SELECT version FROM catalogue_state", uri.split("/")[3].split("?")[0])[0][0]
    until(lambda: all(version_of_copy(folder) >= int(latest) for folder in folders))
    expected = rows_of_database(database, uri)
    copies = [rows_of_copy(folder) for folder in folders]
    for copy in copies:
        assert {table: copy[table] for table in TABLES} == expected
        assert copy == copies[0]
    keys = {row[0]: row[10] for row in expected["collections"]}
    assert keys == {key: sum(row[1] == key for row in expected["items"]) for key in keys}


def write_scene(path, value):
    with rasterio.open(path, "w", driver="GTiff", dtype="uint8", count=1, height=2, width=2, crs="EPSG:4326",
                       transform=from_origin(0, 1, .5, .5)) as file:
        file.write(np.full((2, 2), value, "uint8"), 1)


def write_items(path, names, of="loaded", cloud=None):
    chosen = random.Random(len(names))
    lines = []
    for i, name in enumerate(names):
        one = item(name, of, 1 + i % 28)
        west, south = chosen.uniform(-179, 178), chosen.uniform(-89, 88)
        one["bbox"] = [west, south, west + 1, south + 1]
        one["geometry"] = {"type": "Point", "coordinates": [west + .5, south + .5]}
        one["properties"]["eo:cloud_cover"] = cloud if cloud is not None else round(chosen.uniform(0, 100), 3)
        one["properties"]["title"] = "tab\t, line\n, \\ and \"quotes\" \U0001F6F0"
        lines.append(json.dumps(one))
    path.write_text("\n".join(lines))
    return [json.loads(line) for line in lines]


# ---- alike ----


def test_what_one_server_is_told_all_of_them_tell(database, pair, tmp_path):  # noqa: F811
    uri, one, two = pair
    one.api("POST", "/collections", 201, collection("made"))
    until(lambda: requests.get(two.url + "/stac/collections/made", timeout=30).status_code == 200)
    for day in range(1, 8):
        (one, two)[day % 2].api("POST", "/collections/made/items", 201, item(f"i{day}", "made", day))
    two.api("PATCH", "/collections/made/items/i3", 204, {"properties": {"eo:cloud_cover": 99}})
    one.api("DELETE", "/collections/made/items/i7", 204)  # the greatest key is given again
    two.api("POST", "/collections/made/items", 201, item("i8", "made", 9))
    until(lambda: len(one.find(collections=["made"])[0]) == 7)
    assert one.find(collections=["made"]) == two.find(collections=["made"])
    names = [f"item-{i:04}" for i in range(1500)]
    items = write_items(tmp_path / "items.ndjson", names)
    twincube(uri, "catalogue", "load", "--data", tmp_path / "third", tmp_path / "items.ndjson")
    twincube(uri, "catalogue", "index", "--data", tmp_path / "third", "--property", "eo:cloud_cover")
    until(lambda: all(rows_of_copy(server.data)["indexes"] for server in (one, two)))
    search = {"collections": ["loaded"], "bbox": [-90, -45, 90, 45], "limit": 100, "filter-lang": "cql2-text",
              "filter": "eo:cloud_cover < 60 AND CASEI(own:word) = CASEI('GRÖSSE')",
              "sortby": [{"field": "eo:cloud_cover", "direction": "desc"}]}
    wanted = [i for i in items if i["bbox"][0] <= 90 and i["bbox"][2] >= -90 and i["bbox"][1] <= 45 and
              i["bbox"][3] >= -45 and i["properties"]["eo:cloud_cover"] < 60]
    wanted.sort(key=lambda i: (-i["properties"]["eo:cloud_cover"], i["id"]))
    assert len(wanted) > 200
    found, token = one.find(**search)  # pages of one server go on at the other
    while token:
        one, two = two, one
        more, token = one.find(**search, token=token)
        found += more
    assert [i["id"] for i in found] == [i["id"] for i in wanted]
    assert [i["properties"] for i in found] == [i["properties"] for i in wanted]
    check_alike(database, uri, one.data, two.data, tmp_path / "third")


def test_scenes_are_loaded_wherever_they_were_added(database, pair, tmp_path):  # noqa: F811
    uri, one, two = pair
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    write_scene(scenes / "scene_20200101_B04.tif", 7)
    twincube(uri, "catalogue", "add", "--data", tmp_path / "third", "--id", "scanned", scenes)
    until(lambda: requests.get(two.url + "/openeo/1.3/collections/scanned", timeout=30).status_code == 200)
    until(lambda: requests.get(one.url + "/openeo/1.3/collections/scanned", timeout=30).status_code == 200)
    assert (one.load("scanned") == 7).all() and (two.load("scanned") == 7).all()
    write_scene(scenes / "scene_20200101_B04.tif", 9)
    write_scene(scenes / "scene_20200202_B04.tif", 11)
    refreshing = Server(tmp_path / "third", uri, "--refresh")
    until(lambda: len(two.find(collections=["scanned"])[0]) == 2)
    refreshing.stop()
    check_alike(database, uri, one.data, two.data)
    sources = twincube(uri, "catalogue", "sources", "--data", one.data).split("\t")  # while a server uses the folder
    assert sources[0] == "scanned" and str(scenes) in sources
    twincube(uri, "catalogue", "remove", "--data", tmp_path / "third", "scanned")
    until(lambda: requests.get(two.url + "/openeo/1.3/collections/scanned", timeout=30).status_code == 404)
    until(lambda: requests.get(one.url + "/openeo/1.3/collections/scanned", timeout=30).status_code == 404)
    check_alike(database, uri, one.data, two.data)
    assert not rows_of_copy(one.data)["grids"] and not rows_of_copy(one.data)["sources"]


def test_no_change_of_two_servers_is_lost(database, pair):  # noqa: F811
    """Each counts one up, by the state that it saw; who was late is told so, and nothing counts twice."""
    uri, one, two = pair
    one.api("POST", "/collections", 201, collection("counting"))
    one.api("POST", "/collections/counting/items", 201, item("counted", "counting", count=0))
    place, rounds = "/stac/collections/counting/items/counted", 6

    def count(server):
        done = late = 0
        while done < rounds:
            seen = requests.get(server.url + place, headers=server.api.headers, timeout=30)
            if seen.status_code == 404:  # it has not come here yet
                continue
            answer = requests.patch(server.url + place, json={"count": seen.json()["count"] + 1}, timeout=60,
                                    headers={**server.api.headers, "If-Match": seen.headers["ETag"]})
            assert answer.status_code in (200, 204, 412, 503), answer.text
            done += answer.status_code < 300
            late += answer.status_code == 412
        return late

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        late = sum(threads.map(count, (one, two, one, two)))
    assert late > 0
    until(lambda: all(server.find(ids=["counted"])[0][0]["count"] == 4 * rounds for server in (one, two)))
    check_alike(database, uri, one.data, two.data)


# ---- what ends amid ----


def test_the_database_is_away(database, pair, tmp_path):  # noqa: F811
    """All can be found and loaded; changes wait, and what one server missed it gets."""
    uri, one, two = pair
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    write_scene(scenes / "scene_20200101_B04.tif", 7)
    twincube(uri, "catalogue", "add", "--data", one.data, "--id", "scanned", scenes)
    one.api("POST", "/collections", 201, collection("waiting"))
    until(lambda: len(two.find(collections=["scanned"])[0]) == 1)
    database.stop("immediate")
    try:
        for server in (one, two):
            answer = server.api("POST", "/collections/waiting/items", 503, item("refused", "waiting"))
            assert answer.json()["code"] == "InfrastructureMaintenance"
            assert len(server.find(collections=["scanned"])[0]) == 1
        assert (two.load("scanned") == 7).all()
        assert "InfrastructureMaintenance" in twincube(uri, "catalogue", "remove", "--data", one.data, "scanned",
                                                       status=1)
    finally:
        database.start()
    one.api("POST", "/collections/waiting/items", 201, item("taken", "waiting"))
    until(lambda: [i["id"] for i in two.find(collections=["waiting"])[0]] == ["taken"])
    twincube(uri, "catalogue", "remove", "--data", one.data, "scanned")
    check_alike(database, uri, one.data, two.data)


def test_who_is_killed_amid_a_change_leaves_all_of_it_or_nothing(database, pair, tmp_path):  # noqa: F811
    uri, one, two = pair
    names, third = [f"item-{i:04}" for i in range(1000)], Server(tmp_path / "third", uri)
    write_items(tmp_path / "0.ndjson", names, "killed", cloud=0)
    begun = time.monotonic()
    twincube(uri, "catalogue", "load", "--data", one.data, tmp_path / "0.ndjson")
    lasts = time.monotonic() - begun
    chosen = random.Random(3)
    for turn in range(1, 5):
        write_items(tmp_path / f"{turn}.ndjson", names, "killed", cloud=turn)
        loading = subprocess.Popen([BINARY, "catalogue", "load", "--data", one.data, "--catalogue", uri,
                                    tmp_path / f"{turn}.ndjson"], stdout=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            loading.wait(chosen.uniform(0.2, 1.1) * lasts)
        loading.kill()
        loading.wait(60)
        if turn == 3:
            third.kill()
        states = {i["properties"]["eo:cloud_cover"] for i in one.find_all(collections=["killed"], limit=1000)}
        assert len(states) == 1
    third = Server(third.data, uri)
    two.api("POST", "/collections/killed/items", 201, item("last", "killed"))  # the lock of the dead is free
    check_alike(database, uri, one.data, two.data, third.data)
    third.stop()


# ---- joining and leaving ----


def test_a_catalogue_that_is_there_becomes_a_shared_one_and_one_of_its_own_again(database, tmp_path):  # noqa: F811
    uri = database.make("joined")
    write_items(tmp_path / "items.ndjson", ["a", "b"])
    for name in ("one", "other"):
        twincube(None, "catalogue", "load", "--data", tmp_path / name, tmp_path / "items.ndjson")
    with contextlib.closing(sqlite3.connect(tmp_path / "one" / "catalogue.sqlite")) as db:
        before = db.execute("SELECT * FROM documents ORDER BY key").fetchall()
    assert "loaded\t2 items" in twincube(uri, "catalogue", "list", "--data", tmp_path / "one")
    assert "loaded\t2 items" in twincube(uri, "catalogue", "list", "--data", tmp_path / "two")
    assert rows_of_copy(tmp_path / "two")["documents"] == before
    refused = twincube(uri, "catalogue", "list", "--data", tmp_path / "other", status=1)
    assert "collections that are not of the shared catalogue" in refused
    assert "copy of another" in twincube(database.make("joined_by_others"), "catalogue", "list", "--data",
                                         tmp_path / "one", status=1)
    for change in (("load", tmp_path / "items.ndjson"), ("remove", "loaded"), ("index", "--property", "title")):
        assert "is the copy of a shared catalogue" in twincube(None, "catalogue", *change, "--data", tmp_path / "two",
                                                               status=1)
    check_alike(database, uri, tmp_path / "one", tmp_path / "two")
    twincube(None, "catalogue", "leave", "--data", tmp_path / "two")
    assert "no copy" in twincube(None, "catalogue", "leave", "--data", tmp_path / "two", status=1)
    twincube(None, "catalogue", "remove", "--data", tmp_path / "two", "loaded")
    assert "loaded\t2 items" in twincube(uri, "catalogue", "list", "--data", tmp_path / "one")


def test_what_is_private_is_so_on_all_servers(database, tmp_path):  # noqa: F811
    """… also where the database's tables are of a version that knew of no owners."""
    uri = database.make("owners")
    twincube(uri, "catalogue", "list", "--data", tmp_path / "first")
    database.ask("DROP TABLE catalogue_private_collections; UPDATE catalogue_state SET schema = 4", "owners")
    published = tmp_path / "published"
    published.mkdir()
    one = Server(tmp_path / "one", uri, "--publish", published).login()
    two = Server(tmp_path / "two", uri).login()
    write_scene(tmp_path / "s.tif", 7)
    openeo = one.url + "/openeo/1.3"
    requests.put(openeo + "/files/s.tif", (tmp_path / "s.tif").read_bytes(), headers=one.api.headers, timeout=60)
    graph = {"load": {"process_id": "load_uploaded_files", "arguments": {"paths": ["s.tif"], "format": "GTiff"}},
             "save": {"process_id": "save_result", "result": True,
                      "arguments": {"data": {"from_node": "load"}, "format": "GTiff"}}}
    job = requests.post(openeo + "/jobs", json={"process": {"process_graph": graph}, "publish": "mine"},
                        headers=one.api.headers, timeout=60).headers["Location"]
    requests.post(job + "/results", headers=one.api.headers, timeout=60)
    until(lambda: requests.get(job, headers=one.api.headers, timeout=60).json()["status"] in ("finished", "error"))
    address = two.url + "/stac/collections/mine"
    until(lambda: requests.get(address, headers=two.api.headers, timeout=60).status_code == 200)
    assert requests.get(address, timeout=60).status_code == 404
    assert rows_of_copy(one.data) == rows_of_copy(two.data) and rows_of_copy(one.data)["private_collections"]
    one.stop()
    two.stop()


def test_no_password_is_told(database, tmp_path):  # noqa: F811
    secret = "of-the-tests"
    for uri in (f"postgresql://tests:{secret}@/nosuch?host={database.folder}&port={database.port}",
                f"postgresql://tests:{secret}@127.0.0.1:1/x", f"postgresql://tests:{secret}@/x?what=1",
                f"mysql://tests:{secret}@/x"):
        for command in (("catalogue", "list"), ("serve", "--listen", "127.0.0.1:0")):
            done = subprocess.run([BINARY, *command, "--data", tmp_path / "data", "--catalogue", uri], timeout=60,
                                  capture_output=True, text=True)
            assert done.returncode in (1, 2) and done.stderr, (command, uri)
            assert secret not in done.stderr + done.stdout
