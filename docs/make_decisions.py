"""Writes ``decisions.md`` from the planner's own table: ``uv run docs/make_decisions.py``."""

from __future__ import annotations

from pathlib import Path

from sojourn import Cookie, Intent, Operation, Presence, Secret
from sojourn import decisions as table

PAGE = Path(__file__).with_name("decisions.md")

_HEAD = """# What a commit does

This page is made from the table that the planner runs from (`uv run docs/make_decisions.py`); a
test keeps both the same.

A commit looks at two things: what the request's cookie opened, and what the handler asked for. The
strongest request counts: *restart* (destroyed, then written to), *destroy*, *bind* (login),
*rotate*, *renew* (`rotate_after` has passed), *change*, *extend* (activity or `touch`), *rest*
(nothing).

Where a response can carry no `Set-Cookie` (a websocket after its handshake, `manager.edit`), the
last column replaces the operation, and the cookie and the secret stay as they are. *refuse* means
that nothing is written and an event says so; `session.commit()` raises `SessionSealedError`.
"""

_OPENED = {
    Presence.NEW: "Nothing: a new visitor, or a cookie that is good for nothing",
    Presence.ROW: "A row, by its current secret",
    Presence.GRACE: "A row, by the secret before a periodic rotation",
    Presence.SEAL: "A sealed cookie that carries the session itself",
}


def page() -> str:
    """The page as it should be."""
    return "\n".join([_HEAD, *(_section(presence) for presence in Presence)])


def _section(presence: Presence) -> str:
    head = "| asked for | operation | cookie | secret | without a cookie |\n|---|---|---|---|---|"
    rows = [_row(presence, intent) for intent in Intent]
    return "\n".join([f"## {_OPENED[presence]}", "", head, *rows, ""])


def _row(presence: Presence, intent: Intent) -> str:
    row = table()[presence, intent]
    cells = [
        intent.value,
        row.operation.value,
        row.cookie.value,
        row.secret.value,
        row.without.value,
    ]
    quiet = {Operation.NOTHING.value, Cookie.LEAVE.value, Secret.KEEP.value}
    return "| " + " | ".join("" if cell in quiet else cell for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page())
