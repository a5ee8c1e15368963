"""apply_kernel against sums over padded NumPy arrays."""

import json

import numpy
import pytest
import xarray

from conftest import twincube

PADDING = {"replicate": "edge", "reflect": "symmetric", "reflect_pixel": "reflect", "wrap": "wrap"}


def fields(tmp_path_factory, name, kind):
    """Two dates of a small grid; floats with gaps and infinities, or bytes."""
    random = numpy.random.default_rng(3)
    values = random.normal(0, 100, (2, 37, 29)).astype("float32")
    values[random.random(values.shape) < 0.05] = numpy.nan
    values[0, 3, 4], values[1, 0, 0] = numpy.inf, -numpy.inf
    if kind == "uint8":
        values = random.integers(0, 256, values.shape).astype("uint8")
    cube = xarray.DataArray(values, dims=("t", "y", "x"), name="field", coords={
        "t": numpy.array(["2020-01-01", "2020-01-02"], "datetime64[ns]"), "y": 50 - 0.5 * numpy.arange(37),
        "x": 9 + 0.5 * numpy.arange(29)})
    cube.y.attrs = {"standard_name": "latitude", "units": "degrees_north"}
    cube.x.attrs = {"standard_name": "longitude", "units": "degrees_east"}
    path = tmp_path_factory.mktemp("fields") / f"{name}.nc"
    cube.to_netcdf(path, encoding={"field": {"chunksizes": (1, 16, 16), "_FillValue": None}})
    return values, path


@pytest.fixture(scope="module", params=["float32", "uint8"])
def field(request, tmp_path_factory, catalogue):
    name = f"FIELD_{request.param}"
    values, path = fields(tmp_path_factory, name, request.param)
    catalogue.add(name, path)
    return values, name


def run(data, tmp_path, graph, *options):
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    out = tmp_path / "out.nc"
    twincube("run", tmp_path / "graph.json", "--data", data, "-o", out, *options)
    with xarray.open_dataset(out) as dataset:
        name = next(name for name, variable in dataset.data_vars.items() if {"x", "y"} <= set(variable.dims))
        return dataset[name].load().transpose(..., "y", "x").values


def convolution(collection, kernel, **arguments):
    return {
        "load": {"process_id": "load_collection", "arguments": {
            "id": collection, "spatial_extent": None, "temporal_extent": None}},
        "sum": {"process_id": "apply_kernel", "arguments": {
            "data": {"from_node": "load"}, "kernel": kernel.tolist(), **arguments}, "result": True}}


def expected(values, kernel, factor=1, border=0, replace_invalid=0):
    values = numpy.where(numpy.isfinite(values), values.astype("float64"), replace_invalid)
    rows, columns = kernel.shape
    width = ((0, 0), (rows // 2, rows // 2), (columns // 2, columns // 2))
    options = {"mode": PADDING[border]} if isinstance(border, str) else {"mode": "constant", "constant_values": border}
    padded = numpy.pad(values, width, **options)
    out = numpy.zeros(values.shape)
    for row in range(rows):
        for column in range(columns):
            part = padded[:, row:row + values.shape[1], column:column + values.shape[2]]
            out += kernel[row, column] * part
    return out * factor


KERNELS = {
    "one": numpy.array([[2.0]]),
    "row": numpy.array([[1.0, 2, 4]]),
    "column": numpy.array([[1.0], [0], [-3], [0], [2]]),
    "3x5": numpy.arange(15.0).reshape(3, 5) - 4,
    "11x11": numpy.add.outer(numpy.arange(11.0), numpy.arange(11.0) ** 2) / 100,
    "wider than the data": numpy.ones((5, 61)) / 305,
    "nothing": numpy.zeros((3, 3)),
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("border", [0, -1, 0.5, *PADDING])
def test_sums_of_windows(field, data, tmp_path, kernel, border):
    values, name = field
    options = {"border": border, "factor": 0.25, "replace_invalid": -7}
    have = run(data, tmp_path, convolution(name, KERNELS[kernel], **options))
    want = expected(values, KERNELS[kernel], **options)
    scale = abs(KERNELS[kernel]).sum() * 500 + 1
    numpy.testing.assert_allclose(have, want, atol=1e-6 * scale)


def test_the_same_bits_however_it_is_cut(field, data, tmp_path):
    graph = convolution(field[1], KERNELS["11x11"], border="reflect")
    one = run(data, tmp_path, graph, "--threads", "1")
    two = run(data, tmp_path, graph, "--threads", "2", "--memory", "134M")
    assert one.tobytes() == two.tobytes()
