"""Time courses per second: ours, diffrax and LSODA at equal error; refilled places, flat loops.

    python benchmarks/time_course.py [--quick] [--json PATH]

Random cells with GHK leaks and the default laws of Na/K pump, KCC2 and NKCC1 lose their pump for an
hour; V, concentrations and volume are kept at 61 times, in float64. Errors are the largest in
FV/RT, ln Na, ln Cl and ln volume of some cells, against Radau at rtol 1e-11. A peer gets the
tightest tolerance of a ladder at which it is not more accurate than ours, our rests to begin at,
and as many cores; its time per cell is that of fewer cells. diffrax integrates our right-hand side
in our unknowns, LSODA one in plain Python. Last come firing neurons, which need very different
numbers of steps, in one loop: with few places that are refilled, and with one for each lane. All is
timed in turns, beside CPU time, which bears a busy machine.
"""

import argparse
import json
import math
import multiprocessing
import os
import platform
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from importlib.metadata import version

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import odeint, solve_ivp

import jaxmembrane as jm
from jaxmembrane.balance import Equations
from jaxmembrane.course import Limits, follow, motion
from jaxmembrane.engine import Engine, Tile
from jaxmembrane.library.recording import electrode
from jaxmembrane.pieces import Pieces
from jaxmembrane.programs import course_job
from jaxmembrane.refill import PLACES
from jaxmembrane.structure import structure
from jaxmembrane.trajectory import Plan

F, R = jm.constants.F, jm.constants.R
SWEPT = ("leak_Na.P", "leak_K.P", "leak_Cl.P", "nka.j_max", "kcc2.j_max", "nkcc1.j_max")
BLOCK = jm.Protocol([jm.Step(0.0, {"nka.j_max": 0.0})])
TIMES = np.linspace(0.0, 3600.0, 61)
RTOL, TILE = 1e-6, 1280
JUDGED, LADDER = 20, 10.0 ** -np.arange(3.0, 9.01, 0.25)
# Proportional and integral gains, and slack of the root finder: the best of what was tried.
SOLVERS = {
    "Kvaerno3": (diffrax.Kvaerno3, 0.0, 1.0, 0.1),
    "Kvaerno4": (diffrax.Kvaerno4, 0.2, 0.4, 0.1),
    "Kvaerno5": (diffrax.Kvaerno5, 0.4, 0.3, 0.5),
}
CHUNKS = [*((name, 256) for name in SOLVERS), ("Kvaerno5", 1024), ("Kvaerno5", 128)]
PEER_ROWS, REPEATS = 2048, 3
HEAD = "{:12}{:53}{:>11}{:>11}{:>7}{:>11}{:>11}{:>7}{:>9}{:>10}"
ROW = "{:12}{:53}{:11,.1f}{:11,.1f}{:7.1f}{:11,.1f}{:11,.1f}{:7.1f}{:9.1e}{:10.1f}"
VERSIONS = {name: version(name) for name in ("jax", "jaxlib", "numpy", "scipy", "diffrax")}
# The resting neuron: ln Na, ln Cl, FV/RT, ln volume, and the gates m, h and n.
FIRING = 2.302635, 1.945796, -2.45203, 7.600902, 0.0133, 0.9873, 0.003


def cells(rows):
    """The structure, its fixed parameters, and columns of random ones."""
    leaks = [jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl)]
    cell = jm.Cell([*leaks, jm.na_k_atpase(), jm.kcc2(), jm.nkcc1("palk")])
    nominal = cell.nominal()
    axes = {name: jm.LogUniform(nominal[name] / 3.0, nominal[name] * 3.0) for name in SWEPT}
    columns, _ = jm.Space(axes).random(rows, seed=1).rows(0, rows)
    return cell, {name: x for name, x in nominal.items() if name not in columns}, columns


def ours(cell, fixed):
    """What a sweep computes of such cells."""
    plan, limits = Plan(("V", "c", "volume"), ()), Limits(RTOL, 100_000, 10.0)
    return course_job(cell, fixed, plan, BLOCK, TIMES, limits)


def engines(program, shared, width):
    """An engine for each device, all compiled at once for these lanes when first run."""
    return [Engine(program, shared, width, devices=[device]) for device in jax.local_devices()]


