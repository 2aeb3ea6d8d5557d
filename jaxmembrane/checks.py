"""What a transporter must keep: the public contract for rate laws, `check`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
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
_RANDOM = 2000
_NEAR = (0.0, *(sign * 10.0**power for power in (-8, -6, -4, -2, -1) for sign in (+1, -1)))
_LEAST_FORCE = 1e-10  # RT: below it the sign of dG is rounding
_ROUNDING = 1e-8
_AWKWARD_V = (0.0, 1e-9, -1e-9, 700.0, -700.0)
_NEARLY_GONE = 1e-12  # mM

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
        head = f"{self.transporter}: {'keeps' if self.ok else 'breaks'} the contract"
        return "\n".join(
            [head, *(f"  {r.check:12s}{r.verdict:8s}{r.detail}" for r in self.rows)]
        )


class CheckError(ValueError):
    """A transporter that breaks the contract; `report` holds every row."""

    def __init__(self, report: Report):
        failed = [row.detail for row in report.rows if row.verdict == "failed"]
        super().__init__("\n".join(failed))
        self.report = report


def check(transporter: Transporter) -> Report:
    """Try a transporter's rate laws against what every transporter must keep.

    ============  ============================================================================
    row           each reaction of the transporter
    ============  ============================================================================
    matter        conserves every species
    charge        moves the charge of what it carries
    second law    never turns against its own dG, in 4,000 states and close to equilibrium
    equilibrium   stands still where dG = 0
    voltage       is independent of V where no charge moves and no energy source is coupled
    units         has parameters in the package's units, and rescales as amol/um^2/s when the six
                  base units are rescaled
    finite        is finite, with its first two derivatives, at V = 0, 1e-9 and 700 mV of either
                  sign, at equal concentrations, and with 1e-12 mM of one species
    float32       is finite there in float32 too, with its first derivatives
    ============  ============================================================================

    A law that turns against its dG by publication must carry ``irreversible=True``; one that carries
    it without need gets a note. Laws are called outside `jax.jit`, in states that are the same every
    time; the user's JAX configuration is left alone.

    Parameters
    ----------
    transporter : Transporter
        Of the catalogue, or the user's own.

    Returns
    -------
    Report
        Its rows are ok or notes; ``print(report)`` shows them.

    Raises
    ------
    CheckError
        (a `ValueError`) when a check fails: one sentence for each, with a state in which it does.
    TypeError
        If it is not a `Transporter`.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.check(jm.kcc2()).ok
    True
    """
    if not isinstance(transporter, Transporter):
        raise TypeError(f"check needs a jm.Transporter, not {transporter!r}")
    with jax.enable_x64(True):
        rows = [row for leg in transporter.legs for row in _examine(_Law(transporter, leg))]
    report = Report(transporter.name, (*rows, *_labels(transporter)))
    if not report.ok:
        raise CheckError(report)
    return report
