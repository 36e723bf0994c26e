"""The one page of the login demos: ``render`` turns a ``LoginView`` into HTML.

No framework, no script, no file beside it: ``HEADERS`` forbid the browser everything else.
"""

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from typing import LiteralString

from msgspec import Struct


class Device(Struct, frozen=True):
    """One session of the owner: times in seconds since the epoch, ``current`` if it is asking."""

    id: str
    label: str
    since: float
    expires: float
    current: bool


class LoginView(Struct, frozen=True):
    """All that the page shows.

    ``email`` is None when logged out; ``devices`` is None when the store cannot list sessions.
    """

    email: str | None
    message: str | None
    error: str | None
    failed_attempts: int
    devices: list[Device] | None


def render(view: LoginView) -> str:
    """The whole document. Every text of ``view`` is escaped, so it may come from anywhere."""
    return _fill(_DOCUMENT, icon=ICON, style=_Html(STYLE), content=_content(view))


class _Html(str):
    """Text that is markup already."""

    __slots__ = ()


def _fill(template: LiteralString, **values: str) -> _Html:
    """Markup comes from templates in this file only: other text is escaped on its way in."""
    safe = {name: v if isinstance(v, _Html) else escape(v) for name, v in values.items()}
    return _Html(template.format_map(safe))


def _join(parts: Iterable[_Html]) -> _Html:
    return _Html("".join(parts))


def _content(view: LoginView) -> _Html:
    notices = _notices(view)
    if view.email is None:
        return _fill(_LOGIN, notices=notices)
    return _fill(_WELCOME, notices=notices, email=view.email, listing=_listing(view.devices))


def _notices(view: LoginView) -> _Html:
    attempts = f"Failed login attempts: {view.failed_attempts}" if view.failed_attempts else None
    texts: list[tuple[LiteralString, str | None]] = [
        (_MESSAGE, view.message),
        (_ERROR, view.error),
        (_ATTEMPTS, attempts),
    ]
    return _join(_fill(template, text=text) for template, text in texts if text)


def _listing(devices: list[Device] | None) -> _Html:
    if devices is None:
        return _fill(_CANNOT_LIST)
    return _fill(_DEVICES, rows=_join(map(_device, devices)))


def _device(device: Device) -> _Html:
    since, until = _moment(device.since), _moment(device.expires)
    return _fill(_DEVICE, label=device.label, since=since, until=until, aside=_aside(device))


def _aside(device: Device) -> _Html:
    if device.current:
        return _fill(_THIS_DEVICE)
    return _fill(_REVOKE, id=device.id, label=device.label)


def _moment(seconds: float) -> _Html:
    at = datetime.fromtimestamp(seconds, UTC)
    return _fill(_TIME, machine=f"{at:%Y-%m-%dT%H:%M:%SZ}", human=f"{at.day} {at:%b, %H:%M}")


_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sojourn: login demo</title>
<link rel="icon" href="{icon}">
<style>{style}</style>
</head>
<body>
<header>
<svg viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
<path class="wall" d="M6 30V16a10 10 0 0 1 20 0v14z"/>
<path class="door" d="M12 30V19a4 4 0 0 1 8 0v11z"/></svg>
<span>Sojourn</span>
</header>
<main>
{content}
</main>
<footer>Sessions for async Python</footer>
</body>
</html>
"""
_MESSAGE = '<p id="message" class="notice good" role="status">{text}</p>\n'
_ERROR = '<p id="error" class="notice bad" role="alert">{text}</p>\n'
_ATTEMPTS = '<p id="failed-login-attempts" class="quiet">{text}</p>\n'
# type="text": the server is the judge of an address, and an odd one is to reach it.
_LOGIN = """<h1>Log in</h1>
<p class="lead">Any e-mail address will do.</p>
{notices}<form id="login" action="/login" method="post">
<label for="email">E-mail</label>
<input id="email" name="email" type="text" inputmode="email" autocomplete="username"
 autocapitalize="none" spellcheck="false">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password"
 aria-describedby="hint">
