"""Specs of processes: their schemas are the official ones, and every exception that they name can happen."""

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPECS = {path.stem: path for path in sorted((ROOT / "processes").glob("*/*.json"))
         if not path.name.endswith(".test.json")}
REFERENCE = Path(os.environ.get("TWINCUBE_SHARED", ROOT.parent / "shared")) / "reference" / "openeo"

# What no graph of one node can bring about is provoked elsewhere: process, exception, the test that does.
ELSEWHERE = {
    ("load_collection", "NoDataAvailable"): "tests/unit/stac_catalogue.c",
    ("load_stac", "NoDataAvailable"): "tests/clients/test_load_stac.py",
    ("load_stac", "PropertiesUnsupported"): "tests/clients/test_load_stac.py",
    ("vector_buffer", "UnitMismatch"): "tests/clients/test_vector.py",
    ("vector_reproject", "DimensionNotAvailable"): "tests/clients/test_vector.py",
    ("vector_to_random_points", "CountMismatch"): "tests/clients/test_vector.py",
    ("vector_to_regular_points", "UnitMismatch"): "tests/clients/test_vector.py",
}


def spec(process):
    return json.loads(SPECS[process].read_text())


def official(process):
    for folder in ("processes", "proposals"):
        path = REFERENCE / folder / f"{process}.json"
        if path.is_file():
            return json.loads(path.read_text())
    return None


def signature(document):
    """What a client may rely on: parameters with name, optional, default and schema, and the schema of the result."""
    keys = "name", "optional", "default", "schema"
    parameters = [{key: parameter[key] for key in keys if key in parameter} for parameter in document["parameters"]]
    return {"parameters": parameters, "returns": document["returns"]["schema"]}


@pytest.mark.skipif(not REFERENCE.is_dir(),
                    reason="the official specs are not there: $TWINCUBE_SHARED/reference/openeo")
@pytest.mark.parametrize("process", SPECS)
def test_signature_is_the_official_one(process):
    document = official(process)
    if document is None:
        assert process in OURS or process.startswith("lft_"), "neither an official process nor known as one of ours"
        return
    assert signature(spec(process)) == signature(document)


OURS = {"arg", "autocorrelation", "bootstrap", "conj", "correlated_fit", "covariance", "effective_sample_size",
        "gamma_method", "imag", "jackknife", "multi_histogram_reweighting", "real", "weighted_average"}


@pytest.mark.parametrize("process, exception", [(process, exception) for process in SPECS
                                                for exception in spec(process).get("exceptions", {})])
def test_every_exception_is_provoked(process, exception):
    cases = json.loads(SPECS[process].with_suffix("").with_suffix(".test.json").read_text())["tests"]
    if any(case.get("throws") == exception for case in cases):
        return
    elsewhere = ELSEWHERE.get((process, exception))
    assert elsewhere, f"no case of {process}.test.json throws {exception}"
    assert exception in (ROOT / elsewhere).read_text()
