"""What is compiled of a fit: all starts of a tile of recorded cells, searched to their ends.

Two rounds: rests are looked for from far away, and the search goes down from there; then they are
looked for afresh where it ended, so that what is reported is what `steady_state` finds there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from .. import course
from ..newton import largest, once
from ..pieces import Pieces
from ..refill import PLACES, Work, work_off
from ..rest import STATUS, has_rest
from ..trajectory import Clock
from .descent import Lane, Limits, Method, advance, begin
from .loss import Group, Record, priors
from .observe import Course, Scene, Seen

_ROUNDS, _FEWEST = 2, 32
_PENALTY = 1e30
_ARRAYS = ("begin", "values", "weights")


@dataclass(frozen=True)
class FitProgram:
    """A fit of tiles; see `__call__` for what it is given.

    ``shared`` says which axes all cells have in common; then a tile is the whole population.
    """

    scene: Scene
    method: Method
    shared: tuple[bool, ...]

    def __call__(self, lanes: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
        """Fit the cells of a tile, the first axis of everything that comes and goes.

        `lanes` has coordinates to ``begin`` at (cells, starts, axes), recorded ``values`` and
        ``weights`` (cells, targets, conditions, times), and parameters by name (cells, conditions);
        `common` the ``fixed`` parameters, ``harmless`` ones, ``numbers`` of the axes, ``limits``
        of the search, and for courses ``how`` they go.
        """
        starts, size = lanes["begin"].shape[1:]
        group = Group(self.shared, starts)

        def wide(x: Any) -> Any:
            return jnp.tile(jnp.moveaxis(x, 0, -1), starts)

        # Of the axes (targets, conditions, times) times come first, and rests have none.
        values, weights = (
            [jnp.swapaxes(y, 0, 1) if self.scene.plan else y[:, 0] for y in wide(lanes[name])]
            for name in _ARRAYS[1:]
        )
        own = {name: wide(x) for name, x in lanes.items() if name not in _ARRAYS}
        x = list(jnp.transpose(lanes["begin"], (2, 1, 0)).reshape(size, -1))
        like = jnp.zeros((lanes["values"].shape[2], x[0].shape[0]), x[0].dtype)
        # What is no cell, padding, has no start.
        real = jnp.isfinite(x[0])

        given = {**common["fixed"], **own}

        def look(x: list[Any]) -> tuple[list[Any], Any]:
            """Rests looked for from far away, and the worst status of each lane's."""
            if self.scene.plan:
                return [], jnp.where(real, STATUS["stable"], STATUS["invalid"]).astype(jnp.int8)
            params = self.scene.params(x, common["numbers"], given)
            found = self.scene.search(params, common["harmless"], like)
            return found.u, jnp.max(found.status, axis=0)

        def one_round(carry: Lane, _: Any) -> tuple[Lane, None]:
            u, status = look(carry.x)
            there = real & has_rest(status)
            # A cell without a rest keeps quiet while the others of its group go on.
            going = real if any(self.shared) else there
            lane = begin(self.method, carry.x, carry.seen, u, status, going)
            record = Record(values, [jnp.where(there, w, 0.0) for w in weights], there)
            lane = lane._replace(turns=carry.turns)
            return self._descend(lane, (record, own), common, group, like.shape[0]), None

        unseen = [jnp.zeros_like(v) for v in values]
        u = [jnp.zeros(a.shape, a.dtype) for a in jax.eval_shape(look, x)[0]]
        first = begin(self.method, x, unseen, u, jnp.zeros(real.shape, jnp.int8), real)
        lane, _ = jax.lax.scan(one_round, first, None, length=_ROUNDS)
        return self._made(lane, common["numbers"], group)

    def _descend(
        self, lanes: Lane, given: Any, common: Mapping[str, Any], group: Group, conditions: int
    ) -> Lane:
        """Search until every lane is at its end."""
        scene, numbers = self.scene, common["numbers"]
        most, turns = common["limits"]
        limits = Limits(most, turns.astype(jnp.int32))

        def turn(turn: Any, index: Any, given: Any, lane: Lane, sink: Any) -> tuple[Lane, Any]:
            record, own = given
            params, still = {**common["fixed"], **own}, once(turn)

            def observe(x: list[Any], u: list[Any]) -> Seen:
                if scene.plan:
                    like = jnp.zeros((conditions, x[0].shape[0]), x[0].dtype)
                    how = as_course(common["how"])
                    return scene.courses(x, numbers, params, common["harmless"], like, how)
                return scene.rests(x, numbers, params, u, still)

            search = self.method, group, scene.axes, observe, record, limits
            return advance(*search, lane, still), sink

        def ahead(lane: Lane) -> Any:
            return largest(lane.gradient)

        together = scene.plan or any(self.shared)
        places = lanes.loss.shape[0] if together else max(PLACES // conditions, _FEWEST)
        work = Work(turn, lambda lane: lane.going, ahead)
        return work_off(work, given, lanes, (), places)[0]

    def _made(self, lane: Lane, numbers: Any, group: Group) -> dict[str, Any]:
        """What is told of the fit, of each cell's best start and of all."""
        axes = self.scene.axes
        there = has_rest(lane.status) & jnp.isfinite(lane.loss)
        failed = jnp.where(lane.settled, STATUS["stable"], STATUS["not_converged"])
        status = jnp.where(there & (lane.status == STATUS["stable"]), failed, lane.status)
        status = jnp.where(has_rest(status) & ~there, STATUS["nonfinite"], status).astype(jnp.int8)
        # Where cells share something, a start at which more of them rest is better.
        rank = group.total(jnp.where(there, lane.loss, 0.0))
        rank = rank + _PENALTY * group.total(jnp.where(there, 0.0, 1.0))
        by_start = rank.reshape(group.starts, -1)
        best = jnp.argmin(by_start, axis=0)

        def of_best(x: Any) -> Any:
            cells = x.reshape(*x.shape[:-1], *by_start.shape)
            picked = jnp.take_along_axis(cells, best[(None,) * (cells.ndim - 1)], axis=-2)
            return jnp.moveaxis(picked[..., 0, :], -1, 0)

        def of_all(x: Any) -> Any:
            return x.reshape(*x.shape[:-1], *by_start.shape)

        natural, values, slopes = (
            jnp.stack(
                [getattr(a, what)(x, n) for a, x, n in zip(axes, lane.x, numbers, strict=True)]
            )
            for what in ("natural", "value", "slope")
        )
        weight = priors(axes, group, there, lane.loss)
        matrix = jnp.stack([jnp.stack(row) for row in lane.matrix])
        pull = jnp.stack(weight)[:, None] * jnp.eye(len(axes), dtype=matrix.dtype)[..., None]
        prior = sum(0.5 * w * x * x for w, x in zip(weight, lane.x, strict=True))
        predicted = jnp.stack([y if self.scene.plan else y[None] for y in lane.seen])
        chi_square = 2.0 * (lane.loss - prior)
        made = {
            "status": of_best(status),
            "estimate": of_best(values),
            "natural": of_best(natural),
            "information": of_best((matrix - pull) / (slopes[:, None] * slopes[None])),
            "chi_square": of_best(chi_square),
            "loss": of_best(lane.loss),
            "gradient": of_best(largest(group.gradient(lane.gradient))),
            "predicted": jnp.moveaxis(of_best(predicted), 2, 3),
            "trial": jnp.moveaxis(of_all(values), (0, 1, 2), (2, 1, 0)),
            "trial_loss": of_all(jnp.where(there, lane.loss, jnp.nan)).T,
            "trial_status": of_all(status).T,
            "turns": of_all(lane.turns).T,
        }
        return {name: [x] for name, x in made.items()}


def as_course(how: Mapping[str, Any]) -> Course:
    """How courses go, from plain numbers."""
    zero, one = (Pieces(how["ends"], how[f"start {k}"], how[f"stop {k}"]) for k in (0, 1))
    moments, times, at = how["clock"]
    rtol, max_steps, growth = how["limits"]
    return Course(
        zero,
        one,
        Clock(moments, times.astype(jnp.int32), at.astype(jnp.int32)),
        course.Limits(rtol, max_steps.astype(jnp.int32), growth),
    )
