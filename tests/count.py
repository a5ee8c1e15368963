#!/usr/bin/env python3
"""Counts what a part of tests/run reports: prints PASSED FAILED SKIPPED.

    count.py junit FILE    pytest's report
    count.py ctest FILE    ctest's report: the tests within each cmocka program are counted, from its output
    count.py cases FILE    output of conformance/official_cases.py: defective cases count as skipped
    count.py fuzz FILE     output of tests/fuzz/run: a line "fuzz NAME: …" for each target, with ok, FAILED or SKIPPED
    count.py line FILE     output that ends with a line "N passed, N failed, N skipped"

A report that is missing, empty or unreadable counts as one failure; so does a program that ended without a summary.
"""

import re
import sys
import xml.etree.ElementTree as tree


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


def ctest(path):
    counts = [cmocka(case.findtext("system-out") or "", case.get("status") == "run")
              for case in tree.parse(path).getroot().iter("testcase")]
    return tuple(map(sum, zip(*counts)))


def cases(path):
    found = re.findall(r"^all\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$", open(path, encoding="utf-8").read(), re.MULTILINE)
    passed, failed, skipped, defective = map(int, found[-1])
    return passed, failed, skipped + defective


def fuzz(path):
    lines = re.findall(r"^fuzz.*", open(path, encoding="utf-8").read(), re.MULTILINE)
    return tuple(sum(word in text for text in lines) for word in (", ok", "FAILED", "SKIPPED"))


def line(path):
    found = re.findall(r"(\d+) passed, (\d+) failed, (\d+) skipped", open(path, encoding="utf-8").read())
    return tuple(map(int, found[-1]))


def main():
    reader = {"junit": junit, "ctest": ctest, "cases": cases, "fuzz": fuzz, "line": line}[sys.argv[1]]
    try:
        counts = reader(sys.argv[2])
        if not any(counts):
            raise ValueError("nothing was run")
    except (OSError, ValueError, TypeError, IndexError, tree.ParseError) as error:
        print(f"{sys.argv[2]}: {error}", file=sys.stderr)
        counts = (0, 1, 0)
    print(*counts)


if __name__ == "__main__":
    main()
