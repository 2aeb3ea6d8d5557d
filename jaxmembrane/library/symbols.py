"""What follows from reactions, in symbols.

A reaction that moves Q elementary charges inward stands still at::

    V_rev = (RT/F) sum over species of (n/Q) ln(c_o/c_i) - sum over energy sources of dG/(Q F)

where n is what a turnover adds to the inside; one that moves none, where two products of
concentrations are equal.
"""

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

from ..reaction import Reaction
from ..species import Species
from ..transport import Transporter


def reversal(reaction: Reaction) -> str:
    """Potential at which a reaction that moves charge stands still, in concentrations.

    Examples
    --------
    >>> reversal(Reaction.parse("3 Na_o + Ca_i <-> 3 Na_i + Ca_o"))
    '(RT/F) [3 ln(Na_o/Na_i) - ln(Ca_o/Ca_i)]'
    >>> reversal(Reaction.parse("2 Na_o + Glucose_o <-> 2 Na_i + Glucose_i"))
    '(RT/(2 F)) [2 ln(Na_o/Na_i) + ln(Glucose_o/Glucose_i)]'
    """
    Q = reaction.charge
    shares = [(Fraction(n, Q), s.name) for s in reaction.species if (n := reaction.change(s, "i"))]
    d = math.lcm(*(n.denominator for n, _ in shares))
    # A sum that would start with a minus turns its ratios over instead.
    sign, a, b = (-1, "i", "o") if all(n < 0 for n, _ in shares) else (1, "o", "i")
    logarithms = _sum((sign * d * n, f"ln({s}_{a}/{s}_{b})") for n, s in shares)
    ions = logarithms if len(shares) == 1 else f"[{logarithms}]"
    thermal = "RT/F" if d == 1 else f"RT/({d} F)"
    return _sum([(Fraction(1), f"({thermal}) {ions}"), *_energies(reaction, Q)])


def equilibrium(reaction: Reaction) -> str:
    """Where an electroneutral reaction stands still, as equal products of concentrations.

    Examples
    --------
    >>> equilibrium(Reaction.parse("Na_o + K_o + 2 Cl_o <-> Na_i + K_i + 2 Cl_i"))
    'Na_o K_o Cl_o^2 = Na_i K_i Cl_i^2'
    """
    left, right = _product(reaction.reactants), _product(reaction.products)
    if not reaction.energy:
        return f"{left} = {right}"
    work = _sum((Fraction(uses), f"dG_{source}/RT") for source, uses in reaction.energy)
    return f"{left} = {right} exp({work})"


def nernst(reaction: Reaction) -> str:
    """The same in Nernst potentials; nothing where a species without charge takes part.

    Examples
    --------
    >>> nernst(Reaction.parse("3 Na_i + 2 K_o + ATP <-> 3 Na_o + 2 K_i + ADP + Pi"))
    '3 E_Na - 2 E_K + dG_ATP/F'
    >>> nernst(Reaction.parse("Na_o + K_o + 2 Cl_o <-> Na_i + K_i + 2 Cl_i"))
    'E_Na + E_K = 2 E_Cl'
    """
    if not all(s.z for s in reaction.species):
        return ""
    per = reaction.charge or 1
    changes = [(s, reaction.change(s, "i")) for s in reaction.species]
    terms = [(Fraction(s.z * n, per), f"E_{s.name}") for s, n in changes if n]
    terms += _energies(reaction, per)
    if reaction.charge:
        return _sum(terms)
    first = 1 if terms[0][0] > 0 else -1
    left, right = (
        _sum((abs(n), what) for n, what in terms if side * n > 0) for side in (first, -first)
    )
    return f"{left} = {right}"


def charge(reaction: Reaction) -> str:
    """Elementary charges that a turnover moves.

    Examples
    --------
    >>> charge(Reaction.parse("3 Na_o + Ca_i <-> 3 Na_i + Ca_o"))
    '1 in (Q = +1)'
    """
    Q = reaction.charge
    return f"{abs(Q)} {'in' if Q > 0 else 'out'} (Q = {Q:+d})" if Q else "none, electroneutral"


def facts(transporter: Transporter) -> Iterator[tuple[str, str]]:
    """What follows from a transporter's reactions: name and text, in Markdown."""
    reactions = [leg.reaction for leg in transporter.legs]
    if len(reactions) > 1:
        for leg in transporter.legs:
            r = leg.reaction
            alone = f"`V_rev = {nernst(r) or reversal(r)}`" if r.charge else f"`{equilibrium(r)}`"
            name = leg.name.partition(":")[2]
            yield f"leg `{name}`", f"`{r.text}`; charges {charge(r)}; alone {alone}"
        yield "reversal potential", "where its legs' currents cancel"
        return
    (r,) = reactions
    yield "reaction", f"`{r.text}`"
    yield "charges per turnover", charge(r)
    if r.charge:
        zeros = f"V_rev = {reversal(r)}", nernst(r)
        yield "reversal potential", f"`{' = '.join(filter(None, zeros))}`"
    else:
        zeros = equilibrium(r), nernst(r)
        yield "equilibrium", ", that is ".join(f"`{zero}`" for zero in zeros if zero)


def _energies(reaction: Reaction, per: int) -> list[tuple[Fraction, str]]:
    return [(Fraction(-uses, per), f"dG_{source}/F") for source, uses in reaction.energy]


def _product(terms: Iterable[tuple[Species, str, int]]) -> str:
    return " ".join(f"{s.name}_{side}" + (f"^{n}" if n > 1 else "") for s, side, n in terms)


def _sum(terms: Iterable[tuple[Fraction, str]]) -> str:
    """``3 a - (1/2) b + dG/F``: positive terms first, energy last."""
    text = ""
    for n, what in sorted(terms, key=lambda term: (term[1].startswith("dG"), term[0] < 0)):
        size = abs(n)
        factor = "" if size == 1 else f"({size}) " if size.denominator > 1 else f"{size} "
        sign = (" - " if n < 0 else " + ") if text else ("-" if n < 0 else "")
        text += f"{sign}{factor}{what}"
    return text
