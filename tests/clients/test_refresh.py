"""Collections follow what they came from: new files come, vanished ones go, what cannot be read stays as it was."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import urllib.parse

import numpy as np
import pytest
import rasterio
import requests
import xarray

from conftest import BINARY, until
from remote_host import Fault, RemoteHost
from s3_host import S3Host
from test_confinement import LANDLOCK, children_of
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


def kept_netcdf(folder, values):
    xarray.Dataset({"a": (("time", "y", "x"), values)}, {
        "time": np.arange(len(values)).astype("datetime64[D]").astype("datetime64[ns]"), "y": [2.5, 1.5, 0.5],
        "x": [0.5, 1.5]}).to_netcdf(folder / "a.nc")
    return folder / "a.nc"


def kept_zarr(folder, values):
    with xarray.open_dataset(kept_netcdf(folder, values)) as file:
        file.to_zarr(folder / "a.zarr", mode="w", zarr_format=2)
    return folder / "a.zarr"


def kept_references(folder, values):
    kept_netcdf(folder, values)
    done = subprocess.run([BINARY, "catalogue", "references", "-o", folder / "a.json", folder / "a.nc"], timeout=60,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "a.json"


def kept_document(folder, values):
    """STAC items, which lie beside the folder of what they name."""
    (folder / "items").mkdir(exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    items = []
    for i, array in enumerate(values):
        with rasterio.open(folder / f"data/{i}.tif", "w", driver="GTiff", dtype="float64", count=1, height=3, width=2,
                           crs="EPSG:4326", transform=rasterio.transform.from_origin(0, 3, 1, 1)) as file:
            file.write(array, 1)
        items.append({**stac_item(str(i), collection="c"), "bbox": [0, 0, 2, 3],
                      "assets": {"a": {"href": f"../data/{i}.tif", "roles": ["data"]}},
                      "properties": {"datetime": f"1970-01-0{i + 1}T00:00:00Z"}})
    (folder / "items/all.json").write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    return folder / "items/all.json"


@pytest.mark.parametrize("keep", [kept_netcdf, kept_zarr, kept_references, kept_document])
def test_what_else_lies_on_this_machine(tmp_path, keep):
    """Those that read it are confined to it, and still read all of it."""
    (tmp_path / "in").mkdir()
    values = np.arange(18.0).reshape(3, 3, 2)
    add(tmp_path, keep(tmp_path / "in", values[:2]))
    assert refresh(tmp_path) == "c: unchanged\n"
    shutil.rmtree(tmp_path / "in")
    (tmp_path / "in").mkdir()
    keep(tmp_path / "in", values)
    said = refresh(tmp_path)
    assert said.startswith("c: ") and "unchanged" not in said
    assert np.array_equal(load(tmp_path)["a"].squeeze(), values)


def test_who_reads_a_source_is_confined_and_may_die(tmp_path):
    """A process of its own for each: what kills one is told of that source, and the others go on."""
    folder, data = tmp_path / "in", tmp_path / "data"
    folder.mkdir()
    (folder / f"s_{DATES[0]}_B1.tif").write_bytes(scene(0)[1])
    add(data, folder)
    with RemoteHost() as host:
        host.files["items.json"] = json.dumps({"type": "FeatureCollection", "features": [
            stac_item("one", collection="far")]}).encode()
        assert catalogue(data, "load", "--refresh", "1000000", host.url + "items.json").returncode == 0
        host.always["items.json"] = Fault("silent", 60)
        with subprocess.Popen([BINARY, "catalogue", "refresh", "--data", data], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            until(lambda: host.active == 1)
            reader, = children_of(process.pid)
            lines = pathlib.Path(f"/proc/{reader}/status").read_text("ascii").splitlines()
            status = {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}
            limits = pathlib.Path(f"/proc/{reader}/limits").read_text("ascii")
            subprocess.run(["kill", "-KILL", str(reader)], check=True)
            said, warned = process.communicate(timeout=60)
        assert process.returncode == 1 and "c: unchanged" in said and "items.json is not refreshed: Internal" in warned
        assert "signal 9" in sources(data)["items.json"][-1] and sources(data)["c"][-1] == "ok"
        if LANDLOCK >= 3 and status["NoNewPrivs"] == "1":  # else a build with sanitizers
            assert status["Seccomp"] == "2"
            assert int(status["CapEff"], 16) & ~0b110 == 0 and int(status["CapBnd"], 16) == (
                0 if os.geteuid() == 0 else int(status["CapBnd"], 16))
        if "TWINCUBE_SANITIZED" not in os.environ:
            assert re.search(r"^Max data size +4294967296 ", limits, re.MULTILINE), limits
        host.always.clear()
        assert "items.json: 1 item" in refresh(data)


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
