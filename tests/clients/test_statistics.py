"""Statistics of samples from process graphs: against NumPy and SciPy written for the purpose, and exact answers.

Seeds are fixed, so a result within its tolerance stays there; statistical tolerances are four standard errors.
"""

import itertools
import json
import math
import os
import pathlib
import signal
import subprocess
import time

import numpy
import pytest
import scipy.integrate
import scipy.optimize
import scipy.stats

from conftest import BINARY
from cube_tools import chain, cube, dimension, failure, labels, run, values

OTHER = "other"


def of(process, array, dims, **arguments):
    """A graph of one process on a cube whose dimensions have these labels (or numbers of them)."""
    given = {name: dimension(OTHER, range(size) if isinstance(size, int) else size) for name, size in dims.items()}
    return {"p": {"process_id": process, "arguments": {"data": cube(array, **given), **arguments}, "result": True}}


def statistics(folder, *args, **arguments):
    """The result's labels of `statistic`, each with the numbers of the other dimensions."""
    result = run(folder, of(*args, **arguments))
    assert result["dimensions"][-1]["name"] == "statistic"
    return dict(zip(labels(result, "statistic"), numpy.moveaxis(values(result), -1, 0)))


def graph(*nodes):
    """A callback: (id, process, arguments) each, the last one is the result; "$x" is a parameter, "#a" a node."""
    def reference(value):
        if isinstance(value, str) and value[0] in "$#":
            return {"from_parameter" if value[0] == "$" else "from_node": value[1:]}
        return value
    out = {name: {"process_id": process, "arguments": {k: reference(v) for k, v in arguments.items()}}
           for name, process, arguments in nodes}
    out[nodes[-1][0]]["result"] = True
    return {"process_graph": out}


def element(name, label):
    which = {"label": label} if isinstance(label, str) else {"index": label}
    return name, "array_element", {"data": "$data", **which}


RATIO = graph(element("a", "a"), element("b", "b"), ("r", "divide", {"x": "#a", "y": "#b"}))
LOG_RATIO = graph(element("a", "a"), element("b", "b"), ("r", "divide", {"x": "#a", "y": "#b"}),
                  ("l", "ln", {"x": "#r"}))
BINDER = graph(element("a", "a"), element("b", "b"), ("s", "multiply", {"x": "#b", "y": "#b"}),
               ("r", "divide", {"x": "#a", "y": "#s"}), ("t", "divide", {"x": "#r", "y": 3}),
               ("u", "subtract", {"x": 1, "y": "#t"}))


def autoregressive(rng, shape, a):
    """x_{i+1} = a x_i + sqrt(1 - a^2) noise along the first axis: tau_int = (1 + a) / (2 (1 - a)), variance 1."""
    x = rng.normal(size=shape)
    for i in range(1, len(x)):
        x[i] = a * x[i - 1] + math.sqrt(1 - a * a) * x[i]
    return x


def gamma_method(chains, s=1.5):
    """Wolff, Comp. Phys. Comm. 156 (2004) 143, section 3, of a list of chains."""
    n = sum(map(len, chains))
    mean = numpy.concatenate(chains).mean()
    chains = [chain - mean for chain in chains]

    def gamma(t):
        pairs = numpy.concatenate([chain[:max(len(chain) - t, 0)] * chain[t:] for chain in chains])
        return pairs.mean()

    zero, total, window = gamma(0), gamma(0), 0
    while True:
        window += 1
        total += 2 * gamma(window)
        time = total / (2 * zero)
        tau = s / math.log((2 * time + 1) / (2 * time - 1)) if time > 0.5 else 1e-12
        if math.exp(-window / tau) < tau / math.sqrt(window * n):
            break
    zero += total / n
    total *= 1 + (2 * window + 1) / n
    error, time = math.sqrt(total / n), total / (2 * zero)
    return {"value": mean, "error": error, "error_of_error": error * math.sqrt((window + 0.5) / n), "tau_int": time,
            "tau_int_error": 2 * time * math.sqrt(max(window + 0.5 - time, 0) / n), "window": window,
            "effective_samples": n / (2 * time), "samples": n}


def assert_same(result, expected, rtol=1e-10):
    for name, value in expected.items():
        numpy.testing.assert_allclose(result[name], value, rtol=rtol, atol=1e-300, err_msg=name)


# ---- Gamma method ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("a", [0, 0.4, 0.9])
def test_gamma_method_is_that_of_the_paper(tmp_path, a):
    x = autoregressive(numpy.random.default_rng(1), (800, 2), a) + 3
    result = statistics(tmp_path, "gamma_method", x, {"t": 800, "o": 2}, dimension="t")
    for k in range(2):
        assert_same({name: v[k] for name, v in result.items()}, gamma_method([x[:, k]]))
    tau = (1 + a) / (2 * (1 - a))
    assert abs(result["tau_int"][0] - tau) < 4 * result["tau_int_error"][0] + 0.05


def test_chains_are_taken_together(tmp_path):
    x = autoregressive(numpy.random.default_rng(2), (500, 3), 0.7).T
    result = statistics(tmp_path, "gamma_method", x, {"chain": 3, "t": 500}, dimension="t", chain="chain", s=2)
    assert_same(result, gamma_method(list(x), s=2))
    squares = sum(500 * (chain.mean() - x.mean()) ** 2 for chain in x) / (1500 * result["error"] ** 2)
    numpy.testing.assert_allclose(result["replica_p"], scipy.stats.chi2.sf(squares, 2), rtol=1e-9)


