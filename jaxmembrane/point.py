"""A transporter where it stands: turnovers, currents, gates at rest, and its reversal potential.

I     = -F sum over legs of (Q J)                           fA/um^2, outward positive
V_rev = V - dG / (Q F)                                      mV, one charged leg
V_rev : I(V_rev) = 0                                        mV, several
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from . import constants
from .linalg import solve
from .naming import UnknownName, unknown
from .site import Medium, Site, Values

_BISECTIONS, _NEWTON_STEPS = 36, 2


@dataclass(frozen=True)
class Point:
    """A transporter at given concentrations, potential and parameters.

    ==============  =============  =========================================================
    attribute       unit           is
    ==============  =============  =========================================================
    ``flux``        amol/um^2/s    turnover; by name of the leg where there are several
    ``dG``          J/mol          free energy of the reaction; likewise
    ``current``     fA/um^2        outward current of all legs
    ``reversal``    mV             potential at which that current vanishes; NaN without charge
    ``gates``       1              the gates, by name, at rest unless given
    ==============  =============  =========================================================
    """

    flux: Any
    dG: Any
    current: Any
    reversal: Any
    gates: Mapping[str, Any]


def evaluate(transporter: Any, V: Any, T: Any, given: Mapping[str, Any]) -> Point:
    """A transporter's point at V (mV) and T (K); `given` holds all else, by name.

    Raises
    ------
    UnknownName
        For a concentration that is missing, or a name that means nothing to it (a `KeyError`).
    """
    own, bare = dict(transporter.params), transporter.bare
    species = {s.name for leg in transporter.legs for s in leg.reaction.species}
    gated = [name for name, _ in transporter.gates]
    needed = [f"{s}_{side}" for s in sorted(species) for side in "io"]
    for name in needed:
        if name not in given:
            raise UnknownName(f"{transporter.name} needs the concentration {name}, in mM")
    known = {*needed, *own, *bare, *gated}
    sides: dict[str, dict[str, Any]] = {"i": {}, "o": {}}
    for name, value in given.items():
        ion, _, side = name.rpartition("_")
        if name in known - {*needed}:
            continue
        if side not in sides or not ion:
            raise UnknownName(unknown(f"quantity to evaluate {transporter.name} at:", name, known))
        sides[side][ion] = jnp.asarray(value, float)
    V, T, *_ = jnp.broadcast_arrays(*(jnp.asarray(x, float) for x in (V, T, *given.values())))
    ln = {
        side: {s: (lambda c=c: jnp.log(c)) for s, c in pool.items()} for side, pool in sides.items()
    }
    RT = constants.R * T
    around = {name: given.get(name, p.nominal) for name, p in bare.items()} | {"T": T}
    u = V * constants.F / RT
    medium = Medium(sides["i"], sides["o"], ln["i"], ln["o"], u, RT, constants.F, around)
    values = {name: given.get(name, p.nominal) for name, p in own.items()}
    gates = resting_gates(transporter, medium, values)
    gates |= {name: given[name] for name in gated if name in given}
    flux = turnovers(transporter, medium, values, gates)
    dG = [Site(leg.reaction, medium).dG for leg in transporter.legs]

    def shown(found: list[Any]) -> Any:
        if len(found) == 1:
            return found[0]
        return {leg.name: x for leg, x in zip(transporter.legs, found, strict=True)}

    return Point(
        shown(flux),
        shown(dG),
        current(transporter, flux, constants.F),
        reversal(transporter, medium, values, gates),
        gates,
    )


def turnovers(
    transporter: Any, medium: Medium, values: Mapping[str, Any], gates: Mapping[str, Any]
) -> list[Any]:
    """The turnover of each leg, amol/um^2/s."""
    p = Values(transporter.name, values)
    return [leg.rate(Site(leg.reaction, medium, gates), p) for leg in transporter.legs]


def gate_rates(
    transporter: Any, medium: Medium, values: Mapping[str, Any], gates: Mapping[str, Any]
) -> list[Any]:
    """The rate of change of each gate, 1/s."""
    p = Values(transporter.name, values)
    site = Site(transporter.legs[0].reaction, medium, gates)
    return [rate(site, p) for _, rate in transporter.gates]


def resting_gates(transporter: Any, medium: Medium, values: Mapping[str, Any]) -> dict[str, Any]:
    """Where the gates stand still: exact where their rates are linear in them, as they mostly are.

    Otherwise one Newton step from the middle.
    """
    names = [name for name, _ in transporter.gates]
    if not names:
        return {}

    def rates(x: list[Any]) -> list[Any]:
        return gate_rates(transporter, medium, values, dict(zip(names, x, strict=True)))

    middle = [0.5 * jnp.ones_like(medium.u) for _ in names]
    columns = []
    for j, x in enumerate(middle):
        value, column = jax.jvp(
            lambda x, j=j: rates([*middle[:j], x, *middle[j + 1 :]]), (x,), (jnp.ones_like(x),)
        )
        columns.append(column)
    rows = list(zip(*columns, strict=True))
    # Rates of gates differ by decades; rows must be comparable for pivoting.
    sizes = [sum(jnp.abs(entry) for entry in row) for row in rows]
    matrix = [[entry / size for entry in row] for row, size in zip(rows, sizes, strict=True)]
    rhs = [-f / size for f, size in zip(value, sizes, strict=True)]
    moved = solve(matrix, rhs, pivot=True)
    return {name: x + dx for name, x, dx in zip(names, middle, moved, strict=True)}


def current(transporter: Any, flux: Sequence[Any], F: Any) -> Any:
    """Outward current of all legs, fA/um^2."""
    total: Any = 0.0
    for leg, J in zip(transporter.legs, flux, strict=True):
        if leg.reaction.charge:
            total = total - F * leg.reaction.charge * J
    return total if transporter.moves_charge else jnp.zeros_like(flux[0])


def reversal(
    transporter: Any, medium: Medium, values: Mapping[str, Any], gates: Mapping[str, Any]
) -> Any:
    """Potential at which a transporter passes no current, mV; NaN where it moves no charge."""
    charged = [leg.reaction for leg in transporter.legs if leg.reaction.charge]
    own = [medium.u - Site(r, medium).dG / (medium.RT * r.charge) for r in charged]
    thermal = medium.RT / medium.F
    if not own:
        return jnp.full_like(medium.u, jnp.nan)
    if len(own) == 1:
        return own[0] * thermal

    def passed(u: Any) -> Any:
        J = turnovers(transporter, medium.at(u), values, gates)
        return current(transporter, J, medium.F)

    # Each leg's current turns at its own reversal, so that theirs together lies between.
    low = high = jax.lax.stop_gradient(own[0])
    for u in own[1:]:
        low = jnp.minimum(low, jax.lax.stop_gradient(u))
        high = jnp.maximum(high, jax.lax.stop_gradient(u))

    def halve(_: Any, bracket: tuple[Any, Any]) -> tuple[Any, Any]:
        low, high = bracket
        middle = 0.5 * (low + high)
        below = passed(middle) < 0
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.fori_loop(0, _BISECTIONS, halve, (low, high))
    u = jax.lax.stop_gradient(0.5 * (low + high))
    # Newton steps, because bisections carry no derivatives.
    for _ in range(_NEWTON_STEPS):
        value, slope = jax.jvp(passed, (u,), (jnp.ones_like(u),))
        open_ = slope > 0
        u = jnp.where(open_, u - value / jnp.where(open_, slope, 1.0), jnp.nan)
    return u * thermal
