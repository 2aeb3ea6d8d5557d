"""Nanoseconds of every rate law in the catalogue: its turnover, and its exact Jacobian.

    python benchmarks/catalogue.py [--quick] [--json PATH]

float64, chunks of 4,096 lanes, jit, one core; the median of several repeats, with the cost of the
call itself, which is printed apart. Concentrations and V are arrays, T and all parameters traced
scalars, as where a sweep does not vary them. Logarithms of concentrations are computed where a law
asks for them; a cell has them anyway. The Jacobian is that of all turnovers of the transporter to
V and to every concentration that reaction or law touches, by one jvp for each input, as in
`jaxmembrane.balance`.

The peer, for pumps that are cycles of states, solves the same rates by batched numpy.linalg.solve;
it gets the rates for nothing. Other laws are formulas: every form of them is the same arithmetic,
so that they have no peer. Errors are the largest difference over the largest turnover.
"""

import argparse
import json
import math
import os
import platform
import sys
import time
from importlib.metadata import version
from statistics import median
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np

import jaxmembrane as jm
from jaxmembrane import constants, library, point
from jaxmembrane.balance import columns
from jaxmembrane.site import Medium
from jaxmembrane.trial import Trial

LANES = 4096
REPEATS, QUICK_REPEATS = 21, 3
LEAST_S = 5e-3
INSIDE_OUTSIDE = {
    "Na": (12.0, 145.0),
    "K": (140.0, 4.0),
    "Cl": (8.0, 120.0),
    "Ca": (1e-4, 1.2),
    "H": (6.3e-5, 4e-5),
    "HCO3": (15.0, 25.0),
    "ATP": (5.0, 2.0),
    "ADP": (5.0, 0.05),
    "Glucose": (5.0, 5.0),
    "e": (1e-9, 1e-9),
}


