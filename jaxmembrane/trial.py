"""A rate law on trial: a function of one flat mapping, and states in which to try it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import constants
from .params import Param
from .site import Medium, Site, Values
from .species import KNOWN
from .transport import Leg, Transporter

LANES = 4096
"""States tried at once: outside jit JAX compiles each operation once for each shape."""

FORCES = (0.0, 0.1, -0.1, 1.0, 1e-4, -1e-4, 1e-8, -1e-8)
"""Free energies over RT at which a law is tried near equilibrium."""

_AWKWARD_V = (0.0, 1e-9, -1e-9, 700.0, -700.0)
_NEARLY_GONE = 1e-12

State = Mapping[str, Any]


class _Pool(dict):
    """Concentrations of one side, noting which are asked for."""

    def __init__(self, values: Mapping[str, Any], side: str, asked: set[str]):
        super().__init__(values)
        self._side, self._asked = side, asked

    def __getitem__(self, species: str) -> Any:
        self._asked.add(f"{species}_{self._side}")
        return super().__getitem__(species)


class Trial:
    """The rate law of one reaction as a function of one flat mapping, its `inputs`.

    They are concentrations (``K_i``), ``V``, bare parameters, the transporter's own by full name
    (``kcc2.j_max``), and the constants ``R`` and ``F``. A state maps each to an array.
    """

    def __init__(self, transporter: Transporter, leg: Leg):
        self.owner, self.name, self.rate = transporter.name, leg.name, leg.rate
        self.reaction = leg.reaction
        self.gates = {name: Param(0.5, "1", domain="fraction") for name, _ in transporter.gates}
        self.own = {f"{self.owner}.{name}": p for name, p in transporter.params}
        self.bare = {"T": Param(310.15, "K")}
        self.bare |= transporter.bare
        self.change = {
            f"{s.name}_{side}": self.reaction.change(s, side)
            for s in self.reaction.species
            for side in "io"
        }
        # A law may look at species that its reaction does not carry. Which, a first call tells.
        self._hold({*self.change, *(f"{s}_{side}" for s in KNOWN for side in "io")})
        self._asked = set(self.change)
        self.turnover(self.nominal(LANES))
        self._hold(self._asked)

    def _hold(self, concentrations: Iterable[str]) -> None:
        self.c = {
            name: Param(12.0 if name.endswith("i") else 145.0, "mM")
            for name in sorted(concentrations)
        }
        self.inputs = (
            {"V": Param(-70.0, "mV", domain="real")}
            | self.c
            | self.bare
            | self.own
            | self.gates
            | {"R": Param(constants.R, "J/(mol K)"), "F": Param(constants.F, "fC/amol")}
        )

    def site(self, state: State) -> Site:
        """Give what the law sees in a state."""
        state = {name: jnp.asarray(x) for name, x in state.items()}
        inside, outside = (
            _Pool({n[:-2]: state[n] for n in self.c if n.endswith(f"_{side}")}, side, self._asked)
            for side in "io"
        )
        RT = state["R"] * state["T"]
        medium = Medium(
            inside=inside,
            outside=outside,
            ln_inside=_logarithms(inside),
            ln_outside=_logarithms(outside),
            u=state["V"] * state["F"] / RT,
            RT=RT,
            F=state["F"],
            bare={name: state[name] for name in self.bare},
        )
        return Site(self.reaction, medium, {name: state[name] for name in self.gates})

    def turnover(self, state: State) -> Any:
        """Turnover in each state, amol/um^2/s."""
        own = {name.partition(".")[2]: jnp.asarray(state[name]) for name in self.own}
        J = self.rate(self.site(state), Values(self.owner, own))
        V = jnp.asarray(state["V"])
        J = jnp.full_like(V, J) if isinstance(J, (int, float)) else jnp.asarray(J)
        if J.dtype != V.dtype:
            raise TypeError(f"it returns {J.dtype} for {V.dtype}")
        return jnp.broadcast_to(J, V.shape)

    def force(self, state: State) -> Any:
        """Free energy over RT in each state."""
        site = self.site(state)
        return np.asarray(site.dG / site.RT)

    def nominal(self, n: int) -> dict[str, Any]:
        """One and the same state n times."""
        return {name: np.full(n, p.nominal) for name, p in self.inputs.items()}

    def random(self) -> dict[str, Any]:
        """Random states in quarters: usual ones, then extreme; nominal parameters, then others."""
        rng, shape, state = np.random.default_rng(0), (2, 2, LANES // 4), self.nominal(LANES)

        def between(usual: tuple[float, float], extreme: tuple[float, float]) -> Any:
            low, high = np.array([usual, extreme]).T[:, :, None, None]
            return rng.uniform(low, high, shape)

        for name in self.c:
            state[name] = 10.0 ** between((0.0, 2.5), (-6.0, 3.0)).ravel()
        state["V"] = between((-150.0, 150.0), (-400.0, 400.0)).ravel()
        for name, p in (self.bare | self.own | self.gates).items():
            values = np.full(shape, p.nominal)
            values[:, 1] = _elsewhere(p, rng, values[:, 1].shape)
            state[name] = values.ravel()
        return state

    def near_equilibrium(self, state: State) -> dict[str, Any]:
        """States moved by least changes of ln c to each of `FORCES`, one after the other."""
        near = {name: np.tile(x[:: len(FORCES)], len(FORCES)) for name, x in state.items()}
        aim = np.repeat(FORCES, LANES // len(FORCES))
        for _ in range(3):
            excess = (self.force(near) - aim) / sum(n * n for n in self.change.values())
            near |= {name: near[name] * np.exp(-n * excess) for name, n in self.change.items()}
        return near

    def awkward(self) -> dict[str, Any]:
        """V of zero, nearly zero and far away, with usual, equal and nearly absent species."""
        variants = [{}, dict.fromkeys(self.c, 10.0), *({name: _NEARLY_GONE} for name in self.c)]
        variants = [v | {"V": V} for v in variants for V in _AWKWARD_V]
        return {
            name: np.array([v.get(name, p.nominal) for v in variants])
            for name, p in self.inputs.items()
        }

    def derivatives(self, state: State, dtype: Any, order: int) -> dict[str, Any]:
        """Turnover and its derivatives in each state by name, as ``d2J/dV dK_i``.

        First ones forward and in reverse, second ones forward over reverse. The direction of
        each is a lane, so that one pass gives all.
        """
        names, n = [name for name in self.inputs if name not in ("R", "F")], len(state["V"])
        # Whole multiples of one width, for the same reason as above.
        size = -(-n * len(names) // LANES) * LANES

        def lanes(x: Any) -> Any:
            return jnp.asarray(np.resize(x, size), dtype)

        def by_name(x: Any) -> dict[str, Any]:
            rows = np.asarray(x)[: n * len(names)].reshape(len(names), n)
            return dict(zip(names, rows, strict=True))

        def backward(at: State) -> dict[str, Any]:
            J, pull = jax.vjp(self.turnover, at)
            return pull(jnp.ones_like(J))[0]

        at = {name: lanes(x) for name, x in state.items()}
        moved = np.repeat(np.eye(len(names)), n, axis=1)
        push = {name: jnp.zeros_like(x) for name, x in at.items()}
        push |= {name: lanes(row) for name, row in zip(names, moved, strict=True)}
        J, forward = jax.jvp(self.turnover, (at,), (push,))
        reverse, second = jax.jvp(backward, (at,), (push,)) if order > 1 else (backward(at), {})
        found = {"J": np.asarray(J)[:n]}
        found |= {f"dJ/d{a}": x for a, x in by_name(forward).items()}
        found |= {f"dJ/d{a} in reverse mode": np.asarray(reverse[a])[:n] for a in names}
        for b in names if second else ():
            found |= {f"d2J/d{b} d{a}": x for a, x in by_name(second[b]).items()}
        return found

    def describe(self, state: State, lane: int) -> str:
        """Put a state into words, without what is nominal."""
        shown = []
        for name, p in self.inputs.items():
            value = float(state[name][lane])
            if name == "V" or name in self.c or value != p.nominal:
                shown.append(f"{name} = {value:.6g} {p.unit}".removesuffix(" 1"))
        return ", ".join(shown)


def _logarithms(pool: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    return {species: (lambda x=x: jnp.log(x)) for species, x in pool.items()}


def _elsewhere(p: Param, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Values of a parameter away from its nominal one."""
    if p.unit == "K":
        return rng.uniform(273.0, 323.0, shape)
    if p.domain == "fraction":
        return rng.uniform(0.0, 1.0, shape)
    if p.domain == "real":
        return p.nominal + (abs(p.nominal) or 1.0) * rng.uniform(-1.0, 1.0, shape)
    return (p.nominal or 1.0) * 10.0 ** rng.uniform(-1.0, 1.0, shape)