def test_a_derived_quantity_has_its_linear_fluctuations(tmp_path):
    rng = numpy.random.default_rng(3)
    x = autoregressive(rng, (600, 2), 0.5) @ [[0.3, 0.1], [0, 0.2]] + [4, 2]
    dims, means = {"t": 600, "o": ["a", "b"]}, x.mean(axis=0)
    for derived, value, slopes in [(RATIO, means[0] / means[1], [1 / means[1], -means[0] / means[1] ** 2]),
                                   (LOG_RATIO, math.log(means[0] / means[1]), [1 / means[0], -1 / means[1]]),
                                   (BINDER, 1 - means[0] / means[1] ** 2 / 3,
                                    [-1 / means[1] ** 2 / 3, 2 * means[0] / means[1] ** 3 / 3])]:
        result = statistics(tmp_path, "gamma_method", x, dims, dimension="t", observables="o", derived=derived)
        expected = gamma_method([(x - means) @ slopes])
        expected["value"] = value
        assert_same(result, expected, rtol=1e-9)


def test_agrees_with_pyerrors(tmp_path):
    pyerrors = pytest.importorskip("pyerrors")
    x = autoregressive(numpy.random.default_rng(3), (600, 2), 0.5) @ [[0.3, 0.1], [0, 0.2]] + [4, 2]
    a, b = (pyerrors.Obs([x[:, k]], ["chain"]) for k in range(2))
    ratio = a / b
    ratio.gamma_method(S=1.5)
    result = statistics(tmp_path, "gamma_method", x, {"t": 600, "o": ["a", "b"]}, dimension="t", observables="o",
                        derived=RATIO)
    assert_same(result, {"value": ratio.value, "error": ratio.dvalue, "tau_int": ratio.e_tauint["chain"],
                         "error_of_error": ratio.ddvalue}, rtol=5e-3)


def test_missing_samples_are_left_out(tmp_path):
    x = autoregressive(numpy.random.default_rng(4), (300, 2), 0.5)
    gaps = x.copy()
    gaps[[5, 6, 200], 0] = numpy.nan
    result = statistics(tmp_path, "gamma_method", gaps, {"t": 300, "o": 2}, dimension="t")
    assert list(result["samples"]) == [297, 300]
    assert_same({name: v[0] for name, v in result.items()}, gamma_method([numpy.delete(x[:, 0], [5, 6, 200])]))
    both = statistics(tmp_path, "gamma_method", gaps + 3, {"t": 300, "o": ["a", "b"]}, dimension="t", observables="o",
                      derived=RATIO)
    assert both["samples"] == 297
    few = numpy.full((300, 2), numpy.nan)
    few[7, 0] = 2
    result = statistics(tmp_path, "gamma_method", few, {"t": 300, "o": 2}, dimension="t")
    assert list(result["samples"]) == [1, 0] and result["value"][0] == 2
    assert all(numpy.isnan(result[name]).all() for name in ("error", "tau_int", "window"))


@pytest.mark.parametrize("length", [1, 6])
def test_a_short_chain_hides_nothing(tmp_path, length):
    """Beside a full chain that forgets slowly, one that ended early: the window is that of the pairs there are."""
    x = autoregressive(numpy.random.default_rng(25), (2000, 2), 0.9).T
    chains = [x[0], x[1, :length]]
    x[1, length:] = numpy.nan
    result = statistics(tmp_path, "gamma_method", x, {"chain": 2, "t": 2000}, dimension="t", chain="chain")
    assert_same(result, gamma_method(chains))
    assert abs(result["tau_int"] - 9.5) < 4 * result["tau_int_error"]


def test_what_is_never_forgotten_has_no_error(tmp_path):
    """Samples that differ between short chains but never within: no window, and no error that looks like one."""
    x = numpy.repeat(numpy.random.default_rng(26).normal(size=(50, 1)), 4, axis=1)
    result = statistics(tmp_path, "gamma_method", x, {"chain": 50, "t": 4}, dimension="t", chain="chain")
    numpy.testing.assert_allclose(result.pop("value"), x.mean(), rtol=1e-12)
    assert result.pop("samples") == 200 and result.pop("window") == 2
    assert all(map(numpy.isnan, result.values())), result
    lags = run(tmp_path, of("autocorrelation", x, {"chain": 50, "t": 4}, dimension="t", chain="chain", lags=2))
    assert (values(lags)[:, 0] > 0.9).all() and numpy.isnan(values(lags)[:, 1]).all()


def test_constants_have_no_error(tmp_path):
    result = statistics(tmp_path, "gamma_method", numpy.full(50, 2.5), {"t": 50}, dimension="t")
    assert result["value"] == 2.5 and result["error"] == 0 and result["tau_int"] == 0.5 and result["samples"] == 50


def test_errors_cover_the_truth(tmp_path):
    """300 sets of 400 samples: 68 % of the error bars hold the true mean."""
    sets = 300
    x = autoregressive(numpy.random.default_rng(5), (400, sets), 0.6)
    width = 3 * math.sqrt(sets * 0.683 * 0.317)
    gamma = statistics(tmp_path, "gamma_method", x, {"t": 400, "set": sets}, dimension="t")
    assert abs((abs(gamma["value"]) < gamma["error"]).sum() - 0.683 * sets) < width
    drawn = statistics(tmp_path, "bootstrap", x, {"t": 400, "set": sets}, dimension="t", bin_size=20, resamples=400)
    assert abs((abs(drawn["value"]) < drawn["error"]).sum() - 0.683 * sets) < width + 0.03 * sets  # 20 bins: a bit few
    inside = ((drawn["lower"] < 0) & (0 < drawn["upper"])).sum()
    assert abs(inside - 0.683 * sets) < width + 0.03 * sets


def test_effective_sample_size(tmp_path):
    x = autoregressive(numpy.random.default_rng(6), (500, 2), 0.5)
    result = run(tmp_path, of("effective_sample_size", x, {"t": 500, "o": 2}, dimension="t"))
    expected = [gamma_method([x[:, k]])["effective_samples"] for k in range(2)]
    numpy.testing.assert_allclose(values(result), expected, rtol=1e-10)
    assert [d["name"] for d in result["dimensions"]] == ["o"]


