"""What a transporter must keep: `check`, the public contract for rate laws."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import constants
from .params import Param
from .species import KNOWN
from .transport import ENERGY_PARAMS, Leg, Medium, Site, Transporter, Values
from .units import BASE, exponents, parse

_FLUX = "amol/um^2/s"
# One width for all states: outside jit, JAX compiles each operation once for each shape.
_LANES = 4096
_GROUPS = 4
_CLOSE = (0.0, 0.1, -0.1, 1.0, 1e-4, -1e-4, 1e-8, -1e-8)
_SIGN_IS_ROUNDING = 1e-10
_ROUNDING = 1e-8
_AWKWARD_V = (0.0, 1e-9, -1e-9, 700.0, -700.0)
_NEARLY_GONE = 1e-12

State = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One row of a `Report`: what was checked, "ok", "failed" or "note", and what was seen."""

    check: str
    verdict: str
    detail: str


@dataclass(frozen=True)
class Report:
    """What `check` found about a transporter, row by row."""

    transporter: str
    rows: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(row.verdict != "failed" for row in self.rows)

    def __str__(self) -> str:
        head = f"{self.transporter} {'keeps' if self.ok else 'breaks'} the contract"
        rows = (f"  {row.check:12s}{row.verdict:8s}{row.detail}" for row in self.rows)
        return "\n".join([head, *rows])


class CheckError(ValueError):
    """A transporter that breaks the contract: one sentence a failure; `report` has every row."""

    def __init__(self, report: Report):
        super().__init__("\n".join(r.detail for r in report.rows if r.verdict == "failed"))
        self.report = report


def check(transporter: Transporter) -> Report:
    """Try the rate laws of a transporter against what every transporter must keep.

    ============  ===========================================================================
    row           each reaction of the transporter
    ============  ===========================================================================
    matter        conserves every species
    charge        moves the charge of what it carries
    evaluation    has a law that can be computed for an array of states (shown if it cannot)
    second law    never turns against its dG, far from equilibrium and close to it
    equilibrium   stands still where dG = 0
    voltage       ignores V where it moves no charge and uses no energy source
    units         has parameters in the package's units, and a turnover that rescales as
                  amol/um^2/s when the six base units are rescaled
    finite        is finite with its first two derivatives at V = 0, 1e-9 and 700 mV of either
                  sign, at equal concentrations, and with 1e-12 mM of each species
    float32       is finite there with its first derivatives, wherever float32 can hold them
    ============  ===========================================================================

    A law that turns against its dG as published must carry ``irreversible=True``, and gets a note
    if it never does. Laws are called outside `jax.jit` in 8,192 states, the same every time: half
    with nominal parameters, half with others. The user's JAX configuration is left alone.

    Parameters
    ----------
    transporter : Transporter
        Of the catalogue, or the user's own.

    Returns
    -------
    Report
        Every row is ok or a note; ``print(report)`` shows them.

    Raises
    ------
    CheckError
        (a `ValueError`) if a check fails: a sentence for each, with a state in which it does.
    TypeError
        If it is not a `Transporter`.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> print(jm.check(jm.kcc2()))
    """
    if not isinstance(transporter, Transporter):
        raise TypeError(f"check needs a jm.Transporter, not {transporter!r}")
    with jax.enable_x64(True):
        rows = [row for leg in transporter.legs for row in _examine(transporter, leg)]
    report = Report(transporter.name, tuple(rows))
    if not report.ok:
        raise CheckError(report)
    return report


def _examine(transporter: Transporter, leg: Leg) -> Iterator[Finding]:
    yield from _bookkeeping(leg)
    law = _Law(transporter, leg)
    try:
        law.explore()
    except Exception as error:  # a user's law may raise anything; what it says is the finding
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        yield Finding(
            "evaluation",
            "failed",
            f"{leg.name} cannot be computed for an array of states ({said}); "
            "write its law with jax.numpy, without if, math or float()",
        )
        return
    random = law.sample(np.random.default_rng(0))
    close = law.near_equilibrium(random)
    yield from _second_law(law, random, close)
    yield from _voltage(law, random)
    yield from _units(law, random)
    yield from _finite(law, random)


class _Pool(dict):
    """Concentrations of one side, noting which are asked for."""

    def __init__(self, values: Mapping[str, Any], side: str, asked: set[str]):
        super().__init__(values)
        self._side, self._asked = side, asked

    def __getitem__(self, species: str) -> Any:
        self._asked.add(f"{species}_{self._side}")
        return super().__getitem__(species)


class _Law:
    """The rate law of one reaction, as a function of one flat mapping.

    Its entries: concentrations (``K_i``), ``V``, bare parameters, the transporter's own by full
    name (``kcc2.j_max``), and the constants ``R`` and ``F``.
    """

    def __init__(self, transporter: Transporter, leg: Leg):
        self.transporter, self.leg, self.name = transporter, leg, leg.name
        self.reaction, self.charge = leg.reaction, leg.reaction.charge
        self.own = {f"{transporter.name}.{name}": p for name, p in transporter.params}
        self.bare = {"T": Param(310.15, "K", "temperature", "positive")}
        for source, _ in leg.reaction.energy:
            self.bare |= ENERGY_PARAMS[source]
        self.asked = {f"{s.name}_{side}" for s in leg.reaction.species for side in "io"}
        # A law may look at species that its reaction does not carry.
        self.inputs = self._inputs({*self.asked, *(f"{s}_{side}" for s in KNOWN for side in "io")})

    def _inputs(self, concentrations: Iterable[str]) -> dict[str, Param]:
        sides = {
            name: Param(12.0 if name.endswith("i") else 145.0, "mM", domain="positive")
            for name in sorted(concentrations)
        }
        constant = {
            "R": Param(constants.R, "J/mol/K", domain="positive"),
            "F": Param(constants.F, "fC/amol", domain="positive"),
        }
        return sides | {"V": Param(-70.0, "mV", domain="real")} | self.bare | self.own | constant

    def nominal(self) -> dict[str, Any]:
        return {name: np.full(_LANES, p.nominal) for name, p in self.inputs.items()}

    def explore(self) -> None:
        """Call the law once, and keep of the concentrations those that it asked for."""
        self.turnover(self.nominal())
        self.inputs = self._inputs(self.asked)

    def site(self, state: State) -> Site:
        state = {name: jnp.asarray(x) for name, x in state.items()}
        RT = state["R"] * state["T"]
        pools = []
        for side in "io":
            there = {n[:-2]: x for n, x in state.items() if n in self.inputs and n[-2:] == f"_{side}"}
            pools.append(there)
        return Site(self.reaction, Medium())
