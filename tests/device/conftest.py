"""The fake driver, and a data folder with a cube of numbers and the collections of tests/property."""

import pathlib
import sys

import numpy
import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "property")]

import fake  # noqa: E402
import subject as subjects  # noqa: E402
import world as worlds  # noqa: E402


@pytest.fixture(autouse=True)
def fake_driver():
    if not (fake.LIBRARIES / "libcuda.so.1").exists():
        pytest.skip("the fake driver is not built")


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder whose catalogue has CUBE: (t 9, bands 2, y 70, x 90), int16, no-data -1."""
    folder = tmp_path_factory.mktemp("device")
    rng = numpy.random.default_rng(5)
    values = rng.integers(0, 3000, (9, 2, 70, 90)).astype("int16")
    values[rng.random(values.shape) < 0.1] = -1
    values[:, :, 30:34, 40:50] = -1
    numpy.save(folder / "values.npy", values)
    fake.write_cube(folder / "cube.nc", values)
    fake.twincube("catalogue", "add", "--data", folder, "--id", "CUBE", folder / "cube.nc", check=True)
    return folder


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """The program with the property tests' collections, and these."""
    subject = subjects.Subject(fake.BINARY, tmp_path_factory.mktemp("data"))
    made = worlds.make(numpy.random.default_rng(1), tmp_path_factory.mktemp("files"), subject.add, True)
    return subject, made
