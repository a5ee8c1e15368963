"""The kernels part: nanoseconds a value on one core of expressions and operations, against loops by hand."""
from common import checked, goal_at_most, heading

SLOWEST = 20


def run_kernels(args):
    heading(args, "kernels: ns a value, CPU time of one core")
    output = checked([args.programs / "kernel_bench", 2 * args.rounds + 1]).output
    lines = [line.split() for line in output.splitlines()]
    print(f"SIMD: {lines[0][1]}; values in the L2 cache, and in memory")
    print("| expression | type | cache: kernel | loop by hand | ratio | memory: kernel | loop by hand | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    rows = {tuple(line[:3]): tuple(map(float, line[3:])) for line in lines if line[0] in ("cache", "memory")}
    ratios = {}
    for _, name, kind in (key for key in rows if key[0] == "cache"):
        cells = [f"{name} | {kind}"]
        for where in ("cache", "memory"):
            kernel, loop = rows[where, name, kind]
            ratios[where, name, kind] = kernel / loop
            cells.append(f"{kernel:.3f} | {loop:.3f} | {kernel / loop:.2f}")
        print(f"| {' | '.join(cells)} |")
    for where in ("cache", "memory"):
        for kind in ("f32", "f64"):
            worst = max((ratio, key[1]) for key, ratio in ratios.items() if key[0] == where and key[2] == kind)
            goal_at_most(f"kernels in {where}, {kind}: kernel / loop by hand, most of all ({worst[1]})", worst[0], 1.15)
    costs = sorted(((float(f32), float(f64), name) for what, name, f32, f64 in
                    (line for line in lines if line[0] == "op")), reverse=True)
    print("op, f32 and f64, slowest first: "
          + "; ".join(f"{name} {f32:.2f}, {f64:.2f}" for f32, f64, name in costs[:SLOWEST]))
    print_lengths([line for line in lines if line[0] in ("reduce", "series")])


def print_lengths(lines):
    """Reducers and sorting along arrays of several lengths, f32 / f64."""
    cells = {(what, name, int(n)): f"{float(f32):.2f} / {float(f64):.2f}" for what, name, n, f32, f64 in lines}
    lengths = sorted({n for _, _, n in cells})
    print(f"| of so many values | {' | '.join(map(str, lengths))} |\n|---|{'---|' * len(lengths)}")
    for what, name in dict.fromkeys((what, name) for what, name, _ in cells):
        print(f"| {what} {name} | {' | '.join(cells[what, name, n] for n in lengths)} |", flush=True)
