"""Cells that lose their pump for an hour: what a sweep computes, and the same by diffrax and SciPy.

Leaks by GHK and the default laws of Na/K pump, KCC2 and NKCC1, with random strengths. diffrax
integrates our right-hand side in our unknowns, LSODA one in plain Python; both begin at our rests.
"""

import math
import time

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import odeint, solve_ivp

import jaxmembrane as jm
from jaxmembrane.balance import Equations
from jaxmembrane.course import Limits, motion
from jaxmembrane.programs import course_job
from jaxmembrane.trajectory import Plan

F, R = jm.constants.F, jm.constants.R
SWEPT = ("leak_Na.P", "leak_K.P", "leak_Cl.P", "nka.j_max", "kcc2.j_max", "nkcc1.j_max")
BLOCK = jm.Protocol([jm.Step(0.0, {"nka.j_max": 0.0})])
TIMES = np.linspace(0.0, 3600.0, 61)
# Proportional and integral gains, and slack of the root finder: the best of what was tried.
SOLVERS = {
    "Kvaerno3": (diffrax.Kvaerno3, 0.1, 0.7, 0.5),
    "Kvaerno4": (diffrax.Kvaerno4, 0.0, 1.0, 1.0),
    "Kvaerno5": (diffrax.Kvaerno5, 0.1, 0.4, 1.0),
}


def cells(rows):
    """The structure, its fixed parameters, and columns of random ones."""
    leaks = [jm.leak(jm.Na), jm.leak(jm.K), jm.leak(jm.Cl)]
    cell = jm.Cell([*leaks, jm.na_k_atpase(), jm.kcc2(), jm.nkcc1("palk")])
    nominal = cell.nominal()
    axes = {name: jm.LogUniform(nominal[name] / 3.0, nominal[name] * 3.0) for name in SWEPT}
    columns, _ = jm.Space(axes).random(rows, seed=1).rows(0, rows)
    return cell, {name: x for name, x in nominal.items() if name not in columns}, columns


def ours(cell, fixed, rtol):
    """What a sweep computes of such cells."""
    plan, limits = Plan(("V", "c", "volume"), ()), Limits(rtol, 100_000, 10.0)
    return course_job(cell, fixed, plan, BLOCK, TIMES, limits)


def unknowns(made, T):
    """Ours in the unknowns ln Na, ln Cl, FV/RT, ln volume: shape (rows, times, 4)."""
    na, _, cl = made["c"]
    parts = np.log(na), np.log(cl), made["V"][0] * F / (R * T), np.log(made["volume"][0])
    return np.stack(parts, axis=-1)


def peer(cell, solver):
    """The diffrax solver under vmap: our unknowns, right-hand side and rests."""
    method, proportional, integral, slack = SOLVERS[solver]

    def one(lane, shared):
        rtol, own = shared["rtol"], {name: lane[name] for name in SWEPT}
        params = {**shared["fixed"], **own, "nka.j_max": shared["block"]}

        def field(t, y, args):
            return jnp.stack(motion(Equations(cell, params), list(y)))

        # Unknowns are logarithms: an absolute error of theirs is a relative one.
        pace = diffrax.PIDController(1e-13, rtol, pcoeff=proportional, icoeff=integral)
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(field),
            method(root_finder=diffrax.VeryChord(rtol=1e-13, atol=rtol, kappa=slack)),
            *(0.0, TIMES[-1], None),
            jnp.stack([lane[f"begin {j}"] for j in range(4)]),
            stepsize_controller=pace,
            saveat=diffrax.SaveAt(ts=jnp.asarray(TIMES)),
            adjoint=diffrax.ForwardMode(),
            throw=False,
        )
        return found.ys

    return jax.vmap(one, in_axes=(0, None))


def right_hand_side(p, q):
    """The same cell without its pump, in plain Python: rates of ln Na, ln Cl, FV/RT, ln volume."""
    exp, expm1 = math.exp, math.expm1
    na_o, k_o, cl_o, x_o = (p[f"bath.{s}"] for s in ("Na", "K", "Cl", "X"))
    P_na, P_k, P_cl = (float(q[f"leak_{s}.P"]) for s in ("Na", "K", "Cl"))
    kcc_max, nkcc_max, K = float(q["kcc2.j_max"]), float(q["nkcc1.j_max"]), p["nkcc1.K"]
    K_K, K_Cl, X, z = (p[name] for name in ("kcc2.K_K", "kcc2.K_Cl", "cytosol.X", "cytosol.z_X"))
    area, L_w = p["membrane.area"], p["membrane.L_w"]
    held = p["membrane.C_m"] * area * R * p["T"] / F**2
    k2, c2 = k_o / K_K, cl_o / K_Cl
    outer, nkcc_o = (1 + k2 * c2) * (1 + k2) * (1 + c2), na_o * k_o * cl_o**2
    osmolarity = na_o + k_o + cl_o + x_o

    def rates(t, y):
        na, cl, u, w = exp(y[0]), exp(y[1]), y[2], exp(y[3])
        k = (held * u - z * X) / w - na + cl
        b = u / expm1(u) if abs(u) > 1e-8 else 1.0 - u / 2
        e = b + u
        k1, c1 = k / K_K, cl / K_Cl
        kcc = kcc_max * (k1 * c1 - k2 * c2) / ((1 + k1 * c1) * (1 + k1) * (1 + c1) + outer)
        inside = na * k * cl * cl
        nkcc = nkcc_max * (nkcc_o - inside) / (K + inside)
        na_in = area * (nkcc - P_na * (na * e - na_o * b))
        k_in = area * (nkcc - P_k * (k * e - k_o * b) - kcc)
        cl_in = area * (2 * nkcc - P_cl * (cl * b - cl_o * e) - kcc)
        growth = area * L_w * (na + k + cl + X / w - osmolarity) / w
        charging = (na_in + k_in - cl_in) / held
        return na_in / (na * w) - growth, cl_in / (cl * w) - growth, charging, growth

    return rates


def integrate(how, tolerance, p, q, begin):
    """A cell's course by SciPy, and the CPU seconds it took."""
    used, rates = time.process_time(), right_hand_side(p, q)
    if how == "odeint":
        y = odeint(rates, begin, TIMES, rtol=1e-13, atol=tolerance, tfirst=True)
    else:
        rtol, atol = (tolerance, tolerance) if how == "LSODA" else (1e-11, 1e-13)
        span = (0.0, TIMES[-1])
        y = solve_ivp(rates, span, begin, method=how, t_eval=TIMES, rtol=rtol, atol=atol).y.T
    return y, time.process_time() - used
