"""The start part: a command that computes one number, and a server's first answer."""
import json
import statistics

from common import HERE, checked, empty_data, goal_at_most, heading
from service import Server


def run_start(args):
    empty_data(args)
    heading(args, "start")
    graph = HERE / "graphs" / "add.json"
    samples = [checked([args.twincube, "run", graph, "--data", args.data]) for _ in range(8 * args.rounds + 1)]
    if json.loads(samples[0].output) != 3:
        raise ValueError(samples[0].output)
    print(f"twincube run of add(1,2): {1e3 * min(s.wall for s in samples):.1f} to "
          f"{1e3 * max(s.wall for s in samples):.1f} ms, CPU {1e3 * statistics.median(s.cpu for s in samples):.1f} ms")
    goal_at_most("W10 twincube run of a scalar, ms", 1e3 * statistics.median(s.wall for s in samples), 15)
    starts = []
    for _ in range(args.rounds):
        server = Server(args)
        server.stop()
        starts.append(server.start)
    goal_at_most("W10 server start to first answer, ms", 1e3 * statistics.median(starts), 100)
