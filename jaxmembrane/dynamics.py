"""From balances to motion: how unknowns move in time, and charge that is kept while they do."""

from collections.abc import Mapping, Sequence
from math import log
from typing import Any

import jax
import jax.numpy as jnp

from .balance import Equations, Once, as_is, columns
from .linalg import Matrix, solve
from .membrane import AREAS
from .unknowns import Key, State

_CHARGE_PASSES = 5
_POOL_PASSES = 2
FROM_AFAR = 60
"""Passes that put charge right from any start: each moves an ion by one e-fold at most."""


def time_jacobian(eq: Equations, u: Sequence[Any], jacobian: Matrix) -> list[list[Any]]:
    """Jacobian of the unknowns' rates of change (1/s) at a root, from that of the balances.

    What pools or charge fix follows from the rest, as the potential of a compartment without ions
    does: it is eliminated, since along it nothing moves.
    """
    state = eq.state(u)
    columns = [velocity(eq, state, column) for column in zip(*jacobian, strict=True)]
    matrix = [list(row) for row in zip(*columns, strict=True)]
    following = {j: list(jacobian[j]) for j, row in enumerate(eq.rows) if row[0] in "pq"}
    for j, fixed in following.items():
        share = [-x / fixed[j] for x in fixed]
        for row in (*matrix, *(other for k, other in following.items() if k > j)):
            through = row[j]
            for i in range(len(row)):
                row[i] = row[i] + through * share[i] if i != j else row[i]
    moving = [j for j in range(len(matrix)) if j not in following]
    return [[matrix[i][j] for j in moving] for i in moving]


def motion(eq: Equations, u: Sequence[Any], once: Once = as_is) -> list[Any]:
    """Rates of change of the unknowns, 1/s."""
    return velocity(eq, eq.state(u), eq.residual(u, once=once))


def motion_jacobian(
    eq: Equations, u: Sequence[Any], once: Once = as_is
) -> tuple[list, list, list, list]:
    """`motion`, its exact Jacobian, and the followed ions with theirs."""
    value, balances, followed, slope = eq.jacobian(u, once)
    rates, direct = columns(lambda u: velocity(eq, eq.state(u), value), u)
    state = eq.state(u, followed)
    through = [velocity(eq, state, column) for column in zip(*balances, strict=True)]
    size = range(len(u))
    return rates, [[direct[i][j] + through[j][i] for j in size] for i in size], followed, slope


def velocity(eq: Equations, state: State, rates: Sequence[Any]) -> list[Any]:
    """Rates of change of the unknowns (1/s) that follow from balances; linear in `rates`."""
    by_key = {key: rate for key, rate in zip(eq.rows, rates, strict=True) if key[0] in "nwzg"}
    for pool in eq.cell.pools:
        others = [(key, n) for key, n in pool.terms if key != (pool.owner, pool.species)]
        own = dict(pool.terms)[pool.owner, pool.species]
        rate = sum(-n / own * by_key[_row(*key)] for key, n in others) if others else 0.0
        by_key[_row(pool.owner, pool.species)] = rate
    growth = {
        a.name: by_key["w", a.name] / state.volume[a.name]
        for a in eq.cell.compartments
        if a.volume == "osmotic"
    }
    speed: dict[Key, Any] = {("w", a): g for a, g in growth.items()}
    speed |= {key: rate for key, rate in by_key.items() if key[0] == "g"}
    charging: dict[str, Any] = {}
    for a in eq.cell.compartments:
        grown = growth.get(a.name, 0.0)
        total: Any = by_key.get(("z", a.name), 0.0)
        for s in eq.cell.free[a.name]:
            rate = by_key.get(("n", a.name, s.name), 0.0)
            held = capacity(eq, state, a.name, s.name)
            speed["c", a.name, s.name] = rate / held - grown * (
                state.c[a.name, s.name] * state.volume[a.name] / held
            )
            total = total + s.z * rate
        buffered = eq.cell.buffered.get(a.name, ())
        for s in eq.cell.contents[a.name]:
            if a.kind(s.name) == "clamped" and s.z and growth:
                # The supply that keeps the concentration of a growing volume brings its charge.
                total = total + s.z * state.c[a.name, s.name] * state.volume[a.name] * grown
        if buffered:
            filled = sum(s.z * state.c[a.name, s.name] for s in buffered)
            taken = by_key["z", a.name] - filled * state.volume[a.name] * grown
            speed["z", a.name] = taken / eq.params[f"{a.name}.X"]
        if a.name != eq.cell.ground:
            charging[a.name] = total
    potentials = _charging(eq, state, growth, charging)
    speed |= {("phi", a): x for a, x in zip(charging, potentials, strict=True)}
    return [speed[key] for key in eq.unknowns]


def capacity(eq: Equations, state: State, a: str, species: str) -> Any:
    """Amount by which a species has to grow for an e-fold of its concentration, amol.

    Protons are bound by a protein as its charge says.
    """
    amount = state.c[a, species] * state.volume[a]
    if species == "H" and a in eq.proteins:
        amount = amount + eq.params[f"{a}.X"] * eq.params[f"{a}.beta_X"] / log(10.0)
    return amount


def _row(owner: str, what: str) -> Key:
    return ("w", owner) if what == "volume" else ("n", owner, what)


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


def pool_excess(eq: Equations, u: Sequence[Any]) -> list[Any]:
    """By how much pools hold more than their parameters say, amol or um^3."""
    value = dict(zip(eq.rows, eq.residual(u), strict=True)) if eq.cell.pools else {}
    return [value["p", pool.owner, pool.species] for pool in eq.cell.pools]


def with_pools(eq: Equations, u: Sequence[Any], excess: Sequence[Any]) -> list[Any]:
    """Unknowns whose pools hold what they should, each put right by the amount that owns it."""
    u = list(u)
    for _ in range(_POOL_PASSES):
        state = eq.state(u)
        for pool, now, aim in zip(eq.cell.pools, pool_excess(eq, u), excess, strict=True):
            own = pool.owner, pool.species
            kind = ("w", pool.owner) if pool.species == "volume" else ("c", *own)
            amount = state.volume[pool.owner] * (1.0 if kind[0] == "w" else state.c[own])
            j = eq.unknowns.index(kind)
            u[j] = u[j] - (now - aim) / (dict(pool.terms)[own] * amount)
    return u


def with_charge(eq: Equations, u: Sequence[Any], passes: int = _CHARGE_PASSES) -> list[Any]:
    """Unknowns whose concentrations fit the charge of the membranes; `eq` carries all species.

    All ions of a compartment move together, ``c_s exp(-z_s x)``, so that none can become negative:
    the change is small where u is close, as after a step that kept charge to first order. What is
    left would otherwise be put on V, thousands of mV for a per cent of an ion.
    """
    return jax.lax.fori_loop(0, passes, lambda _, u: _towards_charge(eq, u), list(u))


def _towards_charge(eq: Equations, u: list[Any]) -> list[Any]:
    state = eq.state(u)
    moved = list(u)
    for a in eq.cell.compartments:
        ions = [s for s in eq.cell.free[a.name] if s.z]
        if not ions:
            continue
        missing = eq.missing_charge(a.name, state)
        stiffness = sum(
            s.z**2 * capacity(eq, state, a.name, s.name) / state.volume[a.name] for s in ions
        )
        x = jnp.clip(-missing / (eq.F * state.volume[a.name] * stiffness), -1.0, 1.0)
        for s in ions:
            j = eq.unknowns.index(("c", a.name, s.name))
            moved[j] = moved[j] - s.z * x
    return moved
