"""Random process graphs mean what a plain evaluator says, with the same bits whatever the threads and the memory.

    TWINCUBE_PROPERTY_ROUNDS=2000 TWINCUBE_PROPERTY_SEED=5000 pytest tests/property/test_property.py

runs seeds 5000 to 6999. A failure prints its seed and the graph; TWINCUBE_PROPERTY_WORLD is the seed of the
collections.
"""

import concurrent.futures
import json
import os

import numpy
import pytest

import maker
import naive
import subject as subjects

ROUNDS = int(os.environ.get("TWINCUBE_PROPERTY_ROUNDS", "100"))
SEED = int(os.environ.get("TWINCUBE_PROPERTY_SEED", "1"))
AT_ONCE = 2
PART = 20  # cases of one test


def differences(cube, answer):
    """What is not as it should be, in words; "" where nothing is."""
    cube = naive.decoded(cube)
    dimensions = answer["dimensions"] if isinstance(answer, dict) else []
    data = answer["data"] if isinstance(answer, dict) else answer
    if [d["name"] for d in dimensions] != [d.name for d in cube.dimensions]:
        return f"dimensions {[d['name'] for d in dimensions]} instead of {[d.name for d in cube.dimensions]}"
    for ours, theirs in zip(cube.dimensions, dimensions):
        same = len(ours.labels) == len(theirs["labels"]) and theirs["type"] == ours.type
        if same and ours.type == "spatial":
            extent = abs(ours.labels[0] - ours.labels[-1])
            same = numpy.allclose(ours.labels, theirs["labels"], rtol=0, atol=1e-6 * extent + 1e-9)
        elif same:
            same = list(ours.labels) == theirs["labels"]
        if not same:
            return f"dimension {ours.name}: {theirs} instead of {ours}"
    if cube.grid and cube.has("x", "y") and answer.get("crs") != f"EPSG:{cube.grid.crs}":
        return f"CRS {answer.get('crs')} instead of {cube.grid.crs}"
    values = numpy.array(data, dtype=float)
    sure = ~cube.unsure
    missing = (numpy.isnan(values) != numpy.isnan(cube.values)) & sure
    if missing.any():
        at = tuple(int(i) for i in numpy.argwhere(missing)[0])
        first = f"first {values[at]} instead of {cube.values[at]} at {at}"
        return f"{missing.sum()} of {values.size} are missing in one only, {first}"
    with numpy.errstate(invalid="ignore"):
        far = (abs(values - cube.values) > cube.slack + 1e-9) & sure
    if far.any():
        at = tuple(int(i) for i in numpy.argwhere(far)[0])
        first = f"first {values[at]} instead of {cube.values[at]} at {at}"
        return f"{far.sum()} of {values.size} differ by more than {cube.slack:.3g}, {first}"
    return ""


def check(subject, world, seed):
    """"" or what is wrong; None where the program says that it cannot."""
    graph, cube = maker.Maker(seed, world).make()
    report = ""
    try:
        plain = subject.run(graph, "--threads", 1)
        report = differences(cube, json.loads(plain))
        if not report:
            for threads in (2, 1):
                tight = subject.least_memory(graph, "--threads", threads) if seed % 2 == threads % 2 else "2G"
                if subject.run(graph, "--threads", threads, "--memory", tight) != plain:
                    report = f"other bits with --threads {threads} --memory {tight}"
    except subjects.Failure as failure:
        if failure.code == "FeatureUnsupported":
            return None
        report = str(failure)
    except subjects.Crash as crash:
        report = str(crash)
    if report:
        return f"seed {seed}: {report}\n{json.dumps(graph)}\n"
    return report


@pytest.mark.parametrize("first", range(SEED, SEED + ROUNDS, PART))
def test_graphs_mean_what_they_say(subject, world, first):
    seeds = range(first, min(first + PART, SEED + ROUNDS))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        reports = list(pool.map(lambda seed: check(subject, world, seed), seeds))
    wrong = [report for report in reports if report]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(seeds)} graphs", *wrong])
    assert reports.count(None) <= len(seeds) // 4, "too many graphs are refused"
