"""Units: one coherent system (um, s, amol, mV, fC, K), and conversion into it at the boundary.

In these units the equations of a membrane carry no factor: mM = amol/um^3, fA = fC/s,
pF = fC/mV, pS = fA/mV and J/mol = fC*mV/amol, exactly. A unit is a string in the grammar that
UDUNITS and pint share: symbols with SI prefixes, integer powers (``um^2``, ``um**2``, ``um2``,
``um-2``), products (``*``, ``.``, ``·``, a space), ``/`` and parentheses; ``1`` is no unit. As
there, a product and a quotient are read from left to right: ``J/mol/K`` is ``J/(mol K)``, and
``J/mol K`` is ``J K/mol``. The symbols mean what they mean in pint: M is mol/L (UDUNITS lacks it),
and cal is 4.184 J (in UDUNITS 4.1868 J).
"""

import difflib
import math
import re
import unicodedata
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

BASE = ("um", "s", "amol", "mV", "fC", "K")


class Measure(NamedTuple):
    """A unit as an exact factor to base units, and its exponents in the order of `BASE`."""

    factor: Fraction
    exponents: tuple[int, ...]

    def times(self, other: "Measure", power: int = 1) -> "Measure":
        """Give the unit ``self * other**power``."""
        exponents = zip(self.exponents, other.exponents, strict=True)
        return Measure(
            self.factor * other.factor**power, tuple(a + power * b for a, b in exponents)
        )


def _measure(factor: int | str | Fraction, *exponents: int) -> Measure:
    return Measure(Fraction(factor), exponents)


_ONE = _measure(1, 0, 0, 0, 0, 0, 0)
_PREFIXES = {"": 0, "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1}
_PREFIXES |= {"μ": -6, "k": 3, "M": 6, "G": 9, "T": 12}
_PREFIXED = {
    "m": _measure(10**6, 1, 0, 0, 0, 0, 0),
    "s": _measure(1, 0, 1, 0, 0, 0, 0),
    "mol": _measure(10**18, 0, 0, 1, 0, 0, 0),
    "V": _measure(10**3, 0, 0, 0, 1, 0, 0),
    "C": _measure(10**15, 0, 0, 0, 0, 1, 0),
    "K": _measure(1, 0, 0, 0, 0, 0, 1),
    "A": _measure(10**15, 0, -1, 0, 0, 1, 0),
    "S": _measure(10**12, 0, -1, 0, -1, 1, 0),
    "F": _measure(10**12, 0, 0, 0, -1, 1, 0),
    "ohm": _measure(Fraction(1, 10**12), 0, 1, 0, 1, -1, 0),
    "Ohm": _measure(Fraction(1, 10**12), 0, 1, 0, 1, -1, 0),
    "Ω": _measure(Fraction(1, 10**12), 0, 1, 0, 1, -1, 0),
    "J": _measure(10**18, 0, 0, 0, 1, 1, 0),
    "cal": _measure(Fraction("4.184") * 10**18, 0, 0, 0, 1, 1, 0),
    "L": _measure(10**15, 3, 0, 0, 0, 0, 0),
    "l": _measure(10**15, 3, 0, 0, 0, 0, 0),
    "M": _measure(10**3, -3, 0, 1, 0, 0, 0),
    "Hz": _measure(1, 0, -1, 0, 0, 0, 0),
    "Pa": _measure(1, -3, 0, 0, 1, 1, 0),
    "bar": _measure(10**5, -3, 0, 0, 1, 1, 0),
}
_SYMBOLS = {
    "min": _measure(60, 0, 1, 0, 0, 0, 0),
    "h": _measure(3600, 0, 1, 0, 0, 0, 0),
    "atm": _measure(101325, -3, 0, 0, 1, 1, 0),
    "mmHg": _measure("133.322387415", -3, 0, 0, 1, 1, 0),
} | {
    prefix + symbol: Measure(Fraction(10) ** power * measure.factor, measure.exponents)
    for symbol, measure in _PREFIXED.items()
    for prefix, power in _PREFIXES.items()
}
_OFFSET = {"degC", "degF", "°C", "°F", "celsius", "Celsius"}
_SPELLED = {
    **dict.fromkeys(("sec", "second", "seconds"), "s"),
    **dict.fromkeys(("minute", "minutes"), "min"),
    **dict.fromkeys(("hr", "hour", "hours"), "h"),
    **dict.fromkeys(("liter", "litre", "liters", "litres"), "L"),
    **dict.fromkeys(("meter", "metre"), "m"),
    **dict.fromkeys(("mole", "moles"), "mol"),
    **dict.fromkeys(("kelvin", "degK"), "K"),
    **{"micron": "um", "molar": "M", "volt": "V", "siemens": "S", "farad": "F", "joule": "J"},
}
_POWER = r"(?:(?:\^|\*\*)?([+-]?\d+))?"
_TOKEN = re.compile(
    rf"\s*(?:(?P<symbol>°?[^\W\d_]+){_POWER}|(?P<close>\)){_POWER}"
    r"|(?P<number>\d[\d.]*(?:[eE][+-]?\d+)?)|(?P<mark>[*·./(]))\s*"
)
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)", re.DOTALL)


