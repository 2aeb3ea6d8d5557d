"""Fits per second: ours, SciPy's in processes, optimistix under vmap; one loss, one beginning.

    python benchmarks/fit.py [--quick] [--json PATH]

Cells with GHK leaks, Na/K pump, KCC2 and NKCC1; V, Na, Cl and volume recorded at rest in two baths,
with noise. Three permeabilities and two cotransporters of each are fitted, its pump is known. Peers
get a model by hand of three unknowns, as water and charge give the others: SciPy its slopes as
well, then, as is usual, a root finder and finite differences; optimistix differentiates it. Beyond
their tolerances gradients stop to fall. The model by hand judges all ends. Timed in turns.
"""

import argparse
import json
import math
import multiprocessing
import os
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from operator import mul
from pathlib import Path

# optimistix steps on where a trial has no rest, which its linear solver would raise for.
os.environ.setdefault("EQX_ON_ERROR", "nan")

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optimistix
from scipy.optimize import least_squares, root
from scipy.special import logit
from time_course import QUICK_REPEATS, REPEATS, engines, in_turns, run, warm

import jaxmembrane as jm
from jaxmembrane.constants import F, R

FREE = ("leak_Na.P", "leak_K.P", "leak_Cl.P", "kcc2.j_max", "nkcc1.j_max")
KNOWN, BATHS, WIDTH, VARIED = "nka.j_max", (3.5, 8.0), 10.0, 0.3
TARGETS, SPREAD = ("V", "c.Na", "c.Cl", "volume"), (0.5, 0.02, 0.02, 0.02)
GRADIENT, SAME, JUDGED = 1e-8, 1e-6, 250
START = math.log(15.0), math.log(7.0), -2.4
BOX = {"lower": np.array([-3.0, -3.0, -8.0]), "upper": np.array([5.5, 5.0, -0.01])}
HAND_TOL, USUAL_TOL, PEER_TOL, PEER_TURNS = 1e-14, 1e-10, (1e-8, 1e-8), 48
# With 1,024 on two devices at once XLA's CPU backend has been seen to wait for ever.
CHUNKS = 256, 128
VERSIONS = {x: version(x) for x in ("jax", "jaxlib", "numpy", "scipy", "optimistix", "optax")}
KEYS = ("name", "rows", "ours_s", "peer", "peer_s", "ratio", "error", "compile_s", "versions")
HEAD = f"{'':47}     wall  ratio      CPU  ratio compile_s turns same loss <=1e-8   median  largest"
ROW = "{:47}{:9,.0f}{:7.1f}{:9,.0f}{:7.1f}{:10.1f}{:6.1f}{:10.1%}{:7.0%}{:9.1e}{:9.1e}"


def population(rows):
    """The cell, its nominal parameters, and recorded data: (cells, targets, baths)."""
    leaks = [jm.leak(s) for s in (jm.Na, jm.K, jm.Cl)]
    cell = jm.Cell([*leaks, jm.na_k_atpase(), jm.kcc2(), jm.nkcc1("palk")])
    nominal, rng = cell.nominal(), np.random.default_rng(1)
    factors = np.exp(VARIED * rng.standard_normal((len(FREE) + 1, rows, 1)))
    drawn = {name: nominal[name] * x for name, x in zip((*FREE, KNOWN), factors, strict=True)}
    rest = jm.steady_state(cell, drawn | {"bath.K": np.array(BATHS)})
    exact = np.stack([rest.V, rest.c["Na"], rest.c["Cl"], rest.volume], axis=1)
    sd = np.array(SPREAD)[:, None] * np.where(np.arange(4)[:, None] > 0, exact, 1.0)
    return cell, nominal, drawn[KNOWN][:, 0], exact + sd * rng.standard_normal(exact.shape), sd


