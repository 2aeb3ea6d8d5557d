"""What a cell's equations solve for, and what they demand: keys of unknowns and rows.

==========================  ===================================  ===============================
unknown                     is                                   its row
==========================  ===================================  ===============================
("c", compartment, ion)     ln c of a free species               ("n", compartment, ion)
("phi", compartment)        potential against the ground, RT/F   ("n", compartment, dependent
                                                                 ion)
("w", compartment)          ln of an osmotic volume              ("w", compartment)
("z", compartment)          mean charge of the impermeant where  ("z", compartment): currents of
                            species are buffered                 the buffered species
("g", transporter, gate)    a gate                               ("g", transporter, gate)
==========================  ===================================  ===============================

One free ion of each compartment, the dependent one, follows from charge. With ``carry_all`` it is
an unknown as well, and charge, ("q", compartment), a row. The row of an amount or a volume that a
pool conserves, is that of the pool, ("p", compartment, species).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .cell import Cell

Key = tuple[str, ...]


@dataclass(frozen=True)
class State:
    """Everything that the unknowns say about a cell.

    ``c`` (mM) by (compartment, species), ``ln_c`` (functions, so that unused logarithms cost
    nothing), ``phi`` (RT/F), ``volume`` (um^3) and ``z``, the mean charge of the impermeant, by
    compartment, ``area`` (um^2) by membrane, ``gates`` by transporter and name.
    """

    c: Mapping[tuple[str, str], Any]
    ln_c: Mapping[tuple[str, str], Any]
    phi: Mapping[str, Any]
    volume: Mapping[str, Any]
    z: Mapping[str, Any]
    area: Mapping[str, Any]
    gates: Mapping[str, Mapping[str, Any]]


def unknown_keys(cell: Cell, carry_all: bool = False) -> list[Key]:
    """Keys of a cell's unknowns."""
    followed = {} if carry_all else cell.dependent
    found: list[Key] = [
        ("c", a, s.name) for a, free in cell.free.items() for s in free if s != followed.get(a)
    ]
    found += [("phi", a.name) for a in cell.compartments if a.name != cell.ground]
    found += [("w", a.name) for a in cell.compartments if a.volume == "osmotic"]
    found += [("z", a) for a in cell.buffered]
    return found + [("g", t.name, gate) for t in cell.transporters for gate, _ in t.gates]


def row_keys(cell: Cell, carry_all: bool = False) -> list[Key]:
    """Keys of the rows, paired with `unknown_keys`."""
    pooled = {(pool.owner, pool.species) for pool in cell.pools}

    def row(key: Key) -> Key:
        kind, owner = key[:2]
        ion = cell.dependent.get(owner)
        if kind == "c" and carry_all and owner == cell.ground and ion and ion.name == key[2]:
            return ("q", owner)
        if kind == "c":
            return ("p" if key[1:] in pooled else "n", *key[1:])
        if kind == "w":
            return ("p", owner, "volume") if (owner, "volume") in pooled else key
        if kind == "g":
            return key
        charge = ("q", owner) if carry_all or ion is None else ("n", owner, ion.name)
        # Currents of buffered species answer to the potential, charge to the impermeant's.
        if owner in cell.buffered and kind == "phi":
            return ("z", owner)
        return charge

    return [row(key) for key in unknown_keys(cell, carry_all)]
