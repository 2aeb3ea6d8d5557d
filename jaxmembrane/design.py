"""Designs: which parameter sets are run, row by row.

A design is a place to take rows from (`CubePoints`, `GridPoints`, `TablePoints`), the parameters
that those rows set, and the `Rules` for derived parameters and forbidden rows. A row depends on
the design and its index alone, never on the slice that it is asked in.
"""

import hashlib
import math
import operator
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy.stats import qmc

from .expression import Known, Rules

SOBOL_DIMENSIONS = qmc.Sobol.MAXDIM
# scipy's fast_forward fails beyond 32 bits (ValueError: Buffer dtype mismatch, in 1.17).
SOBOL_BITS = 32
# Rows are computed in blocks that start at a multiple of this: a vectorised loop may treat a lone
# row, or the tail of an array, by another code path with other last bits.
BLOCK = 64


@dataclass(frozen=True)
class CubePoints:
    """Points of the unit cube (``sobol``, ``random``, ``latin``), mapped by distributions."""

    kind: str
    distributions: tuple[Any, ...]
    seed: int
    n: int

    @property
    def extendable(self) -> bool:
        """Whether a design with more rows begins with these: all but Latin."""
        return self.kind != "latin"

    def columns(self, start: int, stop: int) -> list[np.ndarray]:
        """Give the quantiles at the points of the cube."""
        dims = len(self.distributions)
        if self.kind == "sobol":
            cube = _sobol_stream(dims, self.seed).rows(start, stop)
        elif self.kind == "random":
            cube = _uniform(dims, self.seed, start, stop)
        else:
            cube = _latin(dims, self.seed, self.n)[start:stop]
        return [
            distribution.ppf(np.ascontiguousarray(quantiles))
            for distribution, quantiles in zip(self.distributions, cube.T, strict=True)
        ]

    def describe(self) -> list[dict[str, Any]]:
        """Give the distribution of every axis."""
        return [distribution.describe() for distribution in self.distributions]


@dataclass(frozen=True)
class GridPoints:
    """Every combination of the points of all axes; the first axis is the slowest."""

    points: tuple[tuple[float, ...], ...]

    kind: ClassVar[str] = "grid"
    extendable: ClassVar[bool] = False

    def columns(self, start: int, stop: int) -> list[np.ndarray]:
        """Give the coordinates of the given rows."""
        places = np.unravel_index(np.arange(start, stop), [len(axis) for axis in self.points])
        return [np.array(axis)[place] for axis, place in zip(self.points, places, strict=True)]

    def describe(self) -> list[dict[str, Any]]:
        """Give the points of every axis."""
        return [{"points": list(axis)} for axis in self.points]


@dataclass(frozen=True, eq=False)
class TablePoints:
    """Rows that are given as they are."""

    values: tuple[np.ndarray, ...] = field(repr=False)

    kind: ClassVar[str] = "table"
    extendable: ClassVar[bool] = False

    def columns(self, start: int, stop: int) -> list[np.ndarray]:
        """Give the given rows."""
        return [column[start:stop] for column in self.values]

    def describe(self) -> list[dict[str, Any]]:
        """Give a digest of every column."""
        return [
            {"sha256": hashlib.sha256(column.astype("<f8").tobytes()).hexdigest()}
            for column in self.values
        ]


PointSource = CubePoints | GridPoints | TablePoints


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
        Seed of ``sobol``, ``random`` and ``latin``.
    """

    n: int
    axes: tuple[tuple[str, ...], ...]
    source: PointSource
    rules: Rules = field(default_factory=Rules)
    seed: int | None = None

    def __repr__(self) -> str:
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"<{self.kind} design of {self.n} rows{seed}: {', '.join(self.names)}>"

    @property
    def kind(self) -> str:
        """One of ``sobol``, ``random``, ``latin``, ``grid``, ``table``."""
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
        if not 0 <= start <= stop <= self.n:
            raise IndexError(f"rows {start} to {stop} are not within the {self.n} rows of a design")
        ours = set(self.names)
        # A rule that comes too early must not find the fixed value of what is derived after it.
        values: dict[str, Any] = {k: v for k, v in (fixed or {}).items() if k not in ours}
        known = Known(values | dict.fromkeys(self.names))
        for reader, name in self.rules.reads():
            known.require(name, reader)
        first = min(start, self.n - 1) // BLOCK * BLOCK
        last = first + BLOCK * max(1, math.ceil((stop - first) / BLOCK))
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


class _SobolStream:
    """A scrambled Sobol sequence at any row; going on from the last row asked for costs nothing."""

    def __init__(self, dims: int, seed: int) -> None:
        self._engine = qmc.Sobol(dims, scramble=True, bits=SOBOL_BITS, rng=seed)
        self._lock = threading.Lock()

    def rows(self, start: int, stop: int) -> np.ndarray:
        with self._lock:
            if start < self._engine.num_generated:
                self._engine.reset()
            if start > self._engine.num_generated:
                self._engine.fast_forward(start - self._engine.num_generated)
            if start > 0:
                return self._engine.random(stop - start)
            # The first row by itself: scipy warns when the first draw is no power of two.
            return np.concatenate([self._engine.random(1), self._engine.random(stop - 1)])


_sobol_stream = lru_cache(maxsize=8)(_SobolStream)


def _uniform(dims: int, seed: int, start: int, stop: int) -> np.ndarray:
    """Rows of uniform numbers in [0, 1): 53 bits of a counter-based stream, addressed by row."""
    # The counter of Philox goes up once in four words; a block of rows always starts on a count.
    stream = np.random.Philox(np.random.SeedSequence(seed)).advance(start * dims // 4)
    words = stream.random_raw((stop - start) * dims)
    return ((words >> np.uint64(11)) * 2.0**-53).reshape(-1, dims)


@lru_cache(maxsize=2)
def _latin(dims: int, seed: int, n: int) -> np.ndarray:
    """One point in each of `n` equal strata of every axis, in random order."""
    numbers = _uniform(2 * dims, seed, 0, n)
    order = np.argsort(np.ascontiguousarray(numbers[:, dims:].T), axis=1, kind="stable")
    cube = (order.T + numbers[:, :dims]) / n
    cube.flags.writeable = False
    return cube
