"""Distributions: how the values of one axis of a space are spread.

Each is a frozen value with its quantile function `ppf`; numbers are in package units.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.special import ndtri

from .params import is_number

# The outermost quantiles of a Gaussian, 8.2 standard deviations from its middle.
_TAIL = 2.0**-53


class Distribution(ABC):
    """How the values of one axis are spread: a quantile function, and a description of it."""

    @abstractmethod
    def ppf(self, q: Any) -> np.ndarray:
        """Give the values at the quantiles `q` (0 to 1), elementwise."""

    def describe(self) -> dict[str, Any]:
        """Give the kind and its numbers, fit for JSON."""
        numbers = {entry.name: getattr(self, entry.name) for entry in fields(self)}  # type: ignore[arg-type]
        listed = {k: list(v) if isinstance(v, tuple) else v for k, v in numbers.items()}
        return {"distribution": type(self).__name__, **listed}


@dataclass(frozen=True)
class Uniform(Distribution):
    """Every value between two bounds is equally likely: ``lower + q (upper - lower)``."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        _check_bounds(self)
        if not math.isfinite(self.upper - self.lower):
            raise ValueError(f"{self}: the bounds are too far apart for a float64")

    def ppf(self, q: Any) -> np.ndarray:
        """Give the values at the quantiles `q`; at 0 and 1 the bounds, exactly."""
        q = np.asarray(q, np.float64)
        inside = np.minimum(self.lower + q * (self.upper - self.lower), self.upper)
        return np.where(q >= 1.0, self.upper, inside)

    def points(self, n: int) -> np.ndarray:
        """Give `n` equally spaced values, both bounds among them."""
        return np.linspace(self.lower, self.upper, n)


@dataclass(frozen=True)
class LogUniform(Distribution):
    """Every logarithm between two positive bounds is equally likely: ``lower (upper/lower)^q``."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        _check_bounds(self)
        if self.lower <= 0.0:
            raise ValueError(f"{self}: both bounds must be above zero; otherwise take Uniform")

    def ppf(self, q: Any) -> np.ndarray:
        """Give the values at the quantiles `q`; at 0 and 1 the bounds, exactly."""
        q = np.asarray(q, np.float64)
        low, high = math.log(self.lower), math.log(self.upper)
        with np.errstate(over="ignore"):  # beside the largest float64, until it is clipped
            inside = np.clip(np.exp(low + q * (high - low)), self.lower, self.upper)
        return np.where(q <= 0.0, self.lower, np.where(q >= 1.0, self.upper, inside))

    def points(self, n: int) -> np.ndarray:
        """Give `n` values in equal ratios, both bounds among them."""
        return np.geomspace(self.lower, self.upper, n)


@dataclass(frozen=True)
class Normal(Distribution):
    """Gaussian with a mean and a standard deviation, cut 8.2 of them from the mean."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_spread(self, "sd", self.sd)

    def ppf(self, q: Any) -> np.ndarray:
        """Give the values at the quantiles `q`, always finite."""
        return self.mean + self.sd * ndtri(np.clip(q, _TAIL, 1.0 - _TAIL))


@dataclass(frozen=True)
class LogNormal(Distribution):
    """Gaussian in ln x, with `sigma` as its standard deviation, cut 8.2 of them from the median."""

    median: float
    sigma: float

    def __post_init__(self) -> None:
        _check_numbers(self)
        if self.median <= 0.0:
            raise ValueError(f"{self}: median must be above zero")
        _check_spread(self, "sigma", self.sigma)

    def ppf(self, q: Any) -> np.ndarray:
        """Give the values at the quantiles `q`, always positive and finite."""
        return self.median * np.exp(self.sigma * ndtri(np.clip(q, _TAIL, 1.0 - _TAIL)))


@dataclass(frozen=True)
class Choice(Distribution):
    """One of some numbers, each equally likely; in a grid, every one of them."""

    values: Sequence[float]

    def __post_init__(self) -> None:
        _check_values(self)

    def ppf(self, q: Any) -> np.ndarray:
        """Give the values at the quantiles `q`: the smallest first."""
        return _pick(self.values, q)


@dataclass(frozen=True)
class Grid(Distribution):
    """The points of an axis of a grid, in the order given; in other designs a `Choice`."""

    values: Sequence[float]

    def __post_init__(self) -> None:
        _check_values(self)

    def ppf(self, q: Any) -> np.ndarray:
        """Give the values at the quantiles `q`: the smallest first."""
        return _pick(self.values, q)


def _number(value: Any, kind: str, name: str) -> float:
    if not is_number(value):
        raise TypeError(f"{kind}: {name} must be a number in package units, but got {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{kind}: {name} must be finite, but got {value!r}")
    return number


def _check_numbers(distribution: Any) -> None:
    for entry in fields(distribution):
        value = _number(getattr(distribution, entry.name), type(distribution).__name__, entry.name)
        object.__setattr__(distribution, entry.name, value)


def _check_bounds(distribution: Any) -> None:
    _check_numbers(distribution)
    if not distribution.lower < distribution.upper:
        raise ValueError(f"{distribution}: lower must be below upper")


def _check_spread(distribution: Distribution, name: str, spread: float) -> None:
    if spread <= 0.0:
        raise ValueError(f"{distribution}: {name} must be above zero")
    with np.errstate(all="ignore"):
        ends = distribution.ppf([0.0, 1.0])
    if not np.isfinite(ends).all() or (isinstance(distribution, LogNormal) and ends[0] == 0.0):
        raise ValueError(f"{distribution}: {name} is too large, its tails leave float64")


def _check_values(distribution: Any) -> None:
    kind, values = type(distribution).__name__, distribution.values
    try:
        given = [] if isinstance(values, (str, bytes)) else list(values)
    except TypeError:
        given = []
    if not given:
        raise ValueError(f"{kind}: values must be a sequence of numbers, but got {values!r}")
    numbers = tuple(_number(value, kind, f"values[{k}]") for k, value in enumerate(given))
    if len(set(numbers)) < len(numbers):
        twice = next(number for number in numbers if numbers.count(number) > 1)
        raise ValueError(f"{kind}: {twice!r} stands twice in values; write each number once")
    object.__setattr__(distribution, "values", numbers)


def _pick(values: Sequence[float], q: Any) -> np.ndarray:
    place = np.floor(np.asarray(q, np.float64) * len(values)).astype(np.int64)
    return np.sort(np.array(values))[np.minimum(place, len(values) - 1)]
