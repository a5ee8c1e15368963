"""Ensembles of the scalar field by each of its updates, against independent Monte Carlo and each other.

Seeds are fixed, so what agrees once stays so.
"""

import numpy
import pytest

from conftest import agrees, integration

UPDATES = {"hmc": {}, "metropolis": {"separation": 10, "thermalisation": 500},
           "cluster": {"separation": 2, "thermalisation": 200}}


def fields(twin, **arguments):
    cube = twin.compute({"chain": {"process_id": "lft_scalar_field", "result": True, "arguments": arguments}})
    return numpy.array(cube["data"]), [d["name"] for d in cube["dimensions"]]


@pytest.mark.parametrize("update", UPDATES)
def test_interacting_field(twin, update):
    for strength, square, error in ((8, 0.143467, 0.000026), (6.008, 0.183959, 0.000035)):
        phi, _ = fields(twin, shape=[8, 8], m2=-4, configurations=3000, update=update, **{"lambda": strength},
                        **UPDATES[update])
        agrees(f"<phi^2>, lambda {strength}", (phi**2).mean(axis=(1, 2)), square, error)
        mean = phi.mean(axis=(1, 2))
        near = sum(numpy.roll(phi, step, axis) for step in (1, -1) for axis in (1, 2))
        dyson = 2 * phi * (4 * phi - near) - 8 * phi**2 + 4 * strength * phi**4
        agrees("Schwinger-Dyson", dyson.mean(axis=(1, 2)), 1)
        if strength == 8:
            agrees("<|phi|>", abs(mean), 0.087019, 0.000074)
            agrees("chi", 64 * mean**2, 0.7441, 0.0012)


def test_clusters_change_the_sign_where_sweeps_cannot(twin):
    arguments = {"shape": [6, 6], "m2": -8, "lambda": 2, "configurations": 400, "width": 0.5, "thermalisation": 100}
    moving = fields(twin, update="cluster", **arguments)[0].mean(axis=(1, 2))
    frozen = fields(twin, update="metropolis", **arguments)[0].mean(axis=(1, 2))
    assert len(set(frozen > 0)) == 1
    assert 120 < (moving > 0).sum() < 280
    agrees("<|phi|>", abs(moving), abs(frozen).mean(), abs(frozen).std() / 20)


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("chains", [None, 3])
def test_chains_go_on_with_the_same_bits(twin, update, chains):
    arguments = {"shape": [3, 4], "m2": -1, "lambda": 2, "separation": 2, "update": update, "seed": 5}
    arguments |= {} if chains is None else {"chains": chains}
    whole, names = fields(twin, configurations=6, thermalisation=3, **arguments)
    assert names == ["configuration", *([] if chains is None else ["chain"]), "x0", "x1"]
    first = {"process_id": "lft_scalar_field", "arguments": {**arguments, "configurations": 4, "thermalisation": 3}}
    nodes = {"a": first, "b": {"process_id": "lft_scalar_field", "result": True, "arguments": {
        **arguments, "configurations": 2, "thermalisation": 0, "first": {"from_node": "a"}, "first_trajectory": 11}}}
    assert numpy.array_equal(numpy.array(twin.compute(nodes)["data"]), whole[4:])
    if chains is not None:
        assert not numpy.array_equal(whole[:, 0], whole[:, 1])
        arguments.pop("chains")
        assert numpy.array_equal(whole[:, 0], fields(twin, configurations=6, thermalisation=3, **arguments)[0])


