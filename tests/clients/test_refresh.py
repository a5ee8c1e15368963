"""Collections follow what they came from: new files come, vanished ones go, what cannot be read stays as it was."""

import json
import pathlib
import signal
import subprocess
import urllib.parse

import numpy as np
import pytest
import requests

from conftest import BINARY, until
from remote_host import RemoteHost
from s3_host import S3Host
from test_remote_accounts import accounts
from test_remote_files import raster
from test_sources import add, catalogue, load

DATES = ("20200101", "20200102", "20200103")


def scene(seed):
    array, content = raster(seed, size=64)
    return array[0], content


def refresh(data, *arguments, status=0):
    done = catalogue(data, "refresh", *arguments)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def sources(data):
    """name -> kind, how often, when, address, what was wrong"""
    rows = [line.split("\t") for line in catalogue(data, "sources").stdout.splitlines()]
    return {row[0]: row[1:] for row in rows}


def test_a_folder_of_this_machine(tmp_path):
    folder, data = tmp_path / "in", tmp_path / "data"
    folder.mkdir()
    scenes = [scene(i) for i in range(3)]
    for i in range(2):
        (folder / f"s_{DATES[i]}_B1.tif").write_bytes(scenes[i][1])
    add(data, "--nodata", "B1=7", "--title", "Täglich", "--keyword", "x", "--provider", "me=http://a.b", folder)
    assert refresh(data) == "c: unchanged\n"
    (folder / f"s_{DATES[0]}_B1.tif").unlink()
    (folder / f"s_{DATES[2]}_B1.tif").write_bytes(scenes[2][1])
    assert refresh(data, "c").startswith("c: 2 items, 1 band, 2 dates")
    found = load(data)
    assert np.array_equal(found["B1"], [scenes[1][0], scenes[2][0]])
    assert found["B1"].attrs["_FillValue"] == 7  # what was said when it was added still holds
    assert "Täglich" in catalogue(data, "list").stdout
    for file in folder.iterdir():
        file.unlink()
    assert "NoDataAvailable" in refresh(data, status=1)
    assert "2 items" in catalogue(data, "list").stdout  # what was there stays, and the reason is told
    assert sources(data)["c"][1] == "on demand" and sources(data)["c"][-1] != "ok"
    assert "FileNotFound" in refresh(data, "none", status=1)
    assert catalogue(data, "remove", "c").returncode == 0
    assert sources(data) == {} and refresh(data) == ""


def test_a_bucket_is_read_only_where_it_has_changed(tmp_path):
    scenes = [scene(i) for i in range(3)]
    with S3Host({f"scenes/s_{DATES[i]}_B1.tif": scenes[i][1] for i in range(2)}) as host:
        options = accounts(tmp_path, url="s3://scenes/", endpoint=host.url)
        add(tmp_path, *options, "--refresh", "1000000", "s3://scenes/s_")
        before = len(host.requests)
        assert refresh(tmp_path) == "c: unchanged\n"
        assert len(host.requests) == before + 1  # the listing alone
        assert refresh(tmp_path, "--due") == ""
        host.files[f"scenes/s_{DATES[2]}_B1.tif"] = scenes[2][1]
        assert refresh(tmp_path).startswith("c: 3 items")
        assert np.array_equal(load(tmp_path, *options)["B1"][2], scenes[2][0])
        host.admits = lambda _: 403
        assert "PermissionsInsufficient" in refresh(tmp_path, status=1)
        host.admits = host.verify
        assert np.array_equal(load(tmp_path, *options)["B1"][2], scenes[2][0])
    assert sources(tmp_path)["c"][1] == "every 1000000 s"


