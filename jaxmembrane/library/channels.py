"""Leaks and channels: passive paths for single ions, written from inside to outside."""

from collections.abc import Mapping

from ..kinetics.law import Law
from ..kinetics.thermodynamic import (
    CATION_LAWS,
    GABA_LAWS,
    GRAMICIDIN_LAWS,
    Share,
    passive,
    shared,
)
from ..naming import check_name
from ..species import HCO3, Cl, H, K, Na, Species
from ..transport import Transporter
from .build import Entry, build, check_species, choose, with_nominal

# A mature neuron: conductances of Duesterwald et al. (2018), and the permeabilities that pass the
# same currents at its rest.
_NOMINAL = {"Na": (6.7e-4, 0.2), "K": (0.012, 0.7), "Cl": (3e-3, 0.2)}


def _leaving(species: Species) -> str:
    return f"{species.name}_i <-> {species.name}_o"


def leak(
    species: Species, law: str = "ghk", *, name: str | None = None, **nominal: float
) -> Transporter:
    """A leak of one species, ``K_i <-> K_o``, named ``leak_K`` unless told otherwise.

    ==========  =================================================  ====================
    law         turnover J (outward), u = F V/(R T)                strength
    ==========  =================================================  ====================
    ``ghk``     P z u (c_i - c_o exp(-z u)) / (1 - exp(-z u))      ``P`` (um/s)
    ``ohmic``   g (V - E) / (z F)                                  ``g`` (pS/um^2)
    ==========  =================================================  ====================

    The value and derivative of ``ghk`` are exact through V = 0 and z = 0 (then plain diffusion). A
    proton channel is ``leak(jm.H)``.

    Parameters
    ----------
    species : Species
        What leaks, as in ``jm.K``.
    law, name, **nominal
        As for `na_k_atpase`.

    Raises
    ------
    TypeError
        If `species` is not a `Species`.
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Sources: Goldman 1943, doi:10.1085/jgp.27.1.37; Hodgkin & Katz 1949,
    doi:10.1113/jphysiol.1949.sp004310.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> jm.leak(jm.K, law="ohmic", g=0.7).name
    'leak_K'
    """
    check_species(species)
    name = name or f"leak_{species.name}"
    laws = passive(f"{species.name} leak", *_NOMINAL.get(species.name, ()))
    return build(name, _leaving(species), laws, law, nominal, species=(species,))


def channel(
    name: str, ions: Mapping[Species, float], law: str = "ghk", **nominal: float
) -> Transporter:
    """A channel that passes several ions under one name, each as one leg (``name:ion``).

    Every leg is a `leak` of strength ``P`` (or ``g``) times its relative permeability ``r_<ion>``.

    Parameters
    ----------
    name : str
        Owner of the parameters ``P`` (or ``g``) and ``r_<ion>``.
    ions : mapping
        Species to relative permeability (or conductance), as in ``{jm.K: 1.0, jm.Na: 0.447}``.
    law, **nominal
        As for `leak`.

    Raises
    ------
    TypeError
        If `ions` is not a mapping from species to numbers.
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Source: Hodgkin & Katz 1949, doi:10.1113/jphysiol.1949.sp004310.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> cation = jm.channel("cation", {jm.K: 1.0, jm.Na: 0.447}, P=1e-3)
    >>> [leg.name for leg in cation.legs], cation.charge
    (['cation:K', 'cation:Na'], (-1, -1))
    """
    check_name(name, "a channel")
    if not isinstance(ions, Mapping) or not ions:
        raise TypeError(
            f"ions of channel {name} must map species to relative permeabilities, "
            f"as in {{jm.K: 1.0, jm.Na: 0.4}}, not {ions!r}"
        )
    for species in ions:
        check_species(species)
    laws = {
        key: shared(made, {s.name: r for s, r in ions.items()})
        for key, made in passive(f"{name} channel").items()
    }
    return _pore(name, tuple(ions), laws, law, nominal)


def cation_channel(law: str = "ghk", *, name: str = "cation", **nominal: float) -> Transporter:
    """Non-selective cation channel: K and Na under one name, reversing at -20 mV.

    ``K_i <-> K_o`` and ``Na_i <-> Na_o``, each a leg of the laws of `leak`.

    ==========  ==============================================  ==================
    law         selectivity                                     strength
    ==========  ==============================================  ==================
    ``ghk``     P_Na/P_K = 0.447                                ``P`` of K (um/s)
    ``ohmic``   g_Na/g_K = 0.866                                ``g`` of K (pS/um^2)
    ==========  ==============================================  ==================

    Either gives -20 mV with K 140/4 and Na 12/145 mM: a channel that reverses there is twice as
    permeable to K as to Na; one without any preference reverses at -0.5 mV. There neither ion is
    at equilibrium, only their currents cancel.

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`; ``r_Na`` and ``r_K`` are the selectivity.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Source: Hodgkin & Katz 1949, doi:10.1113/jphysiol.1949.sp004310; selectivities derived from the
    reversal potential.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> seen = jm.cation_channel().at(V=-70.0, K_i=140.0, K_o=4.0, Na_i=12.0, Na_o=145.0)
    >>> f"{seen.reversal:.1f} mV"
    '-20.0 mV'
    """
    return _pore(name, (K, Na), CATION_LAWS, law, nominal)


