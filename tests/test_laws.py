"""The laws of the catalogue: the contract, the numbers in print, the constant field's numerics."""

import math
from decimal import Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm
from jaxmembrane import constants
from jaxmembrane.kinetics.pumps import NKA_LAWS
from jaxmembrane.kinetics.thermodynamic import bernoulli
from jaxmembrane.library import CATALOGUE as ENTRIES
from jaxmembrane.trial import FORCES, Trial

CATALOGUE = {
    f"{name} {law}": entry.make(law) for name, entry in ENTRIES.items() for law in entry.laws
}
CATALOGUE |= {
    f"leak of {s.name} {law}": jm.leak(s, law)
    for s in (jm.K, jm.Cl, jm.Ca, jm.Glucose)
    for law in ("ghk", "ohmic")
}
REVERSIBLE_PUMPS = {
    "garay_garrahan", "garay_garrahan_reversible", "post_albers_4", "post_albers_6"
}  # fmt: skip


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_law_of_the_catalogue_keeps_the_contract(name):
    report = jm.check(CATALOGUE[name])
    assert {row.verdict for row in report.rows} == {"ok"}


@pytest.mark.parametrize("law", NKA_LAWS)
def test_pumps_say_whether_they_can_turn_against_their_free_energy(law):
    assert jm.na_k_atpase(law).irreversible == (law not in REVERSIBLE_PUMPS)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_law_names_its_source_and_its_first_parameter_is_its_strength(name):
    transporter = CATALOGUE[name]
    assert any(mark in transporter.source for mark in ("doi:10.", "PMC", "derived"))
    strength, param = transporter.params[0]
    assert strength in ("j_max", "j", "b", "g", "k", "P", "density", "v_max")
    trial = Trial(transporter, transporter.legs[0])
    state = trial.nominal(1)
    double = state | {f"{transporter.name}.{strength}": np.array([2.0 * param.nominal])}
    assert_allclose(trial.turnover(double), 2.0 * trial.turnover(state), rtol=1e-15)


def turnover(transporter, **given):
    """Turnover at given concentrations (mM), V (mV) and parameters of the transporter's own."""
    trial = Trial(transporter, transporter.legs[0])
    state = trial.nominal(1)
    for name, value in given.items():
        own = f"{transporter.name}.{name}"
        state[own if own in state else name] = np.array([float(value)])
    return float(trial.turnover(state)[0])


RESTING = {"Na_i": 12, "K_i": 140, "Na_o": 145, "K_o": 4}
LOADED = {"Na_i": 20, "K_i": 130, "Na_o": 145, "K_o": 4}
RT = constants.R * 310.15


def free_energy_of_atp(kJ):
    """Energy parameters such that hydrolysis gives kJ per mol at 310.15 K."""
    return {"ATP": 5.0, "ADP": 0.05, "Pi": 2.0, "K_ATP": 0.02 * math.exp(1e3 * kJ / RT)}