<p id="hint" class="quiet">It is <code>correct</code>. Try a wrong one, too.</p>
<button id="login-button" class="main" type="submit">Log in</button>
</form>"""
_WELCOME = """<h1>Welcome</h1>
<p class="lead">You are logged in as <strong>{email}</strong>.</p>
{notices}<section aria-labelledby="where">
<h2 id="where">Where you are signed in</h2>
{listing}
</section>
<form action="/logout" method="post">
<button id="logout-button" class="main" type="submit">Log out {email}</button>
</form>"""
_CANNOT_LIST = '<p id="cannot-list" class="quiet">This store cannot list sessions.</p>'
_DEVICES = '<ul id="devices">\n{rows}</ul>\n<p class="quiet">Times are UTC.</p>'
_DEVICE = """<li>
<div><b>{label}</b><span class="quiet">Since {since}<br>Until {until}</span></div>
{aside}
</li>
"""
_THIS_DEVICE = '<span class="badge">This device</span>'
_REVOKE = """<form action="/revoke" method="post">
<input type="hidden" name="id" value="{id}">
<button type="submit" aria-label="Sign out {label}">Sign out</button>
</form>"""
_TIME = '<time datetime="{machine}">{human}</time>'

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f5f3ee; --card: #fffefb; --ink: #1f2624; --quiet: #5c6662;
  --line: #e3dfd5; --edge: #7f8883; --accent: #17604f; --accent-strong: #0f4a3c;
  --on-accent: #ffffff; --light: #f6cf74;
  --good: #14523f; --good-paper: #e3f1e9; --bad: #96261b; --bad-paper: #fbe9e4;
  --shadow: 0 1px 2px #1f26240f, 0 16px 48px -16px #1f262429;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #111614; --card: #1a211e; --ink: #e9eeea; --quiet: #a3b0aa;
    --line: #2d3733; --edge: #74827c; --accent: #7fd6bb; --accent-strong: #a4e6d1;
    --on-accent: #0b2a21; --light: #0b3b2f;
    --good: #a9e6cf; --good-paper: #17352b; --bad: #ffb4a6; --bad-paper: #43211b;
    --shadow: 0 1px 2px #0006, 0 16px 48px -16px #0009;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 1.75rem;
  min-height: 100vh; min-height: 100dvh; padding: 2.5rem 1rem;
  background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, Cantarell, sans-serif;
}
header {
  display: flex; align-items: center; gap: .6rem;
  font-weight: 650; font-size: 1.15rem; letter-spacing: -.01em;
}
.wall { fill: var(--accent); } .door { fill: var(--light); }
footer, .quiet { color: var(--quiet); font-size: .875rem; }
main {
  width: 100%; max-width: 28rem; padding: 2.5rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 1.25rem; box-shadow: var(--shadow);
}
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.02em; }
h2 { margin-bottom: .35rem; font-size: 1rem; }
.lead { margin: .35rem 0 1.25rem; color: var(--quiet); }
.lead strong { color: var(--ink); font-weight: 600; }
.notice { margin-bottom: .75rem; padding: .7rem 1rem; border-radius: .75rem; font-weight: 550; }
.good { background: var(--good-paper); color: var(--good); }
.bad { background: var(--bad-paper); color: var(--bad); }
form#login { margin-top: 1.5rem; }
label { display: block; margin-bottom: .35rem; font-size: .9rem; font-weight: 600; }
input {
  width: 100%; min-height: 48px; margin-bottom: 1.1rem; padding: .6rem .85rem;
  border: 1px solid var(--edge); border-radius: .75rem;
  background: var(--paper); color: inherit; font: inherit;
}
#hint { margin: -.6rem 0 1.5rem; }
code {
  padding: .1em .4em; border-radius: .35em;
  background: var(--good-paper); color: var(--good); font-size: .95em;
}
button {
  min-height: 44px; padding: .4rem 1rem; border: 1px solid var(--edge); border-radius: .75rem;
  background: none; color: inherit; cursor: pointer;
  font: inherit; font-size: .9rem; font-weight: 600;
}
button:hover { border-color: var(--accent); color: var(--accent); }
.main {
  width: 100%; min-height: 48px; border-color: transparent;
  background: var(--accent); color: var(--on-accent); font-size: 1rem;
}
.main:hover { background: var(--accent-strong); color: var(--on-accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
section { margin: 1.5rem 0 2rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
ul { margin: .5rem 0; padding: 0; list-style: none; }
li {
  display: flex; align-items: center; justify-content: space-between;
  gap: 1rem; padding: .85rem 0;
}
li + li { border-top: 1px solid var(--line); }
li b { display: block; font-weight: 600; }
time { white-space: nowrap; }
li input { margin: 0; }
.badge, li button { flex: none; white-space: nowrap; }
.badge {
  padding: .25rem .75rem; border-radius: 2rem;
  background: var(--good-paper); color: var(--good); font-size: .8rem; font-weight: 600;
}
@media (max-width: 30rem) {
  body { justify-content: flex-start; gap: 1.25rem; padding: 1.5rem 1rem; }
  main { padding: 1.5rem; }
}
@media (prefers-reduced-motion: no-preference) {
  button { transition: background .15s, color .15s, border-color .15s; }
}
"""

ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Cpath fill='%2317604f' d='M6 30V16a10 10 0 0 1 20 0v14z'/%3E"
    "%3Cpath fill='%23f6cf74' d='M12 30V19a4 4 0 0 1 8 0v11z'/%3E%3C/svg%3E"
)

_STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
