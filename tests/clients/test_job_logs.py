"""What a job keeps and tells: options that the API does not know, its course, its end."""

import json
import re
import subprocess

import pytest

from conftest import BINARY
from test_server_api import ADD, FILE, SLOW, fresh, server, shared_data  # noqa: F401

OPTIONS = {"driver-memory": "4g", "list": [1, 2.5, None], "a \"quote\"": {"b": True}}


def logs(server, job, **query):  # noqa: F811
    return server.call("GET", f"/jobs/{job}/logs", params=query).json()["logs"]


def messages(server, job):  # noqa: F811
    return [entry["message"] for entry in logs(server, job)]


def start(server, job, *states):  # noqa: F811
    assert server.call("POST", f"/jobs/{job}/results").status_code == 202
    server.wait(job, *states)


def test_options_are_kept_and_answered(server):  # noqa: F811
    job = server.create(ADD, job_options=OPTIONS, memory="2G", title="t")
    shown = server.call("GET", f"/jobs/{job}").json()
    assert shown["job_options"] == OPTIONS and shown["memory"] == "2G" and shown["title"] == "t"
    assert server.call("PATCH", f"/jobs/{job}", {"memory": "3G", "title": "u"}).status_code == 204
    shown = server.call("GET", f"/jobs/{job}").json()
    assert shown["job_options"] == OPTIONS and shown["memory"] == "3G" and shown["title"] == "u"
    start(server, job, "finished")
    (warning,) = logs(server, job, level="warning")
    assert "job_options" in warning["message"] and "memory" in warning["message"]
    assert "title" not in warning["message"]


def test_without_options_there_is_nothing_to_warn_of(server):  # noqa: F811
    job = server.create(ADD)
    assert "job_options" not in server.call("GET", f"/jobs/{job}").json()
    start(server, job, "finished")
    assert logs(server, job, level="warning") == []


def test_what_the_server_says_itself_cannot_be_set(server):  # noqa: F811
    job = server.create(ADD, status="finished", id="j-mine", created="1970-01-01T00:00:00Z", links=[1])
    shown = server.call("GET", f"/jobs/{job}").json()
    assert shown["status"] == "created" and shown["id"] == job and shown["created"] > "2020" and shown["links"] != [1]


def test_too_many_options_are_refused(server):  # noqa: F811
    answer = server.call("POST", "/jobs", {"process": {"process_graph": ADD}, "job_options": {"x": "y" * 200000}})
    assert answer.status_code == 400 and answer.json()["code"] == "RequestBodyInvalid"


def test_a_good_jobs_log_tells_its_course(server):  # noqa: F811
    job = server.create(FILE)
    start(server, job, "finished")
    told = messages(server, job)
    assert told[0] == "the job starts" and told[-1] == "the job is finished"
    assert any(text.startswith("planned in") and "tiles" in text for text in told)
    assert any(text.startswith("reads ") for text in told)
    (written,) = [text for text in told if "file written in" in text]
    assert '"save"' in written and ".nc" in written
    size = server.call("GET", f"/jobs/{job}/results").json()["assets"]
    assert str(next(iter(size.values()))["file:size"]) + " bytes" in written
    assert any(text.endswith("bytes were read from files") for text in told)
    ids = [entry["id"] for entry in logs(server, job)]
    assert len(set(ids)) == len(ids) and all(isinstance(i, str) for i in ids)


def node(process, **arguments):
    return {"process_id": process, "arguments": {name: {"from_node": value[1:]} if str(value).startswith("@") else value
                                                 for name, value in arguments.items()}}


def reducer(process):
    return {"process_graph": {"r": {"process_id": process, "arguments": {"data": {"from_parameter": "data"}},
                                    "result": True}}}


# x / max(x) of a chain: the chain is kept, its maximum too, then all is divided and written.
NORMED = {
    "field": node("lft_scalar_field", shape=[16, 16], m2=0.5, **{"lambda": 1}, configurations=40, thermalisation=5),
    "rows": node("reduce_dimension", data="@field", dimension="x0", reducer=reducer("max")),
    "columns": node("reduce_dimension", data="@rows", dimension="x1", reducer=reducer("max")),
    "most": node("reduce_dimension", data="@columns", dimension="configuration", reducer=reducer("max")),
    "normed": node("merge_cubes", cube1="@field", cube2="@most", overlap_resolver={"process_graph": {
        "d": {"process_id": "divide", "arguments": {"x": {"from_parameter": "x"}, "y": {"from_parameter": "y"}},
              "result": True}}}),
    "save": node("save_result", data="@normed", format="netCDF") | {"result": True},
}
STAGE = re.compile(r"stage (\d+), (.+) \"(.+)\": ([\d.]+) s of all threads' time, gave (\d+) bytes")
PHASE = re.compile(r"phase (\d+) makes (an output|what is kept of \"(.+)\"): ([\d.]+) s, (\d+) tiles, threads: (\d+)"
                   r"(?:, ([\d.]+) s of all threads' time to encode and write)?")


