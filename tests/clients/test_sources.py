"""Collections of what other hosts have: buckets, folders of WebDAV and whatever else lists files. What is listed is
added by `catalogue add`, and its pixels are compared with the arrays that the host's files were made of."""

import json
import subprocess
import urllib.parse
from xml.sax.saxutils import escape

import numpy as np
import pytest
import xarray

from conftest import BINARY
from remote_host import Fault, RemoteHost
from s3_host import S3Host
from test_remote_accounts import KEYS, accounts, bearer, s3_account
from test_remote_files import raster

DATES = ("2020-01-01", "2020-01-02", "2020-01-03")


def catalogue(data, *arguments):
    return subprocess.run([BINARY, "catalogue", arguments[0], "--data", data, *arguments[1:]], capture_output=True,
                          text=True, timeout=60, check=False)


def add(data, *arguments):
    done = catalogue(data, "add", "--id", "c", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(data, *arguments):
    done = catalogue(data, "add", "--id", "c", *arguments)
    assert done.returncode == 1, done
    assert catalogue(data, "list").stdout == ""  # nothing half-made is left
    return done.stderr


def load(data, *options, **arguments):
    graph = {"load": {"process_id": "load_collection",
                      "arguments": {"id": "c", "spatial_extent": None, "temporal_extent": None, **arguments}},
             "save": {"process_id": "save_result", "result": True,
                      "arguments": {"data": {"from_node": "load"}, "format": "netCDF"}}}
    (data / "graph.json").write_text(json.dumps(graph))
    done = subprocess.run([BINARY, "run", data / "graph.json", "--data", data, "-o", data / "out.nc", *options],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    with xarray.open_dataset(data / "out.nc", mask_and_scale=False) as file:
        return file.load()


def scenes(folder="", bands=("B1",), dates=DATES):
    """Files by name, and the arrays that they hold by band and date."""
    files, values = {}, {}
    for i, date in enumerate(dates):
        for j, band in enumerate(bands):
            array, content = raster(10 * i + j, size=300)
            files[f"{folder}{date}/scene_{date.replace('-', '')}_{band}.tif"] = content
            values[band, i] = array[0]
    return files, values


def is_same(found, values):
    return all(np.array_equal(found[band][date], array) for (band, date), array in values.items())


# ---- buckets ----------------------------------------------------------------------------------------------------


def test_the_objects_of_a_bucket_page_by_page(tmp_path):
    files, values = scenes("scenes/in ü+/x/", bands=("B1", "B2"))
    others = {"scenes/in ü+/readme.txt": b"no", "scenes/in ü+/x/folder/": b"", "scenes/other/20200101_B1.tif": b"no"}
    with S3Host({**files, **others}, KEYS, page=2) as host:
        options = s3_account(tmp_path, host)
        said = add(tmp_path, *options, "s3://scenes/in ü+/x/")
        assert said.startswith("c: 3 items, 2 bands, 3 dates, 6 files read")
        assert host.count("scenes") + host.count("scenes/") >= 4
        assert is_same(load(tmp_path, *options), values)


def test_keys_that_are_wrong_and_buckets_that_are_not_there(tmp_path):
    files, _ = scenes("scenes/")
    with S3Host(files, KEYS) as host:
        options = s3_account(tmp_path, host)
        host.keys = {"AKIDEXAMPLE": ("another", None)}
        said = refused(tmp_path, *options, "s3://scenes/")
        assert "PermissionsInsufficient" in said and "wJalr" not in said
        host.keys = {}
        assert "NoDataAvailable" in refused(tmp_path, *options, "s3://scenes/none/")
        assert "ProcessParameterInvalid" in refused(tmp_path, *options, "s3://no/../bucket")


LISTING = '<?xml version="1.0"?><ListBucketResult>{}</ListBucketResult>'
OBJECT = "<Contents><Key>{}</Key><Size>3</Size></Contents>"


@pytest.mark.parametrize("body, code", [
    ("<ListBucketResult>", "FileContentInvalid"),
    ("", "FileContentInvalid"),
    ("<html></html>", "FileContentInvalid"),
    ("<!DOCTYPE a [<!ENTITY b 'c'>]><ListBucketResult>&b;</ListBucketResult>", "FileContentInvalid"),
    ("<a>" * 5000, "FileContentInvalid"),
    (LISTING.format("<IsTruncated>true</IsTruncated>"), "FileContentInvalid"),
    (LISTING.format("<IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>"),
     "FileContentInvalid"),  # the same page for ever
    (LISTING.format(OBJECT.format("elsewhere/a.tif")), "FileContentInvalid"),
    (LISTING.format(OBJECT.format("in/../../b.tif")), "NoDataAvailable"),
    (LISTING.format(OBJECT.format("in/a.txt")), "NoDataAvailable"),
    (LISTING.format(OBJECT.format("in/a_20200101_B1.tif")), "NoDataAvailable"),  # it is listed, but not there
])
def test_listings_that_make_no_sense(tmp_path, body, code):
    with RemoteHost() as host:
        host.pages["scenes/"] = lambda _: (200, body.encode())
        options = accounts(tmp_path, url="s3://scenes/in/", endpoint=host.url)
        assert code in refused(tmp_path, *options, "s3://scenes/in/")


# ---- WebDAV -----------------------------------------------------------------------------------------------------


def webdav(host, extra=lambda folder: ""):
    """Folders of the host's files, one step at a time."""

    def row(path, is_folder, more=""):
        kind = "<D:collection/>" if is_folder else ""
        return (f"<D:response><D:href>/{escape(urllib.parse.quote(path))}</D:href><D:propstat><D:prop>"
                f"<D:resourcetype>{kind}</D:resourcetype>{more}</D:prop><D:status>HTTP/1.1 200 OK</D:status>"
                f"</D:propstat></D:response>")

    def find(handler, path):
        folder = urllib.parse.unquote(path)
        assert handler.headers["Depth"] == "1"
        below = [name for name in host.files if name.startswith(folder)]
        if not below:
            return 404, b""
        steps = sorted({name[len(folder):].partition("/")[0] + ("/" if "/" in name[len(folder):] else "")
                        for name in below})
        rows = row(folder, True) + "".join(row(folder + step, step.endswith("/")) for step in steps)
        return 207, f'<D:multistatus xmlns:D="DAV:">{rows}{extra(folder)}</D:multistatus>'.encode()

    host.methods["PROPFIND"] = find
    host.name_of = urllib.parse.unquote
    return row


def test_a_folder_of_webdav_that_wants_a_token(tmp_path):
    files, values = scenes("pnfs/a b+ü/")
    seen = []
    with RemoteHost({**files, "pnfs/other_20200101_B1.tif": b"no"}) as host:
        webdav(host)
        host.admits = bearer("Bearer abc.def", seen)
        options = accounts(tmp_path, url=host.url + "pnfs/", token_file="abc.def")
        url = host.url + urllib.parse.quote("pnfs/a b+ü")
        said = add(tmp_path, *options, "--source", "webdav", url)
        assert said.startswith("c: 3 items, 1 band, 3 dates, 3 files read")
        assert is_same(load(tmp_path, *options), values)
        assert set(seen) == {"Bearer abc.def"}


def test_folders_that_lead_in_circles_or_elsewhere(tmp_path):
    files, values = scenes("a/")
    with RemoteHost(files) as host, RemoteHost(files) as other:
        row = webdav(host, lambda folder: row("a/", True) + row("", True) + row("a/../", True) +
                     f"<D:response><D:href>{other.url}a/</D:href></D:response><D:response/>")
        add(tmp_path, "--source", "webdav", host.url + "a/")
        assert is_same(load(tmp_path, "--remote", host.url), values) and not other.requests
        webdav(host, lambda folder: row(folder + "deeper/", True))
        host.methods["PROPFIND"] = (lambda find: lambda handler, path: find(handler, "a/") if path == "a/" else (
            207, f"<multistatus>{row(path + 'x/', True)}</multistatus>".encode()))(host.methods["PROPFIND"])
        done = catalogue(tmp_path, "add", "--id", "c", "--source", "webdav", host.url + "a/")
        assert done.returncode == 1 and "ProcessGraphComplexity" in done.stderr


# ---- hosts that misbehave ---------------------------------------------------------------------------------------


def test_hosts_that_pass_and_hosts_that_do_not(tmp_path):
    files, values = scenes("a/")
    with RemoteHost(files) as host:
        webdav(host)
        find, answers = host.methods["PROPFIND"], [503, 429]
        host.methods["PROPFIND"] = lambda *asked: (answers.pop(), b"") if answers else find(*asked)
        add(tmp_path, "--source", "webdav", host.url + "a/")
        assert is_same(load(tmp_path, "--remote", host.url), values)
        answers += [500] * 10
        done = catalogue(tmp_path, "add", "--id", "c", "--source", "webdav", host.url + "a/")
        assert done.returncode == 1 and "InfrastructureBusy" in done.stderr
        assert is_same(load(tmp_path, "--remote", host.url), values)  # what was there stays


def test_nothing_leads_to_hosts_that_were_not_named(tmp_path):
    with RemoteHost() as host, RemoteHost({"a_20200101_B1.tif": b"no"}) as other:
        host.always["s.tif"] = Fault("redirect", other.url + "a_20200101_B1.tif")
        assert "PermissionsInsufficient" in refused(tmp_path, host.url + "s.tif")
        assert not other.requests


def test_one_file_of_another_host(tmp_path):
    array, content = raster(5)
    with RemoteHost({"x/scene_20200101_B1.tif": content}) as host:
        assert add(tmp_path, host.url + "x/scene_20200101_B1.tif?key=1").startswith("c: 1 item, 1 band, 1 date")
        assert np.array_equal(load(tmp_path, "--remote", host.url)["B1"][0], array[0])
