"""Ensembles of gauge fields against exact values and independent Monte Carlo programs.

Seeds are fixed, so what agrees once stays so.
"""

import numpy
import pytest
import scipy.special

from conftest import agrees, estimate, integration


def test_plaquettes_of_two_dimensional_groups(twin):
    for group, beta, shape, expected in (("U(1)", 4, [8, 8], 0.8635300425), ("SU(2)", 2, [16, 16], 0.4331274267),
                                         ("SU(3)", 6, [16, 16], 0.4225317396)):
        values = twin.history("lft_gauge_field", shape=shape, group=group, beta=beta, configurations=400, separation=2)
        assert agrees(f"{group}, beta {beta}", values["plaquette"], expected) < 2e-3


def test_charges_of_two_dimensional_u1(twin):
    for beta, expected in ((1, 2.600701), (5, 0.360717)):
        chains = twin.history("lft_gauge_field", shape=[8, 8], group="U(1)", beta=beta, configurations=1500,
                              separation=4, overrelaxation=1)
        charge = chains["charge"]
        assert (charge == numpy.rint(charge)).all()
        agrees(f"<Q^2>, beta {beta}", charge**2, expected)


def test_theta_is_a_weight_beside_the_configurations(twin):
    """Z(theta) / Z(0) = <exp(i theta Q)> by the sum over charges of the exact distribution."""
    beta, sites, theta = 1.0, 16, 0.7
    angles = 2 * numpy.pi * numpy.arange(4096) / 4096

    def partition(angle):
        """Sum over n of I_{n + angle / 2 pi}(beta)^V, with the continuation in the order by quadrature."""
        phi = angles - numpy.pi
        orders = numpy.arange(-12, 13) + angle / (2 * numpy.pi)
        return sum(numpy.mean(numpy.exp(beta * numpy.cos(phi)) * numpy.cos(order * phi))**sites for order in orders)

    values = twin.history("lft_gauge_field", shape=[4, 4], group="U(1)", beta=beta, theta=theta, configurations=4000,
                          separation=2, seed=2)
    agrees("Re <exp(i theta Q)>", values["theta_real"], partition(theta) / partition(0))
    agrees("Im <exp(i theta Q)>", values["theta_imaginary"], 0)


def test_four_dimensional_su2(twin):
    values = twin.history("lft_gauge_field", shape=[8, 8, 8, 8], group="SU(2)", beta=2.4, configurations=60,
                          separation=2, thermalisation=40)
    agrees("SU(2), beta 2.4, 8^4", values["plaquette"], 0.630301, 0.000125)


def test_strong_and_weak_coupling(twin):
    beta = 0.9
    strong = twin.history("lft_gauge_field", shape=[4, 4, 4, 4], beta=beta, configurations=200, separation=1,
                          thermalisation=20, overrelaxation=0)
    agrees("strong coupling", strong["plaquette"], beta / 18 + beta**2 / 216 - 5 * beta**4 / 93312)
    beta = 60
    weak = twin.history("lft_gauge_field", shape=[4, 4, 4, 4], beta=beta, configurations=60, separation=1,
                        thermalisation=20)
    mean, _ = estimate(weak["plaquette"])
    assert abs((1 - mean) * beta / 2 - 1) < 0.05  # up to order 1 / beta and the torus' zero modes


def test_hybrid_monte_carlo_keeps_its_identities(twin):
    values = twin.history("lft_gauge_field", shape=[4, 4, 4, 4], group="SU(3)", action="iwasaki", beta=1,
                          update="hmc", integrator="leapfrog", steps=12, step_size=0.04, configurations=60,
                          separation=1, thermalisation=20, start="hot")
    agrees("<exp(-dH)>", values["exp_minus_dH"], 1)
    expected = scipy.special.erfc(max(values["dH"].mean(), 0)**0.5 / 2)
    assert abs(values["acceptance"].mean() - expected) < 0.15


def test_tempering_leaves_each_replica_at_its_coupling(twin):
    """Also at beta 7, where local updates alone hardly ever change the charge."""
    betas = [1, 2, 3, 4, 5, 6, 7]
    values = twin.history("lft_gauge_tempering", shape=[8, 8], group="U(1)", betas=betas, configurations=1000,
                          separation=4)
    for replica, beta in enumerate(betas):
        orders = numpy.arange(-40, 41)
        ratio = (scipy.special.ive(orders, beta) / scipy.special.ive(0, beta))**64
        derivative = (scipy.special.ivp(orders, beta) / scipy.special.iv(orders, beta))
        exact = (ratio * derivative).sum() / ratio.sum()
        agrees(f"replica at {beta}", values["plaquette"][:, replica], exact)
    assert values["exchange"][:, :-1].mean() > 0.02 and (values["exchange"][:, -1] == 0).all()


