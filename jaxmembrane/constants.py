"""The two constants of nature that the package needs, in its units (um, s, amol, mV, fC, K).

Both are exact in the SI of 2019 (CODATA 2018, doi:10.1103/RevModPhys.93.025010). Equations look
them up here at the time of use, so that the test of unit covariance can rescale them.
"""

F = 96.48533212
"""Faraday constant, fC/amol."""

R = 8.314462618
"""Gas constant, fC mV/(amol K) = J/(mol K)."""
