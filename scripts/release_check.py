"""Is this checkout fit to be released? `make release-check`; `--python python3.12` tries another Python.

Builds the source archive, the wheel out of it, looks at what both hold against what git tracks, installs the
wheel into an environment of its own, and runs the command line and the page from there in an empty folder.
Every check says what it found; the exit code is how many failed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import probes
from scripts import api

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("probes", "dashboard")
PATIENCE = 300
"""Seconds until the page must answer."""


class Failed(Exception):
    """A check that did not hold, with what was found."""


class Untried(Exception):
    """A check that could not be made here, and why."""


def ran(command: list[str], cwd: Path = ROOT, **environment: str) -> str:
    """What a command printed, both streams; it must end well."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        made = subprocess.run(  # noqa: S603 - commands of this file
            command, cwd=cwd, capture_output=True, text=True, check=False, env=clean | environment
        )
    except OSError as fault:
        raise Failed(f"{command[0]}: {fault.strerror}") from fault
    told = made.stdout + made.stderr
    if made.returncode:
        raise Failed(f"{' '.join(command)[:200]}: exit {made.returncode}\n{told[-1500:]}")
    return told


def tracked() -> set[str]:
    """The files of the packages that git knows, as they lie in the folder."""
    names = ran(["git", "ls-files", "-z", *PACKAGES]).split("\0")
    found = {name for name in names if name and not (ROOT / name).is_symlink()}
    # A link in the checkout, a file once installed.
    return found | {"dashboard/.streamlit/config.toml"}


def changelog() -> str:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = [line[3:].split()[0] for line in text.splitlines() if line.startswith("## ")]
    if probes.__version__ not in heads:
        raise Failed(f"CHANGELOG.md has no part for {probes.__version__}; it has {', '.join(heads)}")
    return probes.__version__


def api_page() -> str:
    if api.written() != api.TARGET.read_text(encoding="utf-8"):
        raise Failed("docs/api.md is not what `python -m scripts.api` writes")
    return "docs/api.md is what the docstrings say"


def built(folder: Path) -> tuple[Path, Path]:
    """The source archive, made of what is committed, and the wheel, made of the archive alone."""
    source, unpacked = folder / "source", folder / "unpacked"
    source.mkdir()
    archive = folder / "head.tar"
    ran(["git", "archive", "--output", str(archive), "HEAD"])
    with tarfile.open(archive) as opened:
        opened.extractall(source, filter="tar")
    code = "import sys; from setuptools import build_meta as b; print(b.{}(sys.argv[1]))"
    ran([sys.executable, "-c", code.format("build_sdist"), str(folder)], source)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as opened:
        opened.extractall(unpacked, filter="data")
    (inside,) = unpacked.iterdir()
    ran([sys.executable, "-c", code.format("build_wheel"), str(folder)], inside)
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def differing(held: set[str], wanted: set[str], what: str) -> None:
    missing, more = sorted(wanted - held), sorted(held - wanted)
    if missing or more:
        raise Failed(f"{what} lacks {missing[:8]} and has besides {more[:8]}")


