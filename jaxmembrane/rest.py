"""The resting state of lanes: three tiers, statuses, stability, and implicit derivatives.

Derivatives come from the implicit function theorem: where ``f(u, p) = 0``,
``du = -J(u, p)^-1 (df/dp) dp``, made of differentiable code, so that it transposes for reverse mode
and is right to second order.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from . import start
from .balance import Equations
from .cell import Cell
from .dynamics import time_jacobian
from .linalg import solve
from .newton import largest, materialize, newton, once, scaled, tolerance
from .params import inside_domain
from .relax import CONTINUATION, MARCH, Pace, relax
from .stability import stable

STATUS = {
    "pending": -1,
    "stable": 0,
    "unstable": 1,
    "no_steady_state": 2,
    "not_converged": 3,
    "nonfinite": 4,
    "invalid": 5,
    "volume_bound": 6,
    "not_improved": 7,
}
"""Outcome of a row, by meaning."""

BLOCK = 256
"""Lanes that are iterated together: enough to hide a kernel's cost, few enough for the cache."""

# Lanes that are gathered at once for the later tiers: of 128 lanes about one needs them.
_LEAST_GATHERED, _SHARE_GATHERED = 64, 128
_KICK = 0.1  # RT/F

Params = Mapping[str, Any]
Start = Mapping[tuple[str, ...], Any]


class Found(NamedTuple):
    """Outcome of a search, by lane: unknowns, status, iterations, scaled residual."""

    u: list[Any]
    status: Any
    steps: Any
    residual: Any


class Lanes(NamedTuple):
    """What a search is given, by lane.

    Parameters, each a lane array or one number for all; where to begin, as far as the user says;
    and by name one harmless number each, which stands in for the parameters of lanes that must not
    be computed with.
    """

    params: Params
    begin: Start
    harmless: Params

    def where(self, keep: Any) -> dict[str, Any]:
        """Parameters of the lanes to keep, harmless ones of the others."""
        return {
            name: jnp.where(keep, x, jnp.asarray(self.harmless[name], x.dtype)) if x.ndim else x
            for name, x in self.params.items()
        }


def valid_lanes(cell: Cell, params: Params) -> Any:
    """Which lanes lie in the domain of every parameter."""
    valid = inside_domain(cell.parameters, params)
    for (owner, species), c in Equations(cell, params).held_c.items():
        if f"{owner}.{species}" not in params:
            valid = valid & (c >= 0)
    return valid


class Verdict(NamedTuple):
    """Whether unknowns are a root, and a stable one; with the scaled residual."""

    root: Any
    stable: Any
    residual: Any


def judge(eq: Equations, u: list[Any], around: Sequence[list], turn: Any = 0) -> Verdict:
    """Residual, and stability from the Jacobian in time (not the row-scaled one).

    `around` is what `Equations.jacobian` gives at u.
    """
    limit = tolerance(u[0].dtype)
    value, jacobian, followed, _ = around
    _, relative = scaled(jacobian, value)
    residual = largest(relative)
    root = jnp.isfinite(residual) & (residual < limit.residual)
    for c in followed:
        root = root & (c > 0)
    state = eq.state(u)
    for a in eq.cell.compartments:
        if a.volume == "osmotic":
            # Impermeants that rounding hides cannot hold a volume: the balance is none.
            share = eq.params[f"{a.name}.X"] / (state.volume[a.name] * eq.osmolarity(a.name, state))
            root = root & (share > limit.share)
    return materialize(Verdict(root, stable(time_jacobian(eq, u, jacobian)), residual), turn)


def undecided(status: Any) -> Any:
    """Which lanes the first tier leaves to the later ones."""
    return (status == STATUS["pending"]) | (status == STATUS["unstable"])


def search(cell: Cell, lanes: Lanes) -> Found:
    """Find the rest of every lane."""
    return later_tiers(cell, lanes, first_tier(cell, lanes))


