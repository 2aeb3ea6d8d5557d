"""Protocols: named parameters that change at times, by steps and ramps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite
from typing import Any

import numpy as np

from .naming import UnknownName, unknown
from .params import Param, check_params, is_number


@dataclass(frozen=True)
class Initial:
    """A value told from the one that a lane has before the protocol: ``times initial + plus``.

    ``Initial()`` is that value itself: what a wash-out goes back to, whatever a sweep set it to.

    Parameters
    ----------
    times : float or array
        Factor, without unit.
    plus : float or array
        Shift, in the parameter's unit.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> half = jm.Protocol([jm.Step(60.0, {"nka.j": jm.Initial(0.5)})])
    >>> half.final({"nka.j": 100.0})
    {'nka.j': 50.0}
    """

    times: Any = 1.0
    plus: Any = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Batch axes, as of an array."""
        return np.broadcast_shapes(np.shape(self.times), np.shape(self.plus))

    def of(self, initial: Any) -> Any:
        """The value where the parameter began at `initial`."""
        return self.times * initial + self.plus


def _told(change: Any, initial: Any) -> Any:
    return change.of(initial) if isinstance(change, Initial) else change


@dataclass(frozen=True)
class Step:
    """Parameters that take new values at a time, at once or over a while.

    Parameters
    ----------
    at : float
        When, in s after the start; zero or more.
    changes : mapping
        Parameter name to its new value: a number, a batch of them, or `Initial`.
    over : float
        How long the linear ramp to it takes, s; zero is a jump.

    Raises
    ------
    ValueError
        If a time is negative or not finite, or nothing changes.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.Step(120.0, {"kcc2.g": 3.68}, over=360.0).until
    480.0
    """

    at: float
    changes: Mapping[str, Any]
    over: float = 0.0

    def __post_init__(self):
        for what, value in (("at", self.at), ("over", self.over)):
            if not is_number(value) or not isfinite(value) or value < 0:
                raise ValueError(
                    f"{what} of a step must be a time in s, zero or more, not {value!r}"
                )
        if not isinstance(self.changes, Mapping) or not self.changes:
            raise ValueError(
                f"a step must change parameters, as in jm.Step(10.0, {{'nka.j_max': 0.0}}), "
                f"not {self.changes!r}"
            )

    @property
    def until(self) -> float:
        """When the change is complete, s."""
        return self.at + self.over


@dataclass(frozen=True, init=False)
class Protocol:
    """Steps in time; those of one parameter must not overlap.

    Two protocols are joined by ``+``. A parameter keeps what the latest of its steps gave it.

    Parameters
    ----------
    steps : iterable of Step
        In any order.

    Raises
    ------
    TypeError
        If it holds anything but steps.
    ValueError
        If two of them change one parameter at the same time; the sentence names both.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> block = jm.Protocol([jm.Step(0.0, {"nka.j": 0.0})])
    >>> pulse = jm.Protocol.pulse("bath.K", 12.0, at=60.0, lasting=30.0)
    >>> [step.at for step in (block + pulse).steps]
    [0.0, 60.0, 90.0]
    """

    steps: tuple[Step, ...]

    def __init__(self, steps: Iterable[Step] = ()):
        try:
            steps = tuple(steps)
        except TypeError:
            advice = "a protocol takes a list of steps, as jm.Protocol([jm.Step(0.0, ...)])"
            raise TypeError(f"{advice}, not {steps!r}") from None
        for step in steps:
            if not isinstance(step, Step):
                raise TypeError(f"a protocol must be made of jm.Step objects, not {step!r}")
        steps = tuple(sorted(steps, key=lambda step: step.at))
        object.__setattr__(self, "steps", steps)
        for name in self.names:
            own = [step for step in steps if name in step.changes]
            for one, other in pairwise(own):
                if other.at < one.until or other.at == one.at:
                    raise ValueError(
                        f"{name} is changed by two steps at once: from {one.at:g} to {one.until:g} "
                        f"s and from {other.at:g} to {other.until:g} s"
                    )

    @classmethod
    def pulse(
        cls, name: str, value: Any, *, at: float, lasting: float, back: Any = Initial()
    ) -> "Protocol":
        """A parameter that takes a value for a while and then goes back."""
        return cls([Step(at, {name: value}), Step(at + lasting, {name: back})])

    def __add__(self, other: "Protocol") -> "Protocol":
        if not isinstance(other, Protocol):
            return NotImplemented
        return Protocol((*self.steps, *other.steps))

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters that it changes, in the order in which it does."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.changes))

    @property
    def ends(self) -> list[float]:
        """Ends of the pieces in which every parameter is linear in time; the last is infinite."""
        times = {t for step in self.steps for t in (step.at, step.until)}
        return [*sorted(t for t in times if t > 0), inf]

    def check(self, declared: Mapping[str, Param]) -> None:
        """Refuse parameters that a cell does not have, and values outside their domains.

        Raises
        ------
        UnknownName
            (a `KeyError`) with the nearest name.
        ValueError
            For a value outside its domain.
        """
        for step in self.steps:
            for name in step.changes:
                if name not in declared:
                    raise UnknownName(
                        unknown(f"parameter in the step at {step.at:g} s:", name, declared)
                    )
            told = {n: _told(x, declared[n].nominal) for n, x in step.changes.items()}
            check_params(declared, told, f"in the step at {step.at:g} s, parameter")

    def final(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters once the protocol is over, where a steady state may be asked for.

        Examples
        --------
        >>> import jaxmembrane as jm
        >>> cell = jm.zoo.neuron()
        >>> raised = jm.Protocol([jm.Step(0.0, {"kcc2.g": 3.68}, over=360.0)])
        >>> rest = jm.steady_state(cell, raised.final(cell.nominal()))
        >>> f"{rest.E['Cl']:.2f} mV"
        '-94.00 mV'
        """
        return {**params, **{n: self.values(n, params[n])[1][-1] for n in self.names}}

    def values(self, name: str, initial: Any) -> tuple[list[Any], list[Any]]:
        """Values of a parameter at the start and at the end of each piece."""
        first, last, begins = [], [], 0.0
        own = [step for step in self.steps if name in step.changes]

        def value(t: float, after: bool) -> Any:
            current = initial
            for step in own:
                target = _told(step.changes[name], initial)
                if step.until < t or (step.until == t and (after or step.over)):
                    current = target
                elif step.at < t:
                    current = current + (t - step.at) / step.over * (target - current)
            return current

        for ends in self.ends:
            first.append(value(begins, True))
            last.append(first[-1] if ends == inf else value(ends, False))
            begins = ends
        return first, last
