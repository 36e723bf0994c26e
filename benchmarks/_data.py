"""The sessions that are measured: 7 keys, as much JSON as the name says."""

from __future__ import annotations

import json
from typing import Any


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
    data["note"] = "n" * (size - len(json.dumps(data, separators=(",", ":"))))
    return data


SMALL = session_data(250)
LARGE = session_data(1500)
