"""Promises 23, 25 and 26: the cookie's attributes, refused at once or exactly as asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn import (
    ConfigurationError,
    CookieOptions,
    SessionManager,
    SessionTooLargeError,
    SetCookie,
    Timeouts,
)

from ._rows import NowaitRows
from ._site import Site, drive, set_cookie_of

NAMES = st.sampled_from(
    [
        "session",
        "__Host-session",
        "__Secure-s",
        "__Http-s",
        "__Host-Http-s",
        "__host-x",
        "__SECURE-x",
    ]
)
SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "name": NAMES | st.text(max_size=5),
    "secure": st.booleans(),
    "http_only": st.booleans(),
    "same_site": st.sampled_from(["lax", "strict", "none"]) | st.text(max_size=5),
    "path": st.sampled_from(["/", "/app"]) | st.text(max_size=5),
    "domain": st.none() | st.sampled_from(["example.org", ".example.org"]) | st.text(max_size=5),
    "partitioned": st.booleans(),
    "persistent": st.booleans(),
}


def _expected(o: CookieOptions, *, age: str) -> list[str]:
    attributes = {
        age: o.persistent,
        f"Path={o.path}": True,
        f"Domain={o.domain}": o.domain is not None,
        "Secure": o.secure,
        "HttpOnly": o.http_only,
        f"SameSite={o.same_site.capitalize()}": True,
        "Partitioned": o.partitioned,
    }
    return [attribute for attribute, asked in attributes.items() if asked]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({}, optional=SETTINGS))
def test_promise_25_refused_or_exactly_as_asked(options: dict[str, Any]) -> None:
    """Any settings are refused at construction, or give one clean line with just what was asked."""
    try:
        cookie = CookieOptions(**options)
    except ConfigurationError:
        return
    writer = SetCookie(cookie)
    line = writer.line("abc", max_age=60.9)
    pair, *attributes = line.split("; ")
    assert f"{cookie.name}=abc" == pair
    assert _expected(cookie, age="Max-Age=60") == attributes
    assert cookie.persistent is writer.is_persistent
    assert cookie.name.encode() == writer.name
    for text in (line, writer.expired_line()):
        assert text.isascii()
        assert text.isprintable()


def test_promise_23_the_defaults() -> None:
    """By default the cookie is host-only, secure, hidden from scripts and SameSite=Lax."""
    line = SetCookie(CookieOptions()).line("abc", max_age=1800)
    expected = "__Host-session=abc; Max-Age=1800; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert expected == line


def test_promise_23_plain_http_is_an_explicit_choice() -> None:
    """With secure=False the default name loses its prefix, and Secure goes."""
    line = SetCookie(CookieOptions(secure=False)).line("abc", max_age=1800)
    assert "session=abc; Max-Age=1800; Path=/; HttpOnly; SameSite=Lax" == line


REFUSED: dict[str, dict[str, Any]] = {
    "empty name": {"name": ""},
    "name with blank": {"name": "a b"},
    "name with =": {"name": "a=b"},
    "name beyond ASCII": {"name": "séance"},
    "name with a line's end": {"name": "a\n"},
    "unknown same_site": {"same_site": "Lax"},
    "relative path": {"path": "app"},
    "empty path": {"path": ""},
    "path with ;": {"path": "/;Domain=x"},
    "path with CR LF": {"path": "/\r\nX: y"},
    "path with NUL": {"path": "/\0"},
    "empty domain": {"domain": ""},
    "domain with ;": {"domain": "a;b"},
    "domain beyond ASCII": {"domain": "bücher.example"},
    "__Host- with a domain": {"domain": "example.org"},
    "__Host- with a path": {"path": "/app"},
    "__Host- without secure": {"name": "__Host-x", "secure": False},
    "__Secure- without secure": {"name": "__Secure-x", "secure": False},
    "prefix in another case": {"name": "__hOST-x", "domain": "example.org"},
    "__Http- for scripts": {"name": "__Http-x", "http_only": False},
    "__Host-Http- for scripts": {"name": "__Host-Http-x", "http_only": False},
    "none without secure": {"same_site": "none", "secure": False},
    "partitioned without secure": {"partitioned": True, "secure": False},
    "a truth that is text": {"http_only": "false"},
    "a truth that is a number": {"secure": 0},
    "a name of bytes": {"name": b"session"},
    "no path": {"path": None},
    "a domain of numbers": {"domain": 127},
    "no same_site": {"same_site": None},
    "a list of same_site": {"same_site": ["lax"]},
}


@pytest.mark.parametrize("options", REFUSED.values(), ids=REFUSED.keys())
def test_promise_25_what_a_browser_would_drop_is_refused(options: dict[str, Any]) -> None:
    """A cookie that a browser would drop is refused when it is described."""
    with pytest.raises(ConfigurationError, match="CookieOptions"):
        CookieOptions(**options)


@pytest.mark.parametrize("where", ["name", "path", "domain"])
@given(st.text(max_size=4), st.sampled_from("\r\n\0;\t\x7f"), st.text(max_size=4))
def test_promise_25_no_control_character(where: str, before: str, bad: str, after: str) -> None:
    """No setting with a control character or a semicolon in it is accepted."""
    slash = "/" if where == "path" else ""
    options: dict[str, Any] = {"name": "session", where: f"{slash}{before}{bad}{after}"}
    with pytest.raises(ConfigurationError):
        CookieOptions(**options)


def test_promise_25_at_most_400_days() -> None:
    """A lifetime beyond 400 days is refused, unless the cookie has no age."""
    long = Timeouts(idle=None, absolute=401 * 86400)
    with pytest.raises(ConfigurationError, match="400 days"):
        SessionManager(NowaitRows(), timeouts=long)
    SessionManager(NowaitRows(), timeouts=long, cookie=CookieOptions(persistent=False))


@pytest.mark.parametrize("max_age", [0, 0.3, -5, 1, 1.9])
def test_an_age_is_at_least_a_second(max_age: float) -> None:
    """A cookie that is set is never told to expire at once."""
    assert "; Max-Age=1;" in SetCookie(CookieOptions()).line("abc", max_age=max_age)


def test_promise_26_4096_bytes_for_the_whole_line() -> None:
    """A line of 4096 bytes goes out, one of 4097 raises SessionTooLargeError."""
    writer = SetCookie(CookieOptions())
    room = 4096 - len(writer.line("", max_age=1800))
    assert 4096 == len(writer.line("x" * room, max_age=1800))
    with pytest.raises(SessionTooLargeError, match="4097 of at most 4096"):
        writer.line("x" * (room + 1), max_age=1800)


@pytest.mark.parametrize(
    "options",
    [{}, {"name": "s", "domain": "example.org", "path": "/app"}, {"partitioned": True}],
    ids=str,
)
def test_promise_17_removed_with_the_attributes_it_was_set_with(options: dict[str, Any]) -> None:
    """The line that removes the cookie has its attributes, no value, and both kinds of expiry."""
    site = Site(NowaitRows(), cookie=CookieOptions(**options))
    browser = site.browser()
    session = drive(browser.load())
    session["a"] = 1
    attributes = (set_cookie_of(drive(browser.commit(session))) or "").split("; ")[2:]
    session = drive(browser.load())
    session.destroy()
    pair, *removing = (set_cookie_of(drive(browser.commit(session))) or "").split("; ")
    assert f"{site.manager.cookie.name}=" == pair
    assert ["Max-Age=0", "Expires=Thu, 01 Jan 1970 00:00:00 GMT", *attributes] == removing
