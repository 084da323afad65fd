"""The system packages under the local servers: which are here, and installing what is missing.

Debian's layout is assumed: /usr/lib/postgresql/<version>/bin and /usr/share/postgresql/<version>.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]

_POSTGRES_PROGRAMS = ("initdb", "pg_ctl", "postgres")
_POLICY = "/usr/sbin/policy-rc.d"


class PackagesMissing(SystemExit):
    """Something must be installed and we may not: exit code 2; `sentence` has the exact command to run."""

    def __init__(self, packages: Sequence[str]) -> None:
        super().__init__(2)
        command = f"sudo apt-get update && sudo apt-get install -y {' '.join(packages)}"
        self.sentence = f"A system package is missing, and only root may install it; run: {command}"

    def __str__(self) -> str:
        return self.sentence


class InstallationFailed(SystemExit):
    """apt-get did not do what it was asked; the message says what it answered."""


@dataclass(frozen=True)
class System:
    """The machine as its files show it; `root` is the file system that is looked at."""

    root: Path = Path("/")

    def postgres_versions(self) -> list[int]:
        """Major versions whose server programs are installed, newest first."""
        found = (self.root / "usr/lib/postgresql").glob("*/bin")
        complete = (place for place in found if all((place / name).exists() for name in _POSTGRES_PROGRAMS))
        versions = (place.parent.name for place in complete)
        return sorted((int(version) for version in versions if version.isdigit()), reverse=True)

    def has_postgis(self, version: int) -> bool:
        return (self.root / f"usr/share/postgresql/{version}/extension/postgis.control").exists()

    def usable_postgres(self) -> int | None:
        """The newest installed version that has PostGIS."""
        return next((version for version in self.postgres_versions() if self.has_postgis(version)), None)

    def has_redis(self) -> bool:
        return any((self.root / place / "redis-server").exists() for place in ("usr/bin", "usr/local/bin"))


def postgres_bin() -> Path:
    """Where initdb, pg_ctl and postgres of the version in use are. Call `ensure` first."""
    version = System().usable_postgres()
    if version is None:
        raise InstallationFailed("PostgreSQL with PostGIS is not installed.")
    return Path(f"/usr/lib/postgresql/{version}/bin")


def missing_packages(system: System, *, postgres: bool = True, redis: bool = True) -> list[str]:
    """Debian's names of what to install: PostGIS for the server that is there, or server and all."""
    packages = []
    if postgres and system.usable_postgres() is None:
        installed = system.postgres_versions()
        packages.append(f"postgresql-{installed[0]}-postgis-3" if installed else "postgresql-postgis")
    if redis and not system.has_redis():
        packages.append("redis-server")
    return packages


def ensure(*, postgres: bool = True, redis: bool = True, say: Say = print) -> None:
    """Install what the servers miss. Raises PackagesMissing, InstallationFailed."""
    packages = missing_packages(System(), postgres=postgres, redis=redis)
    if not packages:
        return
    install(packages, say=say)
    still = missing_packages(System(), postgres=postgres, redis=redis)
    if still:
        raise InstallationFailed(f"apt-get said yes, but {' and '.join(still)} is not where Debian puts it.")


def install(packages: Sequence[str], *, say: Say = print) -> None:
    """Install system packages with apt-get. Raises PackagesMissing when we may not, InstallationFailed."""
    elevate = _right_to_install()
    if elevate is None:
        raise PackagesMissing(packages)
    say(f"Installing {' and '.join(packages)} with apt-get (once, a minute or two) ...")
    _apt(elevate, "update")
    with _services_not_started(elevate):
        _apt(elevate, "install", "--no-install-recommends", *packages)


def _right_to_install() -> list[str] | None:
    """What to put before a command to run it as root: nothing, sudo, or None when neither is ours."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def _apt(elevate: Sequence[str], *arguments: str) -> None:
    quiet = ["-qq", "-o", "DPkg::Lock::Timeout=300"]
    command = [*elevate, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", *quiet, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise InstallationFailed(f"apt-get {arguments[0]} failed: {last}")


@contextmanager
def _services_not_started(elevate: Sequence[str]) -> Iterator[None]:
    """Tell Debian's package scripts to start no service: ours are private and on their own ports."""
    if Path(_POLICY).exists():
        yield
        return
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as policy:
        policy.write("#!/bin/sh\nexit 101\n")
        policy.flush()
        subprocess.run([*elevate, "install", "-m", "755", policy.name, _POLICY], check=True)
    try:
        yield
    finally:
        subprocess.run([*elevate, "rm", "-f", _POLICY], check=True)
