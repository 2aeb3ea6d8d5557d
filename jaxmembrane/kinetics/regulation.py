"""Factors on turnovers: drugs, ATP, phosphorylation; rates of the gates that they bring."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp

from ..site import Site, Values


@dataclass(frozen=True)
class Inhibition:
    """Share that a drug at its equilibrium leaves, ``1 / (1 + (drug / K_drug)^hill)``."""

    drug: str
    hill: float

    def __call__(self, s: Site, p: Values) -> Any:
        dose = p[self.drug] / p[f"K_{self.drug}"]
        if self.hill == int(self.hill):
            return 1.0 / (1.0 + dose ** int(self.hill))
        # A broken power has no second derivative at zero, where most cells stand.
        given = dose > 0.0
        share = 1.0 / (1.0 + jnp.where(given, dose, 1.0) ** self.hill)
        return jnp.where(given, share, 1.0)


@dataclass(frozen=True)
class Binding:
    """Rate of a drug's occupancy, ``k_on drug (1 - bound) - k_off bound``."""

    drug: str

    def __call__(self, s: Site, p: Values) -> Any:
        return p.k_on * p[self.drug] * (1.0 - s.bound) - p.k_off * s.bound


def unoccupied(s: Site, p: Values) -> Any:
    """Share without a bound drug, ``1 - bound``."""
    del p
    return 1.0 - s.bound


def atp_saturation(s: Site, p: Values) -> Any:
    """Saturation with ATP against ADP, ``ATP / (ATP + K_m_ATP (1 + ADP / K_i_ADP))``."""
    return s.ATP / (s.ATP + p.K_m_ATP * (1.0 + s.ADP / p.K_i_ADP))


@dataclass(frozen=True)
class Phosphorylation:
    """Share that a phosphorylated site leaves, ``1 - f_site p_site``."""

    site: str

    def __call__(self, s: Site, p: Values) -> Any:
        return 1.0 - p[f"f_{self.site}"] * p[f"p_{self.site}"]


def kinase_activation(s: Site, p: Values) -> Any:
    """Activation by WNK-SPAK, ``wnk_basal + wnk_gain wnk``."""
    return p.wnk_basal + p.wnk_gain * s.wnk


def kinase_inhibition(s: Site, p: Values) -> Any:
    """Inhibition by WNK-SPAK, ``1 - wnk_gain wnk``."""
    return 1.0 - p.wnk_gain * s.wnk
