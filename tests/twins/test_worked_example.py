"""The README's lines from an ensemble to a plot, as they stand there but on a smaller and coarser lattice; the notebook
has them."""

import ast
import json

import numpy

from conftest import ROOT


def readme_lines():
    text = (ROOT / "README.md").read_text("utf-8")
    return next(block.split("```")[0] for block in text.split("```python\n") if 'new("lft_gauge_field"' in block)


def test_ensemble_to_plot(twin, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)
    lines, field = readme_lines(), "shape=[8, 8, 8, 8], beta=5.8"
    assert lines.count(field) == 1 and len(lines.splitlines()) < 10
    names = {"c": twin.connection}
    exec(compile(lines.replace(field, "shape=[4, 4, 4, 4], beta=5.0"), "README.md", "exec"), names)
    axes = names["plt"].gca()
    assert axes.get_title().startswith("plaquette 0.39") and (tmp_path / "flow.png").stat().st_size > 1000
    (points,), (_, flow_time), observables = axes.containers[0].lines[2], *single_configurations(twin)
    energy = observables.mean(axis=0)
    middles = numpy.array([segment.mean(axis=0) for segment in points.get_segments()])
    assert numpy.allclose(middles, numpy.transpose([flow_time, flow_time**2 * energy]), rtol=1e-9, atol=1e-12)
    assert numpy.isclose(numpy.interp(names["t0"], flow_time, flow_time**2 * energy), 0.3)
    assert 0 < names["low"] < names["t0"] < names["high"] < 2
    names["plt"].close("all")


def single_configurations(twin):
    """Flow times, and the energies of each configuration of the README's ensemble on the smaller lattice."""
    document = twin.compute({
        "links": {"process_id": "lft_gauge_field",
                  "arguments": {"shape": [4, 4, 4, 4], "beta": 5.0, "configurations": 20}},
        "flow": {"process_id": "lft_wilson_flow", "result": True,
                 "arguments": {"data": {"from_node": "links"}, "flow_time": 2, "step_size": 0.1}}})
    labels = {dimension["name"]: dimension["labels"] for dimension in document["dimensions"]}
    which = labels["observable"].index("energy_clover")
    return ("flow_time", numpy.array(labels["flow_time"])), numpy.array(document["data"])[:, :, which]


def test_the_notebook_has_these_lines():
    document = json.loads((ROOT / "physics" / "lattice" / "ensemble.ipynb").read_text("utf-8"))
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    lines = "\n".join("".join(cell["source"]) for cell in cells[1:])
    assert ast.dump(ast.parse(lines)) == ast.dump(ast.parse(readme_lines()))
    assert "openeo.connect" in "".join(cells[0]["source"]) and not any(cell["outputs"] for cell in cells)
