"""Gauge fields in HDF5 as other codes lay them out: read where axes can be told, refused where not."""

import json
import shutil

import h5py
import numpy as np
import pytest

from test_gauge_collections import FILES, MILC, twincube
from test_gauge_files import NERSC, Refused, local, measured, nersc_links

pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="the lattices are not there: $TWINCUBE_SHARED/data/lattice")

PARTS = {"direction last": lambda links: links, "direction first": lambda links: links.transpose(4, 0, 1, 2, 3, 5, 6),
         "x slowest": lambda links: links.transpose(3, 2, 1, 0, 4, 5, 6)}
NUMBERS = {"r, i": lambda links: links,
           "re, im of floats": lambda links: links.astype("c8").view(np.dtype([("re", "f4"), ("im", "f4")])),
           "pairs": lambda links: np.ascontiguousarray(links).view("f8").reshape(*links.shape, 2),
           "pairs of floats": lambda links: links.astype("c8").view("f4").reshape(*links.shape, 2)}


@pytest.fixture(scope="module")
def links():
    """8^3 x 4, [t][z][y][x][mu][row][column]."""
    return np.ascontiguousarray(nersc_links(FILES / NERSC)).view("c16")[..., 0]


def milc_links():
    """4^4, likewise."""
    data = (MILC / "lat.sample.l4444").read_bytes()
    order = "<" if int.from_bytes(data[:4], "little") == 20103 else ">"
    return np.frombuffer(data[96:], order + "c8").reshape(4, 4, 4, 4, 4, 3, 3).astype("c8")


def written(folder, values, name="gauge", file="field.h5", **options):
    with h5py.File(folder / file, "w") as out:
        out.create_dataset(name, data=values, **options)
    return measured(folder, [file], "netCDF", "lft_plaquette")[0]


def expected(folder, name, form):
    shutil.copy(FILES / name, folder / local(name))
    return measured(folder, [local(name)], form, "lft_plaquette")[0]


@pytest.mark.parametrize("numbers", NUMBERS)
def test_numbers(tmp_path, links, numbers):
    values = NUMBERS[numbers](np.ascontiguousarray(PARTS["direction first"](links)))
    found = written(tmp_path, values, name="a/b/links", compression="gzip", chunks=True)
    tolerance = 1e-6 if "float" in numbers else 1e-13
    assert np.allclose(found, expected(tmp_path, NERSC, "NERSC"), rtol=tolerance, atol=0)


@pytest.mark.parametrize("part", ["direction first", "direction last"])
def test_the_links_tell_what_equal_extents_do_not(tmp_path, part):
    found = written(tmp_path, PARTS[part](milc_links()))
    assert np.allclose(found, expected(tmp_path, "milc_l4444_l4448_l8888/lat.sample.l4444", "MILC"), rtol=1e-7, atol=0)


def test_directions_behind_the_sites(tmp_path, links):
    """Where no axis but theirs has four indexes: the lattice twice along t."""
    twice = np.concatenate([links, links])
    assert np.allclose(written(tmp_path, twice), expected(tmp_path, NERSC, "NERSC"), rtol=1e-12, atol=0)


def test_unit_links(tmp_path):
    assert (written(tmp_path, np.broadcast_to(np.eye(3, dtype="c16"), (4, 4, 4, 4, 4, 3, 3))) == 1).all()


def test_what_stays_open_is_refused(tmp_path, links):
    constant = np.broadcast_to(np.diag([1j, 1, -1j]), (4, 4, 4, 4, 4, 3, 3))
    with pytest.raises(Refused, match="the first or the fifth axis"):  # plaquettes are 1 in any order
        written(tmp_path, constant)
    with pytest.raises(Refused, match="the first or the fifth axis"):
        written(tmp_path, links)
    rough, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 4, 4, 4, 4, 3, 3)) + 0j)
    with pytest.raises(Refused, match="links in any order"):
        written(tmp_path, rough)
    with pytest.raises(Refused, match="links in any order"):
        written(tmp_path, PARTS["x slowest"](links))
    with pytest.raises(Refused, match="links in any order"):
        written(tmp_path, np.concatenate([links, links])[..., [3, 0, 1, 2], :, :])
    with pytest.raises(Refused, match="not unitary"):
        written(tmp_path, 2 * PARTS["direction first"](links))
    with h5py.File(tmp_path / "two.h5", "w") as out:
        out["a"] = out["b"] = milc_links()
        out["c"] = milc_links()
    with pytest.raises(Refused, match="datasets that may be"):
        measured(tmp_path, ["two.h5"], "netCDF", "lft_plaquette")
    data = (tmp_path / "two.h5").read_bytes()
    (tmp_path / "short.h5").write_bytes(data[:len(data) // 2])
    with pytest.raises(Refused, match="short.h5"):
        measured(tmp_path, ["short.h5"], "netCDF", "lft_plaquette")


def test_a_folder_of_them_is_a_collection(tmp_path, links):
    below = tmp_path / "chain"
    below.mkdir()
    first = np.ascontiguousarray(PARTS["direction first"](links))
    for i in (2, 10):
        with h5py.File(below / f"c{i}.h5", "w") as out:
            out["gauge"] = first if i == 2 else first.conj()
    done = twincube("catalogue", "add", "--data", tmp_path / "data", "--id", "E", below)
    assert "E: 2 items" in done.stdout + done.stderr
    graph = {"l": {"process_id": "load_collection",
                   "arguments": {"id": "E", "spatial_extent": None, "temporal_extent": None}},
             "p": {"process_id": "lft_polyakov_loop", "arguments": {"data": {"from_node": "l"}}, "result": True}}
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    assert twincube("run", tmp_path / "graph.json", "--data", tmp_path / "data", "-o",
                    tmp_path / "out.json").returncode == 0
    found = np.array(json.loads((tmp_path / "out.json").read_text())["data"])
    assert found.shape == (2, 3) and np.allclose(found[0], found[1] * [1, 1, -1]) and abs(found[0, 2]) > 1e-4
