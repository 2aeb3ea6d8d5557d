"""Reactions are read as written, and everything that follows from them is derived."""

import dataclasses
import math

import jax.numpy as jnp
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import constants
from jaxmembrane.reaction import Reaction
from jaxmembrane.site import Medium, Site, Values

ELECTRON, WATER = jm.Species("e", -1), jm.Species("H2O", 0)
PUMP = "3 Na_i + 2 K_o + ATP <-> 3 Na_o + 2 K_i + ADP + Pi"
SPENT = (("ATP", 1),)

# Forward cycle, signed counts on the first side (the second has the opposite), energy, charge into
# the first side: the table of reactions in the reference notes.
CYCLES = {
    "Na/K-ATPase": (PUMP, {"Na": -3, "K": 2}, SPENT, -1),
    "reverse pump": (
        "2 Na_i + 3 K_o + ATP <-> 2 Na_o + 3 K_i + ADP + Pi", {"Na": -2, "K": 3}, SPENT, +1,
    ),
    "NKCC1": ("Na_o + K_o + 2 Cl_o <-> Na_i + K_i + 2 Cl_i", {"Na": 1, "K": 1, "Cl": 2}, (), 0),
    "KCC2": ("K_i + Cl_i <-> K_o + Cl_o", {"K": -1, "Cl": -1}, (), 0),
    "NCX": ("3 Na_o + Ca_i <-> 3 Na_i + Ca_o", {"Na": 3, "Ca": -1}, (), +1),
    "ANT": ("ATP_i + ADP_o <-> ATP_o + ADP_i", {"ATP": -1, "ADP": 1}, (), +1),
    "PMCA, 1 H": (
        "Ca_i + H_o + ATP <-> Ca_o + H_i + ADP + Pi", {"Ca": -1, "H": 1}, SPENT, -1,
    ),
    "PMCA, 2 H": (
        "Ca_i + 2 H_o + ATP <-> Ca_o + 2 H_i + ADP + Pi", {"Ca": -1, "H": 2}, SPENT, 0,
    ),
    "NHE": ("Na_o + H_i <-> Na_i + H_o", {"Na": 1, "H": -1}, (), 0),
    "AE": ("Cl_o + HCO3_i <-> Cl_i + HCO3_o", {"Cl": 1, "HCO3": -1}, (), 0),
    "NBCe1": ("Na_o + 2 HCO3_o <-> Na_i + 2 HCO3_i", {"Na": 1, "HCO3": 2}, (), -1),
    "SGLT1": ("2 Na_o + Glucose_o <-> 2 Na_i + Glucose_i", {"Na": 2, "Glucose": 1}, (), +2),
    "SGLT2": ("Na_o + Glucose_o <-> Na_i + Glucose_i", {"Na": 1, "Glucose": 1}, (), +1),
    "H-ATPase": ("H_i + ATP <-> H_o + ADP + Pi", {"H": -1}, SPENT, -1),
    "NADPH oxidase": ("e_i <-> e_o", {"e": -1}, (), +1),
    "aquaporin": ("H2O_o <-> H2O_i", {"H2O": 1}, (), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", CYCLES)
def test_counts_energy_and_charge_follow_from_the_reaction(name):
    text, inside, energy, charge = CYCLES[name]
    reaction = Reaction.parse(text, (ELECTRON, WATER))
    assert {s.name: reaction.change(s, "i") for s in reaction.species} == inside
    assert {s.name: -reaction.change(s, "o") for s in reaction.species} == inside
    assert reaction.energy == energy
    assert reaction.charge == charge


def test_reactions_may_be_written_freely():
    plain = Reaction.parse("3 Na_i + 2 K_o <-> 3 Na_o + 2 K_i")
    for text in (
        "3Na_i+2K_o<->3Na_o+2K_i",
        "  2 K_o + 3 Na_i <->2K_i  +  3Na_o ",
        "3 Na_i + K_o + K_o <-> 2 K_i + 3 Na_o",
    ):
        other = Reaction.parse(text)
        assert other.charge == plain.charge
        assert all(other.change(s, "i") == plain.change(s, "i") for s in plain.species)


def test_what_stands_on_both_halves_of_one_side_is_not_carried():
    reaction = Reaction.parse("Na_i + K_i <-> Na_o + K_i")
    assert reaction.change(jm.K, "i") == 0
    assert reaction.charge == -1


def test_energy_sources_may_be_made_or_used_several_times():
    made = Reaction.parse("3 H_o + ADP + Pi <-> 3 H_i + ATP")
    assert made.energy == (("ATP", -1),)
    assert Reaction.parse("4 H_i + 2 ATP <-> 4 H_o + 2 ADP + 2 Pi").energy == (("ATP", 2),)


REFUSED = {
    "K_i": "reaction 'K_i' must have one '<->' between its two halves, as in 'K_i <-> K_o'",
    "K_i <-> K_o <-> K_i": "must have one '<->' between its two halves",
    "K_i -> K_o": "must have one '<->' between its two halves",
    None: "reaction None must have one '<->'",
    "K_i + <-> K_o": "cannot read '' in reaction 'K_i + <-> K_o'; write a count, a species and a "
    "side, as in '2 Cl_o'",
    "K_in <-> K_o": "cannot read 'K_in'",
    "-1 K_i <-> K_o": "cannot read '-1 K_i'",
    "0 K_i <-> 0 K_o": "cannot read '0 K_i'",
    "1.5 K_i <-> 1.5 K_o": "cannot read '1.5 K_i'",
    "Kl_i <-> Kl_o": "unknown species in reaction 'Kl_i <-> Kl_o': 'Kl'; did you mean K or Cl? "
    "A new one is passed as species=(jm.Species(name, z),)",
    "2 K_i <-> K_o": "reaction '2 K_i <-> K_o' destroys 1 K per turnover",
    "K_i <-> 3 K_o": "reaction 'K_i <-> 3 K_o' makes 2 K per turnover",
    "Na_i <-> K_o": "reaction 'Na_i <-> K_o' destroys 1 Na per turnover",
    "K_i <-> K_i": "reaction 'K_i <-> K_i' carries nothing across the membrane",
    "K_i + ATP <-> K_o": "reaction 'K_i + ATP <-> K_o' has ATP without a side and not as an energy "
    "source; write a side (_i or _o), or the whole source, as in 'ATP <-> ADP + Pi'",
    "K_i + ATP <-> K_o + ADP": "has ATP and ADP without a side",
    "K_i + 2 ATP <-> K_o + ADP + Pi": "has ATP and ADP and Pi without a side",
    "K_i + Na <-> K_o": "has Na without a side",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_bad_reaction_is_refused_in_one_sentence(text):
    with pytest.raises(ValueError) as caught:
        jm.Transporter("mine", text, ohm)
    assert REFUSED[text] in str(caught.value)


def ohm(s, p):
    return -p.g * s.dG / s.F**2


PARAMS = {"g": jm.Param(1.0, "pS/um^2")}


@dataclasses.dataclass
class Unhashable:
    def __call__(self, s, p):
        return ohm(s, p)


def made(*args, **options):
    return lambda: jm.Transporter(*args, **options)


MISTAKES = [
    (made("2x", "K_i <-> K_o", ohm), ValueError, "the name of a transporter must be letters, "
     "digits and underscores, starting with a letter, not '2x'"),
    (made("a.b", "K_i <-> K_o", ohm), ValueError, "not 'a.b'"),
    (made("x", "K_i <-> K_o"), TypeError,
     "the rate law of x must be callable as rate(s, p), not None"),
    (made("x", "K_i <-> K_o", 3.0), TypeError, "not 3.0"),
    (made("x", {"K": ("K_i <-> K_o", "ohm")}), TypeError, "not 'ohm'"),
    (made("x", "K_i <-> K_o", Unhashable()), TypeError,
     "the rate law of x must be hashable: a module-level function or frozen dataclass"),
    (made("x", {}), ValueError, "transporter x must have at least one reaction"),
    (made("x", "K_i <-> K_o", ohm, {"g": 0.7}), TypeError,
     "parameter g of x must be jm.Param(nominal, unit), not 0.7"),
    (made("x", "K_i <-> K_o", ohm, {"g 1": PARAMS["g"]}), ValueError,
     "the name of a parameter of x must be letters"),
    (lambda: jm.Species("my K", 1), ValueError, "the name of a species must be letters"),
    (lambda: jm.Species("K_1", 1), ValueError,
     "species name 'K_1' must not hold an underscore: reactions write the side after one"),
    (lambda: jm.Species("K1", 1.0), ValueError, "valence of K1 must be an integer, not 1.0"),
    (lambda: jm.Species("K1", True), ValueError, "valence of K1 must be an integer, not True"),
    (lambda: jm.Param(1.0, "pS/um^2", domain="any"), ValueError, "unknown domain 'any'"),
    (lambda: jm.Param(-1.0, "mM"), ValueError,
     "nominal value -1.0 must be a finite number, zero or more"),
    (lambda: jm.Param(0.0, "mM", domain="positive"), ValueError,
     "nominal value 0.0 must be a finite number above zero"),
    (lambda: jm.Param(1.5, "1", domain="fraction"), ValueError, "must be a number between 0 and 1"),
    (lambda: jm.Param(math.inf, "mV", domain="real"), ValueError, "inf must be a finite number"),
    (lambda: jm.Param(1.0, "pS/micron"), ValueError, "did you mean 'um'?"),
    (lambda: jm.leak("K"), TypeError, "species must be a jm.Species, as jm.K, not 'K'"),
    (lambda: jm.leak(jm.K, law="ohm"), KeyError,
     "unknown law of leak_K 'ohm'; did you mean ohmic?"),
    (lambda: jm.leak(jm.K, g=1.0), KeyError, "unknown parameter 'g'; there are P"),
    (lambda: jm.leak(jm.K, P=-1.0), ValueError,
     "parameter P must be a finite number, zero or more, not -1 um/s"),
    (lambda: jm.leak(jm.K, P="1"), ValueError, "parameter P must be a real number in um/s, not"),
    (lambda: jm.na_k_atpase(law="cubed"), KeyError,
     "unknown law of nka 'cubed'; did you mean cubic?"),
    (lambda: jm.na_k_atpase(jmax=1.0), KeyError, "did you mean j_max?"),
    (lambda: jm.kcc2(law="palk"), KeyError,
     "unknown law of kcc2 'palk'; there are kcc4, kcc4_published, log, mass_action, saturating"),
    (lambda: jm.channel("x", [jm.K]), TypeError, "ions of channel x must map species to relative "
     "permeabilities, as in {jm.K: 1.0, jm.Na: 0.4}, not [Species"),
    (lambda: jm.channel("x", {}), TypeError, "ions of channel x must map"),
    (lambda: jm.channel("x", {"K": 1.0}), TypeError, "species must be a jm.Species"),
    (lambda: jm.channel("x", {jm.K: -1.0}), ValueError, "must be a finite number, zero or more"),
    (lambda: jm.channel("x y", {jm.K: 1.0}), ValueError, "the name of a channel must be letters"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "kind", "sentence"), MISTAKES)
def test_a_mistake_in_structure_is_refused_in_one_sentence(make, kind, sentence):
    with pytest.raises(kind) as caught:
        make()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def seen(text, inside, outside, V=0.0, T=310.15, species=(), **bare):
    """What a rate law of a reaction sees, at V (mV) and T (K)."""
    RT = constants.R * T
    logarithms = (
        {s: (lambda c=c: jnp.log(c)) for s, c in side.items()} for side in (inside, outside)
    )
    u, bare = V * constants.F / RT, {"T": T, **bare}
    medium = Medium(inside, outside, *logarithms, u, RT, constants.F, bare)
    return Site(Reaction.parse(text, species), medium)


INSIDE = {"Na": 12.0, "K": 140.0, "Cl": 5.0, "Ca": 1e-4}
OUTSIDE = {"Na": 145.0, "K": 4.0, "Cl": 130.0, "Ca": 1.2}
# Concentrations such that ATP hydrolysis gives -57 kJ/mol.
ATP = {"ATP": 5.0, "ADP": 0.05, "Pi": 2.0, "K_ATP": 0.02 * math.exp(57000 / (constants.R * 310.15))}
# Free energy (kJ/mol) at V, and reversal potential (mV), as printed in the reference notes.
PRINTED = {
    "Na/K pump": (PUMP, INSIDE, -70.0, -12.632, -200.9),
    "Na leak": ("Na_o <-> Na_i", INSIDE, -65.0, -12.7, 66.6),
    "K leak": ("K_o <-> K_i", INSIDE, -95.0, 0.0, -95.0),
    "Cl leak, 5 mM": ("Cl_i <-> Cl_o", INSIDE, -87.0, 0.0, -87.0),
    "Cl leak, 15 mM": ("Cl_i <-> Cl_o", INSIDE | {"Cl": 15.0}, -57.7, 0.0, -57.7),
    "NCX": ("3 Na_o + Ca_i <-> 3 Na_i + Ca_o", INSIDE, -51.24, 0.0, -51.24),
    "NCX, 24 mM Na": (
        "3 Na_o + Ca_i <-> 3 Na_i + Ca_o", INSIDE | {"Na": 24.0}, -106.8, 0.0, -106.8,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_free_energy_and_reversal_potential_are_those_in_print(name):
    text, inside, V, kJ, reversal = PRINTED[name]
    site = seen(text, inside, OUTSIDE, V, **ATP)
    assert_allclose(1e-3 * site.dG, kJ, atol=0.06 if kJ == -12.7 else 0.012)
    assert_allclose(V - site.dG / (site.charge * constants.F), reversal, atol=0.1)


def test_free_energy_is_the_quotient_and_the_work_against_the_potential():
    text = "2 Na_o + Glucose_o + ATP <-> 2 Na_i + Glucose_i + ADP + Pi"
    inside, outside = {"Na": 12.0, "Glucose": 8.0}, {"Na": 145.0, "Glucose": 5.0}
    site = seen(text, inside, outside, -70.0, 300.0, ATP=4.0, ADP=0.1, Pi=3.0, K_ATP=1e8)
    RT = constants.R * 300.0
    quotient = (12 / 145) ** 2 * (8 / 5) * (0.1 * 3 / 4) / 1e8
    dG = RT * math.log(quotient) + 2 * constants.F * -70.0
    assert_allclose(site.dG, dG, rtol=1e-14)
    assert_allclose(
        site.RT * (site.bias + math.log(site.products / site.reactants)), dG, rtol=1e-13
    )
    assert site.reactants == 145.0**2 * 5.0
    assert site.products == 12.0**2 * 8.0


@pytest.mark.parametrize("V", [-300.0, -71.0, 0.0, 40.0, 300.0])
@pytest.mark.parametrize("text", [text for text, *_ in PRINTED.values()])
def test_drive_is_the_hyperbolic_tangent_of_the_free_energy(text, V):
    site = seen(text, INSIDE, OUTSIDE, V, **ATP)
    assert_allclose(site.drive, jnp.tanh(-site.dG / (2.0 * site.RT)), rtol=1e-9, atol=1e-12)


def test_a_law_sees_both_sides_and_its_own_parameters():
    site = seen("K_i <-> K_o", INSIDE, OUTSIDE, -70.0, ATP=5.0)
    assert (site.K_i, site.K_o, site.Ca_i, site.T, site.ATP) == (140.0, 4.0, 1e-4, 310.15, 5.0)
    assert_allclose(site.V, -70.0, rtol=1e-15)
    with pytest.raises(KeyError, match="unknown quantity in the rate law of 'K_i <-> K_o': 'K_in'"):
        _ = site.K_in
    own = Values("leak_K", {"g": 0.7})
    assert own.g == own["g"] == 0.7
    with pytest.raises(KeyError, match=r"parameter of leak_K 'G'; did you mean g\?"):
        _ = own.G


def test_a_channel_has_one_leg_and_one_charge_for_each_ion():
    gaba = jm.channel("gaba_a", {jm.Cl: 1.0, jm.HCO3: 0.25, jm.Ca: 0.0}, r_HCO3=0.2)
    assert [leg.name for leg in gaba.legs] == ["gaba_a:Cl", "gaba_a:HCO3", "gaba_a:Ca"]
    assert gaba.charge == (+1, +1, -2)
    assert gaba.declared["r_HCO3"].nominal == 0.2
    inside, outside = {**INSIDE, "HCO3": 15.0}, {**OUTSIDE, "HCO3": 24.0}
    site = seen("HCO3_i <-> HCO3_o", inside, outside, -40.0)
    alone = jm.leak(jm.HCO3).legs[0].rate(site, Values("leak_HCO3", {"P": 0.2e-3}))
    shares = {"r_Cl": 1.0, "r_HCO3": 0.2, "r_Ca": 0.0}
    rates = gaba.turnovers(site.medium, {"P": 1e-3} | shares)
    assert_allclose(rates[1], alone, rtol=1e-15)
    assert rates[2] == 0.0


def test_transporters_that_were_built_alike_are_equal():
    for make in (jm.na_k_atpase, jm.kcc2, jm.nkcc1, jm.ncc, lambda: jm.channel("c", {jm.K: 1.0})):
        assert make() == make() and hash(make()) == hash(make())
    assert jm.leak(jm.K) != jm.leak(jm.K, law="ohmic")
    assert jm.leak(jm.K) != jm.leak(jm.K, P=1.0)
    assert jm.leak(jm.K) != jm.leak(jm.Na, name="leak_K")
    cited = jm.Transporter("x", "K_i <-> K_o", ohm, PARAMS, source="a paper")
    assert cited == jm.Transporter("x", "K_i <-> K_o", ohm, PARAMS)


def test_new_species_may_be_carried():
    lithium = jm.Species("Li", +1)
    leak = jm.leak(lithium)
    assert (leak.name, leak.charge) == ("leak_Li", -1)
    pump = jm.Transporter("nhe_li", "Li_o + H_i <-> Li_i + H_o", ohm, PARAMS, species=(lithium,))
    assert pump.charge == 0
