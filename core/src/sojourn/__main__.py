"""``python -m sojourn``: a new key, and what is installed."""

from __future__ import annotations

import argparse
import sys

from ._keyring import KeyRing
from ._registry import ADAPTERS, STORES, installed


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m sojourn", description="HTTP sessions for async Python."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("key", help="print a new secret key, for SOJOURN_KEYS or a secret store")
    commands.add_parser("installed", help="list the stores and adapters that are installed")
    return _COMMANDS[parser.parse_args(arguments).command]()


def _key() -> int:
    sys.stdout.write(f"{KeyRing.generate()}\n")
    return 0


def _installed() -> int:
    for title, group in (("stores", STORES), ("adapters", ADAPTERS)):
        sys.stdout.write(f"{title}:\n")
        for name, target in installed(group).items():
            sys.stdout.write(f"  {name:<12}{target}\n")
    return 0


_COMMANDS = {"key": _key, "installed": _installed}

if __name__ == "__main__":
    sys.exit(main())
