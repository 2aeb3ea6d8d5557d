"""Sobol indices: a whole study of the neuron from nothing, and the analysis alone beside SALib's.

    python benchmarks/sensitivity.py [--quick] [--json PATH]

The study: ten parameters of the published neuron, 2^14 base points, second order (360,448 rests),
compilation, sweep in memory and indices of V and volume, in a process without a cache. The
analysis: Sobol's g function of twelve parameters, second order, 100 resamples, from the same rows
(7 million; 400,000 if quick) by both; errors are the largest difference of any index, memory what
each adds to the peak of the process, ours first.
"""

import argparse
import json
import os
import platform
import resource
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from SALib.analyze import sobol as salib

import jaxmembrane as jm

VARIED = ("leak_Na.g", "leak_K.g", "leak_Cl.g", "kcc2.g", "nka.j")
VARIED += ("bath.Na", "bath.K", "bath.Cl", "cytosol.X", "membrane.C_m")
BASE, RESAMPLES, REPEATS = 2**14, 100, 3
G = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 99.0, 99.0, 99.0])
VERSIONS = {name: version(name) for name in ("jax", "jaxlib", "numpy", "SALib")}
KEYS = ("name", "rows", "ours_s", "peer", "peer_s", "ratio", "error", "compile_s", "versions")


def timed(task):
    """Seconds of a task, mebibytes that it adds to the process's peak, and its result."""
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    result = task()
    seconds = time.perf_counter() - begun
    return seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, result


def study():
    """Seconds of a whole study: from nothing, and once more with everything compiled."""
    cell = jm.zoo.neuron()
    nominal = cell.nominal()
    space = jm.Space(
        {name: jm.Uniform(0.8 * nominal[name], 1.2 * nominal[name]) for name in VARIED}
    )
    design = space.saltelli(BASE, seed=1, second_order=True)

    def whole():
        rows = jm.sweep(cell, design, outputs=["V", "volume"], progress=False)
        return rows, jm.sensitivity.sobol(rows, resamples=RESAMPLES)

    (first, _, _), (again, _, (rows, found)) = timed(whole), timed(whole)
    failed = float((rows.status.values > 1).mean())
    strongest = found.ST.sel(output="volume").to_series().nlargest(3)
    told = ", ".join(f"{name} {x:.2f}" for name, x in strongest.items())
    print(f"study of {design.n:,} rows: {first:.1f} s from nothing, {again:.1f} s again;")
    print(f"{failed:.2%} of the rows have no rest; total indices of volume: {told}")
    return design.n, first, again


def analyses(blocks):
    """Of both: seconds, memory; the number of rows, and the largest difference of an index."""
    space = jm.Space({f"x{i}": jm.Uniform(0.0, 1.0) for i in range(len(G))})
    design = space.saltelli(blocks, seed=1, second_order=True)
    y, step = np.empty(design.n), 2**16
    for at in range(0, design.n, step):
        x, _ = design.rows(at, min(at + step, design.n))
        columns = np.stack(list(x.values()), axis=1)
        y[at : at + step] = np.prod((np.abs(4.0 * columns - 2.0) + G) / (1.0 + G), axis=1)

    def mine():
        return jm.sensitivity.sobol({"y": y}, design, resamples=RESAMPLES).sel(output="y")

    problem = {"num_vars": len(G), "names": design.names, "bounds": [[0.0, 1.0]] * len(G)}
    how = {"calc_second_order": True, "num_resamples": RESAMPLES, "seed": 1}
    ours, memory, found = timed(mine)
    ours = float(np.median([ours, *(timed(mine)[0] for _ in range(REPEATS - 1))]))
    theirs, their_memory, peer = timed(lambda: salib.analyze(problem, y, **how))
    upper = np.triu_indices(len(G), 1)
    pairs = [(found[x].values, np.asarray(peer[x])) for x in ("S1", "ST")]
    pairs.append((found.S2.values[upper], np.asarray(peer["S2"])[upper]))
    error = max(float(np.abs(a - b).max()) for a, b in pairs)
    return (ours, memory), (theirs, their_memory), design.n, error


def main():
    """Run both and print them."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a subset of a minute")
    parser.add_argument("--json", help="write the records there")
    quick, path = vars(parser.parse_args()).values()
    jm.configure(cpu_devices=os.cpu_count(), cache=False)
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(", ".join(map(" ".join, VERSIONS.items())))
    rows, first, again = study()
    ours, theirs, n, error = analyses(2**14 if quick else 2**18)
    print(f"\n{'analysis of ' + f'{n:,} rows':32}{'s':>8}{'MiB':>8}{'ratio':>8}")
    for name, (seconds, memory) in (("ours", ours), ("SALib", theirs)):
        print(f"{name:32}{seconds:8.2f}{memory:8.0f}{seconds / ours[0]:8.1f}")
    print(f"largest difference of an index: {error:.1e}")
    values = (
        ("whole study", rows, again, "the first time", first, first / again, 0.0, first - again),
        ("analysis", n, ours[0], "SALib", theirs[0], theirs[0] / ours[0], error, 0.0),
    )
    if path:
        records = [dict(zip(KEYS, (*row, VERSIONS), strict=True)) for row in values]
        Path(path).write_text(json.dumps(records, indent=1))


if __name__ == "__main__":
    main()