def test_first_may_lie_in_any_order(twin):
    """The field x0 by x1, given as x1 by x0 behind a configuration: a run that accepts nothing shows it as it is."""
    nodes = {"a": {"process_id": "lft_scalar_field", "arguments": {
        "shape": [4, 3], "m2": 1, "lambda": 1, "configurations": 2, "thermalisation": 20}}}
    for i, (source, target) in enumerate([("x0", "y"), ("x1", "x0"), ("y", "x1")]):
        nodes[f"r{i}"] = {"process_id": "rename_dimension", "arguments": {
            "data": {"from_node": "a" if i == 0 else f"r{i - 1}"}, "source": source, "target": target}}
    nodes["b"] = {"process_id": "lft_scalar_field", "result": True, "arguments": {
        "shape": [3, 4], "m2": 1, "lambda": 1, "configurations": 1, "thermalisation": 0, "separation": 1, "steps": 50,
        "step_size": 10, "first": {"from_node": "r2"}}}
    given = fields(twin, shape=[4, 3], m2=1, configurations=2, thermalisation=20, **{"lambda": 1})[0][-1]
    assert numpy.array_equal(numpy.array(twin.compute(nodes)["data"])[0], given.T)


def test_history_of_sweeps(twin):
    arguments = {"shape": [8, 8], "m2": -4, "lambda": 8, "configurations": 50, "chains": 2}
    sweeps = twin.history("lft_scalar_field", update="metropolis", **arguments)
    clusters = twin.history("lft_scalar_field", update="cluster", **arguments)
    wide = twin.history("lft_scalar_field", update="metropolis", width=3, **arguments)
    assert list(sweeps) == ["dH", "accepted", "acceptance", "exp_minus_dH", "action"]
    assert list(clusters) == [*sweeps, "cluster"]
    assert sweeps["acceptance"].shape == (50, 2)
    assert 0.3 < sweeps["acceptance"].mean() < 0.8 and wide["acceptance"].mean() < sweeps["acceptance"].mean() / 2
    assert (sweeps["dH"] == 0).all() and (clusters["cluster"] > 0).all() and (clusters["cluster"] <= 1).all()


# ---- minutes ---------------------------------------------------------------------------------------------------------


def powers(twin, **arguments):
    """Means of phi^2 and of phi^4 over the sites, a row of configurations each."""
    def call(process, data, /, **rest):
        return {"process_id": process, "arguments": {"data": {"from_node": data}, **rest}}

    mean = {"process_graph": {"m": {"process_id": "mean", "arguments": {"data": {"from_parameter": "data"}},
                                    "result": True}}}
    nodes = {"field": {"process_id": "lft_scalar_field", "arguments": arguments}}
    for power in 2, 4:
        raised = {"process_id": "power", "arguments": {"base": {"from_parameter": "x"}, "p": power}, "result": True}
        nodes[f"p{power}"] = call("apply", "field", process={"process_graph": {"power": raised}})
        nodes[f"r{power}"] = call("reduce_dimension", f"p{power}", dimension="x1", reducer=mean)
        nodes[f"s{power}"] = call("reduce_dimension", f"r{power}", dimension="x0", reducer=mean)
        nodes[f"t{power}"] = call("add_dimension", f"s{power}", name="power", label=str(power))
    nodes["both"] = {"process_id": "merge_cubes", "result": True,
                     "arguments": {"cube1": {"from_node": "t2"}, "cube2": {"from_node": "t4"}}}
    return numpy.array(twin.compute(nodes)["data"])


@pytest.mark.nightly
@pytest.mark.parametrize("strength, expected, error", [(8, 9.291, 0.006), (6.008, 15.986, 0.009)])
def test_partition_function(twin, strength, expected, error):
    """From the free field of M2 = 1, whose log Z is a sum over momenta, by d log Z / ds = -<dS / ds> along a line."""
    khat = 4 * numpy.sin(numpy.pi * numpy.arange(8) / 8)**2
    free = 0.5 * numpy.log(numpy.pi / (khat[:, None] + khat + 1)).sum()
    nodes, weights = integration(1)
    sums = 0
    for s, weight in zip(nodes, weights):
        values = powers(twin, shape=[8, 8], m2=1 - 5 * s, configurations=10000, separation=2, thermalisation=200,
                        seed=round(1000 * s), **{"lambda": s * strength})
        sums = sums - weight * 64 * ([-5, strength] @ values)
    agrees(f"log Z, lambda {strength}", free + sums, expected, error)
