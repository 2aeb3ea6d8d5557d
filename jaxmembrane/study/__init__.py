"""Study files: a sweep in TOML, checked whole before anything compiles; `sweep --help` shows one.

A value is a number in package units, or a text with a unit.
"""

from .file import StudyError as StudyError
from .file import key_lines as key_lines
from .read import Study as Study
from .read import read_study as read_study
