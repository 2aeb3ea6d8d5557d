"""Channels that open, and what an electrophysiologist does to a cell."""

from collections.abc import Mapping
from typing import Any

from ..cell import Cell
from ..naming import UnknownName, unknown
from ..protocol import Protocol
from ..transport import Transporter
from .hold import When, hold, named, number, strength


def gaba_pulse(
    cell: Cell,
    opened: Any = 1.0,
    *,
    conductance: Any = None,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
    transporter: str = "gaba_a",
) -> Protocol:
    """GABA-A receptors that open.

    Parameters
    ----------
    cell, at, lasting, over
        As for `ouabain`.
    opened : float or array
        Open fraction (``gaba_a.open``), between 0 and 1.
    conductance : float or array, optional
        Strength of the channel meanwhile, instead of its own: ``g`` (pS/um^2), or ``P`` (um/s)
        where its law has that. A channel without ``open`` needs it.
    transporter : str
        Name of the channel.

    Raises
    ------
    ValueError
        If the channel has no ``open`` and no conductance is given.
    KeyError
        If the cell has no transporter of that name.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import gaba_pulse
    >>> gaba = jm.channel("gaba_a", {jm.Cl: 1.0}, law="ohmic", g=0.0)
    >>> cell = jm.Cell([*jm.zoo.neuron().transporters, gaba])
    >>> pulse = gaba_pulse(cell, conductance=10.0, at=1.0, lasting=5.0)
    >>> [step.at for step in pulse.steps], pulse.names
    ([1.0, 6.0], ('gaba_a.g',))
    """
    channel = named(cell, "gaba_pulse", transporter, "jm.gaba_a(open=0.0)")
    changes = {}
    if "open" in channel.declared:
        changes[f"{transporter}.open"] = number("gaba_pulse", "opened", opened, "1", "fraction")
    elif conductance is None:
        raise ValueError(
            f"{transporter} has no open fraction: give gaba_pulse the conductance= that it takes"
        )
    if conductance is not None:
        name = strength(channel)
        unit = cell.parameters[name].unit
        changes[name] = number("gaba_pulse", "conductance", conductance, unit)
    return hold(cell, changes, When(at, lasting, over))


def voltage_clamp(
    cell: Cell,
    V: Any,
    *,
    g: Any = None,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
    transporter: str = "electrode",
) -> Protocol:
    """An electrode that holds V, within a time of C_m/g and by as much as g outweighs the cell.

    For steps from a holding potential give the cell ``electrode.g`` and ``electrode.V``: a clamp
    that is on already takes the new V, and goes back to its own.

    Parameters
    ----------
    cell, at, lasting
        As for `ouabain`; the cell has a `jaxmembrane.electrode`.
    V : float or array
        Holding potential, mV.
    g : float or array, optional
        Conductance of the clamp, pS/um^2; 1000 unless given or on already.
    over : float
        How long V takes from the electrode's own, s; g jumps.
    transporter : str
        Name of the electrode.

    Raises
    ------
    ValueError
        If a number lies outside its domain.
    KeyError
        If the cell has no transporter of that name.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import voltage_clamp
    >>> from jaxmembrane.library.recording import electrode
    >>> cell = jm.Cell([*jm.zoo.neuron().transporters, electrode()])
    >>> step = voltage_clamp(cell, 0.0, at=1.0, lasting=0.1)
    >>> step.names, [step.at for step in step.steps]
    (('electrode.g', 'electrode.V'), [1.0, 1.0, 1.1, 1.1])
    """
    named(cell, "voltage_clamp", transporter, "jm.electrode()")
    potential = {f"{transporter}.V": number("voltage_clamp", "V", V, "mV", "real")}
    held = hold(cell, potential, When(at, lasting, over))
    name = f"{transporter}.g"
    if g is None and cell.parameters[name].nominal:
        return held
    g = number("voltage_clamp", "g", 1000.0 if g is None else g, "pS/um^2", "positive")
    return hold(cell, {name: g}, When(at, lasting, 0.0)) + held


def dialysis(
    cell: Cell,
    k: Any,
    concentrations: Mapping[str, Any] | None = None,
    *,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
    transporter: str = "pipette",
) -> Protocol:
    """A pipette in whole-cell mode, which exchanges what is inside for what it holds.

    Parameters
    ----------
    cell, at, lasting, over
        As for `ouabain`; the cell has a `jaxmembrane.pipette`.
    k : float or array
        How fast, um/s: dialysis takes volume / (k area).
    concentrations : mapping, optional
        What the pipette holds, mM, as ``{"Cl": 10.0}``; its own values unless given.
    transporter : str
        Name of the pipette.

    Raises
    ------
    ValueError
        If a number lies outside its domain.
    KeyError
        If the cell has no transporter of that name, or the pipette does not pass a species.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import dialysis
    >>> from jaxmembrane.library.recording import pipette
    >>> cell = jm.Cell([*jm.zoo.neuron().transporters, pipette()])
    >>> dialysis(cell, 0.15, {"Cl": 10.0}).steps[0].changes
    {'pipette.k': 0.15, 'pipette.Cl': 10.0}
    """
    t = named(cell, "dialysis", transporter, "jm.pipette()")
    return _through(cell, "dialysis", t, k, concentrations, When(at, lasting, over))


def gramicidin_patch(
    cell: Cell,
    k: Any,
    concentrations: Mapping[str, Any] | None = None,
    *,
    at: float = 0.0,
    lasting: float | None = None,
    over: float = 0.0,
    transporter: str = "pipette",
) -> Protocol:
    """A gramicidin-perforated patch: a pipette that cations alone pass, so that Cl stays native.

    Parameters
    ----------
    cell, k, concentrations, at, lasting, over, transporter
        As for `dialysis`; the cell has ``jm.pipette((jm.Na, jm.K))``.

    Raises
    ------
    ValueError
        If the pipette passes anions, or a number lies outside its domain.
    KeyError
        As for `dialysis`.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.interventions import gramicidin_patch
    >>> from jaxmembrane.library.recording import pipette
    >>> patch = pipette((jm.Na, jm.K), name="patch")
    >>> cell = jm.Cell([*jm.zoo.neuron().transporters, patch])
    >>> gramicidin_patch(cell, 0.01, transporter="patch").names
    ('patch.k',)
    """
    t = named(cell, "gramicidin_patch", transporter, "jm.pipette((jm.Na, jm.K))")
    anions = [s.name for leg in t.legs for s in leg.reaction.species if s.z < 0]
    if anions:
        raise ValueError(
            f"{transporter} passes {' and '.join(anions)}, which gramicidin does not: add "
            "jm.pipette((jm.Na, jm.K))"
        )
    return _through(cell, "gramicidin_patch", t, k, concentrations, When(at, lasting, over))


def _through(
    cell: Cell,
    what: str,
    pipette: Transporter,
    k: Any,
    concentrations: Mapping[str, Any] | None,
    when: When,
) -> Protocol:
    changes = {f"{pipette.name}.k": number(what, "k", k, "um/s")}
    for ion, c in (concentrations or {}).items():
        if f"{pipette.name}.{ion}" not in cell.parameters:
            there = [name for name in pipette.declared if name != "k"]
            raise UnknownName(unknown(f"species in {pipette.name}:", ion, there))
        changes[f"{pipette.name}.{ion}"] = number(what, ion, c, "mM")
    return hold(cell, changes, when)
