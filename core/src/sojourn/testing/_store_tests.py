"""``StoreTests``: the whole suite of a store, under one name."""

from __future__ import annotations

from ._store_abilities import NowaitTests, OtherObjectTests, OwnerTests, SweepTests
from ._store_contract import CloseTests, CreateTests, DeleteTests, LoadTests
from ._store_faults import FaultTests, FlashTests, MachineTests, OwnedSessionTests, TimeTests
from ._store_races import CancellationTests, RaceTests
from ._store_schedules import ScheduleTests
from ._store_sessions import CostTests, IdentityTests, MergeTests
from ._store_writes import ReplaceTests, TouchTests


class StoreTests(
    LoadTests,
    CreateTests,
    ReplaceTests,
    TouchTests,
    DeleteTests,
    CloseTests,
    SweepTests,
    OwnerTests,
    NowaitTests,
    OtherObjectTests,
    RaceTests,
    CancellationTests,
    CostTests,
    MergeTests,
    IdentityTests,
    TimeTests,
    OwnedSessionTests,
    FlashTests,
    FaultTests,
    MachineTests,
    ScheduleTests,
):
    """Every promise that a store can keep or break. Subclass it, and supply ``make_store``::

        class TestMyStore(StoreTests):
            @pytest.fixture
            def make_store(self, tmp_path):
                return lambda: MyStore(tmp_path / "sessions")

    Abilities are found by protocol (``SupportsOwners``, ...). ``shares_rows = True`` says that all
    objects that ``make_store`` makes in one test see the same rows. It runs on asyncio and on trio,
    with anyio's pytest plugin; override ``anyio_backend`` for a store that knows one of them only.
    """
