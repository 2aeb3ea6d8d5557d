"""Resting states per second: ours, optimistix under vmap, SciPy in a loop; the same cells.

    python benchmarks/resting_state.py [--quick] [--json PATH]

100,000 random cells with GHK leaks and the default laws of Na/K pump, KCC2 and NKCC1, float64, both
times on all CPU devices, compilation apart. optimistix gets our start and our residual (relative
rates of change), the best of several chunk widths, and a second race on only those cells that it
solves, since cells on which it fails hold its batches up. Errors are the largest relative
difference of concentrations from ours polished by further Newton steps in NumPy.
"""

import argparse
import json
import math
import os
import platform
import time
from importlib.metadata import version
from statistics import median

import jax
import jax.numpy as jnp
import numpy as np
import optimistix
from scipy.optimize import root

import jaxmembrane as jm
from jaxmembrane.balance import Equations
from jaxmembrane.engine import TILE, Engine, Tile
from jaxmembrane.programs import resting_job
from jaxmembrane.start import guess

SWEPT = ("leak_Na.P", "leak_K.P", "leak_Cl.P", "nka.j_max", "kcc2.j_max", "nkcc1.j_max")
OUTPUTS = ("V", "volume", "c", "status", "steps", "residual")
REPEATS = 5
PEER_ROWS, PEER_REPEATS = 20_000, 2


def cells(rows):
    """The structure, its fixed parameters, and columns of random ones."""
    leaks = [jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl)]
    cell = jm.Cell([*leaks, jm.na_k_atpase(), jm.kcc2(), jm.nkcc1("palk")])
    nominal = cell.nominal()
    axes = {name: jm.LogUniform(nominal[name] / 3.0, nominal[name] * 3.0) for name in SWEPT}
    axes |= {"bath.K": jm.Uniform(2.0, 10.0), "cytosol.X": jm.LogUniform(3e4, 3e6)}
    axes |= {"cytosol.z_X": jm.Uniform(-1.5, -0.5)}
    columns, _ = jm.Space(axes).random(rows, seed=1).rows(0, rows)
    return cell, {name: x for name, x in nominal.items() if name not in columns}, columns


def run(engine, columns):
    """All rows through an engine; the result by output, and the seconds it took."""
    rows, width = len(columns["bath.K"]), engine.tile
    tiles = (
        Tile(at, {name: x[at : at + width] for name, x in columns.items()})
        for at in range(0, rows, width)
    )
    begun = time.perf_counter()
    done = dict(engine.run(tiles, lambda: rows))
    seconds = time.perf_counter() - begun
    parts = [part for _, part in sorted(done.items())]
    return jax.tree.map(lambda *x: np.concatenate(x), *parts), seconds


def timed(engine, columns, repeats=REPEATS):
    """Result, median seconds after a warm-up, and seconds of compilation."""
    begun = time.perf_counter()
    for device in engine.devices:
        engine.warm(device, columns)
    compile_s = time.perf_counter() - begun
    runs = [run(engine, columns) for _ in range(repeats)]
    return runs[0][0], median(seconds for _, seconds in runs), compile_s


def peer(cell):
    """Optimistix Newton under vmap: our unknowns, start and residual."""
    solver = optimistix.Newton(rtol=1e-8, atol=1e-8)

    def one(lane, shared):
        eq = Equations(cell, {**shared, **lane})
        begin = guess(eq)

        def residual(u, _):
            u = list(u)
            return jnp.stack(eq.residual(u)) / eq.state(u).volume["cytosol"]

        found = optimistix.root_find(
            residual, solver, jnp.stack([begin[k] for k in eq.unknowns]), max_steps=32, throw=False
        )
        state = eq.state(list(found.value))
        c = jnp.stack([state.c["cytosol", s] for s in cell.species])
        solved = (found.result == optimistix.RESULTS.successful) & jnp.all(c > 0)
        return {"c": list(c), "solved": [solved & jnp.all(jnp.isfinite(c))]}

    return jax.vmap(one, in_axes=(0, None))


