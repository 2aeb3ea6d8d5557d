"""What interventions change, what they leave as it was, and what they refuse."""

from itertools import chain

import jax
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import interventions as act
from jaxmembrane.contents import Contents
from jaxmembrane.library import CATALOGUE
from jaxmembrane.naming import UnknownName
from jaxmembrane.protocol import Initial

NEURON = jm.zoo.neuron()
NOMINAL = NEURON.nominal()
LEAKS = [t for t in NEURON.transporters if t.name.startswith("leak")]
STATE = {"Na_i": 20.0, "K_i": 110.0, "Cl_i": 9.0, "Na_o": 145.0, "K_o": 3.5, "Cl_o": 119.0}
DRUGS = {
    "na_k_atpase": (act.ouabain, 0.048),
    "nkcc1": (act.bumetanide, 1e-3),
    "kcc2": (act.vu0463271, 6.1e-5),
}
LAWS = [(entry, law) for entry in DRUGS for law in CATALOGUE[entry].laws]


def own(t, params):
    """A transporter's own parameters out of a cell's."""
    return {name: params[f"{t.name}.{name}"] for name in t.declared}


@pytest.mark.parametrize(("entry", "law"), LAWS)
def test_at_its_K_a_drug_leaves_half_of_any_law(entry, law):
    drug, K = DRUGS[entry]
    t = CATALOGUE[entry].make(law)
    cell = jm.Cell([*LEAKS, t])
    params = drug(cell, np.array([0.0, K, 9.0 * K])).final(cell.nominal())
    flux = t.at(V=-60.0, **STATE, **own(t, params)).flux
    assert flux[0] != 0.0
    assert_allclose(flux / flux[0], [1.0, 0.5, 0.1], rtol=1e-12)


@pytest.mark.parametrize("kinetics", [False, True])
def test_a_regulated_pump_gets_the_dose_and_acts_by_itself(kinetics):
    plain = jm.na_k_atpase()
    regulated = plain.regulated(jm.ouabain("alpha2", kinetics=kinetics))
    flux = []
    for t, options in ((plain, {"isoform": "alpha2"}), (regulated, {})):
        cell = jm.Cell([*LEAKS, t])
        block = act.ouabain(cell, 3e-4, lasting=60.0, **options)
        flux.append(
            t.at(
                V=-60.0, **STATE, **own(t, act.ouabain(cell, 3e-4, **options).final(cell.nominal()))
            ).flux
        )
        assert block.final(cell.nominal()) == cell.nominal()
    assert block.names == ("nka.ouabain",)
    assert_allclose(*flux, rtol=1e-12)


def test_drugs_reach_all_transporters_of_their_kind_or_the_one_that_is_named():
    pumps = [jm.na_k_atpase(), jm.na_k_atpase("cubic", stoichiometry=(2, 3), name="other")]
    cell = jm.Cell([*LEAKS, *pumps])
    assert act.pump_block(cell).names == ("nka.j_max", "other.j")
    assert act.pump_block(cell, transporter="other").names == ("other.j",)
    both = act.ouabain(cell, 1e-4, isoform="alpha1", transporter="nka")
    both = both + act.ouabain(cell, 1e-4, isoform="alpha3", transporter="other")
    left = [both.final(cell.nominal())[name] / cell.nominal()[name] for name in both.names]
    assert_allclose(left, [1 / (1 + 1e-4 / 0.048), 1 / (1 + 1e-4 / 1.6e-6)])


def test_a_carrier_is_known_by_its_reaction_whichever_way_it_is_written():
    def force(s, p):
        return p.g * s.dG

    g = {"g": jm.Param(1e-6, "amol^2/um^2/s/fC/mV")}
    carriers = [
        jm.Transporter("ktoc", "K_o + Cl_o <-> K_i + Cl_i", force, g),
        jm.Transporter("tritc", "2 Cl_i + K_i + Na_i <-> Na_o + K_o + 2 Cl_o", force, g),
    ]
    cell = jm.Cell([*LEAKS, *carriers, jm.na_k_atpase()])
    assert act.vu0463271(cell, 1.0).names == ("ktoc.g",)
    assert act.bumetanide(cell, 1.0).names == ("tritc.g",)


