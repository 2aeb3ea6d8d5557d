"""Where the search for a rest begins: the closed form, or neutral, balanced and rich in sodium."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from . import point
from .analytic import osmotic_balance
from .balance import Equations, columns
from .kinetics.pumps import constant
from .kinetics.thermodynamic import ohmic
from .linalg import solve
from .membrane import Bath, Compartment, Membrane
from .unknowns import State

# Inside-to-Nernst ratios of ions that pumps keep low. Newton's method comes down from too much
# sodium; from too little it may end on a root with negative impermeant.
_HELD_LOW = {"Na": 0.05, "Ca": 1e-5, "H": 0.3}
_SHARE_OUTSIDE = 0.7
_HELD_OUTSIDE = {"K": 4.0, "Ca": 1.0, "H": 1e-4}
_LARGEST_CHARGE = 0.05
_LINEAR = (ohmic, constant)

Known = dict[tuple[str, ...], Any]


def guess(eq: Equations) -> Known:
    """A start by unknown: ("c", compartment, species), ("phi", ...) and ("w", ...).

    Each compartment is put in Donnan-like balance with its neighbour towards the bath. A cell whose
    laws are all ohmic or constant starts on its rest, but for the charge of the membrane.
    """
    known: Known = {}
    for bath in eq.cell.baths:
        known["phi", bath.name] = 0.0
        known["osm", bath.name] = eq.bath_osmolarity[bath.name]
        for s in eq.cell.contents[bath.name]:
            known["c", bath.name, s.name] = eq.held_ln_c[bath.name, s.name]
    if not eq.cell.baths:
        known |= _closed(eq)
    waiting = [a for a in eq.cell.compartments if ("phi", a.name) not in known]
    while waiting:
        for a in waiting:
            path = _towards_bath(eq, a, known)
            if path is not None:
                known |= _compartment(eq, a, *path, known)
                waiting.remove(a)
                break
    for a in eq.cell.buffered:
        known["z", a] = eq.params[f"{a}.z_X"]
    baths = [bath.name for bath in eq.cell.baths]
    return {key: value for key, value in known.items() if key[0] != "osm" and key[1] not in baths}


def resting_gates(eq: Equations, known: Known) -> Known:
    """Where gates stand still at the potential and concentrations of a start."""
    zero = jnp.zeros_like(eq.RT)
    state = eq.state([known.get(key, zero) for key in eq.unknowns])
    found: Known = {}
    for m in eq.cell.membranes:
        for t in (t for t in m.transporters if t.gates):
            at_rest = point.resting_gates(t, eq.medium(m, state), eq.values(t))
            found |= {("g", t.name, gate): x for gate, x in at_rest.items()}
    return found


def _closed(eq: Equations) -> Known:
    """A start for the outermost compartment of a cell without a bath: an outside like a bath.

    Pools say how much there is in all; what is not pooled there is as in the usual bath.
    """
    ground = eq.cell.ground
    # Nearly all protons are bound where proteins are: their total says little of what is free.
    totals = {
        pool.species: eq.params[pool.parameter]
        for pool in eq.cell.pools
        if pool.owner == ground and not (pool.species == "H" and eq.proteins)
    }
    volume = totals.get("volume", eq.params.get(f"{ground}.volume", 1e3)) * _SHARE_OUTSIDE
    usual = eq.cell.compartments[0]
    known: Known = {("phi", ground): 0.0, ("w", ground): jnp.log(volume)}
    osmolarity = eq.params[f"{ground}.X"] / volume
    for s in eq.cell.contents[ground]:
        if usual.kind(s.name) != "free":
            c = eq.held_c[ground, s.name]
        else:
            ordinary = _HELD_OUTSIDE.get(s.name, 100.0)
            c = totals[s.name] / volume if s.name in totals else jnp.full_like(volume, ordinary)
        known["c", ground, s.name] = jnp.log(c)
        osmolarity = osmolarity + c
    known["osm", ground] = osmolarity
    return known


def _towards_bath(
    eq: Equations, a: Compartment, known: Known
) -> tuple[Membrane, Bath | Compartment] | None:
    for m in eq.cell.membranes:
        for inner, outer in ((m.inside, m.outside), (m.outside, m.inside)):
            if inner == a and ("phi", outer.name) in known:
                return m, outer
    return None


def _compartment(
    eq: Equations, a: Compartment, m: Membrane, outer: Bath | Compartment, known: Known
) -> Known:
    osmolarity = known["osm", outer.name]
    valence = {s.name: s.z for s in eq.cell.free[a.name]}
    # Concentrations at zero potential: times exp(-z u) they are those inside.
    held: dict[str, Any] = {}
    for name in valence:
        around = jnp.exp(known.get(("c", outer.name, name), jnp.log(1e-3)))
        kept_low = _HELD_LOW.get(name, 1.0) if isinstance(outer, Bath) else 1.0
        held[name] = jnp.maximum(kept_low * around, 1e-9 * osmolarity)
    if _is_linear(eq):
        held = _flux_balance(eq, a, outer, held, osmolarity)
    cations, anions = _sum(held, valence, +1, osmolarity), _sum(held, valence, -1, osmolarity)
    X, z = eq.params[f"{a.name}.X"], eq.params[f"{a.name}.z_X"]
    others = [
        (s.z, eq.held_c[a.name, s.name]) for s in eq.cell.contents[a.name] if s.name not in valence
    ]
    taken = sum((c for _, c in others), 0.0)
    charge = sum((z * c for z, c in others), 0.0)
    found: Known = {("osm", a.name): osmolarity}
    if a.volume == "osmotic":
        room = osmolarity - jnp.minimum(taken, 0.5 * osmolarity)
        # Held ions count as if they were on impermeants that make up half of the contents.
        z = z + charge / (0.5 * osmolarity)
        x, u, _ = osmotic_balance(_within(cations, anions, room), anions, room, z)
        w = X / x
        found["w", a.name] = jnp.log(w)
    else:
        w = eq.params[f"{a.name}.volume"]
        salt = jnp.sqrt(cations * anions)
        u = 0.5 * jnp.log(cations / anions) + jnp.arcsinh((z * X / w + charge) / (2.0 * salt))
    for name, c in held.items():
        found["c", a.name, name] = jnp.log(c) - valence[name] * u
    if not any(valence.values()):
        if a.name in eq.cell.buffered:
            found["phi", a.name] = jnp.zeros_like(X)
            return found
        stored = eq.params[f"{m.name}.C_m"] * eq.area(m, {m.inside.name: w}) * eq.RT / eq.F**2
        found["phi", a.name] = z * X / stored + known["phi", outer.name]
        return found
    # In a very small cell the membrane would hold more charge than there are ions.
    area = eq.area(m, {m.inside.name: w})
    stored = eq.params[f"{m.name}.C_m"] * area * eq.RT / eq.F**2
    share = _LARGEST_CHARGE * osmolarity * w / (stored * jnp.maximum(jnp.abs(u), 1e-3))
    found["phi", a.name] = u * jnp.minimum(1.0, share) + known["phi", outer.name]
    return found


def _sum(held: Mapping[str, Any], valence: Mapping[str, int], z: int, osmolarity: Any) -> Any:
    """Concentration of all ions of charge z; a trace where there are none."""
    ions = [c for name, c in held.items() if valence[name] == z]
    return sum(ions[1:], start=ions[0]) if ions else 1e-6 * osmolarity


def _within(cations: Any, anions: Any, osmolarity: Any) -> Any:
    """As many cations as leave room for impermeants, where there would be too many."""
    most = osmolarity**2 / (4.0 * anions)
    return jnp.where(cations < most, cations, 0.8 * most)


def _is_linear(eq: Equations) -> bool:
    alone = len(eq.cell.membranes) == 1 and eq.cell.compartments[0].volume == "osmotic"
    held = len(eq.held_c) > sum(len(eq.cell.contents[bath.name]) for bath in eq.cell.baths)
    plain = alone and not held and not eq.cell.pools and bool(eq.cell.baths)
    return plain and all(leg.rate in _LINEAR for leg in eq.cell.legs)


def _flux_balance(
    eq: Equations, a: Compartment, bath: Any, held: Mapping[str, Any], osmolarity: Any
) -> dict[str, Any]:
    """Concentrations at zero potential where all fluxes balance: linear in their logarithms.

    The driving force of an ion depends on ``ln(c_i/c_o) + z u`` alone, so u may be zero here.
    """
    species = eq.cell.contents[a.name]
    m = eq.cell.membranes[0]

    def balances(mu: list[Any]) -> list[Any]:
        c = dict(eq.held_c)
        ln_c = {key: (lambda x=x: x) for key, x in eq.held_ln_c.items()}
        for s, x in zip(species, mu, strict=True):
            value = x + eq.held_ln_c[bath.name, s.name]
            c[a.name, s.name], ln_c[a.name, s.name] = jnp.exp(value), lambda x=value: x
        zero = jnp.zeros_like(mu[0])
        one = zero + 1.0
        at_zero = State(c, ln_c, {a.name: zero}, {a.name: one}, {}, {m.name: one}, {})
        flux = eq.turnovers(at_zero)
        return [
            sum((leg.reaction.change(s, "i") * flux[leg.name] for leg in eq.cell.legs), zero)
            for s in species
        ]

    begin = [jnp.zeros_like(osmolarity) for _ in species]
    value, rows = columns(balances, begin)
    mu = solve(rows, [-v for v in value], pivot=True)
    exact = {
        s.name: jnp.exp(x + eq.held_ln_c[bath.name, s.name])
        for s, x in zip(species, mu, strict=True)
    }
    valence = {s.name: s.z for s in species}
    room = _sum(exact, valence, +1, osmolarity) * _sum(exact, valence, -1, osmolarity)
    # A margin of rounding is none.
    exists = 4.0 * room < osmolarity**2 * (1.0 - 1e-12)
    return {name: jnp.where(exists, exact[name], held[name]) for name in held}
