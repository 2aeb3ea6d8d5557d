"""Summaries of a course, computed while it is followed: nothing of it has to be kept.

Each step is read at five evenly spaced times of its dense output, within the summary's window.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf, isfinite, prod
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .cell import Cell
from .outputs import OUTPUTS, check_outputs, labels
from .params import is_number

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Where a step is read, as shares of its length."""

_BOOLE = np.array([7.0, 32.0, 12.0, 32.0, 7.0]) / 90.0
_TO_POWERS = np.linalg.inv(np.vander(np.array(SHARES), increasing=True))
"""From the values at `SHARES` to the coefficients of the polynomial through them."""
_HALVINGS = 50


@dataclass(frozen=True)
class Kept:
    """One thing that is kept of the course of an output.

    Parameters
    ----------
    of : str
        The output, as in ``"V"``; one with dims, as ``"c"``, gives a summary with these dims.
    """

    words: ClassVar[str] = ""
    of: str

    def __post_init__(self):
        check_outputs([self.of], OUTPUTS)

    def units(self, unit: str) -> str:
        """Unit of the summary of an output in `unit`."""
        return unit


@dataclass(frozen=True)
class Summary(Kept):
    """What is kept of an output's course between two times.

    Parameters
    ----------
    of : str
        The output, as in ``"V"``; one with dims, as ``"c"``, gives a summary with these dims.
    since, until : float
        The window, s; the whole course unless told otherwise.
    """

    since: float = field(default=0.0, kw_only=True)
    until: float = field(default=inf, kw_only=True)

    def __post_init__(self):
        super().__post_init__()
        for what, value in (("since", self.since), ("until", self.until)):
            if not is_number(value) or not value >= 0:
                raise ValueError(f"{what} of {self!r} must be a time in s, zero or more")
        if not self.since < self.until:
            raise ValueError(f"{self!r} ends before it begins: since must be less than until")

    def begin(self, like: Any) -> tuple[Any, ...]:
        """What is known before the first step."""
        raise NotImplementedError

    def see(self, known: tuple[Any, ...], y: Any, span: "Span") -> tuple[Any, ...]:
        """What is known after a step with values y, of shape (shares, lanes)."""
        raise NotImplementedError

    def result(self, known: tuple[Any, ...]) -> Any:
        """The summary."""
        return known[0]


class Span(NamedTuple):
    """The part of a step that lies in a window: when it begins, and its length (s)."""

    begin: Any
    length: Any


@dataclass(frozen=True)
class At(Kept):
    """The value of an output at a time.

    Parameters
    ----------
    of : str
        The output.
    time : float
        When, s; the course must last that long.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> block = jm.Protocol([jm.Step(0.0, {"nka.j": 0.0})])
    >>> course = jm.simulate(
    ...     jm.zoo.neuron(), protocol=block, times=[0.0, 60.0], summaries={"V_10": jm.At("V", 10.0)}
    ... )
    >>> f"{course.V_10:.2f} mV"
    '-64.55 mV'
    """

    words: ClassVar[str] = "at a time,"
    time: float

    def __post_init__(self):
        super().__post_init__()
        if not is_number(self.time) or not isfinite(self.time) or self.time < 0:
            raise ValueError(f"time of {self!r} must be in s, zero or more")


def _highest(y: Any) -> Any:
    """The maximum of a curve through values at even distances: at a node or between two."""
    best = jnp.max(y, axis=0)
    for left, middle, right in zip(y[:-2], y[1:-1], y[2:], strict=True):
        bend = 2.0 * middle - left - right
        peak = middle + (right - left) ** 2 / (8.0 * jnp.where(bend > 0, bend, 1.0))
        inside = (bend > 0) & (middle >= left) & (middle >= right)
        best = jnp.maximum(best, jnp.where(inside, peak, middle))
    return best


@dataclass(frozen=True)
class Maximum(Summary):
    """The largest value of an output; between steps' readings a parabola finds the peak."""

    words: ClassVar[str] = "largest"

    def begin(self, like: Any) -> tuple[Any, ...]:
        return (jnp.full_like(like, -inf),)

    def see(self, known: tuple[Any, ...], y: Any, span: Span) -> tuple[Any, ...]:
        return (jnp.maximum(known[0], _highest(y)),)

    def result(self, known: tuple[Any, ...]) -> Any:
        return jnp.where(known[0] == -inf, jnp.nan, known[0])


@dataclass(frozen=True)
class Minimum(Summary):
    """The smallest value of an output; between steps' readings a parabola finds it."""

    words: ClassVar[str] = "smallest"

    def begin(self, like: Any) -> tuple[Any, ...]:
        return (jnp.full_like(like, inf),)

    def see(self, known: tuple[Any, ...], y: Any, span: Span) -> tuple[Any, ...]:
        return (jnp.minimum(known[0], -_highest(-y)),)

    def result(self, known: tuple[Any, ...]) -> Any:
        return jnp.where(known[0] == inf, jnp.nan, known[0])


@dataclass(frozen=True)
class Area(Summary):
    """The integral of an output over time, in its unit times s."""

    words: ClassVar[str] = "area under"

    def units(self, unit: str) -> str:
        return f"{unit} s" if unit != "1" else "s"

    def begin(self, like: Any) -> tuple[Any, ...]:
        return (jnp.full_like(like, jnp.nan),)

    def see(self, known: tuple[Any, ...], y: Any, span: Span) -> tuple[Any, ...]:
        before = jnp.where(jnp.isnan(known[0]), 0.0, known[0])
        return (before + _mean(y) * span.length,)


