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
_SMALL = 1e-10
"""A search that cannot go on is at its end where no more of its loss than that could be gained."""

_LONGEST = 4.0
"""Coordinates change by so much in a step at most: a bounded axis is some ten wide."""

_LOOKS = 12
"""Looks at a trial, each a Newton step nearer to its rest; who needs more went too far."""


class Next(NamedTuple):
    """What a lane tries: coordinates, unknowns of the rests there as far as they are known.

    Then by how much the loss should fall, and how often it was looked at.
    """

    x: list[Any]
    u: list[Any]
    expected: Any
    looks: Any


class Lane(NamedTuple):
    """Where a lane is in its search.

    Accepted coordinates with loss, gradient and matrix A there, what is seen from there, unknowns
    of the rests and their slopes; what is tried next; the status of its first look; then the
    method's own memory, trials made, whether it goes on, and whether it has arrived.
    """

    x: list[Any]
    loss: Any
    gradient: list[Any]
    matrix: list[list[Any]]
    seen: list[Any]
    u: list[Any]
    along: list[list[Any]]
    next: Next
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
        # What a group shares is damped once, not by every lane of it.
        members = group.total(jnp.ones_like(damping))
        damped = [list(row) for row in lane.matrix]
        for i, d in enumerate(_diagonal(lane, group)):
            parts = members if group.shared[i] else 1.0
            damped[i][i] = damped[i][i] + damping * d / parts
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
        # Where roundings hide what the loss would gain, its gradient tells. A step that is short
        # because its damping grew promises nothing either, though there may be much to gain.
        room = _room(lane, group)
        hidden = ~first & (jnp.maximum(expected, room) <= _ROUNDING * before)
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


def _diagonal(lane: Lane, group: Group) -> list[Any]:
    """The diagonal of the matrix, over the group where it is shared; nowhere zero."""
    found = group.gradient([row[i] for i, row in enumerate(lane.matrix)])
    least = 1e-12 * largest(found) + 1e-30
    return [jnp.maximum(d, least) for d in found]


def _room(lane: Lane, group: Group) -> Any:
    """What the loss would gain along its best coordinate, were it quadratic."""
    slopes = group.gradient(lane.gradient)
    gains = [0.5 * g * g / d for g, d in zip(slopes, _diagonal(lane, group), strict=True)]
    return group.largest(largest(gains))


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
    none = jnp.zeros(nothing.shape, jnp.int32)
    return Lane(
        x=x,
        loss=jnp.full_like(nothing, jnp.inf),
        gradient=[nothing] * size,
        matrix=[[nothing] * size for _ in x],
        seen=seen,
        u=u,
        along=[[jnp.zeros_like(at) for at in u] for _ in x] if u else [],
        next=Next(x, u, nothing, none),
        status=status,
        memory=method.begin(x),
        turns=none,
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
    """One turn of all lanes: look, judge what has come to rest, propose."""
    x, u, expected, looks = lane.next
    trial = once(measured(x, axes, observe(x, u), record, group))
    seen, looks = trial.seen, looks + 1
    ready = seen.arrived | ~jnp.isfinite(seen.step) | (looks >= _LOOKS) | ~record.counted
    judged = lane.going & group.all(ready)
    outcome = method.after(lane, trial, expected, group)
    accepted = outcome.accepted & judged
    moved = trial.x, trial.loss, trial.gradient, trial.matrix, seen.values, seen.u, seen.along
    kept = lane.x, lane.loss, lane.gradient, lane.matrix, lane.seen, lane.u, lane.along
    x, loss, gradient, matrix, values, u, along = _chosen(accepted, moved, kept)
    flat = group.largest(largest(group.gradient(gradient))) <= limits.gradient
    settled = (flat & jnp.isfinite(loss)) | outcome.floor
    turns = lane.turns + judged.astype(jnp.int32)
    over = outcome.stuck | (turns >= limits.turns)
    ended = judged & (settled | over)
    small = _room(lane, group) <= _SMALL * group.total(lane.loss)
    lane = Lane(
        x=x,
        loss=loss,
        gradient=gradient,
        matrix=matrix,
        seen=values,
        u=u,
        along=along,
        next=lane.next._replace(u=seen.u, looks=looks),
        status=jnp.where(judged & jnp.isinf(lane.loss), seen.status, lane.status),
        memory=_chosen(judged, outcome.memory, lane.memory),
        turns=turns,
        going=lane.going & ~ended,
        settled=jnp.where(judged, settled | (over & small), lane.settled),
    )
    x, expected = once(method.propose(lane, group))
    planned = Next(x, _followed(lane, x), expected, jnp.zeros_like(looks))
    return lane._replace(next=_chosen(judged, planned, lane.next))


def _chosen(which: Any, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda new, old: jnp.where(which, new, old), new, old)


def _followed(lane: Lane, x: Sequence[Any]) -> list[Any]:
    """Unknowns of the rests at coordinates, along their slopes; one e-fold or RT/F at most."""
    if not lane.u:
        return []
    change: list[Any] = [jnp.zeros_like(at) for at in lane.u]
    for now, before, slope in zip(x, lane.x, lane.along, strict=True):
        change = [du + (now - before) * s for du, s in zip(change, slope, strict=True)]
    share = jnp.minimum(1.0, 1.0 / largest(change))
    return [at + share * du for at, du in zip(lane.u, change, strict=True)]
