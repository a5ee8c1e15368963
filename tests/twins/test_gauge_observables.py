"""What is measured on ensembles, against exact values and independent Monte Carlo programs."""

import numpy
import pytest

from conftest import agrees, estimate


def measured(twin, process, field, **arguments):
    """What the process gives for each configuration of the ensemble."""
    links = {"thermalisation": 200, **field}
    return numpy.array(twin.compute({
        "links": {"process_id": "lft_gauge_field", "arguments": links},
        "measured": {"process_id": process, "result": True, "arguments": {"data": {"from_node": "links"}, **arguments}},
    })["data"])


@pytest.mark.parametrize("beta, expected", [(1, 2.600701), (5, 0.360717)])
def test_charge_of_u1_in_two_dimensions(twin, beta, expected):
    """Sum over charges, by quadrature."""
    field = {"shape": [8, 8], "group": "U(1)", "beta": beta, "configurations": 4000, "separation": 10, "seed": 3}
    charge = measured(twin, "lft_topological_charge", field, method="geometric")
    assert (charge == numpy.rint(charge)).all()
    agrees(f"<Q^2> at beta {beta}", charge**2, expected)


def test_area_law_in_two_dimensions(twin):
    """Loops of U(1) in two dimensions are powers of the plaquette, up to what the torus is short of."""
    field = {"shape": [16, 16], "group": "U(1)", "beta": 2, "configurations": 1000, "separation": 5, "seed": 5}
    loops = measured(twin, "lft_wilson_loop", field, r=2, t=2)
    for r, t in ((1, 1), (1, 2), (2, 2)):
        agrees(f"W({r}, {t})", loops[:, r - 1, t - 1], 0.6977746579640077**(r * t))


@pytest.mark.nightly
@pytest.mark.parametrize("beta, expected, error", [(5.60, 0.0315, 0.0006), (5.80, 0.1994, 0.0012)])
def test_deconfinement(twin, beta, expected, error):
    field = {"shape": [4, 8, 8, 8], "beta": beta, "configurations": 600, "separation": 5, "seed": 7}
    agrees(f"<|P|> at beta {beta}", measured(twin, "lft_polyakov_loop", field)[:, 0], expected, error)


@pytest.mark.nightly
@pytest.mark.parametrize("beta, side, chain, expected, error", [
    (5.96, 12, {"configurations": 24, "separation": 10, "thermalisation": 100}, 2.7854, 0.0062),
    (6.17, 16, {"configurations": 6, "separation": 50, "thermalisation": 150, "start": "hot"}, 5.489, 0.014)])
def test_scale_t0(twin, beta, side, chain, expected, error):
    """arXiv:1006.4518, there on lattices twice as long and wide; steps of 0.1 are exact to 1e-4 here.

    At 6.17 charges change seldom, so the chain begins with some, and its few configurations are far apart.
    """
    times = numpy.arange(round(1.25 * expected / 0.2) + 1) * 0.2
    energy = measured(twin, "lft_wilson_flow", {"shape": [side] * 4, "beta": beta, "seed": 9, **chain},
                      flow_time=times[-1], interval=0.2, step_size=0.1)[:, :, 1]
    mean, own = estimate(times**2 * energy, bins=min(8, len(energy)))
    t0 = numpy.interp(0.3, mean, times)
    slope = numpy.interp(t0, times[:-1] + 0.1, numpy.diff(mean) / 0.2)
    own = numpy.interp(t0, times, own) / slope
    deviation = (t0 - expected) / (own**2 + error**2)**0.5
    print(f"t0, beta {beta}: {t0:.4g}({own:.2g}), expected {expected}({error}), {deviation:+.2f} sigma")
    assert abs(deviation) < 4
