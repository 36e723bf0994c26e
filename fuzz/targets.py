"""What is fuzzed, and what must hold for any bytes: more than that nothing raises.

Each target is a function of bytes that raises AssertionError, so that a corpus can be replayed
without a fuzzer. Time, keys and entropy stand still: the same bytes give the same answer.
"""

import re
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

from msgspec.structs import replace

from sojourn import (
    ConfigurationError,
    CookieOptions,
    KeyRing,
    Record,
    Session,
    SessionManager,
    SessionTooLargeError,
    SetCookie,
    Unsealed,
)
from sojourn._cookies import MAX_CANDIDATES, read
from sojourn._record import pack, unpack
from sojourn._token import Token, hash_secret, parse, spell
from sojourn_cookie import _format

from . import readers
from .rows import Rows

NOW = 1_800_000_000.0
NAME = b"__Host-session"
OLD_KEY, NEW_KEY = bytes(range(32)), bytes(range(32, 64))
OVERHEAD = 44


def finish(call: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never waits."""
    try:
        call.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("it waits for something")


def manager_over(store: Any, **options: Any) -> SessionManager[Any]:
    """A manager whose time stands still and whose entropy is a counter."""
    numbers = count(1)
    usual: dict[str, Any] = {
        "clock": lambda: NOW,
        "entropy": lambda size: next(numbers).to_bytes(size, "big"),
    }
    return SessionManager(store, **{**usual, **options})


def visit(manager: SessionManager[Any], *headers: bytes) -> Session[Any]:
    """The session of a request with these Cookie headers."""
    session: Session[Any] = finish(manager.load(headers))
    return session


def begun(manager: SessionManager[Any], **values: Any) -> bytes:
    """The cookie's value of a new session with these values."""
    session = visit(manager)
    session.update(values)
    line: str = finish(manager.commit(session)).headers[0][1]
    return line.partition(";")[0].partition("=")[2].encode()


def candidates(header: bytes) -> list[bytes]:
    """What could be ours; nothing if there is more than a browser sends."""
    found = readers.cookies([header], NAME)
    return found if len(found) <= MAX_CANDIDATES else []


# Targets


def cookie_header(data: bytes) -> None:
    """The reader agrees with a plain one; whoever comes without a session is a new visitor."""
    headers = data.split(b"\n")
    expected = readers.cookies(headers, NAME)
    assert read(headers, NAME) == expected[: MAX_CANDIDATES + 1]
    store = Rows({})
    session = visit(manager_over(store), *headers)
    assert session.is_new
    assert dict(session) == {}
    tokens = [readers.token(value) for value in expected]
    known = [token[0] for token in tokens if token] if len(expected) <= MAX_CANDIDATES else []
    assert store.asked == known, "junk never reaches a store"


ROWS = Rows({})
TOKEN = begun(manager_over(ROWS), a=1)


def token(data: bytes) -> None:
    """A token has one spelling, and opens its own row only."""
    parsed, expected = parse(data), readers.token(data)
    assert parsed == (None if expected is None else Token(*expected))
    assert parsed is None or spell(parsed).encode() == data
    header = NAME + b"=" + data
    session = visit(manager_over(ROWS), header)
    assert session.is_new is (TOKEN not in candidates(header))


def _sealing(*keys: bytes, cookie: CookieOptions | None = None) -> SessionManager[Any]:
    return manager_over("cookie://", keys=list(keys), cookie=cookie)


SEALS: dict[bytes, dict[str, Any]] = {
    begun(_sealing(NEW_KEY), a=1): {"a": 1},
    begun(_sealing(OLD_KEY), name="Anna", cart=[1, 2]): {"name": "Anna", "cart": [1, 2]},
}
"""Sealed cookies that open, with what they hold."""

OPENING = _sealing(NEW_KEY, OLD_KEY)

STRANGERS = [
    begun(_sealing(bytes(range(64, 96))), a=1),
    begun(_sealing(NEW_KEY, cookie=CookieOptions(name="__Host-other")), a=1),
]
"""Sealed with another key, and for another cookie."""

BOX = KeyRing(NEW_KEY, OLD_KEY).box("fuzz")
BOXES = {BOX.seal(b"message", nonce=bytes(24)): b"message", BOX.seal(b"", nonce=bytes(24)): b""}


def sealed(data: bytes) -> None:
    """Of all texts only those that we sealed open; anything else is an absent session."""
    header = NAME + b"=" + data
    session = visit(OPENING, header)
    genuine = [SEALS[value] for value in candidates(header) if value in SEALS]
    expected = genuine[0] if len(genuine) == 1 else None
    assert session.is_new is (expected is None)
    assert dict(session) == (expected or {})
    unsealed = BOX.open(data)
    assert (unsealed.message if isinstance(unsealed, Unsealed) else None) == BOXES.get(data)


def sealed_state(data: bytes) -> None:
    """What lies in a seal is a state or nothing, and a state is written back the same."""
    state = _format.unpack(data)
    if state is not None:
        again, message = _format.pack(state, around=OVERHEAD)
        assert again == _format.unpack(message)
        assert (again.data, again.flash, again.owner) == (state.data, state.flash, state.owner)
        assert again.expires_at <= state.expires_at, "nothing lives longer"


SECRET = bytes(32)
ROW = Record("0" * 32, hash_secret(SECRET), b"", 1, NOW - 10, NOW + 10)
COOKIE = NAME + b"=" + spell(Token(ROW.id, SECRET)).encode()


def record(data: bytes) -> None:
    """A payload is a state or nothing; a state reads, takes a value, and is written back."""
    state = unpack(ROW, data)
    assert readers.is_payload(data) in (None, state is not None)
    if state is not None:  # compared as bytes: a time may be NaN, which equals nothing
        again = unpack(ROW, pack(state))
        assert again is not None
        assert pack(again) == pack(state)
    manager = manager_over(Rows({ROW.id: replace(ROW, payload=data)}))
    session = visit(manager, COOKIE)
    assert session.is_new is (state is None)
    before = dict(session.items())
    session["fuzz"] = 1
    finish(manager.commit(session))
    if state is not None:
        after = dict(visit(manager, COOKIE).items())
        assert repr(after) == repr({**before, "fuzz": 1})


def set_cookie(data: bytes) -> None:
    """A browser takes a line for what was asked for, or nobody gets to send it."""
    flags, name, path, domain, value = (*data.split(b"\0"), b"", b"", b"", b"", b"")[:5]
    bits = flags[0] if flags else 0
    asked: dict[str, Any] = {
        "name": name.decode("latin-1"),
        "path": path.decode("latin-1"),
        "domain": domain.decode("latin-1") or None,
        "secure": bool(bits & 1),
        "http_only": bool(bits & 2),
        "partitioned": bool(bits & 4),
        "persistent": bool(bits & 8),
        "same_site": ("lax", "strict", "none", "lax")[bits >> 4 & 3],
    }
    try:
        writer = SetCookie(options := CookieOptions(**asked))
    except ConfigurationError:
        return
    expected = attributes(asked)
    text = re.sub(r"[^A-Za-z0-9_-]", "", value.decode("latin-1"))
    try:
        line = writer.line(text, max_age=bits * 1.5)
    except SessionTooLargeError:
        assert len(text) + sum(map(len, asked["name"] + asked["path"] + str(domain))) > 3800
    else:
        age = {"max-age": str(max(1, int(bits * 1.5)))} if asked["persistent"] else {}
        assert readers.set_cookie(line) == (options.name, text, {**expected, **age})
        assert len(line.encode()) <= 4096
        assert read([line.partition(";")[0].encode()], options.name.encode()) == [text.encode()]
    gone = readers.set_cookie(writer.expired_line())
    ends = {"max-age": "0", "expires": "Thu, 01 Jan 1970 00:00:00 GMT"}
    assert gone == (options.name, "", {**expected, **ends})


def attributes(asked: dict[str, Any]) -> dict[str, str]:
    """What a browser should take of these options, but for the age."""
    found = {"path": asked["path"], "samesite": asked["same_site"].capitalize()}
    found |= {} if asked["domain"] is None else {"domain": asked["domain"]}
    flags = {"secure": "secure", "httponly": "http_only", "partitioned": "partitioned"}
    return found | {key: "" for key, option in flags.items() if asked[option]}


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (cookie_header, token, sealed, sealed_state, record, set_cookie)
}
