"""A real browser against a real server; each runs as a process of its own.

``demos`` says which demos a test is for: all, one of each framework, or one of each kind of store.
Screenshots go to ``SOJOURN_ARTIFACTS``.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

URLS = {"sqlite": "sqlite:///sessions.db", "memory": "memory://", "cookie": "cookie://"}
FRAMEWORKS = ("litestar", "asgi", "quart", "sanic", "aiohttp")
WITHOUT_ROWS = {"cookie"}
EVERY = [(framework, store) for framework in FRAMEWORKS for store in URLS]
PAIRS = {
    "every": EVERY,
    "each framework": [(framework, "sqlite") for framework in FRAMEWORKS],
    "each kind": [("litestar", "sqlite"), ("litestar", "cookie")],
    "one": [("litestar", "sqlite")],
}
"""What the page looks like depends on neither, what a route does on the framework, what becomes of
a cookie on the store: so only the whole way is walked with every pair."""

ROOT = Path(__file__).parents[2]
ARTIFACTS = Path(os.environ.get("SOJOURN_ARTIFACTS") or ROOT / "artifacts")
DEADLINE = 20.0
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Demo:
    """One running demo."""

    framework: str
    store: str
    url: str


@dataclass(frozen=True)
class Server:
    """The process of a demo."""

    process: subprocess.Popen[bytes]
    port: int
    output: Path

    def wait_until_it_answers(self) -> None:
        """Knock until somebody opens."""
        deadline = time.monotonic() + DEADLINE
        while not self._answers():
            if self._has_ended() or time.monotonic() > deadline:
                pytest.fail(f"the demo does not answer:\n{self.output.read_text()}")

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def _has_ended(self) -> bool:
        """Waiting for the end is also the pause between two knocks at the port."""
        try:
            self.process.wait(0.05)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """End it, by force if it does not listen."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


@dataclass
class Visitor:
    """Somebody with a browser of their own, looking at a demo."""

    page: Page
    demo: Demo
    complaints: list[str] = field(default_factory=list)

    async def log_in(self, email: str, password: str = "correct") -> None:
        """Fill in the form and send it."""
        await self.page.fill("#email", email)
        await self.page.fill("#password", password)
        await self.page.click("#login-button")

    async def log_out(self) -> None:
        """Press the button that only those who are logged in have."""
        await self.page.click("#logout-button")
        await self.sees("#login-button", "Log in")

    async def sees(self, selector: str, text: str) -> None:
        """Wait until the element is there with exactly this text."""
        await expect(self.page.locator(selector)).to_have_text(text)

    async def misses(self, *selectors: str) -> None:
        """None of these is on the page."""
        for selector in selectors:
            await expect(self.page.locator(selector)).to_have_count(0)

    async def cookie(self) -> dict[str, object]:
        """The session cookie as the browser keeps it, or an empty dict."""
        cookies = await self.page.context.cookies()
        return next((dict(cookie) for cookie in cookies if cookie.get("name") == "session"), {})

    async def use_cookie(self, cookie: dict[str, object]) -> None:
        """Come back with the value of an old cookie."""
        value = str(cookie["value"])
        await self.page.context.add_cookies(
            [{"name": "session", "value": value, "url": self.demo.url}]
        )
        await self.page.reload()

    async def shoot(self, state: str) -> None:
        """Keep a picture of the page for people."""
        name = f"{self.demo.framework}-{self.demo.store}-{state}.png"
        await self.page.screenshot(path=ARTIFACTS / name, full_page=True)


Visit = Callable[..., Awaitable[Visitor]]


def pytest_configure(config: pytest.Config) -> None:
    """Name our markers."""
    config.addinivalue_line("markers", "demos(kind): run with these PAIRS; otherwise 'each kind'")
    config.addinivalue_line("markers", "rows(kept): only stores that (do not) keep a row each")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that wants a demo with those that it is for."""
    if "demo" in metafunc.fixturenames:
        pairs = PAIRS[_marked(metafunc, "demos", "each kind")]
        rows = _marked(metafunc, "rows", None)
        kept = [(f, s) for f, s in pairs if rows is None or rows is (s not in WITHOUT_ROWS)]
        metafunc.parametrize("demo", kept, indirect=True, ids="-".join)
    if "framework" in metafunc.fixturenames:
        metafunc.parametrize("framework", FRAMEWORKS)


def _marked(metafunc: pytest.Metafunc, name: str, otherwise: Any) -> Any:
    marker = metafunc.definition.get_closest_marker(name)
    return otherwise if marker is None else marker.args[0]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Playwright knows asyncio only."""
    return "asyncio"


class Demos:
    """All the demos that tests have asked for; each runs until the end of the session."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._started: dict[tuple[str, str], Server] = {}

    def running(self, framework: str, store: str) -> Demo:
        """A demo that answers. The next one begins to start meanwhile: imports take their time."""
        place = EVERY.index((framework, store))
        for pair in EVERY[place : place + 2]:
            if pair not in self._started:
                self._started[pair] = self._stack.enter_context(self._start(*pair))
        server = self._started[framework, store]
        server.wait_until_it_answers()
        return Demo(framework, store, f"http://127.0.0.1:{server.port}/")

    def stop(self) -> None:
        """End them all."""
        self._stack.close()

    @contextmanager
    def _start(self, framework: str, store: str) -> Iterator[Server]:
        folder = self._folder / f"{framework}-{store}"
        folder.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with (folder / "output.txt").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, ROOT / "examples" / f"login_{framework}.py"],
                cwd=folder,
                env=os.environ | _settings(store, port),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        with process:
            server = Server(process, port, folder / "output.txt")
            try:
                yield server
            finally:
                server.stop()


@pytest.fixture(scope="session")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demos]:
    """Started when first asked for."""
    demos = Demos(tmp_path_factory.mktemp("demos"))
    yield demos
    demos.stop()


@pytest.fixture
def demo(request: pytest.FixtureRequest, demos: Demos) -> Demo:
    """A demo that answers."""
    return demos.running(*request.param)


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    """One browser under a new, empty profile; each visitor has a context of their own in it."""
    path = shutil.which("chromium")
    if path is None:
        refuse = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        refuse("apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        async with browser:
            yield browser


@pytest.fixture
async def visit(chromium: Browser, demo: Demo) -> AsyncIterator[Visit]:
    """Opens the demo for a new visitor; the options are those of a browser context."""
    async with AsyncExitStack() as stack:

        async def newcomer(**options: Any) -> Visitor:
            context = await chromium.new_context(**options)
            await stack.enter_async_context(context)
            context.set_default_timeout(DEADLINE * 1000)
            visitor = Visitor(await context.new_page(), demo)
            visitor.page.on("console", lambda message: visitor.complaints.append(message.text))
            visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
            await visitor.page.goto(demo.url)
            return visitor

        yield newcomer


def _settings(store: str, port: int) -> dict[str, str]:
    key = urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    network = {"HOST": "127.0.0.1", "PORT": str(port)}
    return network | {"SOJOURN_STORE": URLS[store], "SOJOURN_KEYS": key}
