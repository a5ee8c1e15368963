"""Zarr hierarchies of other hosts, over HTTP and S3: values are those that zarr-python wrote, or there is an error."""

import json

import numpy as np
import pytest
import zarr

from conftest import twincube
from remote_host import Fault, RemoteHost
from s3_host import S3Host
from test_remote_accounts import KEYS, Bucket, s3_account
from test_remote_files import load, put, refusal
from test_remote_stac import cube_item
from test_zarr_input import SHAPE, make, values


def publish(host, folder, version, data, prefix="", consolidated=True, **options):
    """A hierarchy as files of the host, and an item of it; the address of the item."""
    make(folder / "z", version, data, **options)
    if consolidated:
        zarr.consolidate_metadata(folder / "z", zarr_format=version)
    for file in (folder / "z").rglob("*"):
        if file.is_file():
            host.files[f"{prefix}d/z.zarr/{file.relative_to(folder / 'z')}"] = file.read_bytes()
    return put(host, prefix + "i.json", cube_item("z", "d/z.zarr", "application/vnd+zarr"))


LAYOUTS = [(2, {}), (2, {"order": "F"}), (3, {}), (3, {"shards": (2, 10, 16)})]


@pytest.mark.parametrize(("version", "options"), LAYOUTS, ids=str)
def test_values_are_those_of_the_hierarchy(tmp_path, version, options):
    data = values("<i4")
    with RemoteHost() as host:
        url = publish(host, tmp_path, version, data, **options)
        assert np.array_equal(load(tmp_path, host, url)["data"].values, data)
        chunks = [path for path, _, _ in host.requests if "/data/" in path and "zarr" not in path.split("/")[-1]]
        assert options.get("shards") or len(chunks) == len(set(chunks)), "a chunk is asked for twice"
        found = load(tmp_path, host, url, temporal_extent=["2020-01-03", "2020-01-04"])["data"].values
        assert np.array_equal(found, data[1:2])


def test_chunks_are_fetched_side_by_side(tmp_path):
    data = values("<f4")
    with RemoteHost(latency=0.02) as host:
        url = publish(host, tmp_path, 3, data, chunks=(1, 3, 3))
        assert np.array_equal(load(tmp_path, host, url)["data"].values, data)
        assert host.most_active > 8


def test_chunks_that_were_never_written_are_the_fill_value(tmp_path):
    data = values("<i2")
    with RemoteHost() as host:
        url = publish(host, tmp_path, 2, data, fill_value=-7)
        for name in [name for name in host.files if name.endswith("data/1.2.2") or name.endswith("data/0.0.0")]:
            del host.files[name]
        found = load(tmp_path, host, url)["data"].values
    data = data.copy()
    data[2:, 10:, 16:] = data[:2, :5, :8] = -7
    assert np.array_equal(found, data)


@pytest.mark.parametrize("fault", [Fault("status", 503), Fault("reset"), Fault("short")], ids=str)
def test_a_chunk_that_fails_for_a_moment_is_asked_for_again(tmp_path, fault):
    data = values("<i4")
    with RemoteHost() as host:
        url = publish(host, tmp_path, 3, data)
        host.faults["d/z.zarr/data/c/0/1/1"] = [fault, fault]
        host.faults["d/z.zarr/zarr.json"] = [fault]
        assert np.array_equal(load(tmp_path, host, url)["data"].values, data)


@pytest.mark.parametrize(("fault", "code"), [(Fault("status", 403), "PermissionsInsufficient"), (
    Fault("status", 500), "InfrastructureBusy"), (Fault("status", 418), "FileContentInvalid")], ids=str)
def test_a_chunk_that_cannot_be_had_is_an_error(tmp_path, fault, code):
    with RemoteHost() as host:
        url = publish(host, tmp_path, 3, values("<i4"))
        for name in ("data/c/0/1/1", "time/c/1"):  # of the values, of a coordinate
            host.always = {f"d/z.zarr/{name}": fault}
            said = refusal(tmp_path, url, [host.url])
            assert code in said and name in said, said


def test_a_chunk_that_is_cut_short_is_an_error(tmp_path):
    with RemoteHost() as host:
        url = publish(host, tmp_path, 2, values("<i4"), compressors=None)
        name = "d/z.zarr/data/0.1.1"
        host.files[name] = host.files[name][:-4]
        assert "FileContentInvalid" in refusal(tmp_path, url, [host.url])


@pytest.mark.parametrize("version", [2, 3])
def test_without_consolidated_metadata_variables_are_found_by_their_names(tmp_path, version):
    data = values("<i4")
    with RemoteHost() as host:
        url = publish(host, tmp_path, version, data, consolidated=False, attributes={"grid_mapping": "crs"})
        said = refusal(tmp_path, url, [host.url])
        assert "FeatureUnsupported" in said and "consolidated" in said
        media, named = "application/vnd+zarr", {"data": {"dimensions": ["time", "y", "x"], "type": "data"}}
        url = put(host, "i.json", cube_item("z", "d/z.zarr", media, **{"cube:variables": named}))
        found = load(tmp_path, host, url)
        assert np.array_equal(found["data"].values, data)
        assert found["x"].values.tolist() == [600000 + 10. * i for i in range(SHAPE[2])]
        assert host.count("d/z.zarr/crs/" + ("zarr.json" if version == 3 else ".zarray")) == 1  # which is not there
        done = twincube("catalogue", "add", "--data", tmp_path / "c", "--id", "Z",
                        host.url + "d/z.zarr/#variables=data")
        assert done.startswith("Z: 1 item, 1 band, 3 dates")
        named["other"] = {}
        said = refusal(tmp_path, put(host, "j.json", cube_item("z", "d/z.zarr", media, **{"cube:variables": named})),
                       [host.url])
        assert "FileNotFound" in said and "other" in said


def test_names_of_variables_lead_nowhere_else(tmp_path):
    with RemoteHost() as host:
        publish(host, tmp_path, 2, values("<i4"), consolidated=False,
                attributes={"coordinates": "../x /y z/../../a .hidden time?b"})
        named = {"cube:variables": {"data": {}, "../../a": {}, "b?c": {}, "d,e": {}}}
        item = put(host, "i.json", cube_item("z", "d/z.zarr", "application/vnd+zarr", **named))
        assert np.array_equal(load(tmp_path, host, item)["data"].values, values("<i4"))
        assert not any(".." in path or "hidden" in path for path, _, _ in host.requests)


@pytest.mark.parametrize("key", ["../data", "a//data", "/data", "a/./data", "/".join("abcdefgh")])
def test_arrays_lie_below_their_hierarchy(tmp_path, key):
    with RemoteHost() as host:
        url = publish(host, tmp_path, 3, values("<i4"))
        document = json.loads(host.files["d/z.zarr/zarr.json"])
        inner = document["consolidated_metadata"]["metadata"]
        inner[key] = inner.pop("data")
        put(host, "d/z.zarr/zarr.json", document)
        assert "FileContentInvalid" in refusal(tmp_path, url, [host.url])
        assert not any(".." in path for path, _, _ in host.requests)


def test_a_hierarchy_in_a_bucket(tmp_path):
    data = values("<f8", SHAPE)
    with S3Host(keys=KEYS) as host:
        publish(host, tmp_path, 3, data, prefix="scenes/")
        found = load(tmp_path, Bucket, "s3://scenes/i.json", *s3_account(tmp_path, host))
        assert np.array_equal(found["data"].values, data)
