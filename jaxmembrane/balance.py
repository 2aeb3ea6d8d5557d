"""The equations of a cell, assembled from its structure, written for one cell in scalars.

Balances, summed over membranes and reactions of turnover J::

    dn_s/dt = sum (nu_s A J)          dw/dt = sum (+-) L_w A (osm_i - osm_o - turgor / RT)

With ``carry_all`` every species is an unknown and charge is a row, which keeps all of them
positive. See `unknowns` for what is solved, and `contents` for the charge.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from . import point
from .contents import Contents
from .membrane import water_crosses
from .pools import Pool
from .site import Medium
from .transport import Transporter
from .unknowns import Key, State


def columns(f: Callable, u: Sequence[Any]) -> tuple[list[Any], list[list[Any]]]:
    """Value of f and its Jacobian as a list of rows, one unknown at a time."""
    u, columns, value = list(u), [], []
    for j, x in enumerate(u):
        value, column = jax.jvp(
            lambda x, j=j: f([*u[:j], x, *u[j + 1 :]]), (x,), (jnp.ones_like(x),)
        )
        columns.append(column)
    return value, [list(row) for row in zip(*columns, strict=True)]


class Equations(Contents):
    """The equations of a cell at given parameters; make them once, outside any loop."""

    def turnovers(self, state: State) -> dict[str, Any]:
        """Turnover of every reaction, amol/um^2/s."""
        flux = {}
        for m in self.cell.membranes:
            medium = self.medium(m, state)
            for t in m.transporters:
                rates = self.rates(t, medium, state)
                flux |= {leg.name: J for leg, J in zip(t.legs, rates, strict=True)}
        return flux

    def values(self, t: Transporter) -> dict[str, Any]:
        """A transporter's own parameters, by their names within it."""
        return {name: self.params[f"{t.name}.{name}"] for name, _ in t.params}

    def rates(self, t: Transporter, medium: Medium, state: State) -> list[Any]:
        """Turnover of each reaction of a transporter in a medium."""
        return point.turnovers(t, medium, self.values(t), state.gates.get(t.name, {}))

    def residual(self, u: Sequence[Any], followed: Sequence[Any] | None = None) -> list[Any]:
        """What has to vanish, as in `rows`.

        Rates of change dn/dt (amol/s), dw/dt (um^3/s), of gates (1/s) and of buffered charge
        (amol/s); charges (fC); amounts (amol) and volumes (um^3) of pools less their totals.
        """
        state = self.state(u, followed)
        wanted, totals = set(self.rows), {}
        for key, term in (*self._flows(state), *self._water(state), *self._gating(state)):
            if key in wanted:
                totals[key] = totals[key] + term if key in totals else term
        for key in self.rows:
            if key[0] == "q":
                totals[key] = self.missing_charge(key[1], state)
        for pool in self.cell.pools:
            totals["p", pool.owner, pool.species] = self._pooled(pool, state)
        return [totals[key] for key in self.rows]

    def _pooled(self, pool: Pool, state: State) -> Any:
        total = -self.params[pool.parameter]
        for (a, what), n in pool.terms:
            amount = state.volume[a] * (1.0 if what == "volume" else state.c[a, what])
            total = total + n * amount
        return total

    def _flows(self, state: State) -> Iterator[tuple[Key, Any]]:
        """What each reaction adds to the amount of each species on either side, amol/s."""
        flux = self.turnovers(state)
        for m in self.cell.membranes:
            for leg in (leg for t in m.transporters for leg in t.legs):
                turnover = state.area[m.name] * flux[leg.name]
                for s in leg.reaction.species:
                    for owner, side in ((m.inside.name, "i"), (m.outside.name, "o")):
                        change = leg.reaction.change(s, side)
                        if change:
                            yield ("n", owner, s.name), change * turnover
                        if change * s.z and s in self.cell.buffered.get(owner, ()):
                            yield ("z", owner), change * s.z * turnover

    def _water(self, state: State) -> Iterator[tuple[Key, Any]]:
        """What each membrane adds to the volume on either side, um^3/s."""
        for m in self.cell.membranes:
            if water_crosses(m):
                inside, outside = m.inside.name, m.outside.name
                force = self.water_force(m, state)
                flow = self.params[f"{m.name}.L_w"] * state.area[m.name] * force
                yield ("w", inside), flow
                yield ("w", outside), -flow

    def _gating(self, state: State) -> Iterator[tuple[Key, Any]]:
        """How fast each gate moves, 1/s."""
        for m in self.cell.membranes:
            for t in (t for t in m.transporters if t.gates):
                gates = state.gates[t.name]
                rates = point.gate_rates(t, self.medium(m, state), self.values(t), gates)
                for (gate, _), rate in zip(t.gates, rates, strict=True):
                    yield ("g", t.name, gate), rate

    def jacobian(self, u: Sequence[Any]) -> tuple[list[Any], list[list[Any]], list[Any], Any]:
        """Residual, its exact Jacobian, and the followed ions with theirs.

        Differentiating with respect to one scalar leaves the zeros of the others symbolic, so
        that they cost nothing; a basis of ones and zeros would be multiplied out. The ions that
        follow from charge are differentiated once, and chained.
        """
        x = self.followed(u)
        x, slope = columns(self.followed, u) if self.followers else ([], [])
        value, direct = columns(lambda u: self.residual(u, x), u)
        if self.followers:
            _, through = columns(lambda x: self.residual(u, x), x)
            for row, via in zip(direct, through, strict=True):
                for d, sensitivity in enumerate(via):
                    for j in range(len(row)):
                        row[j] = row[j] + sensitivity * slope[d][j]
        return value, direct, x, slope
