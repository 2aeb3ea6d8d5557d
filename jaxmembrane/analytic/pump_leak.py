"""The pump-leak steady state of an ohmic cell: its state, the pumps that allow it, its inverse."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .. import constants
from ..linalg import solve
from .potentials import BODY, nernst, thermal_voltage


class PumpLeak(NamedTuple):
    """A pump-leak steady state: V (mV), inside concentrations (mM), volume (um^3), `exists`.

    ``eps = 1 - 4AB/Pi^2`` is the margin of existence; without one all else is NaN.
    """

    V: Any
    Na: Any
    K: Any
    Cl: Any
    X: Any
    volume: Any
    exists: Any
    eps: Any


def osmotic_balance(A: Any, B: Any, osmolarity: Any, z: Any) -> tuple[Any, Any, Any]:
    """Impermeant x (mM), F V/RT and margin eps of a neutral cell in osmotic balance.

    Inside cations are ``A exp(-u)``, anions ``B exp(u)``, so that neutrality and osmotic balance
    give ``(1 - z^2) x^2 - 2 Pi x + Pi^2 eps = 0`` with ``eps = 1 - 4AB/Pi^2``; its root that
    vanishes with eps holds for every z, without cases.
    """
    # Over A and B's own scale: 4AB/Pi^2 close to one would lose digits in the plain difference.
    eps = 1.0 - 4.0 * (A / osmolarity) * (B / osmolarity)
    x = osmolarity * eps / (1.0 + jnp.sqrt(1.0 - (1.0 - z * z) * eps))
    # Of the two equal expressions the one whose denominator does not cancel.
    from_cations = jnp.log(2.0 * A / (osmolarity - (1.0 + z) * x))
    from_anions = jnp.log((osmolarity - (1.0 - z) * x) / (2.0 * B))
    return x, jnp.where(z > 0, from_anions, from_cations), eps


def driving_forces(
    pump_current: Any, g_Na: Any, g_K: Any, g_Cl: Any, g_KCC2: Any = 0.0, g_NKCC1: Any = 0.0
) -> list[Any]:
    """``V - E`` of Na, K and Cl (mV) at a flux balance of ohmic leaks and log-law cotransport.

    ``[diag(g_Na, g_K, g_Cl) + g_KCC2 k k' + g_NKCC1 n n'] d = I_p (-3, 2, 0)`` with k = (0, 1, -1)
    and n = (1, 1, -2), for a pump of 3 Na : 2 K and net current I_p.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> [round(float(d), 2) for d in analytic.driving_forces(9.0, 0.2, 0.7, 0.2, 0.2)]
    [-135.0, 22.5, 11.25]
    """
    kcc, nkcc = (0.0, 1.0, -1.0), (1.0, 1.0, -2.0)
    leaks = (g_Na, g_K, g_Cl)
    matrix = [
        [
            (leaks[i] if i == j else 0.0)
            + g_KCC2 * (kcc[i] * kcc[j])
            + g_NKCC1 * (nkcc[i] * nkcc[j])
            for j in range(3)
        ]
        for i in range(3)
    ]
    return solve(matrix, [-3.0 * pump_current, 2.0 * pump_current, 0.0 * pump_current])


def pump_leak(
    pump_current: Any,
    *,
    g_Na: Any,
    g_K: Any,
    g_Cl: Any,
    Na_o: Any,
    K_o: Any,
    Cl_o: Any,
    X: Any,
    z_X: Any,
    g_KCC2: Any = 0.0,
    g_NKCC1: Any = 0.0,
    X_o: Any = 0.0,
    T: Any = BODY,
) -> PumpLeak:
    """Resting state of an ohmic cell at a given net pump current (fA/um^2), exactly neutral.

    From the driving forces d of `driving_forces`: ``A = Na_o exp(d_Na F/RT) + K_o exp(d_K F/RT)``,
    ``B = Cl_o exp(-d_Cl F/RT)``, then osmotic balance (`osmotic_balance`); a rest exists exactly
    where ``4AB < Pi^2``, whatever X and z_X. For a membrane that stores charge replace z_X by
    ``z_X - C A V / (F X)`` and repeat: three passes suffice away from the upper pump limit.

    Parameters
    ----------
    pump_current : array
        Net current I_p = F J of a 3 Na : 2 K pump, outward positive.
    g_Na, g_K, g_Cl, g_KCC2, g_NKCC1 : array
        Conductances; the cotransporters follow their log law.
    Na_o, K_o, Cl_o, X_o : array
        Bath, mM.
    X, z_X : array
        Impermeant inside (amol) and its mean charge.

    Notes
    -----
    Sources: Keener & Sneyd, Mathematical Physiology, ch. 2, doi:10.1007/978-0-387-75847-3; Kay
    2017, doi:10.3389/fcell.2017.00041; this form, without singular z, derived from them.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> rest = analytic.pump_leak(
    ...     9.0044,
    ...     g_Na=0.2,
    ...     g_K=0.7,
    ...     g_Cl=0.2,
    ...     g_KCC2=0.2,
    ...     Na_o=145.0,
    ...     K_o=3.5,
    ...     Cl_o=119.0,
    ...     X_o=29.5,
    ...     X=304267.0,
    ...     z_X=-0.85,
    ...     T=310.1307468,
    ... )
    >>> f"{rest.V:.2f} mV, {rest.Na:.1f}, {rest.K:.1f} and {rest.Cl:.2f} mM"
    '-72.59 mV, 14.0, 122.9 and 5.16 mM'
    """
    v = thermal_voltage(T)
    d_Na, d_K, d_Cl = driving_forces(pump_current, g_Na, g_K, g_Cl, g_KCC2, g_NKCC1)
    sodium, potassium = Na_o * jnp.exp(d_Na / v), K_o * jnp.exp(d_K / v)
    chloride = Cl_o * jnp.exp(-d_Cl / v)
    osmolarity = Na_o + K_o + Cl_o + X_o
    x, u, eps = osmotic_balance(sodium + potassium, chloride, osmolarity, z_X)
    exists = eps > 0
    found = (v * u, sodium * jnp.exp(-u), potassium * jnp.exp(-u), chloride * jnp.exp(u), x, X / x)
    V, Na, K, Cl, X_i, volume = (jnp.where(exists, value, jnp.nan) for value in found)
    return PumpLeak(V, Na, K, Cl, X_i, volume, exists, eps)


class PumpRange(NamedTuple):
    """Net pump currents (fA/um^2) between which a rest exists, and that of least volume."""

    lower: Any
    upper: Any
    least_volume: Any


def pump_range(
    *,
    g_Na: Any,
    g_K: Any,
    g_Cl: Any,
    Na_o: Any,
    K_o: Any,
    Cl_o: Any,
    g_KCC2: Any = 0.0,
    g_NKCC1: Any = 0.0,
    X_o: Any = 0.0,
    T: Any = BODY,
) -> PumpRange:
    """The interval of net pump currents in which an ohmic cell has a rest.

    ``ln(4AB/Pi^2)`` (see `pump_leak`) is convex in the current and never positive without one, so
    the interval begins at zero; volume grows without limit towards both ends unless the bath holds
    impermeants. NaN where no current will do; `upper` is infinite without a path to load K.

    Notes
    -----
    Source: derived from Keener & Sneyd, Mathematical Physiology, ch. 2,
    doi:10.1007/978-0-387-75847-3.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> found = analytic.pump_range(
    ...     g_Na=0.2,
    ...     g_K=0.7,
    ...     g_Cl=0.2,
    ...     g_KCC2=0.2,
    ...     Na_o=145.0,
    ...     K_o=3.5,
    ...     Cl_o=119.0,
    ...     X_o=29.5,
    ...     T=310.1307468,
    ... )
    >>> f"{found.upper:.2f} and {found.least_volume:.3f} fA/um^2"
    '84.86 and 9.604 fA/um^2'
    """
    unit = driving_forces(1.0, g_Na, g_K, g_Cl, g_KCC2, g_NKCC1)
    d_Na, d_K, d_Cl = (d / thermal_voltage(T) for d in unit)
    a_Na, a_K = d_Na - d_Cl, d_K - d_Cl
    scale = 4.0 * Cl_o / (Na_o + K_o + Cl_o + X_o) ** 2
    least = (jnp.log(Na_o * -a_Na) - jnp.log(K_o * a_K)) / (a_K - a_Na)

    def newton(_: Any, current: Any) -> Any:
        sodium = Na_o * jnp.exp(a_Na * current)
        potassium = K_o * jnp.exp(a_K * current)
        total = sodium + potassium
        return current - jnp.log(scale * total) * total / (a_Na * sodium + a_K * potassium)

    # From the right of a convex function Newton's method comes down without overshooting.
    beyond = -jnp.log(scale * K_o) / a_K
    upper = jax.lax.fori_loop(0, 60, newton, beyond)
    upper = jnp.where(a_K > 0, upper, jnp.inf)
    some = (a_K <= 0) | (least > 0) | (scale * (Na_o + K_o) < 1.0 - 1e-12)
    none = jnp.nan * upper
    return PumpRange(
        jnp.where(some, 0.0 * upper, none),
        jnp.where(some, upper, none),
        jnp.where(some & (least > 0), least, none),
    )


class Calibration(NamedTuple):
    """What a rest says: net pump current (fA/um^2), conductances (pS/um^2), z_X, cubic j."""

    pump_current: Any
    g_KCC2: Any
    g_Cl: Any
    z_X: Any
    j: Any


def calibrate(
    *,
    V: Any,
    Na: Any,
    K: Any,
    Cl: Any,
    g_Na: Any,
    g_K: Any,
    Na_o: Any,
    K_o: Any,
    Cl_o: Any,
    X_o: Any = 0.0,
    T: Any = BODY,
) -> Calibration:
    """Parameters of the ohmic cell that rests at given V (mV) and concentrations (mM).

    ``I_p = -g_Na d_Na / 3``, KCC2 current ``u = 2 I_p - g_K d_K``, ``g_KCC2 = u / (d_K - d_Cl)``,
    ``g_Cl = u / d_Cl``, ``z_X = (Cl - Na - K) / X``, cubic pump ``j = (I_p/F) (Na_o/Na)^3``. A rest
    fixes only ratios: g_Na and g_K (pS/um^2) must be known. Where Cl is passive (d_Cl = 0) u must
    be zero and g_Cl is not determined (NaN).

    Notes
    -----
    Source: inverse of the flux balance of Duesterwald et al. 2018, doi:10.7554/eLife.39575.

    Examples
    --------
    >>> from jaxmembrane import analytic
    >>> found = analytic.calibrate(
    ...     V=-72.58811,
    ...     Na=14.00165,
    ...     K=122.8733,
    ...     Cl=5.16483,
    ...     g_Na=0.2,
    ...     g_K=0.7,
    ...     Na_o=145.0,
    ...     K_o=3.5,
    ...     Cl_o=119.0,
    ...     X_o=29.5,
    ...     T=310.1307468,
    ... )
    >>> f"{found.g_KCC2:.3f} {found.g_Cl:.3f} {found.z_X:.3f} {found.j:.2f}"
    '0.200 0.200 -0.850 103.64'
    """
    d_Na = V - nernst(+1, Na_o, Na, T)
    d_K = V - nernst(+1, K_o, K, T)
    d_Cl = V - nernst(-1, Cl_o, Cl, T)
    pump_current = -g_Na * d_Na / 3.0
    cotransport = 2.0 * pump_current - g_K * d_K
    impermeant = Na_o + K_o + Cl_o + X_o - Na - K - Cl
    return Calibration(
        pump_current,
        cotransport / (d_K - d_Cl),
        cotransport / d_Cl,
        (Cl - Na - K) / impermeant,
        pump_current / constants.F * (Na_o / Na) ** 3,
    )
