"""Eigenvalues of a rest: the cell's own time constants, an output on request."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .balance import Equations
from .dynamics import time_jacobian
from .outputs import Output

MODES = {
    "rate_slowest": Output("1/s", "largest real part of the eigenvalues", (), lambda r: []),
    "eigenvalue_real": Output("1/s", "real part of each eigenvalue", ("mode",), lambda r: []),
    "eigenvalue_imag": Output("1/s", "imaginary part of each eigenvalue", ("mode",), lambda r: []),
    "time_constant": Output("s", "time constant of each eigenvalue", ("mode",), lambda r: []),
}


def modes(eq: Equations, u: list[Any], wanted: Sequence[str]) -> dict[str, list[Any]]:
    """Eigenvalues of the Jacobian in time, fastest first; not differentiable (stopped)."""
    u = jax.lax.stop_gradient(u)
    _, jacobian, _, _ = eq.jacobian(u)
    matrix = jnp.stack([jnp.stack(row, -1) for row in time_jacobian(eq, u, jacobian)], -2)
    values = jnp.linalg.eigvals(jax.lax.stop_gradient(matrix))
    values = jnp.take_along_axis(values, jnp.argsort(values.real, axis=-1), axis=-1)
    listed = [values[..., i] for i in range(values.shape[-1])]
    made = {
        "rate_slowest": [jnp.max(values.real, axis=-1)],
        "eigenvalue_real": [x.real for x in listed],
        "eigenvalue_imag": [x.imag for x in listed],
        "time_constant": [-1.0 / x.real for x in listed],
    }
    return {name: made[name] for name in wanted}
