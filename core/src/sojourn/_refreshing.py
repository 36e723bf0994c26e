"""Loading a draft on request, and again: the awaits of a handle that is used on its own."""

from __future__ import annotations

from ._backend import Opened
from ._draft import Draft
from ._errors import StoreError
from ._events import CommitDiscarded, Discard, Rejection
from ._loading import choose, report_failure


async def load(draft: Draft) -> None:
    """Load the draft unless it is loaded. Is no look of the handler's."""
    if draft.current is not None:
        return
    settings, backend = draft.settings, draft.settings.backend
    now = settings.clock()
    try:
        results = [await backend.load(ticket, now=now) for ticket in draft.tickets()]
    except StoreError as error:
        draft.fail_open(error, now)
        return
    if draft.current is None:  # another task of this request may have been faster
        draft.attach(choose(settings, results), now)


async def reload(draft: Draft) -> None:
    """Load the newest state, and replay what was changed here on it."""
    if not draft.settings.backend.lazy:
        await load(draft)
    draft.state()
    while (opened := draft.opened) is not None:
        draft.flush()
        now = draft.settings.clock()
        newest = await _newest(draft, opened, now)
        if draft.opened is opened:  # else another task of the request has written meanwhile
            _go_on(draft, opened, newest, now)
            return


async def _newest(draft: Draft, opened: Opened, now: float) -> Opened | Rejection:
    try:
        return await draft.settings.backend.load(opened.ticket, now=now)
    except StoreError as error:
        report_failure(draft.settings, "load", error)
        raise


def _go_on(draft: Draft, opened: Opened, newest: Opened | Rejection, now: float) -> None:
    if not isinstance(newest, Rejection):
        draft.rebase(newest, now, keep_patch=True)
        return
    if draft.is_changed:
        draft.settings.emit(CommitDiscarded(reason=Discard.GONE, id=opened.state.id))
    draft.rebase(None, now)
