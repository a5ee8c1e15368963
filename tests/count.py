#!/usr/bin/env python3
"""Counts what a part of tests/run reports: prints PASSED FAILED SKIPPED. --failures: prints what failed instead.

    count.py [--failures] KIND FILE...

    junit    pytest's report
    ctest    ctest's report: the tests within each cmocka program are counted, from its output
    cases    output of conformance/official_cases.py: defective cases count as skipped
    fuzz     output of tests/fuzz/run: a line "fuzz NAME: …" for each target, with ok, FAILED or SKIPPED
    line     output that ends with a line "N passed, N failed, N skipped"

A report that is missing, empty or unreadable counts as one failure; so does a program that ended without a summary. Of
each failure its name and its last lines are printed, so that the end of a long log tells enough.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as tree

LINES, FAILURES = 12, 30  # at most: of one failure, of one part


def read(path):
    return pathlib.Path(path).read_text(encoding="utf-8", errors="replace")


# ---- counts ----


def junit(path):
    suites = list(tree.parse(path).getroot().iter("testsuite"))
    total, bad, skipped = (sum(int(suite.get(key) or 0) for suite in suites for key in keys)
                           for keys in (("tests",), ("failures", "errors"), ("skipped",)))
    return total - bad - skipped, bad, skipped


def cmocka(output, sound):
    """Of one program's output; `sound`: it ended with status 0."""
    found = {word: sum(int(n) for n in re.findall(rf"^\[\s+{word}\s+\] (\d+) test\(s\)", output, re.MULTILINE))
             for word in ("PASSED", "FAILED", "SKIPPED")}
    if sound and not found["PASSED"] and not found["SKIPPED"]:
        return 1, 0, 0
    failed = found["FAILED"] if sound or found["FAILED"] else 1
    return found["PASSED"], failed, found["SKIPPED"]


def programs(path):
    """Of each program of ctest's report: its name, its output, whether it ended well."""
    return [(case.get("name"), case.findtext("system-out") or "", case.get("status") == "run")
            for case in tree.parse(path).getroot().iter("testcase")]


def ctest(path):
    return tuple(map(sum, zip(*(cmocka(output, sound) for _, output, sound in programs(path)))))


def cases(path):
    found = re.findall(r"^all\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$", read(path), re.MULTILINE)
    passed, failed, skipped, defective = map(int, found[-1])
    return passed, failed, skipped + defective


def fuzz(path):
    lines = re.findall(r"^fuzz.*", read(path), re.MULTILINE)
    return tuple(sum(word in text for text in lines) for word in (", ok", "FAILED", "SKIPPED"))


def line(path):
    found = re.findall(r"(\d+) passed, (\d+) failed, (\d+) skipped", read(path))
    return tuple(map(int, found[-1]))


def count(reader, path):
    try:
        counts = reader(path)
        if not any(counts):
            raise ValueError("nothing was run")
        return counts
    except (OSError, ValueError, TypeError, IndexError, tree.ParseError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 0, 1, 0


# ---- failures: pairs of name and text ----


def junit_failures(path):
    for case in tree.parse(path).getroot().iter("testcase"):
        for bad in (*case.findall("failure"), *case.findall("error")):
            yield f"{case.get('classname')}::{case.get('name')}", bad.text or bad.get("message") or ""


def ctest_failures(path):
    return [(name, output) for name, output, sound in programs(path) if not sound]


def cases_failures(path):
    found = re.search(r"^failed:\n((?:  .*\n?)+)", read(path), re.MULTILINE)
    return [(text.strip(), "") for text in found[1].splitlines()] if found else [("no report", read(path))]


def output_failures(path):
    """Of output that says FAILED in the line of what failed."""
    lines = read(path).splitlines()
    named = [i for i, text in enumerate(lines) if "FAILED" in text]
    return [(lines[i], "\n".join(lines[max(0, i - LINES):i])) for i in named] or [("the end", "\n".join(lines))]


def print_failures(reader, path):
    try:
        failures = list(reader(path))
    except (OSError, tree.ParseError) as error:
        failures = [(f"{path}: {error}", "")]
    for name, text in failures[:FAILURES]:
        print("FAILED", name)
        for shown in text.rstrip().splitlines()[-LINES:]:
            print("   ", shown[:200])
    if len(failures) > FAILURES:
        print(f"and {len(failures) - FAILURES} more")


READERS = {"junit": (junit, junit_failures), "ctest": (ctest, ctest_failures), "cases": (cases, cases_failures),
           "fuzz": (fuzz, output_failures), "line": (line, output_failures)}


def main():
    arguments = sys.argv[1:]
    failures = arguments[0] == "--failures"
    kind, *paths = arguments[failures:]
    counter, finder = READERS[kind]
    if failures:
        for path in paths:
            print_failures(finder, path)
    else:
        print(*map(sum, zip(*(count(counter, path) for path in paths))))


if __name__ == "__main__":
    main()
