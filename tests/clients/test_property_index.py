"""`twincube catalogue index`: who makes indexes of properties, and what is said of them."""
import json
import subprocess

from conftest import BINARY
from test_stored_items import load, plain


def index(folder, *arguments):
    return subprocess.run([BINARY, "catalogue", "index", "--data", folder / "data", *arguments], capture_output=True,
                          text=True, timeout=60, check=False)


def write_items(path, count):
    with open(path, "w", encoding="utf-8") as file:
        for i in range(count):
            item = plain(i)
            item["properties"] |= {"eo:cloud_cover": i % 100, **({"updated": "2020-01-01"} if i % 3 == 0 else {})}
            file.write(json.dumps(item) + "\n")
    return path


def test_loading_much_makes_the_usual_ones(tmp_path):
    load(tmp_path, write_items(tmp_path / "few.ndjson", 10))
    assert index(tmp_path).stdout == ""
    assert load(tmp_path, write_items(tmp_path / "many.ndjson", 10000)).stdout == "10000 items\n"
    assert index(tmp_path).stdout == "eo:cloud_cover\n"


def test_the_command(tmp_path):
    load(tmp_path, write_items(tmp_path / "few.ndjson", 10))
    assert index(tmp_path, "--property", "view:azimuth").stdout == "view:azimuth\n"
    assert index(tmp_path, "--property", "eo:cloud_cover").stdout == "eo:cloud_cover\nview:azimuth\n"
    assert index(tmp_path, "--remove", "view:azimuth").stdout == index(tmp_path).stdout == "eo:cloud_cover\n"
    for arguments, status, told in [(["--remove", "gsd"], 1, "NotFound"), (["--property", "a'b"], 1, "parameter"),
                                    (["--property", ""], 1, "parameter"), (["--property"], 2, "lacks its value"),
                                    (["gsd"], 2, "options only"), (["--none"], 2, "not known")]:
        done = index(tmp_path, *arguments)
        assert done.returncode == status and told in done.stderr, done
