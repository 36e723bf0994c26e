"""asyncpg, which has no types of its own: the one place that knows it.

asyncpg and not psycopg, because it is what async applications use already, speaks the server's
binary protocol itself, and takes the least time per statement.
"""

from __future__ import annotations

from typing import Any

import asyncpg as _asyncpg  # pyright: ignore[reportMissingTypeStubs]

asyncpg: Any = _asyncpg
"""The module."""
