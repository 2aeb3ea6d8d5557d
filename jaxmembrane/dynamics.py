"""From balances to motion: how unknowns move in time, and charge that is kept while they do."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .balance import Equations, Key, State
from .linalg import Matrix, solve
from .membrane import AREAS

_CHARGE_PASSES = 5


def time_jacobian(eq: Equations, u: Sequence[Any], jacobian: Matrix) -> list[list[Any]]:
    """Jacobian of the unknowns' rates of change (1/s) at a root, from that of the balances."""
    state = eq.state(u)
    columns = [velocity(eq, state, column) for column in zip(*jacobian, strict=True)]
    # The potential of a compartment without ions does not move: it says nothing about stability.
    moving = [
        j
        for j, (kind, a, *_) in enumerate(eq.unknowns)
        if kind != "phi" or eq.cell.dependent[a] is not None
    ]
    return [[columns[j][i] for j in moving] for i in moving]


def velocity(eq: Equations, state: State, rates: Sequence[Any]) -> list[Any]:
    """Rates of change of the unknowns (1/s) that follow from balances; linear in `rates`."""
    by_key = dict(zip(eq.rows, rates, strict=True))
    growth = {key[1]: by_key[key] / state.volume[key[1]] for key in eq.rows if key[0] == "w"}
    speed: dict[Key, Any] = {("w", a): g for a, g in growth.items()}
    charging: dict[str, Any] = {}
    for a in eq.cell.compartments:
        charging[a.name] = 0.0
        for s in eq.cell.contents[a.name]:
            rate = by_key["n", a.name, s.name]
            amount = state.c[a.name, s.name] * state.volume[a.name]
            speed["c", a.name, s.name] = rate / amount - growth.get(a.name, 0.0)
            charging[a.name] = charging[a.name] + s.z * rate
    potentials = _charging(eq, state, growth, charging)
    speed |= {("phi", a): x for a, x in zip(charging, potentials, strict=True)}
    return [speed[key] for key in eq.unknowns]


def _charging(eq: Equations, state: State, growth: Mapping, charging: Mapping) -> list[Any]:
    """Solve the capacitance matrix for dphi/dt: C A dV/dt = F sum z dn/dt - C V dA/dt."""
    names = list(charging)
    matrix: list[list[Any]] = [[0.0 for _ in names] for _ in names]
    rhs = [charging[a] * eq.F for a in names]
    for i, a in enumerate(names):
        for m, sign in eq.sides(a):
            capacitance = eq.RT / eq.F * eq.params[f"{m.name}.C_m"] * state.area[m.name]
            other = m.outside.name if sign > 0 else m.inside.name
            matrix[i][i] = matrix[i][i] + capacitance
            if other in names:
                matrix[i][names.index(other)] = matrix[i][names.index(other)] - capacitance
            if m.area != "constant":
                growing = AREAS[m.area] * growth.get(m.inside.name, 0.0)
                rhs[i] = rhs[i] - sign * capacitance * eq.voltage(m, state.phi) * growing
    return solve(matrix, rhs)


def with_charge(eq: Equations, u: Sequence[Any]) -> list[Any]:
    """Unknowns whose concentrations fit the charge of the membranes; `eq` carries all species.

    All ions of a compartment move together, ``c_s exp(-z_s x)``, so that none can become negative:
    the change is small where u is close, as after a step that kept charge to first order. What is
    left would otherwise be put on V, thousands of mV for a per cent of an ion.
    """
    return jax.lax.fori_loop(0, _CHARGE_PASSES, lambda _, u: _towards_charge(eq, u), list(u))


def _towards_charge(eq: Equations, u: list[Any]) -> list[Any]:
    state = eq.state(u)
    moved = list(u)
    for a in eq.cell.compartments:
        ions = [s for s in eq.cell.contents[a.name] if s.z]
        if not ions:
            continue
        missing = eq.missing_charge(a.name, state.c, state.phi, state.volume, state.area)
        stiffness = sum(s.z**2 * state.c[a.name, s.name] for s in ions)
        x = jnp.clip(-missing / (eq.F * state.volume[a.name] * stiffness), -1.0, 1.0)
        for s in ions:
            j = eq.unknowns.index(("c", a.name, s.name))
            moved[j] = moved[j] - s.z * x
    return moved
