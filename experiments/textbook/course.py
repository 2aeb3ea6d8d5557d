"""Time courses: how a cell moves from one state when its parameters have changed at once.

The package's own balances, with every concentration and volume as its logarithm and V as a
coordinate, integrated by an implicit Runge-Kutta method (Radau, order 5) with an exact Jacobian.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

import jaxmembrane as jm
from jaxmembrane.balance import Equations
from jaxmembrane.begin import begin_at, check_start
from jaxmembrane.dynamics import velocity
from jaxmembrane.structure import structure
from jaxmembrane.unknowns import unknown_keys

_RELATIVE, _ABSOLUTE = 1e-9, 1e-11


@dataclass(frozen=True)
class Course:
    """A cell of one membrane and one compartment in time.

    Attributes
    ----------
    t : array
        Times since the change, s.
    V, volume : array
        Potential (mV) and water volume (um^3) at those times.
    c : mapping
        Species to its concentration (mM) at those times.
    """

    t: np.ndarray
    V: np.ndarray
    volume: np.ndarray
    c: Mapping[str, np.ndarray]

    def end(self) -> dict[str, float]:
        """Its last state, to begin another course with."""
        found = {"V": float(self.V[-1]), "volume": float(self.volume[-1])}
        return found | {name: float(c[-1]) for name, c in self.c.items()}


def course(
    cell: jm.Cell,
    start: jm.Rest | Mapping[str, float],
    params: Mapping[str, float],
    times: Sequence[float],
) -> Course:
    """Follow a cell from a state, under parameters that hold from t = 0 on.

    Parameters
    ----------
    cell : Cell
        One membrane around one osmotic compartment, without gates or buffered species.
    start : Rest or mapping
        Its state at t = 0: a rest, or the end of another course.
    params : mapping
        Parameters that are not nominal.
    times : sequence of float
        When to look, s, from small to large.

    Raises
    ------
    ValueError
        For any other cell.
    RuntimeError
        If the integrator gives up, with its own words.
    """
    alone = len(cell.membranes) == len(cell.compartments) == 1
    if not alone or {key[0] for key in unknown_keys(cell)} != {"c", "phi", "w"}:
        raise ValueError(
            "a course needs a cell of one membrane around one osmotic compartment, without gates "
            "or buffered species"
        )
    begin = start.as_start(cell) if isinstance(start, jm.Rest) else start
    given = {name: jnp.asarray(x, float) for name, x in cell.nominal(params).items()}
    eq = Equations(cell, given, carry_all=True)
    at = begin_at(cell, check_start(cell, begin), given, lambda x: x)
    made = solve_ivp(
        lambda t, u: np.asarray(_speed(structure(cell), u, given)),
        (0.0, float(times[-1])),
        [float(at[key]) for key in eq.unknowns],
        method="Radau",
        t_eval=times,
        rtol=_RELATIVE,
        atol=_ABSOLUTE,
        jac=lambda t, u: np.asarray(_slope(structure(cell), u, given)),
    )
    if not made.success:
        raise RuntimeError(
            f"the course stops at t = {made.t[-1] if made.t.size else 0.0:g} s: {made.message}"
        )
    value = dict(zip(eq.unknowns, made.y, strict=True))
    inside = cell.compartments[0].name
    return Course(
        t=made.t,
        V=value["phi", inside] * float(eq.RT / eq.F),
        volume=np.exp(value["w", inside]),
        c={key[2]: np.exp(x) for key, x in value.items() if key[0] == "c"},
    )


def _motion(cell: jm.Cell, u: Any, params: Mapping[str, Any]) -> Any:
    """Rates of change of the unknowns, 1/s."""
    eq = Equations(cell, params, carry_all=True)
    each = [u[j] for j in range(len(eq.unknowns))]
    return jnp.stack(velocity(eq, eq.state(each), eq.residual(each)))


_speed = partial(jax.jit, static_argnums=0)(_motion)
_slope = partial(jax.jit, static_argnums=0)(jax.jacfwd(_motion, argnums=1))
