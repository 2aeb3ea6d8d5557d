"""What a transporter must keep: `check`, the public contract for rate laws."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .transport import Leg, Transporter
from .trial import FORCES, LANES, State, Trial
from .units import BASE, exponents

_FLUX = "amol/um^2/s"
_SIGN_IS_ROUNDING = 1e-10
_ROUNDING = 1e-8


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
    """A transporter breaks the contract: one sentence a failure; `report` has every row."""

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
    evaluation    has a law that can be computed for an array of states
    second law    never turns against its dG, far from equilibrium and close to it
    equilibrium   stands still where dG = 0
    voltage       ignores V where it moves no charge and uses no energy source
    units         has a turnover that rescales as amol/um^2/s when the base units are rescaled
    finite        is finite, with two derivatives, at V = 0, 1e-9 and 700 mV of either sign, at
                  equal concentrations, and with 1e-12 mM of each species
    float32       is finite there, with one derivative, wherever float32 can hold the result
    ============  ===========================================================================

    A law that turns against its dG as published must carry ``irreversible=True``; one that carries
    it and never does gets a note. Laws are called outside `jax.jit`, in 8,192 states that are the
    same every time, half of them with nominal parameters. The user's JAX configuration is left
    alone.

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
    kcc2 keeps the contract
      matter      ok      kcc2 conserves K, Cl
      charge      ok      kcc2 moves +0 inward per turnover
      second law  ok      kcc2 runs downhill in 8192 states
      equilibrium ok      kcc2 stands still where dG = 0
      voltage     ok      kcc2 does not depend on V
      units       ok      kcc2 rescales as amol/um^2/s
      finite      ok      kcc2: turnover in 4096 states
      finite      ok      kcc2: turnover and derivatives in 30 states
      float32     ok      kcc2: turnover and derivatives in 30 states
    """
    if not isinstance(transporter, Transporter):
        raise TypeError(f"check needs a jm.Transporter, not {transporter!r}")
    with jax.enable_x64(True):
        rows: list[Finding] = []
        for leg in transporter.legs:
            rows += [*_bookkeeping(leg), *_behaviour(transporter, leg)]
    report = Report(transporter.name, tuple(rows))
    if not report.ok:
        raise CheckError(report)
    return report


def _bookkeeping(leg: Leg) -> Iterator[Finding]:
    r = leg.reaction
    made = [s.name for s in r.species if r.change(s, "i") + r.change(s, "o")]
    if made:
        yield Finding("matter", "failed", f"{leg.name} makes or destroys {' and '.join(made)}")
    else:
        carried = ", ".join(s.name for s in r.species)
        yield Finding("matter", "ok", f"{leg.name} conserves {carried}")
    yield Finding("charge", "ok", f"{leg.name} moves {r.charge:+d} inward per turnover")


def _behaviour(transporter: Transporter, leg: Leg) -> Iterator[Finding]:
    try:
        trial = Trial(transporter, leg)
        awkward = trial.awkward()
        exact = trial.derivatives(awkward, jnp.float64, order=2)
    except Exception as error:  # a user's law may raise anything, and what it says is the finding
        yield Finding("evaluation", "failed", f"{leg.name} cannot be evaluated: {_said(error)}")
        return
    random = trial.random()
    if transporter.irreversible:
        yield _irreversible(trial, random)
    else:
        near = trial.near_equilibrium(random)
        yield _second_law(trial, random, near)
        yield _equilibrium(trial, near)
    yield _voltage(trial, random)
    yield _rescaling(trial, random)
    yield _finite(trial, random, {"J": np.asarray(trial.turnover(random))}, "finite")
    yield _finite(trial, awkward, exact, "finite")
    yield _single_precision(trial, awkward, exact)


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):  # a name that the law misspells: the sentence is complete
        return str(error)
    first = str(error).strip().split("\n")[0].rstrip(".:")
    return (
        f"{first}; write its law for arrays with jax.numpy, its numbers as plain Python numbers, "
        "without numpy, math, or an if on a value"
    )


def _worst(badness: np.ndarray, group: int) -> int:
    """Lane of the largest badness in the first group with any: usual states come first."""
    first = int(np.argmax(badness > 0.0)) // group * group
    return first + int(np.argmax(badness[first : first + group]))


