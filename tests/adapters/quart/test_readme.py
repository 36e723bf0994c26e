"""The README's programs, as they stand."""

import asyncio

import pytest
from tests.adapters._readme import load, programs

COUNTING, TYPED, TESTING = programs("adapters/quart/README.md")


def test_counting(tmp_path):
    """The first program runs, and counts the visits of a browser."""
    client = load(tmp_path, COUNTING).app.test_client()

    async def visit() -> str:
        return await (await client.get("/")).get_data(as_text=True)

    assert ["Visit number 1", "Visit number 2"] == [asyncio.run(visit()) for _ in range(2)]


def test_typed(tmp_path):
    """The typed program runs, and its login gives a session to its owner."""
    client = load(tmp_path, TYPED).app.test_client()

    async def log_in() -> str:
        return await (await client.post("/login")).get_data(as_text=True)

    assert ["Visit number 1", "Visit number 2"] == [asyncio.run(log_in()) for _ in range(2)]


def test_testing(tmp_path):
    """The test that the README shows runs, and can fail."""
    load(tmp_path, TESTING)
    with pytest.raises(AssertionError):
        load(tmp_path, TESTING.replace('["tea"]', '["tea", "bread"]'))
