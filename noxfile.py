"""Every command that a developer or CI runs; `uv run nox -l` lists them."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import nox

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "uv"

ROOT = Path(__file__).parent


def project(folder: str) -> dict[str, Any]:
    """What the pyproject.toml in *folder* says."""
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text())


# Everything below is derived from this list: `adapters/litestar` has its module in its `src`
# and its tests in `tests/adapters/litestar`.
MEMBERS: list[str] = project(".")["tool"]["uv"]["workspace"]["members"]
# Strangers' packages, built and tested like ours.
GUESTS = sorted(
    str(file.parent.relative_to(ROOT)) for file in ROOT.glob("tests/packaging/*/pyproject.toml")
)
each_member = nox.parametrize("member", [nox.param(member, id=member) for member in MEMBERS])


def name_of(member: str) -> str:
    """The distribution in *member*."""
    name: str = project(member)["project"]["name"]
    return name


def import_name_of(member: str) -> str:
    """The module that *member* distributes."""
    return next((ROOT / member / "src").glob("*/__init__.py")).parent.name


def holds(folder: str, files: str = "*.py") -> bool:
    """Whether *folder* has anything to run yet."""
    return any((ROOT / folder).rglob(files))


def need(session: nox.Session, folder: str, files: str = "test_*.py") -> None:
    """Skip *session*, aloud, while *folder* has nothing to run."""
    if not holds(folder, files):
        session.skip(f"{folder}/ has no {files} yet")


def uv_run(session: nox.Session, *command: str, silent: bool = False) -> None:
    """Run *command* in the one development environment; *silent*: show only a failure."""
    session.run("uv", "run", *command, external=True, silent=silent)


def sync_alone(session: nox.Session, member: str) -> None:
    """Give *session* nothing but *member*, what it depends on and what its tests need."""
    place = session.virtualenv.location
    sync = ["uv", "sync", "--quiet", f"--package={name_of(member)}", "--no-dev"]
    env = {"UV_PROJECT_ENVIRONMENT": place, "UV_PYTHON": place}
    session.run_install(*sync, env=env, external=True)
    # Before the tests' own needs come in, which could hide an undeclared one.
    session.run("python", "-c", f"import {import_name_of(member)}")
    session.run_install(*sync, "--group=test", env=env, external=True)
    session.install("--group=test")


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Ruff finds nothing to say and nothing to move."""
    uv_run(session, "ruff", "check")
    uv_run(session, "ruff", "format", "--check")


@nox.session(venv_backend="none")
def typing(session: nox.Session) -> None:
    """Mypy and pyright accept the code and find each distribution's API typed in full."""
    sources = [f"{folder}/src" for folder in [*MEMBERS, *GUESTS]]
    uv_run(session, "mypy", *sources, *filter(holds, ["examples", "tests/typing"]))
    uv_run(session, "pyright")
    for member in MEMBERS:
        verify = ["pyright", "--ignoreexternal", "--verifytypes", import_name_of(member)]
        uv_run(session, *verify, silent=True)


@nox.session
@each_member
def tests(session: nox.Session, member: str) -> None:
    """Each distribution passes its tests where no other one is installed, unless it needs it."""
    need(session, f"tests/{member}")
    sync_alone(session, member)
    whole = ["-ppytest_cov", "--cov", "--cov-fail-under=100"] if member == "core" else []
    session.run("pytest", f"tests/{member}", *whole, *session.posargs)


@nox.session(default=False)
@each_member
def floors(session: nox.Session, member: str) -> None:
    """Each distribution passes its tests with the oldest releases that it says it can use."""
    need(session, f"tests/{member}")
    # In one step: a second one could raise what the first has found.
    groups = [f"--group={member}/pyproject.toml:test", "--group=test"]
    session.install("--resolution=lowest-direct", f"-e{member}", *groups)
    # What an old release calls may be deprecated since, and is not ours to change.
    session.run("pytest", "-Wignore::DeprecationWarning", f"tests/{member}", *session.posargs)


