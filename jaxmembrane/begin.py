"""Where a user says that the search for a rest begins: names and values, as unknowns."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp

from .balance import Equations
from .cell import Cell
from .naming import UnknownName, unknown
from .params import Param, check_params
from .unknowns import Key


def start_params(cell: Cell) -> dict[str, Param]:
    """What a start may name, with unit and domain.

    ``cytosol.Na``, ``cytosol.volume`` and ``membrane.V``; bare where there is one compartment or
    one membrane: ``Na``, ``volume``, ``V``.
    """
    named: dict[str, Param] = {}
    for a in cell.compartments:
        for prefix in (f"{a.name}.", "") if len(cell.compartments) == 1 else (f"{a.name}.",):
            for s in cell.free[a.name]:
                named[prefix + s.name] = Param(1.0, "mM", f"{s.name} to begin with", "positive")
            if a.volume == "osmotic":
                named[f"{prefix}volume"] = Param(1.0, "um^3", "volume to begin with", "positive")
    for m in cell.membranes:
        for name in (f"{m.name}.V", "V") if len(cell.membranes) == 1 else (f"{m.name}.V",):
            named[name] = Param(0.0, "mV", "potential to begin with", "real")
    return named


def check_start(cell: Cell, given: Any) -> dict[str, Any]:
    """A start by names, or one sentence that says what is wrong with it.

    Raises
    ------
    TypeError
        For anything but a mapping.
    UnknownName
        For a name that no start has (a `KeyError`).
    ValueError
        For a value outside its domain.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"start must be an earlier rest or map names to values, not {given!r}")
    named = start_params(cell)
    for name in given:
        if name not in named:
            raise UnknownName(unknown("name in a start:", name, named))
    check_params(named, given, "start")
    return dict(given)


def begin_at(
    cell: Cell, given: Mapping[str, Any], lanes: Mapping[str, Any], to_lanes: Callable[[Any], Any]
) -> dict[Key, Any]:
    """Unknowns of a start that has been checked; `to_lanes` makes a value one for each lane."""
    eq = Equations(cell, lanes)
    value = {name: to_lanes(jnp.asarray(x, eq.RT.dtype)) for name, x in given.items()}
    begin: dict[Key, Any] = {}
    for a in cell.compartments:
        for s in cell.free[a.name]:
            for name in {f"{a.name}.{s.name}", s.name} & value.keys():
                begin["c", a.name, s.name] = jnp.log(value[name])
        for name in {f"{a.name}.volume", "volume"} & value.keys():
            begin["w", a.name] = jnp.log(value[name])
    at_zero = (cell.ground, *(bath.name for bath in cell.baths))
    phi: dict[str, Any] = dict.fromkeys(at_zero, jnp.zeros_like(eq.RT))
    for m in cell.membranes:
        for name in {f"{m.name}.V", "V"} & value.keys():
            if m.outside.name in phi:
                phi[m.inside.name] = phi[m.outside.name] + value[name] * (eq.F / eq.RT)
                begin["phi", m.inside.name] = phi[m.inside.name]
    return begin
