"""The claims, each computed by one function under its id."""

from . import block as block
from . import calcium as calcium
from . import charges as charges
from . import chloride as chloride
from . import energies as energies
from . import osmosis as osmosis
from . import protons as protons
from . import pump_leak as pump_leak
from .register import CLAIMS as CLAIMS