def test_autocorrelation_against_plain_sums(tmp_path):
    x = autoregressive(numpy.random.default_rng(7), 400, 0.8)
    result = run(tmp_path, of("autocorrelation", x, {"t": 400}, dimension="t", lags=30))
    d = x - x.mean()
    gamma = numpy.array([(d[:400 - t] * d[t:]).mean() for t in range(31)])
    assert [dim["name"] for dim in result["dimensions"]] == ["lag", "statistic"]
    numpy.testing.assert_allclose(values(result)[:, 0], gamma / gamma[0], rtol=1e-10)
    assert values(result)[0, 1] == 0 and (values(result)[1:, 1] > 0).all()


# ---- bootstrap and jackknife -----------------------------------------------------------------------------------------


def plain_jackknife(x, size, estimator, ignore=True):
    """Bins are places along the axis: those without a value do not count."""
    missing = numpy.isnan(x)
    if len(x[~missing]) == 0 or (missing.any() and not ignore):
        return numpy.nan, numpy.nan
    place = numpy.arange(len(x)) // size
    bins = sorted(set(place[~missing]))
    n = len(bins)
    if n < 2:
        return estimator(x[~missing]), numpy.nan
    left = numpy.array([estimator(x[~missing & (place != b)]) for b in bins])
    return estimator(x[~missing]), math.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())


def of_data(process, **arguments):
    return graph(("p", process, {"data": "$data", **arguments}))


@pytest.mark.parametrize("estimator", [None, "mean", "max"])
@pytest.mark.parametrize("size", [1, 3, 7, 20])
def test_jackknife_leaves_out_bins(tmp_path, estimator, size):
    """Along the middle one of three dimensions, with holes, whole bins of them, and positions without a value."""
    rng = numpy.random.default_rng(23)
    x = rng.normal(size=(5, 23, 40)) + 1e3
    x[rng.random(x.shape) < 0.2] = numpy.nan
    x[1, 3:9] = x[2, :, 7] = x[3, :22, 3] = numpy.nan
    x[4] = rng.normal(size=(23, 40))
    function = {None: numpy.mean, "mean": numpy.mean, "max": numpy.max}[estimator]
    for ignore in True, False:
        callback = {"estimator": of_data(estimator)} if estimator else {}  # it skips gaps in either case
        nodes = of("apply_dimension", x, {"a": 5, "t": 23, "b": 40}, dimension="t", target_dimension="statistic")
        nodes["p"]["arguments"]["process"] = of_data("jackknife", bin_size=size, ignore_nodata=ignore, **callback)
        result = run(tmp_path, nodes, "--threads", 2)
        assert [d["name"] for d in result["dimensions"]] == ["a", "statistic", "b"]
        assert labels(result, "statistic") == ["value", "error"]
        expected = [[plain_jackknife(x[i, :, k], size, function, ignore) for k in range(40)] for i in range(5)]
        numpy.testing.assert_allclose(values(result), numpy.moveaxis(numpy.array(expected), 2, 1), rtol=1e-7, atol=1e-9)


def test_jackknife_amid_other_steps(tmp_path):
    """In one program with what comes before and after it; and the same function used twice."""
    x = numpy.random.default_rng(24).normal(size=(30, 6)).astype("float32") + 2
    square = graph(("m", "multiply", {"x": "$x", "y": "$x"}))
    process = graph(("s", "array_apply", {"data": "$data", "process": square}),
                    ("a", "jackknife", {"data": "#s", "bin_size": 5}), ("b", "jackknife", {"data": "$data"}),
                    ("e", "array_element", {"data": "#a", "label": "error"}),
                    ("f", "array_element", {"data": "#b", "label": "error"}), ("r", "divide", {"x": "#e", "y": "#f"}))
    result = run(tmp_path, of("reduce_dimension", x, {"t": 30, "o": 6}, dimension="t", reducer=process))
    expected = [plain_jackknife(c ** 2, 5, numpy.mean)[1] / plain_jackknife(c, 1, numpy.mean)[1]
                for c in x.T.astype(float)]
    numpy.testing.assert_allclose(values(result), expected, rtol=1e-6)


def test_intervals_are_those_of_scipy(tmp_path):
    x = numpy.random.default_rng(8).exponential(size=60)
    for interval, method in ("percentile", "percentile"), ("bca", "BCa"):
        ours = statistics(tmp_path, "bootstrap", x, {"t": 60}, dimension="t", resamples=40000, confidence=0.9,
                          interval=interval)
        theirs = scipy.stats.bootstrap((x,), numpy.mean, confidence_level=0.9, n_resamples=40000, method=method,
                                       rng=numpy.random.default_rng(1))
        error = theirs.standard_error
        assert abs(ours["error"] / error - 1) < 0.03
        assert abs(ours["lower"] - theirs.confidence_interval.low) < 0.05 * error
        assert abs(ours["upper"] - theirs.confidence_interval.high) < 0.05 * error


def test_the_seed_and_nothing_else_decides(tmp_path):
    x = numpy.random.default_rng(9).normal(size=(100, 5))
    graphs = [of("bootstrap", x, {"t": 100, "o": 5}, dimension="t", seed=seed) for seed in (1, 1, 2)]
    results = [values(run(tmp_path, g, "--threads", threads)) for g, threads in zip(graphs, (1, 2, 2))]
    assert (results[0] == results[1]).all() and (results[0] != results[2]).any()
    # each position draws the same samples, whoever is beside it
    alone = values(run(tmp_path, of("bootstrap", x[:, 3], {"t": 100}, dimension="t", seed=1)))
    assert (alone == results[0][3]).all()


