"""Where the rows of a design come from: the unit cube, a grid, a table.

A source gives the values of every axis for any slice of its rows; a row depends on the source and
its index alone, never on the slice that it is asked in.
"""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy.stats import qmc

from .distributions import Distribution

SOBOL_DIMENSIONS = qmc.Sobol.MAXDIM
# scipy's fast_forward fails beyond 32 bits (ValueError: Buffer dtype mismatch, in 1.17).
SOBOL_BITS = 32


@dataclass(frozen=True)
class CubePoints:
    """Points of the unit cube (``sobol``, ``random``, ``latin``), mapped by distributions."""

    kind: str
    distributions: tuple[Distribution, ...]
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
            cube = sobol_stream(dims, self.seed).rows(start, stop)
        elif self.kind == "random":
            cube = uniform(dims, self.seed, start, stop)
        else:
            cube = _latin(dims, self.seed, self.n)[start:stop]
        return at_quantiles(self.distributions, cube)

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


def at_quantiles(distributions: Sequence[Distribution], cube: np.ndarray) -> list[np.ndarray]:
    """Values of every axis at points of the cube (rows, axes)."""
    return [
        distribution.ppf(np.ascontiguousarray(quantiles))
        for distribution, quantiles in zip(distributions, cube.T, strict=True)
    ]


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


sobol_stream = lru_cache(maxsize=8)(_SobolStream)


def uniform(dims: int, seed: int, start: int, stop: int) -> np.ndarray:
    """Rows of uniform numbers in [0, 1): 53 bits of a counter-based stream, addressed by row."""
    # The counter of Philox goes up once in four words; a stretch of rows always starts on a count.
    stream = np.random.Philox(np.random.SeedSequence(seed)).advance(start * dims // 4)
    words = stream.random_raw((stop - start) * dims)
    return ((words >> np.uint64(11)) * 2.0**-53).reshape(-1, dims)


@lru_cache(maxsize=2)
def _latin(dims: int, seed: int, n: int) -> np.ndarray:
    """One point in each of `n` equal strata of every axis, in random order."""
    numbers = uniform(2 * dims, seed, 0, n)
    order = np.argsort(np.ascontiguousarray(numbers[:, dims:].T), axis=1, kind="stable")
    cube = (order.T + numbers[:, :dims]) / n
    cube.flags.writeable = False
    return cube
