"""Lanes followed in time: adaptive steps of a stiff method, each lane with its own clock.

Unknowns are those of a resting state, in logarithms: charge is kept by construction, and nothing
can become negative. Parameters are piecewise linear in time; a step ends where a piece does.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .balance import Equations, columns
from .cell import Cell
from .dynamics import velocity
from .newton import largest, materialize
from .rosenbrock import between, step

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 5.0
_ORDER = 4
_FIRST = 0.1


class Pieces(NamedTuple):
    """Parameters that change: from `start` to `stop` until each of `ends` (s).

    ``ends`` has the shape (pieces,), the values of each name (pieces, lanes).
    """

    ends: Any
    start: Mapping[str, Any]
    stop: Mapping[str, Any]

    def at(self, piece: Any, t: Any) -> dict[str, Any]:
        """Values of the parameters at each lane's time t, in its piece."""
        share = self._share(piece, t)

        def now(x: Any) -> Any:
            return jnp.take_along_axis(x, piece[None], axis=0)[0]

        return {name: now(a) + share * now(self.stop[name] - a) for name, a in self.start.items()}

    def along(self, piece: Any, times: Any) -> dict[str, Any]:
        """Values of the parameters at times that all lanes share: shape (times, lanes)."""
        share = self._share(piece, times)[:, None]
        return {
            name: a[piece] + share * (self.stop[name] - a)[piece] for name, a in self.start.items()
        }

    def _share(self, piece: Any, t: Any) -> Any:
        begins = jnp.concatenate([jnp.zeros_like(self.ends[:1]), self.ends[:-1]])
        return (t - begins[piece]) / (self.ends - begins)[piece]


class Followed(NamedTuple):
    """Where lanes went: unknowns at each time, where they stopped and why, steps tried."""

    saved: list[Any]
    t: Any
    finished: Any
    burst: Any
    steps: Any


class Limits(NamedTuple):
    """Relative tolerance, most steps, and the growth of ln volume at which a course ends."""

    rtol: Any
    max_steps: Any
    growth: Any


def motion(eq: Equations, u: Sequence[Any]) -> list[Any]:
    """Rates of change of the unknowns, 1/s."""
    return velocity(eq, eq.state(u), eq.residual(u))


def motion_jacobian(eq: Equations, u: Sequence[Any]) -> tuple[list, list, list, list]:
    """`motion`, its exact Jacobian, and the followed ions with theirs."""
    value, balances, followed, slope = eq.jacobian(u)
    rates, direct = columns(lambda u: velocity(eq, eq.state(u), value), u)
    state = eq.state(u, followed)
    through = [velocity(eq, state, column) for column in zip(*balances, strict=True)]
    size = range(len(u))
    return rates, [[direct[i][j] + through[j][i] for j in size] for i in size], followed, slope


def follow(
    cell: Cell,
    params: Mapping[str, Any],
    pieces: Pieces,
    begin: Sequence[Any],
    times: Any,
    limits: Limits,
    active: Any,
) -> Followed:
    """Integrate from `begin` at time zero to the last of `times`, saving at each.

    Lanes that are not active stay where they are. A lane that has ended is frozen, so that its bits
    do not depend on its neighbours.
    """
    lanes = begin[0].shape
    end = times[-1]
    volumes = [j for j, key in enumerate(Equations(cell, params).unknowns) if key[0] == "w"]

    def equations(piece: Any, t: Any) -> Equations:
        return Equations(cell, {**params, **pieces.at(piece, t)})

    def unfinished(carry: Any) -> Any:
        return (carry[0] < limits.max_steps) & jnp.any(carry[-1])

    def advance(carry: Any) -> Any:
        turn, t, h, piece, u, saved, burst, steps, active = carry
        eq = equations(piece, t)
        rates, jacobian, ions, slope = materialize(motion_jacobian(eq, u), turn)
        _, drift = jax.jvp(lambda t: motion(equations(piece, t), u), (t,), (jnp.ones_like(t),))
        first = _FIRST * limits.rtol ** (1 / _ORDER) / jnp.maximum(largest(rates), 1e-30)
        h = jax.lax.stop_gradient(jnp.where(h > 0, h, first))
        left = jnp.minimum(pieces.ends[piece], end) - t
        lands = h >= left * (1.0 - 1e-12)
        h = jnp.where(lands, left, h)

        def at(t: Any, u: Sequence[Any]) -> list[Any]:
            return materialize(motion(equations(piece, t), u), turn)

        tried = step(at, jacobian, materialize(drift, turn), t, u, h)
        # An ion that follows from charge has the errors of all the others.
        implied = [
            sum(s * e for s, e in zip(row, tried.error, strict=True)) / c
            for c, row in zip(ions, slope, strict=True)
        ]
        error = jax.lax.stop_gradient(largest([*tried.error, *implied])) / limits.rtol
        accepted = active & (error <= 1.0)
        factor = _SAFETY * jnp.maximum(error, 1e-12) ** (-1.0 / _ORDER)
        factor = jnp.where(jnp.isfinite(factor), jnp.clip(factor, _SHRINK, _GROW), _SHRINK)
        after = jnp.where(lands, jnp.minimum(pieces.ends[piece], end), t + h)
        passed = accepted & (times[:, None] > t) & (times[:, None] <= after)
        share = jnp.clip((times[:, None] - t) / h, 0.0, 1.0)
        seen = between(u, tried, share)
        saved = [jnp.where(passed, new, old) for new, old in zip(seen, saved, strict=True)]
        u = [jnp.where(accepted, new, old) for new, old in zip(tried.u, u, strict=True)]
        t = jnp.where(accepted, after, t)
        over = accepted & lands
        next_piece = jnp.minimum(piece + over.astype(piece.dtype), pieces.ends.shape[0] - 1)
        # A new piece begins with a step of its own; one that only ended at the last time does not.
        h = jnp.where(over, 0.0, jnp.where(active, h * factor, h))
        grown = jnp.zeros_like(active)
        for j in volumes:
            grown = grown | (u[j] - begin[j] > limits.growth)
        burst = burst | (active & grown)
        steps = steps + active.astype(steps.dtype)
        active = active & (t < end) & ~burst & (h + t > t) | active & over & (t < end) & ~burst
        return turn + 1, t, h, next_piece, u, saved, burst, steps, active

    zero = jnp.zeros(lanes, begin[0].dtype)
    start = [jnp.where(active & (times[:, None] <= 0.0), x, jnp.nan) for x in begin]
    carry = (
        0, zero, zero, jnp.zeros(lanes, jnp.int32), list(begin), start,
        jnp.zeros(lanes, bool), jnp.zeros(lanes, jnp.int32), active,
    )  # fmt: skip
    _, t, _, _, _, saved, burst, steps, _ = jax.lax.while_loop(unfinished, advance, carry)
    return Followed(saved, t, t >= end, burst, steps)
