"""The login demo, used by hand: what a visitor sees, keeps and loses."""

import pytest

pytestmark = pytest.mark.anyio

INCORRECT = "Incorrect username or password"


@pytest.mark.demos("every")
async def test_whole_way(visit):
    """Failures are counted, a login is shown and kept by another cookie, and the logout ends it."""
    ada = await visit()
    await ada.misses("#message", "#error", "#failed-login-attempts", "#logout-button")
    assert {} == await ada.cookie()
    for count in (1, 2):
        await ada.log_in("ada@example.org", "wrong")
        await ada.sees("#failed-login-attempts", f"Failed login attempts: {count}")
        await ada.sees("#error", INCORRECT)
    before = await ada.cookie()

    await ada.log_in("ada@example.org")
    await ada.sees("#message", "Login Successful")
    await ada.misses("#error", "#failed-login-attempts", "#login-button")
    assert before["value"] != (await ada.cookie())["value"]
    await ada.shoot("logged-in")
    await ada.page.reload()
    await ada.sees("#logout-button", "Log out ada@example.org")
    await ada.misses("#message")

    await ada.log_out()
    assert {} == await ada.cookie()
    await ada.misses("#logout-button", "#message", "#error", "#failed-login-attempts")


async def test_wrong_password(visit):
    """A wrong password shows its error once, and the count of failures until it is made good."""
    ada = await visit()
    await ada.shoot("logged-out")
    await ada.log_in("ada@example.org", "wrong")
    await ada.sees("#failed-login-attempts", "Failed login attempts: 1")
    await ada.log_in("ada@example.org", "wrong again")
    await ada.sees("#failed-login-attempts", "Failed login attempts: 2")
    await ada.sees("#error", INCORRECT)
    await ada.shoot("wrong-password")

    await ada.page.reload()

    await ada.misses("#error", "#message", "#logout-button")
    await ada.sees("#failed-login-attempts", "Failed login attempts: 2")


async def test_right_password(visit):
    """The right password shows its message once, a way out, and no failures any more."""
    ada = await visit()
    await ada.log_in("ada@example.org", "wrong")
    await ada.sees("#error", INCORRECT)
    await ada.log_in("ada@example.org")
    await ada.sees("#message", "Login Successful")
    await ada.sees("#logout-button", "Log out ada@example.org")

    await ada.page.reload()

    await ada.sees("#logout-button", "Log out ada@example.org")
    await ada.misses("#message", "#error", "#failed-login-attempts", "#login-button")


async def test_logout(visit):
    """Logging out brings the form back, and forgets everything."""
    ada = await visit()
    await ada.log_in("ada@example.org")

    await ada.log_out()

    assert {} == await ada.cookie()
    await ada.misses("#logout-button", "#message", "#error", "#failed-login-attempts")
    await ada.log_in("ada@example.org", "wrong")
    await ada.sees("#failed-login-attempts", "Failed login attempts: 1")


async def test_nothing_to_remember(visit):
    """A visitor who only looks gets no cookie."""
    ada = await visit()

    assert {} == await ada.cookie()


async def test_cookie(visit):
    """Scripts cannot read the session cookie, and other sites cannot post with it."""
    ada = await visit()
    await ada.log_in("ada@example.org", "wrong")
    await ada.sees("#error", INCORRECT)

    cookie = await ada.cookie()

    seen = {name: cookie[name] for name in ("httpOnly", "sameSite", "path", "secure")}
    assert {"httpOnly": True, "sameSite": "Lax", "path": "/", "secure": False} == seen
    assert await ada.page.evaluate("document.cookie") == ""


async def test_login_changes_cookie(visit):
    """A login gives the visitor another cookie."""
    ada = await visit()
    await ada.log_in("ada@example.org", "wrong")
    await ada.sees("#error", INCORRECT)
    before = await ada.cookie()

    await ada.log_in("ada@example.org")
    await ada.sees("#message", "Login Successful")

    assert before["value"] != (await ada.cookie())["value"]


@pytest.mark.rows(True)
async def test_cookie_from_before_login(visit):
    """Who fixed the cookie before the login has nothing in hand after it."""
    ada, eve = await visit(), await visit()
    await ada.log_in("ada@example.org", "wrong")
    await ada.sees("#error", INCORRECT)
    before = await ada.cookie()
    await ada.log_in("ada@example.org")
    await ada.sees("#message", "Login Successful")

    await eve.use_cookie(before)

    await eve.sees("#login-button", "Log in")
    await eve.misses("#logout-button", "#failed-login-attempts")


@pytest.mark.rows(True)
async def test_cookie_from_before_logout(visit):
    """A cookie that was copied before the logout opens nothing after it."""
    ada, eve = await visit(), await visit()
    await ada.log_in("ada@example.org")
    await ada.sees("#message", "Login Successful")
    before = await ada.cookie()
    await eve.use_cookie(before)
    await eve.sees("#logout-button", "Log out ada@example.org")

    await ada.log_out()
    await eve.page.reload()

    await eve.sees("#login-button", "Log in")
    await eve.misses("#logout-button")
