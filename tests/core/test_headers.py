"""Promise 27: our headers among the application's own, and what counts as a look."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from sojourn import Session, apply_headers, joined, merge_headers

from ._rows import Bare
from ._site import Site, names_of

COOKIE = "session=abc; Path=/"
JOINED: dict[str, tuple[str | None, str, str | None]] = {
    "none": (None, "Cookie", "Cookie"),
    "empty": ("", "Cookie", "Cookie"),
    "another": ("Accept", "Cookie", "Accept, Cookie"),
    "there": ("Cookie", "Cookie", None),
    "there in lower case": ("accept, cookie", "Cookie", None),
    "there with blanks": ("Accept ,  Cookie ", "Cookie", None),
    "everything": ("*", "Cookie", None),
    "a longer name": ("Cookie2", "Cookie", "Cookie2, Cookie"),
    "public": ("public", "no-store", "public, no-store"),
}


@pytest.mark.parametrize(("existing", "ours", "whole"), JOINED.values(), ids=JOINED.keys())
def test_promise_27_a_member_is_joined_once(
    existing: str | None, ours: str, whole: str | None
) -> None:
    """Ours joins the list that is there, once and without regard to case."""
    assert whole == joined(existing, ours)


# own values, ours, what goes out: for one header
MERGED: dict[str, tuple[str, list[str], str, list[str]]] = {
    "vary alone": ("Vary", [], "Cookie", ["Cookie"]),
    "vary joins": ("Vary", ["Accept"], "Cookie", ["Accept, Cookie"]),
    "vary of two lines": ("Vary", ["Accept", "Origin"], "Cookie", ["Accept, Origin, Cookie"]),
    "vary is there": ("Vary", ["Accept", "cookie"], "Cookie", ["Accept", "cookie"]),
    "vary of everything": ("Vary", ["*"], "Cookie", ["*"]),
    "cache": ("Cache-Control", ["max-age=60"], "no-store", ["max-age=60, no-store"]),
    "a list of another name": ("X-List", ["a"], "b", ["a, b"]),
    "another name alone": ("X-List", [], "b", ["b"]),
    "cookie beside another": ("Set-Cookie", ["theme=dark"], COOKIE, ["theme=dark", COOKIE]),
    "cookie alone": ("Set-Cookie", [], COOKIE, [COOKIE]),
}


@pytest.mark.parametrize(("name", "own", "ours", "merged"), MERGED.values(), ids=MERGED.keys())
def test_promise_27_own_headers_are_kept_in_asgi(
    name: str, own: list[str], ours: str, merged: list[str]
) -> None:
    """An ASGI list keeps the application's headers, whatever case they are in."""
    for spelled in (name.lower().encode(), name.encode()):
        before = [(b"x-other", b"1"), *((spelled, value.encode()) for value in own)]
        after = merge_headers(before, ((name, ours),))
        assert (b"x-other", b"1") == after[0]
        assert merged == [v.decode() for n, v in after if n.lower() == name.lower().encode()]


@pytest.mark.parametrize(("name", "own", "ours", "merged"), MERGED.values(), ids=MERGED.keys())
def test_promise_27_own_headers_are_kept_in_containers(
    name: str, own: list[str], ours: str, merged: list[str]
) -> None:
    """A framework's container gets the same headers by its own three methods."""
    held = {name: list(own)}

    def replace(name: str, value: str) -> None:
        held[name] = [value]

    apply_headers(
        ((name, ours),),
        existing=lambda name: held.get(name, ()),
        replace=replace,
        add=lambda name, value: held[name].append(value),
    )
    assert merged == held[name]


Use = Callable[[Session[Any]], Any]