def parse(unit: str) -> tuple[float, tuple[int, ...]]:
    """Read a unit: its size in base units, and its exponents of um, s, amol, mV, fC, K.

    Raises `ValueError` for an unknown or malformed unit and `TypeError` for what is not text.

    >>> parse("mS/cm^2")
    (10.0, (-2, -1, 0, -1, 1, 0))
    """
    measure = _parse(unit)
    return _float(measure.factor, unit), measure.exponents


def exponents(unit: str) -> tuple[int, ...]:
    """Give the exponents of um, s, amol, mV, fC, K in a unit.

    >>> exponents("um/s/mM")
    (4, -1, -1, 0, 0, 0)
    """
    return _parse(unit).exponents


def convert(value: Any, from_unit: str, to_unit: str) -> Any:
    """Convert a number or an array from one unit to another of the same dimension.

    ``value * factor(from_unit) / factor(to_unit)``, where the ratio of the factors is exact.

    Parameters
    ----------
    value : number, or array of any shape
        What to convert; a list gives a NumPy array, any other array keeps its kind.
    from_unit, to_unit : str
        Units, such as ``"mS/cm^2"`` and ``"pS/um^2"``.

    Raises
    ------
    ValueError
        If a unit is unknown, or the two differ in dimension.
    TypeError
        If the value is not a number.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.convert(1e-6, "cm/s", "um/s")
    0.01
    >>> jm.convert(300, "umol/m^2/s", "amol/um^2/s")
    300.0
    """
    if isinstance(value, (list, tuple)):
        value = np.asarray(value)
    kind = getattr(getattr(value, "dtype", None), "kind", "f")
    if isinstance(value, (str, bytes, bool)) or value is None or kind in "bOSU":
        raise TypeError(
            f"convert() needs a number or an array of numbers, but got {value!r};"
            f" write for example convert(1.0, {from_unit!r}, {to_unit!r})"
        )
    source, target = _parse(from_unit), _parse(to_unit)
    if source.exponents != target.exponents:
        raise ValueError(
            f"cannot convert {from_unit!r} to {to_unit!r}: the first is"
            f" {_dimension(source.exponents)} and the second {_dimension(target.exponents)}"
        )
    ratio = source.factor / target.factor
    # Multiplying by 1e-3 rounds twice, dividing by 1000 once: 1e-6 cm/s is then 0.01 um/s.
    return value * _float(ratio.numerator, from_unit) / _float(ratio.denominator, to_unit)


def quantity(entry: float | str, unit: str, where: str) -> float:
    """Read a number in package units, or a text with a unit of its own, as a number in `unit`.

    A bare number (also as text) is taken to be in `unit` already. `where` names the place for
    the message of the `ValueError` or `TypeError` that anything else raises.

    >>> quantity("2 mS/cm2", "pS/um^2", "[cell] leak_K.g")
    20.0
    >>> quantity(3.5, "mM", "[cell] bath.K")
    3.5
    """
    advice = "write a number"
    if unit != "1":
        advice += f" in {unit} or a text such as '1.5 {unit}'"
    if isinstance(entry, bool) or not isinstance(entry, (int, float, str, np.number)):
        raise TypeError(f"{where}: {entry!r} is not a quantity; {advice}")
    if isinstance(entry, str):
        match = _QUANTITY.fullmatch(entry.strip())
        if match is None or match[2][:1] in {",", "_", "."}:
            raise ValueError(f"{where}: {entry!r} does not begin with a number; {advice}")
        given = match[2] or unit
        try:
            value = convert(float(match[1]), given, unit)
        except ValueError as error:
            raise ValueError(f"{where}: {entry!r}: {error}; {advice}") from None
    else:
        value = float(entry)
    if not math.isfinite(value):
        raise ValueError(f"{where}: {entry!r} is not a finite number; {advice}")
    return value