@dataclass(frozen=True)
class TimeConstant(Summary):
    """How long an output takes to its last value, s: the tau of an exponential.

    The area between the course and its last value, over the change::

        tau = int (y - y_end) dt / (y_begin - y_end)
    """

    words: ClassVar[str] = "time constant of"

    def units(self, unit: str) -> str:
        return "s"

    def begin(self, like: Any) -> tuple[Any, ...]:
        nothing, zero = jnp.full_like(like, jnp.nan), jnp.zeros_like(like)
        return nothing, nothing, zero, zero

    def see(self, known: tuple[Any, ...], y: Any, span: Span) -> tuple[Any, ...]:
        first, _, area, lasted = known
        first = jnp.where(jnp.isnan(first), y[0], first)
        # What is integrated is small where the course is: no large areas are subtracted.
        return first, y[-1], area + (_mean(y) - first) * span.length, lasted + span.length

    def result(self, known: tuple[Any, ...]) -> Any:
        first, last, area, lasted = known
        return (area - (last - first) * lasted) / (first - last)


@dataclass(frozen=True)
class TimeTo(Summary):
    """When an output first meets a threshold, from either side, s; NaN where it never does.

    What begins beyond it meets it on its way back.
    """

    threshold: float

    words: ClassVar[str] = "time to a threshold of"

    def __post_init__(self):
        super().__post_init__()
        if not is_number(self.threshold) or not isfinite(self.threshold):
            raise ValueError(f"threshold of {self!r} must be a number")

    def units(self, unit: str) -> str:
        return "s"

    def begin(self, like: Any) -> tuple[Any, ...]:
        return (jnp.full_like(like, jnp.nan),)

    def see(self, known: tuple[Any, ...], y: Any, span: Span) -> tuple[Any, ...]:
        over = y - self.threshold
        met = over[:-1] * over[1:] <= 0
        new = jnp.any(met, axis=0) & jnp.isnan(known[0])

        def search() -> Any:
            section = jnp.argmax(met, axis=0)
            powers = [sum(w * v for w, v in zip(row, over, strict=True)) for row in _TO_POWERS]
            low = jnp.asarray(SHARES, y.dtype)[section]
            first = jnp.take_along_axis(over, section[None], axis=0)[0]
            rising = first < 0

            def halve(_: Any, ends: Any) -> Any:
                low, high = ends
                middle = 0.5 * (low + high)
                value: Any = 0.0
                for a in reversed(powers):
                    value = value * middle + a
                short = (value < 0) == rising
                return jnp.where(short, middle, low), jnp.where(short, high, middle)

            _, share = jax.lax.fori_loop(0, _HALVINGS, halve, (low, low + SHARES[1]))
            return span.begin + jnp.where(first == 0, low, share) * span.length

        found = jax.lax.cond(jnp.any(new), search, lambda: known[0])
        return (jnp.where(new, found, known[0]),)


def _mean(y: Any) -> Any:
    return sum(w * v for w, v in zip(_BOOLE, y, strict=True))


Read = Callable[[tuple[str, ...], Any, Any], Mapping[str, Sequence[Any]]]
"""Values of outputs at times and at the shares of a step that these are, (shares, lanes)."""


class Watch:
    """What running summaries see of each step.

    Parameters
    ----------
    summaries : sequence of Summary
        All but those at a time.
    cell : Cell
        Whose outputs they are of.
    """

    def __init__(self, summaries: Sequence[Summary], cell: Cell):
        self.summaries = tuple(summaries)
        size = {dim: len(names) for dim, names in labels(cell).items()}
        self.parts = [prod(size[d] for d in OUTPUTS[s.of].dims) for s in self.summaries]

    def begin(self, like: Any) -> list[Any]:
        """What is known at the start: for each summary, for each value of its output."""
        return [
            [s.begin(like) for _ in range(parts)]
            for s, parts in zip(self.summaries, self.parts, strict=True)
        ]

    def see(
        self, known: Sequence[Any], t: Any, seen: Any, h: Any, passed: Any, read: Read
    ) -> list[Any]:
        """What is known after steps of size h from t, `seen` so far, where they were passed."""
        found = list(known)
        for window in dict.fromkeys((s.since, s.until) for s in self.summaries):
            begin, end = (jnp.clip(edge, t, t + seen) for edge in window)
            span = Span(begin, end - begin)
            used = passed & (span.length > 0)
            times = begin + jnp.asarray(SHARES, t.dtype)[:, None] * span.length
            own = [i for i, s in enumerate(self.summaries) if (s.since, s.until) == window]
            names = dict.fromkeys(self.summaries[i].of for i in own)
            values = read(tuple(names), times, (times - t) / h)
            for i in own:
                summary, updated = self.summaries[i], []
                for y, before in zip(values[summary.of], known[i], strict=True):
                    after = summary.see(before, y, span)
                    updated.append(jax.tree.map(partial(jnp.where, used), after, before))
                found[i] = updated
        return found

    def results(self, known: Sequence[Any]) -> list[list[Any]]:
        """The summaries: for each, its values in row-major order of the output's dims."""
        return [
            [s.result(tuple(k)) for k in own] for s, own in zip(self.summaries, known, strict=True)
        ]