def ours(rows, cell, nominal, pump, data, sd, **how):
    """What `jm.fit` finds of so many, from the middle of the space."""
    targets = [jm.Target(of, data[:rows, i], sd[:rows, i]) for i, of in enumerate(TARGETS)]
    free = {name: jm.LogUniform(nominal[name] / WIDTH, nominal[name] * WIDTH) for name in FREE}
    given = {"bath.K": BATHS, KNOWN: np.repeat(pump[:rows, None], len(BATHS), axis=1)}
    how |= {"starts": 1, "gradient": GRADIENT, "progress": False, "conditions": given}
    return jm.fit(cell, targets, jm.Space(free), **how).load()


def numbers(nominal, pump, k_o):
    """What does not change in a search, of a cell in a bath."""
    p, v = nominal, R * nominal["T"] / F
    na_o, cl_o, X = p["bath.Na"], p["bath.Cl"], p["cytosol.X"]
    K2, C2 = p["kcc2.K_K"], p["kcc2.K_Cl"]
    k2, c2 = k_o / K2, cl_o / C2
    binding = (k_o / (k_o + p["nka.K_K"] * (1 + na_o / p["nka.K_Na_o"]))) ** 2
    n = {"v": v, "held": p["membrane.C_m"] * p["membrane.area"] * v / F, "X": X}
    n |= {"XD": X * (1 - p["cytosol.z_X"]), "osm": na_o + k_o + cl_o + p["bath.X"]}
    n |= {"na_o": na_o, "k_o": k_o, "cl_o": cl_o, "top": pump * binding}
    n |= {"back": na_o**3 * p["ADP"] * p["Pi"] / p["ATP"] / p["K_ATP"]}
    n |= {"K_Na": p["nka.K_Na"], "K_K_i": p["nka.K_K_i"], "K2": K2, "C2": C2, "product": k2 * c2}
    outer, most = (1 + k2 * c2) * (1 + k2) * (1 + c2), na_o * k_o * cl_o**2
    return n | {"outer": outer, "K_nkcc": p["nkcc1.K"], "most": most}


def look(lib, n, p, at):
    """Net entry of Na, K, Cl at ln Na, ln Cl, FV/RT; its Jacobian, inverted; flux of each way."""
    _, held, X, XD, osm, na_o, k_o, cl_o, top, back, K_Na, K_K_i, K2, C2, *more = n.values()
    (product, outer, K_nkcc, most), (P_na, P_k, P_cl, J_kcc, J_nkcc) = more, p
    na, cl, u = lib.exp(at[0]), lib.exp(at[1]), at[2]
    D, free, em = XD + held * u, osm - 2 * cl, lib.expm1(u)
    y, b = X / D, u / em
    e, b_u, e_u = b + u, (1 - b - u) / em, 1 + (1 - b - u) / em
    k = osm - na - cl - y * free
    k_c, k_u = cl * (2 * y - 1), free * y * held / D
    leak_na, leak_k = P_na * (na_o * b - na * e), P_k * (k_o * b - k * e)
    k1, c1, leak_cl = k / K2, cl / C2, P_cl * (cl_o * e - cl * b)
    f, r, filling = na**3 * k_o**2, k * k * back * lib.exp(-u), na + K_Na * (1 + k / K_K_i)
    h, m, G = (f - r) / (f + r), na / filling, top * (na / filling) ** 3
    pump, drop = G * h, G * (1 - h * h) * 0.5
    pump_k = -3 * pump * K_Na / (K_K_i * filling) - 2 * drop / k
    pump_a, pump_c = 3 * pump * (1 - m) + 3 * drop - pump_k * na, pump_k * k_c
    pump_u = drop + pump_k * k_u
    x, z = k1 * c1, na * k * cl * cl
    q = 1 / ((1 + x) * (1 + k1) * (1 + c1) + outer)
    g, s = (x - product) * q, J_kcc * q
    kcc_k = s * (c1 - g * (1 + c1) * (c1 * (1 + k1) + 1 + x)) / K2
    kcc_c = s * (x - g * (1 + k1) * (x * (1 + c1) + (1 + x) * c1)) + kcc_k * k_c
    kcc, kcc_a, kcc_u = J_kcc * g, -kcc_k * na, kcc_k * k_u
    nkcc = J_nkcc * (most - z) / (K_nkcc + z)
    s = -(J_nkcc + nkcc) * z / (K_nkcc + z)
    nk_a, nk_c, nk_u = s * (1 - na / k), s * (2 + k_c / k), s * k_u / k
    entry = nkcc - 3 * pump + leak_na, nkcc + 2 * pump - kcc + leak_k, 2 * nkcc - kcc + leak_cl
    j11, j12 = nk_a - P_na * na * e - 3 * pump_a, nk_c - 3 * pump_c
    j13 = P_na * (na_o * b_u - na * e_u) - 3 * pump_u + nk_u
    j21, j22 = P_k * na * e + 2 * pump_a - kcc_a + nk_a, 2 * pump_c - P_k * k_c * e - kcc_c + nk_c
    j23 = P_k * (k_o * b_u - k * e_u - k_u * e) + 2 * pump_u - kcc_u + nk_u
    j31, j32 = 2 * nk_a - kcc_a, 2 * nk_c - P_cl * cl * b - kcc_c
    j33 = P_cl * (cl_o * e_u - cl * b_u) - kcc_u + 2 * nk_u
    i11, i12, i13 = j22 * j33 - j23 * j32, j13 * j32 - j12 * j33, j12 * j23 - j13 * j22
    i21, i22, i23 = j23 * j31 - j21 * j33, j11 * j33 - j13 * j31, j13 * j21 - j11 * j23
    i31, i32, i33 = j21 * j32 - j22 * j31, j12 * j31 - j11 * j32, j11 * j22 - j12 * j21
    rows = (i11, i12, i13), (i21, i22, i23), (i31, i32, i33)
    det = j11 * i11 + j21 * i12 + j31 * i13
    return entry, rows, det, (leak_na, leak_k, leak_cl, kcc, nkcc)


