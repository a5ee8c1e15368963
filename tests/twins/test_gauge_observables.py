"""What is measured on ensembles, against exact values and independent Monte Carlo programs."""

import numpy
import pytest

from conftest import agrees, correlated_error


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


def scale_t0(times, energy, expected, error):
    """t0 of t^2 E [replica, configuration, time] and its error, by what moves the mean where it crosses 0.3."""
    density = times**2 * energy
    mean = density.mean(axis=(0, 1))
    t0 = numpy.interp(0.3, mean, times)
    slope = numpy.interp(t0, (times[1:] + times[:-1]) / 2, numpy.diff(mean) / numpy.diff(times))
    share = numpy.array([numpy.interp(t0, times, unit) for unit in numpy.eye(len(times))])
    own, decay = correlated_error(density @ share / slope)
    deviation = (t0 - expected) / (own**2 + error**2)**0.5
    print(f"t0: {t0:.4g}({own:.2g}), expected {expected}({error}), {deviation:+.2f} sigma; autocorrelation {decay:.2f}")
    return deviation


@pytest.mark.nightly
def test_scale_t0(twin):
    """arXiv:1006.4518, there on a lattice twice as long and wide; steps of 0.1 are exact to 1e-4 here."""
    times = numpy.arange(18) * 0.2
    field = {"shape": [12] * 4, "beta": 5.96, "seed": 9, "configurations": 24, "separation": 10, "thermalisation": 100}
    energy = measured(twin, "lft_wilson_flow", field, flow_time=times[-1], interval=0.2, step_size=0.1)[:, :, 1]
    assert abs(scale_t0(times, energy[numpy.newaxis], 2.7854, 0.0062)) < 4


@pytest.mark.nightly
def test_scale_t0_on_a_fine_lattice(twin):
    """The same on 16^4 at beta 6.17, where charges change seldom: replicas that each begin hot, a job each."""
    times = numpy.arange(14) * 0.5
    replicas = []
    for seed in range(1, 5):
        links = {"shape": [16] * 4, "beta": 6.17, "seed": seed, "start": "hot", "thermalisation": 150,
                 "configurations": 4, "separation": 30}
        values = numpy.array(twin.batch({
            "links": {"process_id": "lft_gauge_field", "arguments": links},
            "flowed": {"process_id": "lft_wilson_flow", "result": True, "arguments": {
                "data": {"from_node": "links"}, "flow_time": times[-1], "interval": 0.5, "tolerance": 1e-3}}},
            seconds=3600)["data"])
        print(f"replica {seed}: t^2 E at 5.5", (times**2 * values[:, :, 1])[:, 11].round(4), "charges",
              values[:, -1, 2].round(2))
        replicas.append(values[:, :, 1])
    assert abs(scale_t0(times, numpy.array(replicas), 5.489, 0.014)) < 4


def test_a_loose_tolerance_of_the_flow(twin):
    """It keeps t^2 E to a thousandth of what a tight one gives, where that is used: at and above 1."""
    field = {"shape": [4] * 4, "beta": 6, "seed": 1, "configurations": 2, "thermalisation": 20}
    loose, tight = (measured(twin, "lft_wilson_flow", field, flow_time=2, interval=0.5, tolerance=tolerance)[:, :, 1]
                    for tolerance in (1e-3, 1e-6))
    assert (loose != tight).any() and (abs(loose - tight) < 1e-3 * tight)[:, 2:].all()