def scipy_loop(fixed, columns, rows):
    """Seconds per cell of scipy.optimize.root (hybr) on a plain Python residual."""
    F, R = jm.constants.F, jm.constants.R
    p = dict(fixed)
    v = R * p["T"] / F
    energy = p["ADP"] * p["Pi"] / p["ATP"] / p["K_ATP"]

    def residual(x, q):
        na, cl, u, w = math.exp(x[0]), math.exp(x[1]), x[2], math.exp(x[3])
        charge = p["membrane.C_m"] * p["membrane.area"] * u * v / (F * w)
        k = charge - q["cytosol.z_X"] * q["cytosol.X"] / w - na + cl
        na_o, k_o, cl_o = p["bath.Na"], q["bath.K"], p["bath.Cl"]
        b = u / math.expm1(u) if abs(u) > 1e-8 else 1.0 - u / 2
        leak_na = q["leak_Na.P"] * (na * (b + u) - na_o * b)
        leak_k = q["leak_K.P"] * (k * (b + u) - k_o * b)
        leak_cl = q["leak_Cl.P"] * (cl * b - cl_o * (b + u))
        forward, backward = na**3 * k_o**2, na_o**3 * k**2 * energy * math.exp(-u)
        pump = q["nka.j_max"] * (forward - backward) / (forward + backward)
        pump *= (na / (na + p["nka.K_Na"] * (1 + k / p["nka.K_K_i"]))) ** 3
        pump *= (k_o / (k_o + p["nka.K_K"] * (1 + na_o / p["nka.K_Na_o"]))) ** 2
        k1, c1, k2, c2 = (y / z for y, z in zip((k, cl, k_o, cl_o), (9.0, 6.0) * 2, strict=True))
        bound = (1 + k1 * c1) * (1 + k1) * (1 + c1) + (1 + k2 * c2) * (1 + k2) * (1 + c2)
        kcc = q["kcc2.j_max"] * (k1 * c1 - k2 * c2) / bound
        inside = na * k * cl * cl
        nkcc = q["nkcc1.j_max"] * (na_o * k_o * cl_o**2 - inside) / (p["nkcc1.K"] + inside)
        osmotic = na + k + cl + q["cytosol.X"] / w - na_o - k_o - cl_o - p["bath.X"]
        area = p["membrane.area"] / w
        return [
            area * (-leak_na - 3 * pump + nkcc),
            area * (-leak_cl - kcc + 2 * nkcc),
            area * (-leak_k + 2 * pump - kcc + nkcc),
            area * p["membrane.L_w"] * osmotic,
        ]

    begun, solved = time.perf_counter(), []
    for i in range(rows):
        q = {name: float(x[i]) for name, x in columns.items()}
        start = [math.log(14.0), math.log(10.0), -2.6, math.log(q["cytosol.X"] / 150.0)]
        found = root(residual, start, args=(q,), tol=1e-10)
        solved.append(math.exp(found.x[0]) if found.success else math.nan)
    return (time.perf_counter() - begun) / rows, np.array(solved)


def main():
    """Run the races and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a one-minute subset")
    parser.add_argument("--json", help="write the records there")
    arguments = parser.parse_args()
    rows = 20_000 if arguments.quick else 100_000
    jm.configure(cpu_devices=os.cpu_count(), cache=False)
    cell, fixed, columns = cells(rows)
    made, ours_s, compile_s = timed(resting_job(cell, fixed, OUTPUTS).engine(TILE["cpu"]), columns)
    status, c = made["status"][0], made["c"]
    versions = {name: version(name) for name in ("jax", "jaxlib", "numpy", "scipy", "optimistix")}
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, "
        + ", ".join(map(" ".join, versions.items()))
    )
    print(
        f"ours: {ours_s / rows * 1e9:,.0f} ns a cell, {(status == 0).mean():.2%} at rest, mean "
        f"{made['steps'][0].mean():.1f} and at most {made['steps'][0].max()} iterations, largest "
        f"residual {made['residual'][0].max():.1e}; compiled in {compile_s:.1f} s"
    )
    records = []

    def record(name, count, mine, other, theirs, error, compiled):
        records.append(
            {
                "name": name,
                "rows": count,
                "ours_s": mine,
                "peer": other,
                "peer_s": theirs,
                "ratio": theirs / mine,
                "error": error,
                "compile_s": compiled,
                "versions": versions,
            }
        )
        print(f"{name}: {other} {theirs / count * 1e9:,.0f} ns a cell, ratio {theirs / mine:,.1f}")

    # The peer's time per cell does not depend on the number of rows, and it needs minutes for all.
    first = {key: x[:PEER_ROWS] for key, x in columns.items()}
    widths = (1024,) if arguments.quick else (512, 1024, 2048)
    races = [
        (*timed(Engine(peer(cell), fixed, width), first, PEER_REPEATS), width) for width in widths
    ]
    found, theirs, compiled, width = min(races, key=lambda race: race[1])
    solved = found["solved"][0]
    pairs = zip(found["c"], c, strict=True)
    error = float(max(np.abs(a / b[:PEER_ROWS] - 1)[solved].max() for a, b in pairs))
    name = f"optimistix Newton, vmap, chunks of {width}, {solved.mean():.1%} solved"
    record("all cells", rows, ours_s, name, theirs / PEER_ROWS * rows, error, compiled)
    some = {key: x[solved] for key, x in first.items()}
    count = int(solved.sum())
    _, theirs, _ = timed(Engine(peer(cell), fixed, width), some, PEER_REPEATS)
    theirs = theirs / count * rows
    record("cells that the peer solves", rows, ours_s, name, theirs, error, compiled)
    few = 100 if arguments.quick else 1000
    each, na = scipy_loop(fixed, columns, few)
    right = np.isfinite(na) & (np.abs(na / c[0][:few] - 1) < 1e-6)
    error = float(np.abs(na / c[0][:few] - 1)[right].max())
    name = f"scipy.optimize.root, Python loop, {right.mean():.1%} solved"
    record("all cells, SciPy", rows, ours_s, name, each * rows, error, 0.0)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(records, file, indent=1)


if __name__ == "__main__":
    main()
