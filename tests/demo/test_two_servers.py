"""The demo behind two server processes and one cookie, on each store that processes can share."""

import httpx
import pytest


class Visitor(httpx.Client):
    """A browser as far as cookies and redirects go; its cookie goes to either port."""

    def __init__(self, other=None):
        super().__init__(follow_redirects=True, timeout=30)
        if other is not None:
            self.cookies.set("session", other.cookies["session"], domain="127.0.0.1")

    def log_in(self, demo, email, password="correct"):
        """Send the form, and give the page that follows."""
        return self.post(f"{demo.url}/login", data={"email": email, "password": password}).text

    def log_out(self, demo):
        """Press the button, and give the page that follows."""
        return self.post(f"{demo.url}/logout").text

    def sees(self, demo):
        """The page there."""
        return self.get(f"{demo.url}/").raise_for_status().text


@pytest.fixture
def visitor():
    """Somebody with a browser of their own."""
    with Visitor() as visitor:
        yield visitor


def test_one_session(demos, visitor):
    """Who logged in at one is logged in at the other, and messages are shown once, anywhere."""
    one, two = demos
    assert "Login Successful" in visitor.log_in(one, "ann@example.com")
    assert "Log out ann@example.com" in visitor.sees(two)
    assert "Login Successful" not in visitor.sees(two)
    assert "Log out ann@example.com" in visitor.sees(one)


def test_counted_together(demos, visitor):
    """Failed logins at either are counted together."""
    pages = [visitor.log_in(demos[n % 2], "ann@example.com", "wrong") for n in range(4)]
    assert "Failed login attempts: 4" in pages[-1]
    assert "Failed login attempts: 4" in visitor.sees(demos[0])


def test_a_logout_is_one_everywhere(demos, visitor):
    """A logout at one is at once a logout at the other, for each copy of the cookie."""
    one, two = demos
    visitor.log_in(one, "bob@example.com")
    with Visitor(visitor) as copy:
        assert "Log out bob@example.com" in copy.sees(one)
        assert "Log out bob@example.com" in copy.sees(two)
        assert 'id="login-button"' in visitor.log_out(two)
        assert 'id="login-button"' in copy.sees(one)
        assert 'id="login-button"' in copy.sees(two)


def test_a_login_replaces_the_cookie_everywhere(demos, visitor):
    """What a cookie opened before a login at one, it opens nowhere after that."""
    one, two = demos
    visitor.log_in(one, "eve@example.com", "wrong")
    with Visitor(visitor) as thief:
        assert "Failed login attempts: 1" in thief.sees(two)
        visitor.log_in(two, "eve@example.com")
        for demo in demos:
            assert "eve@example.com" not in thief.sees(demo)
            assert "Failed login" not in thief.sees(demo)


def test_revoked_from_the_other(demos, visitor):
    """A device that was signed out at one is out at the other at once."""
    one, two = demos
    visitor.log_in(one, "dan@example.com")
    with Visitor() as phone:
        phone.log_in(two, "dan@example.com")
        assert "Log out dan@example.com" in phone.sees(two)
        form = visitor.sees(one).partition('name="id" value="')[2]
        visitor.post(f"{one.url}/revoke", data={"id": form.partition('"')[0]})
        assert 'id="login-button"' in phone.sees(two)
    assert "Log out dan@example.com" in visitor.sees(two)


def test_one_is_enough(demos, visitor):
    """When one process is killed, the other goes on with the same sessions."""
    one, two = demos
    visitor.log_in(one, "kim@example.com")
    one.process.kill()
    one.process.wait()
    assert "Log out kim@example.com" in visitor.sees(two)
    assert 'id="login-button"' in visitor.log_out(two)
