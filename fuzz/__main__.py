"""``python -m fuzz TARGET [libFuzzer's arguments]``; ``nox -s fuzz`` runs all of them."""

import logging
import sys

import atheris

with atheris.instrument_imports(include=["sojourn", "sojourn_cookie"]):
    from . import targets


def main() -> None:
    """Fuzz until libFuzzer's arguments say to stop, or until something does not hold."""
    logging.disable()  # what the core tells operators of each rejected input
    target = targets.TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


main()
