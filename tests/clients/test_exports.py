"""Results that are exported to workspaces of the operator's: a folder, S3, WebDAV, and a STAC API, which is a second
server of ours. What came is read by pystac and rasterio; what failed left nothing."""

import io
import json
import os
import signal
import subprocess

import numpy
import pystac
import pystac_client
import pytest
import rasterio
import requests

from conftest import BINARY, until
from store_host import StoreHost
from test_server_api import Server, add_user, assert_error, children
from test_uploaded_files import numbers, put, raster
from test_workspaces import export

KEYS = {"AKIDEXAMPLE": ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None)}
DAY = "in_20200305.tif"


@pytest.fixture(scope="module")
def bucket():
    with StoreHost(buckets=True, keys=KEYS) as host:
        yield host


@pytest.fixture(scope="module")
def webdav():
    with StoreHost(tokens={"a-token"}) as host:
        yield host


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """The server whose STAC API takes collections and items."""
    data = tmp_path_factory.mktemp("second")
    add_user(data, "alice")
    server = Server(data, "--workers", "1", "--udf-python", "none", "--stac-editor", "alice").login()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("archive")
    for path in (made, *made.parents[:2]):
        os.chmod(path, 0o755)
    os.chmod(made, 0o777)  # whoever workers are may write there
    return made


@pytest.fixture(scope="module")
def server(tmp_path_factory, bucket, webdav, second, folder):
    data, secrets = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("secrets")
    for name in ("alice", "bob"):
        add_user(data, name)
    token = second.session.headers["Authorization"].removeprefix("Bearer ")
    for name, text in (("s3", KEYS["AKIDEXAMPLE"][0]), ("dav", "a-token"), ("stac", token)):
        (secrets / name).write_text(text + "\n")
    (data / "settings.toml").write_text(f"""
[[remote]]
url = "s3://results/"
endpoint = "{bucket.url}"
key_id = "AKIDEXAMPLE"
secret_file = "{secrets}/s3"

[[remote]]
url = "{webdav.url}"
token_file = "{secrets}/dav"
redirects = ["localhost", "*.invalid"]

[[remote]]
url = "{second.url}/stac/"
token_file = "{secrets}/stac"

[[workspace]]
name = "disk"
title = "A disk"
url = "{folder}"

[[workspace]]
name = "bucket"
kind = "s3"
url = "s3://results/start"
part_mib = 5

[[workspace]]
name = "dav"
kind = "webdav"
url = "{webdav.url}"
users = ["alice"]

[[workspace]]
name = "api"
kind = "stac"
url = "{second.url}/stac/"
files = "dav"
""")
    server = Server(data, "--workers", "1", "--config", str(data / "settings.toml")).login()
    put(server, DAY, raster(numbers(0, 4, 5)))
    put(server, "bands.tif", raster(numbers(2, 4, 5), names=("a", "b")))
    yield server
    assert server.stop() == 0


@pytest.fixture(autouse=True)
def all_is_well(bucket, webdav):
    yield
    for host in (bucket, webdav):
        host.refuse = lambda method, path, number: None
        host.leads = lambda method, path: None
        assert host.uploads == {}
        host.files.clear()
        host.done.clear()


def exported(server, *arguments, **options):
    answer = server.result(export(*arguments, path=DAY, **options))
    assert answer.status_code == 200, answer.text
    return answer


class Stored(pystac.StacIO):
    """Reads documents of a store."""

    def __init__(self, files):
        self.files = files

    def read_text(self, source, *_, **__):
        return self.files[str(source).removeprefix("store://x/")].decode()

    def write_text(self, *_, **__):
        raise NotImplementedError


def items_of(files):
    """Items of the one catalogue there, and the files of their assets as arrays."""
    [root] = [name for name in files if name.endswith("catalog.json")]
    catalogue = pystac.Catalog.from_file("store://x/" + root, stac_io=Stored(files))
    found = []
    for item in catalogue.get_items():
        [asset] = item.assets.values()
        body = files[asset.get_absolute_href().removeprefix("store://x/")]
        assert asset.extra_fields["file:size"] == len(body)
        with rasterio.open(io.BytesIO(body)) as file:
            found.append((item, file.read()))
    assert len(files) == 1 + 2 * len(found)
    return found


def test_workspaces_are_listed_by_name_only(server, webdav, bucket):
    listed = {w["id"]: w for w in server.call("GET", "/workspaces").json()["workspaces"]}
    assert {name: w["type"] for name, w in listed.items()} == {
        "disk": "folder", "bucket": "s3", "dav": "webdav", "api": "stac"}
    assert listed["disk"]["title"] == "A disk" and server.call("GET", "/workspaces/bucket").json() == listed["bucket"]
    assert not any(text in json.dumps(listed) for text in ("127.0.0.1", "s3://", "/archive"))
    assert set(server.call("GET", "/workspace_providers").json()["providers"]) == {"folder", "s3", "webdav", "stac"}
    for method in ("PATCH", "DELETE"):
        assert_error(server.call(method, "/workspaces/disk", {"title": "x"}), 501, "FeatureUnsupported")
    bob = Server.__new__(Server)
    bob.api, bob.session = server.api, requests.Session()
    bob.login("bob")
    assert "dav" not in [w["id"] for w in bob.call("GET", "/workspaces").json()["workspaces"]]
    put(bob, DAY, raster(numbers(0, 4, 5)))
    assert_error(bob.result(export("dav", path=DAY)), 400, "ProcessParameterInvalid")
    assert not webdav.done


