"""The chain part: what needs a lattice field's Markov chain twice against what needs it once, and threads."""
import graph
from common import (compare, empty_data, goal_at_least, goal_at_most, heading, our_run, read_variable, run_once, table,
                    time_rounds)


def field(side, /, **arguments):
    arguments = {"shape": [side, side], "m2": -0.2, "lambda": 0.5, "seed": 1, **arguments}
    return {"field": graph.node("lft_scalar_field", **arguments)}


def rows_of(args, side, configurations, **arguments):
    """The mean configuration alone, the deviations from it, and their mean square as one number."""
    nodes = field(side, configurations=configurations, **arguments)
    mean = graph.reduce_over("field", ["configuration"], "mean", "mean")
    apart = {**nodes, **mean, "apart": graph.combined("field", "mean", "subtract")}
    square = {"square": graph.node("apply", data=graph.ref("apart"), process=graph.callback(
        "multiply", x=graph.parameter("x"), y=graph.parameter("x")))}
    variance = graph.reduce_over("square", ["configuration"], "mean", "variance")
    return {
        "mean(x)": our_run(args, "chain_mean", {**nodes, **mean, "save": graph.save("mean", "netCDF")}, ".nc"),
        "x": our_run(args, "chain_field", {**nodes, "save": graph.save("field", "netCDF")}, ".nc"),
        "x - mean(x)": our_run(args, "chain_apart", {**apart, "save": graph.save("apart", "netCDF")}, ".nc"),
        "mean((x - mean(x))²)": our_run(args, "chain_variance", {
            **apart, **square, **variance, "save": graph.save("variance", "netCDF")}, ".nc"),
    }


def check(rows):
    x = read_variable(run_once(rows["x"])[1])
    mean = x.mean(axis=0)
    compare("mean(x)", read_variable(run_once(rows["mean(x)"])[1]), mean, 1e-13)
    compare("x - mean(x)", read_variable(run_once(rows["x - mean(x)"])[1]), x - mean, 1e-13)
    compare("mean((x - mean(x))²)", read_variable(run_once(rows["mean((x - mean(x))²)"])[1]),
            ((x - mean) ** 2).mean(axis=0), 1e-12)


def run_threads(args, side, thermalisation):
    nodes = field(side, configurations=2, thermalisation=thermalisation, separation=4)
    nodes.update(graph.reduce_over("field", ["configuration"], "mean", "mean"), save=graph.save("mean", "netCDF"))
    rows = {f"{n} thread{'s' * (n > 1)}": our_run(args, f"chain_{n}", nodes, ".nc", threads=n) for n in (1, 2)}
    one, two = (read_variable(run_once(row)[1]) for row in rows.values())
    compare("1 thread", one, two, 0, "2 threads")
    samples = time_rounds(rows, args.rounds)
    heading(args, f"chain: {side}² sites, {thermalisation} + 8 trajectories of 10 steps")
    wall = table(samples)
    goal_at_least("1 thread / 2 threads", wall["1 thread"] / wall["2 threads"], 1.7)


def run_chain(args):
    empty_data(args)
    side, configurations = (64, 32) if args.small else (256, 256)
    rows = rows_of(args, side, configurations, thermalisation=0, separation=1)
    check(rows)
    samples = time_rounds(rows, args.rounds)
    heading(args, f"chain: {configurations} configurations of {side}² sites, one trajectory of 10 steps each")
    wall = table(samples)
    goal_at_most("x - mean(x) : mean(x), result written", wall["x - mean(x)"] / wall["mean(x)"], 1.2)
    goal_at_most("mean((x - mean(x))²) : mean(x)", wall["mean((x - mean(x))²)"] / wall["mean(x)"], 1.2)
    for side, thermalisation in ((128, 8),) if args.small else ((512, 192), (1024, 56)):
        run_threads(args, side, thermalisation)
