"""phi^4 on the lattice from process graphs, against values of an independent program and against identities.

Run by pytest. The program is TWINCUBE_BIN (default build/twincube under the repository). Seeds are fixed, so a result
within its tolerance stays there; statistical tolerances are four combined standard errors.
"""

import json
import math
import os
import pathlib
import re
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TWINCUBE = os.environ.get("TWINCUBE_BIN", str(ROOT / "build" / "twincube"))

LAMBDA_8 = {"m2": -4, "lambda": 8}
LAMBDA_6 = {"m2": -4, "lambda": 6.008}


def ensemble(**arguments):
    defaults = {"shape": [8, 8], "m2": -4, "lambda": 8, "seed": 1, "configurations": 20000, "separation": 5}
    return {"process_id": "lft_scalar_field", "arguments": {**defaults, **arguments}}


def of_x(process, **arguments):
    """A callback of one process with the value as x."""
    return {"process_graph": {"p": {"process_id": process, "arguments": {"x": {"from_parameter": "x"}, **arguments},
                                    "result": True}}}


def of_data(process, **arguments):
    """A callback of one process with the array as data."""
    return {
        "process_graph": {
            "p": {"process_id": process, "arguments": {"data": {"from_parameter": "data"}, **arguments}, "result": True}
        }
    }


SQUARE = {"process_graph": {"p": {"process_id": "multiply", "result": True,
                                  "arguments": {"x": {"from_parameter": "x"}, "y": {"from_parameter": "x"}}}}}


def chain(first, *steps):
    """A graph of nodes that follow each other; each step is (process, arguments without data)."""
    graph = {"n0": first}
    for i, (process, arguments) in enumerate(steps, 1):
        graph[f"n{i}"] = {"process_id": process, "arguments": {"data": {"from_node": f"n{i - 1}"}, **arguments}}
    graph[f"n{len(steps)}"]["result"] = True
    return graph


def apply(callback):
    return "apply", {"process": callback}


def mean_over(dimension):
    return "reduce_dimension", {"dimension": dimension, "reducer": of_data("mean")}


def jackknife(**arguments):
    return "apply_dimension", {"dimension": "configuration", "target_dimension": "statistic",
                               "process": of_data("jackknife", **arguments)}


