"""Cotransporters: numbers in print, closures of published carriers, equilibria, slip."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import constants
from jaxmembrane.library.cotransport import COTRANSPORTERS, kcc2, nbc, nkcc1, sglt1

CATALOGUE = {f"{e.name} {law}": e.make(law) for e in COTRANSPORTERS for law in e.laws}
CATALOGUE |= {f"nbc of {n}": nbc(bicarbonates=n) for n in (1, 3)}
CATALOGUE |= {f"sglt1 {law}, slip": sglt1(law, slip=True) for law in ("six_state", "parent")}
CATALOGUE |= {"sglt1 of 1": sglt1(sodium=1), "tight": sglt1("six_state_published", slip=False)}
REVERSIBLE = [name for name, t in CATALOGUE.items() if not t.irreversible]


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_law_keeps_the_contract(name):
    assert {row.verdict for row in jm.check(CATALOGUE[name]).rows} == {"ok"}


def test_only_published_sets_that_miss_equilibrium_and_slip_are_irreversible():
    lost = {name for name in CATALOGUE if name not in REVERSIBLE}
    assert lost == {name for name in CATALOGUE if "published" in name or "slip" in name} | {"tight"}


@pytest.mark.parametrize("name", CATALOGUE)
def test_strength_comes_first_and_a_source_is_named(name):
    transporter = CATALOGUE[name]
    strength, param = transporter.params[0]
    assert strength in ("density", "j_max", "g", "k")
    assert any(word in transporter.source for word in ("doi:10.", "PMC", "derived"))
    species = {s.name for leg in transporter.legs for s in leg.reaction.species}
    state = {f"{s}_{side}": 7.0 if side == "i" else 90.0 for s in species for side in "io"}
    once, twice = (
        transporter.at(V=-60.0, **state, **{strength: f * param.nominal}).flux for f in (1.0, 2.0)
    )
    if not isinstance(once, dict):
        once, twice = {name: once}, {name: twice}
    assert_allclose(list(twice.values()), 2.0 * np.array(list(once.values())), rtol=1e-14)


def test_the_charge_of_a_turnover_is_that_of_its_reaction():
    assert (nkcc1().charge, kcc2().charge) == (0, 0)
    assert [nbc(bicarbonates=n).charge for n in (1, 2, 3)] == [0, -1, -2]
    assert [sglt1(sodium=n).charge for n in (2, 1)] == [2, 1]
    assert sglt1("parent", slip=True).charge == (2, 2)


NA, K = {"Na_i": 12.0, "Na_o": 145.0}, {"K_i": 140.0, "K_o": 4.0}
REST = NA | K | {"Cl_i": 5.0, "Cl_o": 120.0}
LOADED = REST | {"Cl_i": 30.0}
KCC = K | {"Cl_i": 8.0, "Cl_o": 120.0}
# 122.87 in print: the values are those of 122.873 mM.
NEURON = {"K_i": 122.873, "K_o": 3.5, "Cl_i": 5.163, "Cl_o": 119.0}
RT = constants.R * 310.15
PER_S, PER_MS = {"density": 1.0}, {"density": 1e-3}
PALK = {"j_max": 2.0096e-5 / 1.3852e-6}
WEI = {"g": 0.1 * constants.F**2 / RT}
GLUCOSE = {"V": -50.0, "Na_i": 10.0, "Glucose_i": 1.0, "Na_o": 100.0, "Glucose_o": 1.0}
UPHILL = {"V": -50.0, "Na_i": 12.0, "Glucose_i": 5.0, "Na_o": 145.0, "Glucose_o": 0.1}
# To nine printed digits; the log, product and saturating laws are in test_laws.
PRINTED = {
    "wei": (nkcc1("wei"), REST | WEI, 3.25185767e-06),
    "wei, high Cl": (nkcc1("wei"), LOADED | WEI, 1.05008107e-06),
    "palk, frozen bath": (nkcc1("palk_published"), REST | PALK, 143.928248),
    "palk, frozen bath, high Cl": (nkcc1("palk_published"), LOADED | PALK, 40.6924597),
    "palk": (nkcc1("palk"), REST | PALK, 153.380853),
    "palk, high Cl": (nkcc1("palk"), LOADED | PALK, 43.9858095),
    "terashima": (nkcc1(), REST | PER_MS, 0.0790512173),
    "terashima, high Cl": (nkcc1(), LOADED | PER_MS, 0.060468415),
    "terashima_published": (nkcc1("terashima_published"), REST | PER_MS, 0.0790505893),
    "terashima_published, loaded": (nkcc1("terashima_published"), LOADED | PER_MS, 0.0604640609),
    "nkcc2f_published": (nkcc1("nkcc2f_published"), REST | PER_S, 2016.72613),
    "nkcc2f_published, high Cl": (nkcc1("nkcc2f_published"), LOADED | PER_S, 164.061195),
    "kcc4_published": (kcc2("kcc4_published"), KCC | PER_S, 389.367582),
    "kcc4_published, neuron": (kcc2("kcc4_published"), NEURON | PER_S, 234.737283),
    "simple": (sglt1(j_max=1.0), GLUCOSE, 0.651308686),
    "simple, uphill": (sglt1(j_max=1.0), UPHILL, 0.155513162),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_a_law_gives_the_number_in_print(name):
    transporter, given, expected = PRINTED[name]
    assert_allclose(transporter.at(**given).flux, expected, rtol=1e-8)


# Temperature, and glucose, sodium and charge per carrier and second, as printed.
CYCLES = {
    "parent": (sglt1("parent", slip=True), 295.15, GLUCOSE, [0.186117547, 0.373826399]),
    "parent, uphill": (sglt1("parent", slip=True), 295.15, UPHILL, [-0.11471237, 0.041487829]),
    "wright": (sglt1("six_state", slip=True), 310.0, GLUCOSE, [3.10243192, 6.20682872]),
    "wright, uphill": (sglt1("six_state", slip=True), 310.0, UPHILL, [0.789084381, 1.59001888]),
}


@pytest.mark.parametrize("name", CYCLES)
def test_a_slipping_carrier_gives_the_glucose_sodium_and_charge_in_print(name):
    transporter, T, given, (glucose, sodium) = CYCLES[name]
    at = transporter.at(T=T, density=1.0, **given)
    found = [at.flux["sglt1:coupled"], 2.0 * sum(at.flux.values()), -at.current / constants.F]
    assert_allclose(found, [glucose, sodium, sodium], rtol=2e-8)


def nominal(transporter):
    return {name: p.nominal for name, p in transporter.params}


# Products of the rates one way over those the other, and e_in where they are equal.
CLOSURES = {
    "terashima": (0.99976, 79502.6), "nkcc2f": (0.99984, 357741.3), "kcc4": (1.00012, 357741.3),
}  # fmt: skip


@pytest.mark.parametrize("law", CLOSURES)
def test_published_carriers_miss_detailed_balance_as_stated(law):
    make = kcc2 if law == "kcc4" else nkcc1
    p = nominal(make(f"{law}_published"))
    e_in = p["k_in"] * p["e_out"] / p["k_out"]
    assert_allclose(e_in / p["e_in"], CLOSURES[law][0], atol=6e-6)
    assert_allclose(e_in, CLOSURES[law][1], atol=0.05)
    state = REST if make is nkcc1 else KCC
    same = make(f"{law}_published").at(**state, e_in=e_in)
    assert_allclose(same.flux, make(law).at(**state).flux, rtol=1e-13)


def test_published_sglt1_misses_detailed_balance_as_stated():
    wright = nominal(sglt1("six_state_published"))
    forward = math.prod(wright[f"k_{n}"] for n in ("12", "23", "34", "45", "56", "61"))
    backward = math.prod(wright[f"k_{n}"] for n in ("21", "32", "43", "54", "65", "16"))
    assert_allclose(backward / forward, 2.44, atol=0.005)
    assert_allclose(1e-3 * RT * math.log(backward / forward), 2.3, atol=0.05)
    slip = math.prod(wright[f"k_{n}"] for n in ("21", "52", "65", "16"))
    slip /= math.prod(wright[f"k_{n}"] for n in ("12", "25", "56", "61"))
    assert_allclose(slip, 1.16, atol=0.005)


@pytest.mark.parametrize("law", [n.split()[1] for n in REVERSIBLE if n.startswith("nkcc1")])
@pytest.mark.parametrize(("Cl_o", "Cl_i"), [(110.0, 64.6), (120.0, 70.5), (130.0, 76.4)])
def test_nkcc1_stands_still_where_its_products_are_equal(law, Cl_o, Cl_i):
    exact = Cl_o * math.sqrt(145.0 * 4.0 / (12.0 * 140.0))
    assert_allclose(exact, Cl_i, atol=0.05)
    at, off = (nkcc1(law).at(**NA, **K, Cl_o=Cl_o, Cl_i=f * exact) for f in (1.0, 0.9))
    assert abs(at.flux) < 1e-14 * abs(off.flux) * 100.0
    assert abs(at.dG) < 1e-8
    assert_allclose(nkcc1(law).at(**REST).dG, -13648.0, atol=0.6)


def test_a_published_carrier_still_runs_at_equilibrium():
    Cl_i = 120.0 * math.sqrt(145.0 * 4.0 / (12.0 * 140.0))
    left = nkcc1("terashima_published").at(**NA, **K, Cl_o=120.0, Cl_i=Cl_i).flux
    assert_allclose(left / nkcc1().at(**REST).flux, -0.02e-2, atol=0.005e-2)
    frozen = 157.55 / 2.0096e-5
    bath = REST | {"Cl_i": math.sqrt(frozen / (12.0 * 140.0))}
    assert abs(nkcc1("palk_published").at(**bath).flux) < 1e-15
    assert nkcc1("palk").at(**bath).flux > 0.0


@pytest.mark.parametrize("law", [n.split()[1] for n in REVERSIBLE if n.startswith("kcc2")])
def test_kcc2_stands_still_where_potassium_and_chloride_share_a_potential(law):
    Cl_i = 120.0 * 4.0 / 140.0
    assert_allclose(Cl_i, 3.4286, atol=5e-5)
    E_K, E_Cl = (RT / constants.F * math.log(x) for x in (4.0 / 140.0, Cl_i / 120.0))
    assert_allclose([E_K, E_Cl], -95.0, atol=0.05)
    at, above = (kcc2(law).at(**K, Cl_o=120.0, Cl_i=f * Cl_i) for f in (1.0, 1.1))
    assert abs(at.flux) < 1e-13 * above.flux


def test_nominal_carriers_run_like_the_log_law_where_they_are_used():
    immature = {"Na_i": 14.26, "K_i": 125.47, "Cl_i": 40.44, "Na_o": 145.0, "K_o": 3.5}
    flux = [nkcc1(law).at(**immature, Cl_o=119.0).flux for law in ("terashima", "nkcc2f", "log")]
    assert_allclose(flux[:2], flux[2], rtol=0.02)
    assert_allclose(kcc2("kcc4").at(**NEURON).flux, kcc2("log").at(**NEURON).flux, rtol=0.02)


@pytest.mark.parametrize(("sodium", "limit"), [(2, 6156.0), (1, 78.5)])
def test_sglt1_accumulates_glucose_up_to_its_limit(sodium, limit):
    state = {"V": -50.0, "Na_i": 12.0, "Na_o": 145.0, "Glucose_o": 0.1}
    exact = (145.0 / 12.0) ** sodium * math.exp(sodium * 50.0 * constants.F / RT)
    assert_allclose(exact, limit, rtol=5e-4)
    for law in ("simple", "six_state", "parent")[: 3 if sodium == 2 else 1]:
        J = {x: sglt1(law, sodium=sodium).at(**state, Glucose_i=x * 0.1 * exact).flux
             for x in (0.9, 1.0, 1.1)}  # fmt: skip
        assert J[0.9] > 0.0 > J[1.1]
        assert abs(J[1.0]) < 1e-12 * J[0.9]


HEADS = [("parent", 295.15, (8.25, 8.35)), ("six_state", 310.0, (4017.5, 4018.5))]


@pytest.mark.parametrize(("law", "T", "heads"), HEADS)
def test_slip_caps_the_accumulation_of_glucose_as_stated(law, T, heads):
    state = {"V": -50.0, "T": T, "Na_i": 12.0, "Na_o": 145.0, "Glucose_o": 0.1}
    found = sglt1(law, slip=True).at(**state, Glucose_i=0.1 * np.array(heads)).flux
    assert found["sglt1:coupled"][0] > 0.0 > found["sglt1:coupled"][1]


def kirchhoff(p, V, T, Na_i, Na_o, Glucose_i, Glucose_o):
    """Crossings with glucose and without, per carrier, by a linear solve of the six states."""
    u = V * constants.F / (constants.R * T)
    delta = 1.0 - p["alpha_o"] - p["alpha_i"]
    field = {"12": -p["alpha_o"], "56": -p["alpha_i"], "61": -delta}
    field |= {step[::-1]: -share for step, share in field.items()}
    bound = {"12": Na_o**2, "65": Na_i**2, "23": Glucose_o, "54": Glucose_i}
    M = np.zeros((6, 6))
    k = {}
    for step in (
        "12",
        "21",
        "23",
        "32",
        "34",
        "43",
        "45",
        "54",
        "56",
        "65",
        "61",
        "16",
        "25",
        "52",
    ):
        k[step] = p[f"k_{step}"] * bound.get(step, 1.0) * math.exp(field.get(step, 0.0) * u)
        a, b = int(step[0]) - 1, int(step[1]) - 1
        M[b, a] += k[step]
        M[a, a] -= k[step]
    M[-1] = 1.0
    x = np.linalg.solve(M, np.eye(6)[-1])
    return x[2] * k["34"] - x[3] * k["43"], x[1] * k["25"] - x[4] * k["52"]


@pytest.mark.parametrize("seed", range(6))
def test_the_six_state_carrier_is_the_steady_state_of_its_scheme(seed):
    rng = np.random.default_rng(seed)
    names = ("Na_i", "Na_o", "Glucose_i", "Glucose_o")
    state = dict(zip(names, 10.0 ** rng.uniform(-1.0, 2.3, 4), strict=True))
    state |= {"V": rng.uniform(-150.0, 100.0), "T": rng.uniform(290.0, 310.0)}
    carrier = sglt1("six_state_published")
    own = {what: x * 10.0 ** rng.uniform(-0.5, 0.5) for what, x in nominal(carrier).items()}
    own |= {"density": 1.0, "alpha_o": rng.uniform(0.0, 0.5), "alpha_i": rng.uniform(0.0, 0.5)}
    found = carrier.at(**state, **own).flux
    expected = kirchhoff(own, **state)
    assert_allclose([found["sglt1:coupled"], found["sglt1:slip"]], expected, rtol=1e-8)


def test_a_slipping_carrier_may_turn_one_leg_but_never_makes_free_energy():
    rng = np.random.default_rng(1)
    names = ("Na_i", "Na_o", "Glucose_i", "Glucose_o")
    state = {name: 10.0 ** rng.uniform(-1.0, 2.3, 2000) for name in names}
    at = sglt1("parent", slip=True).at(V=rng.uniform(-150.0, 100.0, 2000), **state)
    given = {leg: at.flux[leg] * at.dG[leg] for leg in at.flux}
    assert (given["sglt1:coupled"] > 0.0).any()
    assert (sum(given.values()) <= 0.0).all()


def test_without_a_slip_rate_a_slipping_carrier_is_a_tight_one():
    at = sglt1("six_state", slip=True).at(**GLUCOSE, k_25=0.0).flux
    assert at["sglt1:slip"] == 0.0
    assert_allclose(at["sglt1:coupled"], sglt1("six_state").at(**GLUCOSE).flux, rtol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_nbc_turns_at_its_reversal_potential(n):
    state = {"Na_i": 12.0, "Na_o": 145.0, "HCO3_i": 15.0, "HCO3_o": 25.0}
    for law in ("saturating", "ohmic", "mass_action"):
        made = nbc(law, bicarbonates=n)
        if n == 1:
            assert np.isnan(made.at(**state).reversal)
            continue
        V = RT / constants.F / (n - 1) * (math.log(12 / 145) + n * math.log(15 / 25))
        assert_allclose(made.at(**state).reversal, V, rtol=1e-12)
        assert made.at(V=V - 1.0, **state).flux < 0.0 < made.at(V=V + 1.0, **state).flux


MISTAKES = [
    (lambda: sglt1(sodium=0), ValueError,
     "sodium of sglt1 must be a whole number above zero, not 0"),
    (lambda: sglt1("parent", sodium=1), ValueError,
     "law parent of sglt1 binds 2 sodium ions, not 1: use law='simple'"),
    (lambda: sglt1(slip=True), ValueError,
     "law simple of sglt1 cannot slip; use law='six_state' or 'parent'"),
    (lambda: sglt1("six_state", k_25=1.0), KeyError, "unknown parameter 'k_25'"),
    (lambda: sglt1("sixstate"), KeyError, "unknown law of sglt1 'sixstate'"),
    (lambda: nbc(bicarbonates=2.0), ValueError,
     "bicarbonates of nbc must be a whole number above zero, not 2.0"),
    (lambda: nkcc1("terashima", e_in=1.0), KeyError, "unknown parameter 'e_in'"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "kind", "sentence"), MISTAKES)
def test_a_mistake_is_refused_in_one_sentence(make, kind, sentence):
    with pytest.raises(kind) as caught:
        make()
    assert sentence in str(caught.value) and "\n" not in str(caught.value)