def first_tier(cell: Cell, lanes: Lanes) -> Found:
    """Rests that Newton's method finds; `undecided` are those that it does not, or not stable."""
    valid = valid_lanes(cell, lanes.params)
    valid = materialize(valid, jnp.sum(valid, dtype=jnp.int32))
    safe = lanes.where(valid)

    def first(lane: Any) -> tuple[list[Any], Any, Verdict]:
        own, begin = lane
        eq = Equations(cell, {**safe, **own})
        begin = merged(eq, begin)
        shape = next(iter(own.values())).shape
        found = newton(eq, [jnp.broadcast_to(begin[k], shape) for k in eq.unknowns])
        verdict = judge(eq, found.u, found.around, found.steps[0])
        return found.u, found.steps, verdict._replace(root=verdict.root & found.settled)

    own = {name: x for name, x in safe.items() if x.ndim}
    u, steps, verdict = by_block(first, (own, lanes.begin), valid.shape[0])
    good = verdict.root & verdict.stable
    status = jnp.where(good, STATUS["stable"], STATUS["unstable"])
    status = jnp.where(verdict.root, status, STATUS["pending"])
    status = jnp.where(valid, status, STATUS["invalid"]).astype(jnp.int8)
    return Found(u, status, steps, verdict.residual)


def merged(eq: Equations, given: Start) -> dict[tuple[str, ...], Any]:
    """A guess, with what the user gives where it is a number, and gates at rest there."""
    found = start.guess(eq)
    for key, x in given.items():
        found[key] = jnp.where(jnp.isfinite(x), x, found[key])
    return found | start.resting_gates(eq, found)