def run(parts, columns):
    """All rows, each device its share of the tiles; the result, by output."""
    rows, width = len(next(iter(columns.values()))), parts[0].tile

    def share(i):
        begins = range(i * width, rows, len(parts) * width)
        rows_at = ({name: x[at : at + width] for name, x in columns.items()} for at in begins)
        return list(parts[i].run(map(Tile, begins, rows_at), lambda: 0))

    with ThreadPoolExecutor(len(parts)) as pool:
        done = dict(pair for pairs in pool.map(share, range(len(parts))) for pair in pairs)
    return jax.tree.map(lambda *x: np.concatenate(x), *(done[at] for at in sorted(done)))


def warm(parts, columns):
    """Seconds and CPU seconds of compilation for one device; the others are ready as well."""
    begun, used = time.perf_counter(), time.process_time()
    parts[0].warm(parts[0].devices[0], columns)
    cost = time.perf_counter() - begun, time.process_time() - used
    for part in parts[1:]:
        part.warm(part.devices[0], columns)
    return cost


def timed(race):
    """Seconds and CPU seconds of a race; those of a race with a pool are told by its workers."""
    begun, used = time.perf_counter(), time.process_time()
    told = race()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    return seconds, told if isinstance(told, float) else cpu


def in_turns(races, repeats=REPEATS):
    """Median seconds and CPU seconds of races that alternate, by name."""
    rounds = [{name: timed(race) for name, race in races.items()} for _ in range(repeats)]
    return {name: tuple(np.median([r[name] for r in rounds], axis=0)) for name in races}


def unknowns(made, T):
    """Ours in the unknowns ln Na, ln Cl, FV/RT, ln volume: shape (rows, times, 4)."""
    na, _, cl = made["c"]
    parts = np.log(na), np.log(cl), made["V"][0] * F / (R * T), np.log(made["volume"][0])
    return np.stack(parts, axis=-1)


def peer(cell, solver):
    """The diffrax solver under vmap: our unknowns, right-hand side and rests."""
    method, proportional, integral, slack = SOLVERS[solver]

    def one(lane, shared):
        rtol, own = shared["rtol"], {name: lane[name] for name in SWEPT}
        params = {**shared["fixed"], **own, "nka.j_max": shared["block"]}

        def field(t, y, args):
            return jnp.stack(motion(Equations(cell, params), list(y)))

        # Unknowns are logarithms: an absolute error of theirs is a relative one.
        pace = diffrax.PIDController(1e-13, rtol, pcoeff=proportional, icoeff=integral)
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(field),
            method(root_finder=diffrax.VeryChord(rtol=1e-13, atol=rtol, kappa=slack)),
            *(0.0, TIMES[-1], None),
            jnp.stack([lane[f"begin {j}"] for j in range(4)]),
            stepsize_controller=pace,
            saveat=diffrax.SaveAt(ts=jnp.asarray(TIMES)),
            adjoint=diffrax.ForwardMode(),
            throw=False,
        )
        return found.ys

    return jax.vmap(one, in_axes=(0, None))


def right_hand_side(p, q):
    """The same cell without its pump, in plain Python: rates of ln Na, ln Cl, FV/RT, ln volume."""
    exp, expm1 = math.exp, math.expm1
    na_o, k_o, cl_o, x_o = (p[f"bath.{s}"] for s in ("Na", "K", "Cl", "X"))
    P_na, P_k, P_cl = (float(q[f"leak_{s}.P"]) for s in ("Na", "K", "Cl"))
    kcc_max, nkcc_max, K = float(q["kcc2.j_max"]), float(q["nkcc1.j_max"]), p["nkcc1.K"]
    K_K, K_Cl, X, z = (p[name] for name in ("kcc2.K_K", "kcc2.K_Cl", "cytosol.X", "cytosol.z_X"))
    area, L_w = p["membrane.area"], p["membrane.L_w"]
    held = p["membrane.C_m"] * area * R * p["T"] / F**2
    k2, c2 = k_o / K_K, cl_o / K_Cl
    outer, nkcc_o = (1 + k2 * c2) * (1 + k2) * (1 + c2), na_o * k_o * cl_o**2
    osmolarity = na_o + k_o + cl_o + x_o

    def rates(t, y):
        na, cl, u, w = exp(y[0]), exp(y[1]), y[2], exp(y[3])
        k = (held * u - z * X) / w - na + cl
        b = u / expm1(u) if abs(u) > 1e-8 else 1.0 - u / 2
        e = b + u
        k1, c1 = k / K_K, cl / K_Cl
        kcc = kcc_max * (k1 * c1 - k2 * c2) / ((1 + k1 * c1) * (1 + k1) * (1 + c1) + outer)
        inside = na * k * cl * cl
        nkcc = nkcc_max * (nkcc_o - inside) / (K + inside)
        na_in = area * (nkcc - P_na * (na * e - na_o * b))
        k_in = area * (nkcc - P_k * (k * e - k_o * b) - kcc)
        cl_in = area * (2 * nkcc - P_cl * (cl * b - cl_o * e) - kcc)
        growth = area * L_w * (na + k + cl + X / w - osmolarity) / w
        charging = (na_in + k_in - cl_in) / held
        return na_in / (na * w) - growth, cl_in / (cl * w) - growth, charging, growth

    return rates


