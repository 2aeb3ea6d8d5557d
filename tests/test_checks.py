"""Laws with one defect each are caught, by the row that looks for it and by no other."""

import copy
import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxmembrane as jm
from jaxmembrane.reaction import Reaction
from jaxmembrane.transport import Leg
from jaxmembrane.trial import Trial

K_LEAK = "K_i <-> K_o"
KCC = "K_i + Cl_i <-> K_o + Cl_o"
G = {"g": jm.Param(0.1, "pS/um^2")}
P = {"P": jm.Param(0.1, "um/s")}
K2 = {"k": jm.Param(1.0, "amol/um^2/s/mM^2")}
JK = {"j": jm.Param(1.0, "amol/um^2/s"), "K": jm.Param(3.0, "mM")}


def ohm(s, p):
    return -p.g * s.dG / s.F**2


def reversed_ohm(s, p):
    return p.g * s.dG / s.F**2


def one_way(s, p):
    return p.j * s.K_i / (s.K_i + p.K)


def nearly_closed(s, p):
    return p.k * (s.reactants - 1.0002 * s.products)


def closed_where_nominal(s, p):
    return p.k * (s.reactants - p.ratio * s.products)


def volts_for_millivolts(s, p):
    return p.P * (s.K_i - s.K_o * jnp.exp(-1e-3 * s.u))


def typed_faraday(s, p):
    return -p.g * s.dG / (96.485 * s.F)


def typed_half_voltage(s, p):
    return one_way(s, p) * s.drive / (1.0 + jnp.exp((s.V + 30.0) / 10.0))


def with_voltage(s, p):
    return p.k * (s.reactants - s.products) * (1.0 + 0.1 * jnp.tanh(s.u))


def naive_ghk(s, p):
    return p.P * s.u * (s.K_i - s.K_o * jnp.exp(-s.u)) / (1.0 - jnp.exp(-s.u))


def ghk_of_one_branch(s, p):
    factor = jnp.where(s.u == 0.0, 1.0, s.u / (1.0 - jnp.exp(-s.u)))
    return p.P * factor * (s.K_i - s.K_o * jnp.exp(-s.u))


def without_second_derivative(s, p):
    return ohm(s, p) * (1.0 + jnp.abs(s.u) ** 1.5)


def logarithmic_mean(s, p):
    mean = (s.reactants - s.products) / jnp.log(s.reactants / s.products)
    return -p.k * mean * s.dG / s.RT


def steep(s, p):
    return ohm(s, p) / (1.0 + (p.K / s.K_i) ** 30)


def steep_in_float32(s, p):
    return ohm(s, p) / (1.0 + (p.K / s.K_i) ** 4)


def double_constant(s, p):
    return ohm(s, p) * np.float64(2.0)


def branching(s, p):
    return ohm(s, p) if s.u > 0 else 0.0


def with_numpy(s, p):
    return p.P * (s.K_i - s.K_o * np.exp(-s.u))


def misspelt_parameter(s, p):
    return p.gg * s.dG


def misspelt_species(s, p):
    return p.g * s.K_in


def two_numbers(s, p):
    del s, p
    return jnp.ones(2)


def user(rate, params, reaction=K_LEAK, **options):
    return jm.Transporter("mine", reaction, rate, params, **options)


# Law, the rows that must fail, and what the sentence says.
DEFECTS = {
    "wrong sign": (user(reversed_ohm, G), {"second law"}, "reverse its sign"),
    "irreversible, undeclared": (
        user(one_way, JK, KCC), {"second law", "equilibrium"}, "multiply its law by s.drive",
    ),
    "equilibrium 5e-4 kJ/mol away": (
        user(nearly_closed, K2, KCC), {"second law", "equilibrium"}, "0.002 of that at 0.1 RT",
    ),
    "equilibrium that a parameter can move": (
        user(closed_where_nominal, K2 | {"ratio": jm.Param(1.0, "1")}, KCC),
        {"second law", "equilibrium"},
        "mine.ratio = ",
    ),
    "V in volts": (user(volts_for_millivolts, P), {"second law", "equilibrium"}, "turns against"),
    "wrong unit": (user(ohm, {"g": jm.Param(0.1, "pS")}), {"units"}, "with um in"),
    "number that hides F": (user(typed_faraday, G), {"units"}, "with amol and fC in"),
    "number that hides mV": (user(typed_half_voltage, JK), {"units"}, "with mV in"),
    "electroneutral, with V": (user(with_voltage, K2, KCC), {"voltage"}, "leave V out of its law"),
    "no value at V = 0": (user(naive_ghk, P), {"finite", "float32"}, "J = nan (V = 0 mV"),
    "no derivative at V = 0": (
        user(ghk_of_one_branch, P), {"finite", "float32"}, "dJ/dV in reverse mode = nan (V = 0 mV",
    ),
    "no second derivative at V = 0": (
        user(without_second_derivative, G), {"finite"}, "d2J/dV dV = ",
    ),
    "no value at equal sides": (
        user(logarithmic_mean, K2, KCC), {"finite"}, "K_i = 10 mM, K_o = 10 mM",
    ),
    "no derivative where a species is nearly gone": (
        user(steep, G | {"K": jm.Param(1.0, "mM")}), {"finite"}, "K_i = 1e-12 mM",
    ),
    "overflow in float32": (
        user(steep_in_float32, G | {"K": jm.Param(1e-2, "mM")}), {"float32"}, "in float32 dJ/dK_i",
    ),
    "float64 inside": (user(double_constant, G), {"float32"}, "plain Python numbers"),
    "if on a value": (user(branching, G), {"evaluation"}, "without numpy, math, or an if"),
    "numpy": (user(with_numpy, P), {"evaluation"}, "with jax.numpy"),
    "misspelt parameter": (user(misspelt_parameter, G), {"evaluation"}, "'gg'; did you mean g?"),
    "misspelt species": (user(misspelt_species, G), {"evaluation"}, "'K_in'; did you mean"),
    "wrong shape": (user(two_numbers, G), {"evaluation"}, "for arrays"),
}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_caught_by_its_own_row(defect):
    transporter, rows, sentence = DEFECTS[defect]
    with pytest.raises(jm.CheckError) as caught:
        jm.check(transporter)
    failed = [row for row in caught.value.report.rows if row.verdict == "failed"]
    assert {row.check for row in failed} == rows
    assert sentence in str(caught.value)
    assert str(caught.value).splitlines() == [row.detail for row in failed]
    assert not caught.value.report.ok
    assert "mine breaks the contract" in str(caught.value.report)


