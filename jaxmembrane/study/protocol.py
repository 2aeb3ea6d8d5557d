"""The section [protocol]: what changes during a course, and when it is saved."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..cell import Cell
from ..design import whole_number
from ..interventions import INTERVENTIONS, UNITS
from ..naming import unknown
from ..protocol import Protocol, Step
from ..simulate import check_times
from ..units import quantity
from .file import File, Keys, check_domain

PROTOCOL = ("times", "steps", "interventions")
"""Keys of a protocol."""


def read_protocol(file: File, cell: Cell | None, params: Mapping[str, float]) -> Protocol | None:
    """The protocol; None where the file has none."""
    if "protocol" not in file.tables:
        return None
    protocol = Protocol()
    parts = [(keys, _step(file, cell, keys)) for keys in file.array("protocol", "steps")]
    for keys in file.array("protocol", "interventions"):
        parts.append((keys, _intervention(file, cell, params, keys)))
    for keys, part in parts:
        with file.at(*keys):
            protocol = protocol + (part or Protocol())
    return protocol


def read_times(file: File) -> tuple[float, ...] | None:
    """The times to save at (s); None where the file has no protocol."""
    if "protocol" not in file.tables:
        return None
    given: Any = file.table("protocol").get("times")
    if isinstance(given, dict):
        file.expect(("protocol", "times"), ("to", "points"), "key of times:")
        with file.at("protocol", "times"):
            end: Any = given.get("to")
            end = quantity(end, "s", "to")
            points = whole_number(given.get("points"), "points", 2)
            return tuple(check_times(np.linspace(0.0, end, points)).tolist())
    elif isinstance(given, list):
        with file.at("protocol", "times"):
            moments = [quantity(t, "s", f"times[{k}]") for k, t in enumerate(given)]
            return tuple(check_times(moments).tolist())
    else:
        what = 'must be as [0, 60, "1 h"], or as {to = "2 h", points = 61}'
        file.refuse(("protocol", "times"), f"times {what}, not {given!r}")
    return None


def _step(file: File, cell: Cell | None, keys: Keys) -> Protocol | None:
    given, changes = file.table(*keys), {}
    file.expect(keys, ("at", "over", "change"), "key of a step:")
    entries = list(file.entries(*keys, "change"))
    for name, at, entry in entries:
        with file.at(*at):
            if declared := file.declared(at, name, cell):
                changes[name] = quantity(entry, declared.unit, name)
                check_domain(name, changes[name], declared)
    when = _arguments(file, keys, {"at": given.get("at"), "over": given.get("over", 0.0)})
    if when and len(changes) == len(entries):
        with file.at(*keys):
            return Protocol([Step(changes=changes, **when)])
    return None


def _intervention(
    file: File, cell: Cell | None, params: Mapping[str, float], keys: Keys
) -> Protocol | None:
    """Call the intervention of that name with what the table gives."""
    given = dict(file.table(*keys))
    name = str(given.pop("name", "nothing"))
    if name not in INTERVENTIONS:
        file.refuse((*keys, "name"), unknown("intervention", name, INTERVENTIONS))
        return None
    takes = dict(inspect.signature(INTERVENTIONS[name]).parameters)
    extra = {"params": params} if takes.pop("params", None) else {}
    del takes["cell"]
    file.expect(keys, ("name", *takes), f"key of {name}:")
    texts = [key for key, p in takes.items() if p.annotation in (str, str | None)]
    needed = [key for key, p in takes.items() if p.default is p.empty and key not in given]
    if needed:
        file.refuse(keys, f"{name} needs {' and '.join(needed)}")
    known = {key: entry for key, entry in given.items() if key in takes}
    arguments = _arguments(file, keys, known, texts)
    if arguments is not None and cell and not needed:
        with file.at(*keys):
            return INTERVENTIONS[name](cell, **arguments, **extra)
    return None


def _arguments(
    file: File, keys: Keys, given: Mapping[str, Any], texts: list[str] | tuple[()] = ()
) -> dict[str, Any] | None:
    """Numbers in the units of their names, and texts as they are; None if any is refused."""
    found = {}
    for key, entry in given.items():
        unit = UNITS.get(key, "1")
        with file.at(*keys, key):
            if key in texts:
                found[key] = _text(key, entry)
            elif isinstance(entry, dict):
                found[key] = {part: quantity(x, unit, f"{key}.{part}") for part, x in entry.items()}
            else:
                found[key] = quantity(entry, unit, key)
    return found if len(found) == len(given) else None


def _text(key: str, entry: Any) -> str:
    if not isinstance(entry, str):
        raise TypeError(f"{key} must be a text, not {entry!r}")
    return entry
