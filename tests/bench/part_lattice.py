"""The lattice part: updates, hopping term, solvers and flow of SU(3) fields on one core, and updates of a scalar field,
against floors and openQCD.

openQCD's folder is the caller's: devel/dirac/time1 and time2 there, built for one process, time its Wilson-Dirac
operator in f32 and f64 on the lattice that was compiled in. They take the wall clock, ours takes CPU time: on busy
cores the peer looks slower than it is. Version 1.6 with Debian's libopenmpi-dev: NPROC0 to NPROC3 are to be 1 and L0 to
L3 equal in include/global.h, then in devel/dirac

  make GCC=gcc MPI_INCLUDE=/usr/lib/x86_64-linux-gnu/openmpi/include MPI_HOME=/usr LIBPATH=/usr/lib/x86_64-linux-gnu \\
    MAIN="time1 time2" CFLAGS="-std=c89 -fstrict-aliasing -O3 -fcommon -DAVX -DFMA3 -DPM" mkxeq

and the same in devel/forces with MAIN=check5, whose even-odd conjugate gradients (f32 and f64) are compared with ours.
"""
import re
import struct

import numpy as np

from common import checked, goal_at_least, goal_at_most, heading

PEER_PROGRAMS = {"f32": "time1", "f64": "time2"}


def run_lattice(args):
    heading(args, "lattice: SU(3) in four dimensions and scalar fields, one core")
    run_updates(args)
    run_dirac(args)
    run_flow(args)


def run_updates(args):
    """Times of sweeps, and how much of what the machine could do that is."""
    seconds = 0.2 if args.small else 3 if args.quick else 10
    print("| us a link and core | heat bath | over-relaxation | wall time of one of each |\n|---|---|---|---|")
    rows, peaks, rates = {}, {}, {}
    for line in checked([args.programs / "lattice_bench", seconds]).output.splitlines():
        kind, *words = line.split()
        if kind == "peak":
            peaks[words[0]] = [float(word) for word in words[1:]]
        elif kind == "memory":
            rates[tuple(words[:2])] = float(words[2])
        else:
            group, shape, threads, *values = words
            if kind == "scalar" and kind not in {key[0] for key in rows}:
                print("| us a site and core | Metropolis sweep | step of HMC | wall time of both |\n|---|---|---|---|")
            rows[kind, group, shape, int(threads)] = values
            print(f"| {kind} {group} {shape}, {threads} threads | {' | '.join(values)} |", flush=True)
    show_shares(rows, peaks, rates)
    for kind in "f64", "f32":
        heat, reflection, _ = map(float, rows[kind, "SU(3)", "8^4", 1])
        goal_at_most(f"SU(3) 8^4, {kind}: heat bath, us a link and core", heat, 0.08)
        goal_at_most(f"SU(3) 8^4, {kind}: over-relaxation, us a link and core", reflection, 0.04)
    one, two = (float(rows["f64", "SU(3)", "16^4", threads][2]) for threads in (1, 2))
    goal_at_least("SU(3) 16^4: one thread / two threads, wall time", one / two, 1.7)


def show_shares(rows, peaks, rates):
    """What a link of SU(3) takes: 12 products of matrices of 198 operations and the sums of 6 pairs of staples, 2592,
    U W^dagger, 198, and three subgroups (21 for the part of W, 6 for its reflection or 28 for a product with a random
    element, 84 for the link's two rows, 140 for W's in all); random numbers are not counted. Of memory: the four links
    of the site are read and one is written, 5 times 18 numbers, at the rate at which the links are read alone."""
    operations = {"heat bath": 2592 + 198 + 3 * (21 + 28 + 84) + 140,
                  "over-relaxation": 2592 + 198 + 3 * (21 + 6 + 84) + 140}
    print("| SU(3), one core | GFLOP/s | % of the fused peak | % of the peak apart | % of memory's bound |\n"
          "|---|---|---|---|---|")
    for (kind, shape), rate in rates.items():
        moved = 5 * 18 * (8 if kind == "f64" else 4) / rate * 1e-3
        for (name, count), spent in zip(operations.items(), map(float, rows[kind, "SU(3)", shape, 1])):
            done = count / spent * 1e-3
            shares = [f"{100 * done / peak:.0f}" for peak in peaks.get(kind, [])] or ["-", "-"]
            print(f"| {kind} {shape} {name} | {done:.1f} | {' | '.join(shares)} | {100 * moved / spent:.0f} |",
                  flush=True)


