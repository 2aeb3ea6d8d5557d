"""Coordinates of a fit: each axis of a space as one unconstrained number, with its prior.

===============  ==========================  ==================  =====================
axis             parameter at coordinate x   natural coordinate  prior's half chi-square
===============  ==========================  ==================  =====================
``Uniform``      a + (b - a) s(x)            p                   0
``LogUniform``   a (b/a)^s(x)                ln p                0
``Normal``       mean + sd x                 p                   x^2 / 2
``LogNormal``    median exp(sigma x)         ln p                x^2 / 2
===============  ==========================  ==================  =====================

with the logistic function s(x) = 1/(1 + exp(-x)). A bounded axis has no place outside its bounds;
a Gaussian one pulls towards its middle as another measurement would. Errors of a parameter are
told in its natural coordinate, where its likelihood is closest to a Gaussian.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import logit, ndtri

from ..distributions import Distribution, LogNormal, LogUniform, Normal, Uniform
from ..space import Space

_KINDS = {Uniform: (True, False), LogUniform: (True, True)}
_KINDS |= {Normal: (False, False), LogNormal: (False, True)}
# A start at a bound has no slope to leave it by.
_EDGE = 1e-3


@dataclass(frozen=True)
class Axis:
    """One number that is fitted: the parameters that take it, and how it is spread.

    ``numbers`` of an axis are traced: its bounds, or its middle and spread, in the natural
    coordinate.
    """

    names: tuple[str, ...]
    bounded: bool
    log: bool

    def natural(self, x: Any, numbers: Any) -> Any:
        """The natural coordinate: p, or ln p."""
        low, width = numbers
        return low + width * (jax.nn.sigmoid(x) if self.bounded else x)

    def value(self, x: Any, numbers: Any) -> Any:
        """The parameter, in its own unit."""
        natural = self.natural(x, numbers)
        return jnp.exp(natural) if self.log else natural

    def slope(self, x: Any, numbers: Any) -> Any:
        """Derivative of the natural coordinate."""
        s = jax.nn.sigmoid(x)
        return numbers[1] * (s * (1.0 - s) if self.bounded else jnp.ones_like(x))


@dataclass(frozen=True)
class Coordinates:
    """All axes of a space, and their numbers: (axes, 2)."""

    axes: tuple[Axis, ...]
    numbers: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """Each axis by its first parameter."""
        return tuple(axis.names[0] for axis in self.axes)

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of each prior in its natural coordinate."""
        shares = [1.0 / sqrt(12.0) if axis.bounded else 1.0 for axis in self.axes]
        return self.numbers[:, 1] * shares

    def at(self, values: Sequence[Any]) -> np.ndarray:
        """Coordinates of parameter values, one array for each axis."""
        found = []
        for axis, (low, width), p in zip(self.axes, self.numbers, values, strict=True):
            with np.errstate(invalid="ignore", divide="ignore"):
                natural = np.log(p) if axis.log else np.asarray(p, float)
            share = (natural - low) / width
            found.append(logit(np.clip(share, _EDGE, 1.0 - _EDGE)) if axis.bounded else share)
        return np.stack(found)

    def starts(self, n: int, seed: int) -> np.ndarray:
        """Coordinates to begin at, (axes, n): the middle of the space, then Sobol points."""
        from scipy.stats import qmc

        cube = np.full((n, len(self.axes)), 0.5)
        if n > 1:
            sobol = qmc.Sobol(len(self.axes), scramble=True, rng=seed)
            cube[1:] = sobol.random_base2(int(np.ceil(np.log2(n))))[: n - 1]
        x = []
        for axis, q in zip(self.axes, cube.T, strict=True):
            q = np.clip(q, _EDGE, 1.0 - _EDGE)
            x.append(logit(q) if axis.bounded else ndtri(q))
        return np.stack(x)


def coordinates(free: Space) -> Coordinates:
    """Coordinates of the space that a fit searches.

    Raises
    ------
    TypeError
        For anything but a space.
    ValueError
        For axes that are no interval (`Choice`, `Grid`), or rules, which a fit does not have.
    """
    if not isinstance(free, Space):
        raise TypeError(
            "free must be a space, as jm.Space({'nka.j': jm.LogUniform(10, 1000)}), "
            f"not {type(free).__name__}"
        )
    if free.rules.derived or free.rules.where:
        raise ValueError("the space of a fit takes no derive= or where=: its axes are all there is")
    axes, numbers = [], []
    for names, spread in free.axes.items():
        kind = _KINDS.get(type(spread))
        if kind is None:
            raise ValueError(
                f"{names[0]} cannot be fitted over a {type(spread).__name__}: write Uniform, "
                "LogUniform, Normal or LogNormal"
            )
        axes.append(Axis(tuple(names), *kind))
        numbers.append(_numbers(spread))
    return Coordinates(tuple(axes), np.array(numbers, float))


def _numbers(spread: Distribution) -> tuple[float, float]:
    match spread:
        case Uniform(lower, upper):
            return lower, upper - lower
        case LogUniform(lower, upper):
            return float(np.log(lower)), float(np.log(upper / lower))
        case Normal(mean, sd):
            return mean, sd
        case LogNormal(median, sigma):
            return float(np.log(median)), sigma
    raise TypeError(f"{spread!r} has no coordinate")