def integrate(how, tolerance, p, q, begin):
    """A cell's course by SciPy, and the CPU seconds it took."""
    used, rates = time.process_time(), right_hand_side(p, q)
    if how == "odeint":
        y = odeint(rates, begin, TIMES, rtol=1e-13, atol=tolerance, tfirst=True)
    else:
        rtol, atol = (tolerance, tolerance) if how == "LSODA" else (1e-11, 1e-13)
        span = (0.0, TIMES[-1])
        y = solve_ivp(rates, span, begin, method=how, t_eval=TIMES, rtol=rtol, atol=atol).y.T
    return y, time.process_time() - used


def matched(error_at, mine):
    """The tightest tolerance of the ladder that does not bring an error below ours, and it."""
    best = math.nan, math.nan
    for tolerance in LADDER:
        error = error_at(tolerance)
        if error < mine:
            break
        best = tolerance, error
    return best


def firing(cell, places, end):
    """A loop over firing cells; what it gives, and how many steps each took."""

    def program(lanes, shared):
        drive = lanes["electrode.I"]
        begin = [jnp.full(drive.shape, x) for x in FIRING]
        params, never = {**shared, "electrode.I": drive}, Pieces(jnp.asarray([2.0 * end]), {}, {})
        times, limits = jnp.linspace(0.0, end, 11), Limits(1e-5, 100_000, 10.0)
        everyone = jnp.ones(drive.shape, bool)
        saved, lane, _ = follow(cell, params, never, begin, times, limits, everyone, places=places)
        return {"u": saved, "steps": lane.steps}

    return program


def compiled_again(cache, devices):
    """Seconds and CPU seconds of our compilation in a process that finds it in a cache."""
    jm.configure(cpu_devices=devices, cache=cache)
    cell, fixed, columns = cells(TILE)
    job = ours(cell, fixed)
    return warm(engines(job.program, job.shared, TILE), job.lanes(columns))


def record(records, name, rows, mine, other, theirs, error, compile_s):
    """Compare (seconds, CPU seconds) of ours with a peer's, in the table and for the file."""
    ratio, of_cpu = (b / a for a, b in zip(mine, theirs, strict=True))
    keys = ("name", "rows", "ours_s", "peer", "peer_s", "ratio", "error", "compile_s")
    values = (name, rows, mine[0], other, theirs[0], ratio, error, compile_s)
    records.append({**dict(zip(keys, values, strict=True)), "versions": VERSIONS})
    us = [x / rows * 1e6 for x in (mine[0], theirs[0], mine[1], theirs[1])]
    shown = (name, other, us[0], us[1], ratio, us[2], us[3], of_cpu, error, compile_s)
    print(ROW.format(*shown), flush=True)


