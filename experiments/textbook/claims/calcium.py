"""Calcium: the exchangers of the cell membrane and of mitochondria, and calcium channels."""

# ruff: noqa: D103 (what a function of a claim computes is said by its row of table.csv)

import jax.numpy as jnp
import numpy as np

import jaxmembrane as jm
from jaxmembrane import analytic
from jaxmembrane.constants import F

from .register import claim
from .states import BODY, CALCIUM, SODIUM, inside_for

CAPACITANCE = 0.01  # pF/um^2, to which currents per farad refer
MATRIX = {"Na_o": 10.0, "Na_i": 5.0, "Ca_o": 1e-4, "Ca_i": 2e-4}


def exchange_potential(**state):
    """3 E_Na - 2 E_Ca, mV."""
    E_Na = analytic.nernst(+1, state["Na_o"], state["Na_i"])
    return 3.0 * E_Na - 2.0 * analytic.nernst(+2, state["Ca_o"], state["Ca_i"])


def with_potentials(E_Na, E_Ca, T=BODY):
    """Concentrations with these Nernst potentials (mV)."""
    return {
        "Na_i": inside_for(E_Na, +1, 145.0, T),
        "Na_o": 145.0,
        "Ca_i": inside_for(E_Ca, +2, 1.2, T),
        "Ca_o": 1.2,
    }


@claim("001-26")
def ncx_free_energy():
    V = np.array([-70.0, 0.0, 20.0])
    at = jm.ncx().at(V=V, **SODIUM, **CALCIUM)
    by_hand = F * (V - exchange_potential(**SODIUM, **CALCIUM))
    return {"largest relative deviation of dG": jnp.abs(at.dG / by_hand - 1.0).max()}


@claim("001-27")
def ncx_reversal():
    at = jm.ncx().at(**SODIUM, **CALCIUM)
    return {
        "V_rev / (3 E_Na - 2 E_Ca) - 1": at.reversal / exchange_potential(**SODIUM, **CALCIUM) - 1.0
    }


@claim("001-28")
def ncx_reversal_in_numbers():
    text = with_potentials(70.0, 125.0, 310.0)
    return {
        "V_rev at E_Na 70, E_Ca 125": jm.ncx().at(T=310.0, **text).reversal,
        "V_rev at Na 12/145, E_Ca 125": jm.ncx().at(T=310.0, **text | SODIUM).reversal,
        "E_Na at 12/145": analytic.nernst(+1, 145.0, 12.0, 310.0),
    }


@claim("001-29")
def ncx_at_rest():
    at = jm.ncx().at(V=-70.0, **with_potentials(70.0, 125.0))
    other = jm.ncx().at(V=-70.0, **with_potentials(60.0, 130.0))
    return {
        "J forward": at.flux,
        "dG forward": 1e-3 * at.dG,
        "V_rev at E_Na 60, E_Ca 130": other.reversal,
    }


@claim("001-30")
def a_burst_reverses_ncx():
    found = {}
    for law in ("weber_shannon_bers", "luo_rudy"):
        at = jm.ncx(law).at(V=20.0, **SODIUM, **CALCIUM)
        found[f"outward current, {law}"] = 1e-3 * at.current / CAPACITANCE
    return found


@claim("001-31")
def raised_sodium_reverses_ncx():
    Na_i = np.array([12.0, 24.0])
    at = jm.ncx().at(V=-70.0, Na_i=Na_i, Na_o=145.0, **CALCIUM)
    before, after = at.reversal
    return {
        "shift of V_rev": after - before,
        "V_rev at 12 mM": before,
        "V_rev at 24 mM": after,
        "J at -70 mV, 24 mM": at.flux[1],
    }


@claim("001-32")
def nclx_clears_the_matrix():
    at = jm.nclx().at(V=-160.0, T=310.0, **MATRIX)
    return {"dG": 1e-3 * at.dG, "J": at.flux}


@claim("001-33")
def what_the_mitochondrial_potential_gives():
    with_V, without = jm.nclx().at(V=np.array([-160.0, 0.0]), T=310.0, **MATRIX).dG
    return {"share of V in dG": 1e-3 * (with_V - without)}


@claim("001-34")
def regulatory_calcium():
    """NCX against itself with regulatory sites that any calcium fills."""
    Ca_i = np.array([1e-4, 1e-3])
    state = {"V": -70.0, "Ca_i": Ca_i, "Ca_o": 1.2, **SODIUM}
    at, filled = jm.ncx().at(**state), jm.ncx().at(K_act=1e-12, **state)
    low, high = at.flux / filled.flux
    return {
        "activity at 0.1 uM": low,
        "activity at 1 uM": high,
        "change of dG": jnp.abs(at.dG - filled.dG).max(),
        "checks passed": jm.check(jm.ncx()).ok,
    }


@claim("001-35")
def sodium_dependent_inactivation():
    exchanger = jm.ncx(inactivation=True)
    state = dict(V=-70.0, Na_o=145.0, Ca_o=1.2)
    few, many = exchanger.at(Na_i=np.array([12.0, 40.0]), Ca_i=1e-4, **state).gates["active"]
    relieved = exchanger.at(Na_i=40.0, Ca_i=1e-2, **state).gates["active"]
    return {
        "change of the active share, Na_i 12 to 40 mM": many - few,
        "change of the active share, Ca_i 0.1 to 10 uM": relieved - many,
    }


@claim("001-36")
def isoforms_differ_in_their_calcium_site():
    isoforms = {"rabbit": 2.56e-4, "human atrium": 3.84e-4, "mouse": 1.28e-4}
    state = {"V": -70.0, **SODIUM, **CALCIUM}
    filled = jm.ncx().at(K_act=1e-12, **state).flux
    activity = {name: jm.ncx(K_act=K).at(**state).flux / filled for name, K in isoforms.items()}
    return {
        "mouse - rabbit": activity["mouse"] - activity["rabbit"],
        "rabbit - human atrium": activity["rabbit"] - activity["human atrium"],
    }


@claim("004-09")
def an_open_calcium_channel():
    at = jm.leak(jm.Ca, P=0.01).at(V=-70.0, **CALCIUM)
    return {"influx": -1e-6 * at.flux, "current": at.current}
