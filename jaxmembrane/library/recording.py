"""Electrodes and pipettes: what an experimenter puts into a cell, off until it is turned on."""

from collections.abc import Iterable

from ..kinetics.recording import AMPLIFIER_LAWS, Dialysis, dialysis
from ..species import Cl, K, Na, Species
from ..transport import Transporter
from .build import Entry, build, check_species, choose, with_nominal


def electrode(
    law: str = "amplifier", *, ion: Species = K, name: str = "electrode", **nominal: float
) -> Transporter:
    """An electrode for voltage or current clamp, ``K_i <-> K_o``, off until it is turned on.

    =============  ================================  =====================================
    law            turnover J                        strength
    =============  ================================  =====================================
    ``amplifier``  [g (V - V_hold) - I] / F          ``g`` (pS/um^2), ``I`` (fA/um^2)
    =============  ================================  =====================================

    ``electrode.g`` above zero clamps V to ``electrode.V``, the closer the larger it is against the
    cell's own conductance, within a time of C_m/g; ``electrode.I`` injects a current, inward where
    positive. The current is carried by an ion, K from the usual electrode, so that charge and
    matter stay exact; what leaves by it goes to the outside. What an amplifier shows, the current
    that it injects, is the negative of ``current["electrode"]``.

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`.
    ion : Species
        What carries the current, as ``jm.Cl``.

    Raises
    ------
    TypeError
        If `ion` is not a `Species`.
    ValueError
        If it has no charge.
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    It is driven from outside: its reversal potential, derived from its reaction, says nothing, and
    a cell that has it has no energy budget. Clamp: Hodgkin, Huxley & Katz 1952,
    doi:10.1113/jphysiol.1952.sp004716.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.library import electrode
    >>> clamp = electrode(g=1000.0, V=-70.0)
    >>> f"{clamp.at(V=-69.99, K_i=140.0, K_o=4.0).current:.2f} fA/um^2"
    '10.00 fA/um^2'
    """
    check_species(ion)
    if not ion.z:
        raise ValueError(f"an electrode must carry its current by an ion, which {ion.name} is not")
    reaction = f"{ion.name}_i <-> {ion.name}_o"
    return build(name, reaction, AMPLIFIER_LAWS, law, nominal, species=(ion,))


def pipette(
    species: Iterable[Species] = (Na, K, Cl),
    law: str = "electrodiffusion",
    *,
    name: str = "pipette",
    **nominal: float,
) -> Transporter:
    """A pipette that dialyses the cell, a leg for each species, off until ``pipette.k`` is given.

    ====================  ================================  ====================
    law                   turnover J (out of the cell)      strength
    ====================  ================================  ====================
    ``electrodiffusion``  k [c_i B(-z d) - c_p B(z d)]      ``k`` (um/s)
    ====================  ================================  ====================

    ``B(x) = x / (exp(x) - 1)``, c_p is ``pipette.Cl`` and so on, and d RT/F the potential inside
    less the pipette's. That is where the currents of all legs cancel: the pipette dialyses and
    leaves V to the membrane. What clamps V or injects a current is `electrode`.

    Where dialysis outruns all else the cell is in Donnan equilibrium with the pipette: its
    impermeant stays, so that cations inside are ``exp(-d)`` times, anions ``exp(d)`` times those of
    the pipette, and Cl inside is that of the pipette only if the pipette's own impermeant matches.

    With all species it is the whole-cell mode. A gramicidin-perforated patch lets cations pass
    alone, ``jm.pipette((jm.Na, jm.K))``: Cl inside stays what the cell makes it. (`gramicidin` is
    the same pore in the cell's own membrane, facing the bath.)

    Parameters
    ----------
    species : iterable of Species
        What passes, of charge -1, 0 or +1.
    law, name, **nominal
        As for `na_k_atpase`; concentrations in the pipette (mM) by species, zero for all but Na, K
        and Cl unless given.

    Raises
    ------
    TypeError
        If `species` holds anything else.
    ValueError
        If it holds a species of another charge, or an ion alone, which could not cross without a
        current.
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    What leaves goes to the outside, without end where that is a bath. The time of dialysis is
    w/(k A), w the volume and A the area; an access of resistance R_a, filled with a solution of
    resistivity rho, has ``k A = D rho / R_a`` for a diffusion coefficient D, 120 um^3/s for K at 10
    MOhm (Oliva, Cohen & Mathias 1988, doi:10.1016/S0006-3495(88)83017-0). All species have one k.
    Like an electrode, it is driven from outside.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.library import pipette
    >>> whole = pipette(k=0.15).at(Na_i=14.0, K_i=123.0, Cl_i=5.2, Na_o=145.0, K_o=3.5, Cl_o=119.0)
    >>> {leg: f"{J:.3f}" for leg, J in whole.flux.items()}
    {'pipette:Na': '0.698', 'pipette:K': '-1.480', 'pipette:Cl': '-0.782'}
    """
    passing = tuple(species) if isinstance(species, Iterable) else (species,)
    for s in passing:
        check_species(s)
        if abs(s.z) > 1:
            raise ValueError(
                f"a pipette must pass species of charge -1, 0 or +1, not {s.name} of {s.z:+d}: "
                f"give the compartment's {s.name}, which buffers in a pipette hold"
            )
    if len(passing) < 2 or sum(s.z != 0 for s in passing) == 1:
        raise ValueError(
            "a pipette must pass two ions or more, as in jm.pipette((jm.Na, jm.K)): one alone "
            "cannot cross without a current"
        )
    chosen = choose(dialysis(passing), law, name)
    legs = {s.name: (f"{s.name}_i <-> {s.name}_o", Dialysis(passing, s)) for s in passing}
    return Transporter(
        name,
        legs,
        params=with_nominal(chosen.params, nominal),
        irreversible=chosen.irreversible,
        source=chosen.source,
        species=passing,
    )


RECORDING = (
    Entry("electrode", AMPLIFIER_LAWS, electrode),
    Entry("pipette", dialysis((Na, K, Cl)), lambda law: pipette(law=law)),
)