def run(graph, folder, *options, name="out"):
    """The bytes of the JSON output."""
    source, output = folder / f"{name}.graph.json", folder / f"{name}.json"
    source.write_text(json.dumps(graph))
    done = subprocess.run([TWINCUBE, "run", str(source), "-o", str(output), *options], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr
    return output.read_bytes()


def fails(graph, folder, *options):
    source = folder / "bad.graph.json"
    source.write_text(json.dumps(graph))
    done = subprocess.run([TWINCUBE, "run", str(source), "-o", str(folder / "bad.json"), *options],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    return done.stderr


def estimate(graph, folder):
    """Value and error, taken by their labels."""
    cube = json.loads(run(graph, folder))
    assert [d["name"] for d in cube["dimensions"]] == ["statistic"]
    result = dict(zip(cube["dimensions"][0]["labels"], cube["data"]))
    return result["value"], result["error"]


def agree(measured, expected, sigma=0.0):
    value, error = measured
    combined = math.hypot(error, sigma)
    print(f"{value:.6f}({error:.6f}) expected {expected:.6f}({sigma:.6f}) {(value - expected) / combined:+.2f} sigma")
    assert abs(value - expected) < 4 * combined


SQUARE_MEAN = (apply(SQUARE), mean_over("x1"), mean_over("x0"))
FIELD_MEAN = (mean_over("x1"), mean_over("x0"))


def test_phi_squared(tmp_path):
    agree(estimate(chain(ensemble(**LAMBDA_8), *SQUARE_MEAN, jackknife(bin_size=20)), tmp_path), 0.143467, 0.000026)
    agree(estimate(chain(ensemble(**LAMBDA_6), *SQUARE_MEAN, jackknife(bin_size=20)), tmp_path), 0.183959, 0.000035)


def test_absolute_mean(tmp_path):
    graph = chain(ensemble(seed=2), *FIELD_MEAN, apply(of_x("absolute")), jackknife(bin_size=20))
    agree(estimate(graph, tmp_path), 0.087019, 0.000074)


def test_susceptibility(tmp_path):
    graph = chain(ensemble(seed=3), *FIELD_MEAN, apply(SQUARE), apply(of_x("multiply", y=64)), jackknife(bin_size=20))
    agree(estimate(graph, tmp_path), 0.7441, 0.0012)


def test_free_field(tmp_path):
    """1/V sum_p 1/(2 (khat^2 + M2)): half of the propagator of S = 1/2 sum phi (khat^2 + m2) phi."""
    khat2 = [4 * math.sin(math.pi * n / 8) ** 2 for n in range(8)]
    exact = sum(1 / (2 * (a + b + 1)) for a in khat2 for b in khat2) / 64
    assert abs(2 * exact - 0.254173997690) < 1e-12
    graph = chain(ensemble(m2=1, **{"lambda": 0}, steps=4), *SQUARE_MEAN, jackknife(bin_size=20))
    agree(estimate(graph, tmp_path), exact)


def test_error_is_the_standard_error(tmp_path):
    """The jackknife's two numbers against the same from the values themselves; a general estimator too."""
    arguments = {"seed": 5, "configurations": 300}
    squares = json.loads(run(chain(ensemble(**arguments), *SQUARE_MEAN), tmp_path))["data"]
    assert len(squares) == 300
    bins = [sum(squares[i:i + 6]) / 6 for i in range(0, 300, 6)]
    mean = sum(bins) / 50
    error = math.sqrt(sum((b - mean) ** 2 for b in bins) / 49 / 50)
    for options in ({"bin_size": 6}, {"bin_size": 6, "estimator": of_data("mean")}):
        value, given = estimate(chain(ensemble(**arguments), *SQUARE_MEAN, jackknife(**options)), tmp_path)
        assert value == pytest.approx(mean, rel=1e-12)
        assert given == pytest.approx(error, rel=1e-10)


def test_history(tmp_path):
    """<exp(-dH)> = 1, and the acceptance is erfc(sqrt(<dH>)/2) (dH of 64 sites is nearly normal)."""
    graph = chain(ensemble(quantity="history", configurations=20000, separation=2, seed=7), jackknife(bin_size=20))
    cube = json.loads(run(graph, tmp_path))
    by_name = {d["name"]: d["labels"] for d in cube["dimensions"]}
    order = [d["name"] for d in cube["dimensions"]]
    assert sorted(order) == ["diagnostic", "statistic"]

    def at(diagnostic):
        where = {"diagnostic": by_name["diagnostic"].index(diagnostic)}
        pick = lambda statistic: {**where, "statistic": by_name["statistic"].index(statistic)}
        return tuple(cube["data"][i[order[0]]][i[order[1]]] for i in (pick("value"), pick("error")))

    agree(at("exp_minus_dH"), 1)
    agree(at("acceptance"), at("accepted")[0], at("accepted")[1])
    assert abs(at("accepted")[0] - math.erfc(math.sqrt(at("dH")[0]) / 2)) < 0.015


def work_of_threads(graph, tmp_path, threads):
    """The result's text, and the seconds of processor time that each thread of the run took, the busiest first.

    Threads that wait sleep (OMP_WAIT_POLICY), so time is work, whatever else the machine does.
    """
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    result = tmp_path / f"threads{threads}.json"
    process = subprocess.Popen([TWINCUBE, "run", "-", "-o", result, "--threads", str(threads), "--data", tmp_path],
                               stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment, text=True)
    process.stdin.write(json.dumps(graph))
    process.stdin.close()
    tick, ticks = os.sysconf("SC_CLK_TCK"), {}
    while process.poll() is None:
        for task in pathlib.Path(f"/proc/{process.pid}/task").glob("*/stat"):
            try:
                fields = task.read_text().rpartition(")")[2].split()
            except OSError:  # the thread has ended
                continue
            ticks[task.parent.name] = int(fields[11]) + int(fields[12])  # user and system time
        time.sleep(0.01)
    assert process.returncode == 0
    return result.read_text(), sorted((count / tick for count in ticks.values()), reverse=True)


LARGE = {"shape": [512, 512], "thermalisation": 60, "configurations": 4, "separation": 2}


@pytest.mark.alone
@pytest.mark.parametrize(
    "name, graph",
    [
        ("statistic", chain(ensemble(**LARGE), *SQUARE_MEAN)),
        (
            "twice",
            {  # x - mean(x): the chain is read by two
                "x": ensemble(**LARGE),
                "mean": {
                    "process_id": "reduce_dimension",
                    "arguments": {"data": {"from_node": "x"}, "dimension": "configuration", "reducer": of_data("mean")},
                },
                "d": {
                    "process_id": "merge_cubes",
                    "arguments": {
                        "cube1": {"from_node": "x"},
                        "cube2": {"from_node": "mean"},
                        "overlap_resolver": {
                            "process_graph": {
                                "s": {
                                    "process_id": "subtract",
                                    "arguments": {"x": {"from_parameter": "x"}, "y": {"from_parameter": "y"}},
                                    "result": True,
                                }
                            }
                        },
                    },
                },
                "a": {
                    "process_id": "reduce_dimension",
                    "arguments": {"data": {"from_node": "d"}, "dimension": "x0", "reducer": of_data("max")},
                },
                "b": {
                    "process_id": "reduce_dimension",
                    "arguments": {"data": {"from_node": "a"}, "dimension": "x1", "reducer": of_data("max")},
                    "result": True,
                },
            },
        ),
    ],
)
def test_same_bits_where_two_threads_work(name, graph, tmp_path):
    """A sweep of a large lattice is shared: the second thread does at least a third of what the first does."""
    one, [alone, *idle] = work_of_threads(graph, tmp_path, 1)
    two, [first, *others] = work_of_threads(graph, tmp_path, 2)
    assert one == two
    assert sum(idle) < 0.1 * alone + 0.05
    assert sum(others) > first / 3, f"seconds of work: {first}, then {others}"


def test_same_bits_on_any_number_of_threads(tmp_path):
    """Lattices too small to be shared, and three threads for two slices."""
    graphs = {
        "statistic": chain(ensemble(configurations=500), *SQUARE_MEAN, jackknife()),
        "field": chain(ensemble(configurations=40, shape=[4, 6, 10], thermalisation=10), apply(SQUARE)),
        "whole": {"n0": {**ensemble(configurations=20), "result": True}},
    }
    for name, graph in graphs.items():
        one = run(graph, tmp_path, "--threads", "1", name=name + "1")
        for threads in ("2", "3"):
            assert one == run(graph, tmp_path, "--threads", threads, name=name + threads)


def test_cube_and_seed(tmp_path):
    cube = json.loads(run({"n0": {**ensemble(shape=[3, 5], configurations=4), "result": True}}, tmp_path))
    assert [d["name"] for d in cube["dimensions"]] == ["configuration", "x0", "x1"]
    assert [len(d["labels"]) for d in cube["dimensions"]] == [4, 3, 5]
    assert {d["type"] for d in cube["dimensions"]} == {"other"}
    assert cube["dtype"] == "float64"
    more = json.loads(run({"n0": {**ensemble(shape=[3, 5], configurations=9), "result": True}}, tmp_path))
    assert more["data"][:4] == cube["data"]
    other = json.loads(run({"n0": {**ensemble(shape=[3, 5], configurations=4, seed=2), "result": True}}, tmp_path))
    assert other["data"] != cube["data"]


@pytest.mark.parametrize("arguments, parameter", [
    ({"shape": [8, -8]}, "shape"), ({"shape": []}, "shape"), ({"shape": [4096, 4096]}, "shape"),
    ({"lambda": -1}, "lambda"), ({"lambda": 0}, "m2"), ({"configurations": 0}, "configurations"),
    ({"configurations": 1.5}, "configurations"), ({"step_size": 0}, "step_size"), ({"steps": 0}, "steps"),
    ({"thermalisation": -1}, "thermalisation"), ({"separation": 0}, "separation"), ({"seed": -1}, "seed"),
    ({"quantity": "charge"}, "quantity"), ({"integrator": "euler"}, "integrator"),
    ({"shape": [2048, 2048], "steps": 10000}, "thermalisation"),
])
def test_bad_arguments_are_named(arguments, parameter, tmp_path):
    message = fails({"n0": {**ensemble(**arguments), "result": True}}, tmp_path)
    assert message.startswith("ProcessParameterInvalid: ")
    assert parameter in message and len(message.strip().splitlines()) == 1


# ---- cubes that are not a whole lattice


def gauge_field(**arguments):
    defaults = {"shape": [4, 4], "group": "U(1)", "beta": 2, "configurations": 1, "thermalisation": 0, "separation": 1}
    return {"process_id": "lft_gauge_field", "arguments": {**defaults, **arguments}}


def part_of(dimension, condition, number):
    """The labels that meet the condition."""
    return "filter_labels", {"dimension": dimension, "condition": {"process_graph": {"c": {
        "process_id": condition, "arguments": {"x": {"from_parameter": "value"}, "y": number}, "result": True}}}}


@pytest.mark.parametrize("step", [
    part_of("x0", "gte", 2), part_of("x1", "neq", 1),
    ("rename_labels", {"dimension": "x0", "target": [3, 2, 1, 0]}),
    ("rename_labels", {"dimension": "x1", "target": ["a", "b", "c", "d"]}),
])
def test_axes_are_whole(step, tmp_path):
    """A slab, a lattice with a hole, axes in another order: links would meet neighbours that are none."""
    for process, arguments in (("lft_plaquette", {}), ("lft_gauge_transformation", {"seed": 1})):
        message = fails(chain(gauge_field(), step, (process, arguments)), tmp_path)
        assert "ProcessParameterInvalid" in message and "data" in message and "labels of an axis" in message
    graph = chain(ensemble(shape=[4, 4], configurations=1), step)
    size = [3, 4] if step[1].get("condition") else [4, 4]
    graph["on"] = {**ensemble(shape=size, configurations=1, first={"from_node": "n1"}), "result": True}
    del graph["n1"]["result"]
    message = fails(graph, tmp_path)
    assert "ProcessParameterInvalid" in message and "first" in message


def test_first_is_counted_in_memory(tmp_path):
    """What suffices for a chain does not for one that also keeps the 4 MiB of configurations that it goes on from."""
    arguments = {"shape": [256, 256], "chains": 2, "overrelaxation": 0}
    measure = ("lft_plaquette", {})
    plain = chain(gauge_field(**arguments), measure)
    needs = re.search(r"needs (\d+) bytes .* with (\d+) bytes", fails(plain, tmp_path, "--memory", "99M"))
    least = -(-(int(needs[1]) + int(needs[2])) >> 20)
    run(plain, tmp_path, "--memory", f"{least}M")
    on = chain(gauge_field(**arguments, first={"from_node": "before"}, first_trajectory=1), measure)
    on["before"] = gauge_field(**arguments)
    assert "ProcessGraphComplexity" in fails(on, tmp_path, "--memory", f"{least + 2}M")
    run(on, tmp_path, "--memory", f"{least + 6}M")
    message = fails(on, tmp_path, "--memory", "3M")
    assert "ProcessGraphComplexity" in message and "first" in message and "4194304 bytes" in message


# ---- numbers that are no gauge field

QUARKS = {"operator": "wilson", "mass": 0.5}
CONSUMERS = [("lft_plaquette", {}), ("lft_rectangle", {}), ("lft_action", {"beta": 1}), ("lft_polyakov_loop", {}),
             ("lft_wilson_loop", {"r": 1, "t": 1}), ("lft_topological_charge", {}), ("lft_gauge_residual", {}),
             ("lft_gauge_fixing", {"tolerance": 1e-4}), ("lft_gauge_transformation", {"seed": 1}),
             ("lft_smear", {"method": "ape"}), ("lft_wilson_flow", {"flow_time": 0.1, "tolerance": 1e-5}),
             ("lft_wilson_flow", {"flow_time": 0.1, "quantity": "field"}), ("lft_propagator", QUARKS),
             ("lft_chiral_condensate", QUARKS), ("lft_meson_correlator", QUARKS), ("lft_dirac", QUARKS)]


def spoilt(factor, consumer, **arguments):
    """What a consumer makes of two configurations, all links of the second times the factor (None: no-data)."""
    process, others = consumer
    spoil = {"i": {"process_id": "gt", "arguments": {"x": {"from_parameter": "index"}, "y": 0}},
             "f": {"process_id": "if", "arguments": {"value": {"from_node": "i"}, "accept": factor, "reject": 1}},
             "p": {"process_id": "multiply", "result": True,
                   "arguments": {"x": {"from_parameter": "x"}, "y": {"from_node": "f"}}}}
    each = {"a": {"process_id": "array_apply", "result": True,
                  "arguments": {"data": {"from_parameter": "data"}, "process": {"process_graph": spoil}}}}
    step = "apply_dimension", {"dimension": "configuration", "process": {"process_graph": each}}
    graph = chain(gauge_field(configurations=2, **arguments), step, consumer)
    if process == "lft_dirac":
        graph["quark"] = {"process_id": "lft_propagator", "arguments": {"data": {"from_node": "n0"}, **others}}
        graph["n2"]["arguments"]["field"] = {"from_node": "quark"}
    return graph


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda consumer: consumer[0])
def test_links_are_unitary(consumer, tmp_path):
    """Links too long are refused with their configuration; what rounding leaves is not, nor an open axis."""
    for factor, off in ((1000, "1e+06"), (1.01, "0.0201"), (0, "1")):
        message = fails(spoilt(factor, consumer), tmp_path)
        assert message.startswith("ProcessParameterInvalid: ") and 'parameter "data"' in message
        assert "configuration 1 " in message and message.strip().endswith(f" {off}")
    run(spoilt(1.000001, consumer, boundary=["open", "periodic"]), tmp_path)
    run(spoilt(-1, consumer), tmp_path)  # of U(1), not of SU(3)
    message = fails(spoilt(-1, consumer, group="SU(3)", shape=[2, 2, 2, 2]), tmp_path)
    assert "links are in SU(3)" in message and "configuration 1 " in message and message.strip().endswith(" 2")


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda consumer: consumer[0])
def test_configurations_may_be_missing(consumer, tmp_path):
    """One of no-data gives no-data, and leaves the other as it is."""
    spoil, plain = (json.loads(run(spoilt(factor, consumer), tmp_path)) for factor in (None, 1))
    assert [d["name"] for d in plain["dimensions"]].index("configuration") == 0
    assert spoil["data"][0] == plain["data"][0]
    values = [set(re.findall(r"[^][, ]+", json.dumps(cube["data"][1]))) for cube in (spoil, plain)]
    assert values[0] == {"null"} != values[1]


