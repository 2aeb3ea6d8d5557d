"""Sensitivity: how much of an output each parameter decides, over a space of parameters.

A design says which rows run (`Space.saltelli`, `Space.morris`), `sweep` runs and stores them, and
an analysis reads the dataset that comes back.
"""

from .dgsm import dgsm as dgsm
from .local import local as local
from .morris import morris as morris
from .sobol import sobol as sobol
