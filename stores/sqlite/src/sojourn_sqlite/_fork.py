"""Forking: SQLite's locks are a process's own, so no connection may cross a fork.

See sqlite.org/howtocorrupt.html, 2.6.
Leaving the parent's connections unused in the child is not enough: SQLite finds the file among
those that it believes open, and then takes no lock of the child's own. So all are closed before the
fork, and both processes open new ones when they need them.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class Forkable(Protocol):
    """What must be quiet while the process forks."""

    def before_fork(self) -> None:
        """Wait for the end of what is going on, close the connection, and hold still."""
        ...

    def after_fork(self, *, in_child: bool) -> None:
        """Go on; in the child without the thread and without anybody who waits."""
        ...


_lock = threading.Lock()
_all: weakref.WeakSet[Forkable] = weakref.WeakSet()
_held: list[Forkable] = []


def watch(this: Forkable) -> None:
    """Tell this object of forks, for as long as somebody holds it."""
    with _lock:
        _all.add(this)


def _before() -> None:
    _lock.acquire()
    _held.extend(_all)
    for each in _held:
        each.before_fork()


def _after(*, in_child: bool) -> None:
    while _held:
        _held.pop().after_fork(in_child=in_child)
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before,
        after_in_parent=lambda: _after(in_child=False),
        after_in_child=lambda: _after(in_child=True),
    )