def test_derivatives_go_through_a_dose():
    def left(dose):
        return act.ouabain(NEURON, dose, K=0.5).final(NOMINAL)["nka.j"] / NOMINAL["nka.j"]

    share, slope = jax.jit(jax.value_and_grad(left))(1.5)
    assert_allclose([share, slope], [0.25, -0.125], rtol=1e-12)


def test_wash_out_goes_back_to_what_each_row_had():
    block = act.pump_block(NEURON, at=10.0, lasting=30.0, over=5.0)
    rows = np.array([30.0, 300.0])
    first, last = block.values("nka.j", rows)
    assert block.ends == [10.0, 15.0, 40.0, 45.0, np.inf]
    assert_allclose(first, [rows, rows, 0.0 * rows, 0.0 * rows, rows])
    assert_allclose(last, [rows, 0.0 * rows, 0.0 * rows, rows, rows])


SALINE = jm.Cell([*LEAKS, jm.leak(jm.Ca), jm.leak(jm.Glucose)], {"bath.Glucose": 20.0})
DERIVED = jm.Cell(LEAKS, bath=jm.Bath("saline", derive="Cl"))
SWAPS = {
    "K for Na": (NEURON, {"K": 10.0}, {"replacing": "Na", "over": 60.0}),
    "doses of K": (NEURON, {"K": [2.5, 10.0]}, {"replacing": "Na", "at": 1.0}),
    "Na for K": (NEURON, {"Na": 146.0}, {"replacing": "K", "lasting": 60.0}),
    "gluconate for Cl": (NEURON, {"Cl": 10.0}, {"replacing": "X"}),
    "Cl for gluconate": (NEURON, {"Cl": 130.0}, {"replacing": "X", "lasting": 9.0}),
    "NaCl for glucose": (
        SALINE,
        {"Na": 150.0, "Cl": 124.0},
        {"replacing": "Glucose", "over": 2.0},
    ),
    "K for Na, Cl by charge": (DERIVED, {"K": 10.0}, {"replacing": "Na", "bath": "saline"}),
}
STEPS = {
    "sucrose": (NEURON, {"osmolyte": 100.0}, 1.0),
    "less sucrose": (NEURON, {"osmolyte": -20.0}, 1.0),
    "sucrose, Cl by charge": (DERIVED, {"osmolyte": 50.0}, 1.0),
    "diluted": (NEURON, {"factor": 0.7}, 0.7),
    "concentrated, Cl by charge": (DERIVED, {"factor": 1.4}, 1.4),
}


def bath_of(cell, params):
    """Charge and osmolarity of a cell's bath, mM."""
    (bath,), contents = cell.baths, Contents(cell, params)
    charge = params[f"{bath.name}.X"] * params[f"{bath.name}.z_X"]
    for s in cell.contents[bath.name]:
        charge = charge + s.z * contents.held_c[bath.name, s.name]
    return np.asarray(charge), np.asarray(contents.bath_osmolarity[bath.name])


