"""Lanes followed in time: adaptive steps of a stiff method, each lane with its own clock.

Unknowns are those of a resting state, in logarithms: charge is kept by construction, and nothing
can become negative. Parameters are piecewise linear in time; a step ends where a piece does.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .balance import Equations, Once
from .cell import Cell
from .dynamics import motion, motion_jacobian, pool_excess, with_pools
from .newton import largest, once
from .outputs import OUTPUTS, Reading
from .pieces import Pieces
from .refill import PLACES, Work, work_off
from .rosenbrock import ERROR_ORDER, Stepped, between, step
from .summary import Summary, Watch
from .unknowns import unknown_keys

RTOL, MAX_STEPS, GROWTH = 1e-6, 1_000_000, 10.0
"""Limits of a course unless told otherwise, see `Limits`."""

_SAFETY, _SHRINK, _GROW = 0.85, 0.2, 5.0
_FIRST, _LEAST = 0.1, 1e-12
_HALVINGS = 50
_ROUNDINGS = 32.0
_WORTH = 8
"""A turn's output is written while one in so many lanes has some; the rest wait for the next."""


class Limits(NamedTuple):
    """Relative tolerance, most steps, and the growth of ln volume at which a course ends."""

    rtol: Any
    max_steps: Any
    growth: Any


class Lane(NamedTuple):
    """Where a lane is: unknowns at time t, and its last step with what lies within.

    The step went from `before` at `since` and took `span` seconds; ``past`` is the time since the
    piece began, which tells shorter steps apart than t does; ``written`` times are saved already.
    """

    t: Any
    past: Any
    since: Any
    h: Any
    piece: Any
    u: list[Any]
    before: list[Any]
    within: Stepped
    span: Any
    written: Any
    steps: Any
    going: Any
    burst: Any
    seen: list[Any]


class Given(NamedTuple):
    """What a lane has to go by: its own parameters, those that change, and what it holds.

    The last are its ln volumes when it began, and the totals that its pools conserve.
    """

    params: Mapping[str, Any]
    start: Mapping[str, Any]
    stop: Mapping[str, Any]
    begin: list[Any]
    totals: list[Any]