def shown(lib, n, at):
    """What is recorded at a rest."""
    cl = lib.exp(at[1])
    w = (n["XD"] + n["held"] * at[2]) / (n["osm"] - 2 * cl)
    return n["v"] * at[2], lib.exp(at[0]), cl, w


def by_hand(n, p, at):
    """Rest by Newton from near it; what is recorded; slopes of both by ln p."""
    for _ in range(30):
        (f, g, h), rows, det, parts = look(math, n, p, at)
        step = [-(x * f + y * g + z * h) / det for x, y, z in rows]
        size = max(map(abs, step))
        at = [x + dx / max(size, 1.0) for x, dx in zip(at, step, strict=True)]
        # Steps square: what is left is below roundings.
        if size < 1e-7:
            break
    a, b, c, d, e = (-x / det for x in parts)
    S = [(x * a, y * b, z * c, -(y + z) * d, (x + y + 2 * z) * e) for x, y, z in rows]
    seen = shown(math, n, at)
    (_, na, cl, w), free = seen, n["osm"] - 2 * seen[2]
    dw = [(2 * cl * w * x + n["held"] * z) / free for x, z in zip(S[1], S[2], strict=True)]
    dv, dna, dcl = ([y * x for x in S[i]] for i, y in ((2, n["v"]), (0, na), (1, cl)))
    return at, S, seen, (dv, dna, dcl, dw)


