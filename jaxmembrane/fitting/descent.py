"""Searches for the least loss, of many lanes at once, each at its own pace.

Levenberg and Marquardt solve ``(A + lambda D) step = -g`` with the diagonal D of A; lambda follows
the gain as in Nielsen 1999 (IMM-REP-1999-05). Any optax transformation of the gradient is the
other way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..balance import Once
from ..newton import largest
from .coordinate import Axis
from .loss import Group, Record, Trial, measured
from .observe import Seen

_FIRST, _LEAST, _MOST = 1e-3, 1e-12, 1e14
_ROUNDING, _FLATTER = 1e-15, 0.5
_LONGEST = 4.0
"""Coordinates change by so much in a step at most: a bounded axis is some ten wide."""


class Lane(NamedTuple):
    """Where a lane is in its search.

    Accepted coordinates with loss, gradient and matrix A there, what is seen from there, and
    unknowns of the rests; the status of its first look; then the method's own memory, turns taken,
    whether it goes on, and whether it has arrived.
    """

    x: list[Any]
    loss: Any
    gradient: list[Any]
    matrix: list[list[Any]]
    seen: list[Any]
    u: list[Any]
    status: Any
    memory: Any
    turns: Any
    going: Any
    settled: Any


class Outcome(NamedTuple):
    """What a method makes of a trial, by lane.

    Whether it is taken, the memory after it, whether nothing is left to gain, and whether nothing
    can be gained any more.
    """

    accepted: Any
    memory: Any
    floor: Any
    stuck: Any


class Limits(NamedTuple):
    """The largest entry of the gradient that counts as zero, and the most turns."""

    gradient: Any
    turns: Any


@dataclass(frozen=True)
class LevenbergMarquardt:
    """Damped Gauss-Newton steps; a lane remembers its damping, and how fast that grows next."""

    def begin(self, x: list[Any]) -> Any:
        """What a lane remembers at first."""
        return jnp.full_like(x[0], _FIRST), jnp.full_like(x[0], 2.0)

    def propose(self, lane: Lane, group: Group) -> tuple[list[Any], Any]:
        """Where to try next, and by how much the loss should fall."""
        damping, size = lane.memory[0], range(len(lane.x))
        diagonal = group.gradient([lane.matrix[i][i] for i in size])
        least = 1e-12 * largest(diagonal) + 1e-30
        # What a group shares is damped once, not by every lane of it.
        members = group.total(jnp.ones_like(damping))
        damped = [list(row) for row in lane.matrix]
        for i, d in enumerate(diagonal):
            parts = members if group.shared[i] else 1.0
            damped[i][i] = damped[i][i] + damping * jnp.maximum(d, least) / parts
        step = group.solve(damped, [-g for g in lane.gradient])
        # Nothing is known of the first place but where it is. Each coordinate has its own limit, so
        # that one that runs to its bound does not hold up the others.
        known = jnp.isfinite(lane.loss)
        step = [jnp.where(known, jnp.clip(s, -_LONGEST, _LONGEST), 0.0) for s in step]
        fall: Any = jnp.zeros_like(damping)
        for i in size:
            curve = sum(lane.matrix[i][j] * step[j] for j in size)
            fall = fall - step[i] * (lane.gradient[i] + 0.5 * curve)
        return [x + s for x, s in zip(lane.x, step, strict=True)], group.total(fall)

    def after(self, lane: Lane, trial: Trial, expected: Any, group: Group) -> Outcome:
        """Accept what lowers the loss; damping follows the gain."""
        damping, grow = lane.memory
        before, now = group.total(lane.loss), group.total(trial.loss)
        first = ~jnp.isfinite(before)
        # Where roundings hide what the loss would gain, its gradient tells.
        hidden = ~first & (expected <= _ROUNDING * before)
        steep, was = (group.largest(largest(group.gradient(at.gradient))) for at in (trial, lane))
        flatter = hidden & (steep < _FLATTER * was)
        accepted = jnp.isfinite(now) & (first | (now <= before) | flatter)
        gain = (before - now) / jnp.maximum(expected, 1e-300)
        eased = damping * jnp.maximum(1.0 / 3.0, 1.0 - (2.0 * gain - 1.0) ** 3)
        eased = jnp.where(first, damping, jnp.maximum(eased, _LEAST))
        memory = (
            jnp.where(accepted, eased, damping * grow),
            jnp.where(accepted, 2.0, 2.0 * grow),
        )
        return Outcome(accepted, memory, hidden & ~flatter, ~accepted & (memory[0] > _MOST))


def _lenient(f: Callable, *lanes: Any) -> Any:
    """Apply what is not ours to each lane; it promotes its dtypes as it likes."""
    with jax.numpy_dtype_promotion("standard"):
        return jax.vmap(f, -1, -1)(*lanes)


@dataclass(frozen=True)
class Descent:
    """Any optax transformation; a lane remembers its state, and where the search is."""

    transform: Any

    def begin(self, x: list[Any]) -> Any:
        """What a lane remembers at first."""
        return _lenient(self.transform.init, list(x)), list(x)

    def propose(self, lane: Lane, group: Group) -> tuple[list[Any], Any]:
        """Where to try next; a gradient promises nothing."""
        return lane.memory[1], jnp.zeros_like(lane.loss)

    def after(self, lane: Lane, trial: Trial, expected: Any, group: Group) -> Outcome:
        """Keep the best place; go on from the present one, or half way back where nothing was."""
        before, now = group.total(lane.loss), group.total(trial.loss)
        there = jnp.isfinite(now)
        state, x = lane.memory
        slope = [jnp.where(there, g, 0.0) for g in group.gradient(trial.gradient)]
        change, moved = _lenient(self.transform.update, slope, state, list(x))
        x = [
            jnp.where(there, now + step, 0.5 * (now + best))
            for now, step, best in zip(x, change, lane.x, strict=True)
        ]
        nothing = jnp.zeros(now.shape, bool)
        return Outcome(there & (now < before), (moved, x), nothing, nothing)


Method = LevenbergMarquardt | Descent


def begin(
    method: Method, x: list[Any], seen: list[Any], u: list[Any], status: Any, going: Any
) -> Lane:
    """Lanes before their first turn, which looks at where they are."""
    nothing, size = jnp.zeros_like(x[0]), len(x)
    return Lane(
        x=x,
        loss=jnp.full_like(nothing, jnp.inf),
        gradient=[nothing] * size,
        matrix=[[nothing] * size for _ in x],
        seen=seen,
        u=u,
        status=status,
        memory=method.begin(x),
        turns=jnp.zeros(nothing.shape, jnp.int32),
        going=going,
        settled=jnp.zeros(nothing.shape, bool),
    )


def advance(
    method: Method,
    group: Group,
    axes: Sequence[Axis],
    observe: Callable[[list[Any], list[Any]], Seen],
    record: Record,
    limits: Limits,
    lane: Lane,
    once: Once,
) -> Lane:
    """One turn of all lanes: propose, look, judge."""
    x, expected = once(method.propose(lane, group))
    trial = once(measured(x, axes, observe(x, lane.u), record, group))
    outcome = method.after(lane, trial, expected, group)
    accepted = outcome.accepted & lane.going

    def chosen(new: Any, old: Any) -> Any:
        return jnp.where(accepted, new, old)

    moved = trial.x, trial.loss, trial.gradient, trial.matrix, trial.seen.values, trial.seen.u
    kept = lane.x, lane.loss, lane.gradient, lane.matrix, lane.seen, lane.u
    x, loss, gradient, matrix, seen, u = jax.tree.map(chosen, moved, kept)
    flat = group.largest(largest(group.gradient(gradient))) <= limits.gradient
    settled = (flat & jnp.isfinite(loss)) | outcome.floor
    turns = lane.turns + lane.going.astype(jnp.int32)
    ended = settled | outcome.stuck | (turns >= limits.turns)
    memory = jax.tree.map(
        lambda new, old: jnp.where(lane.going, new, old), outcome.memory, lane.memory
    )
    return Lane(
        x=x,
        loss=loss,
        gradient=gradient,
        matrix=matrix,
        seen=seen,
        u=u,
        status=jnp.where(lane.going & jnp.isinf(lane.loss), trial.seen.status, lane.status),
        memory=memory,
        turns=turns,
        going=lane.going & ~ended,
        settled=jnp.where(lane.going, settled, lane.settled),
    )
