"""Cells that several test files share, and what their rests have to keep."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm
from jaxmembrane import constants
from jaxmembrane.membrane import water_crosses

R, F, T = constants.R, constants.F, 310.15
SHOWN = ("V", "c", "volume", "flux", "z_X", "area", "osmolarity", "current", "rate_slowest")
NEWTON = 24  # iterations within which the first tier ends


def mass_action(s, p):
    return p.k * (s.reactants - s.products)


def saturating(s, p):
    return p.k * s.drive


def electroneutral(name, reaction, k=5.0):
    return jm.Transporter(name, reaction, mass_action, {"k": jm.Param(k, "amol/um^2/s/mM^2")})


def driven(name, reaction, k):
    return jm.Transporter(name, reaction, saturating, {"k": jm.Param(k, "amol/um^2/s")})


def inside(*parts, **compartment):
    return jm.Cell(parts, compartment=jm.Compartment(**compartment))


def leaks(*species, of=""):
    return [jm.leak(s, name=f"leak{of}_{s.name}") for s in species]


def salt(of=""):
    """Leaks of the three large ions and the pump."""
    return [*leaks(jm.Na, jm.K, jm.Cl, of=of), jm.na_k_atpase(name=f"nka{of}")]


def potassium(of=""):
    """Leaks of potassium and chloride, and a pump: what compiles soonest."""
    pump = driven(f"pump{of}", "K_i + ATP <-> K_o + ADP + Pi", 0.02)
    return [*leaks(jm.K, jm.Cl, of=of), pump]


HCL = electroneutral("jacobs", "H_o + Cl_o <-> H_i + Cl_i")
CALCIUM = driven("calcium", "2 K_o + Ca_i <-> 2 K_i + Ca_o", 0.005)
CYTOSOL = jm.Compartment("cytosol", free=["H"], impermeant="protein")
# Free protons that a protein binds, clamped calcium, and a wall.
PROTEIN = jm.Cell(
    [
        jm.Membrane(
            "membrane", [*potassium(), HCL, CALCIUM], inside=CYTOSOL, area="sphere", wall=True
        )
    ]
)

KHE = "K_o + H_i <-> K_i + H_o"
# Bicarbonate and protons that neutral reactions hold.
BUFFERED = jm.Cell(
    [*potassium(), jm.leak(jm.HCO3, P=0.02), jm.leak(jm.H, P=100.0), electroneutral("khe", KHE)],
    area="cylinder",
    compartment=jm.Compartment(buffered=["H", jm.HCO3]),
)


def of(value, *labels):
    """A part of an output; a cell of one compartment or membrane does not show that dim."""
    shown = len(value.dims) if hasattr(value, "dims") else 0
    return np.asarray(value[labels[len(labels) - shown :]] if shown else value)


def net_fluxes(cell, rest):
    """What enters each compartment by (compartment, species), amol/s, and the sum of its parts."""
    net, size = {}, {}
    for m in cell.membranes:
        for leg in (leg for t in m.transporters for leg in t.legs):
            turnover = of(rest.area, m.name) * of(rest.flux, leg.name)
            for s in leg.reaction.species:
                for a, side in ((m.inside.name, "i"), (m.outside.name, "o")):
                    part = leg.reaction.change(s, side) * turnover
                    net[a, s.name] = net.get((a, s.name), 0.0) + part
                    size[a, s.name] = size.get((a, s.name), 0.0) + abs(part)
    return net, size


def assert_at_rest(cell, params, rest):
    """Balances of species, charge and water, recomputed from outputs and parameters alone."""
    given = cell.nominal(params)
    net, size = net_fluxes(cell, rest)
    # Ions at equilibrium have no fluxes to compare with, so those of all are what counts.
    little = 1e-10 * sum(size.values())
    osm = {
        bath.name: sum(given[f"{bath.name}.{s.name}"] for s in cell.contents[bath.name])
        + given[f"{bath.name}.X"]
        for bath in cell.baths
    }
    for a in cell.compartments:
        w, X, z_X = of(rest.volume, a.name), given[f"{a.name}.X"], of(rest.z_X, a.name)
        c = {s: of(rest.c, a.name, s.name) for s in cell.contents[a.name]}
        moved = {s: net.get((a.name, s.name), 0.0) for s in c}
        for s in (s for s in c if a.kind(s.name) == "free"):
            assert np.all(abs(moved[s]) <= little), (a.name, s)
        assert np.all(abs(sum(s.z * moved[s] for s in c if a.kind(s.name) != "clamped")) <= little)
        stored = sum(
            ((m.inside == a) - (m.outside == a))
            * (given[f"{m.name}.C_m"] * of(rest.area, m.name) * of(rest.V, m.name))
            for m in cell.membranes
        )
        charge = F * (z_X * X + w * sum(s.z * c[s] for s in c))
        largest = F * (abs(z_X) * X + w * sum(abs(s.z) * c[s] for s in c))
        assert_allclose((charge - stored) / largest, 0.0, atol=2e-13)
        x = X / w
        b_2, b_3 = (given.get(f"{a.name}.b_{n}", 0.0) for n in (2, 3))
        osm[a.name] = x * (1.0 + b_2 * x + b_3 * x**2) + sum(c.values())
        assert_allclose(of(rest.osmolarity, a.name), osm[a.name], rtol=1e-12)
    for m in (m for m in cell.membranes if water_crosses(m)):
        pressure = of(rest.turgor, m.name) if m.wall else 0.0
        expected = osm[m.outside.name] + pressure / (R * given["T"])
        assert_allclose(osm[m.inside.name], expected, rtol=1e-10)


@partial(jax.jit, static_argnums=(0, 1))
def derive(cell, shown, params, start):
    """Gradients of the sum of all V and ln volume by lane, and rests, in one compilation."""

    def outcome(params):
        rest = jm.steady_state(cell, params, outputs=shown, start=start)
        return jnp.sum(total(rest, jnp)), rest

    return jax.grad(outcome, has_aux=True)(params)


def total(rest, numpy=np):
    """What gradients are taken of: the sum of all V and ln volume of each lane."""
    V, w = (getattr(x, "values", x) for x in (rest.V, rest.volume))
    lanes = (*rest.status.shape, -1)
    return V.reshape(lanes).sum(-1) + numpy.log(w).reshape(lanes).sum(-1)


def assert_gradient(params, rest, slope, names):
    """Gradients at the first lane against differences between the pairs of lanes after it."""
    y = np.asarray(total(rest))
    for i, name in enumerate(names):
        up, down = 1 + 2 * i, 2 + 2 * i
        difference = (y[up] - y[down]) / (params[name][up] - params[name][down])
        least = 1e-9 / abs(params[name][0])
        assert_allclose(slope[name][0], difference, rtol=3e-6, atol=least, err_msg=name)


def lanes_around(base, names, n, step=1e-4):
    """Parameters in n lanes: first the base, then a step up and a step down in each of `names`."""
    params = {name: np.full(n, float(x)) for name, x in base.items()}
    for i, name in enumerate(names):
        params[name][1 + 2 * i] *= 1.0 + step
        params[name][2 + 2 * i] *= 1.0 - step
    return params


# Starts from which some need the later tiers.
BAD = (
    {"V": 500.0},
    {"V": -900.0, "volume": 1e7},
    {"K": 1e-6, "Cl": 400.0},
    {"volume": 1.0, "K": 1e3},
    {"K": 300.0, "Cl": 1e-3, "V": 50.0},
    {"volume": 1e-3},
)


def bad_starts(n):
    """Starts of n lanes: the last begin badly, all others as the package chooses."""
    start = {name: np.full(n, np.nan) for name in ("V", "volume", "K", "Cl")}
    for row, values in enumerate(BAD, n - len(BAD)):
        for name, x in values.items():
            start[name][row] = x
    return start


def assert_found_from_anywhere(rest):
    """The lanes that begin badly end where the first does, some of them by the later tiers."""
    bad = slice(-len(BAD), None)
    assert_array_equal(rest.status[bad], 0)
    assert_allclose(of(rest.V)[bad], of(rest.V)[0], rtol=1e-9)
    assert_allclose(of(rest.volume)[bad], of(rest.volume)[0], rtol=1e-9)
    assert (np.asarray(rest.steps)[bad] > NEWTON).sum() >= 2


def assert_same_in_single_precision(cell, params, rest):
    """Rests in single precision, of all lanes but those that begin badly."""
    n = len(rest.status) - len(BAD)
    params = {name: x[:n] for name, x in params.items()}
    single = jm.steady_state(cell, params, outputs=("V", "c", "volume"), precision="float32")
    assert_array_equal(single.status, 0)
    assert_allclose(single.V, rest.V[:n], atol=0.01)
    assert_allclose(single.volume, rest.volume[:n], rtol=1e-4)
    assert_allclose(single.c.values, rest.c.values[:n], rtol=1e-4)
