"""What a sweep computes of each row: its rest, or its course under a protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import jax.numpy as jnp
import numpy as np

from .cell import Cell
from .course import Limits
from .engine import Engine, bits
from .outputs import Output, labels, shown_dims
from .pieces import Pieces
from .protocol import Initial, Protocol
from .rest import BLOCK, STATUS, Found, Lanes, first_tier, later_tiers, undecided
from .steady import AVAILABLE, outputs_at
from .structure import structure
from .trajectory import Clock, Plan, check_protocol, clock, kept
from .trajectory import evaluate as evaluate_course
from .trajectory import pieces as pieces_of

_FLAGS = {name: value for name, value in STATUS.items() if name != "pending"}
_FAILURES = {name: value for name, value in _FLAGS.items() if name not in ("stable", "unstable")}
_COURSE_FLAGS = {"finished": STATUS["stable"], **_FAILURES}
_LARGEST = 2**23
"""Values that a tile may hold; a tile of long courses is narrower."""


@dataclass(frozen=True)
class FirstTier:
    """What is compiled: the rests of lanes, as far as `rest.first_tier` finds them.

    `shared` has what all rows share: ``fixed``, the parameters that no row sets, and ``harmless``,
    a number for each.
    """

    cell: Cell

    def __call__(self, lanes: Mapping[str, Any], shared: Mapping[str, Any]) -> Found:
        """Rests, some still undecided."""
        return first_tier(self.cell, _given(_own(lanes), shared))


@dataclass(frozen=True)
class LaterTiers:
    """What is compiled where the first tier leaves lanes undecided: `rest.later_tiers`."""

    cell: Cell

    def needed(self, found: Found) -> bool:
        """Whether any lane is undecided."""
        return bool(np.any(undecided(np.asarray(found.status))))

    def __call__(self, lanes: Mapping[str, Any], shared: Mapping[str, Any], found: Found) -> Found:
        """Rests."""
        return later_tiers(self.cell, _given(_own(lanes), shared), found)


@dataclass(frozen=True)
class RestingProgram:
    """What is compiled: outputs of the rests of lanes, as `steady.outputs_at` gives them."""

    cell: Cell
    outputs: tuple[str, ...]

    def __call__(
        self, lanes: Mapping[str, Any], shared: Mapping[str, Any], found: Found
    ) -> dict[str, Any]:
        """Outputs, with lanes on the first axis."""
        return outputs_at(self.cell, self.outputs, _given(lanes, shared), found)


@dataclass(frozen=True)
class CourseProgram:
    """What is compiled: what a plan keeps of the courses of lanes under a protocol.

    `shared` has also the protocol's ``pieces``, but for parameters of which each row has its own:
    those are columns of the lanes. ``clock`` and ``limits`` are those of `trajectory`.
    """

    cell: Cell
    plan: Plan

    def __call__(
        self, lanes: Mapping[str, Any], shared: Mapping[str, Any], found: Found
    ) -> dict[str, Any]:
        """What is kept of the courses from rests, with lanes on the first axis."""
        own, moved = _own(lanes), {}
        for side in ("start", "stop"):
            moved[side] = dict(shared["pieces"][side])
            for name in own:
                rows = [x for key, x in lanes.items() if key.startswith(_piece(side, name))]
                moved[side] |= {name: jnp.stack(rows)} if rows else {}
        moments, times, at = shared["clock"]
        rtol, max_steps, growth = shared["limits"]
        made = evaluate_course(
            self.cell,
            self.plan,
            _given(own, shared),
            found,
            Pieces(shared["pieces"]["ends"], moved["start"], moved["stop"]),
            Clock(moments, times.astype(jnp.int32), at.astype(jnp.int32)),
            Limits(rtol, max_steps.astype(jnp.int32), growth),
        )
        return {name: [x.T if x.ndim > 1 else x for x in parts] for name, parts in made.items()}


_PIECE = "piece "


def _own(lanes: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of lanes, without the pieces of a protocol."""
    return {name: x for name, x in lanes.items() if not name.startswith(_PIECE)}


def _given(own: Mapping[str, Any], shared: Mapping[str, Any]) -> Lanes:
    return Lanes({**shared["fixed"], **own}, {}, shared["harmless"])


def _piece(side: str, name: str) -> str:
    return f"{_PIECE}{side} {name} "


