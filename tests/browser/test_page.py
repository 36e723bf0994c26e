"""The page itself: safe, within its own policy, and usable on whatever people have."""

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.anyio

PHONE = {"width": 320, "height": 640}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LONG = f"{'a-very-long-name' * 6}@example.org"


@pytest.mark.demos("each framework")
async def test_escaped(visit):
    """What a visitor types is text on the page, never markup."""
    hostile = """<script>alert('"')</script><b title='x'>&amp;"""
    mallory = await visit()

    await mallory.log_in(hostile)

    await mallory.sees("#logout-button", f"Log out {hostile}")
    await mallory.misses("main script", "main [title]")
    assert [] == mallory.complaints


@pytest.mark.demos("each framework")
async def test_policy(visit):
    """The page asks for nothing that its own policy forbids, and is styled under it."""
    ada = await visit()

    await ada.log_in("ada@example.org")

    await ada.sees("#message", "Login Successful")
    await expect(ada.page.locator("main")).to_have_css("border-radius", "20px")
    assert [] == ada.complaints


@pytest.mark.demos("one")
async def test_policy_forbids(visit):
    """Markup that got in by some other way could not run a script."""
    ada = await visit()

    ran = await ada.page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        return window.ran === true;
    }""")

    assert not ran


@pytest.mark.demos("one")
async def test_phone(visit):
    """Nothing on a small phone has to be scrolled sideways, and a thumb hits every target."""
    ada = await visit(viewport=PHONE, has_touch=True, is_mobile=True)
    await ada.log_in("ada@example.org", "wrong")
    await ada.sees("#failed-login-attempts", "Failed login attempts: 1")
    await fits(ada)
    await ada.shoot("phone-logged-out")

    other = await visit()
    await other.log_in(LONG)
    await other.sees("#message", "Login Successful")
    await ada.log_in(LONG)
    await ada.sees("#message", "Login Successful")
    await fits(ada)
    await ada.shoot("phone-logged-in")


async def fits(visitor):
    """No sideways scrolling, and targets of at least 44 pixels."""
    assert await visitor.page.evaluate(OVERFLOW) == 0
    for target in await visitor.page.locator("button, input:not([type=hidden])").all():
        box = await target.bounding_box()
        assert box
        assert box["height"] >= 44


@pytest.mark.demos("one")
async def test_dark(visit):
    """Who asks for a dark page gets one."""
    ada = await visit(color_scheme="dark")
    await ada.log_in("dark@example.org")
    await ada.sees("#message", "Login Successful")
    await expect(ada.page.locator("body")).to_have_css("background-color", "rgb(17, 22, 20)")
    await ada.shoot("dark")


@pytest.mark.demos("one")
async def test_keyboard(visit):
    """The whole login works from the keyboard, and shows where it is."""
    ada = await visit()
    for key in ("Tab", "ada@example.org", "Tab", "correct"):
        await (ada.page.keyboard.press if key == "Tab" else ada.page.keyboard.type)(key)
    await expect(ada.page.get_by_label("Password")).to_have_css("outline-style", "solid")

    await ada.page.keyboard.press("Enter")

    await ada.sees("#logout-button", "Log out ada@example.org")
