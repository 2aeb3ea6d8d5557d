"""What a cell would show where it was recorded, with the derivatives by all coordinates of a fit.

A lane is one recorded cell at one place of the search. Each is observed under all its conditions,
which are the axis before that of the lanes; courses have an axis of times before these two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..balance import Equations, Once, columns
from ..cell import Cell
from ..course import Limits
from ..linalg import solve
from ..newton import newton, scaled
from ..outputs import OUTPUTS, Reading
from ..pieces import Pieces
from ..rest import STATUS, Found, Lanes, solve_rest
from ..trajectory import Clock, Plan
from ..trajectory import evaluate as evaluate_course
from .coordinate import Axis

_TURNS = 12
"""Newton turns from the rest of one trial to that of the next; who needs more went too far."""


class Seen(NamedTuple):
    """Values of the targets and their derivatives by each axis, unknowns of the rests, and status.

    The status of a lane is the worst of its conditions.
    """

    values: list[Any]
    slopes: list[list[Any]]
    u: list[Any]
    status: Any


class Course(NamedTuple):
    """How courses go: a protocol's pieces where parameters are zero, and where they are one.

    What a protocol sets depends on the parameter's own value at most linearly.
    """

    zero: Pieces
    one: Pieces
    clock: Clock
    limits: Limits

    def pieces(self, params: Mapping[str, Any]) -> Pieces:
        """The pieces of lanes with these parameters."""

        def side(zero: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
            return {name: x + params[name] * (one[name] - x) for name, x in zero.items()}

        starts, stops = ((getattr(self.zero, s), getattr(self.one, s)) for s in ("start", "stop"))
        return Pieces(self.zero.ends, side(*starts), side(*stops))


@dataclass(frozen=True)
class Scene:
    """What is observed, all of it structure.

    ``targets`` are outputs, each with the position of one entry; a ``plan`` is that of courses,
    None stands for rests.
    """

    cell: Cell
    axes: tuple[Axis, ...]
    targets: tuple[tuple[str, int], ...]
    plan: Plan | None = None

    def params(self, x: Sequence[Any], numbers: Any, given: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters at coordinates."""
        found = dict(given)
        for axis, at, of in zip(self.axes, x, numbers, strict=True):
            found |= dict.fromkeys(axis.names, axis.value(at, of))
        return found

    def search(self, params: Mapping[str, Any], harmless: Mapping[str, Any], like: Any) -> Found:
        """Rests at parameters, looked for from far away, with conditions and lanes of `like`."""
        flat = {name: jnp.broadcast_to(p, like.shape).reshape(-1) for name, p in params.items()}
        found = solve_rest(self.cell, Lanes(flat, {}, harmless))
        return jax.tree.map(lambda x: x.reshape(like.shape), found)

    def rests(
        self, x: Sequence[Any], numbers: Any, given: Mapping[str, Any], u: Sequence[Any], once: Once
    ) -> Seen:
        """Observe rests, searched for from near ones.

        One that is not reached in a few turns is none: the step of the fit was too long, or left
        the region where there are rests.
        """
        eq = Equations(self.cell, self.params(x, numbers, given))
        u, _, settled = newton(eq, u, _TURNS)
        _, jacobian, followed, _ = once(eq.jacobian(u, once))
        for c in followed:
            settled = settled & (c > 0)

        def read(x: Sequence[Any]) -> list[Any]:
            eq = Equations(self.cell, self.params(x, numbers, given))
            # By the implicit function theorem this last step of Newton's has the slope of the rest.
            last = solve(*scaled(jacobian, [-f for f in eq.residual(u)]), pivot=eq.pivot)
            reading = Reading(eq, eq.state([at + step for at, step in zip(u, last, strict=True)]))
            made = {name: OUTPUTS[name].values(reading) for name, _ in self.targets}
            return [jnp.broadcast_to(made[name][i], jnp.shape(u[0])) for name, i in self.targets]

        values, slopes = once(columns(read, x))
        settled = jnp.all(settled, axis=0)
        status = jnp.where(settled, STATUS["stable"], STATUS["not_converged"]).astype(jnp.int8)
        return Seen(values, slopes, list(u), status)

    def courses(
        self,
        x: Sequence[Any],
        numbers: Any,
        given: Mapping[str, Any],
        harmless: Mapping[str, Any],
        like: Any,
        how: Course,
    ) -> Seen:
        """Observe courses from rest; their derivatives are integrated beside them."""
        plan = self.plan or Plan((), ())

        def read(x: Sequence[Any]) -> tuple[list[Any], Any]:
            params = self.params(x, numbers, given)
            flat = {name: jnp.broadcast_to(p, like.shape).reshape(-1) for name, p in params.items()}
            lanes = Lanes(flat, {}, harmless)
            rest = solve_rest(self.cell, lanes)
            moved = how.pieces(flat), how.clock, how.limits
            made = evaluate_course(self.cell, plan, lanes, rest, *moved)
            values = [made[name][i].reshape(-1, *like.shape) for name, i in self.targets]
            return values, made["status"][0].reshape(like.shape)

        def along(tangent: list[Any]) -> tuple[Any, Any, Any]:
            return jax.jvp(read, (list(x),), (tangent,), has_aux=True)

        size = len(x)
        basis = [jnp.zeros((size, *at.shape)).at[i].set(1.0) for i, at in enumerate(x)]
        values, slopes, status = jax.vmap(along, out_axes=(None, 0, None))(basis)
        slopes = [[dy[i] for i in range(size)] for dy in slopes]
        return Seen(values, slopes, [], jnp.max(status, axis=0))
