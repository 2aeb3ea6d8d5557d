"""One step of a stiff integrator: Rodas5P, an L-stable Rosenbrock method of order 5.

With ``W = 1/(gamma h) - J``, stages k_i and step size h::

    W k_i = f(t + alpha_i h, u + sum_j a_ij k_j) + sum_j (c_ij / h) k_j + gamma_i h df/dt
    u(t + h) = u + sum_j a_8j k_j + k_8

Its error is taken for the larger of two estimates of order 5: k_8, which sees that of the end, and
the one of Rodas5Pe, which sees between the ends as well, as where V lags behind the foot of a ramp.

All stages share one factorization, and are the turns of one loop, which compiles in a fifth of the
time. The coefficients lose little of the order where a fast variable, as V, follows a slow one.
Sources: Steinebach 2023, BIT Numerical Mathematics 63, 27, doi:10.1007/s10543-023-00967-x; of
Rodas5Pe, Steinebach 2024, Rosenbrock methods within OrdinaryDiffEq.jl, Proceedings of the JuliaCon
Conferences; Hairer & Wanner, Solving Ordinary Differential Equations II, section IV.7,
doi:10.1007/978-3-642-05221-7.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .linalg import factorize, substitute

ERROR_ORDER = 5
"""The power of its size by which the error estimate of a step falls."""

# fmt: off
_GAMMA = 0.21193756319429014
_ALPHA = (0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664,
          1.0, 1.0, 1.0)
_LAST = (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256,
         0.030198172008377946)
_A = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    _LAST,
    (*_LAST, 1.0),
    (*_LAST, 1.0, 1.0),
)
_C = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125,
     -0.6610691825249471),
    (30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783,
     -19.097331116725623, -28.087943162872662),
    (37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047,
     -40.06618937091002, -54.66780262877968, -9.48861652309627),
)
_DRIFT = (0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734,
          2.325825639765069, 0.0, 0.0, 0.0)
_DENSE = (
    (25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204,
     0.524948541321073, 1.1241088310450404, 0.4272876194431874, -0.17202221070155493),
    (-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796,
     20.176138334709044, 15.98066361424651, -6.789040303419874, -6.710236069923372),
    (11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643,
     -52.072871366152654, -59.78993625266729, -0.15582684282751913, 4.883087185713722),
)
_SECOND = (0.2606326497975715, -0.005158627295444251, 1.3038988631109731, 1.235000722062074,
           -0.7931985603795049, -1.005448461135913, -0.18044626132120234, 0.17051519239113755)
# fmt: on

Vector = Sequence[Any]


class Stepped(NamedTuple):
    """A step that was tried: where it leads, its error, and what lies between (see `between`)."""

    u: list[Any]
    error: list[Any]
    bend: tuple[list[Any], ...]


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
    n, stages = len(u), len(_ALPHA)
    diagonal = 1.0 / (_GAMMA * h)
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
    alpha, gamma = (jnp.asarray(x, dtype) for x in (_ALPHA, _DRIFT))

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
    after = [x + _dot((*_A[-1], 1.0), own) for x, own in zip(u, k, strict=True)]
    return Stepped(after, [_larger(own[-1], _dot(_SECOND, own)) for own in k], bend)


def between(before: Vector, stepped: Stepped, share: Any) -> list[Any]:
    """The solution at a share (0 to 1) of a step, to order 4."""
    rest = 1.0 - share
    return [
        x * rest + share * (y + rest * (p + share * (q + share * r)))
        for x, y, p, q, r in zip(before, stepped.u, *stepped.bend, strict=True)
    ]


def _square(rows: Sequence[Sequence[float]], dtype: Any) -> Any:
    table = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return jnp.asarray(table, dtype)


def _larger(a: Any, b: Any) -> Any:
    return jnp.where(jnp.abs(a) > jnp.abs(b), a, b)


def _dot(weights: Any, stages: Any) -> Any:
    """Weighted sum of stages, unrolled: a reduction would not fuse."""
    size = min(len(weights), len(stages))
    return sum(weights[j] * stages[j] for j in range(size))
