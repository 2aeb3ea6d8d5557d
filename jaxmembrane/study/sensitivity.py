"""The section [sensitivity]: how rows are analysed."""

import tomllib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..blocks import BlockPoints
from ..cell import Cell
from ..design import Design
from ..sensitivity.bootstrap import check_bootstrap
from .file import File

_BOOTSTRAP = {"confidence": 0.95, "resamples": 100, "seed": 0}
SENSITIVITY = (*_BOOTSTRAP, "parameters")
"""Keys of a sensitivity."""


def read_sensitivity(file: File, cell: Cell | None, design: Design | None) -> dict[str, Any]:
    """Keywords of an analysis, where the file has them; ``parameters`` are those of derivatives.

    These are told by the first parameter of their axis, in the order of the design.
    """
    given = file.table("sensitivity")
    found = _of_bootstrap(given)
    for key, value in found.items():
        with file.at("sensitivity", key):
            check_bootstrap(**_BOOTSTRAP | {key: value})
    keys = "sensitivity", "parameters"
    if (names := file.texts(*keys)) is None:
        return found
    if not names:
        file.refuse(keys, 'parameters must be some of [space], as ["nka.j", "bath.K"]')
    axes = design.axes if design else ()
    swept = {name for axis in axes for name in axis}
    for name in names:
        if file.declared(keys, name, cell) and design and name not in swept:
            file.refuse(keys, f"{name} is no axis of [space], along which derivatives are taken")
    if design and isinstance(design.source, BlockPoints):
        what = f"a {design.kind} design, which is analysed by all of [space]: leave it out"
        file.refuse(keys, f"parameters does not fit {what}")
    return found | {"parameters": [axis[0] for axis in axes if set(axis) & set(names)]}


def stored_settings(text: str) -> dict[str, Any]:
    """Keywords of an analysis, from the study that a store has kept; none where it is no file."""
    given: Any = None
    with suppress(tomllib.TOMLDecodeError):
        given = tomllib.loads(text).get("sensitivity")
    return _of_bootstrap(given) if isinstance(given, dict) else {}


def _of_bootstrap(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: given[key] for key in _BOOTSTRAP if key in given}
