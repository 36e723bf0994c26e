"""Whatever happens to the stream of replies, nobody gets another's."""

import asyncio

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_redis._asked import Asked
from sojourn_redis._pipeline import Habits, Pipeline

pytestmark = pytest.mark.anyio


class Wire(asyncio.Transport):
    """Keeps what was written."""

    def __init__(self):
        super().__init__()
        self.written = b""

    def write(self, data):
        """Keep it."""
        self.written += data

    def abort(self):
        """Nothing to close."""


def answers(written):
    """What an honest server replies, one piece for each command."""
    reader = hiredis.Reader()
    reader.feed(written)
    while (command := reader.gets()) is not False:
        yield answer(*command)


def answer(name, *arguments):
    """A server that has its own name under each key."""
    if name == b"MGET":
        return b"*%d\r\n" % len(arguments) + b"".join(map(bulk, arguments))
    if name == b"EXISTS":
        return b":%d\r\n" % int(arguments[0])
    if name == b"WAIT":
        return b":1\r\n"
    return bulk(arguments[0])


def bulk(text):
    """A string in Redis's protocol."""
    return b"$%d\r\n%b\r\n" % (len(text), text)


def lose(replies, place):
    """One reply does not arrive."""
    return replies[:place] + replies[place + 1 :]


def double(replies, place):
    """One arrives twice."""
    return replies[: place + 1] + replies[place:]


def swap(replies, place):
    """Two change places."""
    return replies[:place] + replies[place : place + 2][::-1] + replies[place + 2 :]


def keep(replies, place):
    """Nothing happens."""
    return replies


COMMANDS = st.lists(
    st.tuples(st.sampled_from(["GET", "EXISTS"]), st.integers(0, 99)), min_size=1, max_size=12
)
HABITS = st.sampled_from([Habits(merges=True), Habits(False), Habits(False, 1, 10)])


@given(
    batches=st.lists(COMMANDS, min_size=1, max_size=3),
    habits=HABITS,
    fault=st.sampled_from([keep, lose, double, swap]),
    place=st.integers(0, 60),
    size=st.integers(1, 200),
)
def test_nobody_gets_another_s_reply(batches, habits, fault, place, size):
    """Lost, doubled or swapped anywhere, and cut in any pieces: each gets its own, or an error."""

    async def play():
        wire, ends = Wire(), []
        pipeline = Pipeline(habits, lambda: None, lambda _, error: ends.append(error))
        pipeline.connection_made(wire)
        asked = [
            [Asked((name, str(key)), 0.0, asyncio.get_running_loop()) for name, key in batch]
            for batch in batches
        ]
        for batch in asked:
            pipeline.send(batch)
        stream = b"".join(fault(list(answers(wire.written)), place))
        for start in range(0, len(stream), size):
            if not ends:
                piece = stream[start : start + size]
                pipeline.get_buffer(-1)[: len(piece)] = piece
                pipeline.buffer_updated(len(piece))
        for one in (one for batch in asked for one in batch):
            if one.is_over:
                name, key = map(str, one.command)
                right = key.encode() if name == "GET" else int(key)
                assert right == one.result()
            else:
                assert fault is not keep

    asyncio.run(play())


def test_replies_come_in_slices():
    """A reply that is written into the buffer slice by slice, as TLS does, is whole."""

    async def play():
        wire = Wire()
        pipeline = Pipeline(Habits(merges=True), lambda: None, lambda _, error: None)
        pipeline.connection_made(wire)
        asked = Asked(("GET", "key"), 0.0, asyncio.get_running_loop())
        pipeline.send([asked])
        stream = b"".join(answers(wire.written))
        buffer = pipeline.get_buffer(-1)
        buffer[:9] = stream[:9]
        buffer[9:][: len(stream) - 9] = stream[9:]
        pipeline.buffer_updated(len(stream))
        assert b"key" == asked.result()

    asyncio.run(play())
