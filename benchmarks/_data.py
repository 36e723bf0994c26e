"""The sessions that are measured: 7 keys, as much JSON as the name says."""

from __future__ import annotations

import json
import random
import string
from typing import Any

from sojourn import Timeouts

TIMEOUTS = Timeouts(idle=9000)
"""Of our managers: no session becomes old enough, while others are measured, to be extended.

A browser keeps the cookie of an extension, so that it has one in many requests. Here each request
comes with a session's first cookie, which would be extended again and again.
"""


def session_data(size: int) -> dict[str, Any]:
    """Seven keys that make *size* bytes of JSON."""
    data: dict[str, Any] = {
        "user": "alice@example.com",
        "visits": 41,
        "theme": "dark",
        "language": "en-GB",
        "cart": [101, 202, 303],
        "csrf": "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
        "note": "",
    }
    length = size - len(json.dumps(data, separators=(",", ":")))
    # Random letters: a site that compresses finds as little to gain as in most sessions.
    data["note"] = "".join(random.Random(size).choices(string.ascii_letters, k=length))  # noqa: S311
    return data


def small_data() -> dict[str, Any]:
    """115 bytes of JSON: what a visitor's session may hold who has not signed in."""
    return {"visits": 41, "csrf": "9f8e7d6c5b4a39281706f5e4d3c2b1a0", "cart": [101, 202, 303],
            "note": "n" * 26}  # fmt: skip