def test_a_folder_that_is_watched_and_a_host_that_is_due(tmp_path):
    folder, data = tmp_path / "in", tmp_path / "data"
    (folder / "old").mkdir(parents=True)
    scenes = [scene(i) for i in range(3)]
    (folder / "old" / f"s_{DATES[0]}_B1.tif").write_bytes(scenes[0][1])
    add(data, folder)
    with RemoteHost() as host:
        host.files["catalog.json"] = json.dumps({"type": "FeatureCollection", "features": []}).encode()
        feature = {"type": "Feature", "id": "a", "properties": {"n": 1.0},
                   "geometry": {"type": "Point", "coordinates": [1, 2]}}
        host.pages["items"] = lambda _: (200, json.dumps({"features": [feature]}).encode())
        done = catalogue(data, "add", "--id", "f", "--source", "features", "--refresh", "1", host.url + "items")
        assert done.returncode == 0, done.stderr
        with open(tmp_path / "said", "wb") as said:
            watcher = subprocess.Popen([BINARY, "catalogue", "refresh", "--watch", "--data", data], stdout=said)
        latest = lambda: (tmp_path / "said").read_text().splitlines()[-1:]  # noqa: E731
        try:
            asked = len(host.requests)
            until(lambda: len(host.requests) > asked)  # so it is under way
            (folder / "new").mkdir()
            (folder / "new" / f"s_{DATES[1]}_B1.tif").write_bytes(scenes[1][1])
            until(lambda: latest() and latest()[0].startswith("c: 2 items"))
            (folder / "new" / f"s_{DATES[2]}_B1.tif").write_bytes(scenes[2][1])
            until(lambda: latest()[0].startswith("c: 3 items"))
            (folder / "old" / f"s_{DATES[0]}_B1.tif").unlink()
            until(lambda: latest()[0].startswith("c: 2 items"))
        finally:
            watcher.send_signal(signal.SIGTERM)
            assert watcher.wait(timeout=30) == 0
    assert np.array_equal(load(data)["B1"], [scenes[1][0], scenes[2][0]])


def refreshers(pid):
    listed = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if line.split()[1] == "twincube-fresh"]


def test_a_server_refreshes_by_itself(tmp_path):
    """Folders that change and hosts whose time has come, beside requests; a process that is killed is replaced."""
    folder, data = tmp_path / "in", tmp_path / "data"
    folder.mkdir()
    scenes = [scene(i) for i in range(3)]
    (folder / f"s_{DATES[0]}_B1.tif").write_bytes(scenes[0][1])
    add(data, folder)
    with RemoteHost() as host:
        host.files["items.json"] = json.dumps({"type": "FeatureCollection", "features": [
            stac_item("one", collection="far")]}).encode()
        done = catalogue(data, "load", "--refresh", "1", host.url + "items.json")
        assert done.returncode == 0, done.stderr
        with open(tmp_path / "log", "wb") as log:
            server = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data, "--refresh"],
                                      text=True, stdout=subprocess.PIPE, stderr=log)
        try:
            url = server.stdout.readline().strip()
            host.files["items.json"] = json.dumps({"type": "FeatureCollection", "features": [
                stac_item("two", collection="far")]}).encode()
            there = lambda name: requests.get(f"{url}stac/collections/far/items/{name}", timeout=30).status_code  # noqa
            until(lambda: there("two") == 200)
            (folder / f"s_{DATES[1]}_B1.tif").write_bytes(scenes[1][1])
            until(lambda: "c: 2 items" in (tmp_path / "log").read_text())
            old, = refreshers(server.pid)
            subprocess.run(["kill", "-KILL", str(old)], check=True)
            until(lambda: refreshers(server.pid) not in ([], [old]))
            new, = refreshers(server.pid)
            (folder / f"s_{DATES[2]}_B1.tif").write_bytes(scenes[2][1])
            until(lambda: "c: 3 items" in (tmp_path / "log").read_text())
            host.files["items.json"] = b"no JSON"
            until(lambda: sources(data)["items.json"][-1] != "ok")
            assert there("two") == 200  # what cannot be read stays as it was
            assert requests.get(url + "health", timeout=30).status_code == 200
        finally:
            server.terminate()
            assert server.wait(timeout=30) == 0
    assert not pathlib.Path(f"/proc/{new}").exists()
    assert len(load(data)["B1"]) == 3


