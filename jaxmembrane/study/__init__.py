"""Study files: a sweep or a fit in TOML, checked whole before anything compiles.

`jaxmembrane sweep --help`, `sensitivity --help` and `fit --help` show one.

A value is a number in package units, or a text with a unit.
"""

from .file import StudyError as StudyError
from .file import key_lines as key_lines
from .fit import METHODS as METHODS
from .fit import FitStudy as FitStudy
from .fit import read_fit as read_fit
from .read import Study as Study
from .read import read_study as read_study
