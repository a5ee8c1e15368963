"""Test cases of processes: the official suite's files and our own, and the graphs made of them.

A case has arguments and what is expected. Special values of the suite become what the engine's graphs take:

    {"type": "nodata"}                      null
    {"type": "datetime", "value": TEXT}     TEXT
    {"type": "number", "value": "NaN"}      NaN, Infinity, -Infinity (our own files, which are plain JSON)
    {"$ref": FILE}                          the file's content, decoded where it is JSON5
    {"type": "datacube", ...}               the same, always with "order" and "dimensions" by name
    {"from_argument": NAME}                 from_node where the callback has a node NAME, else from_parameter
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pyjson5

DEFECTIVE = Path(__file__).with_name("defective.json")


@dataclass
class Case:
    process: str
    number: int  # from 1, in the order of the file
    level: str
    arguments: dict
    required: list
    expected: dict  # "returns" and "throws", those given
    delta: float
    defect: str  # why the case cannot be passed; "" for sound ones

    @property
    def name(self):
        return f"{self.process} #{self.number}"

    def graph(self):
        """The process graph that runs the case: one node."""
        return {"case": {"process_id": self.process, "arguments": self.arguments, "result": True}}


def official_cases(folder):
    """All cases of a folder of the official suite (*.json5), decoded."""
    defects = {(d["process"], d["case"]): d["reason"] for d in json.loads(DEFECTIVE.read_text("utf-8"))}
    for file in sorted(Path(folder).glob("*.json5")):
        document = pyjson5.decode(file.read_text("utf-8"))
        for number, test in enumerate(document["tests"], 1):
            level = test.get("level") or document.get("level") or "L4"
            defect = defects.get((document["id"], number), "")
            yield _case(document["id"], number, level, test, file.parent, defect)


def own_cases(folder):
    """All cases of our own <id>.test.json files below a folder."""
    for file in sorted(Path(folder).rglob("*.test.json")):
        process = file.name[: -len(".test.json")]
        for number, test in enumerate(json.loads(file.read_text("utf-8"))["tests"], 1):
            yield _case(process, number, file.parent.name, test, file.parent, "")


def _case(process, number, level, test, folder, defect):
    expected = {key: test[key] for key in ("returns", "throws") if key in test}
    arguments = {}
    try:
        if "returns" in expected:
            expected["returns"] = decode(expected["returns"], folder)
        arguments = {name: decode(value, folder) for name, value in test["arguments"].items()}
    except FileNotFoundError as missing:
        defect = defect or f"the suite has no file {Path(missing.filename).name}"
    return Case(process, number, level, arguments, test.get("required", []), expected, test.get("delta", 1e-10), defect)


def decode(value, folder):
    """A value of a test file as a value of a graph."""
    if isinstance(value, list):
        return [decode(item, folder) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    if kind == "nodata":
        return None
    if kind == "datetime" and "value" in value:
        return value["value"]
    if kind == "number" and "value" in value:
        return float(value["value"])
    if kind == "datacube":
        return _cube(value, folder)
    if set(value) == {"$ref"}:
        text = (folder / value["$ref"]).read_text("utf-8")
        return decode(pyjson5.decode(text), folder) if value["$ref"].endswith(".json5") else text
    if set(value) == {"process_graph"}:
        return {"process_graph": _callback(value["process_graph"], folder)}
    return {key: decode(item, folder) for key, item in value.items()}


def _cube(cube, folder):
    cube = {key: decode(item, folder) if key != "type" else item for key, item in cube.items()}
    if isinstance(cube["dimensions"], list):
        cube["order"] = [dimension["name"] for dimension in cube["dimensions"]]
        cube["dimensions"] = {dimension.pop("name"): dimension for dimension in cube["dimensions"]}
    cube.setdefault("order", list(cube["dimensions"]))
    return cube


def _callback(nodes, folder):
    decoded = decode(nodes, folder)
    return {name: _resolve(node, nodes) for name, node in decoded.items()}


def _resolve(value, nodes):
    if isinstance(value, list):
        return [_resolve(item, nodes) for item in value]
    if not isinstance(value, dict) or "process_graph" in value:
        return value
    if set(value) == {"from_argument"}:
        name = value["from_argument"]
        return {"from_node" if name in nodes else "from_parameter": name}
    return {key: _resolve(item, nodes) for key, item in value.items()}
