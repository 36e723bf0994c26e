"""``cookie://``."""

from __future__ import annotations

from sojourn import ConfigurationError, StoreContext

from ._backend import CookieBackend


def open_store(url: str, context: StoreContext) -> CookieBackend:
    """The backend for ``cookie://``, which has no options: cookie, keys and timeouts say it all.

    Raises ConfigurationError without keys, and for a URL with anything more in it.
    """
    if url not in ("cookie://", "cookie:"):
        raise ConfigurationError(
            'cookie:// takes no host, path or option: write "cookie://", and give the rest to '
            "SessionManager (keys=, cookie=, timeouts=)"
        )
    if context.keys is None:
        raise ConfigurationError(
            "cookie:// needs keys to seal with: SessionManager(keys=...), for example keys="
            'os.environ["SOJOURN_KEYS"]; `python -m sojourn key` makes one'
        )
    return CookieBackend(
        context.keys,
        cookie=context.cookie.name,
        policy=context.policy,
        entropy=context.entropy,
        remember=context.remember,
    )
