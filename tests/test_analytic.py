"""Potentials and Donnan equilibrium in closed form: in print, and against what they solve."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmembrane import analytic, constants
from jaxmembrane.kinetics.thermodynamic import bernoulli

T_NEURON = 310.1307468
V_NEURON = 26.725
ROWS = 400


def test_nernst_and_thermal_voltage_are_those_in_print():
    assert_allclose(analytic.thermal_voltage(T_NEURON), V_NEURON, rtol=1e-9)
    assert_allclose(analytic.nernst(+1, 4.0, 140.0), -95.0, atol=0.05)
    chloride = analytic.nernst(-1, 130.0, np.array([5.0, 15.0]), 310.0)
    assert_allclose(chloride, [-87.0, -57.7], atol=0.05)
    assert_allclose(analytic.nernst(+2, 1.2, 1e-4), analytic.nernst(1, 1.2, 1e-4) / 2, rtol=1e-15)


def test_forty_milliosmolar_are_one_atmosphere():
    assert_allclose(analytic.osmotic_pressure(40.0, 310.0) / 101325, 1.02, atol=0.005)


def ghk_current(z, P, c_i, c_o, u):
    forward, backward = bernoulli(z * u)
    return z * constants.F * P * (c_i * backward - c_o * forward)


def test_the_ghk_potential_stops_the_net_leak_current():
    P = {"K": 1.0, "Na": 0.04, "Cl": 0.45}
    inside, outside = {"K": 400, "Na": 50, "Cl": 52}, {"K": 20, "Na": 440, "Cl": 560}
    V = analytic.ghk_potential(P, inside, outside, 280.0)
    u = V / analytic.thermal_voltage(280.0)
    currents = [
        ghk_current(z, P[s], inside[s], outside[s], u)
        for s, z in {"K": 1, "Na": 1, "Cl": -1}.items()
    ]
    assert abs(sum(currents)) < 1e-13 * max(map(abs, currents))
    assert_allclose(analytic.ghk_potential({"K": 2}, inside, outside), analytic.nernst(1, 20, 400))


@pytest.mark.parametrize("r", [1.0, 1.5, 3.0])
def test_the_mullins_noda_potential_balances_sodium_and_potassium_by_the_pump_ratio(r):
    rng = np.random.default_rng(1)
    P_K, P_Na = 10.0 ** rng.uniform(-2, 0, (2, ROWS))
    K_i, Na_i, K_o, Na_o = 10.0 ** rng.uniform(0, 2.5, (4, ROWS))
    u = analytic.mullins_noda(P_K, P_Na, K_i, Na_i, K_o, Na_o, r) / analytic.thermal_voltage()
    sodium, potassium = ghk_current(1, P_Na, Na_i, Na_o, u), ghk_current(1, P_K, K_i, K_o, u)
    assert_allclose(sodium + r * potassium, 0.0, atol=1e-12 * np.abs(sodium).max())
    if r == 1.0:
        P, inside, outside = {"K": P_K, "Na": P_Na}, {"K": K_i, "Na": Na_i}, {"K": K_o, "Na": Na_o}
        V = analytic.mullins_noda(P_K, P_Na, K_i, Na_i, K_o, Na_o, 1.0)
        assert_allclose(V, analytic.ghk_potential(P, inside, outside), rtol=1e-13, atol=1e-12)


def test_only_monovalent_ions_have_a_ghk_potential():
    with pytest.raises(ValueError, match="monovalent ions; Ca has valence 2"):
        analytic.ghk_potential({"Ca": 1}, {"Ca": 1}, {"Ca": 1})
    with pytest.raises(KeyError, match="unknown ion 'k'; did you mean"):
        analytic.ghk_potential({"k": 1}, {"k": 1}, {"k": 1})


def test_donnan_equilibrium_is_neutral_and_passive():
    rng = np.random.default_rng(2)
    c, x = 10.0 ** rng.uniform(-2, 3, (2, ROWS))
    z = rng.uniform(-20, 20, ROWS)
    bag = analytic.donnan(c, x, z, 290.0)
    assert_allclose(bag.cation - bag.anion, -z * x, rtol=1e-12, atol=1e-12 * c.max())
    assert_allclose(bag.cation * bag.anion, c * c, rtol=1e-13)
    assert_allclose(analytic.nernst(+1, c, bag.cation, 290.0), bag.V, atol=1e-11)
    assert_allclose(bag.excess, bag.cation + bag.anion + x - 2 * c, rtol=1e-11, atol=1e-10)
    # The plain difference 2c (cosh u - 1) has hardly a digit left here.
    charged = analytic.donnan(150.0, 1e-10, -1e6)
    assert_allclose(charged.excess - 1e-10, 1e-8 / (4 * 150.0), rtol=1e-9)
