"""Many lanes worked off in few places: who has finished makes room, the hardest go first.

A loop over lanes lasts as long as its slowest lane; most places would idle for most of it. Here
every lane is first given a few turns, which show how far it gets. Then those that have most to do
take places, and whenever some finish, the next ones move in.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

PLACES = 192
"""Lanes that advance together: enough to hide a kernel's cost, few enough for the cache."""

_TURNS = 16
"""Turns between two exchanges, and those that every lane gets first."""


class Work(NamedTuple):
    """What to do with lanes; every pytree has lanes on the last axis.

    ``advance(turn, index, given, lane, sink)`` moves lanes by a turn and gives (lane, sink), where
    `index` says which lanes they are (their number for an empty place) and `sink` is shared by all;
    ``active(lane)`` says who goes on, ``ahead(lane)`` how much is still to do.
    """

    advance: Callable[..., tuple[Any, Any]]
    active: Callable[[Any], Any]
    ahead: Callable[[Any], Any]


class _Queue(NamedTuple):
    """Lanes in the order in which they get a place: the next, their number, and if it is known."""

    order: Any
    next: Any
    size: Any
    sorted: Any


def work_off(work: Work, given: Any, lanes: Any, sink: Any, places: int = PLACES) -> Any:
    """Advance every lane until none is active; gives (lanes, sink).

    A lane takes the same turns wherever its place is and whoever sits beside it.
    """
    n = work.active(lanes).shape[0]

    def turns(index: Any, given: Any, carry: Any, most: Any) -> Any:
        """Turns of the lanes in place, until none is active or so many are done."""

        def some(carry: Any) -> Any:
            return (carry[0] < most) & jnp.any(work.active(carry[1]) & (index < n))

        def on(carry: Any) -> Any:
            turn, lane, sink = carry
            return turn + 1, *work.advance(turn, index, given, lane, sink)

        return jax.lax.while_loop(some, on, carry)

    everyone = jnp.arange(n, dtype=jnp.int32)
    if n <= places:
        return turns(everyone, given, (0, lanes, sink), jnp.iinfo(jnp.int32).max)[1:]

    def unfinished(carry: Any) -> Any:
        _, _, _, index, queue = carry
        return ~queue.sorted | (queue.next < queue.size) | jnp.any(index < n)

    def exchange(carry: Any) -> Any:
        begun, lanes, sink, index, queue = carry
        own, lane = _unpacked(given, givens[index]), _unpacked(like, lanes[index])

        turn, lane, sink = turns(index, own, (begun, lane, sink), begun + _TURNS)
        lanes = lanes.at[index].set(_packed(lane), mode="drop")
        leaves = ~queue.sorted | ~work.active(lane) | (index == n)
        seen = ~queue.sorted & (queue.next >= queue.size)
        queue = jax.lax.cond(seen, lambda: _sorted(work, _unpacked(like, lanes)), lambda: queue)
        seat = queue.next + jnp.cumsum(leaves, dtype=jnp.int32) - 1
        moved = jnp.where(seat < queue.size, queue.order[jnp.minimum(seat, n - 1)], n)
        index = jnp.where(leaves, moved, index)
        taken = jnp.sum(leaves, dtype=jnp.int32)
        queue = queue._replace(next=jnp.minimum(queue.next + taken, queue.size))
        return turn, lanes, sink, index, queue

    like, givens = lanes, _packed(given)
    first = _Queue(everyone, jnp.int32(places), jnp.int32(n), jnp.asarray(False))
    carry = (0, _packed(lanes), sink, everyone[:places], first)
    _, lanes, sink, _, _ = jax.lax.while_loop(unfinished, exchange, carry)
    return _unpacked(like, lanes), sink


# One array is moved where there would be forty, each with a loop of its own.
def _packed(tree: Any) -> Any:
    """A row of floating numbers for each lane."""
    leaves = jax.tree.leaves(tree)
    n = leaves[0].shape[-1]
    dtype = jnp.result_type(float)
    return jnp.concatenate([x.reshape(-1, n).T.astype(dtype) for x in leaves], axis=1)


def _unpacked(like: Any, rows: Any) -> Any:
    """What `_packed` made of a pytree with these leaves, of some of its lanes."""
    leaves, structure = jax.tree.flatten(like)
    found, at = [], 0
    for leaf in leaves:
        size = math.prod(leaf.shape[:-1])
        part = rows[:, at : at + size].T.reshape(*leaf.shape[:-1], rows.shape[0])
        found.append(part.astype(leaf.dtype))
        at += size
    return jax.tree.unflatten(structure, found)


def _sorted(work: Work, lanes: Any) -> _Queue:
    """All lanes that are still active, those with most to do first."""
    active = work.active(lanes)
    ahead = jax.lax.stop_gradient(work.ahead(lanes))
    order = jnp.argsort(jnp.where(active, -ahead, jnp.inf)).astype(jnp.int32)
    return _Queue(order, jnp.int32(0), jnp.sum(active, dtype=jnp.int32), jnp.asarray(True))
