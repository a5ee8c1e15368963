"""load_stac from other hosts: documents and rasters over HTTP, by ranges. The host here misbehaves as it is told to;
what comes out is compared with the arrays that were written, or is an error that says what was wrong: never other
pixels."""

import json
import socket
import ssl
import subprocess

import numpy as np
import pytest
import rasterio
import xarray
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from rasterio.windows import Window

from conftest import BINARY, until
from fake_provider import make_certificate
from remote_host import Fault, RemoteHost

SIZE = 600


def raster(seed, size=SIZE, west=500000, dtype="uint16", count=1, driver="GTiff", mask=None, **options):
    """Random values, and a file of them."""
    values = np.random.default_rng(seed).integers(1, 5000, (count, size, size)).astype(dtype)
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", **options}
    if driver == "COG":
        layout = options
    with MemoryFile() as memory:
        with memory.open(driver=driver, height=size, width=size, count=count, dtype=dtype,
                         transform=from_origin(west, 5000000, 10, 10),
                         **{"crs": "EPSG:32633", "nodata": 0, **layout}) as file:
            file.write(values)
            if mask is not None:
                file.write_mask(mask)
        return values, memory.read()


def item(name, assets, date="2020-01-01T00:00:00Z", **properties):
    return {"type": "Feature", "stac_version": "1.0.0", "id": name, "geometry": None, "links": [],
            "properties": {"datetime": date, **properties},
            "assets": {key: {"href": href, "type": "image/tiff", "roles": ["data"]} for key, href in assets.items()}}


def put(host, name, document):
    host.files[name] = json.dumps(document).encode()
    return host.url + name


def execute(folder, url, *options, remote=None, **arguments):
    graph = {"load": {"process_id": "load_stac", "arguments": {"url": url, **arguments}},
             "save": {"process_id": "save_result", "result": True,
                      "arguments": {"data": {"from_node": "load"}, "format": "netCDF"}}}
    (folder / "graph.json").write_text(json.dumps(graph))
    remote = [option for prefix in remote or [] for option in ("--remote", prefix)]
    (folder / "tmp").mkdir(exist_ok=True)
    done = subprocess.run([BINARY, "run", folder / "graph.json", "--data", folder / "none", "-o", folder / "out.nc",
                           *remote, *options], capture_output=True, text=True, timeout=120, check=False,
                          env={"TMPDIR": str(folder / "tmp"), "PATH": "/usr/bin"})
    assert not list((folder / "tmp").iterdir()), "what was fetched is left behind"
    return done


def load(folder, host, url, *options, **arguments):
    done = execute(folder, url, *options, remote=[host.url], **arguments)
    assert done.returncode == 0, done.stderr
    with xarray.open_dataset(folder / "out.nc", mask_and_scale=False) as file:
        return file.load()


def refusal(folder, url, remote, *options, **arguments):
    done = execute(folder, url, *options, remote=remote, **arguments)
    assert done.returncode == 1, done
    return done.stderr


LAYOUTS = [{}, {"compress": "lzw"}, {"tiled": False, "blockysize": 16}, {"compress": "none"}, {"predictor": 2},
           {"dtype": "float32", "compress": "zstd"}, {"driver": "COG", "compress": "deflate"}]


@pytest.mark.parametrize("options", LAYOUTS, ids=str)
def test_pixels_are_those_of_the_file(tmp_path, options):
    values, file = raster(1, **options)
    with RemoteHost({"data/a.tif": file}) as host:
        url = put(host, "stac/item.json", item("a", {"B1": "../data/a.tif"}))
        assert np.array_equal(load(tmp_path, host, url)["B1"][0], values[0])
        assert host.count("data/a.tif") < 12


def test_bands_in_turn_of_one_file_and_a_mask_inside_it(tmp_path):
    mask = np.random.default_rng(3).integers(0, 2, (SIZE, SIZE)).astype("uint8") * 255
    values, file = raster(2, count=3, interleave="pixel", nodata=None, mask=mask)
    with RemoteHost({"a.tif": file}) as host:
        found = load(tmp_path, host, put(host, "i.json", item("a", {"A": "a.tif"})), bands=["A_1", "A_3"])
    for band, plane in (("A_1", values[0]), ("A_3", values[2])):
        kept = found[band][0].values
        assert np.array_equal(kept[mask > 0], plane[mask > 0])
        assert np.isnan(kept[mask == 0]).all()


