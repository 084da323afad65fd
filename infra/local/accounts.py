"""Under which account PostgreSQL runs, and where that account can keep its files.

PostgreSQL refuses to run as root. When we are root, it runs as `postgres` (made by Debian's
package) or as `nobody`, and that account must be able to walk to the cluster's folder.
"""

import hashlib
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Account:
    """Another user than the one we run as."""

    uid: int
    gid: int

    @classmethod
    def for_servers(cls, home: Path) -> Self | None:
        """Who shall run a server that lives in `home`; None for ourselves."""
        if os.geteuid() != 0:
            return None
        owner = home.stat().st_uid if home.exists() else 0
        entry = pwd.getpwuid(owner) if owner != 0 else _first_known("postgres", "nobody")
        return cls(entry.pw_uid, entry.pw_gid)

    def can_walk_to(self, folder: Path) -> bool:
        return run_as(self, ["test", "-x", str(folder)]).returncode == 0


def _first_known(*names: str) -> pwd.struct_passwd:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in names if name in known)


def run_as(account: Account | None, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as this account, in no folder of ours; its output is kept."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}
    uid, gid, groups = (account.uid, account.gid, list[int]()) if account else (None, None, None)
    return subprocess.run(
        command,
        check=False,
        user=uid,
        group=gid,
        extra_groups=groups,
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def reachable_home(home: Path, account: Account | None) -> Path:
    """`home`, or a folder of its own under /var/tmp when the account cannot walk to it."""
    home.parent.mkdir(parents=True, exist_ok=True)
    if account is None or account.can_walk_to(home.parent):
        return home
    digest = hashlib.sha256(str(home.parent).encode()).hexdigest()[:12]
    parent = Path(f"/var/tmp/packfinderz-{digest}")  # noqa: S108 - owned by us, as checked below
    parent.mkdir(mode=0o755, exist_ok=True)
    if parent.stat().st_uid != os.geteuid():
        raise PermissionError(f"{parent} belongs to someone else; remove it, or move the checkout.")
    return parent / home.name