LOOKS: dict[str, Use] = {
    "__contains__": lambda s: "a" in s,
    "__delitem__": lambda s: s.__delitem__("a"),
    "__eq__": lambda s: s == {},
    "__getitem__": lambda s: s["a"],
    "__iter__": list,
    "__len__": len,
    "__ne__": lambda s: s != {},
    "__setitem__": lambda s: s.__setitem__("a", 1),
    "authenticated_at": lambda s: s.authenticated_at,
    "bind": lambda s: s.bind("ann"),
    "clear": lambda s: s.clear(),
    "created_at": lambda s: s.created_at,
    "data": lambda s: s.data,
    "destroy": lambda s: s.destroy(),
    "expires_at": lambda s: s.expires_at,
    "flash": lambda s: s.flash("a", 1),
    "forget": lambda s: s.forget("a"),
    "get": lambda s: s.get("a"),
    "id": lambda s: s.id,
    "is_new": lambda s: s.is_new,
    "items": lambda s: list(s.items()),
    "keep": lambda s: s.keep(),
    "keys": lambda s: list(s.keys()),
    "mark_accessed": lambda s: s.mark_accessed(),
    "modify": lambda s: s.modify("a", lambda _: 1),
    "owner": lambda s: s.owner,
    "peek": lambda s: s.peek("a"),
    "pop": lambda s: s.pop("a"),
    "popitem": lambda s: s.popitem(),
    "reload": lambda s: s.reload(),
    "rotate": lambda s: s.rotate(),
    "set": lambda s: s.set("a", 1),
    "setdefault": lambda s: s.setdefault("a", 1),
    "touch": lambda s: s.touch(),
    "update": lambda s: s.update(a=1),
    "values": lambda s: list(s.values()),
}
NO_LOOKS: dict[str, Use] = {
    "accessed": lambda s: s.accessed,
    "extend": lambda s: setattr(s, "extend", s.extend),
    "load": lambda s: s.load(),
    "pending": lambda s: s.pending,
    "__repr__": repr,
    "commit": lambda s: s.commit(),
}


def test_each_method_is_listed_as_a_look_or_not() -> None:
    """A new method of Session is in neither table, and fails here until somebody decides."""
    public = {name for name in dir(Session) if not name.startswith("_")}
    listed = {name for name in LOOKS.keys() | NO_LOOKS.keys() if not name.startswith("_")}
    assert public == listed


async def _used(site: Site, use: Use) -> Session[Any]:
    browser = await site.visitor(a=0)
    session = await browser.load()
    try:
        result = use(session)
        if inspect.isawaitable(result):
            await result
    except Exception as error:  # noqa: BLE001 - a model is not given, and that is a look as well
        assert "model" in str(error)  # noqa: PT017 - only where it raises
    return session


@pytest.mark.anyio
@pytest.mark.parametrize("name", LOOKS)
async def test_promise_27_looking_in_any_way_says_vary(store: Bare, name: str) -> None:
    """Whoever looks at the session in this way gets Vary: Cookie."""
    session = await _used(Site(store), LOOKS[name])
    assert session.accessed
    assert "Vary" in names_of(await Site(store).manager.commit(session))


@pytest.mark.anyio
@pytest.mark.parametrize("name", NO_LOOKS)
async def test_promise_27_no_look_says_nothing(store: Bare, name: str) -> None:
    """What is no look adds no header."""
    session = await _used(Site(store), NO_LOOKS[name])
    assert not session.accessed
    assert [] == names_of(await Site(store).manager.commit(session))


@pytest.mark.anyio
@pytest.mark.parametrize(("setting", "names"), [("no-store", 3), ("private", 3), (None, 2)])
async def test_promise_27_cache_control_beside_set_cookie(
    store: Bare, setting: str | None, names: int
) -> None:
    """Cache-Control goes out with Set-Cookie, as it was configured."""
    browser = Site(store, cache_control=setting).browser()
    async with browser.visit() as session:
        session["a"] = 1
    assert ["Set-Cookie", "Vary", "Cache-Control"][:names] == names_of(browser.result)
    assert setting is None or ("Cache-Control", setting) in browser.result.headers