def wheel_holds(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as opened:
        names = [name for name in opened.namelist() if not name.endswith("/")]
        licence = [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
        if not licence or opened.read(licence[0]) != (ROOT / "LICENSE").read_bytes():
            raise Failed("the wheel has no LICENSE, or another one")
        weights = opened.read("probes/models/builtin/model.safetensors")
    if weights != (ROOT / "probes/models/builtin/model.safetensors").read_bytes():
        raise Failed("the wheel's weights are not the checkout's")
    held = {name for name in names if ".dist-info/" not in name}
    differing(held, tracked(), "the wheel")
    return f"{len(held)} files, those that git tracks in {' and '.join(PACKAGES)}, {mb(wheel)}"


def sdist_holds(sdist: Path) -> str:
    with tarfile.open(sdist) as opened:
        inside = [PurePosixPath(m.name).parts[1:] for m in opened.getmembers() if m.isfile()]
    names = {"/".join(parts) for parts in inside}
    wanted = tracked() | {"LICENSE", "README.md", "pyproject.toml"}
    others = {n for n in names if not n.startswith(("probes/", "dashboard/", "crux_probes.egg-info/"))}
    differing({n for n in names if n.startswith(("probes/", "dashboard/"))} | (others & wanted), wanted, "it")
    differing(others - wanted, {"PKG-INFO", "setup.cfg", "MANIFEST.in"} & others, "the source archive")
    return f"{len(names)} files, {mb(sdist)}"


def mb(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"


def installed(wheel: Path, python: str, folder: Path) -> str:
    """The wheel with the pinned libraries in an environment of its own."""
    ran([python, "-m", "venv", str(folder)])
    inside = str(folder / "bin" / "python")
    pip = [inside, "-m", "pip", "install", "-q", "--prefer-binary"]
    ran([*pip, "-c", str(ROOT / "requirements.txt"), f"{wheel}[page]"])
    ran([inside, "-m", "pip", "check"])
    return ran([inside, "--version"]).strip()


def command_line(programs: Path, empty: Path) -> str:
    crux = [str(programs / "crux")]
    cache = {"CRUX_CACHE": str(empty / "cache"), "OMP_NUM_THREADS": "1"}
    where = "import probes, dashboard; print(probes.__file__, dashboard.__file__)"
    if str(ROOT) in ran([str(programs / "python"), "-c", where], empty):
        raise Failed("what runs is the checkout, not what was installed")
    version = ran([*crux, "--version"], empty).strip()
    ran(
        [*crux, "words", "--preset", "coffee-en", "--json", "words.json", "-q", "--lang", "en"],
        empty,
        **cache,
    )
    record = json.loads((empty / "words.json").read_text(encoding="utf-8"))
    if len(record["rows"]) < 50 or record["provenance"]["crux"] != probes.__version__:
        raise Failed(f"`crux words` wrote {len(record['rows'])} rows, by {record['provenance']['crux']}")
    ran([*crux, "site", "gallery", "words.json"], empty, **cache)
    count = len(list((empty / "gallery").rglob("*.html")))
    return f"{version}: {record['headline'][:70]} … · a gallery of {count} pages"


def page(programs: Path, empty: Path) -> str:
    """The page is started, answers, and is gone when its command is ended."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = {**clean, "CRUX_CACHE": str(empty / "cache"), "STREAMLIT_SERVER_HEADLESS": "true"}
    started = time.monotonic()
    with (empty / "page.log").open("w+") as log:
        command = [str(programs / "crux"), "page", "--port", str(port), "--host", "127.0.0.1"]
        server = subprocess.Popen(  # noqa: S603
            command, cwd=empty, env=environment, stdout=log, stderr=log
        )
        try:
            while (health := got(f"http://127.0.0.1:{port}/_stcore/health")) is None:
                if server.poll() is not None or time.monotonic() - started > PATIENCE:
                    raise Failed(f"the page did not answer: {(empty / 'page.log').read_text()[-1500:]}")
                time.sleep(0.5)
            seconds = time.monotonic() - started
            whole = got(f"http://127.0.0.1:{port}/")
        finally:
            server.terminate()
            server.wait(30)
    if health.strip() != "ok" or whole is None or "<title>" not in whole:
        raise Failed(f"health says {health!r}, the page has {len(whole or '')} characters")
    if got(f"http://127.0.0.1:{port}/_stcore/health") is not None:
        raise Failed("the page still answers after its command was ended")
    return f"healthy after {seconds:.1f} s, ended with its command"


def got(address: str) -> str | None:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - of this machine
            return str(answer.read().decode())
    except OSError:
        return None


def audit() -> str:
    """Known vulnerabilities of the pinned libraries, by pip-audit, where it is installed and knows them.

    It ends well, with "no known vulnerabilities", where the index told it nothing of any of them.
    """
    program = shutil.which("pip-audit", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        raise Untried("pip-audit is not installed (pipx install pip-audit)")
    made = subprocess.run(  # noqa: S603
        [program, "--progress-spinner=off", "--disable-pip", "--no-deps", "-r", "requirements.txt"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = (made.stdout + made.stderr).strip()
    if skipped := told.count("could not be audited"):
        raise Untried(f"the index told pip-audit nothing of {skipped} of {len(pins())} libraries")
    if made.returncode:
        raise Failed(told)
    return told


def pins() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if "==" in line]


def withdrawn() -> str:
    """Whether a pinned release was withdrawn (PEP 592): pip says so of each that it would install."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed"]
    told = ran([*command, "--prefer-binary", "-r", "requirements.txt"])
    if "yanked" in told:
        raise Failed("\n".join(line for line in told.splitlines() if "yanked" in line))
    return f"all {len(pins())} pinned releases are offered, none is withdrawn"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--python", default=sys.executable, help="the Python that the wheel is installed for")
    parser.add_argument("--quick", action="store_true", help="without an environment of its own")
    given = parser.parse_args()
    failed = 0

    def check(name: str, make: Callable[[], str]) -> None:
        nonlocal failed
        try:
            mark, told = "ok", make()
        except Untried as why:
            mark, told = "not tried", str(why)
        except Failed as why:
            mark, told, failed = "FAILED", str(why), failed + 1
        print(f"{mark:10}{name}: {told}", flush=True)

    check("changelog", changelog)
    check("api", api_page)
    check("withdrawn", withdrawn)
    check("audit", audit)
    with TemporaryDirectory() as place:
        folder = Path(place)
        sdist, wheel = built(folder)
        check("source archive", lambda: sdist_holds(sdist))
        check("wheel", lambda: wheel_holds(wheel))
        if not given.quick:
            empty = folder / "empty"
            empty.mkdir()
            programs = folder / "venv" / "bin"
            check("installed", lambda: installed(wheel, given.python, folder / "venv"))
            check("command line", lambda: command_line(programs, empty))
            check("page", lambda: page(programs, empty))
    print(f"{failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
