"""The resting state of lanes: three tiers, statuses, stability, and implicit derivatives.

Derivatives come from the implicit function theorem: where ``f(u, p) = 0``,
``du = -J(u, p)^-1 (df/dp) dp``, made of differentiable code, so that it transposes for reverse mode
and is right to second order.
"""

from collections.abc import Mapping
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
from .newton import largest, newton, scaled, tolerance
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

BLOCK = 1024
"""Lanes that are iterated together: enough to hide a kernel's cost, few enough for the cache."""

# Lanes that are gathered at once for the later tiers: of 128 lanes about one needs them.
_LEAST_GATHERED, _SHARE_GATHERED = 64, 128

Params = Mapping[str, Any]
Start = Mapping[tuple[str, ...], Any]


class Found(NamedTuple):
    """Outcome of a search, by lane: unknowns, status, iterations, scaled residual."""

    u: list[Any]
    status: Any
    steps: Any
    residual: Any


def lane_params(cell: Cell, params: Params) -> tuple[Any, dict[str, Any]]:
    """Which lanes lie in their domain, and parameters that are safe to compute with everywhere."""
    valid = inside_domain(cell.parameters, params)
    for (owner, species), c in Equations(cell, params).bath_c.items():
        if f"{owner}.{species}" not in params:
            valid = valid & (c >= 0)
    return valid, _safe(cell, params, valid)


def _safe(cell: Cell, params: Params, keep: Any) -> dict[str, Any]:
    return {
        name: jnp.where(keep, params[name], jnp.asarray(p.nominal, jnp.result_type(params[name])))
        for name, p in cell.parameters.items()
    }


class Verdict(NamedTuple):
    """Whether unknowns are a root, and a stable one; with the scaled residual."""

    root: Any
    stable: Any
    residual: Any


def judge(eq: Equations, u: list[Any]) -> Verdict:
    """Residual, and stability from the Jacobian in time (not the row-scaled one)."""
    limit = tolerance(u[0].dtype)
    value, jacobian, followed, _ = eq.jacobian(u)
    _, relative = scaled(jacobian, value)
    residual = largest(relative)
    positive = jnp.isfinite(residual)
    for c in followed:
        positive = positive & (c > 0)
    return Verdict(
        positive & (residual < limit.residual), stable(time_jacobian(eq, u, jacobian)), residual
    )


def search(cell: Cell, params: Params, given: Start | None) -> Found:
    """Find the rest of every lane; `given` is where to begin, else the closed form's guess."""
    lanes = jnp.shape(params["T"])
    valid, safe = lane_params(cell, params)

    def first(lane: Any) -> tuple[list[Any], Any, Verdict]:
        eq = Equations(cell, lane[0])
        begin = start.guess(eq) | (lane[1] or {})
        u, steps, settled = newton(eq, [begin[key] for key in eq.unknowns])
        verdict = judge(eq, u)
        return u, steps, verdict._replace(root=verdict.root & settled)

    u, steps, verdict = _by_block(first, (safe, given), lanes[0])
    good = verdict.root & verdict.stable
    status = jnp.where(verdict.root, jnp.where(good, STATUS["stable"], STATUS["unstable"]), -1)
    status = jnp.where(valid, status, STATUS["invalid"]).astype(jnp.int8)
    found = Found(u, status, steps, verdict.residual)
    return _second(cell, safe, given, found, valid & ~good)