@pytest.mark.parametrize("name", SWAPS)
def test_an_exchanged_bath_is_as_neutral_and_osmotic_as_before_at_all_times(name):
    cell, concentrations, options = SWAPS[name]
    swap, params = act.bath_exchange(cell, concentrations, **options), cell.nominal()
    assert len(swap.names) > 1
    for ends in zip(*(chain(*swap.values(n, params[n])) for n in swap.names), strict=True):
        changed = bath_of(cell, params | dict(zip(swap.names, ends, strict=True)))
        for now, before in zip(changed, bath_of(cell, params), strict=True):
            assert_allclose(now, before, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", STEPS)
def test_an_osmotic_step_keeps_the_charge_of_the_bath_and_changes_its_osmolarity(name):
    cell, options, factor = STEPS[name]
    charge, osmolarity = bath_of(cell, cell.nominal())
    found = bath_of(cell, act.osmotic_step(cell, **options).final(cell.nominal()))
    assert_allclose(found[0], factor * charge, rtol=1e-12, atol=1e-12)
    assert_allclose(found[1], factor * osmolarity + options.get("osmolyte", 0.0), rtol=1e-12)


def test_a_bath_is_exchanged_from_what_the_user_has():
    exchange = act.bath_exchange(NEURON, {"K": 10.0}, replacing="Na", params={"bath.K": 5.0})
    assert exchange.steps[0].changes == {"bath.K": 10.0, "bath.Na": Initial(plus=-5.0)}


GABA = jm.Cell([*LEAKS, jm.gaba_a(open=0.0), jm.channel("pore", {jm.Cl: 1.0}), jm.na_k_atpase()])
TWO = jm.Cell(
    [
        jm.Membrane("face", LEAKS, inside=jm.Compartment("cell"), outside=jm.Bath("blood")),
        jm.Membrane(
            "other",
            [jm.leak(jm.K, name="other_K")],
            inside=jm.Compartment("cell"),
            outside=jm.Bath("urine"),
        ),
    ]
)
BINDING = jm.Cell([*LEAKS, jm.na_k_atpase().regulated(jm.ouabain())])


def test_gaba_opens_its_fraction_or_takes_a_strength():
    assert act.gaba_pulse(GABA, 0.3).steps[0].changes == {"gaba_a.open": 0.3}
    both = act.gaba_pulse(GABA, conductance=0.2, lasting=1.0)
    assert both.steps[0].changes == {"gaba_a.open": 1.0, "gaba_a.P": 0.2}
    assert act.gaba_pulse(GABA, conductance=1.0, transporter="pore").names == ("pore.P",)


def test_one_of_several_baths_is_named():
    exchange = act.bath_exchange(TWO, {"K": 10.0}, replacing="Na", bath="blood")
    assert exchange.names == ("blood.K", "blood.Na")
    assert act.osmotic_step(TWO, 0.9, bath="urine").names == ("urine.K", "urine.X")


REFUSED = {
    "ouabain needs a Na/K pump, and this cell has none: add jm.na_k_atpase()": lambda: act.ouabain(
        jm.Cell(LEAKS), 1.0
    ),
    "bumetanide needs a Na-K-2Cl cotransporter, and this cell has none: add jm.nkcc1()": (
        lambda: act.bumetanide(NEURON, 1.0)
    ),
    "vu0463271 needs a K-Cl cotransporter, and this cell has none: add jm.kcc2()": (
        lambda: act.vu0463271(GABA, 1.0)
    ),
    "unknown Na/K pump of this cell: 'kcc2'; there are nka": lambda: act.pump_block(
        NEURON, transporter="kcc2"
    ),
    "ouabain: dose must be a finite number, zero or more, not -1 mM": lambda: act.ouabain(
        NEURON, -1.0
    ),
    "ouabain: dose must be a finite number, zero or more, not nan mM": lambda: act.ouabain(
        NEURON, [0.0, np.nan]
    ),
    "ouabain: dose must be a real number in mM, not '1 mM'": lambda: act.ouabain(NEURON, "1 mM"),
    "ouabain: K must be a finite number above zero, not 0 mM": lambda: act.ouabain(
        NEURON, 1.0, K=0.0
    ),
    "isoform for ouabain must be one of alpha1, alpha2, alpha3, not 'alpha4'": (
        lambda: act.ouabain(NEURON, 1.0, isoform="alpha4")
    ),
    "ouabain takes isoform='alpha1' or K=1.0, not both": lambda: act.ouabain(
        NEURON, 1.0, isoform="alpha1", K=1.0
    ),
    "nka is regulated by ouabain with constants of its own; set those": lambda: act.ouabain(
        BINDING, 1.0, isoform="alpha3"
    ),
    "pump_block: left must be a number between 0 and 1, not 2 1": lambda: act.pump_block(
        NEURON, 2.0
    ),
    "lasting must be a time in s, above zero and no shorter than over, or None for ever, not 5": (
        lambda: act.pump_block(NEURON, over=10.0, lasting=5.0)
    ),
    "and no shorter than over, or None for ever, not 0": lambda: act.pump_block(NEURON, lasting=0),
    "and no shorter than over, or None for ever, not True": lambda: act.pump_block(
        NEURON, lasting=True
    ),
    "at of a step must be a time in s, zero or more, not -1": lambda: act.pump_block(NEURON, at=-1),
    "nka.j is changed by two steps at once: from 0 to 0 s and from 0 to 0 s": lambda: (
        act.pump_block(NEURON) + act.ouabain(NEURON, 1.0)
    ),
    "atp_loss needs a transporter that depends on ATP, and this cell has none: regulate": (
        lambda: act.atp_loss(NEURON, 0.1)
    ),
    "atp_loss: ATP must be a finite number above zero, not 0 mM": lambda: act.atp_loss(GABA, 0.0),
    "wnk_spak needs a transporter that is regulated by jm.wnk_spak(), and this cell has none": (
        lambda: act.wnk_spak(NEURON)
    ),
    "light needs a light-driven pump, as jm.light_pump(), and this cell has none": (
        lambda: act.light(NEURON, 0.0)
    ),
    "gaba_pulse needs a transporter 'gaba_a', and this cell has leak_Na,": lambda: act.gaba_pulse(
        NEURON
    ),
    "pore has no open fraction: give gaba_pulse the conductance= that it takes": (
        lambda: act.gaba_pulse(GABA, transporter="pore")
    ),
    "bath_exchange needs new concentrations in mM, as in {'K': 10.0}, not {}": (
        lambda: act.bath_exchange(NEURON, {}, replacing="Na")
    ),
    "unknown species in the bath: 'Rb'": lambda: act.bath_exchange(
        NEURON, {"Rb": 1.0}, replacing="Na"
    ),
    "unknown species in the bath: 'Mg'": lambda: act.bath_exchange(
        NEURON, {"K": 1.0}, replacing="Mg"
    ),
    "unknown species in the bath: 'X'": lambda: act.bath_exchange(
        NEURON, {"X": 1.0}, replacing="Na"
    ),
    "bath_exchange cannot set Cl, which follows from charge": lambda: act.bath_exchange(
        DERIVED, {"Cl": 1.0}, replacing="Na"
    ),
    "bath_exchange cannot set Na, which is what is replaced": lambda: act.bath_exchange(
        NEURON, {"Na": 1.0}, replacing="Na"
    ),
    "Ca cannot replace Na: the bath would be either charged or of another osmolarity": (
        lambda: act.bath_exchange(SALINE, {"Ca": 10.0}, replacing="Na")
    ),
    "the bath has 3.5 mM of K, too little to take away 5 mM": lambda: act.bath_exchange(
        NEURON, {"Na": 150.0}, replacing="K"
    ),
    "the bath has 29.5 mM of X, too little to take away 31 mM": lambda: act.bath_exchange(
        NEURON, {"Cl": 150.0}, replacing="X"
    ),
    "X in the bath cannot ramp to another mean charge, as the bath would be charged meanwhile": (
        lambda: act.osmotic_step(NEURON, osmolyte=10.0, over=1.0)
    ),
    "osmotic_step needs either a factor on the bath's osmolarity or osmolyte=": (
        lambda: act.osmotic_step(NEURON)
    ),
    "osmotic_step: factor must be a finite number above zero": lambda: act.osmotic_step(
        NEURON, 0.0
    ),
    "osmotic_step needs bath=, one of blood, urine": lambda: act.osmotic_step(TWO, 0.9),
    "unknown bath 'blod'; did you mean blood?": lambda: act.osmotic_step(TWO, 0.9, bath="blod"),
    "impermeant needs a factor on the impermeant inside, or its new charge=": (
        lambda: act.impermeant(NEURON)
    ),
    "unknown compartment 'matrix'; there are cytosol": lambda: act.impermeant(
        NEURON, 2.0, compartment="matrix"
    ),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_is_refused_in_one_sentence(said):
    with pytest.raises((ValueError, UnknownName)) as told:
        REFUSED[said]()
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_transporter_without_parameters_cannot_be_scaled():
    def still(s, p):
        return 0.0 * s.dG

    pump = jm.Transporter("pump", "3 Na_i + 2 K_o + ATP <-> 3 Na_o + 2 K_i + ADP + Pi", still)
    with pytest.raises(ValueError, match="transporter pump has no parameters, so that nothing"):
        act.pump_block(jm.Cell([*LEAKS, pump]))


def test_all_are_listed_with_units_of_their_arguments():
    import inspect

    public = {name for name, made in vars(act).items() if inspect.isfunction(made)}
    assert public == {*act.INTERVENTIONS}
    arguments = chain.from_iterable(
        inspect.signature(made).parameters for made in act.INTERVENTIONS.values()
    )
    assert {*act.UNITS} <= {*arguments}
