"""Many lanes in few places: every lane gets its own turns, wherever it sits and beside whom."""

from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from test_summary import TINY

import jaxmembrane as jm
from jaxmembrane.refill import PLACES, Work, work_off

pytestmark = pytest.mark.slow

# ---------------------------------------------------------------- lanes that count their turns


class Counter(NamedTuple):
    """Turns taken, a number that forgets nothing of their order, and one of several axes."""

    turns: Any
    trace: Any
    table: Any


def advance(turn, index, given, lane, sink):
    del turn
    going = lane.turns < given["needed"]
    trace = jnp.where(going, jnp.mod(lane.trace * 31.0 + given["seed"], 65537.0), lane.trace)
    turns = lane.turns + going.astype(lane.turns.dtype)
    table = jnp.where(going, lane.table + jnp.arange(6.0).reshape(2, 3, 1), lane.table)
    # Each lane writes once, in the turn that is its last.
    last = going & (turns == given["needed"])
    n = sink.shape[0]
    return Counter(turns, trace, table), sink.at[jnp.where(last, index, n)].add(1, mode="drop")


def lanes_of(needed):
    zero = jnp.zeros(len(needed))
    return Counter(jnp.zeros(len(needed), jnp.int32), zero, jnp.zeros((2, 3, len(needed))))


@jax.jit
def counted(needed, seed):
    given = {"needed": needed, "seed": seed}

    # What a lane needs is its own; the queue asks lanes alone.
    def active(lane):
        return lane[0].turns < lane[1]

    def on(turn, index, given, lane, sink):
        counter, sink = advance(turn, index, given, lane[0], sink)
        return (counter, lane[1]), sink

    work = Work(on, active, lambda lane: (lane[1] - lane[0].turns).astype(float))
    sink = jnp.zeros(len(needed), jnp.int32)
    (lane, _), sink = work_off(work, given, (lanes_of(needed), needed), sink, places=8)
    return lane, sink


def expected(needed, seed):
    trace = np.zeros(len(needed))
    for turn in range(max(needed, default=0)):
        trace = np.where(turn < np.array(needed), np.mod(trace * 31.0 + seed, 65537.0), trace)
    return trace