class Follower:
    """How lanes advance by a turn: what their last step passed is written, and they step on."""

    def __init__(
        self, cell: Cell, shared: Any, ends: Any, times: Any, limits: Limits, watch: Watch
    ):
        self.cell, self.shared, self.ends, self.watch = cell, shared, ends, watch
        self.times, self.limits, self.end = times, limits, times[-1]
        # Below that, roundings are taken for errors of the step.
        self.rtol = jnp.maximum(limits.rtol, _ROUNDINGS * float(jnp.finfo(times.dtype).eps))
        keys = unknown_keys(cell)
        self.volumes = [j for j, key in enumerate(keys) if key[0] == "w"]
        self.potentials = [j for j, key in enumerate(keys) if key[0] == "phi"]

    def due(self, lane: Lane) -> Any:
        """Which lanes have passed a time that is not written yet."""
        last = self.times.shape[0] - 1
        return (lane.written <= last) & (self.times[jnp.minimum(lane.written, last)] <= lane.t)

    def active(self, lane: Lane) -> Any:
        """Which lanes have something to do."""
        return lane.going | self.due(lane)

    def ahead(self, lane: Lane) -> Any:
        """How many of its present steps are between a lane and the end."""
        return (self.end - lane.t) / jnp.maximum(lane.h, 1e-9 * self.end)

    def advance(
        self, turn: Any, index: Any, given: Given, lane: Lane, saved: Any
    ) -> tuple[Lane, Any]:
        """A turn: see `refill.Work`."""
        lane, saved = self._write(index, given, lane, saved)
        return self._step(once(turn), given, lane, lane.going & ~self.due(lane)), saved

    def _write(self, index: Any, given: Given, lane: Lane, saved: Any) -> tuple[Lane, Any]:
        def worth(carry: Any) -> Any:
            lane, _ = carry
            due = jnp.sum(self.due(lane), dtype=jnp.int32)
            return due * _WORTH > jnp.sum(self.active(lane), dtype=jnp.int32)

        def write(carry: Any) -> Any:
            lane, saved = carry
            due = self.due(lane)
            time = self.times[jnp.minimum(lane.written, self.times.shape[0] - 1)]
            share = jnp.clip((time - lane.since) / lane.span, 0.0, 1.0)
            u = self._pooled(given, between(lane.before, lane.within, share), time, lane.piece)
            # Where a piece ends, the next one begins: its T makes another number of the same V.
            ends = (time == lane.t) & ~lane.burst
            u = [jnp.where(ends, now, x) for now, x in zip(lane.u, u, strict=True)]
            u = jnp.stack(u, axis=-1)
            row = jnp.where(due, index, saved.shape[0])
            saved = saved.at[row, lane.written].set(u, mode="drop", unique_indices=True)
            return lane._replace(written=lane.written + due.astype(lane.written.dtype)), saved

        return jax.lax.while_loop(worth, write, (lane, saved))

    def _step(self, once: Once, given: Given, lane: Lane, moving: Any) -> Lane:
        pieces = Pieces(self.ends, given.start, given.stop)
        steady = None if pieces.stop else self._equations(given, pieces, lane.piece, lane.t)

        def rates(t: Any, u: Sequence[Any]) -> list[Any]:
            eq = steady or self._equations(given, pieces, lane.piece, t)
            found = motion(eq, u, once)
            if "T" in pieces.stop:
                # V follows from charge; what is carried is V over the thermal voltage.
                warming = pieces.warming(lane.piece, t)
                for j in self.potentials:
                    found[j] = found[j] - u[j] * warming
            return found

        eq = steady or self._equations(given, pieces, lane.piece, lane.t)
        first, jacobian, ions, slope = once(motion_jacobian(eq, lane.u, once))
        drift = None
        if "T" in pieces.stop:
            for j in self.potentials:
                jacobian[j][j] = jacobian[j][j] - pieces.warming(lane.piece, lane.t)
        if pieces.stop:
            first, drift = once(
                jax.jvp(lambda t: rates(t, lane.u), (lane.t,), (jnp.ones_like(lane.t),))
            )
        stop = jnp.minimum(self.ends[lane.piece], self.end)
        left = (stop - pieces.begins[lane.piece]) - lane.past
        guess = _FIRST * self.rtol ** (1 / ERROR_ORDER) / jnp.maximum(largest(first), 1e-30)
        h = jax.lax.stop_gradient(jnp.where(lane.h > 0, lane.h, guess))
        lands = h >= left * (1.0 - 1e-12)
        h = jnp.where(lands, left, h)
        tried = once(step(rates, first, jacobian, drift, lane.t, lane.u, h, once))
        # An ion that follows from charge has the errors of all the others.
        implied = [
            sum(s * e for s, e in zip(row, tried.error, strict=True)) / c
            for c, row in zip(ions, slope, strict=True)
        ]
        error = jax.lax.stop_gradient(largest([*tried.error, *implied])) / self.rtol
        factor = _SAFETY * jnp.maximum(error, 1e-12) ** (-1.0 / ERROR_ORDER)
        factor = jnp.where(jnp.isfinite(factor), jnp.clip(factor, _SHRINK, _GROW), _SHRINK)
        accepted = moving & (error <= 1.0)
        over = accepted & lands
        burst = accepted & self._beyond(given, tried.u)
        crossed = jax.lax.cond(
            jnp.any(burst),
            lambda: jnp.where(burst, self._crossed(given, lane.u, tried), 1.0),
            lambda: jnp.ones_like(h),
        )
        past = lane.past + h
        t = jnp.where(over, stop, jnp.where(accepted, pieces.begins[lane.piece] + past, lane.t))
        t = jnp.where(burst, lane.t + crossed * h, t)
        steps = lane.steps + moving.astype(lane.steps.dtype)
        # A step that no longer moves the clock will never be accepted, nor one that is no number.
        least = jnp.finfo(h.dtype).eps * jnp.maximum(lane.past, _LEAST * self.end)
        stuck = moving & ~accepted & ~(h > least)
        ended = burst | stuck | (steps >= self.limits.max_steps) | (t >= self.end)

        def chosen(new: Any, old: Any) -> Any:
            return jnp.where(accepted, new, old)

        def read(names: tuple[str, ...], times: Any, share: Any) -> dict[str, list[Any]]:
            eq = steady or self._equations(given, pieces, lane.piece, times)
            return once(read_outputs(eq, between(lane.u, tried, share), names, times.shape))

        piece = jnp.minimum(lane.piece + over.astype(lane.piece.dtype), self.ends.shape[0] - 1)
        following = self._continued(given, pieces, tried.u, t, lane.piece, piece)
        u = jax.tree.map(chosen, following, lane.u)
        return Lane(
            t=t,
            past=jnp.where(over, 0.0, chosen(past, lane.past)),
            since=chosen(lane.t, lane.since),
            # What begins with a new piece has a pace of its own.
            h=jnp.where(over, 0.0, jnp.where(moving, h * factor, lane.h)),
            piece=piece,
            u=u,
            before=jax.tree.map(chosen, lane.u, lane.before),
            within=jax.tree.map(chosen, tried, lane.within),
            span=chosen(h, lane.span),
            written=lane.written,
            steps=steps,
            going=lane.going & ~(moving & ended),
            burst=lane.burst | burst,
            seen=self.watch.see(lane.seen, lane.t, crossed * h, h, accepted, read),
        )

    def _equations(self, given: Given, pieces: Pieces, piece: Any, t: Any) -> Equations:
        return Equations(self.cell, {**self.shared, **given.params, **pieces.at(piece, t)})

    def _beyond(self, given: Given, u: Sequence[Any]) -> Any:
        """Whether a volume has grown beyond its bound."""
        beyond = jnp.zeros(u[0].shape, bool)
        for j, begin in zip(self.volumes, given.begin, strict=True):
            beyond = beyond | (u[j] - begin > self.limits.growth)
        return beyond

    def _crossed(self, given: Given, before: Sequence[Any], tried: Stepped) -> Any:
        """The share of a step after which a volume is beyond its bound."""

        def halve(_: Any, span: Any) -> Any:
            low, high = span
            middle = 0.5 * (low + high)
            beyond = self._beyond(given, between(before, tried, middle))
            return jnp.where(beyond, low, middle), jnp.where(beyond, middle, high)

        span = jnp.zeros_like(before[0]), jnp.ones_like(before[0])
        return jax.lax.fori_loop(0, _HALVINGS, halve, span)[1]

    def _continued(
        self, given: Given, pieces: Pieces, u: list[Any], t: Any, piece: Any, following: Any
    ) -> list[Any]:
        """Unknowns after a step: pools keep their totals, and V outlasts a jump of T."""
        u = self._pooled(given, u, t, piece)
        if "T" not in pieces.start:
            return u
        last = (pieces.stop or pieces.start)["T"]
        ratio = pieces.of(last, piece) / pieces.of(pieces.start["T"], following)
        return self.cooled(u, jnp.where(following > piece, ratio, 1.0))

    def _pooled(self, given: Given, u: list[Any], t: Any, piece: Any) -> list[Any]:
        if not self.cell.pools:
            return u
        pieces = Pieces(self.ends, given.start, given.stop)
        return with_pools(self._equations(given, pieces, piece, t), u, given.totals)

    def cooled(self, u: Sequence[Any], ratio: Any) -> list[Any]:
        """Unknowns of the same potentials where T became smaller by a ratio."""
        return [x * ratio if j in self.potentials else x for j, x in enumerate(u)]


