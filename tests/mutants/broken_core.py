"""Faults in the backend and in the planner, each made by one change of the core."""

# ruff: noqa: D103 - each function is named after its one fault

from msgspec.structs import replace

from sojourn import Cookie, Intent, Operation, Outcome, Presence, Secret, _plan, _serverside
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
    honest = _serverside.presence_of
    monkeypatch.setattr(
        _serverside, "presence_of", lambda token, record, now: honest(token, record, 0)
    )


def writing(careless):
    """The backend of rows with another way to write; it gets the honest one, too."""

    def fault(monkeypatch):
        honest = _serverside.ServerSide.write

        async def write(self, plan, *, now):
            return await careless(self, plan, now, honest)

        monkeypatch.setattr(_serverside.ServerSide, "write", write)

    return fault


async def conflicts_are_overwritten(backend, plan, now, honest):
    if plan.operation is Operation.REPLACE:
        newest = await backend.store.load(plan.opened.record.id, now=now)
        newer = replace(plan.opened, record=newest or plan.opened.record)
        plan = replace(plan, opened=newer)
    return await honest(backend, plan, now=now)


async def what_is_gone_is_created(backend, plan, now, honest):
    written = await honest(backend, plan, now=now)
    if written.outcome is not Outcome.GONE:
        return written
    again = replace(plan, opened=None, operation=Operation.CREATE)
    return await honest(backend, again, now=now)


async def what_is_gone_is_fine(backend, plan, now, honest):
    written = await honest(backend, plan, now=now)
    if written.outcome is not Outcome.GONE:
        return written
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
    "ConflictsAreOverwritten": writing(conflicts_are_overwritten),
    "WhatIsGoneIsCreated": writing(what_is_gone_is_created),
    "WhatIsGoneIsFine": writing(what_is_gone_is_fine),
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
