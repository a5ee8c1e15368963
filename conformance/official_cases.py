#!/usr/bin/env python3
"""Runs the official test cases of the openEO processes, or our own, against twincube.

    python3 conformance/official_cases.py --tests DIR --bin build/twincube [--levels L1,L2] [--processes add,mean]
                                          [--via run|http]
    python3 conformance/official_cases.py --own processes --bin build/twincube

DIR is the folder of the official suite (files <process>.json5); it is read in place. --own reads <process>.test.json
below a folder. Needs Python 3.9 and the package pyjson5. Cases whose process, or one it requires, is not offered are
skipped; cases that contradict the specification (defective.json) are run and counted apart. Exit status 1 on failures.
"""

import argparse
import os
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from cases import official_cases, own_cases
from compare import difference
from engine import CommandEngine, Crash, Failure, ServerEngine

OUTCOMES = ("passed", "failed", "skipped", "defective")


class Offer:
    """Which processes the engine knows, found out by asking it."""

    def __init__(self, engine):
        self._engine = engine
        self.has = lru_cache(maxsize=None)(self._ask)

    def _ask(self, process):
        graph = {"probe": {"process_id": process, "arguments": {}, "result": True}}
        try:
            self._engine.run(graph)
        except Failure as failure:
            return failure.code != "ProcessUnsupported"
        return True


def judge(case, engine):
    """"" where the engine does what the case expects, else what it did."""
    throws = case.expected.get("throws")
    try:
        actual = engine.run(case.graph())
    except Crash as crash:
        return f"crashed: {crash}"
    except Failure as failure:
        if throws is True or throws == failure.code:
            return ""
        wanted = f"error {throws}" if throws else "a result"
        return f"{failure} (expected {wanted})"
    if "returns" not in case.expected:
        return f"result {actual!r} (expected error {throws})"
    return difference(case.expected["returns"], actual, case.delta)


def run_case(case, engine, offer):
    """The outcome and its reason."""
    missing = [process for process in (case.process, *case.required) if not offer.has(process)]
    if missing:
        return "defective" if case.defect else "skipped", f"not offered: {', '.join(missing)}"
    reason = judge(case, engine)
    if case.defect:
        return "defective", f"{case.defect}; here: {reason or 'passed all the same'}"
    return ("failed", reason) if reason else ("passed", "")


def report(results, verbose):
    counts = defaultdict(Counter)
    for case, outcome, _ in results:
        counts[case.level][outcome] += 1
        counts["all"][outcome] += 1
    print(f"{'level':<12}" + "".join(f"{outcome:>10}" for outcome in OUTCOMES))
    for level in sorted(set(counts) - {"all"}) + ["all"]:
        print(f"{level:<12}" + "".join(f"{counts[level][outcome]:>10}" for outcome in OUTCOMES))
    for shown in ("failed", "defective") + (("skipped",) if verbose else ()):
        lines = [f"  {case.name} ({case.level}): {reason}" for case, outcome, reason in results if outcome == shown]
        if lines:
            print(f"\n{shown}:", *lines, sep="\n")
    unknown = sorted({case.process for case, outcome, _ in results if outcome == "skipped"})
    if unknown:
        print("\nprocesses with skipped cases:", " ".join(unknown))
    return counts["all"]["failed"]


def read_arguments():
    parser = argparse.ArgumentParser(description="official openEO process test cases against twincube")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--tests", metavar="DIR", help="folder of the official suite")
    source.add_argument("--own", metavar="DIR", help="folder with our own *.test.json files")
    parser.add_argument("--bin", required=True, metavar="FILE", help="the twincube program")
    parser.add_argument("--levels", metavar="L1,L2", help="only cases of these levels")
    parser.add_argument("--processes", metavar="A,B", help="only cases of these processes")
    parser.add_argument("--via", choices=("run", "http"), default="run",
                        help="command line, or a server (default: run)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="cases at a time (default: 2)")
    parser.add_argument("--verbose", action="store_true", help="list skipped cases too")
    return parser.parse_args()


def selected(arguments):
    cases = official_cases(arguments.tests) if arguments.tests else own_cases(arguments.own)
    levels = arguments.levels.split(",") if arguments.levels else None
    processes = arguments.processes.split(",") if arguments.processes else None
    return [case for case in cases
            if (levels is None or case.level in levels) and (processes is None or case.process in processes)]


def main():
    arguments = read_arguments()
    cases = selected(arguments)
    if not cases:
        print("no cases found", file=sys.stderr)
        return 2
    if not os.access(arguments.bin, os.X_OK):
        print(f"{arguments.bin} is no program", file=sys.stderr)
        return 2
    engine = (ServerEngine if arguments.via == "http" else CommandEngine)(arguments.bin)
    offer = Offer(engine)
    try:
        with ThreadPoolExecutor(arguments.jobs) as pool:
            outcomes = pool.map(lambda case: run_case(case, engine, offer), cases)
            results = [(case, *outcome) for case, outcome in zip(cases, outcomes)]
    finally:
        engine.close()
    return 1 if report(results, arguments.verbose) else 0


if __name__ == "__main__":
    sys.exit(main())
