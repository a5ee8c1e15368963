"""Many calls of processes in one run: what each of them gives, in order."""

import json
import math


def results(subject, calls):
    """calls: (process, arguments). The answers, null as None."""
    nodes = {f"n{i}": {"process_id": process, "arguments": arguments} for i, (process, arguments) in enumerate(calls)}
    collected = [{"from_node": f"n{i}"} for i in range(len(calls))]
    nodes["all"] = {"process_id": "array_create", "arguments": {"data": collected}, "result": True}
    return json.loads(subject.run(nodes))


def same(have, want, tolerance=1e-12):
    """Equal, numbers within the tolerance (relative, or absolute below 1)."""
    if isinstance(want, list):
        return isinstance(have, list) and len(have) == len(want) and all(map(same, have, want))
    if isinstance(want, bool) or isinstance(have, bool) or not isinstance(want, (int, float)):
        return type(have) is type(want) and have == want
    if not isinstance(have, (int, float)):
        return False
    if math.isnan(want) or math.isnan(have):
        return math.isnan(want) and math.isnan(have)
    return have == want or abs(have - want) <= tolerance * max(1.0, abs(want))
