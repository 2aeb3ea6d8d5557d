"""What pumps and cotransporters are driven or switched by: ATP, light, kinases."""

from typing import Any

from ..cell import Cell
from ..protocol import Protocol
from ..transport import Transporter
from .hold import When, hold, number, require


def atp_loss(
    cell: Cell,
    ATP: Any,
    *,
    ADP: Any = None,
    Pi: Any = None,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
) -> Protocol:
    """ATP that falls, for all pumps of the cell; ADP and phosphate may rise with it.

    Parameters
    ----------
    cell, at, lasting, over
        As for `ouabain`.
    ATP, ADP, Pi : float or array
        Concentrations, mM; what is not given stays.

    Raises
    ------
    ValueError
        If nothing in the cell depends on ATP: many published pump laws do not.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import atp_loss
    >>> loss = atp_loss(jm.zoo.neuron_calcium(), 0.1, ADP=0.5, at=60.0, over=120.0)
    >>> loss.steps[0].changes
    {'ATP': 0.1, 'ADP': 0.5}
    """
    given = {"ATP": ATP, "ADP": ADP, "Pi": Pi}
    given = {
        name: number("atp_loss", name, x, "mM", "positive")
        for name, x in given.items()
        if x is not None
    }
    if not any(_needs_atp(t) for t in cell.transporters):
        raise ValueError(
            "atp_loss needs a transporter that depends on ATP, and this cell has none: regulate "
            "its pump by jm.atp_dependence(), or give it a reversible law"
        )
    return hold(cell, given, When(at, lasting, over))


def _needs_atp(t: Transporter) -> bool:
    """Whether a transporter slows without ATP: by its free energy, or by regulation."""
    return "ATP" in dict(t.shared) or ("ATP" in t.bare and not t.irreversible)


def light(
    cell: Cell,
    level: Any,
    *,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
) -> Protocol:
    """Light on, off, or of another level, for all light-driven pumps of the cell.

    Parameters
    ----------
    cell, at, lasting, over
        As for `ouabain`.
    level : float or array
        The bare parameter ``light``, over that of half saturation; 0 is darkness.

    Raises
    ------
    ValueError
        If nothing in the cell is driven by light.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import light
    >>> vesicle = jm.zoo.proteoliposome()
    >>> dark = light(vesicle, 0.0).final(vesicle.nominal())
    >>> f"{abs(jm.steady_state(vesicle, dark).V):.1f} mV"
    '0.0 mV'
    """
    given = {"light": number("light", "level", level, "1")}
    require(cell, "light", "light", "a light-driven pump, as jm.light_pump()")
    return hold(cell, given, When(at, lasting, over))


def wnk_spak(
    cell: Cell,
    activity: Any = 1.0,
    *,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
) -> Protocol:
    """The kinases WNK and SPAK, which slow KCC2 and speed NKCC1, switched to an activity.

    Parameters
    ----------
    cell, at, lasting, over
        As for `ouabain`; transporters must be regulated by `jaxmembrane.wnk_spak`.
    activity : float or array
        Between 0 and 1.

    Raises
    ------
    ValueError
        If no transporter of the cell is regulated by WNK-SPAK.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import wnk_spak
    >>> kcc2 = jm.kcc2("log", g=0.2).regulated(jm.wnk_spak("inhibits"))
    >>> cell = jm.Cell([jm.leak(jm.K), jm.leak(jm.Na), jm.leak(jm.Cl), jm.na_k_atpase(), kcc2])
    >>> wnk_spak(cell, 0.5, lasting=60.0).names
    ('wnk',)
    """
    given = {"wnk": number("wnk_spak", "activity", activity, "1", "fraction")}
    require(cell, "wnk_spak", "wnk", "a transporter that is regulated by jm.wnk_spak()")
    return hold(cell, given, When(at, lasting, over))
