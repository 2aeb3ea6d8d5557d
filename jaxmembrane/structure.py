"""A cell without its numbers: what decides a compilation."""

from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

from .cell import Cell
from .params import Param
from .site import SOURCES

_SUPPLIED = {name for source in SOURCES.values() for name in source.params}
_ANY = 0.5
"""A number that lies in every domain."""


@lru_cache(maxsize=1024)
def structure(cell: Cell) -> Cell:
    """The same cell with one nominal value for all: cells that differ in numbers alone share it."""
    membranes = tuple(
        _variant(
            m,
            transporters=tuple(
                _variant(t, params=_anonymous(t.params), shared=_anonymous(t.shared))
                for t in m.transporters
            ),
        )
        for m in cell.membranes
    )
    return _variant(cell, membranes=membranes, overrides=())


def _anonymous(params: tuple[tuple[str, Param], ...]) -> tuple[tuple[str, Param], ...]:
    # What an energy source declares is the same in every cell, and who shares it must agree.
    return tuple((name, p if name in _SUPPLIED else replace(p, nominal=_ANY)) for name, p in params)


def _variant(original: Any, **changes: Any) -> Any:
    """A frozen object with some fields replaced, and nothing cached."""
    made = object.__new__(type(original))
    for field in fields(original):
        value = changes.get(field.name, getattr(original, field.name))
        object.__setattr__(made, field.name, value)
    return made
