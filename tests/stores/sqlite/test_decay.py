"""Bytes that changed on the disk: pages are told as damage, and rows are absent."""

from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_sqlite import SQLiteStore, SQLiteStoreError, Trouble, _rows, _schema

from ._rows import NOW, new, using

_PAGE = 4096


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_corrupt_pages(tmp_path, anyio_backend):
    """Junk in place of a page is told as damage by what meets it; the rest is read, all is kept."""
    path, rows = tmp_path / "a.db", [new(payload=bytes(3000)) for _ in range(40)]
    async with using(SQLiteStore(path)) as store:
        for row in rows:
            await store.create(row)
    content = bytearray(path.read_bytes())
    place = content.index(rows[30].secret_hash) // _PAGE * _PAGE
    content[place : place + _PAGE] = b"\xfe" * _PAGE
    path.write_bytes(content)
    store, found = SQLiteStore(path), []
    for row in rows:
        try:
            found.append(await store.load(row.id, now=NOW) == row)
        except SQLiteStoreError as error:
            found.append((error.trouble, str(path) in str(error)))
    assert set(found) == {True, (Trouble.CORRUPT, True)}
    assert found.count(True) > 20
    await store.aclose()
    assert path.read_bytes() == content


_SPOILT = {
    "secret_hash": ("?", st.binary(min_size=32, max_size=32)),
    "payload": ("?", st.binary(max_size=20).filter(lambda payload: payload != b"payload")),
    "owner": ("CAST(? AS TEXT)", st.binary(max_size=20).filter(lambda owner: owner != b"o")),
    "checksum": ("?", st.integers(0, 2**63 - 1)),
}


@pytest.fixture(scope="module")
def connections(tmp_path_factory):
    """A writer's cursor and a reader's, as the store opens them."""
    path = tmp_path_factory.mktemp("decay") / "a.db"
    with (
        closing(_schema.open_writer(path, "normal")) as writer,
        closing(_schema.open_reader(path)) as reader,
    ):
        yield writer.cursor(), reader.cursor()


@settings(deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("column", _SPOILT)
def test_a_value_that_decayed(connections, column, data):
    """It makes its row absent and no other, a text that is no text any more too."""
    writer, reader = connections
    row, other, (form, values) = new(owner="o"), new(owner="o"), _SPOILT[column]
    writer.execute("DELETE FROM sessions")
    for each in (row, other):
        _rows.create(writer, each)
    assert row in _rows.load_owner(reader, "o", NOW)
    spoilt = f"UPDATE sessions SET {column} = {form} WHERE id = ?"  # noqa: S608 - ours
    writer.execute(spoilt, (data.draw(values), bytes.fromhex(row.id)))
    assert _rows.load(reader, row.id, NOW) is None
    assert _rows.load(reader, other.id, NOW) == other
    assert _rows.load_owner(reader, "o", NOW) == [other]


@pytest.mark.parametrize("column", ["version", "created_at", "expires_at", "checksum"])
@pytest.mark.parametrize("text", [b"\xff", b"x"])
def test_a_number_that_became_a_text(tmp_path, monkeypatch, column, text):
    """Its row is absent, be it a text or no text at all; no other is, and no read stays open."""
    schema = [[sql.replace(") STRICT", ")") for sql in step] for step in _schema.MIGRATIONS]
    monkeypatch.setattr(_schema, "MIGRATIONS", schema)
    row, other = new(owner="o"), new(owner="o")
    with (
        closing(_schema.open_writer(tmp_path / "a.db", "normal")) as writer,
        closing(_schema.open_reader(tmp_path / "a.db")) as reader,
    ):
        for each in (row, other):
            _rows.create(writer.cursor(), each)
        spoilt = f"UPDATE sessions SET {column} = CAST(? AS TEXT) WHERE id = ?"  # noqa: S608 - ours
        writer.execute(spoilt, (text, bytes.fromhex(row.id)))
        cursor = reader.cursor()
        assert _rows.load(cursor, row.id, NOW) is None
        assert writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").get == (0, 0, 0)
        assert _rows.load_owner(cursor, "o", NOW) == [other]
        assert _rows.load(cursor, other.id, NOW) == other
        assert writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").get == (0, 0, 0)
