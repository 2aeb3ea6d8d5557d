"""What a published rate law is: a rate, its parameters, whether it can reverse, its source."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..params import Param
from ..site import RateLaw


@dataclass(frozen=True)
class Law:
    """A rate law of the catalogue.

    Attributes
    ----------
    rate : callable
        ``rate(s, p)``: turnover in amol/um^2/s.
    params : mapping
        Name to `Param`, the law's strength first.
    source : str
        Publication, with its DOI.
    irreversible : bool
        True where the law, as published, may turn against its own free energy.
    """

    rate: RateLaw
    params: Mapping[str, Param]
    source: str
    irreversible: bool = False
