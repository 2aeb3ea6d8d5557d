"""The section [cell]: which cell, and its fixed parameters."""

import importlib
import sys
from pathlib import Path
from typing import Any

from .. import zoo
from ..cell import Cell
from ..units import quantity
from .file import File, check_domain

CELL = ("zoo", "build", "parameters")
"""Keys of a cell."""


def read_cell(file: File) -> Cell | None:
    """The cell; None where it is not known."""
    given = file.table("cell")
    if len(given.keys() & {"zoo", "build"}) != 1:
        file.refuse(("cell",), '[cell] needs one of zoo = "neuron", build = "module:function"')
        return None
    way = "zoo" if "zoo" in given else "build"
    with file.at("cell", way, label=f"{way} = {given[way]!r}: "):
        return zoo.get(str(given[way])) if way == "zoo" else _build(given[way], file.path)
    return None


def read_params(file: File, cell: Cell | None) -> dict[str, float]:
    """Its parameters that are fixed, in package units."""
    found = {}
    for name, keys, entry in file.entries("cell", "parameters"):
        with file.at(*keys):
            if declared := file.declared(keys, name, cell):
                found[name] = quantity(entry, declared.unit, name)
                check_domain(name, found[name], declared)
    return found


def _build(name: Any, study: Path) -> Cell:
    """Call ``module:function``, looking for the module beside the study file first."""
    folder = str(study.absolute().parent)
    sys.path.insert(0, folder)
    try:
        module, _, function = str(name).partition(":")
        cell = getattr(importlib.import_module(module), function)()
    except (Exception, SystemExit) as error:  # whatever the user's code may raise
        raise ValueError(
            f"as module:function it fails with {type(error).__name__}: {error}"
        ) from None
    finally:
        sys.path.remove(folder)
    if not isinstance(cell, Cell):
        raise TypeError(f"it must return a jm.Cell, not {type(cell).__name__}")
    return cell
