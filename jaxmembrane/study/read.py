"""A study: what its file says, section by section."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cell import Cell
from ..design import Design, whole_number
from ..outputs import OUTPUTS, check_outputs
from ..protocol import Protocol
from ..steady import AVAILABLE
from ..sweep import check_design
from .cell import CELL, read_cell, read_params
from .file import File
from .protocol import PROTOCOL, read_protocol, read_times
from .rows import DESIGN, read_design, read_space
from .sensitivity import SENSITIVITY, read_sensitivity

_KEYS = {
    "cell": CELL,
    "space": (),
    "design": DESIGN,
    "protocol": PROTOCOL,
    "outputs": ("names", "precision", "chunk"),
    "sensitivity": SENSITIVITY,
}


@dataclass(frozen=True)
class Study:
    """A sweep as a study file describes it; `text` is the file.

    With a protocol its rows are courses, saved at `times` (s), else rests. ``sensitivity`` has
    keywords of the analysis of its rows, and of `jaxmembrane.sensitivity.local`.
    """

    cell: Cell
    design: Design
    params: Mapping[str, float]
    outputs: tuple[str, ...] | None
    precision: str
    chunk: int | None
    protocol: Protocol | None
    times: tuple[float, ...] | None
    sensitivity: Mapping[str, Any]
    text: str


def read_study(
    path: str | os.PathLike, rows: int | None = None, blocks: int | None = None
) -> Study:
    """Read a study file; `rows` or `blocks` replaces that number of its design.

    Whatever does not fit is a `StudyError`: all at once, each with line and what would be right.

    >>> read_study("study.toml").design  # doctest: +SKIP
    <sobol design of 100000 rows, seed 1: nka.j, leak_Na.g, leak_Cl.g, bath.Cl>
    """
    file = File.read(path)
    tabled = "table" in file.table("design")
    file.sections(_KEYS, ("cell", "design", *([] if tabled else ["space"])))
    if tabled and file.table("space"):
        file.refuse(("space",), "[space] does not fit a design with table, which sets all rows")
    params = read_params(file, cell := read_cell(file))
    space = None if tabled else read_space(file, cell, params)
    design = read_design(file, cell, space, {"rows": rows, "blocks": blocks})
    protocol, times = read_protocol(file, cell, params), read_times(file)
    outputs, sensitivity = _outputs(file, cell), read_sensitivity(file, cell, design)
    if cell and design and not file.problems:
        with file.at("design" if tabled else "space"):
            check_design(cell, design, params)
            told = *outputs, protocol, times, sensitivity
            return Study(cell, design, params, *told, file.text)
    raise file.failure()


def _outputs(file: File, cell: Cell | None) -> tuple[tuple[str, ...] | None, str, int | None]:
    given = file.table("outputs")
    names, precision = given.get("names"), given.get("precision", "float64")
    names = None if names is None else tuple(names if isinstance(names, list) else [names])
    for name in names or ():
        with file.at("outputs", "names"):
            check_outputs([str(name)], OUTPUTS if "protocol" in file.tables else AVAILABLE, cell)
    if precision not in ("float64", "float32"):
        what = f'precision must be "float64" or "float32", not {precision!r}'
        file.refuse(("outputs", "precision"), what)
    with file.at("outputs", "chunk"):
        whole_number(given.get("chunk", 1), "chunk", 1)
    return names, precision, given.get("chunk")