def by_block(f: Any, lanes: Any, n: int) -> Any:
    """Apply f to blocks of lanes, which are the last axis, one after another."""
    if n <= BLOCK or n % BLOCK:
        return f(lanes)

    def split(x: Any) -> Any:
        return jnp.moveaxis(x.reshape(*x.shape[:-1], n // BLOCK, BLOCK), -2, 0)

    def join(x: Any) -> Any:
        return jnp.moveaxis(x, 0, -2).reshape(*x.shape[1:-1], n)

    return jax.tree.map(join, jax.lax.map(f, jax.tree.map(split, lanes)))


def later_tiers(cell: Cell, lanes: Lanes, found: Found) -> Found:
    """Gather lanes that are undecided after the first tier, for tiers 2 and 3."""
    failed = undecided(found.status)
    n = failed.shape[0]
    width = min(max(_LEAST_GATHERED, n // _SHARE_GATHERED), n)
    # One array is gathered where there would be thirty: they take seconds to compile.
    names, keys = [name for name, x in lanes.params.items() if x.ndim], list(lanes.begin)
    inputs = jnp.stack([lanes.params[name] for name in names] + [lanes.begin[k] for k in keys])

    def some(carry: Any) -> Any:
        return jnp.any(carry[1])

    def settle(carry: Any) -> Any:
        (u, *rest), failed = carry
        (index,) = jnp.nonzero(failed, size=width, fill_value=n)
        taken = inputs.at[:, index].get(mode="fill", fill_value=jnp.nan)
        part = Lanes(
            dict(lanes.params) | dict(zip(names, taken[: len(names)], strict=True)),
            dict(zip(keys, taken[len(names) :], strict=True)),
            lanes.harmless,
        )
        before = Found(
            list(u.at[:, index].get(mode="fill", fill_value=jnp.nan)),
            *(x.at[index].get(mode="fill", fill_value=0) for x in rest),
        )
        after = follow(cell, part, before, index < n)
        u = u.at[:, index].set(jnp.stack(after.u), mode="drop")
        rest = [
            whole.at[index].set(part, mode="drop")
            for whole, part in zip(rest, after[1:], strict=True)
        ]
        return (u, *rest), failed.at[index].set(False, mode="drop")

    (u, *rest), _ = jax.lax.while_loop(some, settle, ((jnp.stack(found.u), *found[1:]), failed))
    return Found(list(u), *rest)


def follow(cell: Cell, lanes: Lanes, before: Found, real: Any) -> Found:
    """Tiers 2 and 3 for gathered lanes: continuation, then the march in time.

    Long implicit steps may end on an unstable root; from there the march goes on, kicked off it to
    either side.
    """
    params = lanes.where(real)
    eq = Equations(cell, params)
    full = Equations(cell, params, carry_all=True)
    known = merged(full, lanes.begin)
    begin = [jnp.broadcast_to(known[key], real.shape) for key in full.unknowns]
    dtype = begin[0].dtype

    def attempt(found: Found, way: tuple[Pace, Any]) -> tuple[Found, None]:
        pace, kick = way
        unstable = found.status == STATUS["unstable"]
        waiting = real & jnp.where(kick == 0, found.status != STATUS["stable"], unstable)
        at = all_unknowns(eq, found.u)
        off = [
            jnp.where(waiting & (kick != 0), at[key] + (kick if key[0] == "phi" else 0.0), x)
            for key, x in zip(full.unknowns, begin, strict=True)
        ]
        course = relax(full, off, pace, waiting)
        reached = dict(zip(full.unknowns, course.u, strict=True))
        u = [reached[key] for key in eq.unknowns]
        turn = course.steps[0]
        verdict = judge(eq, u, materialize(eq.jacobian(u, once(turn)), turn), turn)
        root = waiting & verdict.root & course.settled & (verdict.stable | ~unstable)
        failure = jnp.where(course.ran_away, STATUS["no_steady_state"], STATUS["not_converged"])
        failure = jnp.where(jnp.isfinite(largest(course.u)), failure, STATUS["nonfinite"])
        # An unstable root is a rest: where nothing stable is reached it stays the answer.
        failure = jnp.where(has_rest(found.status), found.status, failure)
        status = jnp.where(verdict.stable, STATUS["stable"], STATUS["unstable"])
        status = jnp.where(root, status, failure).astype(jnp.int8)
        u, residual = jax.tree.map(
            lambda new, old: jnp.where(root, new, old),
            (u, verdict.residual),
            (found.u, found.residual),
        )
        status = jnp.where(waiting, status, found.status)
        return Found(u, status, found.steps + course.steps, residual), None

    ways = [(CONTINUATION, 0.0), (MARCH, 0.0), (MARCH, _KICK), (MARCH, -_KICK)]
    stacked = jax.tree.map(lambda *x: jnp.asarray(np.array(x), dtype), *ways)
    return jax.lax.scan(attempt, before, stacked)[0]


def all_unknowns(eq: Equations, u: list[Any]) -> dict[tuple[str, ...], Any]:
    """Unknowns by key, with those of the ions that follow from charge."""
    at = dict(zip(eq.unknowns, u, strict=True))
    for (a, s), c in zip(eq.followers, eq.followed(u), strict=True):
        at["c", a, s.name] = jnp.log(c)
    return at


def solve_rest(cell: Cell, lanes: Lanes) -> Found:
    """`search`, differentiable with respect to parameters, to any order."""
    return at_rest(cell, lanes, search(cell, jax.lax.stop_gradient(lanes)))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def at_rest(cell: Cell, lanes: Lanes, found: Found) -> Found:
    """What was found, which moves with the parameters as a rest does."""
    return found


@at_rest.defjvp
def _implicit(cell: Cell, primals: Any, tangents: Any) -> tuple[Found, Found]:
    (lanes, found), (moving, _) = primals, tangents
    found = at_rest(cell, lanes, found)
    ok = has_rest(found.status)
    u, safe = safe_point(cell, lanes, found)
    eq = Equations(cell, safe)
    # Only parameters move; those of a lane without a rest do not.
    moved = {
        name: jnp.where(ok, dp, jnp.zeros_like(dp)) if dp.ndim else dp
        for name, dp in moving.params.items()
    }
    _, push = jax.jvp(lambda p: Equations(cell, p).residual(u), (safe,), (moved,))
    _, jacobian, _, _ = eq.jacobian(u)
    size = range(len(u))
    jacobian = [[jnp.where(ok, jacobian[i][j], 1.0 if i == j else 0.0) for j in size] for i in size]
    du = solve(*scaled(jacobian, [jnp.where(ok, -f, 0.0) for f in push]), pivot=eq.pivot)

    def still(x: Any) -> Any:
        return np.zeros(x.shape, jax.dtypes.float0)

    return found, Found(du, still(found.status), still(found.steps), jnp.zeros_like(found.residual))


def has_rest(status: Any) -> Any:
    """Whether a status stands for a rest, stable or not."""
    return (status == STATUS["stable"]) | (status == STATUS["unstable"])


def safe_point(cell: Cell, lanes: Lanes, found: Found) -> tuple[list[Any], dict[str, Any]]:
    """Unknowns and parameters, harmless ones where there is no rest."""
    ok = has_rest(found.status)
    eq = Equations(cell, jax.lax.stop_gradient(lanes.where(jnp.zeros_like(ok))))
    harmless = merged(eq, {})
    u = [jnp.where(ok, x, harmless[key]) for x, key in zip(found.u, eq.unknowns, strict=True)]
    return u, lanes.where(ok)