def _by_block(f: Any, lanes: Any, n: int) -> Any:
    """Apply f to blocks of lanes, one after another."""
    if n <= BLOCK or n % BLOCK:
        return f(lanes)
    blocks = jax.tree.map(lambda x: x.reshape(n // BLOCK, BLOCK), lanes)
    return jax.tree.map(lambda x: x.reshape(n), jax.lax.map(f, blocks))


def _second(cell: Cell, safe: Params, given: Start | None, found: Found, failed: Any) -> Found:
    """Gather lanes that failed, or rest on an unstable root, for tiers 2 and 3."""
    n = failed.shape[0]
    width = min(max(_LEAST_GATHERED, n // _SHARE_GATHERED), n)
    # One array is gathered where there would be thirty: they take seconds to compile.
    names, keys = list(safe), list(given or {})
    inputs = jnp.stack([safe[name] for name in names] + [given[key] for key in keys])

    def some(carry: Any) -> Any:
        return jnp.any(carry[1])

    def settle(carry: Any) -> Any:
        (u, *rest), failed = carry
        (index,) = jnp.nonzero(failed, size=width, fill_value=n)
        real = index < n
        taken = inputs.at[:, index].get(mode="fill", fill_value=1.0)
        begin = dict(zip(keys, taken[len(names) :], strict=True))
        before = Found(
            list(u.at[:, index].get(mode="fill", fill_value=1.0)),
            *(x.at[index].get(mode="fill", fill_value=0) for x in rest),
        )
        after = follow(cell, dict(zip(names, taken, strict=False)), begin, before, real)
        u = u.at[:, index].set(jnp.stack(after.u), mode="drop")
        rest = [
            whole.at[index].set(part, mode="drop")
            for whole, part in zip(rest, after[1:], strict=True)
        ]
        return (u, *rest), failed.at[index].set(False, mode="drop")

    (u, *rest), _ = jax.lax.while_loop(some, settle, ((jnp.stack(found.u), *found[1:]), failed))
    return Found(list(u), *rest)


def follow(cell: Cell, params: Params, given: Start, before: Found, real: Any) -> Found:
    """Tiers 2 and 3 for gathered lanes: continuation, then the march in time."""
    params = _safe(cell, params, real)
    eq = Equations(cell, params)
    full = Equations(cell, params, carry_all=True)
    begin = start.guess(full)
    for key, x in given.items():
        begin[key] = jnp.where(real, x, begin[key])
    begin = [begin[key] for key in full.unknowns]

    def attempt(found: Found, pace: Pace) -> tuple[Found, None]:
        waiting = real & (found.status != STATUS["stable"])
        course = relax(full, begin, pace, waiting)
        at = dict(zip(full.unknowns, course.u, strict=True))
        u = [at[key] for key in eq.unknowns]
        verdict = judge(eq, u)
        root = waiting & verdict.root & course.settled
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

    paces = jax.tree.map(lambda *x: jnp.asarray(x), CONTINUATION, MARCH)
    return jax.lax.scan(attempt, before, paces)[0]


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def solve_rest(cell: Cell, params: Params, given: Start | None) -> Found:
    """`search`, differentiable with respect to parameters, to any order."""
    return search(cell, params, given)


@solve_rest.defjvp
def _implicit(cell: Cell, primals: Any, tangents: Any) -> tuple[Found, Found]:
    params, given = primals
    found = solve_rest(cell, params, given)
    ok = has_rest(found.status)
    u, safe = safe_point(cell, params, found)
    eq = Equations(cell, safe)
    # Only parameters move; those of a lane without a rest do not.
    moved = {
        name: jnp.where(ok, tangents[0][name], jnp.zeros_like(tangents[0][name])) for name in safe
    }
    _, push = jax.jvp(lambda p: Equations(cell, p).residual(u), (safe,), (moved,))
    _, jacobian, _, _ = eq.jacobian(u)
    size = range(len(u))
    jacobian = [[jnp.where(ok, jacobian[i][j], 1.0 if i == j else 0.0) for j in size] for i in size]
    du = solve(*scaled(jacobian, [jnp.where(ok, -f, 0.0) for f in push]))

    def still(x: Any) -> Any:
        return np.zeros(x.shape, jax.dtypes.float0)

    return found, Found(du, still(found.status), still(found.steps), jnp.zeros_like(found.residual))


def has_rest(status: Any) -> Any:
    """Whether a status stands for a rest, stable or not."""
    return (status == STATUS["stable"]) | (status == STATUS["unstable"])


def safe_point(cell: Cell, params: Params, found: Found) -> tuple[list[Any], dict[str, Any]]:
    """Unknowns and parameters, harmless ones (nominal) where there is no rest."""
    ok = has_rest(found.status)
    safe = _safe(cell, params, ok)
    eq = Equations(cell, jax.lax.stop_gradient(_safe(cell, params, jnp.zeros_like(ok))))
    harmless = start.guess(eq)
    u = [jnp.where(ok, x, harmless[key]) for x, key in zip(found.u, eq.unknowns, strict=True)]
    return u, safe
