"""What a fit is given, checked: axes, data, protocol, method, and where each cell begins."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..cell import Cell
from ..course import GROWTH, MAX_STEPS, RTOL
from ..engine import bits
from ..naming import UnknownName, unknown
from ..params import DOMAINS, check_params, is_number
from ..programs import told
from ..protocol import Protocol
from ..simulate import check_limits, check_times
from ..space import Space
from ..structure import structure
from ..trajectory import Plan, check_protocol, clock
from ..trajectory import pieces as pieces_of
from .coordinate import Coordinates, coordinates
from .descent import Descent, LevenbergMarquardt, Method
from .job import FitJob
from .observe import Scene
from .program import FitProgram
from .recorded import gather

_RATE = 0.05


def make_job(
    cell: Cell,
    targets: Any,
    free: Space,
    *,
    conditions: Mapping[str, Any] | None = None,
    cells: Sequence[Any] | None = None,
    params: Mapping[str, float] | None = None,
    shared: Sequence[str] = (),
    protocol: Protocol | None = None,
    times: Sequence[float] | None = None,
    starts: int = 16,
    begin: Mapping[str, Any] | None = None,
    seed: int = 0,
    method: Any = None,
    gradient: float = 1e-8,
    turns: int | None = None,
    level: float = 0.95,
    rtol: float = RTOL,
) -> FitJob:
    """What a fit computes, having checked all of it."""
    labels: Mapping[str, Any] = {}
    if hasattr(targets, "targets"):
        conditions = targets.conditions if conditions is None else conditions
        cells = targets.cells if cells is None else cells
        times = targets.times if times is None else times
        labels = targets.labels
        targets = targets.targets
    where = coordinates(free)
    check_free(cell, where)
    check_params(cell.parameters, params or {})
    own = {name for axis in where.axes for name in axis.names}
    for name in params or {}:
        if name in own:
            raise ValueError(f"parameter {name} is both free and fixed by params: keep one of them")
    moments = None if times is None else check_times(times)
    if protocol is not None and moments is None:
        raise ValueError("a fit with protocol needs times, as times=[0.0, 60.0, 3600.0]")
    recorded = gather(cell, targets, conditions or {}, cells, moments, labels)
    for name in own & set(recorded.conditions):
        raise ValueError(f"parameter {name} is both free and a condition: keep one of them")
    nominal = cell.nominal(params)
    taken = own | set(recorded.conditions)
    fixed = {name: float(x) for name, x in nominal.items() if name not in taken}
    way, words = chosen(method)
    decides: dict[str, Any] = {}
    common: dict[str, Any] = {
        "fixed": fixed,
        "harmless": cell.nominal(),
        "numbers": where.numbers,
        "limits": _limits(gradient, turns, way),
    }
    plan = None
    if moments is not None:
        plan = Plan(tuple(dict.fromkeys(name for name, _ in recorded.entries)), ())
        common["how"] = _how(cell, protocol, moments, plan, rtol)
        steps = [told(step) for step in check_protocol(cell, protocol).steps]
        decides = {"protocol": steps, "times": moments.tolist(), "rtol": float(rtol)}
    scene = Scene(structure(cell), where.axes, recorded.entries, plan)
    program = FitProgram(scene, way, _shared(where, shared))
    if not is_number(level) or not 0 < level < 1:
        raise ValueError(f"level must be a number between 0 and 1, as 0.95, not {level!r}")
    at = _begin(where, begin, len(recorded.cells), starts, seed)
    return FitJob(cell, recorded, where, at, program, common, float(level), words, decides)


def check_free(cell: Cell, where: Coordinates) -> None:
    """Refuse axes of parameters that do not exist, or that run outside their domain."""
    for axis, (low, width) in zip(where.axes, where.numbers, strict=True):
        for name in axis.names:
            if name not in cell.parameters:
                raise UnknownName(unknown("parameter", name, cell.parameters))
            declared = cell.parameters[name]
            # Five standard deviations of a Gaussian axis have to lie in the domain.
            ends = (low, low + width) if axis.bounded else (low - 5.0 * width, low + 5.0 * width)
            ends = tuple(float(np.exp(x)) if axis.log else float(x) for x in ends)
            if not all(declared.allows(x) for x in ends):
                raise ValueError(
                    f"{name} must be {DOMAINS[declared.domain]}, but its axis runs from "
                    f"{ends[0]:g} to {ends[1]:g} {declared.unit}: take LogUniform or LogNormal, or "
                    "narrower bounds"
                )


def chosen(method: Any) -> tuple[Method, str]:
    """The method, and what it is in words.

    Levenberg and Marquardt's needs some ten turns where a gradient needs a thousand, for as many
    parameters as a cell can be recorded well enough for; it is the choice where none is made.
    """
    if method is None or method == "lm":
        return LevenbergMarquardt(), "Levenberg-Marquardt"
    if method == "adam":
        import optax

        return Descent(optax.adam(_RATE)), f"optax.adam({_RATE})"
    if hasattr(method, "init") and hasattr(method, "update"):
        return Descent(method), f"optax {method.update.__qualname__}"
    raise ValueError(
        f"method must be 'lm', 'adam' or an optimizer of optax, as optax.adam(0.05), not {method!r}"
    )


def _limits(gradient: Any, turns: Any, method: Method) -> tuple[float, float]:
    if not is_number(gradient) or not gradient > 0:
        raise ValueError(f"gradient must be a number above zero, not {gradient!r}")
    usual = 200 if isinstance(method, LevenbergMarquardt) else 5000
    turns = usual if turns is None else turns
    if isinstance(turns, bool) or not isinstance(turns, (int, np.integer)) or turns < 1:
        raise ValueError(f"turns must be a whole number above zero, not {turns!r}")
    return float(gradient), float(turns)


def _shared(where: Coordinates, shared: Sequence[str]) -> tuple[bool, ...]:
    """Which axes all cells have in common."""
    if isinstance(shared, str):
        raise TypeError(f"shared must be a sequence of names, as [{shared!r}], not {shared!r}")
    free = [name for axis in where.axes for name in axis.names]
    for name in shared:
        if name not in free:
            raise UnknownName(unknown("shared parameter", name, free))
    return tuple(any(name in shared for name in axis.names) for axis in where.axes)


def _begin(where: Coordinates, begin: Any, cells: int, starts: int, seed: int) -> np.ndarray:
    """Coordinates where each cell begins: (cells, starts, axes)."""
    if begin is None:
        if isinstance(starts, bool) or not isinstance(starts, (int, np.integer)) or starts < 1:
            raise ValueError(f"starts must be a whole number above zero, not {starts!r}")
        return np.broadcast_to(where.starts(starts, seed).T, (cells, starts, len(where.axes)))
    for name in begin:
        if name not in where.names:
            raise UnknownName(unknown("axis to begin at", name, where.names))
    values = []
    for name in where.names:
        if name not in begin:
            raise ValueError(f"begin lacks {name}: give a value for every axis of the space")
        x = np.asarray(begin[name], float)
        x = x[:, None] if x.ndim == 1 else x
        if x.ndim not in (0, 2) or (x.ndim and x.shape[0] != cells):
            raise ValueError(
                f"begin of {name} must be of shape ({cells},) or ({cells}, starts), not "
                f"{np.shape(begin[name])}"
            )
        values.append(x)
    try:
        values = np.broadcast_arrays(*values, np.empty((cells, 1)))[:-1]
    except ValueError:
        shapes = ", ".join(f"{name} {np.shape(begin[name])}" for name in where.names)
        raise ValueError(f"begin must have shapes that broadcast, not {shapes}") from None
    return np.moveaxis(where.at(values), 0, -1)


def _how(
    cell: Cell, protocol: Protocol | None, times: np.ndarray, plan: Plan, rtol: float
) -> dict[str, Any]:
    """How courses go, in plain numbers; see `program.as_course`."""
    protocol = check_protocol(cell, protocol)
    how: dict[str, Any] = {}
    with bits("float64"):
        for own in (0, 1):
            # What a step sets is linear in the parameter's own value.
            spread = pieces_of(
                protocol, dict.fromkeys(protocol.names, float(own)), times[-1], float
            )
            how |= {"ends": spread.ends, f"start {own}": spread.start, f"stop {own}": spread.stop}
        how["clock"] = tuple(clock(times, plan, float))
    how["limits"] = tuple(check_limits(rtol=rtol, max_steps=MAX_STEPS, growth=GROWTH))
    return how
