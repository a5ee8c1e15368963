"""A data folder with the collections of world.py, and the program."""

import json
import os
import pathlib

import numpy
import pytest

import subject as subjects
import world as worlds

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TWINCUBE_BIN", ROOT / "build" / "twincube")).resolve()
WORLD_SEED = int(os.environ.get("TWINCUBE_PROPERTY_WORLD", "1"))


@pytest.fixture(scope="session")
def subject(tmp_path_factory):
    return subjects.Subject(BINARY, tmp_path_factory.mktemp("data"))


def unpacks(subject, folder):
    """Whether packed netCDF variables are loaded as what they stand for. Other tests say which it must be; these, that
    it is the same wherever the values go."""
    grid = worlds.shifted(worlds.ZONE, 10.0, 0, 0, 8, 9)
    rng = numpy.random.default_rng(0)
    probe = worlds.netcdf(rng, folder, subject.add, "probe", grid, ["2020-01-03"], True, False)
    load = {"process_id": "load_collection", "result": True,
            "arguments": {"id": "probe", "spatial_extent": None, "temporal_extent": None}}
    loaded = numpy.array(json.loads(subject.run({"load": load}))["data"], dtype=float)
    stored = probe.scenes[0].values[None]
    scale, offset = worlds.PACKING
    if numpy.array_equal(loaded, stored, equal_nan=True):
        return False
    numpy.testing.assert_allclose(loaded, stored * scale + offset, rtol=1e-6)
    return True


@pytest.fixture(scope="session")
def world(subject, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    return worlds.make(numpy.random.default_rng(WORLD_SEED), folder, subject.add, unpacks(subject, folder))
