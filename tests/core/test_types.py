"""Promises 37 and 38: ``session.data`` as a msgspec struct, field by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec
import pytest
from msgspec import Struct, field

from sojourn import ConfigurationError, SessionManager, SessionValueError, ValueDropped

from ._rows import Bare, NowaitRows
from ._site import Site

pytestmark = pytest.mark.anyio


class Visit(Struct):
    visits: int = 0
    name: str = ""
    tags: list[str] = field(default_factory=list)


class Frozen(Struct, frozen=True):
    visits: int = 0
    tags: tuple[str, ...] = ()


class Sparse(Struct, omit_defaults=True):
    visits: int = 0
    renamed: str = field(default="", name="other")


@pytest.fixture
def site(store: Bare) -> Site:
    """A site with a model."""
    return Site(store, model=Visit)


async def test_promise_37_a_typed_change_is_noticed(site: Site) -> None:
    """A change of a field, and one inside a field, are written."""
    browser = site.browser()
    async with browser.visit() as session:
        session.data.visits += 1
        session.data.tags.append("new")
    data = (await browser.load()).data
    assert Visit(visits=1, tags=["new"]) == data
    assert Visit is site.manager.model


async def test_promise_37_reading_the_model_writes_nothing(site: Site) -> None:
    """Looking at the model of a new visitor or an old one is no change."""
    new = site.browser()
    async with new.visit() as session:
        assert Visit() == session.data
    assert "" == new.cookie
    browser = await site.visitor(visits=1)
    async with browser.visit() as session:
        assert 1 == session.data.visits
    assert {"load"} == set(site.store.calls)


async def test_promise_37_fields_merge(site: Site) -> None:
    """Two requests that change different fields both succeed."""
    browser = await site.visitor(visits=1)
    one, two = await browser.load(), await browser.copy().load()
    one.data.visits, two.data.name = 5, "ann"
    await site.manager.commit(one)
    await site.manager.commit(two)
    assert Visit(5, "ann") == (await browser.load()).data
    assert Visit(5, "ann") == two.data


async def test_typed_and_mapping_access_see_the_same(site: Site) -> None:
    """What is set one way is seen the other way at once, by the very same object."""
    session = await site.manager.load([])
    data = session.data
    data.visits = 1
    assert 1 == session["visits"]
    session["visits"] = 2
    assert 2 == data.visits
    data.name, data.visits = "ann", 3
    session["tags"] = ["a"]
    assert Visit(3, "ann", ["a"]) == data
    assert 4 == session.modify("visits", lambda visits: visits + 1)
    session["free"] = [1]
    assert [1] == session["free"]
    del session["name"]
    assert Visit(4, "", ["a"]) == session.data
    assert data is session.data
    session.clear()
    assert Visit() == data


async def test_a_change_inside_a_mapping_value_reaches_the_model(site: Site) -> None:
    """A nested change from before the first look at the model is in it."""
    browser = await site.visitor(tags=["a"])
    async with browser.visit() as session:
        session["tags"].append("b")
        assert ["a", "b"] == session.data.tags
    assert ["a", "b"] == (await browser.load()).data.tags


async def test_the_model_can_be_replaced(site: Site) -> None:
    """Setting session.data replaces the values of all fields, and leaves other keys."""
    browser = await site.visitor(visits=1, name="ann", free=1)
    async with browser.visit() as session:
        session.data = Visit(name="bob")
    session = await browser.load()
    assert Visit(name="bob") == session.data
    assert 1 == session["free"]


async def test_a_model_of_defaults_that_are_left_out(store: Bare) -> None:
    """A field that goes back to its default is removed; names are the encoded ones."""
    browser = Site(store, model=Sparse).browser()
    async with browser.visit() as session:
        session.data.visits, session.data.renamed = 1, "x"
        assert {"visits": 1, "other": "x"} == dict(session)
    async with browser.visit() as session:
        session.data.visits = 0
    assert {"other": "x"} == await browser.sees()
    assert Sparse(0, "x") == (await browser.load()).data


async def test_a_frozen_model_is_replaced_as_a_whole(store: Bare) -> None:
    """A frozen model is set by assignment, and is a new object when a value changes."""
    site = Site(store, model=Frozen)
    browser = site.browser()
    async with browser.visit() as session:
        before = session.data
        session.data = Frozen(1, ("a",))
        session["visits"] = 2
        assert Frozen(2, ("a",)) == session.data
        assert Frozen() == before
    assert Frozen(2, ("a",)) == (await browser.load()).data


async def test_promise_37_fields_come_and_go(store: Bare) -> None:
    """A field that is new or gone logs nobody out."""

    class Former(Struct):
        visits: int = 0
        gone: str = ""

    browser = await Site(store, model=Former).visitor(visits=3, gone="x")
    session = await browser.copy(Site(store, model=Visit)).load()
    assert Visit(3) == session.data
    assert "x" == session["gone"]


async def test_promise_37_a_misfit_is_dropped_with_one_event(store: Bare) -> None:
    """A value that no longer fits its field is the default, told once; the others stay."""
    site = Site(store, model=Visit)
    browser = (await Site(store).visitor(visits="many", name="ann")).copy(site)
    session = await browser.load()
    assert Visit(0, "ann") == session.data
    assert session.get("visits") is None
    assert [ValueDropped(id=site.row.id, key="visits")] == site.events


async def test_promise_37_policy_may_raise(store: Bare) -> None:
    """With on_invalid_value="raise" a misfit is the handler's to see, by key and as a model."""
    site = Site(store, model=Visit, on_invalid_value="raise")
    browser = (await Site(store).visitor(visits="many")).copy(site)
    session = await browser.load()
    with pytest.raises((msgspec.ValidationError, SessionValueError)):
        session["visits"]
    for _again in range(2):
        with pytest.raises(SessionValueError, match="visits"):
            _ = session.data


