"""One step of a stiff integrator: RODAS, an L-stable Rosenbrock method of order 4.

With ``W = 1/(gamma h) - J``, stages k_i and step size h::

    W k_i = f(t + alpha_i h, u + sum_j a_ij k_j) + sum_j (c_ij / h) k_j + gamma_i h df/dt
    u(t + h) = u + sum_j a_5j k_j + k_5          error estimate: k_5, of order 3

All stages share one factorization, and are the turns of one loop, which compiles in a fifth of the
time. Source: Hairer & Wanner, Solving Ordinary Differential Equations II, section IV.7,
doi:10.1007/978-3-642-05221-7.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .linalg import factorize, substitute

GAMMA = 0.25
ALPHA = (0.0, 0.386, 0.21, 0.63, 1.0, 1.0)
_LAST = (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950)
_A = (
    (),
    (1.544,),
    (0.9466785280815826, 0.2557011698983284),
    (3.314825187068521, 2.896124015972201, 0.9986419139977817),
    _LAST,
    (*_LAST, 1.0),
)
_C = (
    (),
    (-5.6688,),
    (-2.430093356833875, -0.2063599157091915),
    (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
    (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160),
    (
        8.083246795921522,
        -7.981132988064893,
        -31.52159432874371,
        16.31930543123136,
        -6.058818238834054,
    ),
)
_DRIFT = (0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0)
_DENSE = (
    (
        10.12623508344586,
        -7.487995877610167,
        -34.80091861555747,
        -7.992771707568823,
        1.025137723295662,
    ),
    (
        -0.6762803392801253,
        6.087714651680015,
        16.43084320892478,
        24.76722511418386,
        -6.594389125716872,
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
