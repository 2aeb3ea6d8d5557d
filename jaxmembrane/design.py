"""Designs: which parameter sets are run, row by row.

A design is a source of rows (`points`, `blocks`), the parameters that those rows set, and the
`Rules` for derived parameters and forbidden rows. A row depends on the design and its index alone,
never on the slice that it is asked in.
"""

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .blocks import BlockPoints
from .expression import Known, Rules
from .points import CubePoints, GridPoints, TablePoints

# Rows are computed in stretches that start at a multiple of this: a vectorised loop may treat a
# lone row, or the tail of an array, by another code path with other last bits.
STRETCH = 64

PointSource = CubePoints | GridPoints | TablePoints | BlockPoints


@dataclass(frozen=True, eq=False)
class Design:
    """Parameter sets to run, by row number; made by a `Space` or by `table`.

    Attributes
    ----------
    n : int
        Number of rows.
    axes : tuple of tuple of str
        The parameters of every axis; those of a linked axis share one number.
    source : PointSource
        Where the values of the axes come from.
    rules : Rules
        Derived parameters and constraints.
    seed : int or None
        Seed of all but ``grid`` and ``table``.
    """

    n: int
    axes: tuple[tuple[str, ...], ...]
    source: PointSource
    rules: Rules = field(default_factory=Rules)
    seed: int | None = None

    def __repr__(self) -> str:
        seed = "" if self.seed is None else f", seed {self.seed}"
        blocks = ""
        if isinstance(self.source, BlockPoints):
            blocks = f" ({self.n // self.source.width} blocks of {self.source.width})"
        return f"<{self.kind} design of {self.n} rows{blocks}{seed}: {', '.join(self.names)}>"

    @property
    def kind(self) -> str:
        """``sobol``, ``random``, ``latin``, ``grid``, ``table``, ``saltelli`` or ``morris``."""
        return self.source.kind

    @property
    def extendable(self) -> bool:
        """Whether the same design with more rows begins with these rows."""
        return self.source.extendable

    @property
    def names(self) -> tuple[str, ...]:
        """All parameters that a row sets: swept and linked ones, then derived ones."""
        swept = [name for axis in self.axes for name in axis]
        return (*swept, *self.rules.derived)

    @property
    def needs(self) -> tuple[str, ...]:
        """Fixed parameters that the rules read; those read by functions are not known."""
        ours = set(self.names)
        return tuple(dict.fromkeys(name for _, name in self.rules.reads() if name not in ours))

    @property
    def dims(self) -> dict[str, tuple[float, ...]] | None:
        """Points of every axis of a grid, named by its first parameter; else None."""
        if not isinstance(self.source, GridPoints):
            return None
        return {axis[0]: points for axis, points in zip(self.axes, self.source.points, strict=True)}

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Number of points of every axis of a grid; else None."""
        return None if self.dims is None else tuple(map(len, self.dims.values()))

    def rows(
        self, start: int, stop: int, fixed: Mapping[str, float] | None = None
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Give the parameters of rows ``start`` to ``stop - 1``, and which rows are valid.

        Parameters
        ----------
        start, stop : int
            The slice, with ``0 <= start <= stop <= n``.
        fixed : mapping of str to float, optional
            The parameters that no row sets; all of `needs` must be among them.

        Returns
        -------
        values : dict of str to ndarray, shape (stop - start,)
            A float64 array for each of `names`, in that order.
        valid : ndarray of bool, shape (stop - start,)
            False where a constraint is broken or a derived parameter is not finite.

        Raises `IndexError` for rows that the design does not have and `UnknownName` (a `KeyError`)
        when a rule reads a parameter that is neither set nor fixed.
        """
        start, stop = operator.index(start), operator.index(stop)  # streams refuse NumPy's integers
        if not 0 <= start <= stop <= self.n:
            raise IndexError(f"rows {start} to {stop} are not within the {self.n} rows of a design")
        ours = set(self.names)
        # A rule that comes too early must not find the fixed value of what is derived after it.
        values: dict[str, Any] = {k: v for k, v in (fixed or {}).items() if k not in ours}
        known = Known(values | dict.fromkeys(self.names))
        for reader, name in self.rules.reads():
            known.require(name, reader)
        first = min(start, self.n - 1) // STRETCH * STRETCH
        last = first + STRETCH * max(1, math.ceil((stop - first) / STRETCH))
        last = last if self.extendable else min(last, self.n)
        for axis, column in zip(self.axes, self.source.columns(first, last), strict=True):
            column.flags.writeable = False
            values |= dict.fromkeys(axis, column)
        valid = self.rules.apply(values, last - first)
        part = slice(start - first, stop - first)
        return {name: values[name][part].copy() for name in self.names}, valid[part].copy()

    def describe(self) -> dict[str, Any]:
        """Give what determines the rows, fit for JSON: equal descriptions mean equal rows.

        The number of rows is part of it only where the design cannot be extended.
        """
        axes = zip(self.axes, self.source.describe(), strict=True)
        described = {
            "kind": self.kind,
            "seed": self.seed,
            "axes": [{"names": list(names), **what} for names, what in axes],
            **self.rules.describe(),
        }
        if isinstance(self.source, BlockPoints):
            described |= self.source.layout()
        return described if self.extendable else described | {"n": self.n}


def whole_number(value: Any, what: str, least: int) -> int:
    """Check a number of rows, points or a seed; `what` names it for the message."""
    advice = f"{what} must be a whole number, {least} or more, but got {value!r}"
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(advice)
    try:
        number = operator.index(value)
    except TypeError:
        if isinstance(value, float) and value.is_integer():
            advice += f"; write {value:.0f}"
        raise TypeError(advice) from None
    if number < least:
        raise ValueError(advice)
    return number
