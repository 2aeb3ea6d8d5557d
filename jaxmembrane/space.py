"""Spaces: named parameters with their distributions, and the rules between them.

A space says which parameters vary and how; `Space.sobol` and its sisters turn it into a `Design`,
the rows that are run.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .blocks import BlockPoints, MorrisPoints, SaltelliPoints, grouped
from .design import Design, whole_number
from .distributions import Choice, Distribution, Grid, LogUniform, Uniform
from .expression import Rule, Rules, read
from .naming import UnknownName, unknown
from .params import is_number
from .points import SOBOL_BITS, SOBOL_DIMENSIONS, CubePoints, GridPoints, TablePoints

_NAME = r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*"


@dataclass(frozen=True, eq=False)
class Space:
    """A parameter space: which parameters vary, how, and what ties them together.

    Parameters
    ----------
    axes : mapping of str, or tuple of str, to Distribution
        Under a tuple of names, all of them get one and the same number (a linked axis).
    derive : mapping of str to str or function, optional
        Parameters computed from others: arithmetic over parameter names (``+ - * / **``,
        parentheses, min, max, sqrt, exp, log, abs), or a function of a mapping from name to array.
        A text may read swept, derived and fixed parameters; a function reads swept and fixed
        ones, and those derived before it in the order written.
    where : sequence of str or function, optional
        Conditions (``"bath.K < bath.Na"``, with and, or, not). A row that breaks one, or has a
        derived value that is not finite, keeps its index and is not valid.

    Raises
    ------
    ValueError, TypeError
        If a parameter is set twice, a rule cannot be read, or derived parameters form a circle.

    Notes
    -----
    A function is told from another by its name and code, not by what it closes over; a text has
    no such blind spot, so prefer it where a store is to be resumed.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> space = jm.Space(
    ...     {"bath.K": jm.Uniform(2.0, 12.0), "bath.Na": jm.Choice([140.0, 145.0])},
    ...     derive={"bath.Cl": "bath.Na + bath.K - 29.5"},
    ... )
    >>> values, valid = space.grid(n=3).rows(0, 6)
    >>> print(values["bath.Cl"], valid.all())
    [112.5 117.5 117.5 122.5 122.5 127.5] True
    """

    axes: Mapping[Any, Distribution]
    derive: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    where: Any = field(default=(), kw_only=True)
    rules: Rules = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.axes, Mapping) or not self.axes:
            raise ValueError(
                "a space needs axes, such as Space({'bath.K': Uniform(2.0, 12.0)}), but got"
                f" {self.axes!r}"
            )
        axes = {key if isinstance(key, tuple) else (key,): d for key, d in self.axes.items()}
        derive = {} if self.derive is None else self.derive
        if not isinstance(derive, Mapping):
            raise TypeError(f"derive must be a mapping from name to rule, but got {derive!r}")
        taken: set[str] = set()
        for names, distribution in axes.items():
            _check_distribution(names, distribution)
            for name in names:
                _check_parameter(name)
                if name in taken:
                    raise ValueError(f"parameter {name!r} stands in two axes; keep one of them")
                taken.add(name)
        for name in derive:
            _check_parameter(name)
            if name in taken:
                raise ValueError(f"parameter {name!r} is both swept and derived; keep one of them")
        derived = {name: read(rule, f"derive[{name!r}]") for name, rule in derive.items()}
        where = (self.where,) if isinstance(self.where, str) or callable(self.where) else self.where
        conditions = [read(rule, f"where[{k}]", condition=True) for k, rule in enumerate(where)]
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "rules", Rules(derived, _order(derived), tuple(conditions)))

    def sobol(self, n: int, seed: int = 0) -> Design:
        """Design of `n` points of a scrambled Sobol sequence, which fill the space evenly.

        A row depends on the space, the seed and its index alone, so the design can be extended;
        `n` need not be a power of two, though the points are best balanced where it is one.
        """
        if len(self.axes) > SOBOL_DIMENSIONS or whole_number(n, "n", 1) > 2**SOBOL_BITS:
            raise ValueError(
                f"a Sobol design has up to {SOBOL_DIMENSIONS} axes and 2^{SOBOL_BITS} rows, not"
                f" {len(self.axes)} and {n}; take random() instead"
            )
        return self._cube("sobol", n, seed)

    def random(self, n: int, seed: int = 0) -> Design:
        """Design of `n` independent random points; it can be extended."""
        return self._cube("random", n, seed)

    def latin(self, n: int, seed: int = 0) -> Design:
        """Latin hypercube: one point in each of `n` equal strata of every axis.

        Every row depends on `n`, so that this design cannot be extended.
        """
        return self._cube("latin", n, seed)

    def grid(self, n: int | Mapping[Any, int] | None = None) -> Design:
        """Every combination of the points of all axes, the first axis slowest.

        Parameters
        ----------
        n : int, or mapping from a parameter to int, optional
            Number of points of `Uniform` and `LogUniform` axes, equally spaced in their own
            scale with both bounds among them; `Grid` and `Choice` have their own points.
        """
        counts = self._counts(n)
        points = []
        for names, distribution in self.axes.items():
            if isinstance(distribution, (Grid, Choice)):
                points.append(tuple(distribution.values))
            elif names not in counts:
                raise ValueError(f"axis {names[0]!r} has no points: {_points_advice(distribution)}")
            else:
                points.append(tuple(distribution.points(counts[names]).tolist()))  # pyright: ignore
        rows = math.prod(map(len, points))
        if rows > 2**53:
            raise ValueError(f"this grid would have {rows:.1e} rows; take fewer points, or sobol()")
        return Design(rows, tuple(self.axes), GridPoints(tuple(points)), self.rules)

    def saltelli(
        self,
        n: int,
        seed: int = 0,
        *,
        second_order: bool = False,
        groups: Mapping[str, Sequence[str]] | None = None,
    ) -> Design:
        """Design for `jaxmembrane.sensitivity.sobol`: `n` blocks around pairs of Sobol points.

        Every block has two points, and for each of D axes one (with `second_order` two) between
        them, D + 2 or 2 D + 2 rows; `groups` are axes that move as one, by name, and every other
        axis stands for itself. The design can be extended; `n` is best a power of two.
        """
        n, seed = whole_number(n, "n", 1), whole_number(seed, "seed", 0)
        if 2 * len(self.axes) > SOBOL_DIMENSIONS or n > 2 ** (SOBOL_BITS - 1):
            raise ValueError(
                f"a Saltelli design has up to {SOBOL_DIMENSIONS // 2} axes and 2^{SOBOL_BITS - 1}"
                f" blocks, not {len(self.axes)} and {n}; take morris() to choose among axes"
            )
        spread, members = tuple(self.axes.values()), grouped(tuple(self.axes), groups)
        return self._blocks(n, SaltelliPoints(spread, seed, members, bool(second_order)))

    def morris(
        self,
        n: int,
        seed: int = 0,
        *,
        levels: int = 4,
        groups: Mapping[str, Sequence[str]] | None = None,
    ) -> Design:
        """Design for `jaxmembrane.sensitivity.morris`: `n` trajectories over levels of the space.

        In a trajectory each of D axes, or groups of them, moves once, by half of the `levels` (an
        even number) of its quantiles: D + 1 rows. Uniform axes have their bounds among the levels,
        other ones the middles of equal shares. The design can be extended.
        """
        n, seed = whole_number(n, "n", 1), whole_number(seed, "seed", 0)
        levels = whole_number(levels, "levels", 2)
        if levels % 2:
            raise ValueError(f"levels must be an even number, but got {levels}")
        for names, axis in self.axes.items():
            if isinstance(axis, (Choice, Grid)) and levels % len(axis.values):
                raise ValueError(
                    f"axis {names[0]!r} has {len(axis.values)} values, which do not share {levels}"
                    f" levels evenly; take levels={math.lcm(2, len(axis.values))}"
                )
        spread, members = tuple(self.axes.values()), grouped(tuple(self.axes), groups)
        return self._blocks(n, MorrisPoints(spread, seed, members, levels))

    def _blocks(self, n: int, source: BlockPoints) -> Design:
        return Design(n * source.width, tuple(self.axes), source, self.rules, source.seed)

    def _counts(self, n: Any) -> dict[tuple[str, ...], int]:
        spread = [names for names, d in self.axes.items() if isinstance(d, (Uniform, LogUniform))]
        if n is None:
            return {}
        if not isinstance(n, Mapping):
            return dict.fromkeys(spread, whole_number(n, "n", 2))
        counts = {}
        for key, count in n.items():
            names = next((names for names in self.axes if key == names or key in names), None)
            if names is None:
                swept = [name for names in self.axes for name in names]
                raise UnknownName(unknown("axis", key, swept))
            if names not in spread:
                raise ValueError(f"n[{key!r}]: a {type(self.axes[names]).__name__} axis takes no n")
            counts[names] = whole_number(count, f"n[{key!r}]", 2)
        return counts

    def _cube(self, kind: str, n: int, seed: int) -> Design:
        n, seed = whole_number(n, "n", 1), whole_number(seed, "seed", 0)
        source = CubePoints(kind, tuple(self.axes.values()), seed, n)
        return Design(n, tuple(self.axes), source, self.rules, seed)


def table(data: Any) -> Design:
    """Make a design of given rows: a pandas DataFrame, or a mapping of equally long columns.

    Every column is named by its parameter and holds finite numbers in package units.

    Raises
    ------
    ValueError, TypeError
        For text or missing values (which column, which row), unequal lengths, or no rows.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> design = jm.table({"bath.K": [3.5, 5.0, 12.0], "bath.Na": [145.0, 143.5, 136.5]})
    >>> design.n, design.names
    (3, ('bath.K', 'bath.Na'))
    """
    names = list(data) if isinstance(data, Mapping) else list(getattr(data, "columns", ()))
    if not names:
        raise ValueError("a table needs columns: give a DataFrame, or {'bath.K': [3.5, 5.0]}")
    for name in names:
        _check_parameter(name)
        if names.count(name) > 1:
            raise ValueError(f"column {name!r} stands twice in the table; keep one of them")
    columns = {name: _table_column(name, data[name]) for name in names}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of a table must be equally long, but have lengths {lengths}")
    rows = lengths[names[0]]
    if rows == 0:
        raise ValueError("a table needs at least one row, but its columns are empty")
    return Design(rows, tuple((name,) for name in names), TablePoints(tuple(columns.values())))


def _points_advice(distribution: Distribution) -> str:
    if isinstance(distribution, (Uniform, LogUniform)):
        return "give their number by n, such as grid(n=11)"
    return f"for a grid take Grid, Choice, Uniform or LogUniform, not {distribution}"


def _order(derived: Mapping[str, Rule]) -> tuple[str, ...]:
    """Order derived parameters so that each stands after those that its text reads."""
    order: list[str] = []

    def place(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " reads ".join(map(repr, (*path[path.index(name) :], name)))
            raise ValueError(f"derived parameters form a circle: {circle}")
        if name in derived and name not in order:
            for other in derived[name].names:
                place(other, (*path, name))
            order.append(name)

    for name in derived:
        place(name, ())
    return tuple(order)


def _check_distribution(names: Any, distribution: Any) -> None:
    if isinstance(distribution, Distribution):
        return
    pair = isinstance(distribution, (tuple, list)) and len(distribution) == 2
    advice = f"Uniform{tuple(distribution)}" if pair else "for example Uniform(lower, upper)"
    label = names[0] if len(names) == 1 else names
    raise TypeError(f"axis {label!r}: {distribution!r} is not a distribution; write {advice}")


def _check_parameter(name: Any) -> None:
    """Refuse what cannot be the name of a parameter: ``owner.name``, or a bare name."""
    if not isinstance(name, str) or not re.fullmatch(_NAME, name):
        raise ValueError(
            f"{name!r} is not the name of a parameter; write for example 'leak_K.g' or 'T'"
        )


def _table_column(name: str, given: Any) -> np.ndarray:
    column = np.asarray(given)
    if column.ndim != 1:
        raise ValueError(f"column {name!r} must have one dimension, but has {column.ndim}")
    if column.size and column.dtype.kind not in "iuf":
        for row, entry in enumerate(column.astype(object)):
            if not is_number(entry):
                raise TypeError(f"column {name!r}, row {row}: {entry!r} is not a number")
    column = np.array(column, np.float64)
    bad = np.flatnonzero(~np.isfinite(column))
    if bad.size:
        raise ValueError(f"column {name!r}, row {bad[0]}: {column[bad[0]]} is not a finite number")
    return column
