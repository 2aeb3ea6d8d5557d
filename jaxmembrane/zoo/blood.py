"""Cells of the blood."""

from math import exp, expm1, log, tanh

from ..analytic import thermal_voltage
from ..cell import Cell
from ..kinetics.thermodynamic import mass_action
from ..library import kcc2, leak, na_k_atpase, ncc, nkcc1
from ..membrane import Compartment
from ..params import Param
from ..site import SOURCES
from ..species import Cl, K, Na
from ..transport import Transporter


def lymphocyte() -> Cell:
    """Lymphoid U937 cell: GHK leaks, linear pump, NCC, KCC and NKCC1 by mass action.

    Rest: V -45.04 mV, Na 38, K 147, Cl 45 mM, impermeant 80 mM. The source gives rates per cell
    water only: a water volume of 1000 um^3 and an area of 500 um^2 are our choice.

    Notes
    -----
    Source: Vereninov, Yurinskaya et al. 2016, PLoS One, PMC4861346; defaults of the authors'
    program, whose RT/F of 26.7 mV sets T.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> f"{jm.steady_state(jm.zoo.lymphocyte()).V:.2f} mV"
    '-45.04 mV'
    """
    water, area = 1000.0, 500.0

    def per_area(rate: float) -> float:
        """A rate per minute and cell water, as one per second and membrane area."""
        return rate / 60.0 * water / area

    return Cell(
        [
            leak(Na, P=per_area(0.0017)),
            leak(K, P=per_area(0.0115)),
            leak(Cl, P=per_area(0.011)),
            na_k_atpase(law="linear", b=per_area(0.039) / 3.0),  # 0.039 of Na, three a turnover
            ncc(k=per_area(7e-5)),
            kcc2(law="mass_action", name="kcc", k=per_area(8e-5)),
            nkcc1(law="mass_action", k=per_area(8e-9)),
        ],
        {
            "T": 26.7 / float(thermal_voltage(1.0)),
            "bath.Na": 140.0,
            "bath.K": 5.8,
            "bath.Cl": 116.0,
            "bath.X": 48.2,
            "bath.z_X": (116.0 - 140.0 - 5.8) / 48.2,
            "cytosol.X": 80.0 * water,
            "cytosol.z_X": -1.75,
            "membrane.area": area,
        },
        source="Vereninov, Yurinskaya et al. 2016, PLoS One, PMC4861346",
    )


def red_cell() -> Cell:
    """Human red cell: haemoglobin, its charge and osmotic pressure, and the Jacobs-Stewart cycle.

    GHK leaks, Na/K pump, NaCl and KCl carriers; H moves with Cl alone, so that pH inside follows
    the Cl ratio. Haemoglobin (7.03 mM) has the charge -10 (pH - 6.608) and the osmotic coefficient
    1 + 0.0645 [Hb] + 0.0258 [Hb]^2; with 44.6 mM of other impermeants it is one "protein" here.
    Rest: Na 10.00, K 140.0, Cl 95.04 mM, pH 7.209, 67.5 um^3 of water, V -11.88 mV. The source has
    -11.73 mV, the potential of Cl; the pump's current moves V by 0.15 mV through P_Cl.

    Notes
    -----
    Source: Rogers & Lew 2021, PLoS Comput Biol 17:e1009244, doi:10.1371/journal.pcbi.1009244:
    rates per hour and litre of cells, here per area of a cell of 90 um^3 and 135 um^2. Strengths of
    pump and carriers and the impermeant's mean charge follow from the rest; magnesium and calcium
    are left out.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> f"{jm.steady_state(jm.zoo.red_cell()).V:.2f} mV"
    '-11.88 mV'
    """
    water, size, area, T = 67.5, 90.0, 135.0, 310.15
    inside = {"Na": 10.0, "K": 140.0, "Cl": 95.0}
    bath = {"Na": 145.5, "K": 5.0, "Cl": 147.4}
    haemoglobin, others = 7.0284, 44.607
    impermeant = haemoglobin + others
    share = haemoglobin / impermeant

    def per_area(rate: float) -> float:
        """A rate per hour and litre of cells, as one per second and membrane area."""
        return rate / 3600.0 * size / area

    u = -log(bath["Cl"] / inside["Cl"])
    P = {"Na": per_area(0.00152), "K": per_area(0.00165), "Cl": per_area(1.2)}
    loss = {s: P[s] * u / -expm1(-u) * (inside[s] - bath[s] * exp(-u)) for s in ("Na", "K")}
    turnover = per_area(2.6085) / 3.0
    sodium = inside["Na"] / (inside["Na"] + 0.2 * (1.0 + inside["K"] / 8.3))
    potassium = bath["K"] / (bath["K"] + 0.1 * (1.0 + bath["Na"] / 18.0))
    energy = {name: p.nominal for name, p in SOURCES["ATP"].params.items()}
    force = 3.0 * log(bath["Na"] / inside["Na"]) + 2.0 * log(inside["K"] / bath["K"]) - u
    force += log(energy["ADP"] * energy["Pi"] / energy["ATP"] / energy["K_ATP"])
    products = {s: (bath[s] * bath["Cl"], inside[s] * inside["Cl"]) for s in ("Na", "K")}
    k_Na = (3.0 * turnover + loss["Na"]) / (products["Na"][0] - products["Na"][1])
    k_K = (2.0 * turnover - loss["K"]) / (products["K"][1] - products["K"][0])
    osmotic = 1.0 + 0.0645 * haemoglobin + 0.0258 * haemoglobin**2
    X_o = sum(inside.values()) + others + haemoglobin * osmotic - sum(bath.values())
    return Cell(
        [
            *(leak(species, P=P[species.name]) for species in (Na, K, Cl)),
            na_k_atpase(j_max=turnover / (sodium**3 * potassium**2 * tanh(-0.5 * force))),
            ncc(k=k_Na),
            kcc2(law="mass_action", name="kcc", k=k_K),
            Transporter(
                "jacobs_stewart",
                "H_i + Cl_i <-> H_o + Cl_o",
                mass_action,
                {"k": Param(1.0, "amol/um^2/s/mM^2", "rate constant of the Jacobs-Stewart cycle")},
                source="Jacobs & Stewart 1942; fast, so that its rate does not matter at rest",
            ),
        ],
        {
            "T": T,
            **{f"bath.{s}": c for s, c in bath.items()},
            "bath.H": 10.0 ** (3.0 - 7.4),
            "bath.X": X_o,
            "bath.z_X": (bath["Cl"] - bath["Na"] - bath["K"]) / X_o,
            "cytosol.X": impermeant * water,
            "cytosol.z_X": (inside["Cl"] - inside["Na"] - inside["K"]) / impermeant,
            "cytosol.pH_X": 7.4 + u / log(10.0),
            "cytosol.beta_X": 10.0 * share,
            "cytosol.b_2": 0.0645 * share**2,
            "cytosol.b_3": 0.0258 * share**3,
            "membrane.area": area,
        },
        compartment=Compartment(free=["H"], impermeant="protein"),
        source="Rogers & Lew 2021, PLoS Comput Biol 17:e1009244, doi:10.1371/journal.pcbi.1009244",
    )
