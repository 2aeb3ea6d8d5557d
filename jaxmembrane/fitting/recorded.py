"""What was recorded, as arrays: cells, targets, conditions, times."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..cell import Cell
from ..naming import UnknownName, unknown
from ..params import DOMAINS
from ..target import Target, unit_of

_SHARE = 0.01
"""Where no error is known, a mV weighs as much as a hundredth of a value of another unit."""


@dataclass(frozen=True)
class Recorded:
    """All that was recorded: arrays of (cells, targets, conditions, times), NaN where nothing was.

    ``entries`` say where each target stands among the values of its output; ``conditions`` are
    parameters of (cells, conditions), ``labels`` words or numbers of cells, kept for grouping.
    """

    cells: tuple[Any, ...]
    targets: tuple[str, ...]
    entries: tuple[tuple[str, int], ...]
    values: np.ndarray
    sd: np.ndarray
    known_sd: bool
    conditions: Mapping[str, np.ndarray]
    times: tuple[float, ...]
    labels: Mapping[str, Any]

    def digest(self) -> str:
        """A fingerprint of every number and name."""
        arrays = [
            self.values,
            self.sd,
            *(self.conditions[name] for name in sorted(self.conditions)),
        ]
        content = b"".join(np.ascontiguousarray(x, "<f8").tobytes() for x in arrays)
        return hashlib.sha256(content + json.dumps(self.cells).encode()).hexdigest()


def gather(
    cell: Cell,
    targets: Sequence[Target],
    conditions: Mapping[str, Any],
    cells: Sequence[Any] | None,
    times: np.ndarray | None,
    labels: Mapping[str, Any],
) -> Recorded:
    """Bring targets and conditions to one shape, having checked them against the cell."""
    if isinstance(targets, Target):
        targets = [targets]
    targets = list(targets)
    if not targets or not all(isinstance(t, Target) for t in targets):
        raise TypeError(
            "targets must be a sequence of them, as [jm.Target('V', [-72.0, -68.0], sd=0.5)], "
            f"not {targets!r}"
        )
    names = [t.of for t in targets]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"target {name} is there twice: put its conditions into one array")
    entries = tuple(t.entry(cell) for t in targets)
    moments = () if times is None else tuple(float(t) for t in times)
    whole = [_whole(t, len(moments)) for t in targets]
    given = {name: _condition(cell, name, x) for name, x in conditions.items()}
    n, size = _sizes(names, whole, given, cells, len(moments))
    values = np.stack([np.broadcast_to(x, (n, size, *x.shape[2:])) for x in whole], axis=1)
    sd, known = _errors(targets, whole, values)
    called = tuple(_plain(c) for c in cells) if cells is not None else tuple(range(n))
    if len(set(called)) < n:
        twice = next(c for c in called if called.count(c) > 1)
        raise ValueError(f"cell {twice!r} is there twice: give every cell a name of its own")
    wide = {name: np.broadcast_to(x, (n, size)).copy() for name, x in given.items()}
    return Recorded(called, tuple(names), entries, values, sd, known, wide, moments, labels)


def _plain(label: Any) -> Any:
    return label if isinstance(label, str) else label.item() if hasattr(label, "item") else label


def _whole(target: Target, times: int) -> np.ndarray:
    """Values of (cells, conditions, times), or (cells, conditions, 1) of rests."""
    x = np.asarray(target.values, float)
    if times:
        # Without an axis of conditions the last one is that of times.
        x = x[:, None] if x.ndim == 2 else x
        if x.ndim != 3 or x.shape[2] != times:
            raise ValueError(
                f"values of {target.of} must be of shape (cells, times) or (cells, conditions, "
                f"times) with {times} times, not {np.shape(target.values)}"
            )
        return x
    if x.ndim == 3:
        raise ValueError(
            f"values of {target.of} have an axis of times, {x.shape}: say when they were recorded, "
            "as times=[0.0, 60.0]"
        )
    return (x if x.ndim == 2 else x[:, None])[..., None]


def _condition(cell: Cell, name: str, given: Any) -> np.ndarray:
    if name not in cell.parameters:
        raise UnknownName(unknown("condition", name, cell.parameters))
    x, declared = np.asarray(given, float), cell.parameters[name]
    if x.ndim not in (1, 2):
        raise ValueError(
            f"condition {name} must be of shape (conditions,) or (cells, conditions), not {x.shape}"
        )
    x = np.atleast_2d(x)
    for index in np.argwhere(~declared.allows(x)):
        raise ValueError(
            f"condition {name} at cell {index[0]}, condition {index[1]} is {x[tuple(index)]:g}: it "
            f"must be {DOMAINS[declared.domain]}"
        )
    return x


def _sizes(
    names: Sequence[str],
    whole: Sequence[np.ndarray],
    given: Mapping[str, np.ndarray],
    cells: Sequence[Any] | None,
    times: int,
) -> tuple[int, int]:
    """How many cells and conditions there are, of all that say so."""
    said = {name: x.shape[:2] for name, x in zip(names, whole, strict=True)}
    n = max(shape[0] for shape in said.values())
    size = max(shape[1] for shape in (*said.values(), *(x.shape for x in given.values())))
    for name, shape in said.items():
        if shape[0] != n:
            raise ValueError(f"{name} was recorded of {shape[0]} cells, other targets of {n}")
        if shape[1] not in (1, size) or (shape[1] == 1 and size > 1 and not times):
            raise ValueError(
                f"{name} has {shape[1]} conditions, but there are {size}: give its values as "
                f"(cells, {size}), NaN where it was not recorded"
            )
    for name, x in given.items():
        if x.shape[0] not in (1, n) or x.shape[1] != size:
            raise ValueError(
                f"condition {name} must be of shape ({size},) or ({n}, {size}) as the targets are, "
                f"not {x.shape}"
            )
    if cells is not None and len(cells) != n:
        raise ValueError(f"cells has {len(cells)} names, but there are {n} cells")
    return n, size


def _errors(
    targets: Sequence[Target], whole: Sequence[np.ndarray], values: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Errors of all values, and whether they are known; else only their proportions are."""
    known = [t.of for t in targets if t.sd is not None]
    if known and len(known) < len(targets):
        unknown_sd = next(t.of for t in targets if t.sd is None)
        raise ValueError(
            f"{known[0]} has an error and {unknown_sd} has none: give sd for all targets, or for "
            "none, to have it estimated"
        )
    made = []
    for t, x in zip(targets, whole, strict=True):
        if t.sd is None:
            sd = np.ones_like(x) if unit_of(t.of) == "mV" else _SHARE * np.abs(x)
        else:
            shape = np.shape(t.values)
            sd = np.broadcast_to(np.asarray(t.sd, float), shape).reshape(x.shape)
        made.append(np.broadcast_to(sd, (values.shape[0], *values.shape[2:])))
    sd = np.stack(made, axis=1)
    return np.where(np.isfinite(values) & (sd > 0), sd, np.nan), bool(known)
