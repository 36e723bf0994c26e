"""Known answers, so that other implementations can check theirs, and we our next version."""

import json
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest

from sojourn import KeyRing, Opened, Policy, Presence, Rejection, SessionState, Timeouts, Unsealed
from sojourn_cookie import CookieBackend

from ._sessions import opened, sealed

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))


def backend_of(vector):
    """The backend that a vector speaks of."""
    return CookieBackend(
        KeyRing(bytes.fromhex(vector["key"])),
        cookie=vector["cookie"],
        policy=Policy.of(Timeouts()),
        entropy=lambda _size: bytes.fromhex(vector["nonce"]),
    )


def state_of(session):
    """The state that a vector's session is; its values as msgpack."""
    data = {k: msgspec.Raw(msgspec.msgpack.encode(v)) for k, v in session["data"].items()}
    changes = {"version": 1, "data": MappingProxyType(data), "flash": frozenset(session["flash"])}
    return SessionState(**{**session, **changes})


def name(vector):
    """What a vector is about."""
    return vector["comment"]


@pytest.mark.parametrize("vector", VECTORS["good"], ids=name)
def test_a_session_seals_to_the_known_token(vector):
    """Key, nonce and session determine the token, byte by byte."""
    backend = backend_of(vector)
    written = sealed(backend, state_of(vector["session"]), vector["now"])
    assert backend.spell(written.ticket) == vector["token"]
    unsealed = backend._box.open(written.ticket)
    assert isinstance(unsealed, Unsealed)
    assert unsealed.message.hex() == vector["message"]


@pytest.mark.parametrize("vector", VECTORS["good"], ids=name)
def test_the_known_token_opens_as_its_session(vector):
    """A token of an earlier release opens as the session that was sealed."""
    found = opened(backend_of(vector), vector["token"].encode(), vector["now"])
    assert isinstance(found, Opened)
    assert found.state == state_of(vector["session"])
    assert (found.presence, found.stale) == (Presence.SEAL, False)


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=name)
def test_a_bad_token_is_refused_for_the_known_reason(vector):
    """Each bad token opens nothing, and the operator learns why."""
    found = opened(backend_of(vector), vector["token"].encode(), vector["now"])
    assert (Rejection.MALFORMED if found is None else found) is Rejection(vector["expected"])


def test_there_are_twenty_bad_ones():
    """Every reason to refuse a sealed cookie has its vectors."""
    reasons = {vector["expected"] for vector in VECTORS["bad"]}
    assert len(VECTORS["bad"]) >= 20
    assert reasons == {"malformed", "unknown_key", "forged", "expired", "unreadable"}