def run_dirac(args):
    """Ours before and after the peer: the faster of both counts."""
    sides = (8,) if args.small else (8, 12, 16, 24)
    first = dirac_figures(args, sides)
    peer = {kind: figure for kind in PEER_PROGRAMS if (figure := peer_figure(args, kind))}
    second = dirac_figures(args, sorted({side for _, side in peer.values()})) if peer else {}
    ours = {key: max(figures.get(key, (0, 0)) for figures in (first, second)) for key in first | second}
    print("| hopping term | GFLOP/s | % of the bandwidth bound |\n|---|---|---|")
    for (side, kind), (rate, share) in ours.items():
        print(f"| {side}^4 {kind} | {rate:.1f} | {share:.0f} |", flush=True)
    for (side, kind), (_, share) in ours.items():
        goal_at_least(f"{side}^4 {kind}: hopping term, % of the bandwidth bound", share, 80)
    for kind, (rate, side) in peer.items():
        goal_at_least(f"{side}^4 {kind}: hopping term / openQCD's Dw ({rate:.1f} GFLOP/s)",
                      ours[side, kind][0] / rate, 1.2)
    for _, side in list(peer.values())[:1]:
        compare_solvers(args, side)


def dirac_figures(args, sides):
    """(side, type): (GFLOP/s, percent of the bound); the solvers' lines are printed."""
    figures = {}
    for line in checked([args.programs / "dirac_bench", *sides]).output.splitlines():
        found = re.match(r" *(\d+)\^4 (f\d\d) +([\d.]+) GFLOP/s +([\d.]+) %", line)
        if found:
            figures[int(found[1]), found[2]] = float(found[3]), float(found[4])
        else:
            print(line.strip(), flush=True)
    return figures


def peer_figure(args, kind):
    """(GFLOP/s, side) of openQCD; None, which is said, where it is not there or its lattice has unequal sides."""
    if args.openqcd is None:
        print(f"openQCD, {kind}: not compared, --openqcd names no folder")
        return None
    program = args.openqcd.resolve() / "devel" / "dirac" / PEER_PROGRAMS[kind]
    if not program.is_file():
        print(f"openQCD, {kind}: not compared, there is no {program}")
        return None
    checked([program], cwd=args.work)
    log = (args.work / f"{program.name}.log").read_text("utf-8")
    shape = re.search(r"(\d+)x(\d+)x(\d+)x(\d+) lattice", log)
    rate = re.search(r"for Dw(?:_dble)?\(\):\s*[\d.]+ micro sec \((\d+) Mflops\)", log)
    if not shape or not rate or len(set(shape.groups())) != 1:
        print(f"openQCD, {kind}: not compared, its log has no rate on a lattice of equal sides")
        return None
    return int(rate[1]) / 1000, int(shape[1])


def run_flow(args):
    print("| Wilson flow | steps/s | us a link and stage |\n|---|---|---|")
    for line in checked([args.programs / "flow_bench", 1 if args.small else args.rounds]).output.splitlines():
        _, shape, threads, steps, cost = line.split()
        print(f"| {shape}, {threads} threads | {steps} | {cost} |", flush=True)


def compare_solvers(args, side):
    """Even-odd conjugate gradients to 1e-10 on the trivial field, mixed precision: seconds, and those of an iteration
    and site. The sources are both random, so iterations may differ by a few."""
    theirs = peer_solver(args, side)
    if theirs is None:
        return
    found = [re.match(rf" *{side}\^4 CG mixed +([\d.]+) s, (\d+) iterations", line)
             for _ in range(args.rounds) for line in checked([args.programs / "dirac_bench", side]).output.splitlines()]
    ours = min((float(row[1]), int(row[2])) for row in found if row)
    print("| CG to 1e-10, mixed precision | s | iterations | us a site and iteration |\n|---|---|---|---|")
    for name, (seconds, iterations) in (("twincube", ours), ("openQCD", theirs)):
        print(f"| {name}, {side}^4 | {seconds:.4f} | {iterations} | {1e6 * seconds / iterations / side**4:.3f} |")
    print(f"openQCD's seconds / ours = {theirs[0] / ours[0]:.2f}", flush=True)


def peer_solver(args, side):
    """(seconds, iterations), the fastest of the rounds; None where the program is not there."""
    program = args.openqcd.resolve() / "devel" / "forces" / "check5"
    if not program.is_file():
        print(f"openQCD, CG: not compared, there is no {program}")
        return None
    links = np.zeros((4 * side**4, 3, 3), "<c16")
    links[:] = np.eye(3)
    (args.work / "trivialn1").write_bytes(struct.pack("<4id", *[side] * 4, 3) + links.tobytes())
    (args.work / "check5.in").write_text(f"""
[Configurations]
name trivial
cnfg_dir {args.work.resolve()}
first 1
last 1
step 1

[Lattice parameters]
kappa 0.12
csw 0
mu 0

[Boundary conditions]
type 3
theta 0 0 0

[CG]
nmx 10000
res 1e-10
""", "utf-8")
    runs = []
    for _ in range(args.rounds):
        checked([program], cwd=args.work)
        log = (args.work / "check5.log").read_text("utf-8")
        found = re.search(r"with eo-preconditioning:\s*status = (\d+).*?time = ([\d.e+-]+) sec", log, re.DOTALL)
        runs.append((float(found[2]), int(found[1])))
    return min(runs)
