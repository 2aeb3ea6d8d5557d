"""The command line, as ``python -m jaxmembrane``."""

from .cli import main

main()
