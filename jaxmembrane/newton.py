"""Tier 1: clipped Newton iterations on a batch of lanes, fixed work a turn."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .balance import Equations
from .linalg import Matrix, solve

MAX_STEPS = 24
_LARGEST_STEP = 1.0
_LEAST_SHARE = 0.1


class Tolerance(NamedTuple):
    """When an iterate is a root: size of the last step, and of the row-scaled residual.

    Where balances are met to rounding (`floor`), an ill-conditioned root moves by more than `step`
    for ever; it is accepted within `loose`. Less than `share` of an osmolarity is rounding.
    """

    step: float
    residual: float
    floor: float
    loose: float
    share: float

    def met(self, step: Any, residual: Any) -> Any:
        """Whether a Newton step of that size to that residual has arrived, by lane."""
        arrived = (step < self.step) & (residual < self.residual)
        return arrived | ((step < self.loose) & (residual < self.floor))


def tolerance(dtype: Any) -> Tolerance:
    """Tolerances that know the dtype: after a step of sqrt(eps) Newton's error is about eps."""
    eps = float(jnp.finfo(dtype).eps)
    return Tolerance(
        step=0.5 * eps**0.5, residual=4e3 * eps, floor=64 * eps, loose=eps**0.25, share=512 * eps
    )


def scaled(rows: Sequence[Sequence[Any]], *values: Sequence[Any]) -> list[list]:
    """Divide each row, and its values, by its largest entry: relative rates of order one."""
    # What is solved does not depend on the scale, so neither do derivatives.
    sizes = [1.0 / largest(jax.lax.stop_gradient(row)) for row in rows]
    return [
        [[entry * s for entry in row] for row, s in zip(rows, sizes, strict=True)],
        *([value * s for value, s in zip(column, sizes, strict=True)] for column in values),
    ]


def largest(values: Sequence[Any]) -> Any:
    """Largest magnitude, by lane."""
    size = jnp.abs(values[0])
    for value in values[1:]:
        size = jnp.maximum(size, jnp.abs(value))
    return size


def newton_step(eq: Equations, jacobian: Matrix, value: Sequence[Any]) -> list[Any]:
    """Solve ``J du = -f``."""
    rhs = [-v for v in value]
    if eq.pivot:
        return solve(*scaled(jacobian, rhs), pivot=True)
    return solve(jacobian, rhs)


def taken(step: Sequence[Any], followed: Sequence[Any], slope: Sequence[Sequence[Any]]) -> Any:
    """How much of a Newton step is taken: all of it, or what leaves it within reach.

    It is cut, direction kept, to one e-fold and one RT/F, and so that the ion that follows from
    charge shrinks at most tenfold.
    """
    cut = jnp.minimum(1.0, _LARGEST_STEP / largest(step))
    for c, row in zip(followed, slope, strict=True):
        change = sum(s * dx for s, dx in zip(row, step, strict=True))
        cut = jnp.minimum(cut, (_LEAST_SHARE - 1.0) * c / jnp.minimum(change, -1e-3 * c))
    return cut


def materialize(values: Any, turn: Any) -> Any:
    """Compute values once, in a loop whose turn is given.

    XLA's CPU backend fuses a producer into each of its consumers and repeats its arithmetic there,
    eightfold in these loops; a branch that it cannot foresee stops that (5.4 us a cell became 1.2).
    """
    return jax.lax.cond(turn >= 0, lambda v: v, lambda v: jax.tree.map(jnp.zeros_like, v), values)


def once(turn: Any) -> Callable[[Any], Any]:
    """`materialize` in a given turn."""
    return partial(materialize, turn=turn)


class Iterated(NamedTuple):
    """Where iterations ended, by lane: unknowns, how many, whether the last step was small.

    ``around`` is what `Equations.jacobian` gives there.
    """

    u: list[Any]
    steps: Any
    settled: Any
    around: tuple[list, list, list, list]


def newton(eq: Equations, u: Sequence[Any]) -> Iterated:
    """Iterate from u until every lane has converged, or `MAX_STEPS` times.

    A lane that has converged is frozen, so that its bits do not depend on its neighbours.
    """
    limit, lanes = tolerance(u[0].dtype).step, u[0].shape

    def unfinished(carry: Any) -> Any:
        return carry[-1]

    def improve(carry: Any) -> Any:
        turn, u, steps, active, _, _ = carry
        around = materialize(eq.jacobian(u, once(turn)), turn)
        value, jacobian, x, slope = around
        step = materialize(newton_step(eq, jacobian, value), turn)
        # The last turn moves nobody. It sees where they ended, with code that is compiled anyway.
        moving = active & (turn < MAX_STEPS)
        size, cut = largest(step), jnp.where(moving, taken(step, x, slope), 0.0)
        u = [x + cut * dx for x, dx in zip(u, step, strict=True)]
        steps = steps + moving.astype(steps.dtype)
        # A NaN stays active: it is not a small step.
        active = active & ~(moving & (size < limit))
        around = jax.tree.map(lambda x: jnp.broadcast_to(x, lanes), around)
        return turn + 1, u, steps, active, around, jnp.any(moving)

    row = [jnp.zeros(lanes, u[0].dtype)] * len(u)
    ions = range(len(eq.followers))
    unseen = row, [row for _ in row], [row[0] for _ in ions], [row for _ in ions]
    carry = (0, list(u), jnp.zeros(lanes, jnp.int32), jnp.ones(lanes, bool), unseen, True)
    _, u, steps, active, around, _ = jax.lax.while_loop(unfinished, improve, carry)
    return Iterated(list(u), steps, ~active, around)
