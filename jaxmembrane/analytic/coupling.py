"""What coupling can do: limits of accumulation, flux ratios, proton pumps against a leak."""

from typing import Any

import jax.numpy as jnp

from .potentials import BODY, thermal_voltage


def voltage_ratio(charge: Any, V: Any, T: Any = BODY) -> Any:
    """Ratio, inside over outside, that a potential alone sustains: ``exp(-Q F V / (R T))``.

    For a carrier that moves Q charges inward per turnover it is the quotient of products over
    reactants at which it stands still: the adenine nucleotide carrier (Q = +1 into the matrix) so
    amplifies the ratio of ATP to ADP in the cytosol.

    Parameters
    ----------
    charge : array
        Elementary charges moved inward per turnover; the valence for one ion by itself.
    V, T : array
        Potential inside minus outside (mV), temperature (K).

    Notes
    -----
    Source: Kraemer & Klingenberg 1980, Biochemistry 19:556, for the carrier; the ratio follows from
    its free energy.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> f"{analytic.voltage_ratio(+1, -160.0, 310.0):.0f}"
    '399'
    """
    return jnp.exp(-charge * V / thermal_voltage(T))


def accumulation_limit(n: Any, c_o: Any, c_i: Any, V: Any, z: Any = 1, T: Any = BODY) -> Any:
    """Largest ratio, inside over outside, of a neutral solute carried in with n ions.

    ``(c_o / c_i)^n exp(-n z F V / (R T))``, where the carrier's free energy vanishes. Slip and
    leaks keep a real cell below it.

    Parameters
    ----------
    n : array
        Ions per solute: 2 Na for SGLT1, 1 for SGLT2.
    c_o, c_i : array
        Concentrations of the ion, mM.
    V : array
        Potential inside minus outside, mV.
    z : array
        Valence of the ion.
    T : array
        Temperature, K.

    Notes
    -----
    Source: Wright, Loo & Hirayama 2011, doi:10.1152/physrev.00055.2009, for the counts; the limit
    follows from the free energy.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> [f"{analytic.accumulation_limit(n, 145.0, 12.0, -50.0):.4g}" for n in (1, 2)]
    ['78.46', '6156']
    """
    return (c_o / c_i) ** n * voltage_ratio(n * z, V, T)


def flux_ratio(z: Any, c_o: Any, c_i: Any, V: Any, T: Any = BODY) -> Any:
    """Influx over efflux of a passive ion (Ussing): ``(c_o / c_i) exp(-z F V / (R T))``.

    One at the Nernst potential, where both go on; any other ratio betrays coupling. Finite for
    z = 0 as well.

    Parameters
    ----------
    z : array
        Valence.
    c_o, c_i : array
        Concentrations, mM.
    V, T : array
        Potential inside minus outside (mV), temperature (K).

    Notes
    -----
    Source: Ussing 1949, Acta Physiol Scand 19:43.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> f"{analytic.flux_ratio(+1, 4.0, 140.0, -70.0):.4f}"
    '0.3921'
    """
    return c_o / c_i * voltage_ratio(z, V, T)


def proton_motive_force(current: Any, conductance: Any, stall: Any = jnp.inf) -> Any:
    """Proton-motive force of a vesicle that pumps against its leak, mV: ``I / (G + I / dp_max)``.

    The pump slows down in proportion, ``I (1 - dp / dp_max)``, and the leak passes ``G dp``; a pump
    that nothing slows down (the default) gives ``I / G``.

    Parameters
    ----------
    current : array
        Pump current without back-pressure, fA (or fA/um^2).
    conductance : array
        Proton conductance of the membrane, pS (or pS/um^2).
    stall : array
        Force that stops the pump, mV.

    Notes
    -----
    Source: back-pressure as in bacteriorhodopsin, Geibel et al. 2001, Biophys J 81:2059.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> print(analytic.proton_motive_force(2e4, 100.0))  # 20 pA, 100 pS
    200.0
    >>> f"{analytic.proton_motive_force(2e4, 100.0, 250.0):.1f}"
    '111.1'
    """
    return current / (conductance + current / stall)
