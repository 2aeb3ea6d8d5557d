"""Drugs, ATP and kinases: factors on turnovers that leave free energies alone."""

import math
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm
from jaxmembrane.kinetics.regulation import Binding
from jaxmembrane.library.regulation import (
    atp_dependence,
    inhibitor,
    ouabain,
    phosphorylation,
    wnk_spak,
)
from jaxmembrane.site import SOURCES, Values

RESTING = {"Na_i": 12.0, "K_i": 140.0, "Na_o": 145.0, "K_o": 4.0, "V": -70.0}
CHLORIDE = {"Na_i": 12.0, "K_i": 140.0, "Cl_i": 8.0, "Na_o": 145.0, "K_o": 4.0, "Cl_o": 120.0}
REGULATED = {
    "inhibitor": (jm.nkcc1(), [inhibitor("bumetanide", 1e-3)]),
    "inhibitor, two sites": (jm.nkcc1(), [inhibitor("bumetanide", 1e-3, hill=2)]),
    "inhibitor, broken exponent": (jm.nkcc1(), [inhibitor("bumetanide", 1e-3, hill=1.4)]),
    "inhibitor, flat": (jm.nkcc1(), [inhibitor("bumetanide", 1e-3, hill=0.8)]),
    "two drugs": (jm.kcc2(), [inhibitor("VU0463271", 6e-5), inhibitor("furosemide", 0.1)]),
    "ouabain": (jm.na_k_atpase(), [ouabain()]),
    "ouabain that binds": (jm.na_k_atpase(), [ouabain("alpha3", kinetics=True)]),
    "ATP": (jm.na_k_atpase("luo_rudy"), [atp_dependence()]),
    "phosphorylation": (jm.kcc2(), [phosphorylation("T906"), phosphorylation("T1007", f=0.9)]),
    "WNK on KCC2": (jm.kcc2(), [wnk_spak("inhibits")]),
    "WNK on NKCC1": (jm.nkcc1(), [wnk_spak("activates", 2.0)]),
    "all on one": (
        jm.na_k_atpase(),
        [ouabain("alpha2", kinetics=True), atp_dependence(), phosphorylation("S9")],
    ),
}


@pytest.mark.parametrize("name", REGULATED)
def test_regulated_transporters_keep_the_contract(name):
    transporter, regulations = REGULATED[name]
    report = jm.check(transporter.regulated(*regulations))
    assert {row.verdict for row in report.rows} == {"ok"}


@pytest.mark.parametrize("name", REGULATED)
def test_regulation_leaves_free_energy_and_reversal_alone(name):
    transporter, regulations = REGULATED[name]
    given = RESTING | CHLORIDE if "Cl_i" in needs(transporter) else RESTING
    doses = {"bumetanide", "VU0463271", "furosemide", "ouabain", "p_T906", "wnk"}
    regulated = transporter.regulated(*regulations)
    present = {n: 0.3 for n in doses & {*dict(regulated.params), *regulated.bare}}
    before, after = transporter.at(**given), regulated.at(**given, **present)
    assert before.dG == after.dG
    assert_array_equal(before.reversal, after.reversal)
    assert before.flux != after.flux
    assert np.sign(before.flux) == np.sign(after.flux)


def needs(transporter):
    species = {s.name for leg in transporter.legs for s in leg.reaction.species}
    return {f"{s}_{side}" for s in species for side in "io"}


@pytest.mark.parametrize("name", [n for n in REGULATED if n != "ATP" and n != "all on one"])
def test_regulated_transporters_run_as_before_until_something_is_given(name):
    transporter, regulations = REGULATED[name]
    given = RESTING | CHLORIDE if "Cl_i" in needs(transporter) else RESTING
    assert transporter.at(**given).flux == transporter.regulated(*regulations).at(**given).flux


def factor(transporter, regulation, given=RESTING, **state):
    """What a regulation multiplies a turnover by."""
    turnover = transporter.at(**given).flux
    return float(transporter.regulated(regulation).at(**given, **state).flux / turnover)


