"""Closed forms of water, walls and coupling: in print, and against what the laws do."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import analytic, constants

T = 310.15
BATH = {"Na_o": 145.0, "K_o": 3.5, "Cl_o": 119.0, "X_o": 29.5}

# P_f (m/s), area (m2), osmolarities (mM), pressure (Pa), and dV/dt (m3/s) in print.
WATER = [
    (1.5e-4, 7.854e-10, 300.0, 297.0, 0.0, 6.36174e-18),
    (1.5e-4, 7.854e-10, 337.0, 297.0, 0.0, 8.48232e-17),
]


@pytest.mark.parametrize(("P_f", "area", "inside", "outside", "pressure", "printed"), WATER)
def test_water_flows_as_in_print(P_f, area, inside, outside, pressure, printed):
    L_w = analytic.water_permeability(
        jm.convert(P_f, "m/s", "um/s"), jm.convert(1.8e-5, "m^3/mol", "um^3/amol")
    )
    area = jm.convert(area, "m^2", "um^2")
    flow = analytic.water_flow(L_w, area, inside, outside, pressure, T)
    assert_allclose(jm.convert(float(flow), "um^3/s", "m^3/s"), printed, rtol=1e-12)


def test_the_water_permeability_of_the_published_neuron_is_its_osmotic_permeability():
    L_w = jm.zoo.neuron().parameters["membrane.L_w"].nominal
    assert_allclose(analytic.water_permeability(150.0), L_w, rtol=1e-12)


def test_water_stands_still_where_pressure_balances_osmolarity():
    excess = np.array([-20.0, 0.0, 40.0])
    pressure = analytic.osmotic_pressure(excess, T)
    flow = analytic.water_flow(2.7e-3, 785.4, 297.0 + excess, 297.0, pressure, T)
    assert_allclose(flow, 0.0, atol=1e-12)
    # A pressure drives L_p times itself.
    driven = analytic.water_flow(2.7e-3, 1.0, 297.0, 297.0, -1e5, T)
    assert_allclose(driven, 1e5 * analytic.hydraulic_conductivity(2.7e-3, T), rtol=1e-14)


@pytest.mark.parametrize(("kelvin", "atm"), [(310.15, 1.0180), (293.15, 0.962), (304.7, 1.0)])
def test_forty_milliosmolar_press_as_in_print(kelvin, atm):
    assert_allclose(analytic.osmotic_pressure(40.0, kelvin) / 101325.0, atm, atol=5e-4)


def test_a_wall_presses_only_when_it_is_stretched():
    volume = jnp.array([500.0, 1000.0, 1000.0 * math.e])
    assert_allclose(analytic.turgor(volume, 1000.0, 2e6), [0.0, 0.0, 2e6], rtol=1e-12)
    slope = jax.vmap(jax.grad(analytic.turgor), (0, None, None))(volume, 1000.0, 2e6)
    assert slope[0] == 0.0 and np.isfinite(slope[1])
    assert_allclose(slope[2] * volume[2], 2e6, rtol=1e-12)


def test_a_rigid_bag_in_potassium_chloride_is_as_in_print():
    bag = analytic.donnan(150.0, 100.0, -1.0, T)
    printed = [-8.7516, 208.114, 108.114, 116.228]
    assert_allclose(bag, printed, atol=5.1e-4)
    assert_allclose(analytic.osmotic_pressure(bag.excess, T), 2.997e5, rtol=2e-4)


def test_a_cell_without_its_pump_ends_as_in_print():
    """Only since the bath holds impermeant as well; without it there is no end."""
    leaks = {"g_Na": 0.2, "g_K": 0.7, "g_Cl": 0.2, "g_KCC2": 0.2, "X": 304267.1755, "z_X": -0.85}
    rest = analytic.pump_leak(9.0044, **BATH, **leaks, T=T)
    end = analytic.pump_leak(0.0, **BATH, **leaks, T=T)
    assert_allclose(end.V, 0.407, atol=5e-4)
    assert_allclose([end.Na / 145.0, end.K / 3.5], 0.98489, atol=5e-6)
    assert_allclose(end.volume / rest.volume, 5.180, atol=5e-3)
    salt = BATH | {"Cl_o": 148.5, "X_o": 0.0}
    assert not analytic.pump_leak(0.0, **salt, **leaks, T=T).exists


def test_coupling_accumulates_as_far_as_in_print():
    found = [analytic.accumulation_limit(n, 145.0, 12.0, -50.0, T=T) for n in (1, 2)]
    assert_allclose(found[0], 78.5, atol=0.05)
    assert_allclose(found[1], 6156.0, atol=0.5)
    assert_allclose(analytic.voltage_ratio(+1, -160.0, 310.0), 399.0, atol=0.5)


@pytest.mark.parametrize("n", [1, 2])
def test_at_its_limit_a_carrier_has_no_free_energy_left(n):
    sglt = jm.Transporter("sglt", f"{n} Na_o + Glucose_o <-> {n} Na_i + Glucose_i", nothing)
    at = {"V": -50.0, "Na_i": 12.0, "Na_o": 145.0, "Glucose_o": 5.0}
    limit = analytic.accumulation_limit(n, 145.0, 12.0, -50.0)
    assert abs(float(sglt.at(**at, Glucose_i=5.0 * limit).dG)) < 1e-9
    assert sglt.at(**at, Glucose_i=4.0 * limit).dG < 0


def nothing(s, p):
    del p
    return 0.0 * s.u


@pytest.mark.parametrize("species", [jm.K, jm.Cl, jm.Ca, jm.Glucose], ids=lambda s: s.name)
def test_the_two_ways_of_a_passive_flux_have_the_ratio_of_ussing(species):
    """Each way is what a tracer shows that only one side holds; their difference is the flux."""
    V = np.array([-90.0, -1e-3, 0.0, 30.0])
    leak, inside, outside = jm.leak(species), f"{species.name}_i", f"{species.name}_o"
    influx = -leak.at(V=V, **{inside: 0.0, outside: 4.0}).flux
    efflux = leak.at(V=V, **{inside: 140.0, outside: 0.0}).flux
    ratio = analytic.flux_ratio(species.z, 4.0, 140.0, V)
    assert_allclose(influx / efflux, ratio, rtol=1e-12)
    both = leak.at(V=V, **{inside: 140.0, outside: 4.0})
    assert_allclose(efflux - influx, both.flux, rtol=1e-12)
    assert_allclose(ratio, np.exp(both.dG / (constants.R * T)), rtol=1e-12)


def test_at_its_nernst_potential_an_ion_goes_both_ways_alike():
    for z, c_o, c_i in ((1, 4.0, 140.0), (-1, 120.0, 5.0), (2, 1.2, 1e-4)):
        E = analytic.nernst(z, c_o, c_i)
        assert_allclose(analytic.flux_ratio(z, c_o, c_i, E), 1.0, rtol=1e-12)


@pytest.mark.parametrize("law", ["ghk", "ohmic"])
def test_glucose_stands_still_at_equal_concentrations_and_only_there_whatever_the_potential(law):
    leak, V = jm.leak(jm.Glucose, law), np.array([-200.0, -70.0, 0.0, 1e-9, 200.0])
    assert not np.any(leak.at(V=V, Glucose_i=5.0, Glucose_o=5.0).flux)
    assert np.all(leak.at(V=V, Glucose_i=5.0 + 1e-9, Glucose_o=5.0).flux > 0)
    assert np.all(leak.at(V=V, Glucose_i=5.0 - 1e-9, Glucose_o=5.0).flux < 0)
    assert np.isnan(leak.at(V=-70.0, Glucose_i=9.0, Glucose_o=5.0).reversal)

    def flux(V, c_i, c_o):
        return leak.at(V=V, Glucose_i=c_i, Glucose_o=c_o).flux

    for potential in V:
        slope = jax.grad(flux, (0, 1, 2))(potential, 5.0, 5.0)
        assert slope[0] == 0.0 and slope[1] == -slope[2] > 0


# Pump current (A), leak (S), force that stalls the pump (V), and proton-motive force (V) in print.
VESICLES = [(2e-11, 1e-10, math.inf, 0.2), (2e-11, 1e-10, 0.25, 0.111111111)]


@pytest.mark.parametrize(("current", "leak", "stall", "printed"), VESICLES)
def test_a_proton_pump_against_a_leak_is_as_in_print(current, leak, stall, printed):
    current, leak = (jm.convert(current, "A", "fA"), jm.convert(leak, "S", "pS"))
    dp = analytic.proton_motive_force(current, leak, 1e3 * stall)
    assert_allclose(1e-3 * dp, printed, rtol=2e-9)
    assert_allclose(current * (1.0 - dp / (1e3 * stall)), leak * dp, rtol=1e-14)


FORMS = {
    "water_permeability": (150.0, 1.8e-5),
    "hydraulic_conductivity": (2.7e-3, T),
    "water_flow": (2.7e-3, 785.4, 300.0, 297.0, 1e3, T),
    "turgor": (1050.0, 1000.0, 1e7),
    "voltage_ratio": (1.0, -160.0, T),
    "accumulation_limit": (2.0, 145.0, 12.0, -50.0, 1.0, T),
    "flux_ratio": (1.0, 4.0, 140.0, -70.0, T),
    "proton_motive_force": (2e4, 100.0, 250.0),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_closed_form_takes_arrays_and_has_a_slope_in_every_argument(name):
    form, arguments = getattr(analytic, name), FORMS[name]
    one = float(form(*arguments))
    several = form(*(np.full(3, x) for x in arguments))
    assert_allclose(several, np.full(3, one), rtol=1e-14)
    places = tuple(range(len(arguments)))
    for i, slope in enumerate(jax.grad(form, places)(*arguments)):
        step = 1e-5 * abs(arguments[i])
        ends = (form(*(x + s * (j == i) for j, x in enumerate(arguments))) for s in (-step, step))
        assert_allclose(slope, float(-next(ends) + next(ends)) / (2 * step), rtol=1e-6)
