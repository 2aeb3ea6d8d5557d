"""What every intervention is: parameters of a cell that take values, and go back to their own."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..cell import Cell
from ..naming import UnknownName, unknown
from ..params import Param, check_params, is_number
from ..protocol import Initial, Protocol, Step
from ..transport import Transporter


class When(NamedTuple):
    """When an intervention begins, how long it lasts, and how long it takes to come and go, s."""

    at: float
    lasting: float | None
    over: float


def hold(cell: Cell, changes: Mapping[str, Any], when: When) -> Protocol:
    """Parameters that change at a time, and go back to what they were once it has lasted."""
    at, lasting, over = when
    steps = [Step(at, changes, over)]
    if lasting is not None:
        if not is_number(lasting) or not over <= lasting < np.inf or lasting == 0:
            raise ValueError(
                "lasting must be a time in s, above zero and no shorter than over, or None for "
                f"ever, not {lasting!r}"
            )
        steps.append(Step(at + lasting, dict.fromkeys(changes, Initial()), over))
    protocol = Protocol(steps)
    protocol.check(cell.parameters)
    return protocol


def number(what: str, name: str, value: Any, unit: str, domain: str = "nonnegative") -> Any:
    """A number or an array that a user gave, or a sentence that says what it must be."""
    declared = {name: Param(1.0, unit, domain=domain)}
    check_params(declared, {name: value}, f"{what}:")
    if isinstance(value, (list, tuple, np.ndarray)):
        value = np.asarray(value, float)
        for wrong in value[~declared[name].allows(value)][:1]:
            check_params(declared, {name: wrong}, f"{what}:")
    return value


class Target(NamedTuple):
    """A kind of transporter: what it is called, what it moves together, and how to add one."""

    kind: str
    moves: Mapping[str, int]
    add: str


PUMP = Target("Na/K pump", {"Na": -1, "K": +1}, "jm.na_k_atpase()")
NKCC1 = Target("Na-K-2Cl cotransporter", {"Na": +1, "K": +1, "Cl": +1}, "jm.nkcc1()")
KCC2 = Target("K-Cl cotransporter", {"K": -1, "Cl": -1}, "jm.kcc2()")


def targets(cell: Cell, what: str, target: Target, name: str | None) -> list[Transporter]:
    """Transporters of a kind, known by their reaction, whichever way it is written."""
    back = {ion: -sign for ion, sign in target.moves.items()}
    found = {
        t.name: t
        for t in cell.transporters
        for leg in t.legs
        if {s.name: np.sign(leg.reaction.change(s, "i")) for s in leg.reaction.species}
        in (target.moves, back)
    }
    if not found:
        raise ValueError(f"{what} needs a {target.kind}, and this cell has none: add {target.add}")
    if name is None:
        return list(found.values())
    if name not in found:
        raise UnknownName(unknown(f"{target.kind} of this cell:", name, found))
    return [found[name]]


def named(cell: Cell, what: str, name: str, add: str) -> Transporter:
    """The transporter of that name."""
    for t in cell.transporters:
        if t.name == name:
            return t
    there = ", ".join(t.name for t in cell.transporters)
    raise UnknownName(
        f"{what} needs a transporter {name!r}, and this cell has {there}: add {add}, or name yours "
        "by transporter="
    )


def scaled(t: Transporter, factor: Any) -> dict[str, Any]:
    """A transporter's strength, by convention its first parameter, times a factor."""
    return {strength(t): Initial(times=factor)}


def strength(t: Transporter) -> str:
    """The parameter that a transporter's turnover is proportional to, by convention its first."""
    if not t.params:
        raise ValueError(
            f"transporter {t.name} has no parameters, so that nothing scales it: give it one, "
            "its strength first"
        )
    return f"{t.name}.{t.params[0][0]}"


def require(cell: Cell, what: str, name: str, needs: str) -> None:
    """Refuse an intervention on a bare parameter that no transporter of the cell reads."""
    if name not in cell.parameters:
        raise ValueError(f"{what} needs {needs}, and this cell has none")
