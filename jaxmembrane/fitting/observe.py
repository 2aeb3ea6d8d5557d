"""What a cell would show where it was recorded, with the derivatives by all coordinates of a fit.

A lane is one recorded cell at one place of the search. Each is observed under all its conditions,
which are the axis before that of the lanes; courses have an axis of times before these two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..balance import Equations, Once, columns
from ..cell import Cell
from ..course import Limits
from ..linalg import solve_all
from ..newton import largest, newton, scaled, taken
from ..outputs import OUTPUTS, Reading
from ..pieces import Pieces
from ..rest import STATUS, Found, Lanes, has_rest, solve_rest
from ..trajectory import Clock, Plan
from ..trajectory import evaluate as evaluate_course
from .coordinate import Axis

_NEAR = 1e-3
"""A rest is where Newton's step is smaller; what is left goes as its square."""


class Seen(NamedTuple):
    """Values of the targets and their derivatives by each axis; unknowns of the rests and theirs.

    ``step`` is how far the unknowns have moved, in e-folds or RT/F: not finite where the search is
    lost, nothing for courses. ``status`` is the worst of a lane's conditions.
    """

    values: list[Any]
    slopes: list[list[Any]]
    u: list[Any]
    along: list[list[Any]]
    step: Any
    status: Any

    @property
    def arrived(self) -> Any:
        """Whether what is seen is at rest, or the end of a course."""
        return self.step < _NEAR


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
        """Observe what is a Newton step from `u`: rests, where that step is small."""
        eq = Equations(self.cell, self.params(x, numbers, given))
        value, jacobian, followed, slope = once(eq.jacobian(u, once))

        def balances(x: Sequence[Any]) -> list[Any]:
            return Equations(self.cell, self.params(x, numbers, given)).residual(u)

        _, by_axis = once(columns(balances, x))
        # By the implicit function theorem the same equations give the slopes of the rest.
        rows, *right = scaled(jacobian, value, *zip(*by_axis, strict=True))
        right = [[-b for b in column] for column in right]
        step, *along = once(solve_all(rows, right, pivot=eq.pivot))
        cut = taken(step, followed, slope)
        u = [at + cut * du for at, du in zip(u, step, strict=True)]

        def look(move: Any, axis: int) -> list[Any]:
            """What is seen when an axis moves, and the rest with it."""
            moved = [at + move if i == axis else at for i, at in enumerate(x)]
            eq = Equations(self.cell, self.params(moved, numbers, given))
            there = [at + move * du for at, du in zip(u, along[axis], strict=True)]
            reading = Reading(eq, eq.state(there))
            made = {name: OUTPUTS[name].values(reading) for name, _ in self.targets}
            return [jnp.broadcast_to(made[name][i], jnp.shape(u[0])) for name, i in self.targets]

        nothing, values, slopes = jnp.zeros_like(x[0]), [], []
        for axis in range(len(x)):
            values, slope = jax.jvp(partial(look, axis=axis), (nothing,), (nothing + 1.0,))
            slopes.append(slope)
        values, slopes = once((values, [list(row) for row in zip(*slopes, strict=True)]))
        size = largest(step)
        for c in followed:
            size = jnp.where(c > 0, size, jnp.nan)
        size = jnp.max(size, axis=0)
        found = jnp.where(size < _NEAR, STATUS["stable"], STATUS["not_converged"])
        return Seen(values, slopes, u, along, size, found.astype(jnp.int8))

    def near(
        self, x: Sequence[Any], numbers: Any, given: Mapping[str, Any], u: Sequence[Any]
    ) -> list[Any]:
        """Rests by Newton's method from near ones."""
        return newton(Equations(self.cell, self.params(x, numbers, given)), u).u

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
        status = jnp.max(status, axis=0)
        lost = jnp.where(has_rest(status), 0.0, jnp.nan).astype(x[0].dtype)
        return Seen(values, slopes, [], [], lost, status)
