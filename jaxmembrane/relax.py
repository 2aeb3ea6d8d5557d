"""Tiers 2 and 3: pseudo-transient continuation, and the march in time that may claim physics.

Both take linearly implicit Euler steps in the logarithms of all amounts and volumes, with charge as
a row, so that nothing can become negative. They differ in how far a step may go: continuation
grows into Newton's method, the march stays close to the true course.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .balance import Equations
from .dynamics import FROM_AFAR, capacity, velocity, with_charge
from .linalg import solve
from .newton import largest, materialize, once, scaled, tolerance
from .unknowns import Key, State

RUNAWAY = 30.0
"""Growth of ln volume beyond which a cell that still grows has no rest."""

_TRACE = 0.1
_FAR = 4.0


class Pace(NamedTuple):
    """How a course is followed: aimed and largest change of a step, its growth, and how many."""

    aim: Any
    most: Any
    growth: Any
    max_steps: Any


CONTINUATION = Pace(aim=0.5, most=1.0, growth=10.0, max_steps=80)
MARCH = Pace(aim=0.2, most=0.4, growth=3.0, max_steps=1500)


class Course(NamedTuple):
    """Where lanes ended: unknowns, steps, and whether they settled or ran away, by lane."""

    u: list[Any]
    steps: Any
    settled: Any
    ran_away: Any


def relax(eq: Equations, u: Sequence[Any], pace: Pace, active: Any) -> Course:
    """Follow the course of active lanes until each has settled, run away, failed or used its steps.

    `eq` must carry all species. A lane that has ended is frozen.
    """
    limit = tolerance(u[0].dtype)
    volumes = [j for j, key in enumerate(eq.unknowns) if key[0] == "w"]
    start = [u[j] for j in volumes]

    def unfinished(carry: Any) -> Any:
        turn, active = carry[0], carry[-1]
        return (turn < pace.max_steps) & jnp.any(active)

    def advance(carry: Any) -> Any:
        turn, u, dt, steps, settled, ran_away, active = carry
        step, residual = _implicit_step(eq, u, dt, turn)
        size = largest([x * dx for x, dx in zip(_weights(eq, u), step, strict=True)])
        cut = jnp.where(active, jnp.minimum(1.0, pace.most / size), 0.0)
        u = with_charge(eq, [x + cut * dx for x, dx in zip(u, step, strict=True)])
        done = active & limit.met(size, residual)
        growing = jnp.zeros_like(active)
        for j, before in zip(volumes, start, strict=True):
            growing = growing | ((u[j] - before > RUNAWAY) & (step[j] > 0))
        away = active & growing & ~done
        lost = ~jnp.isfinite(size)
        dt = dt * jnp.clip(pace.aim / size, 0.2, pace.growth)
        # Beyond all time scales of the cell; kept finite so that the step stays Newton's.
        dt = jnp.minimum(dt, float(jnp.finfo(dt.dtype).max) ** 0.4)
        steps = steps + active.astype(steps.dtype)
        return (
            turn + 1,
            u,
            dt,
            steps,
            settled | done,
            ran_away | away,
            active & ~(done | away | lost),
        )

    u = with_charge(eq, u, FROM_AFAR)
    lanes = u[0].shape
    no = jnp.zeros(lanes, bool)
    carry = (0, list(u), first_step(eq, u, pace), jnp.zeros(lanes, jnp.int32), no, no, active)
    _, u, _, steps, settled, ran_away, _ = jax.lax.while_loop(unfinished, advance, carry)
    return Course(list(u), steps, settled, ran_away)


def _weights(eq: Equations, u: Sequence[Any]) -> list[Any]:
    """How much a change of each unknown counts.

    That of a trace species counts little: it follows the others quasi-steadily, and may have
    hundreds of e-folds to go. So does that of a potential far out, where a runaway pump puts it,
    and that of the impermeant's charge where there is little of it.
    """
    state = eq.state(u)
    weights: list[Any] = [1.0] * len(eq.unknowns)
    for j, (key, x) in enumerate(zip(eq.unknowns, u, strict=True)):
        if key[0] == "c":
            share = state.c[key[1], key[2]] / eq.osmolarity(key[1], state)
            weights[j] = jnp.maximum(jnp.minimum(1e3 * share, 1.0), _TRACE)
        elif key[0] == "z":
            share = eq.params[f"{key[1]}.X"] / state.volume[key[1]] / eq.osmolarity(key[1], state)
            weights[j] = jnp.minimum(share, 1.0)
        elif key[0] == "phi":
            weights[j] = 1.0 / (1.0 + jnp.abs(x) / _FAR)
    return weights


def first_step(eq: Equations, u: Sequence[Any], pace: Pace) -> Any:
    """A time step (s) in which the fastest unknown changes by what the pace aims at."""
    return pace.aim / jnp.maximum(largest(velocity(eq, eq.state(u), eq.residual(u))), 1e-12)


def _stored(eq: Equations, state: State, row: Key) -> tuple[Any, dict[Key, Any]]:
    """The amount, volume, charge or gate whose balance a row is, and how it follows the unknowns.

    A size, and derivatives over that size; nothing for rows that hold at every time.
    """
    kind, owner = row[:2]
    if kind == "n":
        amount = state.c[owner, row[2]] * state.volume[owner]
        share = capacity(eq, state, owner, row[2]) / amount
        return amount, {("c", owner, row[2]): share, ("w", owner): 1.0}
    if kind == "w":
        return state.volume[owner], {row: 1.0}
    if kind == "z":
        X = eq.params[f"{owner}.X"]
        filled = sum(s.z * state.c[owner, s.name] for s in eq.cell.buffered[owner])
        return X, {row: 1.0, ("w", owner): filled * state.volume[owner] / X}
    return 1.0, {row: 1.0} if kind == "g" else {}


def _implicit_step(eq: Equations, u: Sequence[Any], dt: Any, turn: Any) -> tuple[list[Any], Any]:
    """One step of ``(M/dt - J) du = f`` and the residual f over its own Jacobian's rows."""
    value, jacobian, _, _ = materialize(eq.jacobian(u, once(turn)), turn)
    state = eq.state(u)
    rows, rhs = [], []
    for i, key in enumerate(eq.rows):
        size, follows = _stored(eq, state, key)
        if not follows:
            rows.append(list(jacobian[i]))
            rhs.append(-value[i])
            continue
        rate = dt / size
        row = [-rate * entry for entry in jacobian[i]]
        for j, unknown in enumerate(eq.unknowns):
            if unknown in follows:
                row[j] = row[j] + follows[unknown]
        rows.append(row)
        rhs.append(rate * value[i])
    _, relative = scaled(jacobian, value)
    return materialize(solve(*scaled(rows, rhs), pivot=True), turn), largest(relative)