def test_a_crop_reads_a_little_of_a_large_file(tmp_path):
    values, file = raster(4, size=4096, compress="none")
    with RemoteHost({"a.tif": file}) as host:
        box = {"west": 520000, "east": 521000, "south": 4979000, "north": 4980000, "crs": 32633}
        found = load(tmp_path, host, put(host, "i.json", item("a", {"B1": "a.tif"})), spatial_extent=box)
        ranges = [asked for path, asked, _ in host.requests if path == "a.tif"]
    assert np.array_equal(found["B1"][0], values[0, 2000:2100, 2000:2100])
    read = sum(int(end) - int(start) + 1 for start, end in (asked[6:].split("-") for asked in ranges))
    assert read < len(file) / 8


def whole(folder, host, size):
    """A scene of strips, written whole: its pixels, and the ranges that were asked for. One thread, so that without
    reading ahead there would be one request at a time."""
    values, file = raster(5, size=size, compress="none", tiled=False, blockysize=64)
    host.files["a.tif"] = file
    found = load(folder, host, put(host, "i.json", item("a", {"B1": "a.tif"})), "--threads", "1")
    assert np.array_equal(found["B1"][0], values[0])
    ranges = [asked[6:].split("-") for path, asked, _ in host.requests if path == "a.tif"]
    return file, sorted((int(first), int(last) + 1) for first, last in ranges)


def test_a_whole_scene_is_read_ahead_and_once(tmp_path):
    with RemoteHost() as host:
        def hold(handler):
            """In the midst of the file answers wait for each other, so that a slow reader is seen to ask ahead, too."""
            if int(handler.headers.get("Range", "bytes=0-")[6:].split("-")[0]) > 5 << 20:
                until(lambda: host.most_active >= 4)
        host.admits = hold
        file, ranges = whole(tmp_path, host, 2560)
    assert host.most_active >= 4
    assert ranges[0][0] == 0 and ranges[-1][1] == len(file)
    assert all(end == start for (_, end), (start, _) in zip(ranges, ranges[1:], strict=False))


def test_failures_ahead_of_a_reader_are_tried_again(tmp_path):
    with RemoteHost(latency=0.01) as host:
        host.faults["a.tif"] = [None] * 4 + PASSING[1:3] + PASSING[4:]  # three, all of which one request may meet
        file, ranges = whole(tmp_path, host, 2560)
    assert not host.faults["a.tif"] and sum(end - start for start, end in ranges) > len(file)


def tiff(path, seed, **options):
    """A small raster; `told` sets what its tags say beside the pixels."""
    told, size, place = options.pop("told", {}), options.pop("size", 64), options.pop("place", 500000)
    path.write_bytes(raster(seed, size=size, west=place, **options)[1])
    with rasterio.open(path, "r+") as file:
        file.write(np.full((1, 4, 4), 7, file.dtypes[0]), window=Window(0, 0, 4, 4))
        for name, value in told.items():
            setattr(file, name, value)


def test_files_made_alike_are_told_apart(tmp_path):
    """Files of one making are described by the first of them. Each differs from it in one thing, and all but size and
    place have to be seen: what is loaded from the host is what is loaded of files here, which are opened one by one."""
    made = [{}, {"place": 500640}, {"size": 96, "place": 501280}, {"told": {"nodata": 7}}, {"told": {"scales": [2.5]}},
            {"told": {"offsets": [-3]}}, {"told": {"units": ["K"]}}, {"dtype": "int16"},
            {"mask": np.eye(64, dtype="uint8") * 255, "nodata": None},
            {"predictor": 2}, {"place": 500640, "told": {"nodata": 7}}, {"crs": "EPSG:25833"},
            {"crs": None, "told_by_item": 32633}, {"crs": None, "told_by_item": 25833}]
    folder = tmp_path / "files"
    folder.mkdir()
    items = []
    for k, options in enumerate(made):
        code = options.pop("told_by_item", None)
        tiff(folder / f"{k}.tif", k, **options)
        items.append(item(f"i{k}", {"B1": f"{k}.tif"}, f"2020-01-{k + 1:02}T00:00:00Z",
                          **{"proj:epsg": code} if code else {}))
    document = json.dumps({"type": "FeatureCollection", "features": items})
    (folder / "items.json").write_text(document)
    with RemoteHost({path.name: path.read_bytes() for path in folder.iterdir()}) as host:
        done = [execute(tmp_path, host.url + "items.json", remote=[host.url])]
        (tmp_path / "out.nc").rename(tmp_path / "remote.nc")
    done.append(execute(tmp_path, str(folder / "items.json")))
    assert [d.returncode for d in done] == [0, 0], [d.stderr for d in done]
    with xarray.open_dataset(tmp_path / "remote.nc") as far, xarray.open_dataset(tmp_path / "out.nc") as near:
        assert far.equals(near)
        assert len(near["t"]) == len(made)


