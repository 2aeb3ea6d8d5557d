"""What a fit has to meet: recorded values of one output, with their errors."""

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from .cell import Cell
from .naming import UnknownName, unknown
from .outputs import OUTPUTS, check_outputs, labels, shown_dims

AXES = ("cell", "condition", "time")
"""What the axes of recorded values are."""

POSITIVE = ("volume", "c", "osmolarity", "area", "input_resistance", "tau_m")
LARGEST = 1000.0  # mV: no membrane stands it, so that a larger number is in another unit


@dataclass(frozen=True, eq=False)
class Target:
    """Recorded values of one output of a cell, for a fit to meet.

    Parameters
    ----------
    of : str
        The output: ``"V"``, ``"input_resistance"``; with its entry where it has several:
        ``"c.Na"``, ``"flux.nka"``, ``"current.leak_K"``. Entries of a cell of several compartments
        or membranes begin with its name: ``"c.cytosol.Na"``, ``"V.membrane"``.
    values : array of shape (cells,), (cells, conditions) or (cells, conditions, times)
        What was recorded, in the unit of the output (mV, mM, um^3, mV/fA, s); NaN = missing.
    sd : float or array, optional
        Standard deviation of the error of measurement, in the unit of the output, as a number or an
        array that broadcasts against `values`. Without it the error is estimated from the fit.

    Raises
    ------
    ValueError
        If the shape is another, no value is there, an error is zero, negative or missing, a
        concentration, volume, resistance or time constant is not above zero, or a potential is
        beyond 1000 mV.
    TypeError
        If values or errors are not real numbers.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.target import Target
    >>> chloride = Target("c.Cl", [6.1, 5.4, 7.9], sd=0.5)
    >>> chloride.entry(jm.zoo.neuron())
    ('c', 2)
    """

    of: str
    values: Any
    sd: Any = None

    def __post_init__(self):
        if not isinstance(self.of, str):
            raise TypeError(f"a target is an output's name, as 'V' or 'c.Na', not {self.of!r}")
        values = _numbers(self.values, f"values of {self.of}")
        if not 1 <= values.ndim <= 3:
            raise ValueError(
                f"values of {self.of} must be of shape (cells,), (cells, conditions) or (cells, "
                f"conditions, times), not {values.shape}"
            )
        there = ~np.isnan(values)
        if not there.any():
            raise ValueError(
                f"values of {self.of} hold none that is not missing: give one at least"
            )
        lower, upper, right = limits(self.of)
        self._refuse("value", values, there & ~((values > lower) & (values < upper)), right)
        object.__setattr__(self, "values", values)
        if self.sd is not None:
            self._check_sd(there)

    def _check_sd(self, there: np.ndarray) -> None:
        sd = _numbers(self.sd, f"sd of {self.of}")
        try:
            each = np.broadcast_to(sd, there.shape)
        except ValueError:
            raise ValueError(
                f"sd of {self.of} must be one number or broadcast against the shape of its values, "
                f"{there.shape}, not {sd.shape}"
            ) from None
        self._refuse("sd", each, there & ~((each > 0) & (each < np.inf)), "a finite number above 0")
        object.__setattr__(self, "sd", sd if sd.shape else float(sd))

    def _refuse(self, what: str, numbers: np.ndarray, wrong: np.ndarray, right: str) -> None:
        if wrong.any():
            index = tuple(np.argwhere(wrong)[0])
            where = ", ".join(f"{axis} {i}" for axis, i in zip(AXES, index, strict=False))
            number = f"{numbers[index]:g} {unit_of(self.of)}".strip()
            raise ValueError(f"the {what} of {self.of} at {where} is {number}: it must be {right}")

    def entry(self, cell: Cell) -> tuple[str, int]:
        """Output, and place in the row-major list of that output's values.

        Raises
        ------
        UnknownName
            (a `KeyError`) for an output or an entry that the cell does not have.
        ValueError
            For an output of several values without its entry, or one that the cell cannot have.
        """
        return entry_of(self.of, cell)


@cache
def entries(cell: Cell) -> dict[str, tuple[str, int]]:
    """Every number that a target may be of, by name: its output and place among that one's values.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> entries(jm.zoo.neuron())["c.Cl"]
    ('c', 2)
    """
    found, label = {}, labels(cell)
    for output, o in OUTPUTS.items():
        if not o.needs(cell):
            of_dims = product(*(label[dim] for dim in shown_dims(cell, o.dims)))
            for place, names in enumerate(of_dims):
                found[".".join((output, *names))] = (output, place)
    return found


def entry_of(of: str, cell: Cell) -> tuple[str, int]:
    """Output and place of what a target is of; see `Target.entry`."""
    known = entries(cell)
    if of in known:
        return known[of]
    output, _, entry = of.partition(".")
    if output not in OUTPUTS:
        raise UnknownName(unknown("output", of, known))
    check_outputs([output], OUTPUTS, cell)
    names = [name for name, (its, _) in known.items() if its == output]
    if entry and names == [output]:
        raise UnknownName(f"{output} is one number in this cell: write {output}, not {of}")
    if entry:
        raise UnknownName(unknown(f"entry of {output}:", of, names))
    dims = " and a ".join(shown_dims(cell, OUTPUTS[output].dims))
    shown = [*names[:5], "..."] if len(names) > 6 else names
    choice = " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
    raise ValueError(f"{output} needs a {dims}: write {choice}")


def unit_of(of: str) -> str:
    """Unit of a target; nothing for one that no cell has."""
    output = OUTPUTS.get(of.partition(".")[0])
    return output.units if output else ""


def limits(of: str) -> tuple[float, float, str]:
    """Bounds between which a recorded value can lie, both excluded, and in words."""
    if unit_of(of) == "mV":
        return -LARGEST, LARGEST, f"within {LARGEST:g} mV of zero: is its unit right?"
    if of.partition(".")[0] in POSITIVE:
        return 0.0, np.inf, "a finite number above 0"
    return -np.inf, np.inf, "a finite number"


def _numbers(given: Any, what: str) -> np.ndarray:
    try:
        array = np.asarray(given)
    except ValueError:  # lists of unequal length
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{what} must be real numbers, with NaN where one is missing")
    return array.astype(float)
