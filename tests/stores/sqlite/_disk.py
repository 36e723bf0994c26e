"""A layer between apsw's SQLite and its files: it records, holds up and fails.

It changes two functions of the VFS (sqlite.org/vfs.html) of the system, which it hands everything
on to, and so works on the very library, connections and threads of the store. A VFS in apsw's own
manner would not do: an error that SQLite forgives comes out of it as an exception.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

_Pointer = ctypes.c_void_p


class _VFS(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", _Pointer),
        ("name", ctypes.c_char_p),
        ("data", _Pointer),
        ("open", _Pointer),
        ("delete", _Pointer),
        ("others", _Pointer * 14),
    ]


class _Methods(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_int),
        ("close", _Pointer),
        ("read", _Pointer),
        ("write", _Pointer),
        ("truncate", _Pointer),
        ("sync", _Pointer),
        ("others", _Pointer * 13),
    ]


def _function(*arguments):
    return ctypes.CFUNCTYPE(ctypes.c_int, *arguments)


_Open = _function(_Pointer, _Pointer, _Pointer, ctypes.c_int, _Pointer)
_Delete = _function(_Pointer, ctypes.c_char_p, ctypes.c_int)
_Close = _function(_Pointer)
_Move = _function(_Pointer, _Pointer, ctypes.c_int, ctypes.c_int64)
_Truncate = _function(_Pointer, ctypes.c_int64)
_Sync = _function(_Pointer, ctypes.c_int)

_FAILURES = {
    "read": apsw.SQLITE_IOERR_READ,
    "write": apsw.SQLITE_IOERR_WRITE,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "delete": apsw.SQLITE_IOERR_DELETE,
}
"""What SQLite's own layer says when the system fails such a call."""


class Call(NamedTuple):
    """One call that reached the disk. ``name``: of the file, without its folder."""

    kind: str
    name: str
    offset: int = 0
    data: bytes = b""


class Disk:
    """What passes on the way to the files. ``calls``: those that changed something, and syncs.

    ``watch`` sees each call before it is carried out, reads included. It may take its time, which
    holds up the thread that made the call; if it returns True, the call fails. A sync is not passed
    on: the machine stays up, and the tests need not wait for its disk.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.watch: Callable[[Call], bool] = lambda _: False

    def fails(self, call: Call) -> bool:
        """Whether the call must not be carried out."""
        if self.watch(call):
            return True
        if call.kind != "read":
            self.calls.append(call)
        return False


def _system():
    """The address of the VFS that connections have."""
    address = _Pointer()
    with closing(apsw.Connection(":memory:")) as connection:
        pointer = ctypes.addressof(address)
        assert connection.file_control("main", apsw.SQLITE_FCNTL_VFS_POINTER, pointer)
    return address.value


class _Layer:
    """The layer of this process. Its callbacks live as long as the process: SQLite keeps them."""

    def __init__(self) -> None:
        self.disk = Disk()
        self._system = _system()
        self._vfs = _VFS.from_address(self._system)
        self._theirs = (self._vfs.open, self._vfs.delete)
        self._open, self._delete = _Open(self._vfs.open), _Delete(self._vfs.delete)
        self._kept = (_Open(self._on_open), _Delete(self._on_delete))
        self._ours = tuple(ctypes.cast(each, _Pointer).value for each in self._kept)
        self._names: dict[int, str] = {}
        self._methods: dict[int, tuple[_Methods, object]] = {}

    def use(self, *, ours: bool) -> None:
        """Put the layer before the files of new connections, or take it away again."""
        self._vfs.open, self._vfs.delete = self._ours if ours else self._theirs

    def _on_open(self, _vfs, name, file, flags, out):
        # The name is passed on as it is: SQLite keeps more behind its end.
        code = self._open(self._system, name, file, flags, out)
        field = _Pointer.from_address(file)
        if code == apsw.SQLITE_OK and name and field.value:
            self._names[file] = Path(ctypes.string_at(name).decode()).name
            if field.value not in self._methods:
                self._methods[field.value] = self._watched(_Methods.from_address(field.value))
            field.value = ctypes.addressof(self._methods[field.value][0])
        return code

    def _on_delete(self, _vfs, name, sync):
        call = Call("delete", Path(name.decode()).name, sync)
        return self._done(call, self._delete, self._system, name, sync)

    def _watched(self, original):
        close, read, write = _Close(original.close), _Move(original.read), _Move(original.write)
        truncate = _Truncate(original.truncate)

        def on_close(file):
            self._names.pop(file, None)
            return close(file)

        def on_read(file, buffer, size, offset):
            return self._done(self._call("read", file, offset), read, file, buffer, size, offset)

        def on_write(file, buffer, size, offset):
            call = self._call("write", file, offset, ctypes.string_at(buffer, size))
            return self._done(call, write, file, buffer, size, offset)

        def on_truncate(file, size):
            return self._done(self._call("truncate", file, size), truncate, file, size)

        def on_sync(file, _flags):
            return self._done(self._call("sync", file), lambda: apsw.SQLITE_OK)

        methods = _Methods.from_buffer_copy(original)
        kept = {
            "close": _Close(on_close),
            "read": _Move(on_read),
            "write": _Move(on_write),
            "truncate": _Truncate(on_truncate),
            "sync": _Sync(on_sync),
        }
        for name, callback in kept.items():
            setattr(methods, name, ctypes.cast(callback, _Pointer).value)
        return methods, kept

    def _call(self, kind, file, offset=0, data=b""):
        return Call(kind, self._names.get(file, ""), offset, data)

    def _done(self, call, function, *arguments):
        if self.disk.fails(call):
            return _FAILURES[call.kind]
        return function(*arguments)


_layers: list[_Layer] = []


@contextmanager
def watched() -> Iterator[Disk]:
    """A disk for the connections that are opened in the block, of this process."""
    if not _layers:
        _layers.append(_Layer())
    layer = _layers[0]
    layer.disk = disk = Disk()
    layer.use(ours=True)
    try:
        yield disk
    finally:
        layer.use(ours=False)
        # Connections that are still open go on without being watched.
        layer.disk = Disk()
