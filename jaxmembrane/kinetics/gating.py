"""Voltage gates: how fast they open and close, and what they let through.

A gate x of the Hodgkin-Huxley kind follows::

    dx/dt = alpha(V) (1 - x) - beta(V) x        rests at alpha / (alpha + beta)

and a channel with gates m^3 h has m^3 h times its open turnover.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any

import jax.numpy as jnp
from jax.nn import sigmoid

from ..params import is_number
from ..site import Site, Values
from .thermodynamic import bernoulli


@dataclass(frozen=True)
class Rate(ABC):
    """How fast a gate opens, or closes, at a potential V: one of the three shapes below.

    Parameters
    ----------
    rate : float
        Rate that scales it, 1/s.
    V : float
        Midpoint, mV.
    k : float
        Scale, mV; below zero where the rate falls with V.

    Raises
    ------
    ValueError
        If rate is not above zero, k is zero, or one of them is not a finite number.
    """

    rate: float
    V: float
    k: float

    def __post_init__(self):
        for f in fields(self):
            value = getattr(self, f.name)
            number = is_number(value) and isfinite(value)
            unit = "1/s above zero" if f.name == "rate" else "mV"
            if not number or (f.name == "rate" and value <= 0) or (f.name == "k" and value == 0):
                but = ", not zero" if f.name == "k" else ""
                raise ValueError(
                    f"{f.name} of {type(self).__name__} must be a number of {unit}{but}, "
                    f"not {value!r}"
                )

    @staticmethod
    @abstractmethod
    def shape(x: Any) -> Any:
        """The rate over `rate`, at x = (V - midpoint) / k."""


class ExponentialRate(Rate):
    """``rate exp(x)``, x = (V - midpoint) / k; see `Rate`.

    Examples
    --------
    >>> from jaxmembrane.kinetics.gating import ExponentialRate
    >>> ExponentialRate(rate=128.0, V=-53.0, k=-18.0)
    ExponentialRate(rate=128.0, V=-53.0, k=-18.0)
    """

    @staticmethod
    def shape(x: Any) -> Any:
        """``exp(x)``."""
        return jnp.exp(x)


class SigmoidRate(Rate):
    """``rate / (1 + exp(-x))``, x = (V - midpoint) / k; see `Rate`.

    Examples
    --------
    >>> from jaxmembrane.kinetics.gating import SigmoidRate
    >>> SigmoidRate(rate=4000.0, V=-30.0, k=5.0).k
    5.0
    """

    @staticmethod
    def shape(x: Any) -> Any:
        """``1 / (1 + exp(-x))``."""
        return sigmoid(x)


class ExpLinearRate(Rate):
    """``rate x / (1 - exp(-x))``, x = (V - midpoint) / k; see `Rate`.

    At the midpoint it is `rate`, and its derivatives are exact there. What is printed as
    ``A (V - midpoint) / (1 - exp(-(V - midpoint) / k))`` has rate = A k.

    Examples
    --------
    >>> from jaxmembrane.kinetics.gating import ExpLinearRate
    >>> ExpLinearRate(rate=1280.0, V=-52.0, k=4.0).rate  # 0.32/(ms mV), 4 mV
    1280.0
    """

    @staticmethod
    def shape(x: Any) -> Any:
        """``x / (1 - exp(-x))``."""
        return bernoulli(x)[1]


@dataclass(frozen=True)
class Gating:
    """Rate of a gate x, ``alpha (1 - x) - beta x``, alpha and beta by the potential."""

    gate: str
    opening: type[Rate]
    closing: type[Rate]

    def __call__(self, s: Site, p: Values) -> Any:
        x = s.gates[self.gate]
        alpha, beta = (
            p[rate] * kind.shape((s.V - p[f"V_{rate}"]) / p[f"k_{rate}"])
            for rate, kind in (
                (f"alpha_{self.gate}", self.opening),
                (f"beta_{self.gate}", self.closing),
            )
        )
        return alpha * (1.0 - x) - beta * x


@dataclass(frozen=True)
class Gated:
    """Share that a gate x lets through, ``x^n``."""

    gate: str
    power: int

    def __call__(self, s: Site, p: Values) -> Any:
        del p
        return s.gates[self.gate] ** self.power


@dataclass(frozen=True)
class Boltzmann:
    """Share that is open at once at a potential, ``1 / (1 + exp(-(V - V_gate) / k_gate))``."""

    gate: str

    def __call__(self, s: Site, p: Values) -> Any:
        return sigmoid((s.V - p[f"V_{self.gate}"]) / p[f"k_{self.gate}"])
