"""fit_curve and predict_curve against SciPy."""

import numpy
import pytest
import scipy.optimize

from cube_tools import chain, cube, dimension, failure, labels, run, values

DAY = 86400.0


def call(process, /, **arguments):
    return {"process_id": process, "arguments": arguments}


def node(name):
    return {"from_node": name}


def parameters(count):
    return {f"p{i}": call("array_element", data={"from_parameter": "parameters"}, index=i) for i in range(count)}


def season(x, a, b, c):
    """A mean and a yearly wave; x in seconds."""
    angle = 2 * numpy.pi / (365.25 * DAY) * x
    return a + b * numpy.cos(angle) + c * numpy.sin(angle)


SEASON = {"process_graph": {
    **parameters(3), "angle": call("multiply", x={"from_parameter": "x"}, y=2 * numpy.pi / (365.25 * DAY)),
    "cos": call("cos", x=node("angle")), "sin": call("sin", x=node("angle")),
    "b": call("multiply", x=node("p1"), y=node("cos")), "c": call("multiply", x=node("p2"), y=node("sin")),
    "sum": {**call("sum", data=[node("p0"), node("b"), node("c")]), "result": True}}}


def decay(x, a, b, c):
    return a * numpy.exp(-b * x) + c


DECAY = {"process_graph": {
    **parameters(3), "bx": call("multiply", x=node("p1"), y={"from_parameter": "x"}),
    "minus": call("multiply", x=node("bx"), y=-1), "exp": call("exp", p=node("minus")),
    "scaled": call("multiply", x=node("p0"), y=node("exp")),
    "sum": {**call("add", x=node("scaled"), y=node("p2")), "result": True}}}


def peak(x, a, m, s):
    return a * numpy.exp(-((x - m) / s) ** 2)


PEAK = {"process_graph": {
    **parameters(3), "off": call("subtract", x={"from_parameter": "x"}, y=node("p1")),
    "by": call("divide", x=node("off"), y=node("p2")), "two": call("power", base=node("by"), p=2),
    "minus": call("multiply", x=node("two"), y=-1), "exp": call("exp", p=node("minus")),
    "y": {**call("multiply", x=node("p0"), y=node("exp")), "result": True}}}


def fit(guess, function, **arguments):
    return {"process_graph": {"fit": {**call("fit_curve", data={"from_parameter": "data"}, parameters=guess,
                                             function=function, **arguments), "result": True}}}


def fitted(folder, x, array, guess, function, *options, kind="other", **arguments):
    data = cube(array, t=dimension(kind, x), x=dimension("spatial", range(array.shape[1]), axis="x"))
    return run(folder, chain(("apply_dimension", {
        "data": data, "dimension": "t", "process": fit(guess, function, **arguments)})), *options)


CURVES = [(decay, DECAY, [1, 1, 0], lambda r: (r.uniform(1, 5), r.uniform(0.2, 2), r.uniform(-1, 1))),
          (peak, PEAK, [1, 2.5, 1], lambda r: (r.uniform(1, 5), r.uniform(1.5, 3.5), r.uniform(0.5, 1.5)))]


@pytest.mark.parametrize("model, graph, guess, draw", CURVES)
@pytest.mark.parametrize("noise", [0, 0.1])
def test_curves_with_gaps(tmp_path, model, graph, guess, draw, noise):
    random = numpy.random.default_rng(5)
    x = numpy.linspace(0, 5, 30)
    array = numpy.stack([model(x, *draw(random)) + noise * random.normal(size=30) for _ in range(70)], axis=1)
    array[random.random(array.shape) < 0.2] = numpy.nan
    have = values(fitted(tmp_path, x.tolist(), array, guess, graph, "--threads", 2))
    for k in range(array.shape[1]):
        there = ~numpy.isnan(array[:, k])
        want, _ = scipy.optimize.curve_fit(model, x[there], array[there, k], p0=guess, xtol=1e-13, ftol=1e-13)
        got = have[:, k]
        if model is peak:  # s and -s give the same curve
            got, want = numpy.append(got[:2], abs(got[2])), numpy.append(want[:2], abs(want[2]))
        numpy.testing.assert_allclose(got, want, rtol=2e-6, atol=2e-6)


def test_seasons_of_dates(tmp_path):
    """Dates as seconds; the parameters are linear, so NumPy solves for them. Alone, in groups of any size, on one
    or two threads: the same bits."""
    random = numpy.random.default_rng(6)
    days = numpy.sort(random.choice(1500, 48, replace=False))
    dates = [str(numpy.datetime64("2015-06-01") + int(day)) for day in days]
    x = (numpy.datetime64("2015-06-01") - numpy.datetime64("1970-01-01")).astype(int) * DAY + days * DAY
    array = season(x, 3, 1.5, -0.5)[:, None] + random.normal(size=(48, 41))
    array[random.random(array.shape) < 0.1] = numpy.nan
    results = [fitted(tmp_path, dates, array[:, :n], [0, 0, 0], SEASON, "--threads", t, kind="temporal")
               for n, t in ((41, 1), (41, 2), (7, 1))]
    have = values(results[0])
    numpy.testing.assert_array_equal(values(results[1]), have)
    numpy.testing.assert_array_equal(values(results[2]), have[:, :7])
    base = numpy.stack([season(x, *row) for row in numpy.eye(3)], axis=1)
    for k in range(41):
        there = ~numpy.isnan(array[:, k])
        want = numpy.linalg.lstsq(base[there], array[there, k], rcond=None)[0]
        numpy.testing.assert_allclose(have[:, k], want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "int16", "uint8"])
