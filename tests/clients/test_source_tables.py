"""Sources that an operator names in the configuration file: made at the start, made anew when their tables change."""

import json
import signal
import subprocess

import numpy as np
import pytest

from conftest import BINARY, until
from remote_host import RemoteHost
from test_refresh import DATES, scene, sources, stac_item
from test_sources import catalogue, load


@pytest.fixture(name="serve")
def serve_fixture(tmp_path):
    """Starts a server with these tables, as often as one likes; gives its process, and what it has logged."""
    started = []

    def serve(text):
        (tmp_path / "t.toml").write_text("refresh = true\n" + text)
        log = open(tmp_path / f"log{len(started)}", "w+", encoding="utf-8")
        process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", tmp_path / "data", "--config",
                                    tmp_path / "t.toml"], text=True, stdout=subprocess.PIPE, stderr=log)
        started.append((process, log))
        assert process.stdout.readline().startswith("http")
        return process, lambda: (tmp_path / log.name).read_text()

    def end():
        for process, log in started:
            if process.poll() is None:
                process.terminate()
                assert process.wait(timeout=60) == 0
            process.stdout.close()
            log.close()

    serve.end = end
    yield serve
    end()


def table(**members):
    return "\n[[source]]\n" + "".join(f"{name} = {value if isinstance(value, Raw) else json.dumps(value)}\n"
                                      for name, value in members.items())


class Raw(str):
    """TOML that is no JSON."""


def test_a_folder_and_a_host(tmp_path, serve):
    folder, data = tmp_path / "in", tmp_path / "data"
    folder.mkdir()
    scenes = [scene(i) for i in range(3)]
    for i in range(2):
        (folder / f"s_{DATES[i]}_B1.tif").write_bytes(scenes[i][1])
    local = {"id": "c", "place": str(folder), "title": "Täglich", "license": "CC0-1.0", "keywords": ["x"],
             "providers": ["us"], "datetime": "_([0-9]{8})_"}
    with RemoteHost() as host:
        host.files["items.json"] = json.dumps({"type": "FeatureCollection", "features": [
            stac_item("one", collection="far")]}).encode()
        there = {"id": "f", "place": host.url + "items.json", "kind": "items", "refresh": 1}
        missing = {"id": "m", "place": host.url + "m/catalog.xml"}
        process, said = serve(table(**local, nodata=[7]) + table(**there) + table(**missing))
        kept = lambda: sources(data)  # noqa: E731
        until(lambda: kept().get("c", [""])[-1] == "ok" and kept().get("f", [""])[-1] == "ok")
        until(lambda: "m is not refreshed: FileNotFound" in said())
        found = load(data)
        assert np.array_equal(found["B1"], [scenes[0][0], scenes[1][0]]) and found["B1"].attrs["_FillValue"] == 7
        assert "Täglich" in catalogue(data, "list").stdout and kept()["f"][1] == "every 1 s"

        # what changes is read anew, what failed is tried again, what goes stays a source
        (tmp_path / "t.toml").write_text("refresh = true\n" + table(**local, nodata=[8]) +
                                         table(**missing))
        asked = host.count("m/catalog.xml")
        process.send_signal(signal.SIGHUP)
        until(lambda: "the settings were read again" in said() and "the source 'f' has no table any more" in said())
        until(lambda: host.count("m/catalog.xml") > asked)
        until(lambda: load(data)["B1"].attrs["_FillValue"] == 8)
        assert kept()["f"][1] == "every 1 s"
        (folder / f"s_{DATES[2]}_B1.tif").write_bytes(scenes[2][1])
        until(lambda: "c: 3 items" in said())  # its folder is followed

        # at a next start nothing is read that is as it was; what was said since by a command gives way to the table
        serve.end()
        assert catalogue(data, "add", "--id", "c", "--nodata", "9", folder).returncode == 0
        _, said = serve(table(**local, nodata=[8]))
        until(lambda: "refreshed c: 3 items" in said())
        assert load(data)["B1"].attrs["_FillValue"] == 8
        serve.end()
        _, said = serve(table(**local, nodata=[8]))
        (folder / f"s_{DATES[2]}_B1.tif").unlink()
        until(lambda: "refreshed c: 2 items" in said())
        assert "c: 3 items" not in said()


@pytest.mark.parametrize(("text", "line", "word"), [
    (table(place="/x"), 2, "id"), (table(id="a b", place="/x"), 3, "id"), (table(id="a"), 2, "place"),
    (table(id="a", place="x/y"), 4, "place"), (table(id="a", place="/x", kind="magic"), 5, "kind"),
    (table(id="a", place="/x", kind="items"), 5, "kind"), (table(id="a", place="/x", refresh=0), 5, "refresh"),
    (table(id="a", place="/x", refresh="1h"), 5, "refresh"), (table(id="a", place="/x", colour=1), 5, "colour"),
    (table(id="a", place="/x", nodata=["x"]), 5, "nodata"), (table(id="a", place="/x", resolution=-1), 5, "resolution"),
    (table(id="a", place="/x", providers=Raw('[{name = "a", url = "x"}]')), 5, "url"),
    (table(id="a", place="/x", nodata=Raw('[{band = "a"}]')), 5, "nodata"),
    (table(id="a", place="/x", remote=["x"]), 5, "remote"),
    (table(id="a", place="/x") + table(id="a", place="/y"), 7, "id"), ("source = 5\n", 2, "source"),
])
def test_tables_that_make_no_sense(tmp_path, text, line, word):
    (tmp_path / "t.toml").write_text("refresh = true\n" + text.removeprefix("\n"))
    done = subprocess.run([BINARY, "config", "check", tmp_path / "t.toml"], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 1 and f"t.toml:{line}: source" in done.stderr and word in done.stderr, done.stderr


def test_without_refresh_there_is_nobody_to_read_them(tmp_path):
    (tmp_path / "t.toml").write_text(table(id="a", place="/x"))
    done = subprocess.run([BINARY, "config", "check", tmp_path / "t.toml"], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 1 and "t.toml:2: source goes with refresh" in done.stderr
    (tmp_path / "t.toml").write_text('refresh = true\nsource = ["a=/x", "b=https://example.org/b.json"]\n')
    done = subprocess.run([BINARY, "config", "check", tmp_path / "t.toml"], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0 and "b=https://example.org/b.json" in done.stdout