WRONG: dict[str, Callable[[Any], Any]] = {
    "set": lambda s: s.set("visits", "many"),
    "flash": lambda s: s.flash("visits", "many"),
    "modify": lambda s: s.modify("visits", lambda _: "many"),
    "not to be encoded": lambda s: s.set("visits", object()),
    "comes back otherwise": lambda s: s.set("tags", ("a",)),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
async def test_promise_38_a_value_that_does_not_fit_is_refused(site: Site, change: Any) -> None:
    """A value that does not fit its field is refused at once, by the key's name."""
    session = await site.manager.load([])
    with pytest.raises(SessionValueError, match=r"visits|tags"):
        change(session)
    assert not session


@pytest.mark.parametrize("value", ["many", object()], ids=["misfit", "not to be encoded"])
async def test_a_field_that_was_assigned_wrongly_fails_the_commit(site: Site, value: Any) -> None:
    """A wrong value in a field is refused at commit, and nothing is written."""
    session = await site.manager.load([])
    session.data.visits = value
    with pytest.raises(SessionValueError, match=r"session\.data"):
        await site.manager.commit(session)
    assert {} == site.store.rows


class Span(Struct):
    start: int = 0
    end: int = 0

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError("a span ends after it starts")


class Choice(Struct):
    role: Literal["user", "admin"] = "user"
    tags: list[str] = []
    own: Span = field(default_factory=Span)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("role", "hush-hush", r"role \(Literal\['user', 'admin'\]\)$"),
        ("tags", [1], r"tags \(list\[str\]\)$"),
        ("own", "hush-hush", r"own \(Span\)$"),
        ("role", "hush-hush\ud800", r"\(UnicodeEncodeError\)$"),
        ("role", object(), r"\(Encoding objects of type object is unsupported\)$"),
    ],
)
async def test_promise_19_a_misfit_is_told_without_its_value(
    store: Bare, field: str, value: Any, told: str
) -> None:
    """The error names field and type; what a client may have sent is not in it."""
    session = await Site(store, model=Choice).manager.load([])
    setattr(session.data, field, value)
    with pytest.raises(SessionValueError, match=told) as caught:
        session.get("role")
    assert "hush" not in repr(caught.value)


async def test_what_is_no_model_is_refused(store: Bare) -> None:
    """Something else than a model, or one whose fields do not fit together, is no data."""
    session = await Site(store, model=Span).manager.load([])
    with pytest.raises(SessionValueError, match="give a Span"):
        session.data = 7
    session = await Site(store, model=Span).manager.load([])
    with pytest.raises(SessionValueError, match="Span refuses these values together"):
        session.data = {"start": 2, "end": 1}


async def test_data_without_a_model_says_what_to_do(store: Bare) -> None:
    """Session.data of an untyped manager is a ConfigurationError."""
    manager = Site(store).manager
    assert manager.model is None
    session = await manager.load([])
    with pytest.raises(ConfigurationError, match="model=MyStruct"):
        _ = session.data


async def test_values_that_do_not_fit_together_are_dropped(store: Bare) -> None:
    """Fields that fit one by one and not together are the defaults, with an event for each."""
    site = Site(store, model=Span)
    browser = (await Site(store).visitor(start=2, end=1)).copy(site)
    assert Span() == (await browser.load()).data
    assert {"start", "end"} == {event.key for event in site.told(ValueDropped)}


async def test_keep_reaches_the_model(site: Site) -> None:
    """A flash value that was read and kept is in the typed view again."""
    browser = site.browser()
    async with browser.visit() as session:
        session.flash("name", "ann")
    async with browser.visit() as session:
        data = session.data
        assert "ann" == session["name"]
        assert "" == data.name
        session.keep("name")
        assert "ann" == data.name
    assert {"name": "ann"} == await browser.sees()


class Required(Struct):
    visits: int


REFUSED: dict[str, Any] = {
    "a dict": dict,
    "an instance": Visit(),
    "array_like": msgspec.defstruct("A", [], array_like=True),
    "tag": msgspec.defstruct("B", [], tag=True),
    "forbid_unknown_fields": msgspec.defstruct("C", [], forbid_unknown_fields=True),
    "no default": Required,
}


@pytest.mark.parametrize("model", REFUSED.values(), ids=REFUSED.keys())
def test_a_model_that_cannot_be_one_is_refused(model: Any) -> None:
    """What cannot be kept field by field is refused at start-up."""
    with pytest.raises(ConfigurationError, match="model"):
        SessionManager(NowaitRows(), model=model)
