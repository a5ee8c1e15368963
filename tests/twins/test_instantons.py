"""Classical solutions: an instanton of SU(2), alone or in SU(3), keeps its charge while it flows."""


def charge(twin, group, radius, sign=1, flow_time=1.0, method="improved"):
    """The charge of an instanton on 12^4 behind the flow."""
    # steps so long that all are rejected leave the field that the chain starts from
    field = {"shape": [12, 12, 12, 12], "group": group, "beta": 1e4, "configurations": 1, "thermalisation": 0,
             "separation": 1, "update": "hmc", "step_size": 2, "steps": 2,
             "start": "instanton", "radius": radius, "charge": sign}
    return twin.compute({
        "field": {"process_id": "lft_gauge_field", "arguments": field},
        "flowed": {"process_id": "lft_wilson_flow", "arguments": {
            "data": {"from_node": "field"}, "flow_time": flow_time, "step_size": 0.1, "quantity": "field"}},
        "charge": {"process_id": "lft_topological_charge", "result": True, "arguments": {
            "data": {"from_node": "flowed"}, "method": method}}})["data"][0]


def test_the_larger_the_closer_to_one(twin):
    """The lattice takes (a / radius)^4 from the improved charge, a smaller power from that of plaquettes."""
    errors = {radius: 1 - charge(twin, "SU(2)", radius) for radius in (2, 2.5, 3)}
    print("1 - Q by radius:", errors)
    assert 0.06 > errors[2] > 2 * errors[2.5] > 4 * errors[3] > 0 and errors[3] < 0.01
    assert abs(charge(twin, "SU(2)", 3, flow_time=0.5) - charge(twin, "SU(2)", 3)) < 1e-3
    assert 1 - charge(twin, "SU(2)", 3, method="clover") > 5 * errors[3]
    assert abs(charge(twin, "SU(3)", 2.5, sign=-1) + 1 - errors[2.5]) < 1e-9
