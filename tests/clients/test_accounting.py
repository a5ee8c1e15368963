"""What a job used and costs, how long its results are kept, and what an operator can do about it."""

import calendar
import contextlib
import re
import sqlite3
import time

import pytest
import requests

from conftest import until
from test_fairness import WORK, queue_quietly, start, user  # noqa: F401 (start is a fixture)
from test_server_api import ADD, FILE, SLOW, assert_error, run

TARIFF = "currency=EUR,cpu-hour=36,gb-read=0.5"  # a CPU second is a cent


def job_of(server, *arguments):
    return run("job", *arguments, "--data", str(server.data))


def execute(sql, server, *values):
    with contextlib.closing(sqlite3.connect(server.data / "server.sqlite")) as store, store:
        return store.execute(sql, values).fetchall()


def finish(server, process_graph, **fields):
    job = server.create(process_graph, **fields)
    server.call("POST", f"/jobs/{job}/results")
    server.wait(job, "finished", "error")
    return job, server.call("GET", f"/jobs/{job}").json()


# ---- usage and costs ----


def test_usage_and_costs(start):  # noqa: F811
    server = start("--tariff", TARIFF, "--threads", "1")
    billing = server.call("GET", "/").json()["billing"]
    assert (billing["currency"], billing["default_plan"]) == ("EUR", "paid")
    assert [(plan["name"], plan["paid"]) for plan in billing["plans"]] == [("paid", True)]
    long = {**WORK, "node1": {**WORK["node1"], "arguments": {**WORK["node1"]["arguments"], "configurations": 8000}}}
    job, document = finish(server, long, plan="Paid")
    usage = document["usage"]
    assert set(usage) == {"cpu", "duration", "max_memory", "read", "disk"}
    assert all(metric["value"] >= 0 and metric["unit"] for metric in usage.values())
    assert 0.02 < usage["cpu"]["value"] < 30 and usage["duration"]["value"] > 0.02
    assert usage["max_memory"]["unit"] == "mb" and 1 < usage["max_memory"]["value"] < 2000
    results = server.call("GET", f"/jobs/{job}/results")
    size = next(iter(results.json()["assets"].values()))["file:size"]
    assert usage["disk"]["value"] - usage["read"]["value"] >= size  # what was written
    expected = 0.01 * usage["cpu"]["value"] + 0.5e-9 * usage["read"]["value"]
    assert document["costs"] == pytest.approx(expected, abs=0.0011)
    assert float(results.headers["OpenEO-Costs"]) == document["costs"] > 0
    assert [listed["costs"] for listed in server.call("GET", "/jobs").json()["jobs"]] == [document["costs"]]
    answer = server.result(long)
    assert document["costs"] / 10 < float(answer.headers["OpenEO-Costs"]) < 10 * document["costs"]


def test_nothing_costs_anything_without_a_tariff(start):  # noqa: F811
    server = start()
    assert "billing" not in server.call("GET", "/").json()
    job, document = finish(server, FILE, plan="free", budget=0.001)
    assert document["status"] == "finished" and "costs" not in document
    assert server.call("GET", f"/jobs/{job}/results").headers["OpenEO-Costs"] == "0"
    assert server.result(ADD).headers["OpenEO-Costs"] == "0"


def test_plans_and_budgets_are_checked(start):  # noqa: F811
    server = start("--tariff", TARIFF)
    for fields, code in (({"plan": "free"}, "BillingPlanInvalid"), ({"plan": "no such plan"}, "BillingPlanInvalid"),
                         ({"budget": 0}, "BudgetInvalid"), ({"budget": -1}, "BudgetInvalid"),
                         ({"budget": "much"}, "BudgetInvalid")):
        for path in ("/jobs", "/result"):
            assert_error(server.call("POST", path, {"process": {"process_graph": ADD}, **fields}), 400, code)
    for fields in ({"plan": "paid"}, {"plan": None, "budget": None}, {"budget": 1}):
        assert server.call("POST", "/jobs", {"process": {"process_graph": ADD}, **fields}).status_code == 201
        assert server.call("POST", "/result", {"process": {"process_graph": ADD}, **fields}).status_code == 200


def scripted(body):
    code = "import time\n\ndef apply_datacube(cube, context):\n    " + body
    return {"u": {"process_id": "run_udf", "result": True,
                  "arguments": {"data": 1, "udf": code + "\n    return cube\n", "runtime": "Python"}}}


def test_what_scripts_take_is_counted(start):  # noqa: F811
    """Their processor time is their job's, and only that one's; the budget ends a script that never does."""
    server = start("--tariff", TARIFF, "--threads", "1")
    busy = scripted("while time.process_time() < 2: pass")  # of the interpreter, its start included
    _, document = finish(server, busy)
    assert document["status"] == "finished"
    assert 2 <= document["usage"]["cpu"]["value"] < 6 and document["costs"] >= 0.02
    assert float(server.result(scripted("pass")).headers["OpenEO-Costs"]) < document["costs"]
    job, document = finish(server, scripted("while True: pass"), budget=0.012)
    assert document["status"] == "error" and document["costs"] == 0.012
    assert server.call("GET", f"/jobs/{job}/results").json()["code"] == "PaymentRequired"


def test_a_disk_that_is_filled_is_seen_while_usage_is_asked_for(start):  # noqa: F811
    """A budget has the host of scripts asked again and again."""
    server = start("--tariff", TARIFF, "--threads", "1")
    body = "[open(str(i), 'wb').write(bytes(100 << 20)) for i in range(3)]\n    while True: time.sleep(1)"
    job, document = finish(server, scripted(body), budget=100)
    logs = server.call("GET", f"/jobs/{job}/logs").text
    assert document["status"] == "error" and "wrote more than 256 MiB" in logs, logs


