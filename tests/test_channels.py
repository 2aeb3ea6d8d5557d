"""Channels: where they reverse, what opens them, what they pass; numerics of the constant field."""

import math
from decimal import Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import analytic, constants
from jaxmembrane.kinetics.thermodynamic import bernoulli
from jaxmembrane.library import CATALOGUE
from jaxmembrane.trial import Trial

DTYPES = (jnp.float32, jnp.float64)
T = 310.15
CATIONS = {"K_i": 140.0, "K_o": 4.0, "Na_i": 12.0, "Na_o": 145.0}
ANIONS = {"Cl_i": 5.0, "Cl_o": 130.0, "HCO3_i": 15.0, "HCO3_o": 25.0}
NEW = ("cation_channel", "gaba_a", "gramicidin")


@pytest.mark.parametrize(
    ("entry", "law"), [(CATALOGUE[name], law) for name in NEW for law in CATALOGUE[name].laws]
)
def test_every_channel_keeps_the_contract_with_the_parameters_of_its_law(entry, law):
    channel = entry.make(law)
    assert {row.verdict for row in jm.check(channel).rows} == {"ok"}
    assert dict(channel.params) == dict(entry.laws[law].params)
    assert len({leg.name for leg in channel.legs}) == len(channel.legs) > 1


# Reversal of channels (mV) to the digits in print.
REVERSALS = {
    "cation": (jm.cation_channel(), CATIONS, -20.0, 0.05),
    "cation, chord": (jm.cation_channel("ohmic"), CATIONS, -20.0, 0.05),
    "cation, no preference": (jm.cation_channel(r_Na=1.0), CATIONS, -0.53, 0.005),
    "GABA-A at 5 mM": (jm.gaba_a(), ANIONS, -75.5, 0.05),
    "GABA-A at 15 mM": (jm.gaba_a(), ANIONS | {"Cl_i": 15.0}, -53.9, 0.05),
    "GABA-A at 5 mM, no HCO3": (jm.gaba_a(bicarbonate=0.0), ANIONS, -87.1, 0.05),
    "GABA-A at 15 mM, no HCO3": (
        jm.gaba_a(bicarbonate=0.0), ANIONS | {"Cl_i": 15.0}, -57.7, 0.05,
    ),
    "GABA-A in a whole cell": (
        jm.gaba_a(bicarbonate=0.0), ANIONS | {"Cl_i": 10.0, "Cl_o": 119.0}, -66.2, 0.05,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REVERSALS)
def test_a_channel_reverses_where_print_says(name):
    channel, at, printed, digits = REVERSALS[name]
    assert_allclose(channel.at(**at).reversal, printed, atol=digits)


def test_reversal_potentials_solve_the_voltage_equations():
    """GHK legs the Goldman equation, ohmic ones the chord equation, at any state and from any V."""
    rng = np.random.default_rng(0)
    cations = {name: 10.0 ** rng.uniform(0, 2.3, 200) for name in CATIONS}
    anions = {name: 10.0 ** rng.uniform(0, 2.3, 200) for name in ANIONS}
    V, r = rng.uniform(-150, 150, 200), rng.uniform(0.01, 2.0, 200)
    pools = [{n[:-2]: c for n, c in (cations | anions).items() if n[-1] == side} for side in "io"]
    E = {
        s: analytic.nernst(z, pools[1][s], pools[0][s])
        for s, z in {"K": 1, "Na": 1, "Cl": -1, "HCO3": -1}.items()
    }
    for make, laws, at, ions in (
        (jm.cation_channel, ("ghk", "ohmic"), cations, ("K", "Na")),
        (jm.gaba_a, ("ghk", "chord"), anions, ("Cl", "HCO3")),
    ):
        share = {ions[0]: 1.0, ions[1]: r}
        given = {**at, "V": V, f"r_{ions[1]}": r}
        goldman = make(laws[0]).at(**given).reversal
        assert_allclose(goldman, analytic.ghk_potential(share, *pools), atol=1e-9)
        chord = make(laws[1]).at(**given).reversal
        assert_allclose(chord, analytic.chord_potential(share, E), atol=1e-9)


@pytest.mark.parametrize("law", ["ghk", "ohmic"])
def test_at_reversal_currents_cancel_though_neither_ion_is_at_equilibrium(law):
    channel = jm.cation_channel(law)
    reversal = float(channel.at(**CATIONS).reversal)
    there = channel.at(V=reversal, **CATIONS)
    potassium, sodium = there.flux["cation:K"], there.flux["cation:Na"]
    assert potassium > 0 > sodium
    assert abs(float(potassium + sodium)) < 1e-12 * float(potassium)
    assert abs(float(there.current)) < 1e-12 * constants.F * float(potassium)
    assert abs(float(there.dG["cation:K"])) > 1e3


@pytest.mark.parametrize("law", ["ghk", "chord"])
def test_the_open_fraction_scales_both_currents_and_leaves_the_reversal(law):
    whole = jm.gaba_a(law).at(V=-70.0, **ANIONS)
    part = jm.gaba_a(law, open=0.3).at(V=-70.0, **ANIONS)
    shut = jm.gaba_a(law).at(V=-70.0, open=0.0, **ANIONS)
    for ion in ("Cl", "HCO3"):
        leg = f"gaba_a:{ion}"
        assert_allclose(part.flux[leg], 0.3 * whole.flux[leg], rtol=1e-14)
        assert shut.flux[leg] == 0.0
    assert_allclose(part.reversal, whole.reversal, rtol=1e-12)


def test_the_weighted_potential_of_the_chord_law_is_a_few_millivolt_off():
    for Cl, off in ((5.0, 0.685), (15.0, 3.480)):
        at = ANIONS | {"Cl_i": Cl}
        difference = jm.gaba_a("chord").at(**at).reversal - jm.gaba_a().at(**at).reversal
        assert_allclose(difference, off, atol=5e-4)


# Rest of a neuron of 1.1 pS/um2, its E_Cl, and where 10 pS/um2 of open receptors take it: in print.
@pytest.mark.parametrize(("rest", "E_Cl", "opened"), [(-72.59, -83.85, -82.7),
                                                      (-63.51, -28.84, -32.3)])  # fmt: skip
def test_gaba_hyperpolarises_a_mature_neuron_and_excites_an_immature_one(rest, E_Cl, opened):
    inside = 119.0 * math.exp(constants.F * E_Cl / (constants.R * T))
    at = {"Cl_i": inside, "Cl_o": 119.0, "HCO3_i": 15.0, "HCO3_o": 25.0}
    receptors = jm.gaba_a("chord", bicarbonate=0.0, g=10.0)
    slope = (receptors.at(V=1.0, **at).current - receptors.at(V=0.0, **at).current).item()
    V = rest - receptors.at(V=rest, **at).current / (1.1 + slope)
    assert_allclose(V, opened, atol=0.05)


def test_gramicidin_passes_no_anion_and_nothing_until_it_is_given():
    pore = jm.gramicidin()
    assert pore.charge == (-1, -1, -1)
    assert {s.name for leg in pore.legs for s in leg.reaction.species} == {"K", "Na", "H"}
    at = CATIONS | {"H_i": 6.3e-5, "H_o": 4e-5}
    off = pore.at(V=-70.0, **at)
    assert not any(off.flux.values()) and np.isnan(off.reversal)
    on = pore.at(V=-70.0, P=0.1, **at)
    assert on.flux["gramicidin:K"] > 0 > on.flux["gramicidin:Na"]
    # Protons are too few to matter: the patch reverses where K and Na alone would.
    expected = analytic.ghk_potential({"K": 1.0, "Na": 0.65}, *(
        {ion: at[f"{ion}_{side}"] for ion in ("K", "Na")} for side in "io"
    ))  # fmt: skip
    assert_allclose(on.reversal, expected, atol=1e-4)


def test_a_proton_channel_carries_its_conductance_times_the_proton_motive_force():
    """100 pS at 200 mV are the 20 pA of the vesicle, with pH and potential in any proportion."""
    channel = jm.leak(jm.H, "ohmic", g=100.0)
    for dpH in (0.0, 1.0, -2.0):
        chemical = float(analytic.thermal_voltage(T)) * math.log(10.0) * dpH
        inside = channel.at(V=200.0 - chemical, H_i=1e-4, H_o=1e-4 * 10.0**-dpH)
        assert_allclose(inside.current, 2e4, rtol=1e-12)


MISTAKES = [
    (lambda: jm.gaba_a("ohmic"), KeyError, "unknown law of gaba_a 'ohmic'; there are chord, ghk"),
    (lambda: jm.gaba_a(open=1.5), ValueError, "open must be a number between 0 and 1, not 1.5"),
    (lambda: jm.gaba_a(bicarbonate=-0.2), ValueError, "r_HCO3 must be a finite number, zero or"),
    (lambda: jm.cation_channel(r_Cl=1.0), KeyError, "unknown parameter 'r_Cl'"),
    (lambda: jm.gramicidin(name="a b"), ValueError, "the name of a transporter must be letters"),
]


@pytest.mark.parametrize(("make", "kind", "sentence"), MISTAKES)
def test_a_mistake_is_refused_in_one_sentence(make, kind, sentence):
    with pytest.raises(kind) as caught:
        make()
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def exact_bernoulli(x):
    """x / (exp(x) - 1) and its derivative, in 60 digits."""
    with localcontext(prec=60):
        e = Decimal(x).exp() if x else Decimal(1)
        q = e - 1
        return (x / q, (q - x * e) / q**2) if x else (Decimal(1), Decimal(-1) / 2)


def error(found, exact):
    """Relative errors of floats against decimals."""
    pairs = zip(np.asarray(found, float), exact, strict=True)
    return np.array([float(abs(Decimal(float(a)) / b - 1)) for a, b in pairs])


def naive(x):
    return x / (jnp.exp(x) - 1)


def by_expm1(x):
    return x / jnp.expm1(x)


def single_where(x):
    return jnp.where(x == 0, 1 - x / 2, x / jnp.expm1(x))


def double_where(x):
    safe = jnp.where(x == 0, 1, x)
    return jnp.where(x == 0, 1 - x / 2, safe / jnp.expm1(safe))


def ours(x):
    return bernoulli(x)[0]


def points(dtype):
    size = 10.0 ** np.random.default_rng(0).uniform(-9, math.log10(80), 400)
    return np.concatenate([-size, size]).astype(dtype)


def with_slope(f, x):
    return jax.vmap(jax.value_and_grad(f))(jnp.asarray(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", [naive, by_expm1, single_where, double_where])
def test_other_forms_of_the_bernoulli_function_fail_where_ours_does_not(form, dtype):
    """At zero, close to it, or where exp(x) overflows: 89 in float32, 710 in float64."""
    x = np.concatenate([[0.0, 100.0, 1000.0], points(dtype)]).astype(dtype)
    assert not np.isfinite(with_slope(form, x)).all()
    assert np.isfinite(with_slope(ours, x)).all()


@pytest.mark.parametrize(("dtype", "value", "slope"), [(np.float32, 3.3e-7, 5.5e-6),
                                                       (np.float64, 4.1e-16, 4.2e-14)])  # fmt: skip
def test_value_and_slope_of_the_bernoulli_function_are_as_exact_as_measured(dtype, value, slope):
    x = points(dtype)
    exact = zip(*(exact_bernoulli(Decimal(float(v))) for v in x), strict=True)
    for found, expected, bound in zip(with_slope(ours, x), exact, (value, slope), strict=True):
        assert found.dtype == dtype
        assert error(found, expected).max() < bound


# V (mV), worst relative error in float32, and slope of the influx of K (140/4 mM) per volt.
GHK = [
    (0.0, 0.0, -2693.939), (1e-6, 2.0e-8, -2693.939), (1e-4, 3.9e-8, -2693.943),
    (1e-3, 5.0e-8, -2693.971), (1e-2, 6.8e-8, -2694.257), (0.1, 4.5e-8, -2697.113),
    (1.0, 2.4e-8, -2725.67), (-70.0, 2.0e-7, -879.5257),
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_ghk_flux_and_its_slope_are_those_in_print(dtype):
    V, bound, slope = np.array(GHK).T
    leak = jm.leak(jm.K, P=1.0)
    trial = Trial(leak, leak.legs[0])
    state = trial.nominal(len(V)) | {"V": V, "K_i": np.full(len(V), 140.0)}
    found = trial.derivatives(state | {"K_o": np.full(len(V), 4.0)}, dtype, order=1)
    exact = []
    for v in V:
        u = Decimal(float(dtype(v))) * Decimal(constants.F)
        u = u / (Decimal(constants.R) * Decimal(T))
        exact.append(140 * exact_bernoulli(-u)[0] - 4 * exact_bernoulli(u)[0])
    # Printed with two digits; in float64 what rounding V F/RT alone may do at -70 mV.
    assert (error(found["J"], exact) <= (1.02 * bound if dtype is jnp.float32 else 4.5e-16)).all()
    assert_allclose(-1e3 * found["dJ/dV"], slope, rtol=2e-7 if dtype is jnp.float64 else 3e-7)


@pytest.mark.parametrize("V", [-150.0, -20.0, 0.0, 1e-3, 90.0])
@pytest.mark.parametrize("species", [jm.K, jm.Cl, jm.Ca, jm.Glucose], ids=lambda s: s.name)
def test_scharfetter_and_gummel_of_any_mesh_give_the_ghk_flux(species, V):
    """Semiconductor physics: drift and diffusion between nodes of a linear potential, exact."""
    nodes, c_i, c_o = 9, 7.0, 130.0
    step = species.z * V * constants.F / (constants.R * T) / (nodes - 1)
    ahead, behind = (math.exp(0), math.exp(0)) if step == 0 else (
        step / math.expm1(step), -step / math.expm1(-step)
    )  # fmt: skip
    # From inside to outside the potential falls: flux (n - 1) (behind c_j - ahead c_(j+1)).
    inner = nodes - 2
    matrix = np.diag(np.full(inner, ahead + behind))
    matrix -= np.diag(np.full(inner - 1, behind), -1) + np.diag(np.full(inner - 1, ahead), 1)
    rhs = np.zeros(inner)
    rhs[0], rhs[-1] = behind * c_i, ahead * c_o
    c = np.concatenate([[c_i], np.linalg.solve(matrix, rhs), [c_o]])
    flux = (nodes - 1) * (behind * c[:-1] - ahead * c[1:])
    at = {f"{species.name}_i": c_i, f"{species.name}_o": c_o, "V": V}
    assert_allclose(flux, jm.leak(species, P=1.0).at(**at).flux, rtol=1e-12)