@dataclass(frozen=True)
class Job:
    """What is computed of rows, and all that a store has to know of it.

    ``variables`` are the outputs, by name, and whether they have the dim ``time``; ``flags`` the
    values of ``status`` by meaning; ``labels`` those of dims that the cell does not have, and
    ``along`` what else is said along such a dim; ``decides`` is what decides the numbers besides
    the cell and its parameters.
    """

    cell: Cell
    title: str
    program: Any
    shared: Mapping[str, Any]
    variables: Mapping[str, tuple[Output, bool]]
    flags: Mapping[str, int]
    labels: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    along: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    decides: Mapping[str, Any] = field(default_factory=dict)
    protocol: Protocol = field(default_factory=Protocol)

    def engine(self, tile: int, precision: str = "float64", devices: Sequence[Any] = ()) -> Engine:
        """An engine for its program."""
        return Engine(self.program, self.shared, tile, precision, devices)

    def tile(self, usual: int) -> int:
        """Rows of a tile, fewer than usual where each has many values."""
        widest = max(_LARGEST // sum(prod(self._shape(name)) for name in self.variables), BLOCK)
        return min(usual, widest - widest % BLOCK) if self.labels else usual

    def lanes(self, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Columns of the design, and those that the protocol makes of them."""
        made = dict(columns)
        ramps = any(step.over for step in self.protocol.steps)
        for name in set(self.protocol.names) & set(columns):
            start, stop = self.protocol.values(name, columns[name])
            for side, rows in (("start", start), ("stop", stop if ramps else [])):
                for i, x in enumerate(rows):
                    made[f"{_piece(side, name)}{i:04d}"] = np.broadcast_to(x, columns[name].shape)
        return made

    def dims(self, name: str) -> tuple[str, ...]:
        """Dims of a variable after the rows."""
        out, timed = self.variables[name]
        return (*(("time",) if timed else ()), *shown_dims(self.cell, out.dims))

    def stacked(self, name: str, arrays: Sequence[Any]) -> Any:
        """Values of a variable along its own dims, after the rows."""
        rows = len(arrays[0])
        if len(arrays) == 1:
            return arrays[0].reshape(rows, *self._shape(name))
        return np.stack(arrays, axis=-1).reshape(rows, *self._shape(name))

    def _shape(self, name: str) -> tuple[int, ...]:
        known = {**labels(self.cell), **self.labels}
        return tuple(len(known[dim]) for dim in self.dims(name))


def search_stages(cell: Cell) -> tuple[FirstTier, LaterTiers]:
    """The stages that find the rests of a cell."""
    return FirstTier(structure(cell)), LaterTiers(structure(cell))


def resting_job(cell: Cell, fixed: Mapping[str, float], names: tuple[str, ...]) -> Job:
    """The rests of rows that share `fixed` parameters."""
    return Job(
        cell,
        "resting states",
        (*search_stages(cell), RestingProgram(structure(cell), names)),
        {"fixed": dict(fixed), "harmless": cell.nominal()},
        {name: (AVAILABLE[name], False) for name in names},
        _FLAGS,
    )


def course_job(
    cell: Cell,
    fixed: Mapping[str, float],
    plan: Plan,
    protocol: Protocol | None,
    times: np.ndarray,
    limits: Limits,
) -> Job:
    """The courses of rows that share `fixed` parameters, under a protocol."""
    protocol = check_protocol(cell, protocol)
    for step in protocol.steps:
        for name, value in step.changes.items():
            if np.shape(value):
                raise ValueError(
                    f"{name} in the step at {step.at:g} s has {np.size(value)} values: the "
                    "protocol of a sweep takes one for all rows; put what varies into the design"
                )
    with bits("float64"):
        spread = pieces_of(protocol, {**cell.nominal(), **fixed}, times[-1], float)
        moments = clock(times, plan, float)
    common = {name for name in protocol.names if name in fixed}
    return Job(
        cell,
        "time courses",
        (*search_stages(cell), CourseProgram(structure(cell), plan)),
        {
            "fixed": dict(fixed),
            "harmless": cell.nominal(),
            "pieces": {
                "ends": spread.ends,
                "start": {name: x for name, x in spread.start.items() if name in common},
                "stop": {name: x for name, x in spread.stop.items() if name in common},
            },
            "clock": tuple(moments),
            "limits": tuple(limits),
        },
        kept(plan),
        _COURSE_FLAGS,
        {"time": tuple(float(t) for t in times)} if plan.outputs else {},
        decides={
            "protocol": [told(step) for step in protocol.steps],
            "times": [float(t) for t in times] if plan.outputs else [0.0, float(times[-1])],
            "summaries": {name: repr(s) for name, s in plan.summaries},
            "limits": {name: float(x) for name, x in limits._asdict().items()},
        },
        protocol=protocol,
    )


def told(step: Any) -> dict[str, Any]:
    """A step in plain words."""
    changes = {
        name: {"times initial": float(x.times), "plus": float(x.plus)}
        if isinstance(x, Initial)
        else float(x)
        for name, x in step.changes.items()
    }
    return {"at": float(step.at), "over": float(step.over), "changes": changes}
