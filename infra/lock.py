"""Writes requirements.lock from pyproject.toml: `python -m infra.lock`. Pins already there stay when they still fit.

uv makes it, in a virtual environment that is thrown away, since a fresh machine does not have uv.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from infra.environment import LOCK, create
from infra.local.paths import CHECKOUT

_COMPILE = [
    *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--extra", "dev"),
    *("--generate-hashes", "--no-header"),
]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "uv"
        subprocess.run([*create(place), "install", "--quiet", "uv"], check=True)
        uv = [str(place / "bin/uv"), *_COMPILE, "pyproject.toml", "-o", str(LOCK)]
        return subprocess.run(uv, check=False, cwd=CHECKOUT, stdout=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