def test_links_are_followed_from_catalogue_to_items_and_resolved(tmp_path):
    first, second = raster(5), raster(6)
    with RemoteHost({"d/a.tif": first[1], "e/b.tif": second[1]}) as host:
        put(host, "s/items/a.json", item("a", {"B1": "../../d/a.tif"}, "2020-01-01T00:00:00Z"))
        put(host, "s/items/b.json", item("b", {"B1": "/e/./x/../b.tif?x=1#y"}, "2020-01-02T00:00:00Z"))
        put(host, "s/c/collection.json",
            {"type": "Collection", "stac_version": "1.0.0", "id": "c", "license": "other", "description": "x",
             "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
             "links": [{"rel": "item", "href": "../items/a.json"}, {"rel": "item", "href": "//" + host.url[7:] +
                                                                    "s/items/b.json"}]})
        url = put(host, "s/catalog.json", {"type": "Catalog", "stac_version": "1.0.0", "id": "r", "description": "x",
                                           "links": [{"rel": "child", "href": "./c/collection.json"}]})
        found = load(tmp_path, host, url)["B1"]
    assert np.array_equal(found[0], first[0][0]) and np.array_equal(found[1], second[0][0])


def test_a_document_of_this_machine_leads_to_the_web_but_not_back(tmp_path):
    values, file = raster(7)
    with RemoteHost({"a.tif": file}) as host:
        local = tmp_path / "item.json"
        local.write_text(json.dumps(item("a", {"B1": host.url + "a.tif"})))
        assert np.array_equal(load(tmp_path, host, str(local))["B1"][0], values[0])
        (tmp_path / "b.tif").write_bytes(file)
        for href in (f"file://{tmp_path}/b.tif", "/vsicurl/http://x/b.tif", "gs://bucket/b.tif",
                     f"/vsiremote/{host.url}a.tif"):
            url = put(host, "i.json", item("a", {"B1": href}))
            assert "FeatureUnsupported" in refusal(tmp_path, url, [host.url]), href
        url = put(host, "i.json", item("a", {"B1": f"{tmp_path}/b.tif"}))  # a path of that host
        assert "NoDataAvailable" in refusal(tmp_path, url, [host.url])


# ---- what may be asked ---------------------------------------------------------------------------------------------

def test_only_allowed_addresses_are_asked(tmp_path):
    _, file = raster(8)
    with RemoteHost({"in/a.tif": file, "out/a.tif": file}) as host, RemoteHost({"a.tif": file}) as other:
        inside = put(host, "in/i.json", item("a", {"B1": "a.tif"}))
        assert "FeatureUnsupported" in refusal(tmp_path, inside, [])
        assert execute(tmp_path, inside, remote=[host.url + "in/"]).returncode == 0
        asked = len(host.requests)
        for href in ("../out/a.tif", other.url + "a.tif", "..%2fout/a.tif", "http://user@127.0.0.1/a.tif",
                     f"http://localhost:{host.port}/in/a.tif", "http://169.254.169.254/a.tif"):
            url = put(host, "in/j.json", item("a", {"B1": href}))
            assert "PermissionsInsufficient" in refusal(tmp_path, url, [host.url + "in/"]), href
        assert {path for path, _, _ in host.requests[asked:]} == {"in/j.json"} and not other.requests
        assert "PermissionsInsufficient" in refusal(tmp_path, host.url + "out/i.json", [host.url + "in/"])


def test_redirects_are_judged_again(tmp_path):
    values, file = raster(9)
    with RemoteHost({"a.tif": file}) as host, RemoteHost({"b.tif": file}) as other:
        url = put(host, "i.json", item("a", {"B1": "moved.tif"}))
        host.always["moved.tif"] = Fault("redirect", "/a.tif")
        assert np.array_equal(load(tmp_path, host, url)["B1"][0], values[0])
        for target in (other.url + "b.tif", "file:///etc/passwd", "http://169.254.169.254/"):
            host.always["moved.tif"] = Fault("redirect", target)
            assert "PermissionsInsufficient" in refusal(tmp_path, url, [host.url]), target
        host.always["moved.tif"] = Fault("redirect", "/moved.tif")
        assert "redirected too often" in refusal(tmp_path, url, [host.url])
        assert not other.requests


