"""REPORT.md: requirement, evidence, result."""

import datetime
import re
from dataclasses import dataclass, field


@dataclass
class Row:
    state: str  # ok, FAIL, skip
    name: str
    detail: str = ""

    def line(self):
        return f"{self.state:4} {self.name}" + (f" -> {self.detail}" if self.detail else "")


@dataclass
class Result:
    requirement: str
    evidence: str
    rows: list = field(default_factory=list)
    known: dict = field(default_factory=dict)  # part of name or detail of a row that cannot pass -> why

    def counts(self):
        return {state: sum(row.state == state for row in self.rows) for state in ("ok", "FAIL", "skip")}

    def reason(self, row):
        return next((why for part, why in self.known.items() if part in row.name or part in row.detail), "open")

    def failed(self):
        """Of rows that fail alike, by the beginning of what they say, the first and how many there are."""
        alike = {}
        for row in self.rows:
            if row.state == "FAIL":
                said = re.sub(r"\S*/\S+|'[^']*'", "…", row.detail)[:60]
                alike.setdefault((self.reason(row), said), []).append(row)
        return [(rows[0], len(rows)) for rows in alike.values()]

    def text(self):
        counts = self.counts()
        if not counts["ok"] and not counts["FAIL"]:
            return "not run: " + (self.rows[0].detail if self.rows else "nothing to do")
        total = counts["ok"] + counts["FAIL"]
        skipped = f", {counts['skip']} skipped" if counts["skip"] else ""
        return f"{counts['ok']} of {total}{skipped}"


def cell(text):
    text = re.sub(r"http://127\.0\.0\.1:\d+", "http://HOST", str(text))
    return " ".join(str(text).split()).replace("|", "\\|")


def write(results):
    lines = ["# Conformance report", "",
             f"Written by `conformance/run` on {datetime.date.today().isoformat()}; its first lines say how to run it.",
             "", "| requirement | evidence | result |", "|---|---|---|"]
    lines += [f"| {cell(r.requirement)} | {cell(r.evidence)} | {cell(r.text())} |" for r in results.values()]
    for name, result in results.items():
        failed = result.failed()
        if failed:
            lines += ["", f"## {name}: what did not pass", "", "| what | said | why |", "|---|---|---|"]
            lines += [f"| {cell(row.name)}{f' and {count - 1} more' if count > 1 else ''} | {cell(row.detail)[:300]} "
                      f"| {cell(result.reason(row))} |" for row, count in failed]
    return "\n".join(lines) + "\n"