class Search:
    """A cell's residuals for SciPy, and their Jacobian by hand."""

    def __init__(self, nominal, pump, data, sd):
        self.baths = [numbers(nominal, pump, k_o) for k_o in BATHS]
        self.low = [math.log(nominal[name] / WIDTH) for name in FREE]
        self.data, self.weight = data.T.tolist(), (1.0 / sd.T).tolist()
        self.at, self.slopes, self.ln_p = [START] * len(BATHS), None, self.low

    def parameters(self, x):
        """Logarithms of the parameters, and their slopes."""
        width, s = 2.0 * math.log(WIDTH), [0.5 + 0.5 * math.tanh(0.5 * y) for y in x]
        ln_p = [low + width * y for low, y in zip(self.low, s, strict=True)]
        return ln_p, [width * y * (1.0 - y) for y in s]

    def residuals(self, x):
        """By hand; what it found is kept for `jacobian`."""
        ln_p, slope = self.parameters(x.tolist())
        p, r, J, found = [math.exp(y) for y in ln_p], [], [], []
        for j, n in enumerate(self.baths):
            at, move = self.at[j], [y - z for y, z in zip(ln_p, self.ln_p, strict=True)]
            if self.slopes and max(map(abs, move)) < 1.0:
                rows = zip(at, self.slopes[j], strict=True)
                at = [y + sum(map(mul, row, move)) for y, row in rows]
            *state, seen, slopes = by_hand(n, p, at)
            found.append(state)
            for y, dy, of, weight in zip(seen, slopes, self.data[j], self.weight[j], strict=True):
                r.append((y - of) * weight)
                J.append([d * weight * ds for d, ds in zip(dy, slope, strict=True)])
        self.last = x.tolist(), ln_p, found, J
        return r

    def jacobian(self, x):
        """Where the search moves to: rests are looked for from here on from these."""
        if self.last[0] != x.tolist():
            self.residuals(x)
        _, self.ln_p, found, J = self.last
        self.at, self.slopes = zip(*found, strict=True)
        return J

    def usual(self, x):
        """Residuals by SciPy's root finder."""
        p, seen = [math.exp(y) for y in self.parameters(x.tolist())[0]], []
        for n in self.baths:
            found = root(lambda at, n=n: look(math, n, p, at)[0], START, tol=1e-12)
            seen.append(shown(math, n, found.x))
        return ((np.array(seen) - self.data) * self.weight).ravel()


def by_scipy(usual, *of_cell):
    """Where SciPy ends, looks it took, and CPU seconds."""
    used, search = time.process_time(), Search(*of_cell)
    ways = (search.residuals, search.jacobian, HAND_TOL), (search.usual, "2-point", USUAL_TOL)
    f, J, tol = ways[usual]
    end = least_squares(f, np.zeros(len(FREE)), J, method="lm", ftol=tol, xtol=tol, gtol=tol)
    return end.x, end.nfev, time.process_time() - used


def by_optimistix(lane, nominal):
    """A cell's fit by optimistix, for vmap."""
    solver, newton = optimistix.LevenbergMarquardt(*PEER_TOL), optimistix.Newton(1e-8, 1e-8)
    low = jnp.log(jnp.stack([nominal[name] for name in FREE]) / WIDTH)
    solve = partial(optimistix.root_find, solver=newton, max_steps=30, throw=False, options=BOX)

    def entry(n, at, p):
        return jnp.stack(look(jnp, n, p, at)[0])

    def residuals(x, _):
        p, seen = jnp.exp(low + 2.0 * math.log(WIDTH) * jax.nn.sigmoid(x)), []
        for j, k_o in enumerate(BATHS):
            n = numbers(nominal, lane["pump"], k_o)
            found = solve(partial(entry, n), y0=lane["begin"][j], args=p)
            seen.append(jnp.stack(shown(jnp, n, found.value)))
        return ((jnp.stack(seen, axis=1) - lane["data"]) / lane["sd"]).ravel()

    search = partial(optimistix.least_squares, max_steps=PEER_TURNS, throw=False)
    end = search(residuals, solver, jnp.zeros(len(FREE)))
    return {"x": end.value, "turns": end.stats["num_steps"]}


def judged(x, nominal, given):
    """Losses and largest entries of gradients, by hand, at coordinates of the first cells."""
    told = []
    for at, *of_cell in zip(x, *given, strict=False):
        search, at = Search(nominal, *of_cell), np.asarray(at)
        # Slopes are those before the last step to the rest: the second time it is at rest before.
        for _ in range(2):
            r, J = np.array(search.residuals(at)), np.array(search.jacobian(at))
        told.append((0.5 * r @ r, np.abs(J.T @ r).max()))
    return np.array(told).T