def check_times(told):
    """Each phase and stage once; all that threads did fits into the phases that they did it in."""
    stages = [match for match in map(STAGE.fullmatch, told) if match]
    phases = [match for match in map(PHASE.fullmatch, told) if match]
    assert len({match[1] for match in stages}) == len(stages) and len({match[1] for match in phases}) == len(phases)
    kept = {match[3] for match in phases if match[3]}
    assert "field" in kept and [match[2] for match in phases if match[7]] == ["an output"]
    taken = [float(match[4]) for match in stages]
    assert taken == sorted(taken, reverse=True)
    room = sum(float(match[4]) * int(match[6]) for match in phases)
    assert sum(taken) + sum(float(match[7]) for match in phases if match[7]) <= room + 0.001 * (len(told) + 1)
    (field,) = [match for match in stages if match[2] == "source" and match[3] == "field"]
    assert int(field[5]) == 40 * 16 * 16 * 8  # the chain ran once
    assert any(int(match[5]) == 40 * 16 * 16 * 8 for match in stages if match[3] in ("normed", "save"))


def test_a_jobs_log_tells_which_stage_took_how_long(server):  # noqa: F811
    job = server.create(NORMED)
    start(server, job, "finished")
    check_times(messages(server, job))


def test_the_command_line_tells_the_same_if_asked(tmp_path):
    command = [BINARY, "run", "-", "--data", ".", "-o", "out.nc"]
    quiet, loud = [subprocess.run(command + more, cwd=tmp_path, check=True, input=json.dumps(NORMED),
                                  capture_output=True, text=True) for more in ([], ["--verbose"])]
    assert quiet.stderr == "" and quiet.stdout == loud.stdout
    lines = loud.stderr.splitlines()
    assert all(line.startswith("info: ") for line in lines)
    check_times([line.removeprefix("info: ") for line in lines])
    wrong = subprocess.run([BINARY, "explain", "-", "--verbose"], input="{}", capture_output=True, text=True)
    assert wrong.returncode == 2


@pytest.mark.parametrize("state", ["running", "queued"])
def test_a_cancelled_jobs_log_says_so(fresh, state):  # noqa: F811
    server = fresh("--jobs", "1")  # noqa: F811
    first, second = server.create(SLOW), server.create(ADD)
    start(server, first, "running")
    start(server, second, "queued")
    job = first if state == "running" else second
    assert server.call("DELETE", f"/jobs/{job}/results").status_code == 204
    said = messages(server, job)
    later = said[said.index("the job was cancelled") + 1:]  # a run that ends may still tell where its time went
    assert all(state == "running" and re.search("^phase|stage|were read from files$", text) for text in later), said
    assert server.call("DELETE", f"/jobs/{job}/results").status_code == 204  # nothing to cancel: nothing to say
    assert messages(server, job).count("the job was cancelled") == 1


@pytest.mark.parametrize("level", [None, "info", "error"])
def test_logs_come_in_pages(server, level):  # noqa: F811
    job = server.create(FILE, log_level="debug")
    start(server, job, "finished")
    query = {"level": level} if level else {}
    whole = logs(server, job, **query)
    for limit in (1, 2, len(whole), len(whole) + 1):
        seen, pages, url = [], 0, f"{server.api}/jobs/{job}/logs?" + "&".join(
            f"{name}={value}" for name, value in {"limit": limit or 1, **query}.items())
        while url:
            page = server.session.get(url, timeout=30).json()
            assert len(page["logs"]) <= max(limit, 1)
            seen, pages = seen + page["logs"], pages + 1
            url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        assert seen == whole and pages == max(1, -(-len(whole) // max(limit, 1)))
    assert server.call("GET", f"/jobs/{job}/logs").json()["links"] == []