def test_two_flavours_of_fermions(twin):
    """Light fermions order the gauge field, and large charges die out; heavy ones leave it alone."""
    arguments = {"shape": [8, 8], "beta": 2, "separation": 2, "thermalisation": 50, "configurations": 200}
    heavy = twin.history("lft_schwinger_field", kappa=0.001, steps=5, step_size=0.2, **arguments)
    agrees("heavy fermions", heavy["plaquette"], 0.697774658)
    light = twin.history("lft_schwinger_field", kappa=0.25, steps=8, step_size=0.1, **arguments)
    agrees("<exp(-dH)>", light["exp_minus_dH"], 1)
    assert estimate(light["plaquette"])[0] > estimate(heavy["plaquette"])[0] + 0.01
    assert (light["charge"]**2).mean() < (heavy["charge"]**2).mean()


@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("update", ["heatbath", "hmc"])
def test_chains_are_independent_and_go_on(twin, update, precision):
    arguments = {"shape": [4, 4], "group": "SU(2)", "beta": 2, "separation": 2, "chains": 3, "update": update,
                 "precision": precision}
    whole = twin.compute({"f": {"process_id": "lft_gauge_field", "result": True,
                                "arguments": {**arguments, "configurations": 6, "thermalisation": 3}}})
    parts = twin.compute({"a": {"process_id": "lft_gauge_field",
                                "arguments": {**arguments, "configurations": 4, "thermalisation": 3}},
                          "b": {"process_id": "lft_gauge_field", "result": True,
                                "arguments": {**arguments, "configurations": 2, "thermalisation": 0,
                                              "first": {"from_node": "a"}, "first_trajectory": 11}}})
    assert [d["name"] for d in whole["dimensions"]][:2] == ["configuration", "chain"]
    assert parts["data"] == whole["data"][4:]
    assert whole["data"][0][0] != whole["data"][0][1]


def test_rounded_links_are_put_back_to_the_group(twin):
    """Steps so long that all are rejected leave the links that the chain began with."""
    arguments = {"shape": [4, 4], "group": "SU(3)", "beta": 6, "separation": 1, "configurations": 1}
    links = numpy.array(twin.compute({
        "rounded": {"process_id": "lft_gauge_field", "arguments": {**arguments, "precision": "single"}},
        "on": {"process_id": "lft_gauge_field", "result": True,
               "arguments": {**arguments, "thermalisation": 0, "update": "hmc", "steps": 2, "step_size": 3,
                             "first": {"from_node": "rounded"}}}})["data"]) @ [1, 1j]
    off = abs(links @ links.conj().swapaxes(-1, -2) - numpy.eye(3)).max()
    assert off < 1e-14, off


def test_floats_have_the_plaquettes(twin):
    """Exact plaquettes, I2 / I1 of beta; replicas exchange links of floats."""
    arguments = {"shape": [8, 8], "group": "SU(2)", "precision": "single", "configurations": 200, "separation": 2}
    for update in "heatbath", "hmc":
        values = twin.history("lft_gauge_field", update=update, beta=2, steps=5, step_size=0.2, **arguments)
        agrees(f"SU(2) by {update} in single precision", values["plaquette"], 0.4331274267)
    betas = [1.5, 2]
    replicas = twin.history("lft_gauge_tempering", betas=betas, **arguments)
    for replica, exact in enumerate([0.3441440071, 0.4331274267]):
        agrees(f"replica at {betas[replica]} in single precision", replicas["plaquette"][:, replica], exact)


# ---- minutes ---------------------------------------------------------------------------------------------------------


@pytest.mark.nightly
@pytest.mark.parametrize("beta, shape, expected, error", [(5.7, [8, 8, 8, 8], 0.549177, 0.000116),
                                                          (6.0, [8, 8, 8, 8], 0.594185, 0.000056),
                                                          (3.36, [4, 8, 8, 8], 0.234466, 0.000070)])
def test_plaquettes_of_su3(twin, beta, shape, expected, error):
    values = twin.history("lft_gauge_field", shape=shape, beta=beta, configurations=1000, separation=2,
                          thermalisation=200)
    assert agrees(f"SU(3), beta {beta}, {shape}", values["plaquette"], expected, error) < 3e-4


@pytest.mark.nightly
@pytest.mark.parametrize("beta, expected", [(1, 15.098518944), (4, 155.198425834)])
def test_partition_function_of_u1(twin, beta, expected):
    """log Z grows by the sum of the plaquettes with beta; Haar measure, so log Z(0) = 0."""
    nodes, weights = integration(beta)
    values = twin.history("lft_gauge_tempering", shape=[8, 8], group="U(1)", betas=list(nodes), configurations=4000,
                          separation=2)
    agrees(f"log Z of U(1), beta {beta}", 64 * values["plaquette"] @ weights, expected)