ENDLESS = free_energy_of_atp(1000.0)
LOW, HIGH = {"Cl_i": 5, "Cl_o": 120}, {"Cl_i": 30, "Cl_o": 120}
NEURON = {"K_i": 122.873, "Cl_i": 5.163, "K_o": 3.5, "Cl_o": 119}
LOADED_KCC = {"K_i": 140, "Cl_i": 8, "K_o": 4, "Cl_o": 120}
PALK = jm.nkcc1("palk", j_max=2.0096e-5 / 1.3852e-6)
PUMP = jm.na_k_atpase(j_max=1.0)
# As printed in the reference notes: mol/m2/s are 1e6 amol/um2/s, and a log law U X has the
# conductance U F^2/RT.
PRINTED = {
    "cubic": (jm.na_k_atpase("cubic"), {"Na_i": 14.002, "Na_o": 145}, 9.33264867e-2),
    "cubic at 10": (jm.na_k_atpase("cubic"), {"Na_i": 10, "Na_o": 145}, 3.39965383e-2),
    "garay_garrahan": (PUMP, RESTING | ENDLESS, 0.304178943),
    "garay_garrahan, loaded": (PUMP, LOADED | ENDLESS, 0.418743489),
    "garay_garrahan of the kidney": (
        PUMP, RESTING | ENDLESS | {"K_K_i": 8.33, "K_Na_o": 18.5}, 0.307616417,
    ),
    "garay_garrahan of the kidney, loaded": (
        PUMP, LOADED | ENDLESS | {"K_K_i": 8.33, "K_Na_o": 18.5}, 0.423098731,
    ),
    "garay_garrahan, bounded": (
        PUMP, RESTING | free_energy_of_atp(57.0) | {"V": -70}, 0.299676049,
    ),
    "garay_garrahan, bounded, -200 mV": (
        PUMP, RESTING | free_energy_of_atp(57.0) | {"V": -200}, 0.0052551539,
    ),
    "NKCC1 log": (
        jm.nkcc1("log", g=0.1 * constants.F**2 / RT), RESTING | LOW, 0.529258669,
    ),
    "NKCC1 log, high Cl": (
        jm.nkcc1("log", g=0.1 * constants.F**2 / RT), RESTING | HIGH, 0.170906775,
    ),
    "NKCC1 product": (jm.nkcc1("mass_action", k=1e-9), RESTING | LOW, 0.00831),
    "NKCC1 product, high Cl": (jm.nkcc1("mass_action", k=1e-9), RESTING | HIGH, 0.00684),
    "NKCC1 palk": (PALK, RESTING | LOW, 153.380853),
    "NKCC1 palk, high Cl": (PALK, RESTING | HIGH, 43.9858095),
    "KCC2 log": (jm.kcc2("log", g=0.2), LOADED_KCC, 4.69406916e-2),
    "KCC2 log, neuron": (jm.kcc2("log", g=0.2), NEURON, 2.33115523e-2),
    "KCC2 log as U ln": (jm.kcc2("log", g=0.3 * constants.F**2 / RT), LOADED_KCC, 0.254189358),
    "KCC2 log as U ln, neuron": (jm.kcc2("log", g=0.3 * constants.F**2 / RT), NEURON, 0.126234794),
    "KCC2 product": (jm.kcc2("mass_action", k=1e-3), LOADED_KCC, 0.64),
    "KCC2 product, neuron": (jm.kcc2("mass_action", k=1e-3), NEURON, 0.217893299),
    "KCC2 saturating": (jm.kcc2(j_max=1.0), LOADED_KCC, 0.010398188),
    "KCC2 saturating, neuron": (jm.kcc2(j_max=1.0), NEURON, 0.00672918312),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_a_law_gives_the_number_in_print(name):
    transporter, given, expected = PRINTED[name]
    assert_allclose(turnover(transporter, **given), expected, rtol=2e-8)


def test_laws_without_a_printed_number_are_their_formulas():
    state = {"Na_i": 12, "K_o": 4, "Na_o": 145, "Cl_i": 5, "Cl_o": 120}
    hill = 0.2887 * (12 / (12 + 3.56)) ** 3 * (4 / (4 + 0.883)) ** 2
    two_sites = 0.62 / (1 + (6.7 / 12) ** 3) + 0.38 / (1 + (67.6 / 12) ** 3)
    assert_allclose(turnover(jm.na_k_atpase("hill"), **state), hill, rtol=1e-14)
    assert_allclose(turnover(jm.na_k_atpase("hamada"), **state), 0.166 * two_sites, rtol=1e-14)
    assert_allclose(turnover(jm.na_k_atpase("linear", b=0.01), **state), 0.12, rtol=1e-14)
    assert turnover(jm.na_k_atpase("constant", j=0.07), **state) == 0.07
    ncc = 1e-6 * (145 * 120 - 12 * 5)
    assert_allclose(turnover(jm.ncc(k=1e-6), **state), ncc, rtol=1e-14)


@pytest.mark.parametrize("species", [jm.K, jm.Cl, jm.Ca], ids=lambda s: s.name)
def test_an_ohmic_leak_carries_its_conductance_times_the_driving_force(species):
    E = RT / (species.z * constants.F) * math.log(130.0 / 7.0)
    at = {f"{species.name}_i": 7.0, f"{species.name}_o": 130.0, "V": -61.0}
    J = turnover(jm.leak(species, "ohmic", g=0.7), **at)
    current = species.z * constants.F * J
    assert_allclose(current, 0.7 * (-61.0 - E), rtol=1e-13)


@pytest.mark.parametrize("species", [jm.K, jm.Cl, jm.Ca], ids=lambda s: s.name)
@pytest.mark.parametrize("V", [-700.0, -70.0, 0.3, 700.0])
def test_a_ghk_leak_is_the_constant_field_flux(species, V):
    at = {f"{species.name}_i": 7.0, f"{species.name}_o": 130.0, "V": V}
    x = species.z * V * constants.F / RT
    flux = 0.02 * x * (7.0 - 130.0 * math.exp(-x)) / -math.expm1(-x)
    assert_allclose(turnover(jm.leak(species, P=0.02), **at), flux, rtol=1e-13)


def test_the_slope_of_the_ghk_flux_is_the_one_in_print():
    """K 140/4 mM: -2693.94, -2694.257 and -879.5257 for an inward flux with P = 1 m/s, per volt."""
    leak = jm.leak(jm.K, P=1.0)
    trial = Trial(leak, leak.legs[0])
    V = np.array([0.0, 0.01, 0.1, -70.0])
    state = {name: np.resize(x, 4) for name, x in trial.nominal(4).items()}
    state |= {"K_i": np.full(4, 140.0), "K_o": np.full(4, 4.0), "V": V}
    slope = trial.derivatives(state, jnp.float64, order=1)["dJ/dV"]
    assert_allclose(-1e3 * slope, [-2693.939, -2694.257, -2697.113, -879.5257], rtol=4e-7)


def test_a_neutral_species_diffuses():
    at = {"Glucose_i": 9.0, "Glucose_o": 5.0, "V": -70.0}
    assert turnover(jm.leak(jm.Glucose, P=0.25), **at) == 1.0


@pytest.mark.parametrize("name", ["leak of K ghk", "leak of Ca ghk", "kcc2 log", "nkcc1 palk"])
def test_close_to_equilibrium_the_response_is_linear_and_the_same_on_both_sides(name):
    transporter = CATALOGUE[name]
    trial = Trial(transporter, transporter.legs[0])
    near = trial.near_equilibrium(trial.random())
    J, force = (x.reshape(len(FORCES), -1) for x in (trial.turnover(near), trial.force(near)))
    slope = {f: -np.asarray(J[row]) / force[row] for row, f in enumerate(FORCES) if f}
    assert_allclose(slope[1e-8], slope[1e-4], rtol=1e-4)
    assert_allclose(slope[-1e-8], slope[-1e-4], rtol=1e-4)
    assert_allclose(slope[1e-8], slope[-1e-8], rtol=1e-6)


# Relative errors of the Bernoulli function and its first two derivatives, measured to be below.
BOUNDS = {np.float64: (5e-16, 3e-15, 4e-14), np.float32: (2e-7, 1e-6, 1e-5)}


def exact_bernoulli(x):
    """B, B' and B'' of x/(exp(x) - 1) in 60 digits."""
    with localcontext() as context:
        context.prec = 60
        x = Decimal(float(x))
        e = x.exp()
        q = e - 1
        return [float(x / q), float((q - x * e) / q**2), float(e * (x * (e + 1) - 2 * q) / q**3)]


@jax.jit
def bernoulli_three_ways(x):
    """B and its first two derivatives, the first also in reverse, and B of -x from B(-x)."""

    def value(x):
        return bernoulli(x)[0]

    def slope(x):
        return jax.jvp(value, (x,), (jnp.ones_like(x),))[1]

    bend = jax.jvp(slope, (x,), (jnp.ones_like(x),))[1]
    return value(x), slope(x), bend, jax.vmap(jax.grad(value))(x), bernoulli(-x)[1]


@pytest.mark.parametrize("dtype", BOUNDS)
def test_the_bernoulli_function_is_exact_with_two_derivatives(dtype):
    rng = np.random.default_rng(0)
    size = np.concatenate([10.0 ** rng.uniform(-9, 2.8, 400), rng.uniform(0.45, 0.55, 100)])
    size = np.concatenate([size, [0.5, np.nextafter(0.5, 0), np.nextafter(0.5, 1), 26.2]])
    size = np.minimum(size, 700.0 if dtype is np.float64 else 80.0)
    x = np.concatenate([-size, size]).astype(dtype)
    expected = np.array([exact_bernoulli(v) for v in x]).T
    *found, back, opposite = bernoulli_three_ways(x)
    for got, exact, bound in zip(found, expected, BOUNDS[dtype], strict=True):
        assert got.dtype == dtype
        assert np.abs(np.asarray(got, float) / exact - 1.0).max() < bound
    assert np.abs(np.asarray(back, float) / expected[1] - 1.0).max() < BOUNDS[dtype][1]
    assert_array_equal(opposite, found[0])


@pytest.mark.parametrize("dtype", BOUNDS)
def test_the_bernoulli_function_passes_zero_and_ends_without_overflow(dtype):
    value, slope, bend, back, _ = bernoulli_three_ways(np.array([0.0, 2000.0, -2000.0], dtype))
    assert_array_equal(value, [1.0, 0.0, 2000.0])
    assert_array_equal(slope, [-0.5, 0.0, -1.0])
    assert_array_equal(back, slope)
    assert_allclose(bend, [1 / 6, 0.0, 0.0], rtol=float(jnp.finfo(dtype).eps))


@pytest.mark.parametrize("dtype", [jnp.float64, jnp.float32])
@pytest.mark.parametrize("law", ["ghk", "ohmic"])
def test_leaks_are_as_exact_at_a_nanovolt_as_at_zero(law, dtype):
    """No cancellation at V -> 0: value and two derivatives are those at V = 0, to first order."""
    leak = jm.leak(jm.K, law)
    trial = Trial(leak, leak.legs[0])
    state = trial.nominal(5) | {"V": np.array([0.0, 1e-9, -1e-9, 1e-6, -1e-6])}
    found = trial.derivatives(state, dtype, order=2)
    # float32 rounds 1/RT and its likes; what counts is that the five agree.
    bound = 1e-7 if dtype == jnp.float64 else 2e-6
    for name in ("J", "dJ/dV", "dJ/dK_i", "d2J/dV dK_o"):
        assert found[name].dtype == dtype
        assert_allclose(found[name], found[name][0], rtol=bound)