@pytest.mark.parametrize("n", [1, 7, 8, 9, 15, 16, 17, 64, 100, 257])
@pytest.mark.parametrize(
    "kind", ["random", "hard last", "hard first", "nothing", "all alike", "one"]
)
def test_every_lane_gets_exactly_its_turns(n, kind):
    rng = np.random.default_rng(n)
    needed = {
        "random": rng.choice([0, 1, 5, 15, 16, 17, 33, 200], n),
        "hard last": np.where(np.arange(n) == n - 1, 500, 3),
        "hard first": np.where(np.arange(n) == 0, 500, 3),
        "nothing": np.zeros(n, int),
        "all alike": np.full(n, 32),
        "one": np.where(np.arange(n) == n // 2, 40, 0),
    }[kind].astype(np.int32)
    seed = rng.integers(1, 1000, n).astype(float)
    lane, sink = counted(jnp.asarray(needed), jnp.asarray(seed))
    assert_array_equal(lane.turns, needed)
    assert_array_equal(lane.trace, expected(needed, seed))
    assert_array_equal(lane.table[1, 2], 5.0 * needed)
    # Who never ran writes nothing, all others once.
    assert_array_equal(sink, (needed > 0).astype(int))


def test_bits_do_not_depend_on_the_place():
    rng = np.random.default_rng(1)
    needed, seed = rng.integers(0, 300, 100).astype(np.int32), rng.uniform(size=100)
    order = rng.permutation(100)
    one, _ = counted(jnp.asarray(needed), jnp.asarray(seed))
    other, _ = counted(jnp.asarray(needed[order]), jnp.asarray(seed[order]))
    assert_array_equal(np.asarray(one.trace)[order], other.trace)


def test_lanes_keep_their_types():
    """Whole numbers, truths and numbers of any size come back as they were."""
    n = 20
    whole = jnp.arange(n, dtype=jnp.int32) * 100_000_000
    lane = {"whole": whole, "true": whole % 3 == 0, "small": jnp.full(n, 5e-324), "left": whole * 0}
    lane |= {"nan": jnp.full(n, jnp.nan), "inf": jnp.full(n, -jnp.inf)}

    def on(turn, index, given, lane, sink):
        del turn, index, given
        return lane | {"left": jnp.ones_like(lane["left"])}, sink

    work = Work(on, lambda lane: lane["left"] < 1, lambda lane: jnp.ones(lane["left"].shape))
    found, _ = work_off(work, {"of": whole.astype(float)}, lane, jnp.zeros(1), places=8)
    for name, x in lane.items():
        assert found[name].dtype == x.dtype, name
        if name != "left":
            assert_array_equal(found[name], x)


# ---------------------------------------------------------------- real lanes

LANES = 3000
OUTPUTS = ("V", "volume", "c")
NAMES = ("leak_Na.P", "leak_K.P", "nka.b", "bath.K")


@cache
def cells():
    """Cells of all paces: some at rest, some whose pump stops, some invalid, some without rest."""
    rng, nominal = np.random.default_rng(2), TINY.nominal()
    params = {n: nominal[n] * np.exp(rng.uniform(-2.0, 2.0, LANES)) for n in NAMES}
    params["bath.K"][::101] = -1.0
    left = params["nka.b"] * rng.choice([0.0, 0.5, 1.0, 3.0], LANES)
    return params, left


def run(params, left):
    stop = jm.Protocol([jm.Step(5.0, {"nka.b": left})])
    return jm.simulate(TINY, params, stop, [0.0, 1.0, 5.0, 100.0, 2e3], outputs=OUTPUTS)


def taken(course):
    names = ("V", "volume", "status", "steps", "stopped")
    return {n: np.asarray(course.values[n]) for n in names} | {"c": np.asarray(course.c.values)}


@cache
def together():
    found = taken(run(*cells()))
    assert (found["status"][::101] == 5).all() and (found["status"] == 0).sum() > 2500
    steps = found["steps"][found["status"] == 0]
    assert steps.max() > 10 * steps.min() and LANES > 10 * PLACES
    return found


def assert_same(one, other):
    for name, x in one.items():
        assert_array_equal(x, other[name], err_msg=name)


def test_shuffled_lanes_have_the_same_bits():
    params, left = cells()
    order = np.random.default_rng(3).permutation(LANES)
    found = taken(run({n: x[order] for n, x in params.items()}, left[order]))
    assert_same({n: x[order] for n, x in together().items()}, found)


def test_lanes_among_other_neighbours_have_the_same_bits():
    params, left = cells()
    kept = np.random.default_rng(4).choice(LANES, 40, replace=False)
    source = np.zeros(LANES, int)
    source[kept] = kept
    # All others are the hardest lane, or none at all.
    source[source == 0] = together()["steps"].argmax()
    others = {n: x[source] for n, x in params.items()}
    nowhere = np.setdiff1d(np.arange(0, LANES, 2), kept)
    others["bath.K"][nowhere] = np.nan
    found = taken(run(others, left[source]))
    assert_same({n: x[kept] for n, x in together().items()}, {n: x[kept] for n, x in found.items()})
    assert_array_equal(found["status"][nowhere], 5)


def test_a_lane_alone_has_the_same_bits():
    params, left = cells()
    alone = {n: np.full(LANES, np.nan) for n in params}
    for at in (0, 7, 2999):
        mine = {n: x.copy() for n, x in alone.items()}
        for n in mine:
            mine[n][at] = params[n][at]
        found = taken(run(mine, left))
        assert (np.delete(found["status"], at) == 5).all()
        assert_same({n: x[at] for n, x in together().items()}, {n: x[at] for n, x in found.items()})