def read_outputs(
    eq: Equations, u: Sequence[Any], names: Sequence[str], shape: tuple[int, ...]
) -> dict[str, list[Any]]:
    """Values of outputs at unknowns, each of a given shape."""
    reading = Reading(eq, eq.state(u))
    return {
        name: [jnp.broadcast_to(x, shape) for x in OUTPUTS[name].values(reading)] for name in names
    }


def follow(
    cell: Cell,
    params: Mapping[str, Any],
    pieces: Pieces,
    begin: Sequence[Any],
    times: Any,
    limits: Limits,
    active: Any,
    summaries: Sequence[Summary] = (),
    places: int = PLACES,
) -> tuple[Any, Lane, list[list[Any]]]:
    """Integrate from `begin` at time zero to the last of `times`, saving at each.

    Gives the unknowns at each time, of shape (lanes, times, unknowns), each lane's last state, and
    the summaries. Lanes that are not active stay where they are.
    """
    own = {name: x for name, x in params.items() if x.ndim}
    shared = {name: x for name, x in params.items() if not x.ndim}
    watch = Watch(summaries, cell)
    follower = Follower(cell, shared, pieces.ends, times, limits, watch)
    zero = jnp.zeros_like(begin[0])
    whole = jnp.zeros(zero.shape, jnp.int32)
    now = {**params, **pieces.at(whole, zero)}
    u = follower.cooled(begin, params["T"] / now["T"])
    still = [zero for _ in u]
    lane = Lane(
        t=zero,
        past=zero,
        since=zero,
        h=zero,
        piece=whole,
        u=u,
        before=u,
        within=Stepped(u, still, (still,) * 3),
        span=zero + 1.0,
        written=jnp.where(active, whole, len(times)),
        steps=whole,
        going=active & (times[-1] > 0),
        burst=jnp.zeros(zero.shape, bool),
        seen=watch.begin(zero),
    )
    totals = pool_excess(Equations(cell, now), u)
    given = Given(own, pieces.start, pieces.stop, [u[j] for j in follower.volumes], totals)
    saved = jnp.full((*zero.shape, len(times), len(u)), jnp.nan, zero.dtype)
    work = Work(follower.advance, follower.active, follower.ahead)
    lane, saved = work_off(work, given, lane, saved, places)
    known = [[jnp.where(active, x, jnp.nan) for x in own] for own in watch.results(lane.seen)]
    return saved, lane, known