PUMP = jm.na_k_atpase("constant", j=1.0)
# As printed in the reference notes, to nine digits; molar there, mM here.
PRINTED = {
    "ouabain on alpha3": (ouabain("alpha3"), {"ouabain": 0.1}, 1.5999744e-05),
    "ouabain on alpha2": (ouabain("alpha2"), {"ouabain": 1e-3}, 0.103139013),
    "ATP": (atp_dependence(), {"ATP": 5.0, "ADP": 0.05}, 0.997605746),
    "little ATP": (atp_dependence(), {"ATP": 0.01, "ADP": 0.5}, 0.172413793),
}


@pytest.mark.parametrize("name", PRINTED)
def test_a_factor_is_the_number_in_print(name):
    regulation, state, expected = PRINTED[name]
    assert_allclose(factor(PUMP, regulation, **state), expected, rtol=1e-8)


@pytest.mark.parametrize("hill", [0.8, 1.0, 1.4, 2.0, 3.0])
def test_an_inhibitor_takes_half_at_its_constant_and_falls_with_its_exponent(hill):
    drug = inhibitor("drug", 2e-3, hill=hill)
    assert factor(PUMP, drug, drug=2e-3) == 0.5
    assert_allclose(factor(PUMP, drug, drug=1e-2), 1.0 / (1.0 + 5.0**hill), rtol=1e-14)
    assert_allclose(factor(PUMP, drug, drug=1e-2, K_drug=1e-2), 0.5, rtol=1e-15)
    assert factor(PUMP, drug) == 1.0


@pytest.mark.parametrize("hill", [0.8, 1.0, 1.4, 2.0])
def test_no_derivative_is_lost_where_there_is_no_drug(hill):
    pump = PUMP.regulated(inhibitor("drug", 2e-3, hill=hill))

    def flux(dose, j, K):
        return pump.at(**RESTING, drug=dose, j=j, K_drug=K).flux

    slopes = jax.grad(flux, (0, 1, 2))(0.0, 1.0, 2e-3)
    assert_allclose(slopes, [-1.0 / 2e-3 if hill == 1.0 else 0.0, 1.0, 0.0], rtol=1e-14)


@pytest.mark.parametrize("isoform", ["alpha1", "alpha2", "alpha3"])
def test_bound_ouabain_rests_at_its_equilibrium(isoform):
    fast, slow = ouabain(isoform), ouabain(isoform, kinetics=True)
    assert_allclose(
        slow.params["k_off"].nominal / slow.params["k_on"].nominal,
        fast.params["K_ouabain"].nominal,
        rtol=1e-14,
    )
    # 1 - bound keeps as many decimals as bound has.
    for dose in (0.0, 1e-6, 1e-3, 1.0):
        expected = factor(PUMP, fast, ouabain=dose)
        assert_allclose(factor(PUMP, slow, ouabain=dose), expected, rtol=1e-14, atol=1e-15)
    assert_allclose(factor(PUMP, slow, ouabain=1.0, bound=0.25), 0.75, rtol=1e-15)


def test_alpha3_releases_ouabain_33_times_slower_than_alpha2_and_binds_it_alike():
    alpha2, alpha3 = (ouabain(isoform, kinetics=True).params for isoform in ("alpha2", "alpha3"))
    assert_allclose(alpha2["k_off"].nominal / alpha3["k_off"].nominal, 33.0, rtol=1e-14)
    assert 0.3 < alpha2["k_on"].nominal / alpha3["k_on"].nominal < 3.0


def test_ouabain_binds_exponentially():
    own = {name: p.nominal for name, p in ouabain("alpha2", kinetics=True).params.items()}
    p = Values("nka", own | {"ouabain": 1e-3})
    pace = own["k_on"] * 1e-3 + own["k_off"]
    rest, bound, dt = own["k_on"] * 1e-3 / pace, 0.0, 1e-3 / pace
    for _ in range(1000):
        middle = bound + 0.5 * dt * Binding("ouabain")(SimpleNamespace(bound=bound), p)
        bound += dt * Binding("ouabain")(SimpleNamespace(bound=middle), p)
    assert_allclose(bound, rest * -math.expm1(-1.0), rtol=1e-6)


def test_phosphorylation_sites_combine():
    both = jm.kcc2().regulated(phosphorylation("T906", f=0.4), phosphorylation("T1007", f=0.9))
    share = both.at(**CHLORIDE, p_T906=0.5, p_T1007=1.0).flux / jm.kcc2().at(**CHLORIDE).flux
    assert_allclose(share, (1 - 0.4 * 0.5) * (1 - 0.9), rtol=1e-13)


