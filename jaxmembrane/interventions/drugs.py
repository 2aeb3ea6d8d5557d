"""Drugs that block pumps and cotransporters."""

from typing import Any

from ..cell import Cell
from ..library.regulation import ouabain as ouabain_binding
from ..protocol import Protocol
from .hold import KCC2, NKCC1, PUMP, Target, When, hold, number, scaled, targets

_BUMETANIDE_K = 1e-3
_VU0463271_K = 6.1e-5


def ouabain(
    cell: Cell,
    dose: Any,
    *,
    isoform: str | None = None,
    K: Any = None,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
    transporter: str | None = None,
) -> Protocol:
    """Ouabain in the bath, which blocks Na/K pumps: turnover times ``1 / (1 + dose / K)``.

    A pump that is regulated by `jaxmembrane.ouabain` gets its dose (``nka.ouabain``), and acts by
    its own affinity and kinetics; of any other the strength is scaled, K being that of the isoform.

    Parameters
    ----------
    cell : Cell
        Whose pumps.
    dose : float or array
        Concentration, mM; an array is a batch of doses.
    isoform : {"alpha1", "alpha2", "alpha3"}, optional
        Isoform of the rat, which sets K: 0.048, 1.15e-4 or 1.6e-6 mM; alpha1 unless told.
    K : float or array, optional
        Concentration at half block instead, mM. All human isoforms are nanomolar.
    at : float
        When it begins, s.
    lasting : float, optional
        How long until it is washed out, s; for ever unless given. What is changed then goes back
        to what it was before, in a sweep to the row's own value.
    over : float
        How long it takes to come, and to go, s: a linear ramp.
    transporter : str, optional
        One pump of that name; all Na/K pumps unless given.

    Returns
    -------
    Protocol
        To be joined with others by ``+``.

    Raises
    ------
    ValueError
        If the cell has no Na/K pump, a number lies outside its domain, or K or an isoform is given
        where the pump has its own.
    KeyError
        For a transporter that is no Na/K pump, with the nearest that is.

    Notes
    -----
    Source: O'Brien, Lingrel & Wallick 1994, Arch Biochem Biophys 310:32, PMID 8161218.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import ouabain
    >>> cell = jm.zoo.neuron()
    >>> block = ouabain(cell, 0.01, isoform="alpha3", lasting=600.0)
    >>> course = jm.simulate(cell, protocol=block, times=[0.0, 0.1, 600.0, 7200.0])
    >>> [f"{V:.1f}" for V in course.V]
    ['-72.6', '-64.4', '-61.5', '-72.6']
    """
    usual = ouabain_binding(isoform or "alpha1").params["K_ouabain"].nominal
    if isoform is not None and K is not None:
        raise ValueError(f"ouabain takes isoform={isoform!r} or K={K!r}, not both")
    chosen = usual if isoform else K
    when = When(at, lasting, over)
    return _drug(cell, "ouabain", dose, (chosen, usual), PUMP, transporter, when)


def bumetanide(
    cell: Cell,
    dose: Any,
    *,
    K: Any = None,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
    transporter: str | None = None,
) -> Protocol:
    """Bumetanide, which blocks NKCC1: turnover times ``1 / (1 + dose / K)``.

    A cotransporter that is regulated by ``jm.inhibitor("bumetanide", K)`` gets its dose.

    Parameters
    ----------
    cell, dose, at, lasting, over, transporter
        As for `ouabain`.
    K : float or array, optional
        Concentration at half block, mM; 1e-3 unless given.

    Raises
    ------
    ValueError, KeyError
        As for `ouabain`.

    Notes
    -----
    Source: Hampel et al. 2018, Sci Rep 8:9877 (human NKCC1; four times azosemide's 0.246 uM).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import bumetanide
    >>> cell = jm.zoo.neuron_immature()
    >>> left = bumetanide(cell, [0.0, 1e-3, 9e-3]).final({"nkcc1.g": 1.0})["nkcc1.g"]
    >>> [f"{share:.2f}" for share in left]
    ['1.00', '0.50', '0.10']
    """
    when = When(at, lasting, over)
    return _drug(cell, "bumetanide", dose, (K, _BUMETANIDE_K), NKCC1, transporter, when)


def vu0463271(
    cell: Cell,
    dose: Any,
    *,
    K: Any = None,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
    transporter: str | None = None,
) -> Protocol:
    """VU0463271, which blocks KCC2: turnover times ``1 / (1 + dose / K)``.

    A cotransporter that is regulated by ``jm.inhibitor("VU0463271", K)`` gets its dose.

    Parameters
    ----------
    cell, dose, at, lasting, over, transporter
        As for `ouabain`.
    K : float or array, optional
        Concentration at half block, mM; 6.1e-5 unless given.

    Raises
    ------
    ValueError, KeyError
        As for `ouabain`.

    Notes
    -----
    Source: Delpire et al. 2012, Bioorg Med Chem Lett 22:4532 (IC50 61 nM).

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import vu0463271
    >>> cell = jm.zoo.neuron()
    >>> rest = jm.steady_state(cell, vu0463271(cell, 0.01).final(cell.nominal()))
    >>> f"E_Cl {rest.E['Cl']:.1f} mV, V {rest.V:.1f} mV"
    'E_Cl -70.1 mV, V -70.0 mV'
    """
    when = When(at, lasting, over)
    return _drug(cell, "vu0463271", dose, (K, _VU0463271_K), KCC2, transporter, when)


def _drug(
    cell: Cell,
    drug: str,
    dose: Any,
    affinity: tuple[Any, float],
    target: Target,
    name: str | None,
    when: When,
) -> Protocol:
    """A drug on all transporters of a kind; `affinity` is K as chosen, and as usual (mM)."""
    dose, (K, usual) = number(drug, "dose", dose, "mM"), affinity
    left = 1.0 / (1.0 + dose / (usual if K is None else number(drug, "K", K, "mM", "positive")))
    changes = {}
    for t in targets(cell, drug, target, name):
        own = next((p for p in t.declared if p.lower() == drug), None)
        if own and K is not None:
            raise ValueError(f"{t.name} is regulated by {own} with constants of its own; set those")
        changes |= {f"{t.name}.{own}": dose} if own else scaled(t, left)
    return hold(cell, changes, when)


def pump_block(
    cell: Cell,
    left: Any = 0.0,
    *,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
    transporter: str | None = None,
) -> Protocol:
    """Na/K pumps of which a share is left, by whatever means.

    Parameters
    ----------
    cell, at, lasting, over, transporter
        As for `ouabain`.
    left : float or array
        Strength over that before, between 0 and 1.

    Raises
    ------
    ValueError, KeyError
        As for `ouabain`.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import pump_block
    >>> cell = jm.zoo.neuron()
    >>> half = jm.steady_state(cell, pump_block(cell, 0.5).final(cell.nominal()))
    >>> f"Na {half.c['Na']:.1f} mM"
    'Na 17.4 mM'
    """
    left = number("pump_block", "left", left, "1", "fraction")
    changes = {}
    for t in targets(cell, "pump_block", PUMP, transporter):
        changes |= scaled(t, left)
    return hold(cell, changes, When(at, lasting, over))
