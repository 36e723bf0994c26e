"""The fuzzer's corpus, replayed and changed a little; ``nox -s fuzz`` searches on."""

from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

if not entry_points(group="sojourn.stores", name="cookie"):
    pytest.skip("sojourn-cookie is not installed", allow_module_level=True)

from fuzz import readers, targets

from sojourn import SetCookie, Unsealed
from sojourn._token import parse
from sojourn_cookie import _format

CORPUS = Path(targets.__file__).parent / "corpus"
SEEDS = {
    name: [file.read_bytes() for file in sorted((CORPUS / name).iterdir())]
    for name in targets.TARGETS
}

each_target = pytest.mark.parametrize("name", targets.TARGETS)


@each_target
def test_the_corpus_holds(name):
    """What must hold of any bytes holds of each input that was kept."""
    for seed in SEEDS[name]:
        targets.TARGETS[name](seed)


@each_target
def test_what_is_near_the_corpus_holds(name):
    """The same of inputs with some bytes replaced, inserted, or cut out."""

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(SEEDS[name]), st.data())
    def check(seed, data):
        start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(seed))] * 2)))
        targets.TARGETS[name](seed[:start] + data.draw(st.binary(max_size=4)) + seed[end:])

    check()


def test_the_corpus_has_what_opens():
    """Tokens and seals that open are among the seeds, or nothing near them would be tried."""
    assert targets.TOKEN in SEEDS["token"]
    assert {*targets.SEALS, *targets.STRANGERS, *targets.BOXES} <= set(SEEDS["sealed"])


def unquoting(headers, name):
    """A reader that takes quotes off."""
    return [value.strip(b'"') for value in readers.cookies(headers, name)]


def lengthening(state, *, around):
    """A writer that lets sessions live longer."""
    return _format.pack(replace(state, expires_at=state.expires_at + 1), around=around)


class ForgettingSetCookie(SetCookie):
    """A writer that removes another cookie than the one it set."""

    def expired_line(self):
        """Without its path."""
        return super().expired_line().replace("; Path=/", "")


FAULTS = {
    "cookie_header": ("read", unquoting),
    "token": ("parse", lambda value: parse(value.strip())),
    "sealed": ("BOX", SimpleNamespace(open=lambda sealed: Unsealed(sealed[28:-16], stale=False))),
    "sealed_state": ("_format", SimpleNamespace(unpack=_format.unpack, pack=lengthening)),
    "record": ("unpack", lambda row, packed: None),
    "set_cookie": ("SetCookie", ForgettingSetCookie),
}


@each_target
def test_targets_bite(name, monkeypatch):
    """Each target tells a reader or writer with a fault from ours, by its corpus alone."""
    attribute, fault = FAULTS[name]
    monkeypatch.setattr(targets, attribute, fault)
    with pytest.raises(AssertionError):
        test_the_corpus_holds(name)