def _against(trial: Trial, state: State) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which states turn against their free energy; turnovers and dG/RT."""
    J, force = np.asarray(trial.turnover(state)), trial.force(state)
    return (J * np.sign(force) > 0) & (np.abs(force) > _SIGN_IS_ROUNDING), J, force


def _irreversible(trial: Trial, random: State) -> Finding:
    against, _, _ = _against(trial, random)
    if against.any():
        share = f"{100 * against.mean():.0f} % of states"
        return Finding("second law", "ok", f"{trial.name} is irreversible as declared, in {share}")
    return Finding(
        "second law",
        "note",
        f"{trial.name} is declared irreversible, but never turned against its free energy",
    )


def _second_law(trial: Trial, random: State, near: State) -> Finding:
    state = {name: np.concatenate([random[name], near[name]]) for name in random}
    found = zip(_against(trial, random), _against(trial, near), strict=True)
    against, J, force = (np.concatenate(pair) for pair in found)
    count = int(against.sum())
    if not count:
        return Finding("second law", "ok", f"{trial.name} runs downhill in {force.size} states")
    lane = _worst(against * np.abs(force), LANES // 4)
    dG = force[lane] * state["R"][lane] * state["T"][lane]
    advice = "multiply its law by s.drive, or declare irreversible=True if it was published so"
    return Finding(
        "second law",
        "failed",
        f"{trial.name} turns against its free energy in {count} of {force.size} states: "
        f"J = {J[lane]:+.3g} {_FLUX} at dG = {1e-3 * dG:+.3g} kJ/mol "
        f"({trial.describe(state, lane)}); "
        + ("reverse its sign" if count > 0.9 * force.size else advice),
    )


def _equilibrium(trial: Trial, near: State) -> Finding:
    J = np.abs(np.asarray(trial.turnover(near))).reshape(len(FORCES), -1)
    rest = np.nan_to_num(J[0] / np.maximum(np.maximum(J[1], J[2]), np.finfo(float).tiny))
    if rest.max() <= _ROUNDING:
        return Finding("equilibrium", "ok", f"{trial.name} stands still where dG = 0")
    lane = _worst(np.where(rest > _ROUNDING, rest, 0.0), len(rest) // 4)
    return Finding(
        "equilibrium",
        "failed",
        f"{trial.name} does not stand still at equilibrium: where dG = 0 its turnover is "
        f"{rest[lane]:.2g} of that at {FORCES[1]:g} RT ({trial.describe(near, lane)}); let its law "
        "vanish exactly where s.dG does",
    )


def _voltage(trial: Trial, random: State) -> Finding:
    if trial.reaction.charge or trial.reaction.energy:
        return Finding("voltage", "ok", f"{trial.name} may depend on V")
    J = np.asarray(trial.turnover(random))
    there = np.asarray(trial.turnover({**random, "V": 30.0 - random["V"]}))
    change = np.nan_to_num(np.abs(there - J) / np.maximum(np.abs(J), np.finfo(float).tiny))
    if change.max() <= _ROUNDING:
        return Finding("voltage", "ok", f"{trial.name} does not depend on V")
    lane = _worst(np.where(change > _ROUNDING, change, 0.0), LANES // 4)
    return Finding(
        "voltage",
        "failed",
        f"{trial.name} moves no charge, yet its turnover depends on V: J = {J[lane]:.3g} {_FLUX} "
        f"({trial.describe(random, lane)}) becomes {there[lane]:.3g} at "
        f"V = {30.0 - random['V'][lane]:.6g} mV; leave V out of its law",
    )


def _rescaling(trial: Trial, random: State) -> Finding:
    J, force = np.asarray(trial.turnover(random)), trial.force(random)

    def wrong(factors: np.ndarray) -> np.ndarray:
        def scale(unit: str) -> float:
            return float(np.prod(factors ** np.array(exponents(unit), float)))

        state = {name: x * scale(trial.inputs[name].unit) for name, x in random.items()}
        expected = J * scale(_FLUX)
        off = np.abs(np.asarray(trial.turnover(state)) - expected) > 1e-6 * np.abs(expected)
        # Close to equilibrium rounding is all that is left.
        return off & (np.abs(force) > 0.1) & np.isfinite(J)

    off = wrong(np.exp(np.random.default_rng(1).uniform(-1.0, 1.0, len(BASE))))
    if not off.any():
        return Finding("units", "ok", f"{trial.name} rescales as {_FLUX}")
    alone = np.where(np.eye(len(BASE)) == 1.0, 2.0, 1.0)
    named = [base for base, factors in zip(BASE, alone, strict=True) if wrong(factors).any()]
    return Finding(
        "units",
        "failed",
        f"{trial.name} does not rescale as {_FLUX} with {' and '.join(named) or 'its units'} in "
        f"{off.sum()} of {off.size} states: a parameter's unit is wrong, or a number in its law "
        "hides one; use s.RT, s.F and declared parameters",
    )


def _single_precision(trial: Trial, state: State, exact: State) -> Finding:
    try:
        found = trial.derivatives(state, jnp.float32, order=1)
    except Exception as error:  # as above
        said = f"{trial.name} cannot be evaluated in float32: {_said(error)}"
        return Finding("float32", "failed", said)
    largest = np.max([np.abs(exact[what]) for what in found], axis=0)
    return _finite(trial, state, found, "float32", largest < np.finfo(np.float32).max)


def _finite(trial: Trial, state: State, found: State, row: str, where: Any = True) -> Finding:
    for what, values in found.items():
        bad = ~np.isfinite(values) & where
        if bad.any():
            lane = int(np.argmax(bad))
            return Finding(
                row,
                "failed",
                f"{trial.name} is not finite: in {values.dtype} {what} = {values[lane]} "
                f"({trial.describe(state, lane)}); rewrite its law so that nothing in it, taken or "
                "not, divides by zero or overflows there",
            )
    kinds = "turnover" if len(found) == 1 else "turnover and derivatives"
    return Finding(row, "ok", f"{trial.name}: {kinds} in {len(state['V'])} states")
