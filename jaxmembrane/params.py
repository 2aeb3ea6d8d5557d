"""Parameters: declared with a nominal value, a unit and a domain; given as one flat mapping.

The name of a parameter is ``owner.name`` (``leak_K.g``, ``bath.K``), or bare (``T``, ``ATP``).
That one string names it in a space, a sweep, a store, a gradient, a table and a study file.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from .naming import UnknownName, unknown
from .units import parse

DOMAINS = {
    "real": "a finite number",
    "nonnegative": "a finite number, zero or more",
    "positive": "a finite number above zero",
    "fraction": "a number between 0 and 1",
}


def is_number(value: Any) -> bool:
    """Whether a value is one real number; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


@dataclass(frozen=True)
class Param:
    """A declared parameter: nominal value, unit, domain, and what it means.

    Parameters
    ----------
    nominal : float
        Value where the user gives none, in `unit`.
    unit : str
        A unit that `jaxmembrane.convert` understands, in the package's system.
    long_name : str
        What it is, as on an axis label.
    domain : {"nonnegative", "positive", "real", "fraction"}
        Where it may lie; a row outside gets the status ``invalid``.

    Raises
    ------
    ValueError
        If the unit does not parse, or the nominal value lies outside the domain.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.Param(0.7, "pS/um^2", "conductance").unit
    'pS/um^2'
    """

    nominal: float
    unit: str
    long_name: str = ""
    domain: str = "nonnegative"

    def __post_init__(self):
        factor, _ = parse(self.unit)
        if factor != 1:
            raise ValueError(
                f"unit {self.unit!r} of a parameter must be one of the package's system (um, s, "
                "amol, mV, fC, K, thus mM, pS, pF, fA): convert the value with jm.convert"
            )
        if self.domain not in DOMAINS:
            raise ValueError(unknown("domain", self.domain, DOMAINS))
        object.__setattr__(self, "nominal", float(self.nominal))
        if not self.allows(self.nominal):
            raise ValueError(f"nominal value {self.nominal} must be {DOMAINS[self.domain]}")

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value; a positive parameter excludes its lower bound."""
        lower = -math.inf if self.domain == "real" else 0.0
        return lower, 1.0 if self.domain == "fraction" else math.inf

    def allows(self, value: Any) -> Any:
        """Whether a value, or each of an array's, lies in the domain (NaN never does)."""
        lower, upper = self.bounds
        inside = (value > lower) if self.domain == "positive" else (value >= lower)
        return inside & (value <= upper) & (abs(value) < math.inf)


def check_params(
    declared: Mapping[str, Param], given: Mapping[str, Any], what: str = "parameter"
) -> None:
    """Refuse names that are not declared, and numbers outside their domain.

    Raises
    ------
    UnknownName
        (a `KeyError`) for a name that the cell does not have, with the nearest one.
    ValueError
        For anything but real numbers or arrays of them, or for one number outside its domain.
    """
    for name, value in given.items():
        if name not in declared:
            raise UnknownName(unknown(what, name, declared))
        unit, domain = declared[name].unit, DOMAINS[declared[name].domain]
        dtype = getattr(value, "dtype", None)
        if dtype is None:
            try:
                value = np.asarray(value)
            except ValueError:  # lists of unequal length
                value = np.asarray(None)
            dtype = value.dtype
        if np.dtype(dtype).kind not in "iuf":
            shown = repr(given[name]) if np.ndim(value) == 0 else f"an array of {dtype}"
            raise ValueError(f"{what} {name} must be a real number in {unit}, not {shown}")
        if isinstance(value, (np.ndarray, np.generic)) and not value.shape:
            number = float(value)
            if not declared[name].allows(number):
                raise ValueError(f"{what} {name} must be {domain}, not {number:g} {unit}")


def inside_domain(declared: Mapping[str, Param], params: Mapping[str, Any]) -> Any:
    """Whether all parameters lie in their domains, by lane."""
    valid: Any = True
    for name, param in declared.items():
        valid = valid & param.allows(params[name])
    return valid
