"""A real browser against a real server; each runs as a process of its own.

A new demo or store is a new word in ``TABLE``. Screenshots go to ``SOJOURN_ARTIFACTS``.
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
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

TABLE = {
    "litestar": "memory cookie sqlite",
    "asgi": "memory",
    "quart": "memory",
    "sanic": "memory",
    "aiohttp": "memory",
}
URLS = {"memory": "memory://", "cookie": "cookie://", "sqlite": "sqlite:///sessions.db"}
WITHOUT_ROWS = {"cookie"}

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
    """Name our marker."""
    config.addinivalue_line("markers", "rows(kept): only stores that (do not) keep a row each")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that wants one with every demo in the table, or those that ``rows`` keeps."""
    if "demo" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("rows")
        pairs = [pair for pair in _pairs() if marker is None or marker.args[0] is _rows(pair)]
        metafunc.parametrize("demo", pairs, indirect=True, scope="module", ids="-".join)
    if "framework" in metafunc.fixturenames:
        metafunc.parametrize("framework", TABLE)


def _pairs() -> list[tuple[str, str]]:
    return [(framework, store) for framework in TABLE for store in TABLE[framework].split()]


def _rows(pair: tuple[str, str]) -> bool:
    return pair[1] not in WITHOUT_ROWS


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Playwright knows asyncio only."""
    return "asyncio"


@pytest.fixture(scope="module")
def demo(request: pytest.FixtureRequest) -> Iterator[Demo]:
    """A demo that answers."""
    framework, store = request.param
    folder = request.getfixturevalue("tmp_path_factory").mktemp(f"{framework}-{store}")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with _serving(framework, store, port, folder):
        yield Demo(framework, store, f"http://127.0.0.1:{port}/")


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


@contextmanager
def _serving(framework: str, store: str, port: int, folder: Path) -> Iterator[None]:
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, ROOT / "examples" / f"login_{framework}.py"],
            cwd=folder,
            env=os.environ | _settings(store, port),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with process:
        try:
            _wait_until_it_answers(process, port, folder / "output.txt")
            yield
        finally:
            _stop(process)


def _settings(store: str, port: int) -> dict[str, str]:
    key = urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    network = {"HOST": "127.0.0.1", "PORT": str(port)}
    return network | {"SOJOURN_STORE": URLS[store], "SOJOURN_KEYS": key}


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while not _answers(port):
        if _has_ended(process) or time.monotonic() > deadline:
            pytest.fail(f"the demo does not answer:\n{output.read_text()}")


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Waiting for the end is also the pause between two knocks at the port."""
    try:
        process.wait(0.05)
    except subprocess.TimeoutExpired:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
