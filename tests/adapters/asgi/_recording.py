"""A store that says whether it is open, and can be down."""

from sojourn import StoreUnavailableError
from sojourn_memory import MemoryStore


class Recording(MemoryStore):
    """Sessions in memory; ``is_open`` between ``aopen`` and ``aclose``."""

    def __init__(self, *, is_down: bool = False) -> None:
        super().__init__()
        self.is_open = False
        self.is_down = is_down
        self.openings = 0

    async def aopen(self) -> None:
        """What a manager does at start-up."""
        if self.is_down:
            raise StoreUnavailableError("made to fail")
        self.is_open = True
        self.openings += 1

    async def aclose(self) -> None:
        """What a manager does at the end."""
        self.is_open = False
        await super().aclose()

    async def create(self, record):
        """Fails while the store is down."""
        if self.is_down:
            raise StoreUnavailableError("made to fail")
        return await super().create(record)