def test_wnk_moves_both_transporters_by_one_parameter():
    kcc2 = jm.kcc2().regulated(wnk_spak("inhibits"))
    nkcc1 = jm.nkcc1().regulated(wnk_spak("activates", gain=4.0))
    assert factor(jm.kcc2(), wnk_spak("inhibits"), CHLORIDE, wnk=0.35) == pytest.approx(0.65)
    assert factor(jm.nkcc1(), wnk_spak("activates", 4.0), CHLORIDE, wnk=0.35) == pytest.approx(2.4)
    silent = wnk_spak("activates", gain=1.0, basal=0.0)
    assert factor(jm.nkcc1(), silent, CHLORIDE) == 0.0
    cell = jm.Cell([jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl), jm.na_k_atpase(), kcc2, nkcc1])
    named = [name for name in cell.parameters if "wnk" in name]
    assert sorted(named) == ["kcc2.wnk_gain", "nkcc1.wnk_basal", "nkcc1.wnk_gain", "wnk"]
    assert (cell.parameters["wnk"].nominal, cell.parameters["wnk"].domain) == (0.0, "fraction")


def test_atp_is_the_same_parameter_for_all_its_users():
    nkcc1 = jm.nkcc1().regulated(atp_dependence())
    assert dict(nkcc1.shared) == {name: SOURCES["ATP"].params[name] for name in ("ATP", "ADP")}
    cell = jm.Cell([jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl), jm.na_k_atpase(), nkcc1])
    assert [n for n in cell.parameters if n.endswith("ATP")] == ["ATP", "K_ATP", "nkcc1.K_m_ATP"]


def test_transporters_that_were_regulated_alike_are_equal():
    for regulation in (inhibitor, phosphorylation, wnk_spak, ouabain, atp_dependence):
        args = {inhibitor: ("drug", 1.0), wnk_spak: ("inhibits",)}.get(regulation, ())
        one, other = (jm.kcc2().regulated(regulation(*args)) for _ in range(2))
        assert one == other and hash(one) == hash(other)
        assert one != jm.kcc2()
    assert jm.kcc2().regulated(inhibitor("a", 1.0)) != jm.kcc2().regulated(inhibitor("b", 1.0))


REFUSED = {
    "the name of a drug must be letters": lambda: inhibitor("5-HT", 1.0),
    "K of bumetanide must be a number above zero, not 0": lambda: inhibitor("bumetanide", 0),
    "K of bumetanide must be a number above zero, not '1'": lambda: inhibitor("bumetanide", "1"),
    "hill of bumetanide must be a number above zero, not -1.0": lambda: inhibitor(
        "bumetanide", 1.0, hill=-1.0
    ),
    "hill of bumetanide must be a number above zero, not inf": lambda: inhibitor(
        "bumetanide", 1.0, hill=math.inf
    ),
    "isoform for ouabain must be one of alpha1, alpha2, alpha3, not 'alpha4'": lambda: ouabain(
        "alpha4"
    ),
    "the name of a phosphorylation site must be letters": lambda: phosphorylation("T 906"),
    "f of T906 must be a number between 0 and 1, not 1.5": lambda: phosphorylation(f=1.5),
    "role of wnk_spak must be 'inhibits' or 'activates', not 'blocks'": lambda: wnk_spak("blocks"),
    "must be a number between 0 and 1, not 2.0": lambda: wnk_spak("inhibits", 2.0),
    "basal of wnk_spak belongs to role='activates'": lambda: wnk_spak("inhibits", basal=0.0),
    "kcc2 already has furosemide": lambda: jm.kcc2().regulated(
        inhibitor("furosemide", 1.0), inhibitor("furosemide", 2.0)
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(message):
    with pytest.raises(ValueError, match=message):
        REFUSED[message]()


def test_a_regulation_shares_atp_with_a_pump_that_needs_it():
    regulated = jm.na_k_atpase("luo_rudy", name="other").regulated(jm.atp_dependence())
    leaks = [jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl)]
    cell = jm.Cell([*leaks, jm.na_k_atpase(), regulated])
    supplied = jm.steady_state(cell, {"ATP": [5.0, 0.01]}, outputs=["V", "flux", "status"])
    assert supplied.ok.all()
    assert supplied.V[0] < supplied.V[1]
