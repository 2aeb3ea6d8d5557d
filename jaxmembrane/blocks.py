"""Designs in blocks: rows that belong together, for the analysis of variance and for screening.

A block is what is run around one base point. It depends on the axes, the seed and its number
alone, so that a design with more blocks begins with those of a smaller one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .distributions import Choice, Distribution, Grid, LogNormal, LogUniform, Normal, Uniform
from .naming import UnknownName, unknown
from .points import at_quantiles, sobol_stream, uniform

_DISTRIBUTIONS = {d.__name__: d for d in (Uniform, LogUniform, Normal, LogNormal, Choice, Grid)}


@dataclass(frozen=True)
class Group:
    """Axes that move as one: their places among all axes, and the parameters that they set."""

    name: str
    axes: tuple[int, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class _Blocks:
    """What all designs in blocks have."""

    distributions: tuple[Distribution, ...]
    seed: int
    groups: tuple[Group, ...]

    extendable: ClassVar[bool] = True

    def describe(self) -> list[dict[str, Any]]:
        """Give the distribution of every axis."""
        return [distribution.describe() for distribution in self.distributions]

    def layout(self) -> dict[str, Any]:
        """Give what a block consists of, fit for JSON."""
        return {"groups": [{"name": g.name, "parameters": [*g.parameters]} for g in self.groups]}


@dataclass(frozen=True)
class SaltelliPoints(_Blocks):
    """Two points A and B of the cube, and between them those that have one group of the other.

    The rows of a block are A, A with each group in turn from B, with `second_order` also B with
    each group in turn from A, and B. A and B are the halves of one point of a scrambled Sobol
    sequence of twice the dimension.
    """

    second_order: bool

    kind: ClassVar[str] = "saltelli"

    @property
    def width(self) -> int:
        """Rows of a block."""
        return 2 + len(self.groups) * (2 if self.second_order else 1)

    def columns(self, start: int, stop: int) -> list[np.ndarray]:
        """Give the quantiles at the rows of blocks."""
        dims = len(self.distributions)
        first = start // self.width
        base = sobol_stream(2 * dims, self.seed).rows(first, -(-stop // self.width))
        block, place = np.divmod(np.arange(start, stop), self.width)
        from_b = self._from_b()[place]
        halves = base[block - first]
        cube = np.where(from_b, halves[:, dims:], halves[:, :dims])
        return at_quantiles(self.distributions, cube)

    def _from_b(self) -> np.ndarray:
        """Which axes of each row of a block are those of B."""
        dims = range(len(self.distributions))
        moved = np.array([[axis in group.axes for axis in dims] for group in self.groups])
        second = ~moved if self.second_order else moved[:0]
        return np.concatenate([np.zeros_like(moved[:1]), moved, second, np.ones_like(moved[:1])])

    def layout(self) -> dict[str, Any]:
        """Give what a block consists of, fit for JSON."""
        return super().layout() | {"second_order": self.second_order}


@dataclass(frozen=True)
class MorrisPoints(_Blocks):
    """Trajectories over levels of the quantiles, in which one group after the other moves once.

    An axis begins at any of the `levels` and moves by half of their number, up or down. Levels are
    ``l/(levels - 1)``, with both bounds among them; in groups with an axis that has no bounds
    (Gaussian), or some values only, ``(l + 1/2)/levels``.
    """

    levels: int

    kind: ClassVar[str] = "morris"

    @property
    def width(self) -> int:
        """Rows of a trajectory."""
        return 1 + len(self.groups)

    @property
    def steps(self) -> np.ndarray:
        """By how much the quantiles of each group move."""
        half = self.levels / 2
        return np.array([half / (self.levels - 1) if end else 0.5 for end in self._ends])

    @property
    def _ends(self) -> list[bool]:
        """Whether the outermost levels of each group are its bounds."""
        return [
            all(isinstance(self.distributions[axis], (Uniform, LogUniform)) for axis in group.axes)
            for group in self.groups
        ]

    def moves(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the first level of each axis, and the order of groups, of some trajectories."""
        dims, groups = len(self.distributions), len(self.groups)
        words = -(-(dims + groups) // 4) * 4  # any trajectory then starts on a count of the stream
        numbers = uniform(words, self.seed, start, stop)
        level = np.floor(numbers[:, :dims] * self.levels).astype(np.int64)
        return level, np.argsort(numbers[:, dims : dims + groups], axis=1, kind="stable")

    def columns(self, start: int, stop: int) -> list[np.ndarray]:
        """Give the quantiles at the rows of trajectories."""
        first = start // self.width
        level, order = self.moves(first, -(-stop // self.width))
        when = np.argsort(order, axis=1)
        block, place = np.divmod(np.arange(start, stop), self.width)
        cube = np.empty((stop - start, len(self.distributions)))
        for g, (group, end) in enumerate(zip(self.groups, self._ends, strict=True)):
            moved = place > when[block - first, g]
            for axis in group.axes:
                at = (level[block - first, axis] + moved * (self.levels // 2)) % self.levels
                cube[:, axis] = at / (self.levels - 1) if end else (at + 0.5) / self.levels
        return at_quantiles(self.distributions, cube)

    def layout(self) -> dict[str, Any]:
        """Give what a trajectory consists of, fit for JSON."""
        return super().layout() | {"levels": self.levels}


BlockPoints = SaltelliPoints | MorrisPoints


def grouped(axes: Sequence[tuple[str, ...]], groups: Any) -> tuple[Group, ...]:
    """Read groups, a mapping from name to parameters; an axis in none of them stands for itself.

    They are put in the order of their first axes. A group that names no parameter, an unknown one,
    one of another group or a part of a linked axis is refused.
    """
    groups = {} if groups is None else groups
    if not isinstance(groups, Mapping):
        raise TypeError(
            "groups must be a mapping from name to parameters, such as"
            f" {{'leaks': ['leak_Na.g', 'leak_Cl.g']}}, but got {groups!r}"
        )
    found: list[Group] = []
    taken: dict[str, str] = {}
    for label, members in groups.items():
        group = _group(axes, label, members)
        for name in members:
            if name in taken:
                where = " and ".join(map(repr, dict.fromkeys((taken[name], label))))
                raise ValueError(f"{name!r} stands twice in groups {where}; keep one of them")
            taken[name] = label
        found.append(group)
    for k, names in enumerate(axes):
        if names[0] not in taken:
            if names[0] in groups:
                raise ValueError(
                    f"{names[0]!r} is a group and also an axis that stands for itself; choose"
                    " another name for the group"
                )
            found.append(Group(names[0], (k,), tuple(names)))
    return tuple(sorted(found, key=lambda group: group.axes))


def _group(axes: Sequence[tuple[str, ...]], label: Any, members: Any) -> Group:
    if not isinstance(label, str) or not label:
        raise TypeError(f"the name of a group must be a text, but got {label!r}")
    if not isinstance(members, (list, tuple, set, frozenset)) or not members:
        raise ValueError(f"group {label!r} must be a list of parameters, but got {members!r}")
    place = {name: k for k, names in enumerate(axes) for name in names}
    for name in members:
        if name not in place:
            raise UnknownName(unknown(f"parameter in group {label!r}:", name, place))
        for other in axes[place[name]]:
            if other not in members:
                raise ValueError(
                    f"group {label!r} has {name!r} without {other!r}, but they are one linked"
                    " axis; name both"
                )
    places = tuple(sorted({place[name] for name in members}))
    return Group(label, places, tuple(name for k in places for name in axes[k]))


def restored(described: Mapping[str, Any]) -> BlockPoints:
    """Make the source of a design in blocks again from the design's own description."""
    axes = [tuple(axis["names"]) for axis in described["axes"]]
    numbers = [{k: v for k, v in axis.items() if k != "names"} for axis in described["axes"]]
    distributions = tuple(_DISTRIBUTIONS[given.pop("distribution")](**given) for given in numbers)
    members = {group["name"]: group["parameters"] for group in described["groups"]}
    begun = distributions, described["seed"], grouped(axes, members)
    if described["kind"] == "saltelli":
        return SaltelliPoints(*begun, described["second_order"])
    return MorrisPoints(*begun, described["levels"])
