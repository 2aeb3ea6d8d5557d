"""Small dense linear algebra, unrolled on scalars.

A matrix is a sequence of rows of scalars, and a scalar may be an array of lanes. Nothing here
loops at run time or calls a library: for the 4 to 10 unknowns of a cell, a batched LAPACK call
costs ten times the arithmetic.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import jax.numpy as jnp

Scalar = Any
Matrix = Sequence[Sequence[Scalar]]


def solve(matrix: Matrix, rhs: Sequence[Scalar], *, pivot: bool = False) -> list[Scalar]:
    """Solve ``matrix @ x = rhs`` by Gaussian elimination.

    Without `pivot` the caller vouches for the order of rows. With it, rows are exchanged by
    selects, which costs about as much again; rows must then be scaled to be comparable.
    A singular matrix gives non-finite numbers, never an error.
    """
    n = len(rhs)
    a = [[*row, b] for row, b in zip(matrix, rhs, strict=True)]
    for k in range(n):
        if pivot:
            _bring_up_largest(a, k)
        reciprocal = 1.0 / a[k][k]
        for i in range(k + 1, n):
            factor = a[i][k] * reciprocal
            for j in range(k + 1, n + 1):
                a[i][j] = a[i][j] - factor * a[k][j]
        a[k][k] = reciprocal
    x: list[Scalar] = [None] * n
    for i in reversed(range(n)):
        total = a[i][n]
        for j in range(i + 1, n):
            total = total - a[i][j] * x[j]
        x[i] = total * a[i][i]
    return x


def inverse(matrix: Matrix) -> list[list[Scalar]]:
    """Inverse by elimination with row exchanges, column by column."""
    n = len(matrix)
    one, zero = jnp.ones_like(matrix[0][0]), jnp.zeros_like(matrix[0][0])
    columns = [
        solve(matrix, [one if i == j else zero for i in range(n)], pivot=True) for j in range(n)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _bring_up_largest(a: list[list[Scalar]], k: int) -> None:
    for i in range(k + 1, len(a)):
        larger = jnp.abs(a[i][k]) > jnp.abs(a[k][k])
        for j in range(k, len(a[k])):
            upper, lower = a[k][j], a[i][j]
            a[k][j] = jnp.where(larger, lower, upper)
            a[i][j] = jnp.where(larger, upper, lower)


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
