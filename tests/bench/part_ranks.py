"""The ranks part: one gauge field and its flow by one thread, by two, and in two slabs that mpirun starts."""
import os
import shutil

import graph
from common import Failed, compare, empty_data, goal_at_least, heading, our_run, read_json, run_once, table, time_rounds

GOAL = 1.7


def nodes_of(side, sweeps):
    links = graph.node("lft_gauge_field", shape=[side] * 4, beta=6, seed=1, thermalisation=0, configurations=1,
                       separation=sweeps)
    flow = graph.node("lft_wilson_flow", data=graph.ref("links"), flow_time=0.4, interval=0.4, step_size=0.1)
    return {"links": links, "flow": flow, "save": graph.save("flow", "JSON")}


def run_ranks(args):
    if shutil.which("mpirun") is None:
        raise Failed("there is no mpirun")
    empty_data(args)
    side, sweeps = (8, 10) if args.small else (16, 8)
    ranks = ["mpirun", *(["--allow-run-as-root"] if os.getuid() == 0 else []), "--oversubscribe", "-n", "2"]
    rows = {}
    for name, threads, launcher in ("1 thread", 1, []), ("2 threads", 2, []), ("2 ranks", 1, ranks):
        command, out = our_run(args, f"ranks_{name[0]}{name[2]}", nodes_of(side, sweeps), ".json", threads=threads)
        rows[name] = ["env", "OMP_WAIT_POLICY=passive", *launcher, *command], out
    first = read_json(run_once(rows["1 thread"])[1])
    for name in "2 threads", "2 ranks":
        compare(name, read_json(run_once(rows[name])[1]), first, 0, "1 thread")
    samples = time_rounds(rows, args.rounds)
    heading(args, f"ranks: SU(3) on {side}^4, {sweeps} heat baths of 3 over-relaxations each, 4 steps of the flow")
    wall = table(samples)
    for name in "2 threads", "2 ranks":
        goal_at_least(f"1 thread / {name}, wall", wall["1 thread"] / wall[name], GOAL)
