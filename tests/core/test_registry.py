"""Entry points: stores by their scheme, ours and everybody's alike; and ``python -m sojourn``."""

from __future__ import annotations

import runpy
import subprocess
import sys

import pytest

from sojourn import (
    ConfigurationError,
    KeyRing,
    SessionManager,
    UnknownStoreError,
    installed,
    manager_of,
)
from sojourn.__main__ import main
from sojourn._registry import _unknown

SOURCE = '''
"""A store package of a third party."""
from sojourn import ConfigurationError

class Shelf:
    def __init__(self, url, context):
        self.url, self.context = url, context
    async def load(self, id, *, now): ...
    async def create(self, record): ...
    async def replace(self, record, *, version, now): ...
    async def touch(self, id, *, version, expires_at, now): ...
    async def delete(self, id): ...
    async def aclose(self): ...

class Other(Shelf):
    pass

def stumble(url, context):
    raise ValueError(url)

def refuse(url, context):
    raise ConfigurationError("shelf: the option depth is a number")
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package with these entry points on ``sys.path``, as an installer does."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "shelf_of_others.py").write_text(SOURCE)

    def install(package: str, **stores: str) -> None:
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{scheme} = {target}" for scheme, target in stores.items()]
        (info / "entry_points.txt").write_text("\n".join(["[sojourn.stores]", *lines, ""]))

    yield install
    sys.modules.pop("shelf_of_others", None)


def _store_of(manager: SessionManager):
    return manager._settings.backend.store


def test_a_third_partys_store_opens_by_its_scheme(install) -> None:
    """An installed package's scheme gives its store, with the whole URL and the context."""
    install("shelf", shelf="shelf_of_others:Shelf")
    manager = SessionManager("shelf:///a?depth=1", keys=KeyRing.generate())
    store = _store_of(manager)
    assert "<SessionManager of ServerSide>" == repr(manager_of("shelf://"))
    assert "shelf:///a?depth=1" == store.url
    assert manager.cookie is store.context.cookie
    assert 1 == len(store.context.keys)
    assert 1800 == store.context.policy.idle
    assert "shelf_of_others:Shelf" == installed("sojourn.stores")["shelf"]


def test_two_packages_that_claim_one_scheme(install) -> None:
    """The choice does not depend on the order in which packages are found."""
    install("aaa", shelf="shelf_of_others:Shelf")
    install("zzz", shelf="shelf_of_others:Other")
    assert "Other" == type(_store_of(SessionManager("shelf://"))).__name__
    assert "shelf_of_others:Other" == installed("sojourn.stores")["shelf"]


def test_a_factory_speaks_for_itself(install) -> None:
    """What a factory raises about its URL reaches the developer as it is."""
    install("shelf", shelf="shelf_of_others:refuse")
    with pytest.raises(ConfigurationError, match="the option depth is a number"):
        SessionManager("shelf://?depth=x")


def test_an_unknown_scheme_lists_the_known_and_says_what_to_install(install) -> None:
    """The error names what was asked for, what there is, and the command that helps."""
    install("shelf", shelf="shelf_of_others:Shelf")
    with pytest.raises(UnknownStoreError) as caught:
        SessionManager("etcd://host")
    said = str(caught.value)
    assert 'no store is installed for "etcd://"' in said
    assert "shelf" in said.partition("(installed: ")[2].partition(")")[0].split(", ")
    assert "install its maker's package" in said


@pytest.mark.parametrize(
    ("scheme", "extra"), [("rediss", "redis"), ("valkey", "redis"), ("postgresql", "postgres")]
)
def test_an_extra_is_named_as_pip_knows_it(scheme: str, extra: str) -> None:
    """A scheme is not always the name of what brings it."""
    assert f'`pip install "sojourn[{extra}]"`' in _unknown(scheme)


def test_a_scheme_has_no_case(install) -> None:
    """Schemes are compared without regard to case (RFC 3986 3.1)."""
    install("shelf", shelf="shelf_of_others:Shelf")
    assert "SHELF://" == _store_of(SessionManager("SHELF://")).url


def test_a_url_that_cannot_be_read_is_not_shown(install) -> None:
    """Python shows the part with the password, so its words stay out, in the chain too."""
    install("shelf", shelf="shelf_of_others:stumble")
    with pytest.raises(ConfigurationError, match="this shelf: URL") as caught:
        SessionManager("shelf://user:hush@h\u2100st")
    assert "hush" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "nowhere://user:hush@host/0",
        "user hush:x@host",
        "hush/hush:6379",
        "averylongpasswordhush:x",
        "hush",
        "",
    ],
)
def test_a_password_in_a_url_is_never_shown(url: str) -> None:
    """Whatever is wrong with a URL, what could be a password stays out of the error."""
    with pytest.raises(ConfigurationError) as caught:
        SessionManager(url)
    assert "hush" not in str(caught.value)


def test_what_is_no_url_is_told_how_one_looks() -> None:
    """A text without a scheme gets examples."""
    with pytest.raises(ConfigurationError, match=r"memory://.*sqlite:///sessions\.db"):
        SessionManager("sessions.db")


def test_the_key_command(capsys) -> None:
    """``key`` prints a key that a ring takes, another one each time."""
    assert 0 == main(["key"])
    assert 0 == main(["key"])
    keys = capsys.readouterr().out.split()
    assert 2 == len(KeyRing(*keys))


def test_the_installed_command(install, capsys) -> None:
    """``installed`` lists stores and adapters with the object behind each name."""
    install("shelf", shelf="shelf_of_others:Shelf")
    assert 0 == main(["installed"])
    lines = capsys.readouterr().out.splitlines()
    assert "stores:" == lines[0]
    assert "  shelf       shelf_of_others:Shelf" in lines
    assert "adapters:" in lines


def test_no_command(capsys) -> None:
    """Without a command the usage is shown."""
    with pytest.raises(SystemExit):
        main([])
    assert "{key,installed}" in capsys.readouterr().err


def test_as_a_program() -> None:
    """``python -m sojourn key`` prints one line and ends well."""
    done = subprocess.run(
        [sys.executable, "-m", "sojourn", "key"], capture_output=True, check=True, text=True
    )
    assert 1 == len(KeyRing.of(done.stdout.strip()))
    assert "" == done.stderr


def test_as_a_module(monkeypatch, capsys) -> None:
    """Run as ``__main__``, the module takes the command line and exits with its status."""
    monkeypatch.setattr(sys, "argv", ["sojourn", "key"])
    monkeypatch.delitem(sys.modules, "sojourn.__main__")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("sojourn", run_name="__main__")
    assert 0 == ended.value.code
    assert capsys.readouterr().out
