"""Merging our response headers into an application's own, the same way for every framework.

``Vary`` and ``Cache-Control`` are lists (RFC 9110 5.6.1): ours joins what is there, and nothing of
the application's is dropped. ``Set-Cookie`` is always a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ._committing import Headers

_RAW_NAMES = {n: n.lower().encode() for n in ("Set-Cookie", "Vary", "Cache-Control")}

RawHeaders = list[tuple[bytes, bytes]]
"""ASGI's header list: names in lower case."""


def joined(existing: str | None, addition: str) -> str | None:
    """The value of a list header with ours in it; None if it needs no change.

    ``Vary: *`` says more than ours already; ``no-store`` beside ``public`` wins (RFC 9111 5.2.2.5).
    """
    if not existing:
        return addition
    members = {member.strip().lower() for member in existing.split(",")}
    if addition.lower() in members or "*" in members:
        return None
    return f"{existing}, {addition}"


def merge_headers(own: Iterable[tuple[bytes, bytes]], ours: Headers) -> RawHeaders:
    """An ASGI header list with ours merged in."""
    merged = list(own)
    # All names as one text: what does not occur in it is not there, and need not be looked for.
    names = b" ".join(dict(merged)).lower()
    for name, value in ours:
        raw_name = _RAW_NAMES.get(name) or name.lower().encode("ascii")
        if raw_name in names and name != "Set-Cookie":
            merged = _with_member(merged, raw_name, value)
        else:
            merged.append((raw_name, value.encode("ascii")))
    return merged


def _with_member(headers: RawHeaders, name: bytes, value: str) -> RawHeaders:
    present = [v for n, v in headers if n.lower() == name]
    whole = joined(b", ".join(present).decode("latin-1"), value)
    if whole is None:
        return headers
    return [*(h for h in headers if h[0].lower() != name), (name, whole.encode("latin-1"))]


def apply_headers(
    ours: Headers,
    *,
    existing: Callable[[str], Iterable[str]],
    replace: Callable[[str, str], object],
    add: Callable[[str, str], object],
) -> None:
    """Merge our headers into a framework's header container, by its own three methods.

    ``existing(name)``: the values that are there; ``replace(name, value)``: make this the only
    value; ``add(name, value)``: one more line.
    """
    for name, value in ours:
        if name == "Set-Cookie":
            add(name, value)
            continue
        whole = joined(", ".join(existing(name)), value)
        if whole is not None:
            replace(name, whole)
