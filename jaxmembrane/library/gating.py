"""Voltage gates: what makes a leak a voltage-gated channel, by `Transporter.regulated`."""

from dataclasses import asdict
from numbers import Integral

from ..kinetics.gating import Boltzmann, Gated, Gating, Rate
from ..kinetics.gating import ExpLinearRate as ExpLinearRate
from ..kinetics.gating import ExponentialRate as ExponentialRate
from ..kinetics.gating import SigmoidRate as SigmoidRate
from ..naming import check_name
from ..params import Param
from ..regulation import Regulation

_SOURCE = "Hodgkin & Huxley 1952, J Physiol 117:500, doi:10.1113/jphysiol.1952.sp004764"


def gate(
    name: str, opening: Rate, closing: Rate, power: int = 1, *, source: str = ""
) -> Regulation:
    """A voltage gate of the Hodgkin-Huxley kind: the turnover times ``x^n``.

    The gate x follows ``dx/dt = alpha(V) (1 - x) - beta(V) x`` and rests at
    ``alpha / (alpha + beta)``. Gates of a channel multiply: a sodium channel has m with n = 3 and
    h. With x = (V - midpoint) / k, alpha and beta are each one of

    ===================  ==========================  ==================================
    rate                 is                          singular at x = 0
    ===================  ==========================  ==================================
    ``ExponentialRate``  rate exp(x)                 no
    ``SigmoidRate``      rate / (1 + exp(-x))        no
    ``ExpLinearRate``    rate x / (1 - exp(-x))      removed: `rate`, slope rate / (2 k)
    ===================  ==========================  ==================================

    Parameters
    ----------
    name : str
        Its name, as ``m``. It brings ``alpha_m`` and ``beta_m`` (1/s), ``V_alpha_m``,
        ``k_alpha_m``, ``V_beta_m`` and ``k_beta_m`` (mV).
    opening, closing : Rate
        Nominal alpha and beta.
    power : int
        n, how many alike a channel has.
    source : str
        Where the rates come from.

    Raises
    ------
    ValueError
        If the name is not an identifier, or n not a whole number above zero.
    TypeError
        If opening or closing is not one of the rates.

    Notes
    -----
    Source: Hodgkin & Huxley 1952, doi:10.1113/jphysiol.1952.sp004764.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.library.gating import ExpLinearRate, ExponentialRate, gate
    >>> n = gate("n", ExpLinearRate(80.0, -35.0, 5.0), ExponentialRate(250.0, -50.0, -40.0), 2)
    >>> k_v = jm.leak(jm.K, name="k_v", P=0.2).regulated(n)
    >>> at = k_v.at(V=[-65.5, 0.0], K_i=145.0, K_o=3.0)
    >>> [f"{open:.3f}" for open in at.gates["n"]], [f"{I:.2f}" for I in at.current]
    (['0.003', '0.887'], ['0.00', '2154.39'])
    """
    check_name(name, "a gate")
    for what, rate in (("opening", opening), ("closing", closing)):
        if not isinstance(rate, Rate):
            raise TypeError(
                f"{what} of gate {name} must be a rate, as jm.SigmoidRate(4000.0, V=-30.0, k=5.0), "
                f"not {rate!r}"
            )
    if isinstance(power, bool) or not isinstance(power, Integral) or power < 1:
        raise ValueError(f"power of gate {name} must be a whole number above zero, not {power!r}")
    own = _declared(f"alpha_{name}", "opening", opening, name)
    own |= _declared(f"beta_{name}", "closing", closing, name)
    gating = Gating(name, type(opening), type(closing))
    return Regulation(Gated(name, int(power)), own, gates={name: gating}, source=source or _SOURCE)


def boltzmann(V: float, k: float, *, name: str = "open", source: str = "") -> Regulation:
    """A gate that follows the potential at once: the turnover times ``1/(1 + exp(-(V - V_h)/k))``.

    It has no state of its own, and brings ``V_open`` (V_h) and ``k_open`` (mV).

    Parameters
    ----------
    V : float
        Potential at which half the channels are open, mV.
    k : float
        Potential that changes their odds e-fold, mV; below zero where they close as V rises.
    name : str
        What is open, as in ``V_open``.
    source : str
        Where the constants come from.

    Raises
    ------
    ValueError
        If the name is not an identifier, k is zero, or a number not finite.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> from jaxmembrane.library.gating import boltzmann
    >>> cl_v = jm.leak(jm.Cl, name="cl_v", P=0.01).regulated(boltzmann(-10.0, 10.0))
    >>> whole = jm.leak(jm.Cl, P=0.01)
    >>> at = dict(V=-10.0, Cl_i=7.0, Cl_o=135.0)
    >>> f"{cl_v.at(**at).current / whole.at(**at).current:.3f}"
    '0.500'
    """
    check_name(name, "a gate")
    if k == 0:
        raise ValueError(f"k of gate {name} must be a number of mV, not zero")
    own = {
        f"V_{name}": Param(V, "mV", f"potential of half {name}", "real"),
        f"k_{name}": Param(k, "mV", f"potential that changes the odds of {name} e-fold", "real"),
    }
    return Regulation(Boltzmann(name), own, source=source)


def _declared(owner: str, what: str, rate: Rate, gate: str) -> dict[str, Param]:
    """The parameters of a rate: its three numbers."""
    given = asdict(rate)
    return {
        owner: Param(given["rate"], "1/s", f"{what} rate of gate {gate}", "positive"),
        f"V_{owner}": Param(given["V"], "mV", f"midpoint of the {what} rate of {gate}", "real"),
        f"k_{owner}": Param(given["k"], "mV", f"scale of the {what} rate of {gate}", "real"),
    }