def _float(factor: Fraction | int, unit: str) -> float:
    try:
        value = float(factor)
    except OverflowError:
        value = math.inf
    if value in (0.0, math.inf):
        raise ValueError(f"unit {unit!r} is too large or too small for a float64")
    return value


def _parse(unit: str) -> Measure:
    if not isinstance(unit, str):
        raise TypeError(f"a unit is a text such as 'pS/um^2', but got {unit!r}")
    return _product(unit)


@lru_cache(maxsize=1024)
def _product(unit: str) -> Measure:
    # NFKC makes one character of the two micro signs, and digits of superscripts.
    text = unicodedata.normalize("NFKC", unit).replace("\N{MINUS SIGN}", "-").strip()
    if not text:
        raise ValueError("a unit is empty; write '1' for a number without a unit")
    # One frame for each open parenthesis: the product so far, and the sign of the next power.
    frames = [_ONE]
    signs = [1]
    operand_due = True
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError(f"unit {unit!r}: {text[position]!r} has no meaning in a unit")
        position = token.end()
        symbol, power, close, close_power, number, mark = token.groups()
        if mark == "(":
            frames.append(_ONE)
            signs.append(1)
            operand_due = True
        elif mark or close:
            if operand_due or (close and len(frames) == 1):
                raise ValueError(f"unit {unit!r}: nothing stands before {mark or close!r}")
            if close:
                inner = frames.pop()
                signs.pop()
                frames[-1] = frames[-1].times(inner, signs[-1] * _power(close_power, unit))
            signs[-1] = -1 if mark == "/" else 1
            operand_due = not close
        else:
            inner = _lookup(symbol, unit) if symbol else _one(number, unit)
            frames[-1] = frames[-1].times(inner, signs[-1] * _power(power, unit))
            signs[-1] = 1
            operand_due = False
    if operand_due or len(frames) > 1:
        raise ValueError(f"unit {unit!r} ends too early: something is missing after {text!r}")
    return frames[0]


def _power(digits: str | None, unit: str) -> int:
    power = int(digits or 1)
    if not 1 <= abs(power) <= 12:
        raise ValueError(f"unit {unit!r}: the power {digits} is not between 1 and 12 in size")
    return power


def _one(number: str, unit: str) -> Measure:
    if number != "1":
        raise ValueError(
            f"unit {unit!r} has the number {number!r} in it; write the number before the unit,"
            " and powers as whole numbers"
        )
    return _ONE


def _lookup(symbol: str, unit: str) -> Measure:
    if symbol in _OFFSET:
        raise ValueError(
            f"unit {unit!r}: {symbol!r} has an offset; write temperatures in K (37 degC = 310.15 K)"
        )
    if symbol not in _SYMBOLS:
        where = f"unit {unit!r}: " if unit != symbol else ""
        raise ValueError(f"{where}unknown unit {symbol!r} ({_nearest(symbol)})")
    return _SYMBOLS[symbol]


def _nearest(symbol: str) -> str:
    near = [_SPELLED[symbol]] if symbol in _SPELLED else []
    near += [known for known in _SYMBOLS if known.lower() == symbol.lower()]
    near += difflib.get_close_matches(symbol, _SYMBOLS, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are {', '.join(_PREFIXED)} with SI prefixes, min, h, atm and mmHg"


def _dimension(powers: tuple[int, ...]) -> str:
    terms = [
        base if power == 1 else f"{base}^{power}"
        for base, power in zip(BASE, powers, strict=True)
        if power
    ]
    return f"[{' '.join(terms)}]" if terms else "a pure number"