def test_bootstrap_of_a_ratio(tmp_path):
    x = numpy.random.default_rng(10).normal(size=(400, 2)) * [0.3, 0.2] + [4, 2]
    drawn = statistics(tmp_path, "bootstrap", x, {"t": 400, "o": ["a", "b"]}, dimension="t", observables="o",
                       derived=RATIO, resamples=4000)
    gamma = statistics(tmp_path, "gamma_method", x, {"t": 400, "o": ["a", "b"]}, dimension="t", observables="o",
                       derived=RATIO)
    assert abs(drawn["value"] - gamma["value"]) < 1e-12
    assert abs(drawn["error"] / gamma["error"] - 1) < 0.15
    assert drawn["lower"] < drawn["value"] < drawn["upper"]


def test_bins_lie_within_their_chains(tmp_path):
    """Of chains that bins fill, the bootstrap is that of the chains one behind the other; of others it is not."""
    x = numpy.random.default_rng(20).normal(size=(2, 8, 3))
    x[0, [1, 6], :] = numpy.nan  # the first chain keeps six samples
    options = {"dimension": "t", "seed": 3, "resamples": 500}
    behind = x.reshape(16, 3)
    behind = behind[~numpy.isnan(behind[:, 0])]
    for size, same in (2, True), (4, False):
        joined = statistics(tmp_path, "bootstrap", behind, {"t": 14, "o": 3}, bin_size=size, **options)
        apart = statistics(tmp_path, "bootstrap", x, {"r": 2, "t": 8, "o": 3}, chain="r", bin_size=size, **options)
        moved = statistics(tmp_path, "bootstrap", numpy.moveaxis(x, 0, 2), {"t": 8, "o": 3, "r": 2}, chain="r",
                           bin_size=size, **options)
        assert_same(apart, moved, rtol=0)
        assert_same(apart, {"value": behind.mean(axis=0), "samples": 14})
        assert (apart["error"] == joined["error"]).all() == same


def test_bootstrap_of_uneven_bins(tmp_path):
    """Three chains of five samples in bins of 3 and 2: the draws' spread against NumPy's of those very bins."""
    x = numpy.random.default_rng(21).normal(size=(3, 5)) + numpy.array([[0], [1], [2]])
    ours = statistics(tmp_path, "bootstrap", x, {"r": 3, "t": 5}, dimension="t", chain="r", bin_size=3,
                      resamples=40000, interval="percentile")
    sums = numpy.concatenate([[row[:3].sum(), row[3:].sum()] for row in x])
    drawn = numpy.random.default_rng(1).integers(6, size=(40000, 6))
    means = sums[drawn].sum(axis=1) / numpy.array([3, 2] * 3)[drawn].sum(axis=1)
    assert abs(ours["error"] / means.std() - 1) < 0.03
    assert abs(ours["lower"] - numpy.quantile(means, 0.158655)) < 0.05 * means.std()


def test_the_chains_of_a_ratio(tmp_path):
    x = numpy.random.default_rng(22).normal(size=(4, 100, 2)) * [0.3, 0.2] + [4, 2]
    options = {"dimension": "t", "observables": "o", "derived": RATIO, "resamples": 300}
    apart = statistics(tmp_path, "bootstrap", x, {"r": 4, "t": 100, "o": ["a", "b"]}, chain="r", bin_size=5, **options)
    behind = statistics(tmp_path, "bootstrap", x.reshape(400, 2), {"t": 400, "o": ["a", "b"]}, bin_size=5, **options)
    assert_same(apart, behind, rtol=0)
    # a bin of each chain is two bins
    whole = statistics(tmp_path, "bootstrap", x[:2], {"r": 2, "t": 100, "o": ["a", "b"]}, chain="r", bin_size=1000,
                       **options)
    assert whole["error"] > 0
    again = of("bootstrap", x, {"r": 4, "t": 100, "o": ["a", "b"]}, dimension="t", chain="t")
    assert "ProcessParameterInvalid" in failure(tmp_path, again)


# ---- covariance ------------------------------------------------------------------------------------------------------


def ledoit_wolf(x):
    """Lemmas 3.2 to 3.4 with norms of matrices, sample by sample."""
    n, p = x.shape
    d = x - x.mean(axis=0)
    s = d.T @ d / n
    mu = numpy.trace(s) / p
    distance = ((s - mu * numpy.eye(p)) ** 2).sum()
    noise = sum(((numpy.outer(row, row) - s) ** 2).sum() for row in d) / n ** 2
    return min(noise / distance, 1)


def schaefer_strimmer(x):
    n, p = x.shape
    z = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    w = numpy.einsum("ki,kj->kij", z, z)
    off = ~numpy.eye(p, dtype=bool)
    r = w.sum(axis=0) / (n - 1)
    spread = n / (n - 1) ** 3 * ((w - w.mean(axis=0)) ** 2).sum(axis=0)
    return min(spread[off].sum() / (r[off] ** 2).sum(), 1)


def test_covariance_and_its_shrinkage(tmp_path):
    rng = numpy.random.default_rng(11)
    x = rng.normal(size=(30, 6)) @ rng.normal(size=(6, 6)) + 5
    plain, p = numpy.cov(x.T), 6
    for kind, weight, target in (("none", 0, plain), ("diagonal", 1, numpy.diag(numpy.diag(plain))),
                                 ("ledoit-wolf", ledoit_wolf(x), numpy.trace(plain) / p * numpy.eye(p)),
                                 ("schaefer-strimmer", schaefer_strimmer(x), numpy.diag(numpy.diag(plain)))):
        result = statistics(tmp_path, "covariance", x, {"t": 30, "o": p}, dimension="t", observables="o",
                            shrinkage=kind)
        expected = (1 - weight) * plain + weight * target
        sigma = numpy.sqrt(numpy.diag(expected))
        assert_same(result, {"covariance": expected, "covariance_of_mean": expected / 30,
                             "correlation": expected / numpy.outer(sigma, sigma), "shrinkage": weight, "samples": 30})


