"""Floating point: what float32 and float64 keep of the laws, by expression and law by law."""

import math
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm
from jaxmembrane import analytic, constants
from jaxmembrane.balance import Equations
from jaxmembrane.kinetics.exchange import NCX_LAWS
from jaxmembrane.kinetics.thermodynamic import bernoulli
from jaxmembrane.library import CATALOGUE
from jaxmembrane.library.exchange import ncx
from jaxmembrane.site import Medium
from jaxmembrane.trial import LANES, Trial

DTYPES = (jnp.float32, jnp.float64)
PER_MV = constants.F / (constants.R * 310.15)


def of_sodium(law):
    """A pump's turnover as a function of inside Na, relative to its largest."""
    pump = jm.na_k_atpase(law)
    trial = Trial(pump, pump.legs[0])

    def turnover(c):
        state = {k: jnp.asarray(x, c.dtype) for k, x in trial.nominal(1).items()}
        return trial.turnover(state | {"Na_i": jnp.reshape(c, 1)})[0]

    return lambda c: turnover(c) / float(turnover(jnp.array(1e6)))


U = -70.0 * PER_MV
# What one would write, what we have instead, where, and value and slope there, in print or exact.
EXPRESSIONS = {
    "1/(1 + (K/c)^3) at 1e-30": (
        lambda c: 1 / (1 + (12.0 / c) ** 3), of_sodium("hill"), 1e-30, 0.0, 0.0,
    ),
    "1/(1 + (K/c)^n) at 0": (
        lambda c: 1 / (1 + (12.0 / c) ** 1.6), of_sodium("hamada"), 0.0, 0.0, 0.0,
    ),
    "sigmoid(n ln(c/K)) at 0": (
        lambda c: jax.nn.sigmoid(3.0 * jnp.log(c / 12.0)), of_sodium("hill"), 0.0, 0.0, 0.0,
    ),
    "c sqrt(c) at 0": (
        lambda c: c * jnp.sqrt(c), of_sodium("luo_rudy"), 0.0, 0.0, 0.0,
    ),
    "1/(1 + exp(x)) at 90": (
        lambda x: 1 / (1 + jnp.exp(x)), lambda x: of_sodium("wei")(-3.0 * x), 90.0, 0.0, 0.0,
    ),
    "single where at 0": (
        lambda x: jnp.where(x == 0, 1 - x / 2, x / jnp.expm1(x)),
        lambda x: bernoulli(x)[0], 0.0, 1.0, -0.5,
    ),
    "GHK flux at z = 0": (
        lambda z: z * U * (5.0 - jnp.exp(z * U)) / -jnp.expm1(z * U),
        lambda z: 5.0 * bernoulli(z * U)[0] - 1.0 * bernoulli(z * U)[1],
        0.0, 4.0, 7.857,
    ),
    "Nernst potential at z = 0": (
        lambda z: U + math.log(0.1) / z,
        lambda z: -jnp.log(analytic.flux_ratio(z, 10.0, 1.0, -70.0)),
        0.0, -2.303, -2.619,
    ),
    "Donnan root without salt": (
        lambda c: jnp.sqrt(0.0 + c**2), lambda c: analytic.donnan(c, 0.0, -1.0).cation,
        1e-19, 1e-19, 1.0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_what_we_compute_is_finite_where_the_usual_expression_is_not(name):
    usual, safe, x, value, slope = EXPRESSIONS[name]
    assert not np.isfinite(jax.value_and_grad(usual)(jnp.float32(x))).all()
    for dtype in DTYPES:
        found = jax.value_and_grad(safe)(dtype(x))
        assert_allclose(found, [value, slope], rtol=5e-4, atol=1e-13 if value != 1e-19 else 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_concentration_is_ever_zero_or_below(dtype):
    """So that no power and no logarithm of one is NaN: states are logarithms, baths hold 1e-30."""
    cell = jm.zoo.neuron()
    params = {name: dtype(p.nominal) for name, p in cell.parameters.items()} | {"bath.K": dtype(0)}
    eq = Equations(cell, params)
    free = [key for key in eq.unknowns if key[0] == "c"]
    state = eq.state([dtype(-1e4) if key in free else dtype(1.0) for key in eq.unknowns])
    for owner, species in [("bath", "K"), *((a, s) for _, a, s in free)]:
        assert state.c[owner, species] > 0 and state.c[owner, species].dtype == dtype
        assert np.isfinite(state.ln_c[owner, species]())


# Every law of the catalogue, each of its legs.
LEGS = {
    f"{name} {law} {leg}": (entry, law, leg)
    for name, entry in CATALOGUE.items()
    for law in entry.laws
    for leg in range(len(entry.make(law).legs))
}
REST = {"Na": (12.0, 145.0), "K": (140.0, 4.0), "Cl": (5.0, 120.0), "HCO3": (15.0, 25.0),
        "Ca": (1e-4, 1.2), "H": (6.3e-5, 4e-5), "ATP": (5.0, 8.0), "ADP": (5.0, 0.3),
        "Glucose": (8.0, 5.0), "e": (1.0, 2.0)}  # fmt: skip


@cache
def on_trial(name):
    """A law, and a usual state, of strength one where it is off as it comes."""
    entry, law, leg = LEGS[name]
    transporter = entry.make(law)
    trial = Trial(transporter, transporter.legs[leg])
    state = {name: p.nominal for name, p in trial.inputs.items()}
    state |= {name: p.nominal or 1.0 for name, p in [*trial.own.items()][:1]}
    return trial, state | {c: REST[c[:-2]][c.endswith("_o")] for c in trial.c}


def rounded(state, dtype):
    """The same state in float32, held in `dtype`."""
    return {k: jnp.asarray(np.asarray(x, np.float32), dtype) for k, x in state.items()}


@pytest.mark.parametrize("name", LEGS)
def test_no_law_overflows_in_float32_at_its_published_constants(name):
    """Neither the turnover nor anything on the way, and it keeps four digits far from dG = 0."""
    trial, one = on_trial(name)
    state, quarter = trial.random(), LANES // 4
    nominal = np.r_[:quarter, 2 * quarter : 3 * quarter]
    state = {k: np.resize(x[nominal], LANES) for k, x in state.items()}
    state |= {k: np.full(LANES, one[k]) for k in trial.own}
    with jax.debug_infs(True), jax.debug_nans(True):
        single = trial.turnover(rounded(state, jnp.float32))
    exact = rounded(state, jnp.float64)
    far = np.abs(trial.force(exact)) > 0.1
    assert_allclose(single[far], trial.turnover(exact)[far], rtol=1e-4)


def test_an_overflow_on_the_way_does_not_go_unseen():
    """(K/c)^4 with K = 2e-4 mM overflows float32 two decades below 1e-12 mM."""
    K, c = jnp.float32(2e-4), jnp.array([1e-12, 1e-14], jnp.float32)
    assert np.isfinite((K / c[0]) ** 4)
    with jax.debug_infs(True), pytest.raises(FloatingPointError):
        _ = 1 / (1 + (K / c[1]) ** 4)


@pytest.mark.parametrize("name", LEGS)
def test_every_law_has_a_slope_where_a_species_abounds_or_a_side_has_none(name):
    """A bath without a species holds 1e-30 mM of it. Where float32 fits the result."""
    trial, one = on_trial(name)
    rows = [one | {c: 1e3} for c in trial.c]
    rows += [one | {c: 1e-30} for c in trial.c]
    state = {k: np.array([row[k] for row in rows]) for k in one}
    exact = trial.derivatives(state, jnp.float64, order=1)
    single = trial.derivatives(state, jnp.float32, order=1)
    assert all(np.isfinite(x).all() for x in exact.values())
    fits = np.max([np.abs(x) for x in exact.values()], axis=0) < np.finfo(np.float32).max
    assert all(np.isfinite(x[fits]).all() for x in single.values())


AWKWARD_V = (0.0, 1e-6, -1e-3, -70.0, 700.0, -700.0)
STENCIL = {-3: -1 / 60, -2: 9 / 60, -1: -45 / 60, 1: 45 / 60, 2: -9 / 60, 3: 1 / 60}


def slopes(trial, state, size):
    """Central differences of sixth order, of steps that are small against the size of inputs."""
    n, step = len(state["V"]), {name: 2e-4 * x for name, x in size.items()}
    lanes = -(-n * len(size) * len(STENCIL) // LANES) * LANES
    moved = {k: np.resize(x, lanes) for k, x in state.items()}
    for i, (name, k) in enumerate((name, k) for name in size for k in STENCIL):
        moved[name][i * n : (i + 1) * n] += k * step[name]
    J = np.asarray(trial.turnover(moved))[: n * len(size) * len(STENCIL)]
    weights = np.array(list(STENCIL.values()))
    J = weights @ J.reshape(len(size), len(STENCIL), n)
    return {name: J[i] / step[name] for i, name in enumerate(size)}


@pytest.mark.parametrize("name", LEGS)
def test_turnover_and_slope_of_every_law_are_right_at_awkward_states(name):
    """At V within 1 uV of zero and at +-700 mV; at usual, at equal and at high concentrations."""
    trial, one = on_trial(name)
    full = {c: 145.0 for c in trial.c if c[:-2] not in ("Ca", "H")}
    equal = one | {c: one[f"{c[:-2]}_o"] for c in trial.c if f"{c[:-2]}_o" in one}
    rows = [row | {"V": V} for row in (one, equal, one | full) for V in AWKWARD_V]
    state = {k: np.asarray(np.float32([row[k] for row in rows]), float) for k in one}
    exact = trial.derivatives(state, jnp.float64, order=1)
    single = trial.derivatives(state, jnp.float32, order=1)
    # How far J moves when its inputs are rounded: what it is a difference of.
    gross = np.abs(exact["J"]) + sum(np.abs(state[c] * exact[f"dJ/d{c}"]) for c in trial.c)
    # Float32 may lose a flux that is nothing to what passes at other potentials.
    gross = np.maximum(gross, 1e-20 * gross.max())
    assert (np.abs(single["J"] - exact["J"]) <= 1e-5 * gross).all()
    size = {k: np.where(x, np.abs(x), 1.0) for k, x in state.items() if k not in ("R", "F")}
    size["V"] = np.full(len(rows), 1 / PER_MV)
    for what, slope in slopes(trial, state, size).items():
        ad = exact[f"dJ/d{what}"]
        scale = np.abs(ad) + gross / size[what]
        assert (np.abs(ad - slope) <= 1e-8 * scale).all(), what
        # Roundings of 3 u, the largest exponent.
        for kind in ("", " in reverse mode"):
            assert (np.abs(single[f"dJ/d{what}{kind}"] - ad) <= 3e-5 * scale).all(), what


def test_the_potential_is_no_difference_of_amounts_in_float32():
    """As a difference of stored concentrations V would be off: a mM of charge is 12 V here."""
    cell = jm.zoo.neuron()
    rng = np.random.default_rng(0)
    params = {
        "nka.j": 103.6 * 10 ** rng.uniform(-1, 1, 6), "bath.K": rng.uniform(2, 12, 6),
        "leak_K.g": 0.7 * 10 ** rng.uniform(-0.5, 0.5, 6), "leak_Na.g": rng.uniform(0.05, 0.4, 6),
    }  # fmt: skip
    outputs = ("V", "c", "volume")
    exact = jm.steady_state(cell, params, outputs=outputs)
    single = jm.steady_state(cell, params, outputs=outputs, precision="float32")
    assert_array_equal(exact.status, 0)
    assert_allclose(single.V, exact.V, rtol=0, atol=1e-3)

    def from_charge(dtype):
        at = {name: dtype(p.nominal) for name, p in cell.parameters.items()}
        w, c = (np.asarray(x, dtype) for x in (exact.volume, exact.c.values))
        charge = w * (c @ np.array(valence, dtype)) + at["cytosol.z_X"] * at["cytosol.X"]
        area = 2 * np.sqrt(dtype(math.pi) * at["membrane.length"] * w)
        return dtype(constants.F) * charge / (at["membrane.C_m"] * area)

    valence = [{"Cl": -1}.get(s, +1) for s in cell.species]
    assert_allclose(from_charge(np.float64), exact.V, rtol=0, atol=1e-8)
    assert np.abs(from_charge(np.float32) - np.asarray(exact.V)).max() > 0.05


def alone(transporter, u, **given):
    """Turnover of the first leg in float32 and in float64 at the same u (RT/F) and the same rest.

    The rounding of V F/RT is left out: it would hide the law's own.
    """
    found = []
    for dtype in DTYPES:
        state = rounded(given, dtype)
        pools = [{n[:-2]: x for n, x in state.items() if n.endswith(side)} for side in ("_i", "_o")]
        logs = [{s: (lambda x=x: jnp.log(x)) for s, x in pool.items()} for pool in pools]
        bare = rounded({n: p.nominal for n, p in transporter.bare.items()} | {"T": 310.15}, dtype)
        own = rounded({n: p.nominal for n, p in transporter.params}, dtype)
        RT = jnp.asarray(np.float32(constants.R * 310.15), dtype)
        u_ = jnp.asarray(np.float32(u), dtype)
        medium = Medium(*pools, *logs, u_, RT, constants.F, bare)
        found.append(np.asarray(transporter.turnovers(medium, own)[0], float))
    return np.abs(found[0] / found[1] - 1.0)


# Relative distance of Cl_i from equilibrium, and error of the plain product difference in print.
NEAR_NKCC1 = [(0.1, 1.3e-7), (0.01, 2.7e-6), (1e-3, 7.3e-6), (1e-4, 2.7e-4), (1e-5, 1.4e-3),
              (1e-6, 1.2e-2)]  # fmt: skip
HALF_AN_ULP = 2.0**-24


@pytest.mark.parametrize(
    ("transporter", "roundings"), [(jm.nkcc1("mass_action", k=1.0), 0), (jm.nkcc1("palk"), 3)]
)
def test_nkcc1_keeps_in_float32_what_a_plain_product_difference_keeps(transporter, roundings):
    """A law that divides by a saturation rounds some more, but no difference."""
    distance, printed = np.array(NEAR_NKCC1).T
    rest = {"Na_i": 12.0, "Na_o": 145.0, "K_i": 140.0, "K_o": 4.0, "Cl_o": 120.0}
    equilibrium = 120.0 * math.sqrt(145.0 * 4.0 / (12.0 * 140.0))
    found = alone(transporter, 0.0, **rest, Cl_i=equilibrium * (1.0 - distance))
    # Printed with two digits.
    assert (found <= 1.03 * printed + roundings * HALF_AN_ULP).all()


def near(transporter, distance, **rest):
    """Errors at 400 potentials about `distance` (mV) from reversal, as if all were there."""
    rest = {k: np.full(400, float(np.float32(x))) for k, x in rest.items()}
    off = distance * np.concatenate([np.linspace(-2.0, -0.5, 200), np.linspace(0.5, 2.0, 200)])
    V = np.asarray(transporter.at(**rest).reversal) + off
    return alone(transporter, V * PER_MV, **rest) * np.abs(off) / distance


# Distance from reversal (mV), and root mean square of the errors in print of four inside Ca.
@pytest.mark.parametrize(("distance", "printed"), [(1.0, 5.2e-6), (0.01, 1.2e-3)])
@pytest.mark.parametrize("law", NCX_LAWS)
def test_ncx_keeps_in_float32_what_a_plain_product_difference_keeps(law, distance, printed):
    for Ca in (1e-3, 1e-4, 1e-5, 1e-7):
        rest = {"Na_i": 12.0, "Na_o": 145.0, "Ca_i": Ca, "Ca_o": 1.2}
        assert near(ncx(law), distance, **rest).max() < printed


def test_the_ghk_flux_is_good_to_a_ten_thousandth_ten_microvolt_from_equilibrium():
    found = near(jm.leak(jm.K), 0.01, K_i=140.0, K_o=4.0)
    assert np.sqrt(np.mean(found**2)) < 1.2e-4


@pytest.mark.parametrize("law", ["post_albers_4", "post_albers_6"])
def test_cycles_lose_in_float32_only_what_the_difference_of_two_products_loses(law):
    """Relative to the larger product; near reversal a linear solve loses 1.3e-6 of it in print."""
    pump, rng = jm.na_k_atpase(law), np.random.default_rng(0)
    ranges = {"Na_i": (5, 40), "Na_o": (100, 150), "K_i": (90, 160), "K_o": (2, 10)}
    rest = {k: np.float32(rng.uniform(*r, 400)).astype(float) for k, r in ranges.items()}
    reversal = np.asarray(pump.at(**rest).reversal)
    fixed = [np.full(400, V) for V in (-200.0, -150.0, -100.0, -70.0, 0.0, 50.0)]
    for V in fixed + [reversal + d for d in (10.0, 1.0, -1.0, 0.1, -0.1)]:
        found = alone(pump, V * PER_MV, **rest) * -np.expm1(-np.abs(V - reversal) * PER_MV)
        assert found.max() < 8e-7 and np.sqrt(np.mean(found**2)) < 2.5e-7