@pytest.mark.parametrize("size", [{"shape": [8, 8], "configurations": 200000, "separation": 50},  # many tiles
                                  {"shape": [512, 512], "configurations": 2, "separation": 10000}])  # one, long
def test_a_budget_ends_what_costs_more(start, size):  # noqa: F811
    server = start("--tariff", TARIFF, "--threads", "1")
    long = {**SLOW, "field": {**SLOW["field"], "arguments": {**SLOW["field"]["arguments"], **size}}}
    job, document = finish(server, long, budget=0.005)  # half a CPU second
    assert document["status"] == "error" and document["costs"] == 0.005
    assert document["usage"]["cpu"]["value"] < 5
    answer = server.call("GET", f"/jobs/{job}/results")
    assert answer.status_code == 424 and answer.json()["code"] == "PaymentRequired"
    body = {"process": {"process_graph": long}, "budget": 0.005}
    assert_error(server.call("POST", "/result", body), 402, "PaymentRequired")
    assert server.result(ADD).json() == 3


# ---- results are kept for a while ----


def test_results_are_kept_so_many_days(start):  # noqa: F811
    server = start("--keep-results", "3")
    old, _ = finish(server, FILE)
    new, document = finish(server, FILE)
    link = next(iter(server.call("GET", f"/jobs/{old}/results").json()["assets"].values()))["href"]
    expires = server.call("GET", f"/jobs/{new}/results").json()["properties"]["expires"]
    assert expires[:10] > document["updated"][:10]
    ended, over = (calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
                   for text in (document["updated"], expires))
    assert over - ended == pytest.approx(3 * 86400, abs=2)
    execute("UPDATE jobs SET ended = ended - ? WHERE id = ?", server, 3 * 86400 * 1000, old)
    server.stop()
    server = start("--keep-results", "3")
    until(lambda: not (server.data / "jobs" / old / "run-1").exists())
    assert (server.data / "jobs" / new / "run-1").exists()
    assert server.status(old) == "finished"
    assert_error(server.call("GET", f"/jobs/{old}/results"), 410, "ResultLinkExpired")
    link = server.url + link[link.index("/openeo"):]
    assert_error(requests.get(link, timeout=10), 410, "ResultLinkExpired")
    assert server.call("GET", f"/jobs/{new}/results").status_code == 200
    server.call("POST", f"/jobs/{old}/results")
    server.wait(old, "finished")
    assert server.call("GET", f"/jobs/{old}/results").status_code == 200


# ---- the operator ----


def test_an_operator_sees_all_jobs_and_ends_them(start):  # noqa: F811
    server = start("--jobs", "1")
    job = server.create(SLOW, title="a long one")
    server.call("POST", f"/jobs/{job}/results")
    server.wait(job, "running")
    with user(server, "bob") as bob:
        waiting = bob.create(ADD)
        bob.call("POST", f"/jobs/{waiting}/results")
        listed = [line.split() for line in job_of(server, "list").stdout.splitlines()]
        assert [(fields[0], fields[1], fields[2]) for fields in listed] == [(waiting, "bob", "queued"),
                                                                            (job, "alice", "running")]
        assert len(job_of(server, "list", "--user", "bob").stdout.splitlines()) == 1
        assert len(job_of(server, "list", "--status", "running").stdout.splitlines()) == 1
        shown = job_of(server, "show", job).stdout
        assert "a long one" in shown and "lft_scalar_field" in shown and "the job starts" in shown
        assert job_of(server, "cancel", job).returncode == 0
        bob.wait(waiting, "finished")  # the worker is free
    assert server.status(job) == "canceled"
    for wrong in (["cancel", "nothing"], ["show", "nothing"], ["priority", "nothing", "3"], ["priority", job, "101"]):
        assert job_of(server, *wrong).returncode == 1
    for wrong in (["cancel"], ["list", "x"], ["end", job], []):
        assert job_of(server, *wrong).returncode == 2


def test_priorities(start):  # noqa: F811
    server = start("--jobs", "1", "--threads", "1")
    blocking = server.create(SLOW)
    server.call("POST", f"/jobs/{blocking}/results")
    server.wait(blocking, "running")
    jobs = {}
    for name, fields in (("late", {"job_options": {"priority": -5}}), ("plain", {}),
                         ("early", {"job_options": {"priority": 7}}), ("first", {})):
        jobs[server.create(WORK, title=name, **fields)] = name
    for job in jobs:
        server.call("POST", f"/jobs/{job}/results")
    assert job_of(server, "priority", list(jobs)[3], "50").returncode == 0
    server.call("DELETE", f"/jobs/{blocking}/results")
    for job in jobs:
        server.wait(job, "finished")
    order = [jobs[job] for (job,) in execute("SELECT id FROM jobs WHERE title IS NOT NULL ORDER BY started, ended",
                                             server)]
    assert order == ["first", "early", "plain", "late"]
    for wrong in (11, -11, 1.5, "high"):
        body = {"process": {"process_graph": ADD}, "job_options": {"priority": wrong}}
        assert_error(server.call("POST", "/jobs", body), 400, "RequestBodyInvalid")


def test_only_options_without_effect_are_warned_of(start):  # noqa: F811
    server = start()
    job, _ = finish(server, ADD, job_options={"priority": 1, "driver-memory": "2g"}, colour="red")
    warnings = [entry["message"] for entry in server.call("GET", f"/jobs/{job}/logs").json()["logs"]
                if entry["level"] == "warning"]
    assert len(warnings) == 1 and re.search("job_options.driver-memory", warnings[0]) and "colour" in warnings[0]
    assert "priority" not in warnings[0]
