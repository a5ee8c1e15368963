"""Simulations on several ranks: mpirun starts the program some times, and the result has the bits of one.

Rank 0 writes; which rank a chain is on must not matter, nor how many there are.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import numpy
import pytest

from conftest import BINARY

needs_mpi = pytest.mark.skipif(not shutil.which("mpirun"), reason="there is no mpirun (openmpi-bin)")
SECONDS = 120  # for what ends by itself

SCALAR = {"process_id": "lft_scalar_field",
          "arguments": {"shape": [4, 6], "m2": -4, "lambda": 8, "chains": 5, "configurations": 4, "thermalisation": 3,
                        "separation": 2, "seed": 7, "update": "cluster", "quantity": "history"}}
GAUGE = {"process_id": "lft_gauge_field",
         "arguments": {"shape": [2, 4, 2], "group": "SU(2)", "beta": 2.1, "chains": 2, "configurations": 3,
                       "thermalisation": 2, "separation": 2, "seed": 5, "precision": "single"}}
ONE = {"process_id": "lft_gauge_field",
       "arguments": {"shape": [10, 2, 4], "group": "SU(3)", "beta": 5.7, "configurations": 2, "thermalisation": 2,
                     "separation": 2, "seed": 3, "start": "hot", "boundary": ["open", "periodic", "open"]}}
MOVED = {"process_id": "lft_gauge_field",
         "arguments": {"shape": [12, 2, 4, 2], "group": "SU(2)", "beta": 2.5, "action": "iwasaki", "update": "hmc",
                       "steps": 4, "configurations": 2, "thermalisation": 1, "separation": 1, "seed": 4,
                       "start": "hot"}}


WAVES = {"process_id": "lft_scalar_field",
         "arguments": {"shape": [10, 3, 4], "m2": -1, "lambda": 2, "configurations": 3, "thermalisation": 2,
                       "separation": 2, "seed": 6, "step_size": 0.1}}
FLOW = {"flow_time": 0.4, "interval": 0.2}


def measured(process, name, **arguments):
    return {"process_id": process, "arguments": {"data": {"from_node": name}, **arguments}}


def goes_on(name, node, **arguments):
    """The same simulation from the last configuration of another."""
    return {**node, "arguments": {**node["arguments"], "first": {"from_node": name}, "first_trajectory": 8,
                                  "thermalisation": 0, **arguments}}


def saved(name):
    return {"process_id": "save_result", "arguments": {"data": {"from_node": name}, "format": "JSON"}}


def launched(ranks, folder, nodes, *options):
    """The command that runs the graph there."""
    last = list(nodes)[-1]
    nodes = {name: {**node, "result": True} if name == last else node for name, node in nodes.items()}
    (folder / "graph.json").write_text(json.dumps(nodes))
    own = [BINARY.resolve(), "run", *options, "graph.json"]
    root = ["--allow-run-as-root"] if os.getuid() == 0 else []
    return own if ranks is None else ["mpirun", *root, "--oversubscribe", "-n", str(ranks), *own]


def run(ranks, folder, nodes, *options):
    return subprocess.run(launched(ranks, folder, nodes, *options), cwd=folder, text=True, capture_output=True,
                          check=False, timeout=SECONDS)


@needs_mpi
@pytest.mark.parametrize("ranks", [2, 5])
def test_a_result_has_the_bits_of_one_rank(tmp_path, ranks):
    """Several chains; one, which is dealt in slabs; each from its start, and from configurations."""
    nodes = {"scalar": SCALAR, "before": GAUGE, "after": goes_on("before", GAUGE),
             "loops": measured("lft_plaquette", "after"),
             "first": ONE, "second": goes_on("first", ONE, precision="single"),
             "history": goes_on("first", ONE, quantity="history"), "moved": MOVED,
             "moves": {**MOVED, "arguments": {**MOVED["arguments"], "quantity": "history", "precision": "single"}},
             "plane": {**ONE, "arguments": {**ONE["arguments"], "shape": [4, 6], "group": "U(1)", "beta": 2,
                                            "boundary": "periodic", "quantity": "history"}}}
    nodes |= {"flow": measured("lft_wilson_flow", "moved", **FLOW), "stout": measured("lft_smear", "second", steps=2,
                                                                                   method="stout"),
              "adapted": measured("lft_wilson_flow", "second", quantity="field", tolerance=1e-4, **FLOW)}
    for update in "hmc", "metropolis":
        nodes[f"{update}_before"] = {**WAVES, "arguments": {**WAVES["arguments"], "update": update}}
        nodes[update] = goes_on(f"{update}_before", nodes[f"{update}_before"])
        nodes[f"{update}_history"] = goes_on(f"{update}_before", nodes[update], quantity="history")
    nodes |= {"hyp": measured("lft_smear", "moved", method="hyp"), "around": measured("lft_polyakov_loop", "moved"),
              "charge": measured("lft_topological_charge", "moved", method="improved"),
              "rectangles": measured("lft_rectangle", "moved"), "action": measured("lft_action", "moved", beta=2.5),
              "wilson": measured("lft_wilson_loop", "moved", r=1, t=2)}
    names = ["hmc", "metropolis", "hmc_history", "metropolis_history", "scalar", "loops", "second", "history", "plane",
             "moved", "moves", "flow", "stout", "adapted", "hyp", "around", "charge", "rectangles", "action", "wilson"]
    quarks = {"pions": measured("lft_meson_correlator", "moved", kappa=0.08, clover=1, source="z4", tolerance=1e-4),
              "quarks": measured("lft_propagator", "moved", operator="staggered", mass=1, tolerance=1e-4),
              "condensate": measured("lft_chiral_condensate", "moved", kappa=0.08, sources=2, tolerance=1e-4)}
    if ranks == 2:  # each step of a solver waits for all ranks, which takes long where they wait for cores, too
        nodes |= quarks
        names += quarks
    nodes |= {f"saved_{name}": saved(name) for name in names}
    (tmp_path / "one").mkdir()
    (tmp_path / "more").mkdir()
    alone = run(None, tmp_path, nodes, "-o", "one/")
    assert alone.returncode == 0, alone.stderr
    result = run(ranks, tmp_path, nodes, "-v", "-o", "more/", "--threads", "2")
    assert result.returncode == 0, result.stderr
    for chains, on in (5, ranks), (2, 2), (1, ranks), (1, 2):
        assert f"chains: {chains}, on {on} of {ranks} ranks" in result.stderr, result.stderr
    for what in ["Wilson flow", "rectangle", "Polyakov loop", "propagator"][:3 + (ranks == 2)]:
        assert f"{what}: each field on {ranks} of {ranks} ranks" in result.stderr, result.stderr
    assert f'warning: node "wilson": Wilson loops: each field on 1 of {ranks} ranks' in result.stderr, result.stderr
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(f"saved_{n}.json" for n in names)
    for path in (tmp_path / "one").iterdir():
        assert (tmp_path / "more" / path.name).read_bytes() == path.read_bytes(), path.name
        assert numpy.ptp(json.loads(path.read_text())["data"]) > 0


def test_explain_tells_what_ranks_would_have(tmp_path):
    alone = {**SCALAR["arguments"], "chains": 1}
    nodes = {"scalar": SCALAR, "moved": MOVED, "waves": WAVES, "clusters": {**SCALAR, "arguments": alone},
             "line": {**WAVES, "arguments": {**WAVES["arguments"], "shape": [8]}},
             "short": {**MOVED, "arguments": {**MOVED["arguments"], "shape": [6, 2, 4, 2]}},
             "coupled": {"process_id": "lft_gauge_tempering", "arguments": {
                 "shape": [4, 4], "group": "U(1)", "betas": [1, 2], "configurations": 2}},
             "quarks": {"process_id": "lft_schwinger_field", "arguments": {
                 "shape": [4, 4], "beta": 2, "kappa": 0.2, "configurations": 2}}}
    expected = {"scalar": "chains, at most 5", "moved": "slabs of x0, at most 6",
                "waves": "slabs of x0, at most 5", "clusters": "one, because clusters grow over the whole lattice",
                "line": "one, because x0 is odd, or too short for slabs, or the only axis",
                "short": "one, because an extent is odd, or x0 too short for slabs and their copies",
                "coupled": "one, because its chains exchange what they have",
                "quarks": "one, because the fermions' equation is solved on the whole lattice"}
    nodes |= {"flow": measured("lft_wilson_flow", "moved", **FLOW), "fixed": measured("lft_gauge_fixing", "moved"),
              "quark": measured("lft_propagator", "moved", operator="staggered", mass=1)}
    nodes["applied"] = {"process_id": "lft_dirac", "arguments": {
        "data": {"from_node": "moved"}, "field": {"from_node": "quark"}, "operator": "staggered", "mass": 1}}
    nodes |= {f"saved_{name}": saved(name) for name in [*expected, "flow", "fixed", "applied"]}
    command = launched(None, tmp_path, nodes)
    text, plan = (subprocess.run([command[0], "explain", command[-1], *options], cwd=tmp_path, text=True, check=True,
                                 capture_output=True, timeout=SECONDS).stdout for options in ([], ["--json"]))
    told = {stage["node"]: stage["origin"] for stage in json.loads(plan)["stages"] if stage["kind"] == "source"}
    assert {name: origin.partition("; on ranks: ")[2] for name, origin in told.items()} == expected
    for name, origin in told.items():
        assert f'"{name}" Markov chain: {origin}\n' in text
    assert " for each configuration; on ranks: slabs of x0, at most 6" in text
    whole = "; on ranks: one, because it looks at all of the lattice"
    assert re.findall(f'"(\\w+)" .*{whole}', text) == ["fixed", "applied"]


@needs_mpi
def test_a_failure_ends_all(tmp_path):
    wrong = run(2, tmp_path, {"a": {**SCALAR, "arguments": {**SCALAR["arguments"], "lambda": -1}}}, "-o", "out.json")
    assert wrong.returncode == 1 and "ProcessParameterInvalid" in wrong.stderr and "lambda" in wrong.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph.json"]


@needs_mpi
def test_fields_that_are_none_are_told_as_by_one_rank(tmp_path):
    """Links of twice the length, from slabs that each look at their own."""
    twice = {"process_id": "apply", "arguments": {"data": {"from_node": "first"}, "process": {"process_graph": {
        "x": {"process_id": "multiply", "arguments": {"x": {"from_parameter": "x"}, "y": 2}, "result": True}}}}}
    nodes = {"first": MOVED, "twice": twice, "flow": measured("lft_wilson_flow", "twice", **FLOW)}
    alone, two = run(None, tmp_path, nodes, "-o", "out.json"), run(2, tmp_path, nodes, "-o", "out.json")
    assert alone.returncode == two.returncode == 1
    said = next(line for line in alone.stderr.splitlines() if line.startswith("ProcessParameterInvalid: "))
    assert "site 0 of configuration 0" in said and said in two.stderr.splitlines()


@needs_mpi
def test_a_farm_of_tasks_loses_none(tmp_path):
    """The same command in a folder for each task: refused, as only one would write, unless each is to run alone."""
    def farm(*options):
        command = launched(2, tmp_path, {"a": SCALAR}, *options, "-o", "out.json")
        at = command.index(BINARY.resolve())
        return subprocess.run([*command[:at], "sh", "-c", 'cd $OMPI_COMM_WORLD_RANK && cp ../graph.json . && exec "$@"',
                               "sh", *command[at:]],
                              cwd=tmp_path, text=True, capture_output=True, check=False, timeout=SECONDS)
    for rank in "01":
        (tmp_path / rank).mkdir()
    result = farm()
    assert result.returncode == 1 and "different runs" in result.stderr and "--ranks off" in result.stderr
    assert not list(tmp_path.glob("*/out.json"))
    result = farm("--ranks", "off")
    assert result.returncode == 0, result.stderr
    assert len({path.read_bytes() for path in tmp_path.glob("*/out.json")}) == 1
    assert len(list(tmp_path.glob("*/out.json"))) == 2


def rank_of(process):
    """The rank of a process that mpirun started; None where it does not run."""
    try:
        environment = pathlib.Path(f"/proc/{process}/environ").read_bytes()
    except OSError:
        return None
    found = re.search(rb"\0OMPI_COMM_WORLD_RANK=(\d+)\0", environment)
    return found and int(found[1])


@needs_mpi
@pytest.mark.parametrize("rank", [0, 1, None])
def test_none_outlives_the_others(tmp_path, rank):
    """A rank is killed while it computes chains, or its slab of one; or mpirun is told to stop."""
    node = MOVED if rank == 1 else GAUGE
    long = {"a": {**node, "arguments": {**node["arguments"], "configurations": 1000000}}}
    command = launched(2, tmp_path, long, "-v", "-o", "out/")
    (tmp_path / "out").mkdir()
    with subprocess.Popen(command, cwd=tmp_path, text=True, stderr=subprocess.PIPE) as launcher:
        assert any("on 2 of 2 ranks" in line for line in launcher.stderr)
        children = pathlib.Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
        assert sorted(map(rank_of, children)) == [0, 1]
        if rank is None:
            launcher.send_signal(signal.SIGTERM)
        else:
            os.kill(next(int(child) for child in children if rank_of(child) == rank), signal.SIGKILL)
        said = launcher.communicate(timeout=SECONDS)[1]
    assert launcher.returncode != 0
    assert rank is None or f"process rank {rank}" in said
    assert [rank_of(child) for child in children] == [None, None]
    if rank != 0:
        assert not list((tmp_path / "out").iterdir())


def test_tasks_that_no_mpi_joins_do_not_each_compute(tmp_path):
    """As under a launcher that knows nothing of the MPI that is installed."""
    result = subprocess.run(launched(None, tmp_path, {"a": SCALAR}, "-o", "out.json"), cwd=tmp_path, text=True,
                            capture_output=True, check=False, timeout=SECONDS,
                            env={**os.environ, "SLURM_STEP_NUM_TASKS": "2"})
    assert result.returncode == 1 and result.stderr.startswith("FeatureUnsupported: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graph.json"]
