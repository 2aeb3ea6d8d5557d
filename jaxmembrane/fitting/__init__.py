"""Fits: parameters of many recorded cells at once, and what the data say of them."""

from .compare import compare as compare
from .explain import explain as explain
from .fit import fit as fit
from .posterior import posterior as posterior
from .profile import profile as profile
