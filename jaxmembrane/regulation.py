"""Regulation: factors on a turnover, as drugs, kinases and allosteric ions put there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .params import Param
from .site import RateLaw, Site, Values


@dataclass(frozen=True)
class Regulation:
    """A factor on a transporter's turnover that never enters its free energy.

    Parameters
    ----------
    factor : callable
        ``factor(s, p)``, a number without unit, zero or more.
    params, gates, shared : mapping
        What it brings, as for `Transporter`.
    source : str
        Where factor and constants come from.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> def half(s, p):
    ...     return p.share
    >>> slower = jm.Regulation(half, {"share": jm.Param(0.5, "1", "working share")})
    >>> jm.kcc2().regulated(slower).params[-1][0]
    'share'
    """

    factor: RateLaw
    params: Mapping[str, Param] = field(default_factory=dict)
    gates: Mapping[str, RateLaw] = field(default_factory=dict)
    shared: Mapping[str, Param] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True)
class Regulated:
    """A rate law times a factor."""

    law: RateLaw
    factor: RateLaw

    def __call__(self, s: Site, p: Values) -> Any:
        return self.factor(s, p) * self.law(s, p)
