"""Other solutions: baths whose ions are exchanged, osmotic steps, impermeant inside."""

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from ..cell import Cell
from ..contents import Contents
from ..membrane import Bath, Compartment
from ..naming import UnknownName, unknown
from ..protocol import Initial, Protocol
from .hold import When, hold, number


def bath_exchange(
    cell: Cell,
    concentrations: Mapping[str, Any],
    *,
    replacing: str,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
    bath: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> Protocol:
    """Another bath, as neutral and of the same osmolarity as before: one ion replaces another.

    Parameters
    ----------
    cell, at, lasting, over
        As for `ouabain`.
    concentrations : mapping
        Species to its new concentration, mM, as ``{"K": 10.0}``.
    replacing : str
        What makes room for it, or takes its place: a species of the bath, or ``"X"`` for its
        impermeant, as gluconate for Cl; what is added to X has the valence of what leaves.
    bath : str, optional
        Name of the bath, where there are several.
    params : mapping, optional
        Concentrations before, where they differ from the cell's nominal ones.

    Raises
    ------
    ValueError
        If no amount of the replaced ion leaves the bath both neutral and iso-osmotic, if the bath
        has too little of it, or if X would have to ramp to another mean charge.
    KeyError
        For a species or a bath that is not there, with the nearest that is.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import bath_exchange
    >>> cell = jm.zoo.neuron()
    >>> raised = bath_exchange(cell, {"K": 10.0}, replacing="Na")
    >>> f"{jm.steady_state(cell, raised.final(cell.nominal())).V:.2f} mV"
    '-48.70 mV'
    """
    if not isinstance(concentrations, Mapping) or not concentrations:
        raise ValueError(
            "bath_exchange needs new concentrations in mM, as in {'K': 10.0}, not "
            f"{concentrations!r}"
        )
    where, given = _one_of(cell.baths, "bath_exchange", "bath", bath), cell.nominal(params)
    valence = {s.name: s.z for s in cell.contents[where.name]}
    for ion in (*concentrations, replacing):
        if ion not in valence and not (ion == replacing == "X"):
            raise UnknownName(unknown(f"species in the {where.name}:", ion, [*valence, "X"]))
    changes, total, charge = {}, 0.0, 0.0
    for ion, c in concentrations.items():
        if ion in (where.derive, replacing):
            why = "follows from charge" if ion == where.derive else "is what is replaced"
            raise ValueError(f"bath_exchange cannot set {ion}, which {why}; name another ion")
        name = f"{where.name}.{ion}"
        changes[name] = number("bath_exchange", ion, c, "mM")
        added = changes[name] - given[name]
        total, charge = total + added, charge + valence[ion] * added
    if replacing == "X":
        changes |= _impermeant(given, where, -total, -charge, over)
    else:
        if not np.allclose(charge, valence[replacing] * total, rtol=0.0, atol=1e-9):
            raise ValueError(
                f"{' and '.join(concentrations)} cannot replace {replacing}: the bath would be "
                f"either charged or of another osmolarity; take a species of the same valence"
            )
        before = Contents(cell, given).held_c[where.name, replacing]
        _check_left(where, replacing, before, -total)
        if replacing != where.derive:
            changes[f"{where.name}.{replacing}"] = Initial(plus=-total)
    return hold(cell, changes, When(at, lasting, over))


def osmotic_step(
    cell: Cell,
    factor: Any = None,
    *,
    osmolyte: Any = None,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
    bath: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> Protocol:
    """A bath of another osmolarity, as neutral as before.

    Parameters
    ----------
    cell, at, lasting, over
        As for `ouabain`.
    factor : float or array, optional
        All that is in the bath times this, as if water were added or taken: 0.7 is a bath diluted
        to 70 % of its osmolarity.
    osmolyte : float or array, optional
        Instead, how much of a neutral osmolyte as sucrose is added to the impermeant, mM; ions
        stay. What is negative takes away.
    bath, params
        As for `bath_exchange`.

    Raises
    ------
    ValueError
        If not just one of the two is given, if the bath has too little impermeant, or if it would
        have to ramp to another mean charge.
    KeyError
        For a bath that is not there.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import osmotic_step
    >>> cell = jm.zoo.neuron()
    >>> sweet = osmotic_step(cell, osmolyte=100.0).final(cell.nominal())
    >>> X, z = sweet["bath.X"], sweet["bath.z_X"]
    >>> f"{X} mM of mean charge {z:.4f}, {X * z:.1f} mM of charge as before"
    '129.5 mM of mean charge -0.2278, -29.5 mM of charge as before'
    """
    if (factor is None) == (osmolyte is None):
        raise ValueError(
            "osmotic_step needs either a factor on the bath's osmolarity or osmolyte=, the mM of a "
            "neutral one that are added"
        )
    where, when = _one_of(cell.baths, "osmotic_step", "bath", bath), When(at, lasting, over)
    if osmolyte is not None:
        added = number("osmotic_step", "osmolyte", osmolyte, "mM", "real")
        return hold(cell, _impermeant(cell.nominal(params), where, added, 0.0, over), when)
    times = Initial(times=number("osmotic_step", "factor", factor, "1", "positive"))
    solutes = [n for n in where.declared(cell.contents[where.name]) if not n.endswith(".z_X")]
    return hold(cell, dict.fromkeys(solutes, times), when)


def impermeant(
    cell: Cell,
    factor: Any = None,
    *,
    charge: Any = None,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
    compartment: str | None = None,
) -> Protocol:
    """More impermeant inside, or of another mean charge, together with its counter-ion.

    The counter-ion is the most abundant free ion inside, K in most cells: it takes up the charge.

    Parameters
    ----------
    cell, at, lasting, over
        As for `ouabain`.
    factor : float or array, optional
        Amount of impermeant (``cytosol.X``) over that before.
    charge : float or array, optional
        Its new mean charge (``cytosol.z_X``).
    compartment : str, optional
        Name of the compartment, where there are several.

    Raises
    ------
    ValueError
        If neither is given, or a number lies outside its domain.
    KeyError
        For a compartment that is not there.

    Notes
    -----
    Source: Kay 2017, Front Cell Dev Biol 5:41, doi:10.3389/fcell.2017.00041: the volume follows
    the amount of impermeant, and nothing else changes.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import impermeant
    >>> cell = jm.zoo.neuron()
    >>> impermeant(cell, 1.5).final(cell.nominal())["cytosol.X"]
    456400.76325
    """
    if factor is None and charge is None:
        raise ValueError("impermeant needs a factor on the impermeant inside, or its new charge=")
    where = _one_of(cell.compartments, "impermeant", "compartment", compartment)
    changes = {}
    if factor is not None:
        times = number("impermeant", "factor", factor, "1", "positive")
        changes[f"{where.name}.X"] = Initial(times=times)
    if charge is not None:
        changes[f"{where.name}.z_X"] = number("impermeant", "charge", charge, "1", "real")
    return hold(cell, changes, When(at, lasting, over))


def _impermeant(
    given: Mapping[str, Any], where: Bath, added: Any, charge: Any, over: float
) -> dict[str, Any]:
    """A bath's impermeant after `added` mM with `charge` mM: its amount and its mean charge."""
    X, z = (given[f"{where.name}.{name}"] for name in ("X", "z_X"))
    _check_left(where, "X", X, added)
    changes: dict[str, Any] = {f"{where.name}.X": Initial(plus=added)}
    if not np.allclose(charge, z * added, rtol=0.0, atol=1e-12):
        if over:
            raise ValueError(
                f"X in the {where.name} cannot ramp to another mean charge, as the {where.name} "
                "would be charged meanwhile; take over=0"
            )
        changes[f"{where.name}.z_X"] = Initial(times=X / (X + added), plus=charge / (X + added))
    return changes


def _check_left(where: Bath, species: str, before: Any, added: Any) -> None:
    left = np.min(before + added)
    if left < 0.0 or (species == "X" and left == 0.0):
        raise ValueError(
            f"the {where.name} has {np.min(before):g} mM of {species}, too little to take away "
            f"{-np.min(added):g} mM"
        )


Part = TypeVar("Part", Bath, Compartment)


def _one_of(parts: tuple[Part, ...], what: str, kind: str, name: str | None) -> Part:
    """The one of that name, or the only one."""
    there = {part.name: part for part in parts}
    if name is None and len(parts) == 1:
        return parts[0]
    if name is None:
        raise ValueError(
            f"{what} needs {kind}=, one of {', '.join(there)}"
            if there
            else f"{what} needs a {kind}, and this cell has none"
        )
    if name not in there:
        raise UnknownName(unknown(kind, name, there))
    return there[name]