@nox.session
def packaging(session: nox.Session) -> None:
    """The wheels, installed by path, are found by their entry points and import quickly.

    Beside them are strangers' wheels, of a store and an adapter, which pass the shipped suites.
    """
    place = Path(session.create_tmp()).resolve()
    wheels, constraints = place / "wheels", place / "constraints.txt"
    export = "uv export --all-packages --all-groups --no-emit-workspace --no-hashes"
    build = "uv build --all-packages --wheel --clear"
    session.run_install(*export.split(), "-q", f"-o{constraints}", external=True)
    session.run_install(*build.split(), "-q", f"-o{wheels}", external=True)
    for guest in GUESTS:
        build = f"uv build {guest} --wheel"
        session.run_install(*build.split(), "-q", f"-o{wheels}", external=True)
    # By path: a name would let an index answer with another project's package.
    paths = [str(wheel) for wheel in sorted(wheels.glob("*.whl"))]
    kit = next(f"{path}[testing]" for path in paths if "/sojourn_core-" in path)
    needs = ["--group=test", "--group=third-parties", f"--constraint={constraints}"]
    session.install(*paths, kit, *needs)
    env = {"SOJOURN_WHEELS": str(wheels)}
    session.run("pytest", "tests/packaging", *session.posargs, env=env)


@nox.session(venv_backend="none")
def browser(session: nox.Session) -> None:
    """A real browser logs in and out; set CI=true to make a missing one a failure."""
    need(session, "tests/browser")
    uv_run(session, "pytest", "tests/browser", *session.posargs)


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """Change the core's pure modules one operator at a time; which tests notice? Takes an hour."""
    sync_alone(session, "core")
    session.install("--group=mutation")
    # mutmut expects sources in src/; what it may change is said in pyproject.toml.
    place = Path(session.create_tmp()).resolve()
    for source, copy in (("core/src", "src"), ("tests/core", "tests/core")):
        shutil.rmtree(place / copy, ignore_errors=True)
        shutil.copytree(ROOT / source, place / copy)
    shutil.copy(ROOT / "pyproject.toml", place)
    session.chdir(place)
    # Hypothesis' profile for CI makes up the same examples each time.
    session.run("mutmut", "run", *session.posargs, env={"CI": "true"})
    session.run("mutmut", "results")


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Search for bytes that break a promise: nox -s fuzz -- SECONDS for each target (10)."""
    sync_alone(session, "stores/cookie")
    session.install("--group=fuzz")
    seconds = session.posargs[0] if session.posargs else "10"
    for seeds in sorted((ROOT / "fuzz" / "corpus").iterdir()):
        new = Path(session.create_tmp()) / seeds.name
        new.mkdir(exist_ok=True)
        # libFuzzer writes what it finds into the first folder, and the input that fails beside it.
        limits = [f"-max_total_time={seconds}", "-max_len=6000", "-timeout=10", "-verbosity=0"]
        command = ["-m", "fuzz", seeds.name, new, seeds, *limits, "-print_final_stats=1"]
        session.run("python", *map(str, command), f"-artifact_prefix={new}-")


@nox.session(venv_backend="none", default=False)
def soak(session: nox.Session) -> None:
    """The tests that take minutes: endurance, millions of rows, power cuts."""
    uv_run(session, "pytest", "-m", "soak", "--timeout=1800", *(session.posargs or ["tests"]))


@nox.session(venv_backend="none", default=False)
def bench(session: nox.Session) -> None:
    """The benchmarks, against peers and raw primitives; arguments after -- go to them."""
    need(session, "benchmarks", "__main__.py")
    uv_run(session, "--group=bench", "python", "-m", "benchmarks", *session.posargs)


@nox.session(venv_backend="none", default=False)
def version(session: nox.Session) -> None:
    """Write one version into every pyproject.toml: nox -s version -- X.Y.Z."""
    (new,) = session.posargs
    for folder in [".", *MEMBERS]:
        file = ROOT / folder / "pyproject.toml"
        old = file.read_text()
        own = re.sub(r'(?m)^version = "[^"]+"', f'version = "{new}"', old)
        file.write_text(re.sub(r'("sojourn[\w-]*(?:\[[\w,]+\])?==)[^"]+', rf"\g<1>{new}", own))
    session.run("uv", "lock", external=True)