def one_core():
    """Keep this process on one core, and float64; before JAX is first used."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["XLA_FLAGS"] = (
        os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
    )
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    jm.configure(cpu_devices=1, cache=False)


def states(transporter, lanes=LANES):
    """Random states as a list of arrays, V last, with their names: what the turnovers depend on."""
    rng = np.random.default_rng(0)
    names = sorted({name for leg in transporter.legs for name in Trial(transporter, leg).c})
    arrays = []
    for name in names:
        species, _, side = name.partition("_")
        usual = INSIDE_OUTSIDE[species]["io".index(side)]
        arrays.append(jnp.asarray(usual * 2.0 ** rng.uniform(-1.0, 1.0, lanes)))
    return [*names, "V"], [*arrays, jnp.asarray(rng.uniform(-120.0, 40.0, lanes))]


def numbers(transporter):
    """Nominal parameters, own and bare, as scalars to trace."""
    own, bare = transporter.declared, transporter.bare
    return (
        {name: jnp.asarray(p.nominal) for name, p in own.items()},
        {name: jnp.asarray(p.nominal) for name, p in bare.items()} | {"T": jnp.asarray(310.15)},
    )


def turnovers(transporter, names, x, own, bare):
    """The turnovers of one lane, whose concentrations and V are x."""
    RT, c = constants.R * bare["T"], dict(zip(names, x, strict=True))
    V = c.pop("V")
    sides = [{n[:-2]: y for n, y in c.items() if n.endswith(side)} for side in ("_i", "_o")]
    logs = [{s: (lambda y=y: jnp.log(y)) for s, y in side.items()} for side in sides]
    medium = Medium(*sides, *logs, V * constants.F / RT, RT, constants.F, bare)
    return point.turnovers(transporter, medium, own, {})


def compiled(transporter, names):
    """The turnovers, and with their Jacobian, as programs over lanes."""

    def value(x, own, bare):
        return turnovers(transporter, names, x, own, bare)

    def jacobian(x, own, bare):
        return columns(lambda x: value(x, own, bare), x)

    return [jax.jit(jax.vmap(f, in_axes=(0, None, None))) for f in (value, jacobian)]


def timed(call, repeats):
    """Median seconds of a call that has been called before."""
    number = max(1, math.ceil(10 * LEAST_S / lasted(call, 10)))
    return median(lasted(call, number) for _ in range(repeats)) / number


def lasted(call, number):
    """Seconds of so many calls."""
    begun = time.perf_counter()
    for _ in range(number):
        result = call()
    jax.block_until_ready(result)
    return time.perf_counter() - begun


def cycle_rates(transporter, names, x, own, bare):
    """Rates of a law that is a cycle of states, forward and backward, or None."""
    rate = transporter.legs[0].rate
    if "turnover" not in getattr(getattr(rate, "__code__", None), "co_names", ()):
        return None
    caught = []

    def catch(forward, backward):
        caught.append((list(forward), list(backward)))
        return forward[0]

    with mock.patch.object(sys.modules[rate.__module__], "turnover", catch):
        turnovers(transporter, names, x, own, bare)
    return [[np.broadcast_to(r, x[-1].shape) for r in rates] for rates in caught[0]]


def solved(forward, backward, density):
    """Turnover of a cycle by a linear solve for its states, as one would write it in NumPy."""
    n, lanes = len(forward), len(forward[0])
    matrix, rhs = np.zeros((lanes, n, n)), np.zeros((lanes, n, 1))
    for a, (f, b) in enumerate(zip(forward, backward, strict=True)):
        z = (a + 1) % n
        matrix[:, a, a] -= f
        matrix[:, z, a] += f
        matrix[:, z, z] -= b
        matrix[:, a, z] += b
    matrix[:, -1], rhs[:, -1] = 1.0, 1.0
    share = np.linalg.solve(matrix, rhs)[:, :, 0]
    return density * (forward[0] * share[:, 0] - backward[0] * share[:, 1])


def peer(rates, density, J, repeats):
    """What a record says of the peer, where a law is a cycle of states."""
    if rates is None:
        return dict.fromkeys(("peer", "peer_s", "ratio", "error"))
    density = float(density)
    theirs = solved(*rates, density)
    return {
        "peer": "numpy.linalg.solve, rates given",
        "peer_s": timed(lambda: solved(*rates, density), repeats),
        "ratio": None,
        "error": float(np.abs(J - theirs).max() / np.abs(theirs).max()),
    }


def measured(transporter, name, repeats):
    """Number of inputs, and a record of the value and of the Jacobian, without versions."""
    names, x = states(transporter)
    own, bare = numbers(transporter)
    records = []
    for what, program in zip(("value", "Jacobian"), compiled(transporter, names), strict=True):

        def call(program=program):
            return program(x, own, bare)

        begun = time.perf_counter()
        J = jax.block_until_ready(call())[0]
        compile_s = time.perf_counter() - begun
        record = {"name": f"{name}: {what}", "rows": LANES, "ours_s": timed(call, repeats)}
        rates = cycle_rates(transporter, names, x, own, bare) if what == "value" else None
        record |= peer(rates, own.get("density"), J, repeats) | {"compile_s": compile_s}
        if record["peer"]:
            record["ratio"] = record["peer_s"] / record["ours_s"]
        records.append(record)
    return len(names), records


def main():
    """Measure every law and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a one-minute subset: fewer repeats")
    parser.add_argument("--json", help="write the records there")
    arguments = parser.parse_args()
    repeats = QUICK_REPEATS if arguments.quick else REPEATS
    one_core()
    versions = {name: version(name) for name in ("jax", "jaxlib", "numpy")}
    print(f"{platform.machine()}, one core, " + ", ".join(map(" ".join, versions.items())))
    plus_one, V = jax.jit(lambda V: V + 1.0), jnp.zeros(LANES)
    plus_one(V)
    print(f"ns a lane; a call that adds one to V: {per_lane(timed(lambda: plus_one(V), repeats))}")
    print(f"{'law':40s}{'inputs':>8s}{'value':>8s}{'Jacobian':>10s}{'compiled in':>15s}")
    records = []
    for entry in library.CATALOGUE.values():
        for law in entry.laws:
            name = f"{entry.name} {law}"
            inputs, pair = measured(entry.make(law), name, repeats)
            value, jacobian = (per_lane(record["ours_s"]) for record in pair)
            seconds = sum(record["compile_s"] for record in pair)
            line = f"{name:40s}{inputs:8d}{value:>8s}{jacobian:>10s}{seconds:13.2f} s"
            for record in (record for record in pair if record["peer"]):
                theirs, ratio = per_lane(record["peer_s"]), record["ratio"]
                line += f"   {record['peer']}: {theirs}, ratio {ratio:.0f}"
            print(line, flush=True)
            records += [record | {"versions": versions} for record in pair]
    four = next(r for r in records if r["name"] == "na_k_atpase post_albers_4: value")
    print(f"Pan four-state: {per_lane(four['ours_s'])} ns a value (aim: below 25)")
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(records, file, indent=1)


def per_lane(seconds):
    """Seconds of a chunk as nanoseconds of a lane."""
    return f"{1e9 * seconds / LANES:.1f}"


if __name__ == "__main__":
    main()
