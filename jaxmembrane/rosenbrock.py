"""One step of a stiff integrator: RODAS, an L-stable Rosenbrock method of order 4.

With ``W = 1/(gamma h) - J``, stages k_i and step size h::

    W k_i = f(t + alpha_i h, u + sum_j a_ij k_j) + sum_j (c_ij / h) k_j + gamma_i h df/dt
    u(t + h) = u + sum_j a_5j k_j + k_5 + k_6          error estimate: k_6, of order 3

All stages share one factorization. Source: Hairer & Wanner, Solving Ordinary Differential Equations
II, section IV.7, doi:10.1007/978-3-642-05221-7.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .linalg import factorize, substitute

GAMMA = 0.25
ALPHA = (0.0, 0.386, 0.21, 0.63, 1.0, 1.0)
_A = (
    (),
    (1.544,),
    (0.9466785280815826, 0.2557011698983284),
    (3.314825187068521, 2.896124015972201, 0.9986419139977817),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950),
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
    jacobian: Sequence[Vector],
    drift: Vector | None,
    t: Any,
    u: Vector,
    h: Any,
) -> Stepped:
    """Try a step of size h from u at time t.

    `rates` gives f(t, u), `jacobian` df/du at (t, u), `drift` df/dt there, None where it is zero.
    """
    n = len(u)
    diagonal = 1.0 / (GAMMA * h)
    lu = factorize(
        [
            [diagonal - row[j] if i == j else -row[j] for j in range(n)]
            for i, row in enumerate(jacobian)
        ]
    )
    stages: list[list[Any]] = []
    at = list(u)
    for i, slopes in enumerate(_C):
        if i < 5:
            at = _plus(u, _A[i], stages)
        else:
            at = [x + k for x, k in zip(at, stages[4], strict=True)]
        rhs = list(rates(t + ALPHA[i] * h, at))
        rhs = _plus(rhs, [c / h for c in slopes], stages)
        if drift is not None and _DRIFT[i]:
            rhs = [x + _DRIFT[i] * h * d for x, d in zip(rhs, drift, strict=True)]
        stages.append(substitute(lu, rhs))
    after = [x + k for x, k in zip(at, stages[5], strict=True)]
    nothing = [0.0] * n
    bend = tuple(_plus(nothing, weights, stages) for weights in _DENSE)
    return Stepped(after, stages[5], (bend[0], bend[1]))


def between(before: Vector, stepped: Stepped, share: Any) -> list[Any]:
    """The solution at a share (0 to 1) of a step, to order 3."""
    rest = 1.0 - share
    return [
        x * rest + share * (y + rest * (p + share * q))
        for x, y, p, q in zip(before, stepped.u, *stepped.bend, strict=True)
    ]


def _plus(base: Vector, weights: Sequence[Any], vectors: Sequence[Vector]) -> list[Any]:
    total = list(base)
    for w, v in zip(weights, vectors, strict=False):
        total = [x + w * y for x, y in zip(total, v, strict=True)]
    return total