def test_ledoit_wolf_is_that_of_scikit_learn(tmp_path):
    covariance = pytest.importorskip("sklearn.covariance")
    x = numpy.random.default_rng(11).normal(size=(30, 6))
    result = statistics(tmp_path, "covariance", x, {"t": 30, "o": 6}, dimension="t", observables="o",
                        shrinkage="ledoit-wolf")
    numpy.testing.assert_allclose(result["shrinkage"][0, 0], covariance.ledoit_wolf(x)[1], rtol=1e-10)


def test_covariance_of_bins(tmp_path):
    x = numpy.random.default_rng(12).normal(size=(60, 2))
    result = run(tmp_path, of("covariance", x, {"t": 60, "o": ["a", "b"]}, dimension="t", observables="o", bin_size=5,
                              target_dimension="with"))
    assert [d["name"] for d in result["dimensions"]] == ["o", "with", "statistic"]
    assert labels(result, "with") == ["a", "b"]
    expected = numpy.cov(x.reshape(12, 5, 2).mean(axis=1).T) / 12
    numpy.testing.assert_allclose(values(result)[..., 1], expected, rtol=1e-11)


# ---- fits and averages -----------------------------------------------------------------------------------------------

LINE = graph(("a", "array_element", {"data": "$parameters", "index": 0}),
             ("b", "array_element", {"data": "$parameters", "index": 1}),
             ("p", "multiply", {"x": "#b", "y": "$x"}), ("y", "add", {"x": "#a", "y": "#p"}))
COSH = graph(("a", "array_element", {"data": "$parameters", "index": 0}),
             ("m", "array_element", {"data": "$parameters", "index": 1}),
             ("s", "subtract", {"x": "$x", "y": 8}), ("z", "multiply", {"x": "#m", "y": "#s"}),
             ("c", "cosh", {"x": "#z"}), ("y", "multiply", {"x": "#a", "y": "#c"}))


def correlated_samples(rng, n, truth):
    noise = rng.normal(size=(n, len(truth)))
    for i in range(1, len(truth)):
        noise[:, i] = 0.8 * noise[:, i - 1] + 0.6 * noise[:, i]
    return truth + 0.3 * noise