@pytest.mark.parametrize("labels", [2, 400])
@pytest.mark.parametrize("change, mean", [(of_x("multiply", y=1), None), (
    {"process_graph": {"o": {"process_id": "constant", "arguments": {"x": 1}, "result": True}}}, 1)])
def test_configurations_come_together_again(labels, change, mean, tmp_path):
    """Cubes of another type or no-data keep their imaginary parts; real numbers have 0 beside complex ones."""
    field = gauge_field(configurations=labels)
    parts = {}
    for name, condition in (("early", "lt"), ("late", "gte")):
        process, arguments = part_of("configuration", condition, labels // 2)
        parts[name] = {"process_id": process, "arguments": {"data": {"from_node": "n0"}, **arguments}}
    parts["changed"] = {"process_id": "apply", "arguments": {"data": {"from_node": "late"}, "process": change}}
    parts["whole"] = {"process_id": "merge_cubes",
                      "arguments": {"cube1": {"from_node": "early"}, "cube2": {"from_node": "changed"}}}
    plain = json.loads(run(chain(field, ("lft_plaquette", {})), tmp_path))["data"]
    graph = {"n0": field, **parts, "measure": {"process_id": "lft_plaquette", "result": True,
                                               "arguments": {"data": {"from_node": "whole"}}}}
    merged = json.loads(run(graph, tmp_path))["data"]
    assert merged[:labels // 2] == plain[:labels // 2]
    assert merged[labels // 2:] == (plain[labels // 2:] if mean is None else [[mean, mean, None]] * (labels // 2))


@pytest.mark.parametrize("process, others", [
    ("lft_meson_correlator", {}), ("lft_meson_correlator", {"solver": "bicgstab"}),
    ("lft_chiral_condensate", {"precision": "double", "sources": 2})])
def test_deflated_solvers_give_the_same(process, others, tmp_path):
    """Up to the tolerance, on other bits; more modes than an eighth of 64 numbers are refused."""
    field = gauge_field(shape=[8, 8], configurations=2, thermalisation=10)
    quark = {"mass": -0.05, "tolerance": 1e-12, **others}
    texts = [run(chain(field, (process, {**quark, "deflation": modes})), tmp_path) for modes in (0, 6)]
    values = [[float(n) for n in re.findall(r"-?[0-9][0-9.e+-]*", json.dumps(json.loads(text)["data"]))]
              for text in texts]
    assert texts[0] != texts[1] and len(values[0]) > 0
    assert values[1] == pytest.approx(values[0], rel=1e-9, abs=1e-9 * max(map(abs, values[0])))
    message = fails(chain(field, (process, {**quark, "deflation": 9})), tmp_path)
    assert message.startswith("ProcessParameterInvalid: ") and 'parameter "deflation"' in message
    assert "at most 8 on this lattice" in message