def gaba_a(
    law: str = "ghk", *, bicarbonate: float = 0.2, name: str = "gaba_a", **nominal: float
) -> Transporter:
    """GABA-A receptor: Cl and HCO3 through one pore, of which a fraction ``open`` is open.

    ``Cl_i <-> Cl_o`` and ``HCO3_i <-> HCO3_o``, each times ``open``.

    ==========  ==============================================  ==================
    law         legs, and the reversal potential they make      strength
    ==========  ==============================================  ==================
    ``ghk``     GHK fluxes: (RT/F) ln[(Cl_i + r HCO3_i)         ``P`` of Cl (um/s)
                / (Cl_o + r HCO3_o)], r = ``r_HCO3``
    ``chord``   ohmic currents: (E_Cl + r E_HCO3) / (1 + r)     ``g`` of Cl (pS/um^2)
    ==========  ==============================================  ==================

    With Cl 5/130, HCO3 15/25 mM and r = 0.2 the first gives -75.5 mV, 11.6 mV above E_Cl, and -53.9
    mV at 15 mM Cl; the second, which is cheaper, is a few mV off. The nominal strength is that of a
    neuron with all receptors open: ``open = 0`` closes them, a protocol opens them.

    Parameters
    ----------
    law : str
        One of the table.
    bicarbonate : float
        Nominal ``r_HCO3``, permeability (or conductance) to HCO3 over that to Cl.
    name, **nominal
        As for `na_k_atpase`; ``open`` lies between 0 and 1.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Sources: Bormann, Hamill & Sakmann 1987, J Physiol 385:243, doi:10.1113/jphysiol.1987.sp016493;
    Kaila 1994, Prog Neurobiol 42:489, doi:10.1016/0301-0082(94)90049-3. HCO3 is held by CO2 and
    buffers: see `Compartment`.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> bath = {"Cl_o": 130.0, "HCO3_i": 15.0, "HCO3_o": 25.0}
    >>> [f"{jm.gaba_a().at(Cl_i=Cl, **bath).reversal:.1f}" for Cl in (5.0, 15.0)]
    ['-75.5', '-53.9']
    """
    return _pore(name, (Cl, HCO3), GABA_LAWS, law, {"r_HCO3": bicarbonate, **nominal}, ("open",))


def gramicidin(law: str = "ghk", *, name: str = "gramicidin", **nominal: float) -> Transporter:
    """Gramicidin: a pore for K, Na and H that no anion passes, off until its strength is set.

    ``K_i <-> K_o``, ``Na_i <-> Na_o`` and ``H_i <-> H_o``, each a leg of the laws of `leak`.

    ==========  ==============================================  ==================
    law         legs                                            strength
    ==========  ==============================================  ==================
    ``ghk``     GHK fluxes, P_Na/P_K = 0.65                     ``P`` of K (um/s)
    ``ohmic``   ohmic currents, g_Na/g_K = 0.65                 ``g`` of K (pS/um^2)
    ==========  ==============================================  ==================

    The nominal strength is zero, as of every agent that an experimenter adds: the cell rests as
    without it until ``gramicidin.P`` is given. Cl inside stays what the cell made it, which is why
    perforated patches read the native E_GABA.

    Parameters
    ----------
    law, name, **nominal
        As for `na_k_atpase`; ``r_K``, ``r_Na`` and ``r_H`` are the selectivity.

    Raises
    ------
    KeyError, ValueError
        As for `na_k_atpase`.

    Notes
    -----
    Source: relative permeabilities K 1.0, Na 0.65, Cl none in gramicidin-perforated patches, Am J
    Physiol 1996, 271:C524, doi:10.1152/ajpcell.1996.271.2.C524. H was not measured there and is
    taken as K; in bilayers protons pass faster.

    Examples
    --------
    >>> import jaxmembrane as jm
    >>> [leg.name for leg in jm.gramicidin(P=0.1).legs]
    ['gramicidin:K', 'gramicidin:Na', 'gramicidin:H']
    """
    return _pore(name, (K, Na, H), GRAMICIDIN_LAWS, law, nominal)


def _pore(
    name: str,
    ions: tuple[Species, ...],
    laws: Mapping[str, Law],
    law: str,
    nominal: Mapping[str, float],
    common: tuple[str, ...] = (),
) -> Transporter:
    """A transporter with a leg for each ion: its share, and what all have in `common`."""
    chosen = choose(laws, law, name)
    legs = {s.name: (_leaving(s), Share(chosen.rate, (f"r_{s.name}", *common))) for s in ions}
    declared = with_nominal(chosen.params, nominal)
    return Transporter(name, legs, params=declared, source=chosen.source, species=ions)


CHANNELS = (
    Entry("leak", passive("K leak", *_NOMINAL["K"]), lambda law: leak(K, law)),
    Entry("channel", passive("channel"), lambda law: channel("pore", {K: 1.0, Na: 0.4}, law)),
    Entry("cation_channel", CATION_LAWS, cation_channel),
    Entry("gaba_a", GABA_LAWS, gaba_a),
    Entry("gramicidin", GRAMICIDIN_LAWS, gramicidin),
)