def race(quick, devices, population):
    """Each racer's cells, seconds of compilation, turns, losses, gradients; (wall, CPU) of all."""
    _, nominal, *given = population
    peers, few = (512, 100) if quick else (2048, 500)
    tasks = [(nominal, *(x[i] for x in given)) for i in range(few)]
    races, about, ended, p = {}, {}, {}, [nominal[name] for name in FREE]

    def add(name, count, again, compile_s, x, turns):
        print(f"ready: {name}", file=sys.stderr, flush=True)
        races[name] = again
        about[name] = count, compile_s, np.mean(turns), *judged(x[:JUDGED], nominal, given)

    def add_ours(name, count, **how):
        begun = time.perf_counter()
        found = [ours(count, *population, devices=[device], **how) for device in devices].pop()
        compile_s = (time.perf_counter() - begun) / len(devices)
        x = logit(0.5 + 0.5 * np.log(found.estimate.values / p) / math.log(WIDTH))
        add(name, count, partial(ours, count, *population, **how), compile_s, x, found.turns)

    def pooled(usual, count):
        left = [pool.submit(by_scipy, usual, *task) for task in tasks[:count]]
        ended[usual] = [task.result() for task in left]
        return sum(cpu for *_, cpu in ended[usual])

    with ProcessPoolExecutor(len(devices), multiprocessing.get_context("spawn")) as pool:
        add_ours("ours", len(given[0]))
        for usual, what in enumerate(("slopes by hand", "finite differences, root")):
            # Workers have to import everything before they are timed.
            pooled(usual, count := few // (5 if usual else 1))
            x, turns, _ = zip(*ended[usual], strict=True)
            add(f"SciPy least_squares, {what}", count, partial(pooled, usual, count), 0.0, x, turns)
        part = dict(zip(("pump", "data", "sd"), (x[:peers] for x in given), strict=True))
        part["begin"] = np.empty((peers, len(BATHS), len(START)))
        for i, j in np.ndindex(peers, len(BATHS)):
            part["begin"][i, j] = by_hand(numbers(nominal, given[0][i], BATHS[j]), p, START)[0]
        for width in CHUNKS[: 1 if quick else None]:
            parts = engines(jax.vmap(by_optimistix, in_axes=(0, None)), nominal, width)
            compile_s, end = warm(parts, part)[0], run(parts, part)
            name, again = f"optimistix LM, chunks of {width}", partial(run, parts, part)
            add(name, peers, again, compile_s, end["x"], end["turns"])
        if not quick:
            add_ours("ours with optax.adam(0.05)", few, method=optax.adam(0.05))
        return about, in_turns(races, QUICK_REPEATS if quick else REPEATS)


def main():
    """Run the races and print them."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a one-minute subset, on one device")
    parser.add_argument("--json", help="write the records there")
    quick, path = vars(parser.parse_args()).values()
    jm.configure(cpu_devices=1 if quick else os.cpu_count(), cache=False)
    rows = 4096 if quick else 10_000
    about, times = race(quick, jax.local_devices(), population(rows))
    told = ", ".join(map(" ".join, VERSIONS.items()))
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {told}")
    print("us a cell, and ratios to ours; losses and gradients where each ended:", HEAD, sep="\n")
    records, mine, best = [], np.divide(times["ours"], rows), about["ours"][3]
    for name, (count, compile_s, turns, loss, gradient) in about.items():
        theirs, off = np.divide(times[name], count), loss / best[: len(loss)] - 1.0
        ratio, of_cpu = (float(x) for x in theirs / mine)
        ends = np.mean(off < SAME), np.mean(gradient <= GRADIENT), np.median(gradient)
        shown = ratio, theirs[1] * 1e6, of_cpu, compile_s, turns, *ends, gradient.max()
        print(ROW.format(name, theirs[0] * 1e6, *shown), flush=True)
        mine_s, theirs_s = (float(x[0] * rows) for x in (mine, theirs))
        values = name, rows, mine_s, name, theirs_s, ratio, float(off.max()), compile_s, VERSIONS
        records.append(dict(zip(KEYS, values, strict=True)))
    if path:
        Path(path).write_text(json.dumps(records, indent=1))


if __name__ == "__main__":
    main()
