"""Zarr hierarchies on a server: where its confined workers find them, and what follows when chunks are written anew."""

import time

import numpy as np
import zarr
from conftest import twincube
from test_request_log import Server
from test_services import picture
from test_tile_files import service, tiles
from test_zarr_input import add_array, make, stored, values


def start(folder, **collections):
    twincube("user", "add", "carol", "--data", folder / "data", input="a password\n")
    for name, source in collections.items():
        twincube("catalogue", "add", "--data", folder / "data", "--id", name, source)
    return Server(folder)


def loaded(name):
    return {"load": {"process_id": "load_collection", "result": True, "arguments": {
        "id": name, "spatial_extent": None, "temporal_extent": None}}}


def result(server, name, folder):
    nodes = {**loaded(name), "save": {"process_id": "save_result", "result": True, "arguments": {
        "data": {"from_node": "load"}, "format": "netCDF"}}}
    nodes["load"].pop("result")
    answer = server.call("POST", "/result", json={"process": {"process_graph": nodes}})
    assert answer.status_code == 200, answer.text
    (folder / "out.nc").write_bytes(answer.content)
    return stored(folder / "out.nc")


def test_one_beside_the_data_folder(tmp_path):
    """A worker reads what the catalogue names, though the folder around it holds the data folder, too."""
    data = values("f4")
    for i, name in enumerate("abc"):
        make(tmp_path / f"{name}.zarr", 3 - i % 2, data + i)
    server = start(tmp_path, B=tmp_path / "b.zarr", C=f"{tmp_path / 'c.zarr'}:data")
    assert np.array_equal(result(server, "B", tmp_path), data + 1)
    assert np.array_equal(result(server, "C", tmp_path), data + 2)
    server.stop()


def write_in_place(array, value, dtype):
    for path in array.rglob("*"):
        if path.is_file() and path.name != "zarr.json":
            with path.open("r+b") as file:
                file.write(np.full(path.stat().st_size // np.dtype(dtype).itemsize, value, dtype).tobytes())


def test_chunks_that_are_written_anew(tmp_path):
    """In place, with no word in the documents; of few files, and of more than are looked at."""
    side, before = 65, {}
    for name, chunk in ("few", 13), ("many", 1):
        group = zarr.open_group(tmp_path / "in" / f"{name}.zarr", mode="w", zarr_format=3)
        data = group.create_array("data", shape=(side, side), chunks=(chunk, chunk), dtype="f4", compressors=None,
                                  attributes={"proj:code": "EPSG:32632"}, dimension_names=("y", "x"))
        data[26:39, 26:39] = 1
        add_array(group, "y", 5000000 - 10. * np.arange(side), ("y",))
        add_array(group, "x", 600000 + 10. * np.arange(side), ("x",))
    server = start(tmp_path, few=tmp_path / "in" / "few.zarr", many=tmp_path / "in" / "many.zarr")
    for name in "few", "many":
        path, = tiles(service(server, loaded(name), {"min": 0, "max": 10}), 16)
        before[name] = path, server.call("GET", path)
        assert set(np.unique(result(server, name, tmp_path))) == {0, 1}
    time.sleep(.05)  # so that the files' times differ
    for name in before:
        write_in_place(tmp_path / "in" / f"{name}.zarr" / "data", 9, "<f4")
        assert set(np.unique(result(server, name, tmp_path))) == {0, 9}
    server.stop()
    server = Server(tmp_path)
    for path, earlier in before.values():
        later = server.call("GET", path)
        assert later.headers["ETag"] != earlier.headers["ETag"]
        assert picture(later)[1].max() > picture(earlier)[1].max() + 100
    server.stop()
