"""Fits: parameters of many recorded cells at once, and what the data say of them."""

from .fit import fit as fit
