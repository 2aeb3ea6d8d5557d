"""Lanes followed along their branches of rests: pseudo-arclength steps, and folds made exact.

A point is x = (unknowns..., q). The parameter is ``p = unit sinh(q)``, logarithmic far from zero,
linear near it, so that a branch goes through zero.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .balance import Equations
from .cell import Cell
from .linalg import inverse
from .newton import largest, materialize, once, scaled, tolerance
from .rest import STATUS

FOLDS = 8
"""Most folds of a branch that are kept."""

GROWTH = 10.0
"""Growth of ln volume at which a branch ends."""

_MOST_TRIES = 6
# Over the length of a step: how far correction aims to move its end, and how far it may.
_AIM, _FURTHEST_OFF = 0.1, 1.0
_FIRST = 0.25  # of the largest step
_SHORTEST, _NEAR = 1e-7, 1e-3
_LEAST_UNIT = 0.1  # of the larger bound

Vector = list[Any]


class Curve:
    """The equations of lanes along one parameter, between the bounds of each lane.

    A branch begins at the parameter's value in `params` and sets out towards `first`.
    """

    def __init__(
        self, cell: Cell, params: Mapping[str, Any], parameter: str, first: Any, second: Any
    ):
        self.cell, self.params, self.parameter = cell, params, parameter
        self.begin = params[parameter]
        self.low, self.high = jnp.minimum(first, second), jnp.maximum(first, second)
        self.sets_out = jnp.where(first > self.begin, 1.0, -1.0).astype(self.begin.dtype)
        size = jnp.maximum(jnp.abs(first), jnp.abs(second))
        self.unit = jnp.maximum(jnp.abs(self.begin), _LEAST_UNIT * size)

    def at(self, p: Any) -> Equations:
        """The equations at a value of the parameter."""
        return Equations(self.cell, {**self.params, self.parameter: p})

    def q(self, p: Any) -> Any:
        """Coordinate of a value."""
        return jnp.arcsinh(p / self.unit)

    def p(self, q: Any) -> Any:
        """Value at a coordinate."""
        return self.unit * jnp.sinh(q)

    def ahead(self, tangent: Vector) -> Any:
        """The bound that a tangent points to."""
        return jnp.where(tangent[-1] > 0, self.high, self.low)

    def residual(self, x: Vector) -> list[Any]:
        """Balances at a point."""
        return self.at(self.p(x[-1])).residual(x[:-1])

    def linearised(self, x: Vector, turn: Any) -> tuple[list[Any], list[Vector], list[Any]]:
        """Balances, their derivatives with respect to x, and the ions that follow from charge."""
        *u, q = x
        eq = self.at(self.p(q))
        value, jacobian, ions, _ = materialize(eq.jacobian(u, once(turn)), turn)
        _, slope = jax.jvp(lambda q: self.residual([*u, q]), (q,), (jnp.ones_like(q),))
        slope = materialize(slope, turn)
        return value, [[*row, s] for row, s in zip(jacobian, slope, strict=True)], ions


class Trial(NamedTuple):
    """What is tried from the last point, and its iterate x.

    A step of some length along the unit tangent; where that would pass a bound, the step that
    `lands` on it; or the fold that was just passed, where `turns`.
    """

    last: Vector
    tangent: Vector
    length: Any
    lands: Any
    turns: Any
    x: Vector


class Followed(NamedTuple):
    """Branches: points and folds (unknowns..., p) as arrays (entry, point, lane), and their counts.

    ``ended`` is why a branch did.
    """

    points: Any
    length: Any
    folds: Any
    n_folds: Any
    ended: Any


def follow(curve: Curve, u: Vector, points: int, largest_step: Any, ended: Any) -> Followed:
    """Follow the branches of lanes that are pending from their rests u.

    Each lane takes one iteration a turn, in a step of its own, so that none waits for another.
    """
    lane = jnp.arange(ended.shape[0])
    limit = tolerance(curve.begin.dtype)
    volumes = [j for j, key in enumerate(curve.at(curve.begin).unknowns) if key[0] == "w"]
    zero, no = jnp.zeros_like(curve.begin), jnp.zeros(ended.shape, bool)
    begin = [*u, curve.q(curve.begin)]
    slack = 8.0 * float(jnp.finfo(zero.dtype).eps)
    q_low, q_high = curve.q(curve.low) - slack, curve.q(curve.high) + slack

    def tried(last: Vector, tangent: Vector, length: Any) -> Trial:
        room = (curve.q(curve.ahead(tangent)) - last[-1]) / tangent[-1]
        lands = room <= length
        length = jnp.where(lands, room, length)
        return Trial(last, tangent, length, lands, no, _plus(last, length, tangent))

    def to_fold(rows: list[Vector], x: Vector, back: list[Vector]) -> Any:
        """How far the tangent has to be followed to dq/ds = 0, to first order."""
        tangent = [row[-1] for row in back]

        def speed(s: Any) -> list[Any]:
            def along(s: Any) -> list[Any]:
                return curve.residual(_plus(x, s, tangent))

            return jax.jvp(along, (s,), (jnp.ones_like(s),))[1]

        _, bend = jax.jvp(speed, (zero,), (jnp.ones_like(zero),))
        return tangent[-1] / _dot(back[-1][:-1], scaled(rows, bend)[1])

    def advance(carry: Any) -> Any:
        turn, trial, tries, saved, active = carry
        last, tangent, length, lands, turns, x = trial
        value, rows, ions = curve.linearised(x, turn)
        matrix, relative = scaled(rows, value)
        goal = curve.ahead(tangent)
        border = [jnp.where(lands, 0.0, t) for t in tangent[:-1]]
        back = inverse([*matrix, [*border, jnp.where(lands, 1.0, tangent[-1])]])
        gap = jnp.where(lands, x[-1] - curve.q(goal), _dot(tangent, _less(x, last)) - length)
        ahead = jax.lax.cond(jnp.any(turns), to_fold, lambda *_: zero, rows, x, back)
        gap = jnp.where(turns, -jnp.clip(ahead, -largest_step, largest_step), gap)
        step = [-_dot(row, [*relative, gap]) for row in back]
        x = _plus(x, 1.0, step)
        arrived = active & limit.met(largest(step), largest(relative))
        for c in ions:
            arrived = arrived & (c > 0)
        hopeless = ~jnp.isfinite(largest(step)) | (tries >= _MOST_TRIES)

        onward = [row[-1] for row in back]
        sense = jnp.sign(_dot(onward, tangent)) / _norm(onward)
        onward = [sense * t for t in onward]
        off = _norm(_less(x, _plus(last, length, tangent))) / jnp.maximum(length, _NEAR)
        turned = tangent[-1] * onward[-1] < 0
        share = tangent[-1] / (tangent[-1] - onward[-1])
        furthest = jnp.where(turned, last[-1] + 0.5 * length * tangent[-1] * share, x[-1])
        inside = (furthest >= q_low) & (furthest <= q_high) & ~(lands & turned)
        accepted = arrived & ~turns & (off <= _FURTHEST_OFF) & inside
        refused = active & ~turns & ~accepted & (arrived | hopeless)
        folded = arrived & turns
        turning = accepted & turned

        # Rounding must not leave the bounds, which may be those of the parameter's domain.
        p = jnp.clip(curve.p(x[-1]), curve.low, curve.high)
        p = jnp.where(saved.length == 0, curve.begin, jnp.where(lands, goal, p))
        point = jnp.stack([*x[:-1], p])
        slot = jnp.where(accepted, saved.length, points)
        fold_slot = jnp.where(folded, saved.n_folds, FOLDS)
        burst = no
        for j in volumes:
            burst = burst | (accepted & (x[j] - begin[j] > GROWTH))
        stuck = refused & (0.5 * length < _SHORTEST)
        ended = jnp.where(accepted & lands, STATUS["stable"], saved.ended)
        ended = jnp.where(burst, STATUS["volume_bound"], ended)
        ended = jnp.where(stuck, STATUS["not_converged"], ended).astype(saved.ended.dtype)
        saved = Followed(
            saved.points.at[:, slot, lane].set(point, mode="drop"),
            saved.length + accepted.astype(saved.length.dtype),
            saved.folds.at[:, fold_slot, lane].set(point, mode="drop"),
            saved.n_folds + folded.astype(saved.n_folds.dtype),
            ended,
        )
        goes_on = (ended == STATUS["pending"]) & ((saved.length < points) | turning)
        active = active & goes_on | active & turns & ~arrived & ~hopeless

        longer = jnp.minimum(length * jnp.clip(_AIM / off, 0.5, 2.0), largest_step)
        longer = jnp.where(length > 0, longer, _FIRST * largest_step)
        length = jnp.where(accepted, longer, jnp.where(refused, 0.5 * length, length))
        guess = _plus(last, share, _less(x, last))
        last, tangent = _chosen(accepted, (x, onward), (last, tangent))
        again = accepted | refused | folded | (turns & hopeless)
        trial = Trial(last, tangent, length, lands, turns, x)
        trial = _chosen(again, tried(last, tangent, length), trial)
        trial = _chosen(turning, Trial(last, tangent, length, no, ~no, guess), trial)
        return turn + 1, trial, jnp.where(again, 0, tries + 1), saved, active

    def empty(count: int) -> Any:
        return jnp.full((len(begin), count, *ended.shape), jnp.nan, zero.dtype)

    none = jnp.zeros(ended.shape, jnp.int32)
    saved = Followed(empty(points), none, empty(FOLDS), none, ended)
    # A step of no length along q makes the rest the first point, and its tangent known.
    along = [*(zero for _ in u), curve.sets_out]
    at_rest = Trial(begin, along, zero, no, no, begin)
    carry = (0, at_rest, none, saved, ended == STATUS["pending"])
    return jax.lax.while_loop(lambda carry: jnp.any(carry[-1]), advance, carry)[-2]


def _dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _norm(a: Sequence[Any]) -> Any:
    return jnp.sqrt(_dot(a, a))


def _less(a: Sequence[Any], b: Sequence[Any]) -> Vector:
    return [x - y for x, y in zip(a, b, strict=True)]


def _plus(a: Sequence[Any], share: Any, b: Sequence[Any]) -> Vector:
    return [x + share * y for x, y in zip(a, b, strict=True)]


def _chosen(which: Any, yes: Any, no: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(which, a, b), yes, no)
