"""The virtual environment with exactly what requirements.lock names: `python -m infra.environment`.

Runs on a bare Python: without Debian's python3-venv it makes the environment with the pip that is there.
"""

import importlib.util
import subprocess
import sys
import venv
from pathlib import Path

from infra.local import packages
from infra.local.paths import CHECKOUT

VENV = CHECKOUT / ".venv"
LOCK = CHECKOUT / "requirements.lock"
_PIP = ["--disable-pip-version-check", "--no-input"]


def create(place: Path, *, say: packages.Say = print) -> list[str]:
    """Make the environment unless it is there; the command that is its pip.

    Raises PackagesMissing when neither ensurepip nor pip is here and installing is not ours to do.
    """
    python = str(place / "bin/python")
    if not _runs(python):
        if not _has("ensurepip") and not _has("pip"):
            packages.install([f"python3.{sys.version_info.minor}-venv"], say=say)
        say(f"Creating {place.name} with Python {sys.version.split()[0]}.")
        if _has("ensurepip"):
            # In a process of its own, which sees what was just installed.
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        else:
            venv.create(place, clear=True, symlinks=True)
    if _has("pip", python):
        return [python, "-m", "pip", *_PIP]
    return [sys.executable, "-m", "pip", "--python", python, *_PIP]


def install(pip: list[str], lock: Path = LOCK, *, say: packages.Say = print) -> None:
    """Install what the lock names, refusing anything whose hash differs. Raises SystemExit."""
    count = sum(1 for line in lock.read_text().splitlines() if line[:1].isalnum())
    say(f"Installing the {count} pinned distributions of {lock.name} (once, a few minutes) ...")
    command = [*pip, "install", "--quiet", "--no-compile", "--require-hashes", "-r", str(lock)]
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit("pip could not install what requirements.lock names; its last words are above.")


def _runs(python: str) -> bool:
    return Path(python).exists() and _quietly([python, "-c", ""])


def _has(module: str, python: str = sys.executable) -> bool:
    if python == sys.executable:
        importlib.invalidate_caches()
        return importlib.util.find_spec(module) is not None
    return _quietly([python, "-c", f"import {module}"])


def _quietly(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def main() -> int:
    try:
        install(create(VENV))
    except packages.PackagesMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
