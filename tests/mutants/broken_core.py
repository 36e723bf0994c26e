"""Faults in the backend and in the planner, each made by one change of the core."""

# ruff: noqa: D103 - each function is named after its one fault

from msgspec.structs import replace

from sojourn import Cookie, Intent, Operation, Outcome, Presence, Secret, _plan, _serverside
from sojourn._row_secrets import presence_of
from sojourn._timeouts import Policy


def table(presence, intent, **changes):
    """The decision table with one line changed."""

    def fault(monkeypatch):
        line = _plan.TABLE[presence, intent]._replace(**changes)
        monkeypatch.setitem(_plan.TABLE, (presence, intent), line)

    return fault


def secret_is_stored(monkeypatch):
    monkeypatch.setattr(_serverside, "hash_secret", lambda secret: secret)


def any_secret_opens(monkeypatch):
    monkeypatch.setattr(_serverside, "presence_of", lambda token, record, now: Presence.ROW)


def grace_without_end(monkeypatch):
    monkeypatch.setattr(
        _serverside, "presence_of", lambda token, record, now: presence_of(token, record, 0)
    )


def writes(careless):
    """The way in which a row is replaced, changed: ``careless(backend, honest, plan, now)``."""

    def fault(monkeypatch):
        honest = _serverside.ServerSide.write

        async def write(self, plan, *, now):
            if plan.operation is not Operation.REPLACE:
                return await honest(self, plan, now=now)
            return await careless(self, honest, plan, now)

        monkeypatch.setattr(_serverside.ServerSide, "write", write)

    return fault


async def conflicts_are_overwritten(backend, honest, plan, now):
    newest = await backend.store.load(plan.opened.record.id, now=now)
    opened = replace(plan.opened, record=newest or plan.opened.record)
    return await honest(backend, replace(plan, opened=opened), now=now)


async def what_is_gone_is_created(backend, honest, plan, now):
    written = await honest(backend, plan, now=now)
    return await backend._create(plan.after) if written.outcome is Outcome.GONE else written


async def what_is_gone_is_fine(backend, honest, plan, now):
    written = await honest(backend, plan, now=now)
    return replace(written, outcome=Outcome.APPLIED, opened=plan.opened)


def nothing_is_throttled(monkeypatch):
    def extended(self, created_at, expires_at, now):
        return max(expires_at, self.deadline(created_at, now))

    monkeypatch.setattr(Policy, "extended", extended)


def absolute_is_forgotten(monkeypatch):
    monkeypatch.setattr(Policy, "deadline", lambda self, created_at, now: now + self.idle)
    monkeypatch.setattr(Policy, "is_over", lambda self, created_at, ends, now: ends <= now)


ROW = Presence.ROW

FAULTS = {
    "SecretIsStored": secret_is_stored,
    "AnySecretOpens": any_secret_opens,
    "GraceWithoutEnd": grace_without_end,
    "ConflictsAreOverwritten": writes(conflicts_are_overwritten),
    "WhatIsGoneIsCreated": writes(what_is_gone_is_created),
    "WhatIsGoneIsFine": writes(what_is_gone_is_fine),
    "NothingIsThrottled": nothing_is_throttled,
    "AbsoluteIsForgotten": absolute_is_forgotten,
    "LoginKeepsTheSecret": table(ROW, Intent.BIND, secret=Secret.KEEP),
    "LoginHasAGrace": table(ROW, Intent.BIND, secret=Secret.GRACE),
    "LogoutKeepsTheCookie": table(ROW, Intent.DESTROY, cookie=Cookie.LEAVE),
    "LogoutKeepsTheRow": table(ROW, Intent.DESTROY, operation=Operation.NOTHING),
    "RenewalHasNoGrace": table(ROW, Intent.RENEW, secret=Secret.FRESH),
    "BeginsWithoutACookie": table(Presence.NEW, Intent.CHANGE, without=Operation.CREATE),
    "LoginWithoutACookie": table(ROW, Intent.BIND, without=Operation.REPLACE),
    "GraceIsReadOnly": table(Presence.GRACE, Intent.CHANGE, operation=Operation.NOTHING),
}