def test_a_certificate_that_nobody_vouches_for_is_an_error_at_once(tmp_path):
    with RemoteHost({}) as host:
        make_certificate(tmp_path / "own.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "own.pem")
        host.server.socket = context.wrap_socket(host.server.socket, server_side=True)
        prefix = host.url.replace("http:", "https:")
        said = refusal(tmp_path, prefix + "i.json", [prefix])
        assert "InfrastructureBusy" in said and "certificate" in said and not host.requests


def test_a_name_that_leads_into_our_network_is_refused(tmp_path):
    name = socket.gethostname()  # in /etc/hosts: an address of this machine
    with RemoteHost({}) as host:
        prefix = f"http://{name}:{host.port}/"
        said = refusal(tmp_path, prefix + "i.json", [prefix])
        assert "PermissionsInsufficient" in said and "not public" in said
        assert not host.requests


# ---- servers that fail ---------------------------------------------------------------------------------------------

PASSING = [Fault("status", 503), Fault("reset"), Fault("short"), Fault("long"), Fault("shifted", 512)]


@pytest.mark.parametrize("validator", ["weak", "date", None])
def test_what_fails_for_a_moment_is_tried_again(tmp_path, validator):
    values, file = raster(10)
    with RemoteHost({"a.tif": file}, validator=validator) as host:
        url = put(host, "i.json", item("a", {"B1": "a.tif"}))
        host.faults["i.json"] = [Fault("status", 500)]
        host.faults["a.tif"] = [Fault("status", 429), Fault("reset")]
        assert np.array_equal(load(tmp_path, host, url)["B1"][0], values[0])


@pytest.mark.parametrize("fault", PASSING, ids=str)
def test_each_failure_is_no_pixel(tmp_path, fault):
    values, file = raster(11)
    with RemoteHost({"a.tif": file}) as host:
        url = put(host, "i.json", item("a", {"B1": "a.tif"}))
        host.faults["a.tif"] = [fault, None, fault, fault]
        assert np.array_equal(load(tmp_path, host, url)["B1"][0], values[0])
        host.always["a.tif"] = fault
        said = refusal(tmp_path, url, [host.url])
        assert "a.tif" in said and ("InfrastructureBusy" in said or "FileContentInvalid" in said), said


def test_a_server_without_ranges_is_read_whole(tmp_path):
    values, file = raster(12)
    with RemoteHost({"a.tif": file}, ranges=False) as host:
        url = put(host, "i.json", item("a", {"B1": "a.tif"}))
        assert np.array_equal(load(tmp_path, host, url)["B1"][0], values[0])
        assert host.count("a.tif") == 1


@pytest.mark.parametrize("validator", ["etag", "weak", None])
def test_a_file_that_changes_is_an_error_or_one_state(tmp_path, validator):
    before, after = raster(13, compress="none"), raster(14, compress="none")
    assert len(before[1]) == len(after[1])
    for first in range(1, 4):
        with RemoteHost({"a.tif": before[1]}, validator=validator) as host:
            url = put(host, "i.json", item("a", {"B1": "a.tif"}))
            host.faults["a.tif"] = [None] * first + [Fault("become", after[1])]
            done = execute(tmp_path, url, remote=[host.url])
            if done.returncode == 0:
                with xarray.open_dataset(tmp_path / "out.nc", mask_and_scale=False) as found:
                    plane = found["B1"][0].values
                assert np.array_equal(plane, before[0][0]) or np.array_equal(plane, after[0][0])
            else:
                assert "changed" in done.stderr


def test_a_packed_answer_is_a_document_or_an_error(tmp_path):
    values, file = raster(15)
    with RemoteHost({"a.tif": file}) as host:
        url = put(host, "i.json", item("a", {"B1": "a.tif"}))
        host.always["i.json"] = Fault("gzip")
        assert np.array_equal(load(tmp_path, host, url)["B1"][0], values[0])
        host.always["a.tif"] = Fault("gzip")
        assert "packs it" in refusal(tmp_path, url, [host.url])


def test_what_is_not_there_is_left_out_and_what_fails_is_not(tmp_path):
    values, file = raster(16)
    with RemoteHost({"a.tif": file}) as host:
        both = {"type": "FeatureCollection", "features": [
            item("a", {"B1": "a.tif"}), item("b", {"B1": "gone.tif"}, "2020-01-02T00:00:00Z")]}
        url = put(host, "both.json", both)
        found = load(tmp_path, host, url)["B1"]
        assert len(found) == 1 and np.array_equal(found[0], values[0])
        for status, code in ((403, "PermissionsInsufficient"), (503, "InfrastructureBusy")):
            host.always["gone.tif"] = Fault("status", status)
            assert code in refusal(tmp_path, url, [host.url])
