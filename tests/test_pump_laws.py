"""The Na/K-ATPase: the numbers in print, cycles against a linear solve, the exact zero."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import constants
from jaxmembrane.kinetics.cycles import turnover
from jaxmembrane.kinetics.pumps import NKA_LAWS
from jaxmembrane.library.pumps import na_k_atpase

F = constants.F
REVERSIBLE = ("garay_garrahan", "garay_garrahan_reversible", "post_albers_4", "post_albers_6")
PUMPS = {law: na_k_atpase(law) for law in NKA_LAWS}
OTHERS = {f"stoichiometry {n}": na_k_atpase(stoichiometry=n) for n in ((2, 3), (2, 2))}
RESTING = {"Na_i": 12.0, "K_i": 140.0, "Na_o": 145.0, "K_o": 4.0}
LOADED = {"Na_i": 20.0, "K_i": 130.0, "Na_o": 145.0, "K_o": 4.0}


def hydrolysis(kJ, T=310.15):
    """Energy parameters such that hydrolysis gives -kJ per mol."""
    K = 0.02 * math.exp(1e3 * kJ / (constants.R * T))
    return {"ATP": 5.0, "ADP": 0.05, "Pi": 2.0, "K_ATP": K}


@pytest.mark.parametrize("name", PUMPS | OTHERS)
def test_every_pump_keeps_the_contract(name):
    report = jm.check((PUMPS | OTHERS)[name])
    assert {row.verdict for row in report.rows} == {"ok"}


@pytest.mark.parametrize("law", PUMPS)
def test_a_pump_has_a_source_a_strength_and_says_whether_it_defies_its_free_energy(law):
    pump = PUMPS[law]
    assert any(word in pump.source for word in ("doi:10.", "PMC", "derived"))
    assert pump.irreversible == (law not in REVERSIBLE)
    strength, param = pump.params[0]
    assert strength in ("j_max", "j", "b", "density")
    once, twice = (pump.at(**RESTING, **{strength: k * param.nominal}).flux for k in (1, 2))
    assert once > 0.0
    assert_allclose(twice, 2.0 * once, rtol=1e-15)


KIDNEY = {"K_K_i": 8.33, "K_Na_o": 18.5}
SIX_STATES_K = 1e3 * 2.5e11 * 1e4 * 172 * 1.5e7 * 2e6 * 1.15e4
SIX_STATES_K /= 1e5 * 1e5 * 1.72e4 * 2e5 * 30 * 6e8


def four_states_K(K_i, H, Na_i):
    """K_ATP (mM) that the published four-state constants amount to, H and bound Pi included."""
    rates = 1423.2 * 11565 * 194.4506 * 30630 / (225.9048 * 36355 * 2.8104e5 * 1.574e6)
    sites = 0.0349 * 10617**2 * 16795**2 / (579.7295 * 5.6399**2 * 1.0817**2 * 140.3709)
    return rates * sites / H * (1 + K_i / 292 + H / 10 ** (3 - 6.77) + Na_i / 224)


G, REVERSED, BOUNDED, CARDIAC, SIGMOID = (
    na_k_atpase(law, j_max=1.0)
    for law in ("garay_garrahan_published", *REVERSIBLE[1::-1], "luo_rudy", "wei")
)
FOUR, SIX = (na_k_atpase(f"post_albers_{n}", density=1.0) for n in (4, 6))
FED = {"ATP": 5.0, "ADP": 0.05, "Pi": 2.0, "V": -70.0, "T": 310.0}
PAN = RESTING | FED | {"K_ATP": four_states_K(140, 10**-4.1, 12)}
NO_PRODUCT = {"Na_i": 50.0, "K_i": 0.0, "Na_o": 150.0, "K_o": 5.4, "V": -120.0, "T": 310.0}
NO_PRODUCT |= {"ATP": 10.0, "ADP": 0.0, "Pi": 0.0}
CHAPMAN = RESTING | FED | {"K_ATP": SIX_STATES_K}
AT_REST = {"Na_i": 9.6, "K_i": 150.4, "Na_o": 140.0, "K_o": 5.4, "K_ATP": SIX_STATES_K}
AT_REST |= {"ATP": 4.99, "ADP": 0.06, "Pi": 4.95, "V": 0.0}
# As printed in the reference notes, to nine digits; one mol/m2/s is 1e6 amol/um2/s. luo_rudy and
# the cycles are at 310 K, and H is 10^-4.1 mM, which the page prints as 7.9433e-5.
PRINTED = {
    "cubic": (PUMPS["cubic"], RESTING | {"Na_i": 14.002}, 9.33264867e-2),
    "cubic at 10": (PUMPS["cubic"], RESTING | {"Na_i": 10.0}, 3.39965383e-2),
    "garay_garrahan": (G, RESTING, 0.304178943),
    "garay_garrahan, loaded": (G, LOADED, 0.418743489),
    "garay_garrahan of the kidney": (G, RESTING | KIDNEY, 0.307616417),
    "garay_garrahan of the kidney, loaded": (G, LOADED | KIDNEY, 0.423098731),
    "reversible": (REVERSED, RESTING | hydrolysis(57) | {"V": -70}, 0.301910707),
    "reversible, -200 mV": (REVERSED, RESTING | hydrolysis(57) | {"V": -200}, 0.0103318101),
    "bounded": (BOUNDED, RESTING | hydrolysis(57) | {"V": -70}, 0.299676049),
    "bounded, -200 mV": (BOUNDED, RESTING | hydrolysis(57) | {"V": -200}, 0.0052551539),
    "luo_rudy": (CARDIAC, RESTING | {"V": -70, "T": 310.0}, 0.241828896),
    "luo_rudy, 0 mV": (CARDIAC, RESTING, 0.354779269),
    "wei": (SIGMOID, RESTING | {"Na_i": 18.0}, 0.055025204),
    "wei at 12": (SIGMOID, RESTING, 0.00806316858),
    "four states": (FOUR, PAN, 8.17511504),
    "four states, no product": (FOUR, NO_PRODUCT, 13.7398239),
    "six states": (SIX, CHAPMAN, 23.1738987),
    "six states, 0 mV": (SIX, AT_REST, 14.1079516),
}


@pytest.mark.parametrize("name", PRINTED)
def test_a_law_gives_the_number_in_print(name):
    pump, given, expected = PRINTED[name]
    assert_allclose(pump.at(**given).flux, expected, rtol=1e-8)


def test_free_energy_and_reversal_potential_in_print():
    pump = na_k_atpase().at(V=-70.0, **RESTING, **hydrolysis(57))
    assert round(1e-3 * float(pump.dG), 3) == -12.632
    assert round(float(pump.reversal), 1) == -200.9


def solved(forward, backward):
    """Turnover of a ring from its rate matrix and the sum of its occupancies, by elimination."""
    n = len(forward)
    matrix = np.zeros((n, n))
    for j in range(n):
        k = (j + 1) % n
        matrix[j, j] -= forward[j]
        matrix[k, j] += forward[j]
        matrix[k, k] -= backward[j]
        matrix[j, k] += backward[j]
    matrix[-1] = 1.0
    occupied = np.linalg.solve(matrix, np.eye(n)[-1])
    return forward[0] * occupied[0] - backward[0] * occupied[1]


@pytest.mark.parametrize("n", [3, 4, 6])
def test_spanning_trees_are_the_linear_solve(n):
    rng = np.random.default_rng(n)
    for forward, backward in 10.0 ** rng.uniform(-2, 2, (200, 2, n)):
        expected = solved(forward, backward)
        assert_allclose(turnover(list(forward), list(backward)), expected, rtol=1e-9)


def four_states(V, Na_i, K_i, Na_o, K_o, ATP, ADP, Pi, H):
    """Forward and backward rates as published, with H and bound phosphate."""
    u, delta = V * F / (constants.R * 310.0), -0.055
    v1, v2 = Na_i / (579.7295 * math.exp(delta * u)), Na_i / 5.6399
    m1, m2 = Na_o / (0.0349 * math.exp((1 + delta) * u)), Na_o / 10617
    ko, ki, a = K_o / 1.0817, K_i / 16795, ATP / 140.3709
    D_i = v1 * v2**2 + (1 + v2) ** 2 + (1 + ki) ** 2 - 1
    D_o = m1 * m2**2 + (1 + m2) ** 2 + (1 + ko) ** 2 - 1
    free = Pi / (1 + K_i / 292 + H / 10 ** (3 - 6.77) + Na_i / 224)
    forward = [1423.2 * v1 * v2**2 / D_i, 11565.0, 194.4506 * ko**2 / D_o, 30630 * a / (1 + a)]
    backward = [225.9048 * ADP, 36355 * m1 * m2**2 / D_o, 2.8104e5 * free * H / (1 + a)]
    return forward, [*backward, 1.574e6 * ki**2 / D_i]


def six_states(V, Na_i, K_i, Na_o, K_o, ATP, ADP, Pi, H):
    """Likewise, in mM; this cycle knows no H."""
    del H
    half = math.exp(0.5 * V * F / (constants.R * 310.0))
    forward = [250.0 * Na_i**3, 1e4, 172.0, 15.0 * K_o**2, 2e3 * ATP * half, 1.15e4]
    backward = [1e5, 100.0 * ADP, 1.72e-5 * Na_o**3, 200.0 * Pi, 30.0 / half, 600.0 * K_i**2]
    return forward, backward


@pytest.mark.parametrize("published", [four_states, six_states])
def test_closed_cycles_are_the_published_ones_at_their_own_constant_of_hydrolysis(published):
    rng = np.random.default_rng(7)
    names = ("Na_i", "K_i", "Na_o", "K_o", "ATP", "ADP", "Pi")
    states = np.array([2, 20, 20, 1, 0.1, 0.01, 0.5]) * 20.0 ** rng.uniform(0, 1, (300, 7))
    V, H = rng.uniform(-200, 80, 300), 10 ** rng.uniform(-5, -3.5, 300)
    given = dict(zip(names, states.T, strict=True)) | {"V": V, "T": 310.0}
    pump = FOUR if published is four_states else SIX
    K = four_states_K(given["K_i"], H, given["Na_i"]) if pump is FOUR else SIX_STATES_K
    rates = [published(v, *row, h) for v, row, h in zip(V, states, H, strict=True)]
    expected = np.array([solved(f, b) for f, b in rates])
    # Close to equilibrium a solve loses digits that the trees keep.
    clear = np.array([abs(np.prod(f) - np.prod(b)) > 1e-2 * np.prod(f) for f, b in rates])
    assert clear.sum() > 250
    assert_allclose(pump.at(**given, K_ATP=K).flux[clear], expected[clear], rtol=1e-9)


@pytest.mark.parametrize("kJ", [35.0, 50.0, 62.0])
@pytest.mark.parametrize("law", REVERSIBLE)
def test_a_reversible_pump_turns_exactly_where_its_free_energy_does(law, kJ):
    given = RESTING | hydrolysis(kJ)
    V = float(PUMPS[law].at(**given).reversal)
    below, at, above = (PUMPS[law].at(**given, V=V + x) for x in (-15.0, 0.0, 15.0))
    assert above.dG < 0 < above.flux
    assert below.flux < 0 < below.dG
    assert abs(at.flux) < 1e-11 * above.flux


def test_one_cycle_moves_three_sodium_two_potassium_and_spends_one_atp():
    for pump in PUMPS.values():
        reaction = pump.legs[0].reaction
        assert [reaction.change(s, "o") for s in (jm.Na, jm.K)] == [3, -2]
        assert (reaction.energy, reaction.charge) == ((("ATP", 1),), -1)
    at = na_k_atpase().at(V=-70.0, **RESTING)
    assert_allclose(at.current, F * at.flux, rtol=1e-15)


def test_other_stoichiometries_keep_the_law_and_change_the_charge():
    usual, reverse, neutral = (
        na_k_atpase("cubic", stoichiometry=n).at(V=-70.0, **RESTING)
        for n in ((3, 2), (2, 3), [2, 2])
    )
    assert usual.flux == reverse.flux == neutral.flux
    assert_allclose([reverse.current, neutral.current], [-usual.current, 0.0], rtol=1e-15)
    assert math.isnan(neutral.reversal)


@pytest.mark.parametrize("law", ["garay_garrahan", "garay_garrahan_published", "hill", "luo_rudy"])
def test_isoforms_scale_the_sodium_constant(law):
    nominal = dict(PUMPS[law].params)["K_Na"].nominal
    for isoform, factor in (("alpha1", 1.0), ("alpha2", 1.8), ("alpha3", 2.75)):
        scaled = na_k_atpase(law, isoform=isoform)
        assert_allclose(dict(scaled.params)["K_Na"].nominal, factor * nominal, rtol=1e-15)
        assert scaled.at(**RESTING).flux == PUMPS[law].at(**RESTING, K_Na=factor * nominal).flux


REFUSED = {
    "stoichiometry must be two whole numbers above zero": {"stoichiometry": (3, 0)},
    "as \\(3, 2\\), not 3": {"stoichiometry": 3},
    "not \\(3, 2, 1\\)": {"stoichiometry": (3, 2, 1)},
    "'post_albers_4' binds 3 Na and 2 K": {"law": "post_albers_4", "stoichiometry": (2, 3)},
    "'post_albers_6' binds 3 Na and 2 K": {"law": "post_albers_6", "stoichiometry": (2, 2)},
    "_reversible' binds": {"law": "garay_garrahan_reversible", "stoichiometry": (2, 2)},
    "isoform of nka must be one of alpha1, alpha2, alpha3, not 'a4'": {"isoform": "a4"},
    "'cubic' of nka has no K_Na for isoform='alpha2'": {"law": "cubic", "isoform": "alpha2"},
    "nka takes isoform='alpha2' or K_Na=1.0, not both": {"isoform": "alpha2", "K_Na": 1.0},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_a_pump_cannot_be_is_refused_in_a_sentence(message):
    with pytest.raises(ValueError, match=message):
        na_k_atpase(**REFUSED[message])


def test_the_reversible_law_diverges_where_the_bounded_one_does_not():
    dead = RESTING | {"V": -70.0}
    short = 1e-3 * float(BOUNDED.at(**dead, **hydrolysis(0)).dG)
    dead |= hydrolysis(short - 12.0)
    forward = G.at(**dead).flux
    assert_allclose(BOUNDED.at(**dead).dG, 12e3, rtol=1e-12)
    assert round(float(REVERSED.at(**dead).flux / forward)) == -104
    assert -1.0 < BOUNDED.at(**dead).flux / forward < -0.98


def test_cycles_keep_their_digits_in_float32_close_to_equilibrium():
    rng = np.random.default_rng(3)
    forward = 10.0 ** rng.uniform(-1, 1, (6, 500))
    backward = forward * np.exp(rng.uniform(-1, 1, (6, 500)))
    backward[0] *= 0.96 * np.prod(forward, 0) / np.prod(backward, 0)  # 1 mV away
    forward, backward = forward.astype(np.float32), backward.astype(np.float32)
    exact = turnover(list(forward.astype(float)), list(backward.astype(float)))
    found = turnover([jnp.asarray(x) for x in forward], [jnp.asarray(x) for x in backward])
    assert found.dtype == jnp.float32
    assert np.abs(np.asarray(found, float) / exact - 1.0).max() < 5e-5