@pytest.mark.parametrize("defect", ["wrong sign", "irreversible, undeclared"])
def test_the_state_that_is_named_is_one_in_which_the_law_fails(defect):
    transporter = DEFECTS[defect][0]
    with pytest.raises(jm.CheckError) as caught:
        jm.check(transporter)
    first = str(caught.value).splitlines()[0]
    J, dG = (float(re.search(rf"{what} = (\S+)", first)[1]) for what in ("J", "dG"))
    trial = Trial(transporter, transporter.legs[0])
    given = dict(re.findall(r"(\w+) = (\S+) m[VM]", first))
    state = trial.nominal(1) | {name: np.array([float(x)]) for name, x in given.items()}
    assert J * dG > 0
    np.testing.assert_allclose(trial.turnover(state), J, rtol=5e-3)
    np.testing.assert_allclose(1e-3 * trial.site(state).dG, dG, rtol=5e-3)


def made_of(reaction):
    """A transporter around a reaction that `Reaction.parse` would have refused."""
    transporter = copy.copy(user(ohm, G))
    object.__setattr__(transporter, "legs", (Leg("mine", reaction, ohm),))
    return transporter


def test_matter_out_of_nothing_is_caught():
    reaction = Reaction("K_i <-> 2 K_o", ((jm.K, "i", 1),), ((jm.K, "o", 2),))
    with pytest.raises(jm.CheckError, match="mine makes or destroys K"):
        jm.check(made_of(reaction))


def test_a_law_that_is_irreversible_as_declared_passes():
    report = jm.check(user(one_way, JK, KCC, irreversible=True))
    assert report.ok
    assert "irreversible as declared" in str(report)


def test_needless_irreversible_gets_a_note():
    report = jm.check(user(ohm, G, irreversible=True))
    assert [row.check for row in report.rows if row.verdict == "note"] == ["second law"]
    assert report.ok


@dataclasses.dataclass(frozen=True)
class Activated:
    """A law as a value, that looks at a species which its reaction does not carry."""

    law: object
    power: int

    def __call__(self, s, p):
        return self.law(s, p) * s.Ca_i**self.power / (s.Ca_i**self.power + p.K**self.power)


def test_laws_may_be_values_and_look_at_other_species():
    law = Activated(ohm, 2)
    activated = user(law, G | {"K": jm.Param(1e-3, "mM")})
    assert jm.check(activated).ok
    assert set(Trial(activated, activated.legs[0]).c) == {"K_i", "K_o", "Ca_i"}


def test_every_leg_is_checked():
    legs = {"K": (K_LEAK, ohm), "Na": ("Na_i <-> Na_o", reversed_ohm)}
    with pytest.raises(jm.CheckError, match=r"^mine:Na turns against") as caught:
        jm.check(jm.Transporter("mine", legs, params=G))
    checked = {row.detail.split()[0].rstrip(":") for row in caught.value.report.rows}
    assert checked == {"mine:K", "mine:Na"}


def test_parameters_are_tried_within_their_domain():
    params = G | {
        "share": jm.Param(0.5, "1", domain="fraction"),
        "offset": jm.Param(0.0, "mV", domain="real"),
        "none": jm.Param(0.0, "mM"),
    }
    transporter = user(ohm, params)
    tried = Trial(transporter, transporter.legs[0]).random()
    assert 0 <= tried["mine.share"].min() < 0.01 and 0.99 < tried["mine.share"].max() <= 1
    assert tried["mine.offset"].min() < 0 < tried["mine.offset"].max()
    assert tried["mine.none"].min() == 0 and tried["mine.none"].max() > 1
    assert tried["mine.g"].min() > 0
    # Half of the states keep what is nominal.
    for name, p in params.items():
        assert (tried[f"mine.{name}"] == p.nominal).sum() == tried["V"].size / 2


def test_states_near_equilibrium_are_where_they_should_be():
    pump = jm.na_k_atpase()
    trial = Trial(pump, pump.legs[0])
    force = trial.force(trial.near_equilibrium(trial.random())).reshape(8, -1)
    aims = [0.0, 0.1, -0.1, 1.0, 1e-4, -1e-4, 1e-8, -1e-8]
    np.testing.assert_allclose(force - np.array(aims)[:, None], 0.0, atol=2e-13)


def test_the_configuration_of_the_user_is_left_alone_and_does_not_matter():
    with jax.enable_x64(False), jax.numpy_dtype_promotion("standard"):
        assert jm.check(user(ohm, G)) == jm.check(user(ohm, G))
        assert jnp.ones(1).dtype == jnp.float32
        with pytest.raises(jm.CheckError, match="it returns float64 for float32"):
            jm.check(user(double_constant, G))


def test_only_transporters_can_be_checked():
    with pytest.raises(TypeError, match=r"check needs a jm.Transporter, not 'K_i <-> K_o'"):
        jm.check(K_LEAK)
