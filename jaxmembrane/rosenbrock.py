"""One step of a stiff integrator: RODASP, an L-stable Rosenbrock method of order 4.

With ``W = 1/(gamma h) - J``, stages k_i and step size h::

    W k_i = f(t + alpha_i h, u + sum_j a_ij k_j) + sum_j (c_ij / h) k_j + gamma_i h df/dt
    u(t + h) = u + sum_j a_5j k_j + k_5          error estimate: k_5, of order 3

All stages share one factorization, and are the turns of one loop, which compiles in a fifth of the
time. The coefficients keep the order where a fast variable, as V, follows a slow one. Sources:
Steinebach 1995, TH Darmstadt, preprint 1741; Hairer & Wanner, Solving Ordinary Differential
Equations II, section IV.7, doi:10.1007/978-3-642-05221-7.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .linalg import factorize, substitute

GAMMA = 0.25
ALPHA = (0.0, 0.75, 0.21, 0.63, 1.0, 1.0)
_LAST = (-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401)
_A = (
    (),
    (3.0,),
    (1.831036793486759, 0.4955183967433795),
    (2.304376582692669, -0.05249275245743001, -1.176798761832782),
    _LAST,
    (*_LAST, 1.0),
)
_C = (
    (),
    (-12.0,),
    (-8.791795173947035, -2.207865586973518),
    (10.81793056857153, 6.780270611428266, 19.53485944642410),
    (34.19095006749676, 15.49671153725963, 54.74760875964130, 14.16005392148534),
    (
        34.62605830930532,
        15.30084976114473,
        56.99955578662667,
        18.40807009793095,
        -5.714285714285717,
    ),
)
_DRIFT = (0.25, -0.5, -0.023504, -0.0362, 0.0, 0.0)
_DENSE = (
    (25.09876703708589, 11.62013104361867, 28.49148307714626, -5.664021568594133, 0.0),
    (
        1.638054557396973,
        -0.7373619806678748,
        8.477918219238990,
        15.99253148779520,
        -1.882352941176471,
    ),
)

Vector = Sequence[Any]


class Stepped(NamedTuple):
    """A step that was tried: where it leads, its error, and what lies between (see `between`)."""

    u: list[Any]
    error: list[Any]
    bend: tuple[list[Any], list[Any]]


def step(
    rates: Callable[[Any, Vector], Vector],
    first: Vector,
    jacobian: Sequence[Vector],
    drift: Vector | None,
    t: Any,
    u: Vector,
    h: Any,
    once: Callable[[Any], Any] = lambda values: values,
) -> Stepped:
    """Try a step of size h from u at time t.

    `rates` gives f(t, u) and `first` is its value here, `jacobian` df/du, `drift` df/dt or None
    where it is zero; `once` keeps the compiler from repeating a computation in a loop.
    """
    n, stages = len(u), len(ALPHA)
    diagonal = 1.0 / (GAMMA * h)
    lu = once(
        factorize(
            [
                [diagonal - row[j] if i == j else -row[j] for j in range(n)]
                for i, row in enumerate(jacobian)
            ]
        )
    )
    dtype = jnp.result_type(u[0])
    reach, couple = (_square(rows, dtype) for rows in (_A, _C))
    alpha, gamma = (jnp.asarray(x, dtype) for x in (ALPHA, _DRIFT))

    def solved(i: Any, rhs: Vector, k: Sequence[Any]) -> list[Any]:
        found = substitute(lu, rhs)
        return [stage.at[i].set(x) for stage, x in zip(k, found, strict=True)]

    def forced(i: Any, f: Vector) -> list[Any]:
        return [x + gamma[i] * h * d for x, d in zip(f, drift, strict=True)] if drift else list(f)

    def stage(i: Any, k: list[Any]) -> list[Any]:
        at = once([x + _dot(reach[i], own) for x, own in zip(u, k, strict=True)])
        f = forced(i, rates(t + alpha[i] * h, at))
        rhs = [x + _dot(couple[i], own) / h for x, own in zip(f, k, strict=True)]
        return solved(i, rhs, k)

    nothing = [jnp.zeros((stages, *jnp.shape(x)), dtype) for x in u]
    k = jax.lax.fori_loop(1, stages, stage, solved(0, forced(0, first), nothing))
    bend = tuple([_dot(weights, own) for own in k] for weights in _DENSE)
    after = [x + _dot((*_A[5], 1.0), own) for x, own in zip(u, k, strict=True)]
    return Stepped(after, [own[5] for own in k], (bend[0], bend[1]))


def between(before: Vector, stepped: Stepped, share: Any) -> list[Any]:
    """The solution at a share (0 to 1) of a step, to order 3."""
    rest = 1.0 - share
    return [
        x * rest + share * (y + rest * (p + share * q))
        for x, y, p, q in zip(before, stepped.u, *stepped.bend, strict=True)
    ]


def _square(rows: Sequence[Sequence[float]], dtype: Any) -> Any:
    table = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return jnp.asarray(table, dtype)


def _dot(weights: Any, stages: Any) -> Any:
    """Weighted sum of stages, unrolled: a reduction would not fuse."""
    size = min(len(weights), len(stages))
    return sum(weights[j] * stages[j] for j in range(size))
