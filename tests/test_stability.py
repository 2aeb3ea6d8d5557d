"""Which rests are stable: signs of eigenvalues, and cells with several rests."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import jaxmembrane as jm
from jaxmembrane import analytic, constants
from jaxmembrane.kinetics.thermodynamic import ohmic
from jaxmembrane.linalg import principal_minor_sums, routh_column
from jaxmembrane.stability import stable

STABLE, UNSTABLE, NO_REST = 0, 1, 2
SHOWN = ("V", "c", "volume", "eigenvalue_real", "rate_slowest")
ROWS = 16


def scalars(matrices):
    """A stack of matrices as rows of scalars with lanes."""
    n = matrices.shape[-1]
    return [[matrices[..., i, j] for j in range(n)] for i in range(n)]


@pytest.mark.parametrize("n", range(1, 9))
def test_sums_of_principal_minors_are_coefficients_of_the_characteristic_polynomial(n):
    matrices = np.random.default_rng(n).normal(size=(20, n, n))
    sums = np.array(principal_minor_sums(scalars(matrices)))
    expected = np.array([np.poly(m)[1:] * (-1.0) ** np.arange(1, n + 1) for m in matrices]).T
    assert_allclose(sums, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("n", range(1, 9))
def test_the_routh_column_is_positive_exactly_where_all_roots_have_negative_real_parts(n):
    rng = np.random.default_rng(n)
    right = 0
    for _ in range(200):
        pairs = rng.integers(0, n // 2 + 1)
        z = rng.normal(-0.6, 0.5, pairs) + 1j * rng.normal(size=pairs)
        roots = np.concatenate([z, z.conj(), rng.normal(-0.6, 0.5, n - 2 * pairs)])
        if abs(roots.real).min() < 1e-3:
            continue
        column = np.array(routh_column(list(np.poly(roots).real[1:])))
        assert (column > 0).all() == (roots.real < 0).all()
        right += (roots.real > 0).sum() == np.sum(np.diff(np.sign([1.0, *column])) != 0)
    # The sign changes of the column count the roots on the right (Routh).
    assert right > 190


LARGE = [pytest.param(n, marks=pytest.mark.slow) for n in (7, 8)]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, *LARGE])
def test_stability_is_told_over_spreads_of_nine_decades(n):
    rng = np.random.default_rng(n)
    lanes = 64
    rates = -np.exp(rng.uniform(np.log(1e-4), np.log(1e5), (lanes, n)))
    rates[:, 0], rates[:, -1] = -1e5, -1e-4
    expected = np.arange(lanes) % 2 == 0
    flipped = rng.integers(0, n, lanes)
    rates[~expected, flipped[~expected]] *= -1.0
    # Triangular with mild mixing: eigenvalues stay as prescribed though they differ so widely.
    mixing = np.sqrt(abs(rates[:, :, None] * rates[:, None, :]))
    upper = np.triu(rng.normal(size=(lanes, n, n)), 1) * mixing
    matrices = np.einsum("li,ij->lij", rates, np.eye(n)) + upper
    order = np.argsort(rng.random(n))
    matrices = matrices[:, order][:, :, order]
    # Similarity by a diagonal, as a change of units is.
    units = np.exp(rng.uniform(-7, 7, (lanes, n)))
    matrices = matrices * units[:, :, None] / units[:, None, :]
    # The sign path, beyond five, compiles for many seconds.
    verdict = jax.jit(stable)(scalars(jnp.asarray(matrices)))
    assert_array_equal(verdict, expected)


@pytest.mark.parametrize("n", [2, 4, 6])
def test_oscillations_are_told_by_their_damping(n):
    rng = np.random.default_rng(n)
    lanes = 40
    damping = rng.uniform(0.01, 1.0, lanes) * np.where(np.arange(lanes) % 2, 1.0, -1.0)
    matrices = np.einsum("i,jk->ijk", -np.ones(lanes), np.diag(10.0 ** np.arange(n)))
    frequency = 10 ** rng.uniform(-1, 3, lanes)
    matrices[:, 0, 0] = matrices[:, 1, 1] = damping
    matrices[:, 0, 1], matrices[:, 1, 0] = frequency, -frequency
    change = np.linalg.qr(rng.normal(size=(lanes, n, n)))[0] @ np.diag(10 ** rng.uniform(-1, 1, n))
    matrices = change @ matrices @ np.linalg.inv(change)
    assert_array_equal(jax.jit(stable)(scalars(jnp.asarray(matrices))), damping < 0)


def window(s, p):
    """A sodium conductance that opens with depolarisation."""
    return ohmic(s, p) / (1.0 + jnp.exp(-(s.V + 45.0) / 4.0))


def fading(s, p):
    """A pump that sodium inhibits: its slope is negative everywhere."""
    return p.j * jnp.exp(-((s.Na_i / p.K) ** 2))


LEAKS = [jm.leak(s, law="ohmic") for s in (jm.Na, jm.K, jm.Cl)]
FOLDED = jm.Cell(
    [
        *LEAKS,
        jm.kcc2(law="log"),
        jm.na_k_atpase(law="hill"),
        jm.Transporter("window", "Na_i <-> Na_o", window, {"g": jm.Param(1.0, "pS/um^2")}),
    ]
)
FADING = jm.Cell(
    [
        *LEAKS,
        jm.kcc2(law="log"),
        jm.Transporter(
            "nka",
            "3 Na_i + 2 K_o + ATP <-> 3 Na_o + 2 K_i + ADP + Pi",
            fading,
            {"j": jm.Param(0.1, "amol/um^2/s"), "K": jm.Param(20.0, "mM", "", "positive")},
            irreversible=True,
        ),
    ]
)
POLARISED = {"V": -72.0, "Na": 14.0, "K": 123.0, "Cl": 5.2, "volume": 1940.0}
DEPOLARISED = {"V": -20.0, "Na": 100.0, "K": 35.0, "Cl": 60.0, "volume": 2300.0}


def folded(g, start):
    begin = {name: np.full(ROWS, value) for name, value in start.items()}
    return jm.steady_state(FOLDED, {"window.g": np.full(ROWS, g)}, start=begin, outputs=SHOWN)


def test_two_stable_rests_at_the_same_parameters_are_both_reached():
    low, high = folded(1.6, POLARISED), folded(1.6, DEPOLARISED)
    for rest in (low, high):
        assert_array_equal(rest.status, STABLE)
        assert (rest.rate_slowest < 0).all() and (rest.residual < 1e-11).all()
    assert (low.V < -70.0).all() and (high.V > -30.0).all()


def unstable_rest_between(g):
    """The rest between two stable ones, by bisection on the pump current of the closed form.

    The window adds to the sodium conductance what it is open at the potential of the rest, so
    that, at a given current, only that conductance has to be found.
    """

    def rest_at(open_share, current):
        return analytic.pump_leak(
            current,
            g_Na=0.2 + g * open_share,
            g_K=0.7,
            g_Cl=0.2,
            g_KCC2=0.2,
            Na_o=145.0,
            K_o=3.5,
            Cl_o=119.0,
            X_o=29.5,
            X=3e5,
            z_X=-0.85,
        )

    def pump(sodium):
        return constants.F * 0.2887 * (sodium / (sodium + 3.56)) ** 3 * (3.5 / (3.5 + 0.883)) ** 2

    V = np.linspace(-70.0, -25.0, 4001)
    share = 1.0 / (1.0 + np.exp(-(V + 45.0) / 4.0))
    low, high = np.zeros_like(V), np.full_like(V, constants.F * 0.2887)
    for _ in range(60):
        middle = 0.5 * (low + high)
        rest = rest_at(share, middle)
        # Sodium falls as the current rises; where it still exceeds what the pump needs, go on.
        more = pump(np.asarray(rest.Na)) > middle
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    rest = rest_at(share, 0.5 * (low + high))
    error = np.asarray(rest.V) - V
    (crossing,) = np.nonzero(np.diff(np.sign(error)))
    return [{name: float(np.asarray(getattr(rest, name))[i])
             for name in ("V", "Na", "K", "Cl", "volume")} for i in crossing]  # fmt: skip


def test_a_start_beside_an_unstable_rest_leads_to_a_stable_one():
    between = unstable_rest_between(1.6)
    inner = [found for found in between if -65.0 < found["V"] < -35.0]
    assert len(inner) == 1
    # V leaves the unstable rest within milliseconds, to whichever side it is on.
    beside = inner[0] | {"V": inner[0]["V"] + np.where(np.arange(ROWS) % 2, 3.0, -3.0)}
    rest = folded(1.6, beside)
    assert_array_equal(rest.status, STABLE)
    assert (abs(rest.V - inner[0]["V"]) > 10.0).all()


def test_from_its_usual_start_a_cell_with_stable_rests_is_not_called_unstable():
    g = np.linspace(0.0, 3.0, ROWS)
    high = jm.steady_state(
        FOLDED, {"window.g": g}, outputs=SHOWN,
        start={name: np.full(ROWS, value) for name, value in DEPOLARISED.items()},
    )  # fmt: skip
    assert_array_equal(high.status, STABLE)
    rest = jm.steady_state(FOLDED, {"window.g": g}, outputs=SHOWN)
    assert_array_equal(rest.status, STABLE)


def fading_rests(current, **bath):
    """Exact rests of FADING at given pump currents: the strength that turns so at their sodium."""
    closed = partial(analytic.pump_leak, current, g_Na=0.2, g_K=0.7, g_Cl=0.2, g_KCC2=0.2,
                     Na_o=145.0, K_o=3.5, **bath, X=3e5)  # fmt: skip
    z = -0.85
    for _ in range(6):
        rest = closed(z_X=z)
        z = -0.85 - 0.01 * 800.0 * rest.V / (constants.F * 3e5)
    j = current / constants.F * np.exp((np.asarray(rest.Na) / 20.0) ** 2)
    begin = {name: getattr(rest, name) for name in ("V", "Na", "K", "Cl", "volume")}
    return j, begin


def test_a_cell_whose_only_rest_is_unstable_is_told_by_its_status():
    # No impermeant outside: once sodium has stopped the pump, the volume has no end.
    current = np.linspace(4.5, 8.0, ROWS)
    j, begin = fading_rests(current, Cl_o=148.5, X_o=0.0)
    bath = {"bath.X": 0.0, "bath.Cl": 148.5}
    rest = jm.steady_state(FADING, {"nka.j": j} | bath, start=begin, outputs=SHOWN)
    assert_array_equal(rest.status, UNSTABLE)
    assert not rest.ok.any()
    assert_allclose(rest.V, begin["V"], rtol=1e-9)
    assert_allclose(rest.c["Na"], begin["Na"], rtol=1e-9)
    assert (rest.rate_slowest > 0).all()
    assert_array_equal((rest.eigenvalue_real.values > 0).sum(axis=1), 1)


def test_status_agrees_with_eigenvalues_along_a_branch():
    rng = np.random.default_rng(1)
    seen = []
    for start in (POLARISED, DEPOLARISED):
        begin = {name: value * rng.uniform(0.8, 1.2, ROWS) for name, value in start.items()}
        rest = jm.steady_state(
            FOLDED, {"window.g": np.linspace(0.1, 2.5, ROWS)}, start=begin, outputs=SHOWN
        )
        assert_array_equal(rest.status, np.where(rest.rate_slowest < 0, STABLE, UNSTABLE))
        seen.append(np.asarray(rest.V))
    assert abs(seen[0] - seen[1]).max() > 10.0


def test_a_rigid_compartment_without_free_ions_rests_at_the_potential_of_its_charge():
    bag = jm.Compartment("bag", volume="rigid")
    cell = jm.Cell([jm.Membrane("wall", [jm.leak(jm.Glucose)], inside=bag)])
    rest = jm.steady_state(
        cell, {"bag.X": 0.1, "bag.z_X": -1.0, "bath.Glucose": 5.0}, outputs=("V", "c")
    )
    assert_allclose(rest.V, -0.1 * constants.F / (0.01 * 800.0), rtol=1e-12)
    assert_allclose(rest.c["Glucose"], 5.0, rtol=1e-12)
    assert int(rest.status) == STABLE


def test_an_osmotic_compartment_without_free_ions_swells_to_balance():
    cell = jm.Cell([jm.leak(jm.Glucose)])
    rest = jm.steady_state(
        cell, {"cytosol.X": 3e5, "cytosol.z_X": 0.0, "bath.X": 300.0, "bath.Glucose": 5.0},
        outputs=("V", "c", "volume"),
    )  # fmt: skip
    assert int(rest.status) == STABLE
    assert_allclose(rest.volume, 1000.0, rtol=1e-9)
