"""A store whose callers wait, after a failure, until the server is back."""

import asyncio

import anyio

from sojourn import SessionManager, StoreUnavailableError
from sojourn.testing import Wrapper, client_cookie
from sojourn_postgres import open_store

from ._rows import NOBODY, NOW, PATIENCE


class PatientStore(Wrapper):
    """Fails as the store inside does, but not before that works again.

    A workload would otherwise be through with its calls before a killed server has started.
    """

    async def around(self, name, arguments, call):
        """See ``Wrapper``."""
        if name == "aopen":
            return await _sooner_or_later(call)
        try:
            return await call()
        except StoreUnavailableError:
            await _sooner_or_later(lambda: self.inner.load(NOBODY, now=NOW))
            raise


async def _sooner_or_later(call):
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await call()
            except StoreUnavailableError:
                await asyncio.sleep(0.02)


def patient_store(url):
    """One over the rows at this URL, which is as patient."""
    return PatientStore(open_store(f"{url}&create=true&deadline={PATIENCE / 4}", None))


def visitor(url):
    """The Cookie header of a new session there."""

    async def begin():
        async with SessionManager(patient_store(url), sweep_every=None) as manager:
            return await client_cookie(manager, {"a": 1})

    return anyio.run(begin)
