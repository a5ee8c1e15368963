"""The error codes of the openEO API: each is a row of our table with the status that the API gives it, and a test of
this folder provokes it; the few that this server has no occasion for are named here, with the reason."""

import json
import os
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"^ERROR_CODE\((\w+), (\d+), \"(.+)\"\)$", re.MULTILINE)

NO_OCCASION = {
    "FolderOperationUnsupported": "folders come and go with their files; what names one is no file: FileNotFound",
    "ContentTypeInvalid": "bodies are read as what the endpoint takes, whatever they are called",
    "FileLocked": "a file is replaced whole, by renaming",
    "JobNotStarted": "logs and results of a job that was not started are answered, or JobNotFinished",
    "BillingPlanMissing": "there is a default plan",
    "ServiceConfigRequired": "every option of a service has a default",
}
ELSEWHERE = {
    "InfrastructureMaintenance": "only while the server goes down",
    "FileTypeInvalid": "by name within a message: test_vector.py",
    "FileContentInvalid": "found by the readers, whose unit tests provoke it",
}


@pytest.fixture(scope="module")
def official():
    shared = os.environ.get("TWINCUBE_SHARED")
    path = pathlib.Path(shared or "", "reference", "openeo", "api", "errors.json")
    if not shared or not path.exists():
        pytest.skip("TWINCUBE_SHARED has no list of the API's error codes")
    return json.loads(path.read_text(encoding="utf-8"))


def texts(folders, pattern):
    return "\n".join(file.read_text(encoding="utf-8") for folder in folders for file in (ROOT / folder).rglob(pattern)
                     if file.name != pathlib.Path(__file__).name)


def test_the_table_has_them_all_with_their_statuses(official):
    rows = ROW.findall((ROOT / "datacube" / "base" / "error_codes.def").read_text(encoding="utf-8"))
    table = {code: int(status) for code, status, _ in rows}
    assert len(official) == 51 and len(table) == len(rows)
    assert {code: table.get(code) for code in official} == {code: row["http"] for code, row in official.items()}


def test_each_is_provoked(official):
    tests, ours = texts(["tests/clients"], "*.py"), texts(["server", "processes", "stac", "datacube"], "*.c")
    for code in official:
        is_used = re.search(rf"ERROR_{code}\b", ours) is not None
        assert is_used != (code in NO_OCCASION), code
        assert f'"{code}"' in tests or code in NO_OCCASION or code in ELSEWHERE, code
