"""What a job keeps and tells: options that the API does not know, its course, its end."""

import pytest

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
    (written,) = [text for text in told if "written in" in text]
    assert '"save"' in written and ".nc" in written
    size = server.call("GET", f"/jobs/{job}/results").json()["assets"]
    assert str(next(iter(size.values()))["file:size"]) + " bytes" in written
    assert any(text.endswith("bytes were read from files") for text in told)
    ids = [entry["id"] for entry in logs(server, job)]
    assert len(set(ids)) == len(ids) and all(isinstance(i, str) for i in ids)


@pytest.mark.parametrize("state", ["running", "queued"])
def test_a_cancelled_jobs_log_says_so(fresh, state):  # noqa: F811
    server = fresh("--jobs", "1")  # noqa: F811
    first, second = server.create(SLOW), server.create(ADD)
    start(server, first, "running")
    start(server, second, "queued")
    job = first if state == "running" else second
    assert server.call("DELETE", f"/jobs/{job}/results").status_code == 204
    assert messages(server, job)[-1] == "the job was cancelled"
    assert server.call("DELETE", f"/jobs/{job}/results").status_code == 204  # nothing to cancel: nothing to say
    assert messages(server, job).count("the job was cancelled") == 1
