"""The equations of a cell, assembled from its structure, written for one cell in scalars.

Balances, summed over membranes and reactions of turnover J::

    dn_s/dt = sum (nu_s A J)          dw/dt = sum (+-) L_w A (osm_i - osm_o - turgor / RT)

With ``carry_all`` every species is an unknown and charge is a row, which keeps all of them
positive. See `unknowns` for what is solved, and `contents` for the charge.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
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


Once = Callable[[Any], Any]
"""What computes a pytree once in a loop, see `newton.materialize`."""


def as_is(values: Any) -> Any:
    """The `Once` of what is in no loop."""
    return values


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

    def residual(
        self, u: Sequence[Any], followed: Sequence[Any] | None = None, once: Once = as_is
    ) -> list[Any]:
        """What has to vanish, as in `rows`.

        Rates of change dn/dt (amol/s), dw/dt (um^3/s), of gates (1/s) and of buffered charge
        (amol/s); charges (fC); amounts (amol) and volumes (um^3) of pools less their totals.
        """
        return self._summed(once(self.terms(self.state(u, followed))))

    def terms(self, state: State) -> dict[Key, Any]:
        """Everything that rows are sums of, each once.

        Turnover of a reaction on its membrane, ("J", reaction), amol/s; water that crosses a
        membrane, ("L", membrane), um^3/s; rates of gates, charges and pools, by their rows.
        """
        flux, found = self.turnovers(state), {}
        for m in self.cell.membranes:
            for leg in (leg for t in m.transporters for leg in t.legs):
                found["J", leg.name] = state.area[m.name] * flux[leg.name]
            if water_crosses(m):
                force = self.water_force(m, state)
                found["L", m.name] = self.params[f"{m.name}.L_w"] * state.area[m.name] * force
            for t in (t for t in m.transporters if t.gates):
                gates = state.gates[t.name]
                rates = point.gate_rates(t, self.medium(m, state), self.values(t), gates)
                for (gate, _), rate in zip(t.gates, rates, strict=True):
                    found["g", t.name, gate] = rate
        for key in self.rows:
            if key[0] == "q":
                found[key] = self.missing_charge(key[1], state)
        for pool in self.cell.pools:
            found["p", pool.owner, pool.species] = self._pooled(pool, state)
        return found

    def _summed(self, terms: Mapping[Key, Any]) -> list[Any]:
        """Rows from terms; linear."""
        totals: dict[Key, Any] = {}
        for row, shares in self._shares.items():
            for key, share in shares:
                part = terms[key] if share == 1 else share * terms[key]
                totals[row] = totals[row] + part if row in totals else part
        return [totals[key] for key in self.rows]

    @cached_property
    def _shares(self) -> dict[Key, list[tuple[Key, int]]]:
        """Each row's terms, and how often each counts in it: what its reaction moves."""
        found: dict[Key, list[tuple[Key, int]]] = {row: [] for row in self.rows}
        for row, key, share in self._moved():
            if row in found:
                found[row].append((key, share))
        for row in self.rows:
            if row[0] in "gqp":
                found[row].append((row, 1))
        return found

    def _moved(self) -> Iterator[tuple[Key, Key, int]]:
        """What each reaction and each flow of water adds to: (row, term, share)."""
        for m in self.cell.membranes:
            sides = ((m.inside.name, "i"), (m.outside.name, "o"))
            for leg in (leg for t in m.transporters for leg in t.legs):
                for s in leg.reaction.species:
                    for owner, side in sides:
                        change = leg.reaction.change(s, side)
                        if change:
                            yield ("n", owner, s.name), ("J", leg.name), change
                        if change * s.z and s in self.cell.buffered.get(owner, ()):
                            yield ("z", owner), ("J", leg.name), change * s.z
            if water_crosses(m):
                yield ("w", m.inside.name), ("L", m.name), 1
                yield ("w", m.outside.name), ("L", m.name), -1

    def _pooled(self, pool: Pool, state: State) -> Any:
        total = -self.params[pool.parameter]
        for (a, what), n in pool.terms:
            amount = state.volume[a] if what == "volume" else self.amount(a, what, state)
            total = total + n * amount
        return total

    def jacobian(
        self, u: Sequence[Any], once: Once = as_is
    ) -> tuple[list[Any], list[list[Any]], list[Any], Any]:
        """Residual, its exact Jacobian, and the followed ions with theirs.

        Differentiating with respect to one scalar leaves the zeros of the others symbolic, so
        that they cost nothing; a basis of ones and zeros would be multiplied out. The ions that
        follow from charge are differentiated once, and chained; so is each term, of which several
        rows are made. `once` may keep a compiler from repeating what they share.
        """
        x, slope = once(columns(self.followed, u)) if self.followers else ([], [])
        names = list(dict.fromkeys(key for row in self._shares.values() for key, _ in row))

        def terms(u: Sequence[Any], x: Sequence[Any]) -> list[Any]:
            found = self.terms(self.state(u, x))
            return [found[name] for name in names]

        value, direct = columns(lambda u: terms(u, x), u)
        if self.followers:
            _, through = columns(lambda x: terms(u, x), x)
            for row, via in zip(direct, through, strict=True):
                for d, sensitivity in enumerate(via):
                    for j in range(len(row)):
                        row[j] = row[j] + sensitivity * slope[d][j]
        value, direct = once((value, direct))
        slopes = [self._summed(dict(zip(names, d, strict=True))) for d in zip(*direct, strict=True)]
        rows = [list(row) for row in zip(*slopes, strict=True)]
        return self._summed(dict(zip(names, value, strict=True))), rows, x, slope
