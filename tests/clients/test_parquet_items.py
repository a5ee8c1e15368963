"""Items from Parquet files that rustac, stac-geoparquet, pyarrow and geopandas wrote (parquet/make.py), against those
that they were made of; and files that are damaged."""

import copy
import datetime
import json
import pathlib
import random
import sqlite3
import subprocess

import pytest

from conftest import BINARY

FILES = pathlib.Path(__file__).parent / "parquet"
ITEMS = json.loads((FILES / "items.json").read_text("utf-8"))


def load(path, data, *options):
    return subprocess.run([BINARY, "catalogue", "load", "--data", data, *options, path], capture_output=True, text=True,
                          timeout=60)


def loaded(path, data, *options):
    """The documents as they are kept, by id."""
    done = load(path, data, *options)
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(data / "catalogue.sqlite") as kept:
        documents = [json.loads(text) for text, in kept.execute("SELECT json FROM documents")]
    return {d["id"]: d for d in documents if d["type"] == "Feature"}, done.stdout


def without_nulls(value):
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value


def comparable(item):
    """Nulls go, which Parquet cannot tell from what is not there, and instants are numbers."""
    item = without_nulls(item)
    for name in ("datetime", "start_datetime", "end_datetime", "created"):
        if name in item["properties"]:
            text = item["properties"][name]
            assert text.endswith("Z")
            item["properties"][name] = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    return item


def flat(value):
    return [flat(v) for v in value] if isinstance(value[0], list) else value[:2]


def by_rustac(item):
    """It drops heights, as it says that the version of all items is 1.1.0."""
    item = copy.deepcopy(item)
    if item["geometry"]["type"] == "Polygon":
        item["geometry"]["coordinates"] = flat(item["geometry"]["coordinates"])
    return item


def by_geopandas(item):
    number, properties = int(item["id"].split("-")[1]), item["properties"]
    known = {"type": "Feature", "stac_version": "1.0.0", "links": [], "assets": {}, "id": item["id"],
             "collection": "parquet", "geometry": item["geometry"], "bbox": item["bbox"],
             "properties": {"rank": properties["rank"], "eo:cloud_cover": properties["eo:cloud_cover"],
                            "datetime": properties["datetime"] or "2020-05-05T00:00:00Z"}}
    return {**known, "geometry": None, "bbox": None} if number % 11 == 10 else known


@pytest.mark.parametrize("name, change", [("rustac", by_rustac), ("stac_geoparquet", None), ("deltas", None),
                                          ("lengths", None), ("groups", None), ("brotli", None),
                                          ("geopandas", by_geopandas)])
def test_items_are_those_that_were_written(name, change, tmp_path):
    found, report = loaded(FILES / f"{name}.parquet", tmp_path)
    assert report == f"{len(ITEMS)} items\n" and len(found) == len(ITEMS)
    for item in ITEMS:
        document = found[item["id"]]
        assert "geometry" in document and "datetime" in document["properties"]  # null, where there is none
        assert comparable(document) == comparable(change(item) if change else item)


def test_types_that_items_seldom_have(tmp_path):
    found, _ = loaded(FILES / "odd.parquet", tmp_path)
    for i in range(12):
        item = found[f"odd-{i}"]
        assert item["geometry"] == {"type": "Point", "coordinates": [1, 2, i]}
        assert item["bbox"] == ([.1, .2, 7, 1.1, 1.2, 8] if i % 2 else [.1, .2, 1.1, 1.2])
        expected = {"datetime": f"2020-01-01T00:00:00.{123456789 + i}Z", "day": f"1969-12-{30 + i % 2}",
                    "unsigned": 2**32 - 1 - i, "small": -i, "single": i / 10, "json": {"a": [1, None]} if i % 2 else [],
                    "map": {"k1": 1} if i % 3 == 2 else {}, "deep": [[{"a": [i]}], [], None][:i % 4]}
        if i % 5:
            expected["list"] = [None, 1, None][:i % 4]
        assert item["properties"] == expected
    with sqlite3.connect(tmp_path / "catalogue.sqlite") as kept:
        assert kept.execute("SELECT title FROM collections WHERE id = 'odd'").fetchall() == [("Odd types",)]


def test_a_collection_that_is_named_comes_first(tmp_path):
    collection = {"type": "Collection", "stac_version": "1.0.0", "id": "odd", "title": "Named", "description": "-",
                  "license": "CC0-1.0", "links": [], "extent": {"spatial": {"bbox": [[0, 0, 2, 2]]},
                                                                "temporal": {"interval": [[None, None]]}}}
    (tmp_path / "odd.json").write_text(json.dumps(collection))
    loaded(FILES / "odd.parquet", tmp_path / "data", "--collection", tmp_path / "odd.json")
    with sqlite3.connect(tmp_path / "data/catalogue.sqlite") as kept:
        assert kept.execute("SELECT title FROM collections WHERE id = 'odd'").fetchall() == [("Named",)]


def refusal(path, data):
    done = load(path, data)
    assert done.returncode == 1, done.stderr
    return done.stderr


def test_files_that_are_not_read_say_why(tmp_path):
    whole = (FILES / "deltas.parquet").read_bytes()
    path = tmp_path / "half.parquet"
    for content in (b"", b"PAR1", whole[:-1], whole[len(whole) // 2:], b"PAR1" + whole[-8:],
                    whole[:-8] + b"\xff\xff\xff\x7fPAR1"):
        path.write_bytes(content)
        assert "FileContentInvalid" in refusal(path, tmp_path)
    path.write_bytes(whole[:-4] + b"PARE")
    assert "encrypted" in refusal(path, tmp_path)


def test_damage_anywhere_is_told_or_does_no_harm(tmp_path):
    chance = random.Random(7)
    path = tmp_path / "damaged.parquet"
    for trial, name in enumerate(["rustac", "deltas", "lengths", "groups"] * 6):
        content = bytearray((FILES / f"{name}.parquet").read_bytes())
        for _ in range(1 + trial % 4):
            content[chance.randrange(4, len(content))] = chance.choice([0, 0x7F, 0x80, 0xFF, chance.randrange(256)])
        path.write_bytes(content)
        done = load(path, tmp_path / str(trial))
        assert done.returncode in (0, 1), (trial, done.returncode, done.stderr)
        assert done.returncode == 0 or done.stderr.rstrip("\n").split("\n")[-1].split(":")[0] in (
            "FileContentInvalid", "FeatureUnsupported", "StacInvalid"), done.stderr
