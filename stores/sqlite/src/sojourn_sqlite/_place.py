"""The file before SQLite sees it: its mode, its folder, its file system."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

from ._errors import SQLiteStoreError, Trouble

_PRIVATE = stat.S_IRUSR | stat.S_IWUSR
_OF_OTHERS = stat.S_IRWXO
# Closing any descriptor of a file drops all locks that this process has on it
# (sqlite.org/howtocorrupt.html, 2.2): nobody opens it between its creation and that close.
_creating = threading.Lock()
_MOUNTS = Path("/proc/mounts")
# WAL shares memory between processes of one host; these file systems have several hosts.
_NETWORKS = frozenset(
    {
        "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.davfs2", "fuse.glusterfs", "fuse.rclone",
        "fuse.s3fs", "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
        "ocfs2", "smb3", "smbfs",
    }
)  # fmt: skip


def make_private(path: Path) -> None:
    """Create the file with mode 0600, or take an existing one's access from others.

    SQLite gives ``-wal`` and ``-shm`` the mode of the file itself. A group that was let in stays.
    Raises SQLiteStoreError if the folder is missing, or not writable.
    """
    refuse_network(path)
    try:
        with _creating:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE))
    except FileExistsError:
        _narrow(path)
    except OSError as error:
        detail = f"{type(error).__name__}: {os.strerror(error.errno or 0)}"
        raise SQLiteStoreError(path, Trouble.UNREACHABLE, detail) from error


def _narrow(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OF_OTHERS and os.access(path, os.W_OK) and path.is_file():
        path.chmod(mode & ~_OF_OTHERS)


def refuse_network(path: Path) -> None:
    """Raises SQLiteStoreError if the path is on a network file system, where that can be told."""
    try:
        mounts = _MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        return
    kind = file_system(path.parent.resolve(), mounts)
    if kind in _NETWORKS:
        raise SQLiteStoreError(path, Trouble.NETWORK, kind)


def file_system(folder: Path, mounts: str) -> str:
    """The type of the file system that a folder is on, from the text of /proc/mounts (proc(5))."""
    deepest, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:  # noqa: PLR2004 - device, mount point, type
            continue
        point = Path(_unescaped(fields[1]))
        # The last mount on a point hides the earlier ones.
        if folder.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, kind = len(point.parts), fields[2]
    return kind


def _unescaped(text: str) -> str:
    for code, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        text = text.replace(code, character)
    return text