def test_a_line_is_generalised_least_squares(tmp_path):
    x = numpy.arange(6.0)
    data = correlated_samples(numpy.random.default_rng(13), 80, 1 + 0.5 * x)
    result = statistics(tmp_path, "correlated_fit", data, {"t": 80, "x": list(x)}, dimension="t", observables="x",
                        function=LINE, parameters=[0, 0], shrinkage="none", bin_size=2)
    inverse = numpy.linalg.inv(numpy.cov(data.reshape(40, 2, 6).mean(axis=1).T) / 40)
    a, y = numpy.stack([numpy.ones(6), x], axis=1), data.mean(axis=0)
    covariance = numpy.linalg.inv(a.T @ inverse @ a)
    solve = covariance @ a.T @ inverse
    p = solve @ y
    chi_square = (y - a @ p) @ inverse @ (y - a @ p)
    left = numpy.array([solve @ numpy.delete(data, [2 * b, 2 * b + 1], axis=0).mean(axis=0) for b in range(40)])
    jackknife = numpy.sqrt(39 / 40 * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
    assert_same(result, {"value": p, "error": numpy.sqrt(numpy.diag(covariance)), "jackknife_error": jackknife,
                         "chi_square": chi_square, "degrees_of_freedom": 4,
                         "p_value": scipy.stats.chi2.sf(chi_square, 4), "covariance_0": covariance[0],
                         "covariance_1": covariance[1], "samples": 80}, rtol=1e-7)


@pytest.mark.parametrize("shrinkage", ["diagonal", "schaefer-strimmer"])
def test_a_correlator_is_fitted_as_scipy_does(tmp_path, shrinkage):
    t = numpy.arange(16.0)
    data = correlated_samples(numpy.random.default_rng(14), 60, 2 * numpy.cosh(0.3 * (t - 8)))
    result = statistics(tmp_path, "correlated_fit", data, {"configuration": 60, "time": list(t)},
                        dimension="configuration", observables="time", function=COSH, parameters=[1, 0.2],
                        shrinkage=shrinkage, range=[3, 12])
    cut = data[:, 3:13]
    plain, share = numpy.cov(cut.T), schaefer_strimmer(cut) if shrinkage == "schaefer-strimmer" else 1
    covariance = ((1 - share) * plain + share * numpy.diag(numpy.diag(plain))) / 60
    p, of_p = scipy.optimize.curve_fit(lambda t, a, m: a * numpy.cosh(m * (t - 8)), t[3:13], cut.mean(axis=0), [1, 0.2],
                                       covariance, absolute_sigma=True, xtol=1e-13, ftol=1e-13, gtol=1e-13)
    r = cut.mean(axis=0) - p[0] * numpy.cosh(p[1] * (t[3:13] - 8))
    chi_square = r @ numpy.linalg.inv(covariance) @ r
    assert_same(result, {"value": p, "error": numpy.sqrt(numpy.diag(of_p)), "chi_square": chi_square,
                         "p_value": scipy.stats.chi2.sf(chi_square, 8), "shrinkage": share}, rtol=2e-5)
    assert (abs(result["value"] - [2, 0.3]) < 5 * result["error"]).all()


POWER_LAW = graph(("a", "array_element", {"data": "$parameters", "index": 0}),
                  ("b", "array_element", {"data": "$parameters", "index": 1}),
                  ("p", "power", {"base": "$x", "p": "#b"}), ("y", "multiply", {"x": "#a", "y": "#p"}))


def test_a_power_law_has_a_point_at_zero(tmp_path):
    x = numpy.arange(5.0)
    data = correlated_samples(numpy.random.default_rng(27), 60, 2 * x ** 1.5)
    result = statistics(tmp_path, "correlated_fit", data, {"t": 60, "x": list(x)}, dimension="t", observables="x",
                        function=POWER_LAW, parameters=[1, 1], shrinkage="diagonal")
    sigma = data.std(axis=0, ddof=1) / math.sqrt(60)
    p, covariance = scipy.optimize.curve_fit(lambda x, a, b: a * x ** b, x, data.mean(axis=0), [1, 1], sigma,
                                             absolute_sigma=True, xtol=1e-13, ftol=1e-13, gtol=1e-13)
    assert_same(result, {"value": p, "error": numpy.sqrt(numpy.diag(covariance))}, rtol=1e-5)


def test_a_fit_that_is_not_determined_has_no_results(tmp_path):
    """Of the sum of two parameters neither is known, until a prior says what one of them is."""
    x = numpy.arange(4.0)
    both = graph(("a", "array_element", {"data": "$parameters", "index": 0}),
                 ("b", "array_element", {"data": "$parameters", "index": 1}), ("y", "add", {"x": "#a", "y": "#b"}))
    data = correlated_samples(numpy.random.default_rng(28), 60, numpy.ones(4))
    arguments = {"dimension": "t", "observables": "x", "function": both, "parameters": [1, 1]}
    result = statistics(tmp_path, "correlated_fit", data, {"t": 60, "x": list(x)}, **arguments)
    assert (result.pop("samples") == 60).all()
    assert all(numpy.isnan(numbers).all() for numbers in result.values()), result
    known = statistics(tmp_path, "correlated_fit", data, {"t": 60, "x": list(x)}, priors=[None, [0.5, 0.1]],
                       **arguments)
    assert all(numpy.isfinite(numbers).all() for numbers in known.values()), known


def test_points_outside_the_range_may_be_missing(tmp_path):
    """A fit in a range is the fit to data that hold nothing else, whatever is missing beyond."""
    x = numpy.arange(8.0)
    data = correlated_samples(numpy.random.default_rng(16), 40, 1 + 0.5 * x)
    data[3:30, 0] = data[:, 7] = data[20:, 6] = numpy.nan
    data[5, 4] = numpy.nan  # in the range
    options = {"dimension": "t", "observables": "x", "function": LINE, "parameters": [0, 0], "bin_size": 2}
    expected = statistics(tmp_path, "correlated_fit", data[:, 2:6], {"t": 40, "x": list(x[2:6])}, **options)
    assert (expected["samples"] == 39).all()
    result = statistics(tmp_path, "correlated_fit", data, {"t": 40, "x": list(x)}, range=[2, 5], **options)
    assert_same(result, expected, rtol=0)
    backwards = statistics(tmp_path, "correlated_fit", data[:, ::-1], {"t": 40, "x": list(x[::-1])}, range=[2, 5],
                           **options)
    assert_same(backwards, expected, rtol=1e-7)
    everything = statistics(tmp_path, "correlated_fit", data, {"t": 40, "x": list(x)}, **options)
    assert (everything["samples"] == 0).all() and numpy.isnan(everything["value"]).all()


def test_priors_and_many_positions(tmp_path):
    x = numpy.arange(5.0)
    data = numpy.stack([correlated_samples(numpy.random.default_rng(s), 50, 1 + s * x) for s in (1, 2)], axis=1)
    arguments = {"dimension": "t", "observables": "x", "function": LINE, "parameters": [0, 0]}
    dims = {"t": 50, "pixel": 2, "x": list(x)}
    free = statistics(tmp_path, "correlated_fit", data, dims, **arguments)
    assert free["value"].shape == (2, 2) and (abs(free["value"][:, 1] - [1, 2]) < 5 * free["error"][:, 1]).all()
    bound = statistics(tmp_path, "correlated_fit", data, dims, priors=[None, [0.25, 1e-8]], **arguments)
    numpy.testing.assert_allclose(bound["value"][:, 1], 0.25, atol=1e-6)
    assert (bound["degrees_of_freedom"] == 4).all() and (bound["p_value"] < 1e-6).all()


def test_p_values_are_spread_evenly(tmp_path):
    x, sets, n = numpy.arange(4.0), 200, 400
    rng = numpy.random.default_rng(15)
    data = numpy.stack([correlated_samples(rng, n, 1 + x) for _ in range(sets)], axis=1)
    result = statistics(tmp_path, "correlated_fit", data, {"t": n, "set": sets, "x": list(x)}, dimension="t",
                        observables="x", function=LINE, parameters=[0, 0], shrinkage="none", bin_size=1)
    assert scipy.stats.kstest(result["p_value"][:, 0], "uniform").pvalue > 1e-3
    inside = (abs(result["value"][:, 1] - 1) < result["error"][:, 1]).sum()
    assert abs(inside - 0.683 * sets) < 3 * math.sqrt(sets * 0.683 * 0.317)
    numpy.testing.assert_allclose(result["jackknife_error"], result["error"], rtol=0.25)


def test_weighted_average(tmp_path):
    data = numpy.array([[1, 0.1], [1.3, 0.2], [numpy.nan, 0.1], [0.7, 0.1]])
    result = statistics(tmp_path, "weighted_average", data, {"run": 4, "statistic": ["value", "error"]},
                        dimension="run")
    y, e = data[[0, 1, 3]].T
    mean, error = (y / e**2).sum() / (1 / e**2).sum(), (1 / e**2).sum() ** -0.5
    chi_square = (((y - mean) / e) ** 2).sum()
    assert_same(result, {"value": mean, "error": error, "chi_square": chi_square, "degrees_of_freedom": 2,
                         "p_value": scipy.stats.chi2.sf(chi_square, 2), "scale": math.sqrt(chi_square / 2),
                         "samples": 3})


# ---- reweighting -----------------------------------------------------------------------------------------------------


def test_the_ising_model_between_couplings(tmp_path):
    """3 x 3 spins on a torus, all 512 states drawn by their exact chances at three couplings."""
    bonds = [((x, y), ((x + 1) % 3, y)) for x in range(3) for y in range(3)]
    bonds += [((x, y), (x, (y + 1) % 3)) for x in range(3) for y in range(3)]
    states = [numpy.array(s).reshape(3, 3) for s in itertools.product([-1, 1], repeat=9)]
    energy = numpy.array([-sum(s[a] * s[b] for a, b in bonds) for s in states], dtype=float)
    magnetisation = numpy.array([abs(s.mean()) for s in states])

    def exact(beta):
        w = numpy.exp(-beta * (energy - energy.min()))
        return (w * energy).sum() / w.sum(), (w * magnetisation).sum() / w.sum(), \
            math.log(w.sum()) - beta * energy.min()

    rng, betas, n = numpy.random.default_rng(16), [0.1, 0.25, 0.4], 2000
    drawn = []
    for beta in betas:
        w = numpy.exp(-beta * energy)
        pick = rng.choice(512, size=n, p=w / w.sum())
        drawn.append(numpy.stack([energy[pick], magnetisation[pick]], axis=1))
    arguments = {"dimension": "configuration", "chain": "beta", "observables": "o", "energy": "E"}
    dims = {"beta": betas, "configuration": n, "o": ["E", "m"]}
    targets = [0.05, 0.18, 0.3, 0.45]
    result = run(tmp_path, of("multi_histogram_reweighting", numpy.array(drawn), dims, targets=targets, **arguments))
    assert labels(result, "beta") == targets and labels(result, "o") == ["E", "m"]
    for beta, rows in zip(targets, values(result)):
        e, m, log_z = exact(beta)
        assert abs(rows[0, 0] - e) < 4 * rows[0, 1] and abs(rows[1, 0] - m) < 4 * rows[1, 1]
        assert abs(rows[0, 3] - (log_z - exact(0.1)[2])) < 4 * rows[0, 4]
        assert 0 < rows[0, 1] < 0.5 and rows[0, 2] > 500
    assert "only" in failure(tmp_path, of("multi_histogram_reweighting", numpy.array(drawn), dims, targets=[5, -3],
                                          minimum_samples=3000, **arguments))


def test_one_field_of_phi_four_between_masses(tmp_path):
    """Zero dimensions: the weight exp(-m_sq phi^2 - lambda phi^4), drawn by its exact distribution function."""
    rng, masses, n, coupling = numpy.random.default_rng(17), [-1.5, -0.8, 0.0], 3000, 0.5
    phi = numpy.linspace(-4, 4, 20001)

    def weight(m_sq):
        return numpy.exp(-m_sq * phi**2 - coupling * phi**4)

    data = []
    for m_sq in masses:
        cumulated = scipy.integrate.cumulative_trapezoid(weight(m_sq), phi, initial=0)
        drawn = numpy.interp(rng.random(n), cumulated / cumulated[-1], phi)
        data.append(drawn**2)
    result = run(tmp_path, of("multi_histogram_reweighting", numpy.array(data)[..., None],
                              {"m_sq": masses, "configuration": n, "o": ["square"]}, dimension="configuration",
                              chain="m_sq", observables="o", energy="square", targets=[-1.2, -0.4]))
    for m_sq, row in zip((-1.2, -0.4), values(result)[:, 0]):
        z = scipy.integrate.trapezoid(weight(m_sq), phi)
        exact = scipy.integrate.trapezoid(weight(m_sq) * phi**2, phi) / z
        assert abs(row[0] - exact) < 4 * row[1]
        assert abs(row[3] - math.log(z / scipy.integrate.trapezoid(weight(-1.5), phi))) < 4 * row[4]


# ---- as parts of graphs ----------------------------------------------------------------------------------------------


def test_statistics_of_a_simulation_in_one_graph(tmp_path):
    """<phi^2> of phi^4 on 8 x 8, an independent Monte Carlo gave .143467(26); what follows reads a single label."""
    mean = graph(("m", "mean", {"data": "$data"}))
    steps = [("lft_scalar_field", {"shape": [8, 8], "m2": -4, "lambda": 8, "seed": 1, "configurations": 4000}),
             ("apply", {"process": graph(("s", "multiply", {"x": "$x", "y": "$x"}))}),
             ("reduce_dimension", {"dimension": "x0", "reducer": mean}),
             ("reduce_dimension", {"dimension": "x1", "reducer": mean}),
             ("gamma_method", {"dimension": "configuration"}),
             ("filter_labels", {"dimension": "statistic", "condition": graph(("e", "text_contains", {
                 "data": "$value", "pattern": "error"}))})]
    nodes = {}
    for i, (process, arguments) in enumerate(steps):
        before = {"data": {"from_node": f"n{i - 1}"}} if i else {}
        nodes[f"n{i}"] = {"process_id": process, "arguments": {**before, **arguments}}
    whole = {**nodes, "n4": {**nodes["n4"], "result": True}}
    del whole["n5"]
    result = dict(zip(labels(run(tmp_path, whole), "statistic"), values(run(tmp_path, whole))))
    assert abs(result["value"] - 0.143467) < 4 * math.hypot(result["error"], 0.000026)
    assert result["samples"] == 4000 and 0 < result["error"] < 0.002
    nodes["n5"]["result"] = True
    errors = run(tmp_path, nodes)
    assert labels(errors, "statistic") == ["error", "error_of_error", "tau_int_error"]
    assert list(values(errors)) == [result[name] for name in labels(errors, "statistic")]


def test_neither_tiles_nor_threads_change_a_bit(tmp_path):
    """Samples along the slowest and the fastest dimension, whatever the tiles: the same bits."""
    x = autoregressive(numpy.random.default_rng(18), (64, 40, 30), 0.5)
    first = [values(run(tmp_path, of("gamma_method", x, {"t": 64, "y": 40, "x": 30}, dimension="t"), "--threads", k))
             for k in (1, 2)]
    moved = of("gamma_method", numpy.moveaxis(x, 0, 2), {"y": 40, "x": 30, "t": 64}, dimension="t")
    last = values(run(tmp_path, moved))
    assert (first[0] == first[1]).all() and (first[0] == last).all()


def test_an_interrupt_ends_a_long_statistic(tmp_path):
    """A covariance of half a minute or more, once it computes; a run that heeds no signal outlasts the wait."""
    samples = graph(("a", "array_create", {"data": [1, 2, 3, 5, 4], "repeat": 340}))
    one = cube([[1] * 2000], t=dimension(OTHER, [0]), o=dimension(OTHER, range(2000)))
    steps = [("apply_dimension", {"data": one, "dimension": "t", "process": samples}),
             ("covariance", {"dimension": "t", "observables": "o", "target_dimension": "with",
                             "shrinkage": "ledoit-wolf"}),
             ("reduce_dimension", {"dimension": "with", "reducer": of_data("max")})]
    (tmp_path / "graph.json").write_text(json.dumps(chain(*steps)))
    process = subprocess.Popen([BINARY, "run", tmp_path / "graph.json", "--data", tmp_path, "-o", tmp_path / "o.json"],
                               stderr=subprocess.PIPE, text=True)
    try:
        ticks = 0
        while process.poll() is None and ticks < 0.3 * os.sysconf("SC_CLK_TCK"):  # the processor's seconds
            time.sleep(0.05)
            status = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii")
            ticks = int(status.rsplit(")", 1)[1].split()[11])
        process.send_signal(signal.SIGINT)
        _, message = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 1 and "RequestTimeout" in message, message


# ---- what is refused -------------------------------------------------------------------------------------------------

MEDIAN = graph(("m", "median", {"data": "$data"}))


@pytest.mark.parametrize("process, arguments, message", [
    ("gamma_method", {"dimension": "z"}, "DimensionNotAvailable"),
    ("gamma_method", {"dimension": "t", "chain": "t"}, "by another parameter"),
    ("gamma_method", {"dimension": "t", "s": 0}, "factor s"),
    ("gamma_method", {"dimension": "t", "observables": "o"}, "derived quantity"),
    ("gamma_method", {"dimension": "t", "derived": RATIO}, "needs the dimension 'observables'"),
    ("gamma_method", {"dimension": "t", "observables": "o", "derived": MEDIAN}, "MEDIAN has no derivative"),
    ("autocorrelation", {"dimension": "t", "lags": 10}, "distances up to 9"),
    ("bootstrap", {"dimension": "t", "confidence": 1}, "between 0 and 1"),
    ("bootstrap", {"dimension": "t", "bin_size": 10}, "at least two bins"),
    ("covariance", {"dimension": "t", "observables": "o", "target_dimension": "o"}, "DimensionExists"),
    ("covariance", {"dimension": "t", "observables": "o", "target_dimension": "statistic"}, "DimensionExists"),
    ("correlated_fit", {"dimension": "t", "observables": "o", "function": LINE, "parameters": [1, 1]},
     "neither a number nor a date"),
    ("weighted_average", {"dimension": "t", "observables": "o"}, "LabelNotAvailable"),
    ("multi_histogram_reweighting", {"dimension": "t", "chain": "r", "observables": "o", "energy": "x", "targets": [1]},
     "LabelNotAvailable"),
    ("multi_histogram_reweighting",
     {"dimension": "t", "chain": "r", "observables": "o", "energy": "a", "targets": [1, 1]}, "there twice"),
    ("multi_histogram_reweighting", {"dimension": "t", "chain": "r", "observables": "o", "energy": "a", "targets": [1]},
     "fewer than the 20 bins"),
])
def test_bad_arguments_are_named(tmp_path, process, arguments, message):
    x = numpy.random.default_rng(19).normal(size=(2, 10, 2)) + 3
    assert message in failure(tmp_path, of(process, x, {"r": 2, "t": 10, "o": ["a", "b"]}, **arguments))


@pytest.mark.parametrize("arguments, message", [
    ({"shrinkage": "none"}, "cannot be inverted"),
    ({"parameters": []}, "parameters"),
    ({"range": [2.5, 2.6]}, "0"),
    ({"range": [2, 2], "shrinkage": "diagonal"}, "do not determine"),
    ({"priors": [None]}, "for each of the 2"),
    ({"priors": [None, [1, 0]]}, "width above 0"),
])
def test_fits_that_cannot_be_are_named(tmp_path, arguments, message):
    x = numpy.random.default_rng(20).normal(size=(4, 5))
    given = {"dimension": "t", "observables": "x", "function": LINE, "parameters": [1, 1], **arguments}
    assert message in failure(tmp_path, of("correlated_fit", x, {"t": 4, "x": list(range(5))}, **given))


@pytest.mark.parametrize("process, size, arguments", [
    ("bootstrap", 2000, {"resamples": 1000000}),
    ("multi_histogram_reweighting", 2000, {"chain": "r", "observables": "o", "energy": "a", "bins": 10000,
                                           "targets": list(range(4000))}),
])
def test_large_demands_are_refused_at_once(tmp_path, process, size, arguments):
    x = numpy.zeros((2, size, 2))
    given = of(process, x, {"r": 2, "t": size, "o": ["a", "b"]}, dimension="t", **arguments)
    assert "ProcessGraphComplexity" in failure(tmp_path, given)
