"""Folders and STAC items of gauge fields as collections: a configuration each, in order, with what the files say."""

import json
import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

from conftest import BINARY

SHARED = pathlib.Path(os.environ.get("TWINCUBE_SHARED", pathlib.Path(__file__).resolve().parents[3] / "shared"))
FILES = SHARED / "data" / "lattice"
MILC = FILES / "milc_l4444_l4448_l8888"
CHAIN = FILES / "latticeqcdjl"

pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason="the lattices are not there: $TWINCUBE_SHARED/data/lattice")


def node(process, **arguments):
    return {"process_id": process, "arguments": arguments}


def twincube(*words):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60)


def add(folder, *words):
    done = twincube("catalogue", "add", "--data", folder / "data", "--id", "E", *words)
    assert done.returncode == 0, done.stderr
    return done.stderr + done.stdout


def run(folder, load, process="lft_plaquette"):
    graph = {"l": load, "p": {**node(process, data={"from_node": "l"}), "result": True}}
    (folder / "graph.json").write_text(json.dumps(graph))
    done = twincube("run", folder / "graph.json", "--data", folder / "data", "-o", folder / "out.json")
    if done.returncode != 0:
        return done.stderr
    return np.array(json.loads((folder / "out.json").read_text())["data"])


def load(**more):
    return node("load_collection", id="E", **{"spatial_extent": None, "temporal_extent": None, **more})


def condition(operator, value):
    return {"process_graph": {"c": {**node(operator, x={"from_parameter": "value"}, y=value), "result": True}}}


@pytest.fixture
def chain(tmp_path):
    """Configurations 9 and 10 of one lattice in different formats, in folders below, and what is none."""
    below = tmp_path / "chain"
    (below / "a").mkdir(parents=True)
    shutil.copy(MILC / "lat.sample.l4444", below / "conf_0010")
    shutil.copy(CHAIN / "confs_HMC_L04040404_beta5.7_quenched_su3" / "conf_00000100.ildg", below / "conf_9")
    shutil.copy(MILC / "lat.sample.l4444.ildg", below / "a" / "conf_1.lime")
    shutil.copy(MILC / "lat.sample.l8888.info", below / "notes")
    (below / ".conf_2").write_bytes((below / "conf_0010").read_bytes())
    return below


def test_a_folder_is_a_collection(tmp_path, chain):
    assert "E: 3 items" in add(tmp_path, chain)
    values = run(tmp_path, load())[:, 0]
    assert len(values) == 3 and values[0] == values[2] and abs(values[1] - 0.5682157501) < 2e-7
    wanted = {"lft:beta": condition("eq", 7)}
    assert list(run(tmp_path, load(properties=wanted))[:, 0]) == [values[0]]
    wanted = {"lft:format": condition("neq", "MILC")}
    assert list(run(tmp_path, load(properties=wanted))[:, 0]) == list(values[:2])
    assert "NoDataAvailable" in run(tmp_path, load(properties={"lft:beta": condition("eq", 8)}))
    box = {"west": 0, "south": 0, "east": 1, "north": 1}
    assert "nowhere on the Earth" in run(tmp_path, load(spatial_extent=box))


def test_one_configuration_is_read_where_one_is_wanted(tmp_path, chain):
    """What is wrong with another's links does not matter then."""
    add(tmp_path, chain)
    data = bytearray((chain / "conf_0010").read_bytes())
    data[300] ^= 1
    (chain / "conf_0010").write_bytes(data)
    kept = {"lft:format": condition("eq", "ILDG")}
    assert len(run(tmp_path, load(properties=kept))) == 2
    refused = run(tmp_path, load())
    assert "checksum" in refused and "conf_0010" in refused


@pytest.mark.parametrize("name, message", [("conf_0010", "truncated"), ("conf_9", "no LIME record|truncated")])
def test_what_is_damaged_or_of_another_shape_is_named(tmp_path, chain, name, message):
    (chain / name).write_bytes((chain / name).read_bytes()[:-40000])
    done = twincube("catalogue", "add", "--data", tmp_path / "data", "--id", "E", chain)
    assert done.returncode != 0 and name in done.stderr
    assert any(word in done.stderr for word in message.split("|")), done.stderr
    shutil.copy(MILC / "lat.sample.l8888", chain / name)
    done = twincube("catalogue", "add", "--data", tmp_path / "data", "--id", "E", chain)
    assert done.returncode != 0 and name in done.stderr and "different shapes" in done.stderr


def test_headers_are_properties(tmp_path):
    below = tmp_path / "one"
    below.mkdir()
    data = (FILES / "nersc_l8t4" / "nersc.l8t4b3360").read_bytes()
    (below / "n.nersc").write_bytes(data.replace(b"END_HEADER", b"BETA = 3.36\nEND_HEADER", 1))
    assert "E: 1 item," in add(tmp_path, below)
    for name, value in (("lft:beta", 3.36), ("lft:plaquette", 0.5038664469), ("lft:trace", 0.005406083858),
                        ("lft:checksum", "b379560a"), ("lft:format", "NERSC"), ("lft:type", "complex128")):
        assert run(tmp_path, load(properties={name: condition("eq", value)})).shape == (1, 3), name


def test_stac_items_are_configurations(tmp_path, chain):
    (chain / "a" / "conf_1.lime").rename(chain / "conf_1.lime")
    (chain / "conf_9").rename(chain / "conf_9.ildg")
    features = [{"type": "Feature", "stac_version": "1.0.0", "id": name, "geometry": None, "links": [],
                 "properties": {"datetime": None, "trajectory": i},
                 "assets": {"links": {"href": f"./{name}", "type": "application/octet-stream", "roles": ["data"]}}}
                for i, name in enumerate(("conf_1.lime", "conf_9.ildg"))]
    document = chain / "items.json"
    document.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    values = run(tmp_path, node("load_stac", url=str(document)))[:, 0]
    assert len(values) == 2 and abs(values[1] - 0.5682157501) < 2e-7
    for name, value in (("trajectory", 1), ("lft:type", "complex128")):
        kept = run(tmp_path, node("load_stac", url=str(document), properties={name: condition("eq", value)}))
        assert list(kept[:, 0]) == [values[1]], kept
    assert "E: 2 items" in add(tmp_path, document)
    assert list(run(tmp_path, load())[:, 0]) == list(values)


def test_items_have_documents(tmp_path, chain):
    add(tmp_path, chain)
    shown = twincube("catalogue", "list", "--data", tmp_path / "data").stdout
    assert "E" in shown and "3" in shown
