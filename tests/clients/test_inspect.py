"""inspect: what it says stands in the job's log, once, and the data go on unchanged."""

import json
import subprocess

from conftest import BINARY

GRAPH = {
    "made": {"process_id": "array_create", "arguments": {"data": [1, None, "ä"], "repeat": 9}},
    "seen": {"process_id": "inspect", "arguments": {"data": {"from_node": "made"}, "message": "Grüße", "code": "Mine",
                                                    "level": "warning"}},
    "cube": {"process_id": "apply", "arguments": {
        "data": {"type": "datacube", "order": ["t"], "dimensions": {"t": {"type": "temporal",
                                                                        "values": ["2020-01-01T00:00:00Z"]}},
                                                                        "data": [4]},
        "process": {"process_graph": {
            "inside": {"process_id": "inspect", "arguments": {"data": {"from_parameter": "x"}, "message": "a pixel"}},
            "root": {"process_id": "sqrt", "arguments": {"x": {"from_node": "inside"}}, "result": True}}}}},
    "last": {"process_id": "inspect", "arguments": {"data": {"from_node": "cube"}}, "result": True},
}


def test_job_log(connection):
    job = connection.create_job(GRAPH, log_level="debug")
    job.start_and_wait(connection_retry_interval=0.2, max_poll_interval=0.2, print=lambda *_: None)
    entries = {(entry["code"], tuple(part["node_id"] for part in entry["path"])): entry
               for entry in job.logs() if entry.get("path") and entry.get("code")}
    assert set(entries) == {("Mine", ("seen",)), ("User", ("cube/process/inside",)), ("User", ("last",))}
    mine = entries["Mine", ("seen",)]
    assert (mine["level"], mine["message"]) == ("warning", "Grüße")
    assert mine["data"]["length"] == 27 and mine["data"]["first"][:3] == [1, None, "ä"]
    assert entries["User", ("cube/process/inside",)]["data"]["depends_on_pixel"] is True
    assert [d["name"] for d in entries["User", ("last",)]["data"]["dimensions"]] == ["t"]
    assert sum(1 for entry in job.logs() if entry.get("code") == "Mine") == 1


def test_command_line(tmp_path):
    (tmp_path / "graph.json").write_text(json.dumps(GRAPH))
    done = subprocess.run([BINARY, "run", "graph.json", "--data", ".", "-o", "out.json"], cwd=tmp_path, check=True,
                          capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if "node" in line]
    assert len(lines) == 3 and lines[0].startswith('warning: node "seen": Mine: Grüße: ')
    assert json.loads((tmp_path / "out.json").read_text())["data"] == [2]
