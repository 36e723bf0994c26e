"""Where an owner is signed in, and how that ends."""

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.anyio


async def log_in(visit, email, **options):
    """A visitor who is logged in."""
    visitor = await visit(**options)
    await visitor.log_in(email)
    await visitor.sees("#message", "Login Successful")
    return visitor


@pytest.mark.rows(True)
async def test_both_are_listed(visit):
    """Each device of an owner sees them all, and itself marked."""
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
    await log_in(visit, "two@example.org", user_agent=phone)
    desk = await log_in(visit, "two@example.org")

    devices = desk.page.locator("#devices li")
    await expect(devices).to_have_count(2)
    await expect(devices.filter(has_text="Safari on iPhone")).to_contain_text("Sign out")
    await expect(devices.filter(has_text="Chrome on Linux")).to_contain_text("This device")
    await desk.shoot("two-devices")


@pytest.mark.demos("each framework")
async def test_revoke(visit):
    """Signing out another device logs that one out, and nobody else."""
    lost = await log_in(visit, "lost@example.org")
    kept = await log_in(visit, "lost@example.org")

    await kept.page.get_by_role("button", name="Sign out").click()

    await expect(kept.page.locator("#devices li")).to_have_count(1)
    await kept.sees("#logout-button", "Log out lost@example.org")
    await lost.page.reload()
    await lost.sees("#login-button", "Log in")


@pytest.mark.demos("each framework")
async def test_revoke_of_others(visit):
    """Knowing the id of somebody's session is not enough to end it."""
    ada = await log_in(visit, "ada@example.net")
    other = await log_in(visit, "ada@example.net")
    eve = await log_in(visit, "eve@example.net")
    id_of_ada = await other.page.locator("#devices input[name=id]").get_attribute("value")

    answer = await eve.page.request.post(f"{eve.demo.url}revoke", form={"id": id_of_ada or ""})

    assert answer.ok
    assert id_of_ada
    await ada.page.reload()
    await ada.sees("#logout-button", "Log out ada@example.net")


@pytest.mark.rows(False)
async def test_cannot_list(visit):
    """A store that cannot list sessions says so where the list would be."""
    ada = await log_in(visit, "ada@example.org")

    await ada.sees("#cannot-list", "This store cannot list sessions.")
    await ada.misses("#devices")