def race_courses(records, quick, cache):
    """Ours, diffrax and LSODA on cells that lose their pump."""
    rows, few = (2560, 100) if quick else (10_240, 200)
    devices, spawn = len(jax.local_devices()), multiprocessing.get_context("spawn")
    cell, fixed, columns = cells(rows)
    job = ours(cell, fixed)
    lanes, mine = job.lanes(columns), engines(job.program, job.shared, TILE)
    cold = warm(mine, lanes)
    made = run(mine, lanes)
    y, steps = unknowns(made, fixed["T"]), made["steps"][0]
    tasks = [
        (fixed, {name: float(columns[name][i]) for name in SWEPT}, y[i, 0]) for i in range(few)
    ]

    def by_scipy(how, tolerance):
        return np.stack([integrate(how, tolerance, *task)[0] for task in tasks[:JUDGED]])

    exact = by_scipy("Radau", 0.0)

    def error_of(y):
        return float(np.abs(y[:JUDGED] - exact).max())

    error = error_of(y)
    spread = ", ".join(f"{x:.0f}" for x in np.percentile(steps, [1, 50, 99, 100]))
    print(
        f"ours: {rows:,} cells, rtol {RTOL:.0e}, error {error:.1e}, "
        f"{(made['status'][0] == 0).mean():.1%} finished; steps: mean {steps.mean():.1f}, "
        f"percentiles 1, 50, 99 and 100: {spread}"
    )
    first = {name: columns[name][:PEER_ROWS] for name in SWEPT}
    first |= {f"begin {j}": y[:PEER_ROWS, 0, j] for j in range(4)}
    races, about, found = {"ours": lambda: run(mine, lanes)}, {}, {}
    programs = {name: peer(structure(cell), name) for name in SOLVERS}
    for solver, width in CHUNKS[-1:] if quick else CHUNKS:

        def at(rtol, program=programs[solver], width=width):
            return engines(program, {"fixed": fixed, "block": 0.0, "rtol": rtol}, width)

        some = {name: x[:width] for name, x in first.items()}

        def error_at(rtol, at=at, some=some):
            return error_of(run(at(rtol), some))

        compile_s = warm(at(RTOL), first)[0]
        rtol, off = found[solver] = found.get(solver) or matched(error_at, error)
        told = f"diffrax {solver}, chunks of {width}, rtol {rtol:.1e}"
        about[told] = PEER_ROWS, off, compile_s
        races[told] = partial(run, at(rtol), first)
    with ProcessPoolExecutor(devices, spawn) as pool:

        def pooled(how, tolerance):
            given = [pool.submit(integrate, how, tolerance, *task) for task in tasks]
            return sum(task.result()[1] for task in given)

        for how, name in (("LSODA", "solve_ivp LSODA"), ("odeint", "odeint (LSODA)")):
            rtol, off = matched(lambda x, how=how: error_of(by_scipy(how, x)), error)
            told = f"SciPy {name}, {devices} processes, rtol {rtol:.1e}"
            about[told] = few, off, 0.0
            races[told] = partial(pooled, how, rtol)
            # Workers have to import everything before they are timed.
            races[told]()
        times = in_turns(races)
        cached = pool.submit(compiled_again, cache, devices).result()
    for told, (count, off, compile_s) in about.items():
        theirs = tuple(x * rows / count for x in times[told])
        record(records, "pump block", rows, times["ours"], told, theirs, off, compile_s)
    record(records, "compilation", 1, cached, "without a cache (ours has one)", cold, 0.0, cold[0])


def race_places(records, quick):
    """Few refilled places against a place for each lane, where lanes differ in their steps."""
    neuron = jm.zoo.neuron_dijkstra()
    cell = jm.Cell([*neuron.transporters, electrode()], dict(neuron.overrides))
    lanes, end = (1024, 0.1) if quick else (2048, 0.2)
    shared = {name: x for name, x in cell.nominal().items() if name != "electrode.I"}
    n = lanes * len(jax.local_devices())
    # Rheobase is 10 fA/um^2.
    columns = {"electrode.I": 10.0 * np.exp(np.random.default_rng(1).standard_normal(n))}
    programs = [firing(structure(cell), places, end) for places in (PLACES, lanes)]
    few, flat = (engines(program, shared, lanes) for program in programs)
    warm(few, columns)
    compile_s = warm(flat, columns)[0]
    made, other = run(few, columns), run(flat, columns)
    steps, off = made["steps"], float(np.abs(made["u"] - other["u"]).max())
    print(
        f"firing neurons: {n} with log-normal drive; steps: mean {steps.mean():.0f}, CV "
        f"{steps.std() / steps.mean():.2f}, at most {steps.max() / steps.mean():.1f} times the mean"
    )
    times = in_turns({"few": lambda: run(few, columns), "flat": lambda: run(flat, columns)}, 2)
    told = f"a place for each of {lanes} lanes ({PLACES} refilled)"
    record(records, "firing", n, times["few"], told, times["flat"], off, compile_s)


def main():
    """Run the races and print them."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a one-minute subset, on one device")
    parser.add_argument("--json", help="write the records there")
    arguments = parser.parse_args()
    records = []
    told = ", ".join(map(" ".join, VERSIONS.items()))
    print(f"{platform.machine()}, {os.cpu_count()} cores, {told}; us a row:", flush=True)
    titles = ("ours", "peer", "ratio", "ours, CPU", "peer, CPU", "ratio", "error", "compile_s")
    print(HEAD.format("", "", *titles))
    with tempfile.TemporaryDirectory() as cache:
        jm.configure(cpu_devices=1 if arguments.quick else os.cpu_count(), cache=cache)
        race_courses(records, arguments.quick, cache)
        race_places(records, arguments.quick)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(records, file, indent=1)


if __name__ == "__main__":
    main()