def test_narrow_data(tmp_path, dtype):
    """Elements that f32 holds exactly are fitted in f64 all the same."""
    x = numpy.arange(12)
    array = numpy.stack([numpy.round(decay(x, a, 0.3, 20)) for a in (100, 60, 30)], axis=1)
    data = cube(array, t=dimension("other", x.tolist()), x=dimension("spatial", range(3), axis="x")) | {"dtype": dtype}
    result = run(tmp_path, chain(("apply_dimension", {
        "data": data, "dimension": "t", "target_dimension": "p", "process": fit([50, 0.5, 10], DECAY)})))
    want = [scipy.optimize.curve_fit(decay, x, column, p0=[50, 0.5, 10])[0] for column in array.T]
    numpy.testing.assert_allclose(values(result).T, want, rtol=1e-6)


def test_predicted_where_it_was_not_seen(tmp_path):
    """fit, then predict, into a dimension of its own and back into time: the curve's values at other dates."""
    random = numpy.random.default_rng(7)
    dates = [str(numpy.datetime64("2018-01-01") + 12 * i) for i in range(40)]
    later = ["2020-03-01", "2020-09-01T12:00:00Z", "2021-01-01"]
    seconds = [[numpy.datetime64(d.replace("Z", ""), "s").astype("int64") for d in group] for group in (dates, later)]
    truth = random.normal(size=(3, 4))
    array = numpy.stack([season(numpy.array(seconds[0]), *p) for p in truth.T], axis=1)
    data = cube(array, t=dimension("temporal", dates), x=dimension("spatial", range(4), axis="x"))
    for target in (None, "parameters"):
        result = run(tmp_path, {
            "fit": call("apply_dimension", data=data, dimension="t", target_dimension=target,
                        process=fit([1, 1, 1], SEASON)),
            "predict": {**call("predict_curve", parameters=node("fit"), dimension="t", labels=later, function=SEASON),
                        "result": True}})
        assert labels(result, "t") == later
        want = numpy.stack([season(numpy.array(seconds[1]), *p) for p in truth.T], axis=1)
        numpy.testing.assert_allclose(values(result), want, rtol=1e-6, atol=1e-6)


def test_nothing_to_fit(tmp_path):
    """Too few values, or a missing one that counts, or a guess without a value: no-data, for that pixel alone."""
    x = numpy.arange(1.0, 7)
    array = numpy.stack([decay(x, 2, 0.5, 1)] * 3, axis=1)
    array[2:, 1] = numpy.nan
    array[0, 2] = numpy.nan
    have = values(fitted(tmp_path, x.tolist(), array, [1, 1, 0], DECAY))
    numpy.testing.assert_allclose(have[:, [0, 2]], [[2, 2], [0.5, 0.5], [1, 1]], rtol=1e-6)
    assert numpy.isnan(have[:, 1]).all()
    have = values(fitted(tmp_path, x.tolist(), array, [1, 1, 0], DECAY, ignore_nodata=False))
    assert numpy.isnan(have[:, 1:]).all() and not numpy.isnan(have[:, 0]).any()
    log = {"process_graph": {**parameters(1), "ln": call("ln", x=node("p0")),
                             "y": {**call("multiply", x=node("ln"), y={"from_parameter": "x"}), "result": True}}}
    assert numpy.isnan(values(fitted(tmp_path, x.tolist(), array, [-1], log))).all()


def test_functions_that_see_the_pixel(tmp_path):
    body = {"process_graph": {
        "first": call("array_element", data={"from_parameter": "data"}, index=0),
        "fit": {**call("fit_curve", data={"from_parameter": "data"}, parameters=[1], function={"process_graph": {
            "own": call("array_element", data={"from_parameter": "data"}, index=1),
            **parameters(1), "y": {**call("add", x=node("p0"), y=node("own")), "result": True}}}), "result": True}}}
    data = cube([[1.0], [2.0]], t=dimension("other", [1, 2]), x=dimension("spatial", [0], axis="x"))
    error = failure(tmp_path, chain(("apply_dimension", {"data": data, "dimension": "t", "process": body})))
    assert error.startswith("FeatureUnsupported") and "depends on the pixel" in error


def test_a_part_of_the_parameters(tmp_path):
    """What follows the fit in the same process is one kernel with it."""
    x = numpy.arange(8.0)
    array = numpy.stack([decay(x, a, 0.5, 1) for a in (1, 2, 3)], axis=1)
    body = fit([1, 1, 0], DECAY)
    body["process_graph"]["fit"].pop("result")
    body["process_graph"]["max"] = {**call("max", data=node("fit")), "result": True}
    data = cube(array, t=dimension("other", x), x=dimension("spatial", range(3), axis="x"))
    result = run(tmp_path, chain(("reduce_dimension", {"data": data, "dimension": "t", "reducer": body})))
    numpy.testing.assert_allclose(values(result), [1, 2, 3], rtol=1e-6)
