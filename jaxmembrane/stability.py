"""Whether a rest is stable: the signs of eigenvalues that spread over many decades."""

from typing import Any

import jax
import jax.numpy as jnp

from .linalg import Matrix, inverse, principal_minor_sums, routh_column

_LARGEST_BY_MINORS = 5
_SIGN_STEPS = 40


def stable(matrix: Matrix) -> Any:
    """Whether all eigenvalues have a negative real part, by lane.

    Up to five unknowns: coefficients of the characteristic polynomial as sums of principal minors,
    then the Hurwitz test, which is right over spreads where a general eigenvalue solver is not.
    Beyond, where minors become many: the trace of the matrix sign, which counts them.
    """
    negated = [[-entry for entry in row] for row in matrix]
    if len(matrix) <= _LARGEST_BY_MINORS:
        coefficients = principal_minor_sums(negated)
        verdict = coefficients[0] > 0
        for entry in [*coefficients[1:], *routh_column(coefficients)]:
            verdict = verdict & (entry > 0)
        return verdict
    return sign_trace(negated) > len(matrix) - 1


def sign_trace(matrix: Matrix) -> Any:
    """Eigenvalues with positive real part less those with negative: the trace of the matrix sign.

    Newton's iteration ``S <- (m S + (m S)^-1) / 2`` with m from the norms of S and its inverse.
    Source: Higham, Functions of Matrices, ch. 5, doi:10.1137/1.9780898717778.
    """
    n = len(matrix)

    def norm(s: Matrix) -> Any:
        return jnp.sqrt(sum(entry * entry for row in s for entry in row))

    def improve(_: Any, s: Any) -> Any:
        back = inverse(s)
        scale = jnp.sqrt(norm(back) / norm(s))
        return [[0.5 * (scale * s[i][j] + back[i][j] / scale) for j in range(n)] for i in range(n)]

    s = jax.lax.fori_loop(0, _SIGN_STEPS, improve, [list(row) for row in matrix])
    return sum(s[i][i] for i in range(n))