def read_tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_store_gets_a_catalogue(server, folder, bucket, webdav):
    for name in ("disk", "bucket", "dav"):
        exported(server, name)
    stored = [read_tree(folder), bucket.files, webdav.files]
    assert all(name.startswith("results/start/export-") for name in bucket.files)
    for files in stored:
        [(item, values)] = items_of(files)
        numpy.testing.assert_array_equal(values[0], numbers(0, 4, 5))
        assert item.datetime.strftime("%Y-%m-%d") == "2020-03-05" and item.properties["proj:code"] == "EPSG:32632"
    assert [path.rpartition("/")[2] for _, path, _ in webdav.done] == \
        ["", "result.tif", "result.json", "catalog.json", "catalog.json"]  # made, sent, asked for, and listed at last


def test_a_job_adds_to_a_catalogue(server, webdav):
    graph = export("dav", "/a b//ü", path="bands.tif")
    graph["save"]["arguments"]["options"] = {"separate_bands": True}
    graph["change"] = {"process_id": "stac_modify", "arguments": {
        "data": {"from_node": "save"}, "changes": {"properties": {"title": "one of two"}}}}
    graph["export"]["arguments"]["data"] = {"from_node": "change"}
    for _ in range(2):
        job = server.create(graph)
        server.call("POST", f"/jobs/{job}/results")
        server.wait(job, "finished", "error")
        assert server.status(job) == "finished", server.call("GET", f"/jobs/{job}/logs").text
    found = items_of(webdav.files)
    assert len({item.id for item, _ in found}) == 4 and all(i.properties["title"] == "one of two" for i, _ in found)
    bands = [values[0].tobytes() for _, values in found]
    assert sorted(bands) == sorted(2 * [band.tobytes() for band in numbers(2, 4, 5)])
    assert "a b/ü/catalog.json" in webdav.files


def test_results_become_items_of_another_api(server, second, webdav):
    exported(server, "api")
    exported(server, "api", "of-many")
    exported(server, "api", "of-many")
    client = pystac_client.Client.open(second.url + "/stac")
    names = sorted(c.id for c in client.get_collections())
    assert len(names) == 2 and names[0].startswith("export-") and names[1] == "of-many"
    extent = client.get_collection("of-many").extent
    assert extent.temporal.intervals[0][0].strftime("%Y-%m-%d") == "2020-03-05"
    for name, count in zip(names, (1, 2)):
        items = list(client.get_collection(name).get_items())
        assert len(items) == count
        for item in items:
            assert extent.spatial.bboxes[0] == pytest.approx(item.bbox)
            href = item.assets["data"].href
            assert href.startswith(webdav.url)
            with rasterio.open(io.BytesIO(webdav.files[href.removeprefix(webdav.url)])) as file:
                numpy.testing.assert_array_equal(file.read(1), numbers(0, 4, 5))
        assert requests.delete(f"{second.url}/stac/collections/{name}", headers=dict(second.session.headers),
                               timeout=60).status_code == 204


def of(kind, what):
    """A store that has one answer for every request of a method that ends so."""
    method, end = kind
    return lambda asked, path, number: what if asked == method and path.endswith(end) else None


@pytest.mark.parametrize(("kind", "what", "status", "code"), [
    (("PUT", ".tif"), 507, 400, "StorageQuotaExceeded"), (("PUT", ".tif"), 403, 403, "PermissionsInsufficient"),
    (("PUT", "result.json"), "reset", 503, "InfrastructureBusy"), (("PUT", "catalog.json"), 500, 503, None),
    (("PUT", "catalog.json"), 412, 409, "StacConflict"), (("MKCOL", ""), 403, 403, "PermissionsInsufficient"),
    (("PUT", "result.json"), 302, None, "StorageFailure"),
])
def test_what_fails_leaves_nothing(server, webdav, kind, what, status, code):
    webdav.refuse = of(kind, what)
    answer = server.result(export("dav", path=DAY))
    assert answer.status_code == status or status is None, answer.text
    assert answer.json()["code"] == code or code is None, answer.text
    assert webdav.url not in answer.text and webdav.files == {} and "export" in answer.json()["message"]


def test_what_passes_is_tried_again(server, bucket, webdav):
    once = []

    def refuse(method, path, number):
        if method != "PUT" or path in once:
            return None
        once.append(path)
        return "lost" if path.endswith("catalog.json") else 503 if path.endswith(".tif") else "reset"

    for host, name in ((bucket, "bucket"), (webdav, "dav")):
        host.refuse = refuse
        exported(server, name)
        assert len(items_of(host.files)) == 1
    assert len(once) == 6


