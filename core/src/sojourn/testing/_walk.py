"""Walking every path through a program that asks "which one?" now and then."""

from __future__ import annotations

from collections.abc import Callable


class Chooser:
    """Answers from a given path first, and with the first option after its end."""

    def __init__(self, path: list[int]) -> None:
        self._path = path
        self.taken: list[tuple[int, int]] = []

    def __call__(self, options: int) -> int:
        """One of ``range(options)``; there must be at least one."""
        depth = len(self.taken)
        chosen = self._path[depth] if depth < len(self._path) else 0
        # A path that was walked elsewhere may offer more than there is here.
        chosen = min(chosen, options - 1)
        self.taken.append((chosen, options))
        return chosen


def walk(run: Callable[[Chooser], None]) -> int:
    """Run it once for each path, depth first, and say how many there were.

    ``run`` must ask the same questions again when it gets the same answers.
    """
    path: list[int] = []
    count = 0
    while True:
        chooser = Chooser(path)
        run(chooser)
        count += 1
        taken = chooser.taken
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        if not taken:
            return count
        path = [chosen for chosen, _ in taken[:-1]] + [taken[-1][0] + 1]


def spread(paths: list[list[int]], limit: int) -> list[list[int]]:
    """At most ``limit`` of them, evenly from the first to the last."""
    count = min(len(paths), limit)
    return [paths[number * len(paths) // count] for number in range(count)]
