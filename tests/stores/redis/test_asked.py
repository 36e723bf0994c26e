"""What a task that waits for a reply can rely on, as with a future."""

import asyncio
import contextvars
import gc
import weakref

import pytest

from sojourn_redis._asked import Asked

pytestmark = pytest.mark.anyio


def new():
    """A command that nobody has sent."""
    return Asked(("GET", "key"), 0.0, asyncio.get_running_loop())


async def waiting(asked, **options):
    """A task that has begun to wait."""

    async def wait():
        return await asked

    task = asyncio.get_running_loop().create_task(wait(), **options)
    await asyncio.sleep(0)
    return task


async def from_the_loop(call, *arguments):
    """What the event loop calls, outside of all tasks."""
    asyncio.get_running_loop().call_soon(call, *arguments)
    await asyncio.sleep(0)


async def test_the_task_goes_on_at_once():
    """Who waits has gone on before the reply's taker has."""
    asked, seen = new(), []
    task = await waiting(asked)

    def take():
        asked.take(b"reply")
        seen.append(task.done())

    await from_the_loop(take)
    assert [True] == seen
    assert b"reply" == await task


async def test_a_reply_before_anybody_waits():
    """A reply, or an error, that came first is there for who waits later."""
    early, failed = new(), new()
    early.take(b"reply")
    failed.fail(ValueError("no"))
    assert b"reply" == await early
    with pytest.raises(ValueError, match="no"):
        await failed


@pytest.mark.parametrize("name", ["take", "fail"])
async def test_an_error_is_raised(name):
    """An error, as a reply or in its place, is raised where the task waits."""
    asked = new()
    task = await waiting(asked)
    await from_the_loop(getattr(asked, name), ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await task


async def test_an_error_from_another_task():
    """An error that another task is the cause of comes in a turn of its own."""
    asked = new()
    task = await waiting(asked)
    asked.fail(ValueError("no"))
    assert not task.done()
    with pytest.raises(ValueError, match="no"):
        await task


async def test_cancelled():
    """A task that is cancelled says so with the message, and a reply comes too late."""
    asked = new()
    task = await waiting(asked)
    assert task.cancel("enough")
    assert asked.is_over
    await from_the_loop(asked.take, b"reply")
    with pytest.raises(asyncio.CancelledError, match="enough"):
        await task
    assert not asked.cancel()


@pytest.mark.parametrize(
    "end",
    [
        lambda asked, _: asked.take(b"reply"),
        lambda asked, _: asked.fail(ValueError("no")),
        lambda _, task: task.cancel(),
    ],
    ids=["reply", "failure", "cancellation"],
)
async def test_no_garbage(end):
    """A reply, an outage and a cancellation leave nothing to the garbage collector."""
    asked = new()
    task = await waiting(asked)
    kept = weakref.ref(task)
    gc.disable()
    try:
        await from_the_loop(end, asked, task)
        await asyncio.wait([task])
        assert task.cancelled() or task.exception() or task.result()
        del asked, task
        assert kept() is None
    finally:
        gc.enable()


async def test_in_time():
    """A timeout ends the waiting."""
    asked = new()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await asked
    assert asked.is_over


async def test_each_task_has_its_own_context():
    """A task goes on with its own context variables, also where several share one context."""
    name = contextvars.ContextVar("name", default="")
    contexts = [contextvars.copy_context() for _ in range(2)]
    for number, context in enumerate(contexts):
        context.run(name.set, str(number))
    all_asked, found = [new() for _ in range(4)], []

    async def wait(asked):
        await asked
        found.append(name.get())

    loop = asyncio.get_running_loop()
    tasks = [
        loop.create_task(wait(asked), context=contexts[number % 2])
        for number, asked in enumerate(all_asked)
    ]
    await asyncio.sleep(0)

    def take():
        for asked in all_asked:
            asked.take(b"reply")

    await from_the_loop(take)
    await asyncio.gather(*tasks)
    assert ["0", "1", "0", "1"] == found
