"""Time courses per second: ours, diffrax and LSODA at equal error; refilled places, flat loops.

    python benchmarks/time_course.py [--quick] [--json PATH]

Random cells lose their pump for an hour (`peers.pump_loss`); V, concentrations and volume are kept
at 61 times, in float64. Errors are the largest in FV/RT, ln Na, ln Cl and ln volume of 200 cells
(50 if quick), by Radau at rtol 1e-11: fewer cells leave out the hard ones. Ours and each peer get
the loosest tolerance of a ladder that keeps them below the same bound, and as many cores; the time
per cell of a peer is that of fewer cells. Last come firing neurons, which need very different
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

import jax
import jax.numpy as jnp
import numpy as np
from peers.pump_loss import SWEPT, cells, integrate, ours, peer, unknowns

import jaxmembrane as jm
from jaxmembrane.course import Limits, follow
from jaxmembrane.engine import Engine, Tile
from jaxmembrane.library.recording import electrode
from jaxmembrane.pieces import Pieces
from jaxmembrane.refill import PLACES
from jaxmembrane.structure import structure

BOUND, LADDER = 1e-5, 10.0 ** -np.arange(4.0, 9.01, 0.125)
CHUNKS = (("Kvaerno4", 128), ("Kvaerno4", 256), ("Kvaerno5", 128), ("Kvaerno3", 256))
TILE, PEER_ROWS = 1280, 2048
REPEATS, QUICK_REPEATS = 7, 3
HEAD = "{:12}{:53}{:>11}{:>11}{:>7}{:>11}{:>11}{:>7}{:>9}{:>10}"
ROW = "{:12}{:53}{:11,.1f}{:11,.1f}{:7.1f}{:11,.1f}{:11,.1f}{:7.1f}{:9.1e}{:10.1f}"
VERSIONS = {name: version(name) for name in ("jax", "jaxlib", "numpy", "scipy", "diffrax")}
# The resting neuron: ln Na, ln Cl, FV/RT, ln volume, and the gates m, h and n.
FIRING = 2.302635, 1.945796, -2.45203, 7.600902, 0.0133, 0.9873, 0.003


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


def in_turns(races, repeats):
    """Median seconds and CPU seconds of races that alternate, by name."""
    rounds = [{name: timed(race) for name, race in races.items()} for _ in range(repeats)]
    return {name: tuple(np.median([r[name] for r in rounds], axis=0)) for name in races}


def loosest(error_at):
    """The loosest tolerance of the ladder whose error keeps the bound, and that error."""
    for tolerance in LADDER:
        error = error_at(tolerance)
        if error <= BOUND:
            return tolerance, error
    return math.nan, math.nan


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
    job = ours(cell, fixed, BOUND)
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


def by_diffrax(cell, fixed, lanes, few, chunks, error_of):
    """What each solver is called, its error and seconds of compilation, and its race."""
    programs, found = {solver: peer(cell, solver) for solver, _ in chunks}, {}
    for solver, width in chunks:

        def at(rtol, program=programs[solver], width=width):
            return engines(program, {"fixed": fixed, "block": 0.0, "rtol": rtol}, width)

        # Whole chunks: diffrax solves worse beside the empty rows that fill one up.
        some = {name: x[: math.ceil(few / width) * width] for name, x in lanes.items()}
        compile_s = warm(at(BOUND), lanes)[0]
        if solver not in found:
            found[solver] = loosest(
                lambda rtol, at=at, some=some: error_of(run(at(rtol), some)[:few])
            )
        rtol, error = found[solver]
        told = f"diffrax {solver}, chunks of {width}, rtol {rtol:.1e}"
        yield told, error, compile_s, partial(run, at(rtol), lanes)


def race_courses(records, quick, pool, cache):
    """Ours, diffrax and LSODA on cells that lose their pump."""
    rows, few = 10_240, 50 if quick else 200
    devices = len(jax.local_devices())
    cell, fixed, columns = cells(rows)
    lanes = ours(cell, fixed, BOUND).lanes(columns)
    some = {name: x[:few] for name, x in lanes.items()}

    def mine(rtol):
        job = ours(cell, fixed, rtol)
        return engines(job.program, job.shared, TILE)

    cold = warm(mine(BOUND), lanes)
    # At rest the tolerance is of no account.
    begin = unknowns(run(mine(LADDER[0]), lanes), fixed["T"])[:, 0]
    own = [{name: float(columns[name][i]) for name in SWEPT} for i in range(few)]

    def by_scipy(how, tolerance):
        """Courses, and the CPU seconds of all."""
        given = [
            pool.submit(integrate, how, tolerance, fixed, *task)
            for task in zip(own, begin[:few], strict=True)
        ]
        courses, seconds = zip(*(task.result() for task in given), strict=True)
        return np.stack(courses), sum(seconds)

    def cpu_of_scipy(how, tolerance):
        return by_scipy(how, tolerance)[1]

    exact, _ = by_scipy("Radau", 0.0)

    def error_of(y):
        return float(np.abs(y - exact).max())

    rtol, error = loosest(lambda x: error_of(unknowns(run(mine(x), some), fixed["T"])))
    made = run(mine(rtol), lanes)
    steps = made["steps"][0]
    spread = ", ".join(f"{x:.0f}" for x in np.percentile(steps, [1, 50, 99, 100]))
    print(
        f"ours: {rows:,} cells, rtol {rtol:.1e}, error {error:.1e}, "
        f"{(made['status'][0] == 0).mean():.1%} finished; steps: mean {steps.mean():.1f}, "
        f"percentiles 1, 50, 99 and 100: {spread}"
    )
    first = {name: columns[name][:PEER_ROWS] for name in SWEPT}
    first |= {f"begin {j}": begin[:PEER_ROWS, j] for j in range(4)}
    races, about = {"ours": partial(run, mine(rtol), lanes)}, {}
    chunks = CHUNKS[:1] if quick else CHUNKS
    for told, *known, race in by_diffrax(structure(cell), fixed, first, few, chunks, error_of):
        about[told], races[told] = (PEER_ROWS, *known), race
    for how, name in (("LSODA", "solve_ivp LSODA"), ("odeint", "odeint (LSODA)")):
        rtol, error = loosest(lambda x, how=how: error_of(by_scipy(how, x)[0]))
        told = f"SciPy {name}, {devices} processes, rtol {rtol:.1e}"
        about[told] = few, error, 0.0
        races[told] = partial(cpu_of_scipy, how, rtol)
    times = in_turns(races, QUICK_REPEATS if quick else REPEATS)
    cached = pool.submit(compiled_again, cache, devices).result()
    for told, (count, error, compile_s) in about.items():
        theirs = tuple(x * rows / count for x in times[told])
        record(records, "pump block", rows, times["ours"], told, theirs, error, compile_s)
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
    load = f"load {os.getloadavg()[0]:.1f}"
    print(f"{platform.machine()}, {os.cpu_count()} cores, {load}, {told}; us a row:", flush=True)
    titles = ("ours", "peer", "ratio", "ours, CPU", "peer, CPU", "ratio", "error", "compile_s")
    print(HEAD.format("", "", *titles))
    devices, spawn = 1 if arguments.quick else os.cpu_count(), multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as cache, ProcessPoolExecutor(devices, spawn) as pool:
        jm.configure(cpu_devices=devices, cache=cache)
        race_courses(records, arguments.quick, pool, cache)
        race_places(records, arguments.quick)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(records, file, indent=1)


if __name__ == "__main__":
    main()
