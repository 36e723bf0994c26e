"""The proxy does what it is told, to plain sockets of a server that answers each line."""

import socket
import socketserver
import threading
from contextlib import contextmanager
from typing import Any

import pytest

from ._proxy import Proxy


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        """Give each line back, and remember it."""
        try:
            for line in self.rfile:
                server: Any = self.server
                server.seen.append(line)
                self.wfile.write(line)
        except ConnectionResetError:
            pass


@pytest.fixture(params=["tcp", "unix"])
def seen(request, tmp_path):
    """The lines that the server got."""
    return []


@contextmanager
def serving(seen):
    """A server on a free port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads, server.block_on_close = True, False
        vars(server)["seen"] = seen
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(request, seen, tmp_path):
    """A proxy in front of the server, on TCP and on a unix socket."""
    listen = tmp_path / "s" if "unix" in request.node.name else None
    with serving(seen) as address, Proxy(address, listen=listen) as proxy:
        yield proxy


class Client:
    """A connection through the proxy."""

    def __init__(self, proxy):
        is_tcp = isinstance(proxy.address, tuple)
        self.socket = socket.socket(socket.AF_INET if is_tcp else socket.AF_UNIX)
        self.socket.settimeout(10)
        try:
            self.socket.connect(proxy.address if is_tcp else str(proxy.address))
        except OSError:
            self.socket.close()
            raise
        proxy.wait_until(lambda proxy: proxy.connections)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()

    def send(self, line):
        """Send a line."""
        self.socket.sendall(line + b"\n")

    def ask(self, line):
        """Send a line, and give what comes then."""
        self.send(line)
        return self.read()

    def read(self):
        """What comes next."""
        return self.socket.recv(100)

    def has_nothing(self):
        """Whether nothing came so far."""
        self.socket.settimeout(0)
        try:
            return self.socket.recv(100) == b"impossible"
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(10)

    def is_reset(self):
        """Whether the connection ends now."""
        try:
            return self.read() == b""
        except ConnectionResetError:
            return True


def test_passes(proxy):
    """Bytes pass both ways, on many connections."""
    with Client(proxy) as one, Client(proxy) as two:
        assert one.ask(b"1") == b"1\n"
        assert two.ask(b"2") == b"2\n"
        proxy.wait_until(lambda proxy: proxy.accepted == 2)
    proxy.wait_until(lambda proxy: proxy.connections == 0)


def test_holds_requests(proxy, seen):
    """What is held does not reach the server, and comes in order afterwards."""
    with Client(proxy) as client:
        assert client.ask(b"0") == b"0\n"
        proxy.hold_requests()
        client.send(b"1")
        proxy.wait_until(lambda proxy: proxy.held == 1)
        assert seen == [b"0\n"]
        proxy.release()
        assert client.read() == b"1\n"
        assert client.ask(b"2") == b"2\n"


def test_holds_replies(proxy, seen):
    """A request whose reply is held has taken effect; cut, the reply is lost."""
    with Client(proxy) as client:
        proxy.hold_replies()
        client.send(b"1")
        proxy.wait_until(lambda proxy: proxy.held == 1)
        assert seen == [b"1\n"]
        assert client.has_nothing()
        proxy.cut()
        assert client.is_reset()
    proxy.release()
    with Client(proxy) as client:
        assert client.ask(b"2") == b"2\n"


def test_drops_and_repeats(proxy):
    """Lost replies never come, repeated ones come twice, and the connection stays."""
    with Client(proxy) as client:
        proxy.drop_replies(1)
        client.send(b"1")
        proxy.wait_until(lambda proxy: proxy.lost == 1)
        proxy.repeat_replies(1)
        assert client.ask(b"2") == b"2\n2\n"
        assert client.ask(b"3") == b"3\n"


def test_shifts(proxy):
    """Shifted answers come one late, until the proxy is healed."""
    with Client(proxy) as client:
        proxy.shift_replies()
        client.send(b"1")
        proxy.wait_until(lambda proxy: proxy.held == 1)
        assert client.ask(b"2") == b"1\n"
        assert client.ask(b"3") == b"2\n"
        proxy.heal()
        assert client.is_reset()
    with Client(proxy) as client:
        assert client.ask(b"4") == b"4\n"


def test_black_hole(proxy, seen):
    """A black hole accepts and never answers; healed, it resets who lost bytes, and serves."""
    proxy.black_hole()
    with Client(proxy) as client:
        client.send(b"1")
        proxy.wait_until(lambda proxy: proxy.lost == 1)
        assert client.has_nothing()
        proxy.heal()
        assert client.is_reset()
    assert seen == []
    with Client(proxy) as client:
        assert client.ask(b"2") == b"2\n"


def test_refuses(proxy):
    """Refused, connections are reset and new ones fail; healed, the same address serves again."""
    with Client(proxy) as client:
        address = proxy.address
        proxy.refuse()
        assert client.is_reset()
    with pytest.raises(OSError, match=r"refused|No such file"):
        Client(proxy)
    proxy.heal()
    assert proxy.address == address
    with Client(proxy) as client:
        assert client.ask(b"1") == b"1\n"


def test_another_server(proxy):
    """New connections go to where the proxy was pointed, old ones stay."""
    other = []
    with Client(proxy) as old, serving(other) as address:
        proxy.point_to(address)
        with Client(proxy) as new:
            assert new.ask(b"1") == b"1\n"
        assert old.ask(b"2") == b"2\n"
    assert other == [b"1\n"]


def test_no_server(seen):
    """Where no server is, a client's connection ends at once, and the proxy lives on."""
    with serving(seen) as address:
        pass
    with Proxy(address) as proxy:
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
                assert client.recv(1) == b""
