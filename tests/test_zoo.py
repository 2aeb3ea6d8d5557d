"""Every published cell rests where its source says."""

import numpy as np
import pytest
import test_zoo_families
from numpy.testing import assert_allclose

import jaxmembrane as jm
from jaxmembrane import analytic, constants

# Rest of each cell: V (mV), concentrations (mM), volume (um^3) where the source gives one, and the
# relative tolerance that its printed digits, or its neglect of the membrane's charge, allow.
RESTS = {
    # Duesterwald et al. 2018, constants of the authors' program; charge closure.
    "neuron": (-72.58811, {"Na": 14.00165, "K": 122.8733, "Cl": 5.16483}, 1963.517, 1e-6),
    # The same with KCC2 at a tenth and NKCC1 such that E_Cl = -40 mV; neutral closure.
    "neuron_immature": (-65.381, {"Na": 14.265, "K": 124.355, "Cl": 26.640}, 2309.6, 3e-5),
    # Dijkstra et al. 2016, deposited constants, which are 9e-3 pA off their own rest of -65.5 mV.
    "neuron_dijkstra": (-65.503, {"Na": 10.0, "K": 145.0, "Cl": 7.0}, 2000.0, 2e-4),
    # Vereninov, Yurinskaya et al. 2016, defaults of the authors' program; neutral closure.
    "lymphocyte": (-45.042, {"Na": 38.0, "K": 147.0, "Cl": 45.0}, 1000.0, 2e-4),
    # Keener & Sneyd, program of Fig. 2.17, at P = 1.769236: the closed form.
    "squid_axon": (-68.86, {"Na": 31.2, "K": 425.8, "Cl": 31.7}, None, 2e-3),
    # Conway 1957, and the textbook neuron: the rest that their conductances were calibrated to.
    "frog_muscle": (-99.6, {"Na": 10.4, "K": 124.0, "Cl": 1.5}, None, 5e-4),
    "textbook_neuron": (-70.0, {"Na": 12.0, "K": 140.0, "Cl": 9.535}, None, 2e-4),
}


def test_that_every_cell_of_the_zoo_is_pinned():
    others = set(test_zoo_families.CELLS)
    assert set(RESTS) | others == set(jm.zoo.CELLS) and not set(RESTS) & others


@pytest.mark.parametrize("name", sorted(RESTS))
def test_a_published_cell_rests_where_its_source_says(name):
    V, c, volume, rtol = RESTS[name]
    cell = jm.zoo.get(name)
    rest = jm.steady_state(cell, outputs=["V", "c", "volume", "osmolarity"])
    assert int(rest.status) == 0, name
    assert_allclose(rest.V, V, rtol=rtol)
    for species, value in c.items():
        # The passive Cl of frog muscle is printed with two digits.
        digits = 2e-2 if (name, species) == ("frog_muscle", "Cl") else rtol
        assert_allclose(rest.c[species], value, rtol=digits)
    if volume is not None:
        assert_allclose(rest.volume, volume, rtol=rtol)
    bath = sum(cell.nominal()[f"bath.{s}"] for s in ("Na", "K", "Cl", "X"))
    assert_allclose(rest.osmolarity, bath, rtol=1e-12)
    assert cell.source


@pytest.mark.slow
def test_what_the_neuron_does_when_kcc2_or_its_impermeant_charge_changes():
    # Duesterwald et al. 2018: KCC2 times 18.4 (the end of their ramp of Fig. 3A, at rest), 4, 0.1
    # and off; z = -1 and -0.6; the impermeant doubled (Fig. 4) leaves all but the volume.
    neuron = jm.zoo.neuron()
    g, z, X = (neuron.parameters[name].nominal for name in ("kcc2.g", "cytosol.z_X", "cytosol.X"))
    rest = jm.steady_state(
        neuron,
        {
            "kcc2.g": g * np.array([1.0, 18.4, 4.0, 0.1, 0.0, 1.0, 1.0, 1.0]),
            "cytosol.z_X": np.array([z, z, z, z, z, -1.0, -0.6, z]),
            "cytosol.X": X * np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0]),
        },
        outputs=["V", "c", "E", "volume", "osmolarity", "time_constant"],
    )
    assert rest.ok.all()
    Cl = [5.16483, 3.5321, 3.975, 7.836, 8.693, 4.750, 6.311]
    assert_allclose(rest.c["Cl"][:7], Cl, rtol=1.3e-4)
    V = [-72.58811, -74.5402, -74.665, -67.620]
    assert_allclose(rest.V[np.array([0, 1, 5, 6])], V, rtol=1e-5)
    assert_allclose(rest.E["Cl"][:2], [-83.843, -93.998], rtol=1e-5)
    assert_allclose(rest.volume[:2], [1963.517, 1941.40], rtol=3e-6)
    assert_allclose(rest.V[7], rest.V[0], rtol=1e-5)
    assert_allclose(rest.volume[7], 2.0 * rest.volume[0], rtol=1e-5)
    # Charge, water, and two of salt: 18 ms, 3.1, 42 and 133 s.
    assert_allclose(rest.time_constant.values[0], [0.018, 3.1, 42.0, 133.0], rtol=3e-2)


def test_the_pumps_that_the_squid_axon_and_the_neuron_allow():
    # Keener & Sneyd, Fig. 2.17: P = I_p F / (R T g_Na) up to 14.222505, least volume at 1.769236.
    axon = jm.zoo.squid_axon().nominal()
    found = analytic.pump_range(
        g_Na=axon["leak_Na.g"],
        g_K=axon["leak_K.g"],
        g_Cl=axon["leak_Cl.g"],
        Na_o=axon["bath.Na"],
        K_o=axon["bath.K"],
        Cl_o=axon["bath.Cl"],
        T=axon["T"],
    )
    unit = 25.8 * axon["leak_Na.g"]
    assert_allclose(found.upper / unit, 14.222505, rtol=1e-7)
    assert_allclose(found.least_volume / unit, 1.769236, rtol=1e-6)
    assert_allclose(axon["nka.j"] * constants.F / unit, 1.769236, rtol=1e-12)
    # Duesterwald et al. 2018: 0.08486 and 0.009604 A/m2.
    neuron = analytic.pump_range(
        g_Na=0.2,
        g_K=0.7,
        g_Cl=0.2,
        g_KCC2=0.2,
        Na_o=145.0,
        K_o=3.5,
        Cl_o=119.0,
        X_o=29.5,
        T=310.1307468,
    )
    assert_allclose([neuron.upper, neuron.least_volume], [84.86, 9.604], rtol=6e-5)


def test_an_unknown_cell_is_refused_with_the_nearest_name():
    with pytest.raises(KeyError, match="'squid_axn'; did you mean squid_axon"):
        jm.zoo.get("squid_axn")