def test_an_api_that_fails_keeps_nothing(server, second, webdav):
    webdav.refuse = of(("PUT", ".tif"), 507)
    assert_error(server.result(export("api", path=DAY)), 400, "StorageQuotaExceeded")
    webdav.refuse = lambda method, path, number: None
    for merge, code in (("a/b", "ProcessParameterInvalid"), ("x y" * 100, None)):
        answer = server.result(export("api", merge, path=DAY))
        assert answer.status_code >= 400 and (code is None or answer.json()["code"] == code), answer.text
    assert list(pystac_client.Client.open(second.url + "/stac").get_collections()) == [] and webdav.files == {}


def test_long_files_go_to_buckets_in_parts(server, bucket):
    values = numpy.random.default_rng(4).random((1000, 1000))
    put(server, "long.tif", raster(values))
    once = []

    def reset_once(method, path, number):
        if not path.endswith("?partNumber=2") or once:
            return None
        once.append(path)
        return "reset"

    bucket.refuse = reset_once
    answer = server.result(export("bucket", path="long.tif"))
    assert answer.status_code == 200, answer.text
    [(_, found)] = items_of(bucket.files)
    numpy.testing.assert_array_equal(found[0], values)
    assert [path.partition("?")[2] for _, path, _ in bucket.done if ".tif" in path] == [
        "", "partNumber=1", "partNumber=2", "partNumber=2", ""]
    bucket.files.clear()
    bucket.refuse = lambda method, path, number: 403 if path.endswith("?partNumber=2") else None
    assert_error(server.result(export("bucket", path="long.tif")), 403, "PermissionsInsufficient")
    assert bucket.files == {} and bucket.uploads == {}


def test_doors_that_lead_to_pools(server, webdav):
    """Files lie on another machine, which knows who comes by the address alone."""
    with StoreHost() as pool:
        pool.files, pool.folders = webdav.files, webdav.folders
        where = f"http://localhost:{pool.port}/"
        webdav.leads = lambda method, path: where + path + "?authz=m" if method in ("GET", "PUT") else None
        exported(server, "dav", "a/b")
        exported(server, "dav", "a/b")
        assert len(items_of(webdav.files)) == 2
        assert pool.done and set(pool.seen) == {None} and all(status != 201 for method, _, status in webdav.done
                                                              if method == "PUT")
        seen = len(pool.done)
        where = f"http://127.0.0.2:{pool.port}/"  # no host that is named
        answer = server.result(export("dav", path=DAY))
        assert_error(answer, 403, "PermissionsInsufficient")
        assert len(pool.done) == seen


def senders(server):
    found = []
    for process in children(server.process.pid):
        try:
            with open(f"/proc/{process}/comm", encoding="utf-8") as name:
                found += [process] if name.read().strip() == "twincube-send" else []
        except OSError:  # it has just ended
            pass
    return found


def test_a_sender_that_dies_or_is_given_up(server, webdav):
    webdav.refuse = of(("PUT", "result.json"), "silent")
    for end in ("kill", "cancel"):
        job = server.create(export("dav", path=DAY))
        server.call("POST", f"/jobs/{job}/results")
        until(lambda: any(path.endswith("result.json") for _, path, _ in webdav.done))
        if end == "kill":
            [sender] = senders(server)
            os.kill(sender, signal.SIGKILL)
            server.wait(job, "error")
            [entry] = [e for e in server.call("GET", f"/jobs/{job}/logs").json()["logs"] if e["level"] == "error"]
            assert entry["code"] == "InfrastructureBusy" and "ended" in entry["message"]
            assert not any(path.endswith(".json") for path in webdav.files)  # the file is there, and nobody lists it
            webdav.files.clear()
            webdav.done.clear()
        else:
            assert server.call("DELETE", f"/jobs/{job}/results").status_code == 204
            until(lambda: not senders(server))
            assert webdav.files == {}  # the sender took it back


@pytest.mark.parametrize(("text", "said"), [
    ("name = 'w-x'\nurl = '/tmp'", "name"), ("name = 'x'", "url"), ("name = 'x'\nurl = 'tmp'", "url"),
    ("name = 'x'\nkind = 's3'\nurl = 'https://x.org/'", "url"), ("name = 'x'\nkind = 'ftp'\nurl = '/tmp'", "kind"),
    ("name = 'x'\nkind = 'stac'\nurl = 'https://x.org/'\nfiles = 'y'", "files"),
    ("name = 'x'\nkind = 's3'\nurl = 's3://bucket/'\npart_mib = 4", "part_mib"),
    ("name = 'x'\nurl = '/tmp'\npart_mib = 64", "part_mib"),
    ("name = 'x'\nurl = '/tmp'\nusers = [1]", "users"), ("name = 'x'\nurl = '/tmp'\nhref = 'x'", "href"),
])
def test_settings_that_make_no_sense(tmp_path, text, said):
    (tmp_path / "x.toml").write_text("[[workspace]]\n" + text + "\n")
    done = subprocess.run([BINARY, "config", "check", tmp_path / "x.toml"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and f"workspace[0].{said}" in done.stderr
