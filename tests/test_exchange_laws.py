"""Exchangers of the cell and of mitochondria: numbers in print, equilibria, slow states."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import constants
from jaxmembrane.kinetics.mitochondrial import free_nucleotides
from jaxmembrane.library.exchange import EXCHANGERS, ae, na_h_antiporter, ncx, nhe
from jaxmembrane.library.mitochondrial import MITOCHONDRIAL, ant, nclx

FAMILIES = {entry.name: entry for entry in (*EXCHANGERS, *MITOCHONDRIAL)}
CATALOGUE = {f"{e.name} {law}": e.make(law) for e in FAMILIES.values() for law in e.laws}
CATALOGUE |= {f"ncx {law}, slow": ncx(law, inactivation=True) for law in FAMILIES["ncx"].laws}


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_law_keeps_the_contract(name):
    transporter = CATALOGUE[name]
    assert {row.verdict for row in jm.check(transporter).rows} == {"ok"}
    assert transporter.irreversible == (name == "ae weinstein_published")
    assert any(word in transporter.source for word in ("doi:10.", "PMC", "derived"))


CHARGES = {ncx: 1, nclx: 1, ant: 1, nhe: 0, ae: 0, na_h_antiporter: 0}


@pytest.mark.parametrize("make", CHARGES)
def test_the_charge_of_a_turnover_is_that_of_its_reaction(make):
    assert make().charge == CHARGES[make]


F = constants.F
HEART = {"T": 310.0, "Na_i": 12.0, "Na_o": 145.0, "Ca_i": 1e-4, "Ca_o": 1.2}
REST, RISEN = HEART | {"V": -70.0}, HEART | {"V": 20.0}
A_F, NANOAMPERE = {"j_max": 9.0 / F}, {"k": 0.02 / F}
MATRIX = {"V": -160.0, "T": 310.0, "Na_o": 10.0, "Na_i": 5.0, "j_max": 1.0}
PER_MIN = {"density": 60.0}


def at_phi(phi):
    """5 mM of each form in the matrix, 2 and 0.05 mM outside, at V = -phi RT/F."""
    V = -phi * constants.R * 310.15 / F
    return {"V": V, "ATP_i": 5.0, "ADP_i": 5.0, "ATP_o": 2.0, "ADP_o": 0.05} | PER_MIN


def fixed_shares(ATP_m, ADP_m, ATP_c, ADP_c):
    """The free forms that Magnus and Keizer take from totals, at -160 mV."""
    free = {"ATP_i": 0.025 * ATP_m, "ADP_i": 0.17 * ADP_m, "ATP_o": 0.25 * ATP_c}
    return free | {"ADP_o": 0.45 * ADP_c, "V": -160.0, "T": 310.0, "j_max": 1.0}


# pH 7.2 or 6.5 inside, 7.4 outside; printed to five digits as 6.3096e-05, 0.00031623, 3.9811e-05.
ACID = {"Na_i": 12.0, "Na_o": 145.0, "H_i": 10**-4.2, "H_o": 10**-4.4, "density": 1.0}
ANIONS = {"Cl_i": 10.0, "Cl_o": 110.0, "HCO3_i": 15.0, "HCO3_o": 25.0, "density": 1.0}
# Of NCX the outward current, in A/F (C = 1), of others the turnover; all to nine printed digits.
CURRENTS = {
    "difrancesco_noble": (ncx("difrancesco_noble"), REST | NANOAMPERE, -3.37840856),
    "difrancesco_noble, risen": (ncx("difrancesco_noble"), RISEN | NANOAMPERE, 16.6076151),
    "luo_rudy": (ncx("luo_rudy"), REST | {"j_max": 2000.0 / F}, -0.113773333),
    "luo_rudy, risen": (ncx("luo_rudy"), RISEN | {"j_max": 2000.0 / F}, 0.492440931),
    "weber_shannon_bers": (ncx(), REST | A_F, -0.0144322172),
    "weber_shannon_bers, risen": (ncx(), RISEN | A_F, 0.0911390071),
}
TURNOVERS = {
    "dash_beard": (nclx(), MATRIX | {"Ca_o": 1e-4, "Ca_i": 2e-4}, 1.02488828),
    "dash_beard, equal Ca": (nclx(), MATRIX | {"Ca_o": 1e-3, "Ca_i": 1e-3}, 3.47477689),
    "magnus_keizer": (ant("magnus_keizer"), fixed_shares(5, 5, 5, 0.3), 0.0737877699),
    "magnus_keizer, back": (ant("magnus_keizer"), fixed_shares(5, 5, 8, 0.05), -0.0120980414),
    "metelkin": (ant(), at_phi(6.0), 3.34744577),
    "metelkin, 0 mV": (ant(), at_phi(0.0), -7.07400081),
    "metelkin_refit": (ant("metelkin_refit"), at_phi(6.0), 3.33004772),
    "metelkin_refit, 0 mV": (ant("metelkin_refit"), at_phi(0.0), -8.64374061),
    "nhe": (nhe(), ACID, 73.2482607),
    "nhe, acid": (nhe(), ACID | {"H_i": 10**-3.5}, 606.782164),
    "ae": (ae("weinstein_published"), ANIONS, 5.78801847),
    "ae, loaded": (ae("weinstein_published"), ANIONS | {"Cl_i": 30.0}, 2.76231618),
}


@pytest.mark.parametrize("name", CURRENTS)
def test_the_current_of_ncx_is_the_one_in_print(name):
    transporter, given, expected = CURRENTS[name]
    assert_allclose(transporter.at(**given).current, expected, rtol=1e-8)


@pytest.mark.parametrize("name", TURNOVERS)
def test_a_turnover_is_the_one_in_print(name):
    transporter, given, expected = TURNOVERS[name]
    assert_allclose(transporter.at(**given).flux, expected, rtol=1e-8)


def test_nominal_amplitudes_are_amperes_per_farad_at_one_microfarad_per_square_centimetre():
    """A/F times pF/um^2 is pA/um^2; one elementary charge per turnover."""
    j_max = dict(ncx().params)["j_max"].nominal
    assert_allclose(j_max, 0.9328, atol=5e-5)
    assert_allclose(j_max * F, 1e3 * 9.0 * 0.01, rtol=1e-14)
    assert_allclose(1e-3 * ncx().at(**RISEN).current / 0.01, 0.0911390071, rtol=1e-8)


def test_ncx_turns_at_three_sodium_less_two_calcium_potentials():
    given = HEART | {"T": 310.15}
    rest, loaded = (ncx().at(**given | {"Na_i": Na_i}).reversal for Na_i in (12.0, 24.0))
    thermal = constants.R * 310.15 / F
    E_Na, E_Ca = thermal * math.log(145 / 12), thermal / 2 * math.log(1.2 / 1e-4)
    assert_allclose(rest, 3.0 * E_Na - 2.0 * E_Ca, rtol=1e-12)
    assert_allclose([rest, loaded], [-51.24, -106.8], atol=0.05)
    assert_allclose(loaded - rest, -55.6, atol=0.05)
    for law in FAMILIES["ncx"].laws:
        at, below, above = (ncx(law).at(**given, V=rest + d).flux for d in (0.0, -1.0, 1.0))
        assert below > 0.0 > above
        assert abs(at) < 1e-12 * below


@pytest.mark.parametrize(("Ca_i", "factor"), [(1e-4, 0.132387206), (1e-3, 0.938494804)])
def test_regulatory_calcium_scales_ncx_at_the_same_free_energy(Ca_i, factor):
    given = REST | {"Ca_i": Ca_i, "Ca_o": 1.2e4 * Ca_i}
    regulated, open_ = ncx().at(**given), ncx().at(**given, K_act=1e-12)
    assert_allclose(regulated.flux / open_.flux, factor, rtol=1e-8)
    assert regulated.dG == open_.dG
    assert_allclose(regulated.dG, ncx().at(**REST).dG, rtol=1e-12)


def kyoto(V, T, Na_i, Na_o, Ca_i, Ca_o):
    """E1 + E2 and I1 of the four-state scheme, with transport between E1 and E2 in full."""
    u = V * F / (constants.R * T)
    E1_Na = 1.0 / (1.0 + (20.74854 / Na_i) ** 3 * (1.0 + Ca_i / 0.0184))
    E2_Na = 1.0 / (1.0 + (87.5 / Na_o) ** 3 * (1.0 + Ca_o / 1.38))
    E1_Ca = 1.0 / (1.0 + 0.0184 / Ca_i * (1.0 + (Na_i / 20.74854) ** 3))
    E2_Ca = 1.0 / (1.0 + 1.38 / Ca_o * (1.0 + (Na_o / 87.5) ** 3))
    f = Ca_i / (Ca_i + 0.004)
    to_E2 = math.exp(0.32 * u) * E1_Na + E1_Ca
    to_E1 = math.exp(-0.68 * u) * E2_Na + E2_Ca
    to_I1, to_I2 = E1_Na * (f * 0.002 + (1 - f) * 0.0015), f * 3e-5 + (1 - f) * 0.01
    from_I1, from_I2 = f * 0.0012 + (1 - f) * 5e-7, f * 0.09 + (1 - f) * 1e-4
    M = np.array([
        [-to_E2 - to_I1 - to_I2, to_E1, from_I1, from_I2],
        [to_E2, -to_E1, 0.0, 0.0],
        [to_I1, 0.0, -from_I1, 0.0],
        [1.0, 1.0, 1.0, 1.0],
    ])  # fmt: skip
    E1, E2, I1, _ = np.linalg.solve(M, [0.0, 0.0, 0.0, 1.0])
    return E1 + E2, I1


@pytest.mark.parametrize("seed", range(5))
def test_slow_states_rest_where_the_published_scheme_does(seed):
    rng = np.random.default_rng(seed)
    state = dict(zip(("Na_i", "Na_o"), 10.0 ** rng.uniform(0.5, 2.3, 2), strict=True))
    state |= {"Ca_i": 10.0 ** rng.uniform(-5.0, -2.0), "Ca_o": rng.uniform(0.5, 3.0)}
    state |= {"V": rng.uniform(-120.0, 60.0), "T": 310.0}
    slow = ncx(inactivation=True).at(**state)
    assert_allclose([slow.gates["active"], slow.gates["I1"]], kyoto(**state), rtol=1e-9)
    fast = ncx().at(**state)
    assert_allclose(slow.flux, slow.gates["active"] * fast.flux, rtol=1e-14)
    assert slow.dG == fast.dG


def test_sodium_puts_ncx_to_sleep_at_low_calcium_and_calcium_wakes_it():
    slow = ncx(inactivation=True)
    low = REST | {"Ca_i": 5e-5}
    asleep = [float(slow.at(**low | {"Na_i": Na_i}).gates["active"]) for Na_i in (5.0, 12.0, 30.0)]
    assert asleep[0] > 2.0 * asleep[1] > 4.0 * asleep[2]
    awake = slow.at(**REST | {"Ca_i": 2e-3}).gates["active"]
    assert awake > 5.0 * asleep[1]


def test_slow_states_are_parameters_and_stay_between_none_and_all():
    made = ncx(inactivation=True, to_I1=3.0, j_max=0.5)
    values = {name: p.nominal for name, p in made.params}
    assert (values["to_I1"], values["j_max"], values["to_I2"]) == (3.0, 0.5, 10.0)
    with pytest.raises(KeyError, match="did you mean j_max"):
        ncx(inactivation=True, jmax=1.0)
    with pytest.raises(KeyError, match="unknown parameter 'to_I1'"):
        ncx(to_I1=3.0)
    rng = np.random.default_rng(0)
    names = ("Na_i", "Na_o", "Ca_i", "Ca_o")
    state = {name: 10.0 ** rng.uniform(-6.0, 2.5, 500) for name in names}
    gates = ncx(inactivation=True).at(V=rng.uniform(-300.0, 300.0, 500), **state).gates
    active, I1 = gates["active"], gates["I1"]
    assert jnp.isfinite(active).all()
    assert min(active.min(), I1.min(), (1.0 - active - I1).min()) > -1e-12


def test_free_energy_of_nclx_is_the_one_in_print():
    at = nclx().at(**MATRIX, Ca_o=1e-4, Ca_i=2e-4)
    assert_allclose(1e-3 * at.dG, -22.58, atol=0.005)
    flat = nclx().at(**MATRIX | {"V": 0.0}, Ca_o=1e-4, Ca_i=2e-4)
    assert_allclose(1e-3 * (at.dG - flat.dG), -15.44, atol=0.005)


@pytest.mark.parametrize("law", FAMILIES["ant"].laws)
def test_the_adp_atp_carrier_stands_still_where_atp_is_up_by_the_potential(law):
    up = math.exp(F * 160.0 / (constants.R * 310.0))
    assert_allclose(up, 399.0, atol=0.5)
    state = {"V": -160.0, "T": 310.0, "ATP_i": 0.125, "ADP_i": 0.85, "ADP_o": 0.0225}
    ATP_o = up * 0.125 * 0.0225 / 0.85
    at, below, above = (ant(law).at(**state, ATP_o=f * ATP_o).flux for f in (1.0, 0.9, 1.1))
    assert below > 0.0 > above
    assert abs(at) < 1e-12 * below


def test_bohnensack_is_its_formula():
    """Potentials of 35 % outside and 65 % inside the carrier, 10^(-psi/S) with S = 2.303 RT/F."""
    S, psi = math.log(10.0) * constants.R * 310.0 / F, -160.0
    outside = 0.3 / (0.3 + 10 ** (0.35 * psi / S) * 2.0)
    inside = 1.5 / (1.5 + 10 ** (-0.65 * psi / S) * 0.4)
    state = {"ADP_o": 0.3, "ATP_o": 2.0, "ADP_i": 1.5, "ATP_i": 0.4, "T": 310.0, "V": psi}
    expected = (outside - inside) / (1.0 + 0.0035 / 0.3)
    assert_allclose(ant("bohnensack", j_max=1.0).at(**state).flux, expected, rtol=1e-12)


def test_free_nucleotides_carry_the_charges_in_print():
    """Mean charges -3.953 and -2.966 at pH 7.8 without Mg, and the formula with it."""
    ATP4, ADP3 = free_nucleotides(1.0, 1.0, Mg=0.0, H=10**-4.8)
    assert_allclose([-3.0 - ATP4, -2.0 - ADP3], [-3.953, -2.966], atol=5e-4)
    Mg, H = 800.0, 10**-1.2
    ATP = 5.0 / (1 + Mg / 101 + H / 0.323 + Mg * H / (10616 * 0.323))
    ADP = 0.3 / (1 + Mg / 901 + H / 0.445 + Mg * H / (38168 * 0.445))
    assert_allclose(free_nucleotides(5.0, 0.3, Mg=1e-3 * Mg, H=1e-3 * H), (ATP, ADP), rtol=1e-13)


@pytest.mark.parametrize("law", FAMILIES["nhe"].laws)
def test_nhe_stands_still_at_its_equilibrium_ph(law):
    H_i = 10**-4.4 * 12.0 / 145.0
    assert_allclose(-math.log10(1e-3 * H_i), 8.48, atol=0.005)
    state = {"Na_i": 12.0, "Na_o": 145.0, "H_o": 10**-4.4}
    at, acid = (nhe(law).at(**state, H_i=f * H_i).flux for f in (1.0, 2.0))
    assert acid > 0.0 and abs(at) < 1e-13 * acid


def test_published_rates_of_ae_miss_equilibrium_by_a_trifle():
    p = {name: param.nominal for name, param in ae("weinstein_published").params}
    mismatch = p["k_HCO3_in"] * p["k_Cl_out"] / (p["k_Cl_in"] * p["k_HCO3_out"])
    assert_allclose(100.0 * (mismatch - 1.0), 0.26, atol=0.005)
    assert_allclose(constants.R * 310.15 / F * math.log(mismatch), 0.07, atol=0.005)
    even = {"Cl_i": 66.0, "Cl_o": 110.0, "HCO3_i": 15.0, "HCO3_o": 25.0}
    closed, published = ae(), ae("weinstein_published")
    rate = closed.at(**ANIONS).flux
    assert abs(closed.at(**even).flux) < 1e-15 * rate
    assert published.at(**even, density=1e-3).flux < 0.0
    k_Cl_out = p["k_Cl_in"] * p["k_HCO3_out"] / p["k_HCO3_in"]
    assert_allclose(published.at(**ANIONS, k_Cl_out=k_Cl_out).flux, rate, rtol=1e-13)


def test_mass_action_exchangers_are_their_formulas():
    state = {"Na_i": 300.0, "Na_o": 500.0, "H_i": 1e-6, "H_o": 1e-4}
    J = 300.0 * 1e-4 - 500.0 * 1e-6
    assert_allclose(na_h_antiporter(k=2.0).at(**state).flux, 2.0 * J, rtol=1e-14)
    assert_allclose(nhe("mass_action", k=2.0).at(**state).flux, -2.0 * J, rtol=1e-14)
    anions = {what: x for what, x in ANIONS.items() if what != "density"}
    J = 110.0 * 15.0 - 10.0 * 25.0
    assert_allclose(ae("mass_action", k=1e-5).at(**anions).flux, 1e-5 * J, rtol=1e-14)
