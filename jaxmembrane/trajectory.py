"""What is computed for lanes in time: where they begin, their course, and what is kept of it."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from .balance import Equations
from .cell import Cell
from .course import Limits, follow, read_outputs
from .naming import check_name
from .outputs import OUTPUTS, Output, check_outputs
from .pieces import Pieces
from .protocol import Protocol
from .rest import STATUS, Found, Lanes, by_block, has_rest, safe_point, valid_lanes
from .summary import At, Summary
from .unknowns import unknown_keys

DIAGNOSTICS: dict[str, Output] = {
    "status": Output("1", "outcome of the course", (), lambda r: []),
    "steps": Output("1", "steps tried", (), lambda r: []),
    "stopped": Output("s", "time at which the course ended", (), lambda r: []),
}
"""What every course says of itself."""


Summaries = Mapping[str, Summary | At]


_EXAMPLE = "{'peak': jm.Maximum('V')}"


class Plan(NamedTuple):
    """What is kept: outputs at each time, and summaries by name."""

    outputs: tuple[str, ...]
    summaries: tuple[tuple[str, Summary | At], ...]

    @property
    def running(self) -> tuple[tuple[str, Summary], ...]:
        """Summaries that look at every step."""
        return tuple((name, s) for name, s in self.summaries if isinstance(s, Summary))

    @property
    def read(self) -> tuple[str, ...]:
        """Outputs that are read off at single times."""
        at = (s.of for _, s in self.summaries if isinstance(s, At))
        return tuple(dict.fromkeys((*self.outputs, *at)))


class Clock(NamedTuple):
    """All moments that are looked at, and which of them are the times and those of `At`."""

    moments: Any
    times: Any
    at: Any


def clock(times: np.ndarray, plan: Plan, dtype: Any) -> Clock:
    """The moments that times and summaries ask for; the last is the end of the course."""
    at = [s.time for _, s in plan.summaries if isinstance(s, At)]
    kept = times if plan.outputs else times[-1:]
    moments = np.unique(np.concatenate([kept, at]))
    return Clock(
        jnp.asarray(moments, dtype),
        jnp.asarray(np.searchsorted(moments, kept), jnp.int32),
        jnp.asarray(np.searchsorted(moments, at), jnp.int32),
    )


def pieces(protocol: Protocol, params: Mapping[str, Any], end: float, dtype: Any) -> Pieces:
    """A protocol as pieces, for lanes with these parameters; those beyond the end last for ever."""
    traces = {name: protocol.values(name, params[name]) for name in protocol.names}
    ramps = any(step.over for step in protocol.steps)

    def rows(values: Iterable[Any]) -> Any:
        return jnp.stack(jnp.broadcast_arrays(*(jnp.asarray(x, dtype) for x in values)))

    return Pieces(
        jnp.asarray([t if np.isfinite(t) else 2.0 * end + 1.0 for t in protocol.ends], dtype),
        {name: rows(first) for name, (first, _) in traces.items()},
        {name: rows(last) for name, (_, last) in traces.items()} if ramps else {},
    )


def evaluate(
    cell: Cell,
    plan: Plan,
    lanes: Lanes,
    rest: Found,
    pieces: Pieces,
    clock: Clock,
    limits: Limits,
) -> dict[str, list[Any]]:
    """What a plan keeps of the courses of lanes from their rests: for each name its values.

    Outputs have the shape (times, lanes), all else (lanes,).
    """
    found = placed(cell, lanes, rest)
    n = found.status.shape[0]
    pieces = pieces._replace(start=_wide(pieces.start, n), stop=_wide(pieces.stop, n))
    found = _where(found, _allowed(cell, lanes, pieces))
    ok = has_rest(found.status)
    begin, safe = safe_point(cell, lanes, found)
    own = {name: jnp.broadcast_to(x, (n,)) for name, x in safe.items() if x.ndim}
    shared = {name: x for name, x in safe.items() if not x.ndim}
    running = plan.running
    saved, lane, known = follow(
        cell, own | shared, pieces, begin, clock.moments, limits, ok, [s for _, s in running]
    )

    def read(block: Any) -> dict[str, list[Any]]:
        own, start, stop, u = block
        changed = Pieces(pieces.ends, start, stop).along(clock.moments)
        eq = Equations(cell, {**shared, **own, **changed})
        u = [u[:, j] for j in range(u.shape[1])]
        seen = jnp.isfinite(u[0])
        values = read_outputs(eq, u, plan.read, seen.shape)
        return {
            name: [jnp.where(seen, x, jnp.nan) for x in parts] for name, parts in values.items()
        }

    block = own, pieces.start, pieces.stop, jnp.moveaxis(saved, 0, -1)
    values = by_block(read, block, n) if plan.read else {}
    made = {
        "status": [_status(lane, limits, clock, ok, found.status)],
        "steps": [lane.steps],
        "stopped": [jnp.where(ok, lane.t, jnp.nan)],
    }
    made |= {name: [x[clock.times] for x in values[name]] for name in plan.outputs}
    made |= {name: parts for (name, _), parts in zip(running, known, strict=True)}
    at = [(name, s.of) for name, s in plan.summaries if isinstance(s, At)]
    made |= {name: [x[clock.at[i]] for x in values[of]] for i, (name, of) in enumerate(at)}
    return made


def _allowed(cell: Cell, lanes: Lanes, pieces: Pieces) -> Any:
    """Whether all that a protocol sets lies in its domain, by lane."""
    allowed: Any = True
    for side in (pieces.start, pieces.stop):
        for i in range(len(pieces.ends)) if side else ():
            row = {name: x[i] for name, x in side.items()}
            allowed = allowed & valid_lanes(cell, {**lanes.params, **row})
    return allowed


def _where(found: Found, fit: Any) -> Found:
    """What was found, invalid where it does not fit."""
    unfit = has_rest(found.status) & ~jnp.asarray(fit)
    status = jnp.where(unfit, STATUS["invalid"], found.status).astype(found.status.dtype)
    return found._replace(status=status)


def _wide(values: Mapping[str, Any], n: int) -> dict[str, Any]:
    return {
        name: jnp.broadcast_to(x.reshape(len(x), -1), (len(x), n)) for name, x in values.items()
    }


def placed(cell: Cell, lanes: Lanes, rest: Found) -> Found:
    """Where lanes begin: as the user says, else at rest. Who says all of it needs no rest.

    A start that leaves no room for the ion that follows from charge is invalid.
    """
    keys, whole = unknown_keys(cell), rest.status != STATUS["invalid"]
    u = list(rest.u)
    for j, key in enumerate(keys):
        given = lanes.begin.get(key, jnp.full_like(u[j], jnp.nan))
        whole = whole & jnp.isfinite(given)
        u[j] = jnp.where(jnp.isfinite(given), given, u[j])
    status = jnp.where(whole, STATUS["stable"], rest.status).astype(rest.status.dtype)
    room: Any = True
    for c in Equations(cell, lanes.params).followed(u):
        room = room & (c > 0)
    return _where(rest._replace(u=u, status=status), room)


def _status(lane: Any, limits: Limits, clock: Clock, ok: Any, otherwise: Any) -> Any:
    status = jnp.where(lane.steps < limits.max_steps, STATUS["nonfinite"], STATUS["not_converged"])
    status = jnp.where(lane.t >= clock.moments[-1], STATUS["stable"], status)
    status = jnp.where(lane.burst, STATUS["volume_bound"], status)
    return jnp.where(ok, status, otherwise).astype(jnp.int8)


def kept(plan: Plan) -> dict[str, tuple[Output, bool]]:
    """What a plan gives: unit, meaning and dims of each name, and whether it has the dim time."""
    found = {name: (out, False) for name, out in DIAGNOSTICS.items()}
    found |= {name: (OUTPUTS[name], True) for name in plan.outputs}
    for name, s in plan.summaries:
        out = OUTPUTS[s.of]
        words = f"{s.words} {out.long_name}"
        found[name] = Output(s.units(out.units), words, out.dims, out.values), False
    return found


def check_protocol(cell: Cell, protocol: Protocol | None) -> Protocol:
    """A protocol that a cell can follow.

    Raises
    ------
    TypeError
        For anything but a protocol.
    KeyError, ValueError
        As `Protocol.check`, and for the total of a pool, which no protocol can change.
    """
    protocol = Protocol() if protocol is None else protocol
    if not isinstance(protocol, Protocol):
        raise TypeError(f"protocol must be a jm.Protocol, not {protocol!r}")
    protocol.check(cell.parameters)
    for pool in cell.pools:
        if pool.parameter in protocol.names:
            raise ValueError(
                f"{pool.parameter} is conserved in this cell, so no protocol can change it: set it "
                "in params"
            )
    return protocol


def check_summaries(
    cell: Cell, summaries: Summaries | None, end: float
) -> tuple[tuple[str, Any], ...]:
    """Summaries by name, refused where they ask for what the course does not hold.

    Raises
    ------
    TypeError
        For anything but summaries.
    ValueError
        For a name that is an output's, or a time after the end.
    """
    if summaries is not None and not isinstance(summaries, Mapping):
        raise TypeError(f"summaries must map names to them, as {_EXAMPLE}, not {summaries!r}")
    for name, summary in (summaries or {}).items():
        check_name(name, "a summary")
        if not isinstance(summary, (Summary, At)):
            raise TypeError(f"summary {name!r} must be as jm.Maximum('V'), not {summary!r}")
        if name in (*OUTPUTS, *DIAGNOSTICS, "cell", "ok", "time", "values"):
            raise ValueError(f"summary {name!r} has the name of an output or field: choose another")
        check_outputs([summary.of], OUTPUTS, cell)
        begins = summary.time if isinstance(summary, At) else summary.since
        if begins > end or (begins == end and not isinstance(summary, At)):
            raise ValueError(
                f"summary {name!r} looks at {begins:g} s, but the course ends at {end:g} s"
            )
    return tuple((summaries or {}).items())
