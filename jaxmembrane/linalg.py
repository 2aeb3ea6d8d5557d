"""Small dense linear algebra on scalars, each of which may be an array of lanes.

A matrix is a sequence of rows of scalars. For the 4 to 10 unknowns of a cell a batched LAPACK call
costs ten times the arithmetic. What runs in every iteration is unrolled; what has to exchange rows
is a loop over columns, since its unrolled selects take minutes to compile for ten unknowns.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp

Scalar = Any
Matrix = Sequence[Sequence[Scalar]]


def solve(matrix: Matrix, rhs: Sequence[Scalar], *, pivot: bool = False) -> list[Scalar]:
    """Solve ``matrix @ x = rhs`` by Gaussian elimination.

    Without `pivot` the caller vouches for the order of rows. With it, rows are exchanged; they must
    then be scaled to be comparable. A singular matrix gives non-finite numbers, never an error.
    """
    return solve_all(matrix, [rhs], pivot=pivot)[0]


def solve_all(
    matrix: Matrix, rhs: Sequence[Sequence[Scalar]], *, pivot: bool = False
) -> list[list[Scalar]]:
    """`solve` for several right-hand sides."""
    if pivot:
        found = _eliminate(_stack(matrix), _stack(list(zip(*rhs, strict=True))))
        return [list(x) for x in jnp.swapaxes(found, 0, 1)]
    lu = factorize(matrix)
    return [substitute(lu, b) for b in rhs]


def factorize(matrix: Matrix) -> list[list[Scalar]]:
    """LU factors in one matrix, without row exchanges; the diagonal holds reciprocals."""
    a = [list(row) for row in matrix]
    for k in range(len(a)):
        a[k][k] = 1.0 / a[k][k]
        for i in range(k + 1, len(a)):
            a[i][k] = a[i][k] * a[k][k]
            for j in range(k + 1, len(a)):
                a[i][j] = a[i][j] - a[i][k] * a[k][j]
    return a


def substitute(lu: Matrix, rhs: Sequence[Scalar]) -> list[Scalar]:
    """Solve with the factors of `factorize`."""
    x = list(rhs)
    for i in range(len(x)):
        for j in range(i):
            x[i] = x[i] - lu[i][j] * x[j]
    for i in reversed(range(len(x))):
        for j in range(i + 1, len(x)):
            x[i] = x[i] - lu[i][j] * x[j]
        x[i] = x[i] * lu[i][i]
    return x


def inverse(matrix: Matrix) -> list[list[Scalar]]:
    """Inverse, with row exchanges."""
    a = _stack(matrix)
    identity = jnp.eye(len(matrix), dtype=a.dtype).reshape(a.shape[:2] + (1,) * (a.ndim - 2))
    x = _eliminate(a, jnp.broadcast_to(identity, a.shape))
    return [list(row) for row in x]


def _stack(matrix: Matrix) -> Any:
    """An array of shape (rows, columns, lanes...)."""
    flat = jnp.broadcast_arrays(*(jnp.asarray(x) for row in matrix for x in row))
    return jnp.stack(flat).reshape(len(matrix), len(matrix[0]), *flat[0].shape)


def _eliminate(a: Any, b: Any) -> Any:
    """Gauss-Jordan elimination with row exchanges: the x of ``a @ x = b``.

    `a` and `b` stay apart, so that what comes out is linear in `b` to automatic differentiation.
    """
    n = a.shape[0]
    rows = jnp.arange(n).reshape((n,) + (1,) * (a.ndim - 2))

    def clear(k: Any, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        a, b = carry
        size = jnp.where(rows < k, -1.0, jnp.abs(a[:, k]))
        largest = jnp.argmax(size, axis=0)
        pivot = jnp.take_along_axis(a[:, k], largest[None], axis=0)[0]
        factor = jnp.where(rows == largest, a[k, k], a[:, k])
        factor = jnp.where(rows == k, 0.0, factor)

        def step(x: Any) -> Any:
            upper = jnp.take_along_axis(x, largest[None, None], axis=0)[0]
            swapped = jnp.where((rows == largest)[:, None], x[k], x)
            leading = upper / pivot
            return jnp.where((rows == k)[:, None], leading, swapped - factor[:, None] * leading)

        return step(a), step(b)

    return jax.lax.fori_loop(0, n, clear, (a, b))[1]


def principal_minor_sums(matrix: Matrix) -> list[Scalar]:
    """Sums of the principal minors of order 1 to n, by cofactors.

    They are the coefficients of the characteristic polynomial up to sign,
    ``det(x - A) = x^n - m_1 x^(n-1) + m_2 x^(n-2) - ...``. Cofactors keep the relative accuracy of
    each minor, which recursions on traces lose once eigenvalues spread over six decades.
    """
    n = len(matrix)
    known: dict[tuple[tuple[int, ...], tuple[int, ...]], Scalar] = {}

    def minor(rows: tuple[int, ...], columns: tuple[int, ...]) -> Scalar:
        if not rows:
            return 1.0
        if (rows, columns) not in known:
            total: Scalar = 0.0
            for position, j in enumerate(columns):
                rest = minor(rows[:-1], columns[:position] + columns[position + 1 :])
                sign = (-1) ** (len(rows) - 1 + position)
                total = total + sign * matrix[rows[-1]][j] * rest
            known[rows, columns] = total
        return known[rows, columns]

    return [
        sum(minor(chosen, chosen) for chosen in combinations(range(n), k)) for k in range(1, n + 1)
    ]


def routh_column(coefficients: Sequence[Scalar]) -> list[Scalar]:
    """First column of the Routh array of ``x^n + a_1 x^(n-1) + ... + a_n``, without the leading 1.

    All roots have a negative real part exactly when every entry is positive (Hurwitz).
    """
    n = len(coefficients)
    full = [1.0, *coefficients]
    upper, lower = full[0::2], full[1::2]
    column = [lower[0]]
    for _ in range(n - 1):
        padded = [*lower, 0.0]
        ratio = upper[0] / lower[0]
        following = [upper[j + 1] - ratio * padded[j + 1] for j in range(len(upper) - 1)]
        upper, lower = lower, following
        column.append(lower[0])
    return column
