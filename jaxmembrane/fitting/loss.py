"""The loss of a fit: half the chi-square of what is seen, with its gradient and matrix.

    L(x) = 1/2 sum ((seen(x) - recorded) / sd)^2 + 1/2 sum of squares of the Gaussian axes

by lane, with the gradient ``g = J^T r`` and the matrix ``A = J^T J`` of Gauss and Newton. Lanes
stand by themselves, or in groups that share some of the axes. Then the axes of single cells are
eliminated first (the Schur complement), so that a thousand cells with a shared affinity cost a
thousand small systems and one of the size of what they share.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp

from ..linalg import factorize, substitute
from .coordinate import Axis
from .observe import Seen


class Record(NamedTuple):
    """What was recorded of lanes: values, 1/sd or zero where there is none, and which count."""

    values: list[Any]
    inverse_sd: list[Any]
    counted: Any


class Trial(NamedTuple):
    """What was found at coordinates that are tried."""

    x: list[Any]
    loss: Any
    gradient: list[Any]
    matrix: list[list[Any]]
    seen: Seen


@dataclass(frozen=True)
class Group:
    """Which lanes belong together: none, or all cells that begin at the same start.

    Lanes are starts times cells; ``shared`` tells which axes all cells of a start have in common.
    """

    shared: tuple[bool, ...]
    starts: int

    def total(self, x: Any) -> Any:
        """Sum over a lane's group, at each of its lanes."""
        return self._over(jnp.sum, x)

    def _over(self, reduce: Callable, x: Any) -> Any:
        if not any(self.shared):
            return x
        cells = x.reshape(self.starts, -1)
        return jnp.broadcast_to(reduce(cells, axis=1, keepdims=True), cells.shape).reshape(-1)

    def largest(self, x: Any) -> Any:
        """Largest of a lane's group, at each of its lanes."""
        return self._over(jnp.max, x)

    def all(self, x: Any) -> Any:
        """Whether something holds of a lane's whole group."""
        return self._over(jnp.all, x)

    def gradient(self, own: Sequence[Any]) -> list[Any]:
        """The gradient, of shared coordinates over the group."""
        return [self.total(g) if s else g for g, s in zip(own, self.shared, strict=True)]

    def solve(self, matrix: Sequence[Sequence[Any]], rhs: Sequence[Any]) -> list[Any]:
        """Solve the normal equations of each group, whose shared rows are sums over its lanes."""
        common = [i for i, s in enumerate(self.shared) if s]
        single = [i for i, s in enumerate(self.shared) if not s]
        if not common:
            return substitute(factorize(matrix), rhs)
        lu = factorize([[matrix[i][j] for j in single] for i in single])
        alone = substitute(lu, [rhs[i] for i in single])
        through = [substitute(lu, [matrix[i][j] for i in single]) for j in common]

        def along(i: int, x: Sequence[Any]) -> Any:
            return sum((matrix[i][j] * y for j, y in zip(single, x, strict=True)), start=0.0)

        rows = [
            [self.total(matrix[i][j] - along(i, through[k])) for k, j in enumerate(common)]
            for i in common
        ]
        right = [self.total(rhs[i] - along(i, alone)) for i in common]
        joint = substitute(factorize(rows), right)
        found: list[Any] = [None] * len(rhs)
        for i, y in zip(common, joint, strict=True):
            found[i] = y
        for k, i in enumerate(single):
            found[i] = alone[k] - sum(t[k] * y for t, y in zip(through, joint, strict=True))
        return found


def measured(
    x: Sequence[Any], axes: Sequence[Axis], seen: Seen, record: Record, group: Group
) -> Trial:
    """Loss, gradient and matrix of what is seen; all zero of lanes that do not count."""
    size, weight = range(len(x)), priors(axes, group, record.counted, x[0])
    pull = [jnp.where(record.counted, w * at, 0.0) for w, at in zip(weight, x, strict=True)]
    loss = sum(jnp.where(record.counted, 0.5 * p * at, 0.0) for p, at in zip(pull, x, strict=True))
    gradient = list(pull)
    matrix = [[jnp.zeros_like(at) for at in x] for _ in size]
    for y, dy, recorded, inverse_sd in zip(*seen[:2], *record[:2], strict=True):
        over, here = tuple(range(y.ndim - 1)), inverse_sd > 0
        r = jnp.where(here, (y - recorded) * inverse_sd, 0.0)
        slopes = [jnp.where(here, d * inverse_sd, 0.0) for d in dy]
        loss = loss + 0.5 * jnp.sum(r * r, axis=over)
        for i in size:
            gradient[i] = gradient[i] + jnp.sum(slopes[i] * r, axis=over)
            for j in range(i + 1):
                matrix[i][j] = matrix[i][j] + jnp.sum(slopes[i] * slopes[j], axis=over)
    for i in size:
        for j in range(i):
            matrix[j][i] = matrix[i][j]
        matrix[i][i] = matrix[i][i] + weight[i]
    there = seen.arrived | ~record.counted
    return Trial(
        list(x), jnp.where(there & jnp.isfinite(loss), loss, jnp.inf), gradient, matrix, seen
    )


def priors(axes: Sequence[Axis], group: Group, counted: Any, like: Any) -> list[Any]:
    """Curvature of each axis' prior; that of a shared axis is told by all its lanes together."""
    one = jnp.where(counted, jnp.ones_like(like), 0.0)
    each = one / jnp.maximum(group.total(one), 1.0)
    return [
        jnp.zeros_like(like) if axis.bounded else each if common else one
        for axis, common in zip(axes, group.shared, strict=True)
    ]
