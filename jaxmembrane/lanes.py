"""A user's parameters as lanes, what is compiled for them, and the rests that it finds."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from .begin import begin_at
from .cell import Cell
from .rest import BLOCK, Found, Lanes, first_tier, later_tiers, solve_rest, undecided

_CPU_OPTIONS = {"xla_cpu_prefer_vector_width": 512}


def check_precision(precision: str) -> Any:
    """The dtype of a precision, refusing a silent downgrade."""
    if precision not in ("float64", "float32"):
        raise ValueError(f"precision must be 'float64' or 'float32', not {precision!r}")
    if precision == "float64" and jax.dtypes.canonicalize_dtype("float64") != "float64":
        raise RuntimeError(
            "JAX computes in 32 bits here; set jax.config.update('jax_enable_x64', True) before "
            "(jm.configure() does), or ask for precision='float32'"
        )
    return jnp.dtype(precision)


def batch(
    params: Mapping[str, Any], begin: Mapping[str, Any], dtype: Any
) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Parameters as arrays, and the shape that they and a start broadcast to."""
    given = {name: jnp.asarray(value, dtype) for name, value in params.items()}
    shapes = {name: x.shape for name, x in given.items() if x.shape}
    shapes |= {f"start {name}": np.shape(x) for name, x in begin.items() if np.shape(x)}
    empty = [name for name, shape in shapes.items() if 0 in shape]
    if empty:
        raise ValueError(f"{empty[0]} is empty: give it one value at least")
    try:
        return given, np.broadcast_shapes(*shapes.values())
    except ValueError:
        listed = ", ".join(f"{name} {s}" for name, s in shapes.items())
        raise ValueError(f"parameters must have shapes that broadcast, not {listed}") from None


def lanes_of(x: Any, shape: tuple[int, ...]) -> Any:
    """A value as lanes: flat, and padded to whole blocks with lanes that are no cells."""
    n = int(np.prod(shape))
    flat = jnp.broadcast_to(x, shape).reshape(n)
    short = -n % BLOCK if n > BLOCK else 0
    return jnp.concatenate([flat, jnp.full(short, jnp.nan, flat.dtype)]) if short else flat


def lanes_at(
    cell: Cell, given: Mapping[str, Any], begin: Mapping[str, Any], shape: tuple[int, ...]
) -> Lanes:
    """Parameters and a start, as `batch` has found their shape, as lanes."""

    def flat(x: Any) -> Any:
        return lanes_of(x, shape)

    params = {name: flat(x) for name, x in given.items()}
    dtype = next(iter(params.values())).dtype
    nominal = {name: jnp.asarray(p.nominal, dtype) for name, p in cell.parameters.items()}
    return Lanes(params, begin_at(cell, begin, params, flat), nominal)


def rests_of(cell: Cell, lanes: Lanes) -> Found:
    """Rests of lanes, which may be being traced.

    By themselves, so that whatever is asked of them the search is compiled once; and the larger
    part of it where some lane needs it only.
    """
    if _traced(lanes):
        return compiled(solve_rest, 1, lanes)(cell, lanes)
    found = compiled(first_tier, 1, lanes)(cell, lanes)
    if not np.any(undecided(np.asarray(found.status))):
        return found
    return compiled(later_tiers, 1, lanes)(cell, lanes, found)


@cache
def _jitted(program: Callable, static: int, options: bool) -> Any:
    # Wider vectors are half as fast again.
    settings = _CPU_OPTIONS if options else None
    return jax.jit(program, static_argnums=tuple(range(static)), compiler_options=settings)


def compiled(program: Callable, static: int, given: Any) -> Any:
    """A compiled program whose first arguments are static, for lanes that may be being traced.

    Options of the compiler are refused inside another transformation.
    """
    return _jitted(program, static, not _traced(given) and jax.default_backend() == "cpu")


def _traced(given: Any) -> bool:
    return any(isinstance(x, Tracer) for x in jax.tree.leaves(given))