@pytest.mark.parametrize("arguments", [("--due", "--watch"), ("--often",), ("sources", "x")])
def test_wrong_usage(tmp_path, arguments):
    action = () if arguments[0] == "sources" else ("refresh",)
    assert catalogue(tmp_path, *action, *arguments).returncode == 2


def stac_item(name, **more):
    return {"type": "Feature", "stac_version": "1.0.0", "id": name,
            "geometry": {"type": "Point", "coordinates": [1, 2]},
            "bbox": [1, 2, 1, 2], "properties": {"datetime": "2020-01-01T00:00:00Z"}, "links": [],
            "assets": {"a": {"href": f"../data/{name}.tif"}}, **more}


def found(data):
    """What a search finds: id -> item."""
    server = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", data], text=True,
                              stdout=subprocess.PIPE)
    try:
        url = server.stdout.readline().strip().partition("/openeo")[0]
        page = requests.get(url + "/stac/search", params={"limit": 100}, timeout=30).json()
        return {item["id"]: item for item in page["features"]}
    finally:
        server.terminate()
        assert server.wait(timeout=30) == 0


COLLECTION = {"type": "Collection", "stac_version": "1.0.0", "description": "x", "license": "other", "id": "far",
              "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}}}


def test_items_of_an_api_and_of_a_static_catalogue(tmp_path):
    with RemoteHost() as host:
        names = [f"i{i}" for i in range(5)]

        def items(query):
            first = int(dict(urllib.parse.parse_qsl(query)).get("from", 0))
            links = [{"rel": "next", "href": f"?from={first + 2}"}] if first + 2 < len(names) else []
            return 200, json.dumps({"type": "FeatureCollection", "links": links, "features": [
                stac_item(name, collection="far", extra={"kept": 1}) for name in names[first:first + 2]]}).encode()

        host.pages["api/collections/far/items"] = items
        host.pages["api/collections"] = lambda _: (200, json.dumps({"collections": [
            {**COLLECTION, "links": [{"rel": "items", "href": host.url + "api/collections/far/items"}]}],
            "links": []}).encode())
        host.pages["api"] = lambda _: (200, json.dumps({
            "type": "Catalog", "stac_version": "1.0.0", "id": "api", "description": "x",
            "links": [{"rel": "data", "href": "api/collections"}, {"rel": "self", "href": "api"}]}).encode())
        static = {"catalog.json": {**COLLECTION, "type": "Catalog", "id": "top", "links": [
                      {"rel": "child", "href": "c/collection.json"}, {"rel": "child", "href": "catalog.json"}]},
                  "c/collection.json": {**COLLECTION, "id": "still", "links": [
                      {"rel": "item", "href": "items/s.json"}, {"rel": "parent", "href": "../catalog.json"}]},
                  "c/items/s.json": stac_item("s")}
        host.files = {name: json.dumps(document).encode() for name, document in static.items()}
        assert catalogue(tmp_path, "load", host.url + "api").stdout == "api: 5 items\n"
        assert catalogue(tmp_path, "load", host.url + "catalog.json").stdout == "top: 1 item\n"
        items_here = found(tmp_path)
        assert sorted(items_here) == sorted([*names, "s"])
        assert items_here["i3"]["extra"] == {"kept": 1} and items_here["s"]["collection"] == "still"
        assert items_here["s"]["assets"]["a"]["href"] == host.url + "c/data/s.tif"
        del names[1]
        names.append("i9")
        assert refresh(tmp_path, "api") == "api: 5 items, 1 gone\n"
        assert sorted(found(tmp_path)) == sorted([*names, "s"])
        host.pages["api/collections/far/items"] = lambda _: (200, json.dumps({
            "type": "FeatureCollection", "features": [stac_item("i0", collection="far")],
            "links": [{"rel": "next", "href": "items?page=1"}]}).encode())
        assert "circle" in refresh(tmp_path, "api", status=1)
        assert sorted(found(tmp_path)) == sorted([*names, "s"])  # a listing that breaks off takes nothing away
