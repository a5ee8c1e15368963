"""Collections of what other hosts have: buckets, folders of WebDAV and whatever else lists files. What is listed is
added by `catalogue add`, and its pixels are compared with the arrays that the host's files were made of."""

import json
import socket
import ssl
import subprocess
import urllib.parse
from xml.sax.saxutils import escape

import numpy as np
import openeo
import pytest
import xarray

from conftest import BINARY, PASSWORD, USER, twincube
from fake_provider import make_certificate
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
            array, content = raster(10 * i + j, size=100)
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


def test_certificates_and_names_that_are_not_to_be_trusted(tmp_path):
    with RemoteHost() as host:
        name = f"http://{socket.gethostname()}:{host.port}/"  # in /etc/hosts: an address of this machine
        said = refused(tmp_path, "--source", "webdav", name)
        assert "PermissionsInsufficient" in said and "not public" in said
        make_certificate(tmp_path / "own.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "own.pem")
        host.server.socket = context.wrap_socket(host.server.socket, server_side=True)
        said = refused(tmp_path, host.url.replace("http:", "https:") + "a/catalog.xml")
        assert "InfrastructureBusy" in said and "certificate" in said and not host.requests


def test_one_file_of_another_host(tmp_path):
    array, content = raster(5, size=100)
    with RemoteHost({"x/scene_20200101_B1.tif": content}) as host:
        assert add(tmp_path, host.url + "x/scene_20200101_B1.tif?key=1").startswith("c: 1 item, 1 band, 1 date")
        assert np.array_equal(load(tmp_path, "--remote", host.url)["B1"][0], array[0])


# ---- catalogues and searches that name files --------------------------------------------------------------------


def cubes(folder, names=("tas_2020.nc", "tas_2021.nc")):
    """netCDF files of one variable, a year each, and what they hold together."""
    files, values = {}, []
    for i, name in enumerate(names):
        array = np.random.default_rng(i).normal(size=(4, 6, 8)).astype("float32")
        dates = np.datetime64(f"{2020 + i}-03-01") + np.arange(4)
        xarray.Dataset({"tas": (("time", "lat", "lon"), array)}, {
            "time": dates.astype("datetime64[ns]"), "lat": ("lat", 50.0 - np.arange(6), {"units": "degrees_north"}),
            "lon": ("lon", 5.0 + np.arange(8), {"units": "degrees_east"})}).to_netcdf(folder / "part.nc")
        files[name] = (folder / "part.nc").read_bytes()
        values.append(array)
    return files, np.concatenate(values)


SERVICES = ('<service name="all" serviceType="Compound" base=""><service name="dap" serviceType="OPENDAP" '
            'base="/dodsC/"/><service name="http" serviceType="HTTPServer" base="{}"/></service>')
THREDDS = ('<catalog xmlns="http://www.unidata.ucar.edu/namespaces/thredds/InvCatalog/v1.0" '
           'xmlns:xlink="http://www.w3.org/1999/xlink">{}</catalog>')


def test_the_files_of_a_thredds_catalogue(tmp_path):
    files, values = cubes(tmp_path)
    with RemoteHost({f"files/a/{name}": content for name, content in files.items()}) as host:
        services = SERVICES.format("/files/")
        host.files["top/catalog.xml"] = THREDDS.format(
            services + '<dataset name="x"><catalogRef xlink:href="below/catalog.xml" xlink:title="y" name=""/>'
            '<catalogRef xlink:href="catalog.xml"/></dataset>').encode()
        host.files["top/below/catalog.xml"] = THREDDS.format(
            services + '<catalogRef xlink:href="../catalog.xml"/><dataset name="all"><metadata inherited="true">'
            '<serviceName>all</serviceName></metadata><dataset name="one" urlPath="a/tas_2020.nc"/>'
            '<dataset name="two"><access serviceName="http" urlPath="a/tas_2021.nc"/></dataset></dataset>').encode()
        assert add(tmp_path, host.url + "top/catalog.html").startswith("c: 2 items, 1 band, 8 dates, 2 files read")
        assert np.array_equal(load(tmp_path, "--remote", host.url)["tas"], values)
        assert host.count("top/catalog.xml") == 1
        found = load(tmp_path, "--remote", host.url, temporal_extent=["2021-03-02", "2021-03-04"])
        assert np.array_equal(found["tas"], values[5:7])
        host.files["top/catalog.xml"] = THREDDS.format(
            SERVICES.format("/files/").replace("HTTPServer", "WMS").replace("OPENDAP", "WCS") +
            '<dataset name="x" urlPath="a.nc"/>').encode()
        assert "HTTPServer" in catalogue(tmp_path, "add", host.url + "top/catalog.xml").stderr


def test_what_a_search_of_esgf_finds(tmp_path):
    files, values = cubes(tmp_path)
    with RemoteHost(files) as host:
        documents = [{"title": name, "instance_id": name, "size": len(files[name]), "checksum": ["abc"],
                      "url": [f"{host.url}no/{name}|application/opendap-html|OPENDAP",
                              f"{host.url}{name}|application/netcdf|HTTPServer"]} for name in sorted(files)]
        documents.insert(1, {**documents[0], "url": ["http://replica.invalid/a.nc|application/netcdf|HTTPServer"]})
        asked = []

        def search(query):
            asked.append(dict(urllib.parse.parse_qsl(query)))
            first = int(asked[-1]["offset"])
            return 200, json.dumps({"response": {"numFound": 3, "docs": documents[first:first + 2]}}).encode()

        host.pages["esg-search/search"] = search
        add(tmp_path, host.url + "esg-search/search?variable=tas&limit=1&latest=true")
        assert np.array_equal(load(tmp_path, "--remote", host.url)["tas"], values)
        assert [page["offset"] for page in asked] == ["0", "2"]
        assert all(page["variable"] == "tas" and page["type"] == "File" for page in asked)
        host.pages["esg-search/search"] = lambda _: (200, b'{"response": {"numFound": 9, "docs": []}}')
        assert "FileContentInvalid" in catalogue(tmp_path, "add", host.url + "esg-search/search?a=b").stderr


def test_each_file_comes_from_the_first_replica_that_answers(tmp_path):
    files, values = scenes("ok/", dates=DATES[:2])
    with RemoteHost(files) as host, RemoteHost() as empty:
        host.methods["HEAD"] = lambda _, path: (200 if path in files else 404, b"")
        empty.methods["HEAD"] = lambda *_: (503, b"")
        links = [f'<file name="{name.rpartition("/")[2]}"><size>{len(content)}</size>'
                 f'<url priority="3">{host.url}{name}</url><url priority="1">root://x//{name}</url>'
                 f'<url priority="2">{empty.url}{name}</url></file>' for name, content in files.items()]
        metalink = f'<metalink xmlns="urn:ietf:params:xml:ns:metalink">{"".join(links)}</metalink>'
        host.pages["replicas/mc/data"] = lambda _: (200, metalink.encode())
        add(tmp_path, "--remote", empty.url, host.url + "replicas/mc/data")
        assert is_same(load(tmp_path, "--remote", host.url), values)
        assert len(empty.requests) == 3  # tries, once: then it is known to be silent
        lines = "\n".join(json.dumps({"name": name, "bytes": len(content), "pfns": {
            f"{host.url}gone/{name}": {"priority": 1}, f"{host.url}{name}": {"priority": 2}}})
            for name, content in files.items())
        host.pages["replicas/mc/data"] = lambda _: (200, lines.encode())
        add(tmp_path, host.url + "replicas/mc/data")
        assert is_same(load(tmp_path, "--remote", host.url), values)
        host.methods["HEAD"] = lambda *_: (404, b"")
        assert "no replica" in catalogue(tmp_path, "add", host.url + "replicas/mc/data").stderr


def test_features_page_by_page(tmp_path):
    features = [{"type": "Feature", "id": f"f{i}", "properties": {"height": i * 1.5},
                 "geometry": {"type": "Point", "coordinates": [5 + i, 50]}} for i in range(5)]
    with RemoteHost() as host:

        def items(query):
            first = int(dict(urllib.parse.parse_qsl(query)).get("offset", 0))
            links = [{"rel": "next", "href": f"items?offset={first + 2}"}] if first + 2 < 5 else []
            return 200, json.dumps({"type": "FeatureCollection", "features": features[first:first + 2],
                                    "links": links}).encode()

        host.pages["collections/peaks/items"] = items
        done = catalogue(tmp_path, "add", "--source", "features", host.url + "collections/peaks/items")
        assert done.returncode == 0 and done.stdout.startswith("peaks: 1 item, 1 band"), done.stderr
        graph = {"load": {"process_id": "load_collection", "result": True, "arguments": {
            "id": "peaks", "spatial_extent": None, "temporal_extent": None}}}
        (tmp_path / "graph.json").write_text(json.dumps(graph))
        subprocess.run([BINARY, "run", tmp_path / "graph.json", "--data", tmp_path, "-o", tmp_path / "out.geojson"],
                       check=True, timeout=60)
        found = json.loads((tmp_path / "out.geojson").read_text())["features"]
        assert [f["geometry"]["coordinates"][0] for f in found] == [5, 6, 7, 8, 9]
        assert [next(iter(f["properties"].values())) for f in found] == [0, 1.5, 3, 4.5, 6]
        host.pages["collections/peaks/items"] = lambda query: (200, json.dumps({
            "features": features, "links": [{"rel": "next", "href": "items?page=1"}]}).encode())
        done = catalogue(tmp_path, "add", "--source", "features", host.url + "collections/peaks/items")
        assert done.returncode == 1 and "circle" in done.stderr
        assert len(list((tmp_path / "sources").iterdir())) == 1


def test_a_stac_catalogue_of_another_host(tmp_path):
    files, values = scenes("data/")
    with RemoteHost(files) as host:
        for i, name in enumerate(files):
            host.files[f"stac/i{i}.json"] = json.dumps({
                "type": "Feature", "stac_version": "1.0.0", "id": f"i{i}", "geometry": None, "links": [],
                "properties": {"datetime": DATES[i] + "T10:00:00Z"},
                "assets": {"B1": {"href": "../" + name, "type": "image/tiff", "roles": ["data"]}}}).encode()
        host.files["stac/catalog.json"] = json.dumps({
            "type": "Catalog", "stac_version": "1.0.0", "id": "far", "description": "x",
            "links": [{"rel": "item", "href": f"./i{i}.json"} for i in range(3)] +
                     [{"rel": "child", "href": "catalog.json"}]}).encode()
        assert add(tmp_path, host.url + "stac/catalog.json").startswith("c: 3 items, 1 band, 3 dates")
        assert is_same(load(tmp_path, "--remote", host.url), values)


def test_a_server_loads_them(tmp_path):
    """Workers have no network, and of the data folder they may read what collections have there."""
    files, values = scenes("a/", dates=DATES[:2])
    feature = {"type": "Feature", "id": "a", "properties": {"n": 2.5},
               "geometry": {"type": "Point", "coordinates": [1, 2]}}
    with RemoteHost(files) as host:
        webdav(host)
        host.pages["items"] = lambda _: (200, json.dumps({"features": [feature]}).encode())
        twincube("user", "add", USER, "--data", tmp_path, input=PASSWORD + "\n")
        process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", tmp_path, "--workers", "1",
                                    "--remote", host.url], stdout=subprocess.PIPE, text=True)
        try:
            connection = openeo.connect(process.stdout.readline().strip()).authenticate_basic(USER, PASSWORD)
            add(tmp_path, "--source", "webdav", host.url + "a/")  # while it serves
            assert catalogue(tmp_path, "add", "--id", "f", "--source", "features", host.url + "items").returncode == 0
            connection.load_collection("c").download(tmp_path / "out.nc")
            with xarray.open_dataset(tmp_path / "out.nc", mask_and_scale=False) as found:
                assert is_same(found, values)
            connection.datacube_from_process("load_collection", id="f", spatial_extent=None, temporal_extent=None) \
                .save_result("GeoJSON").download(tmp_path / "out.geojson")
            assert "2.5" in (tmp_path / "out.geojson").read_text()
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0
