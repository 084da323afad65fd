"""Bring a database up to the newest migration: `python -m infra.migrate`, on the one of PF_DATABASE_URL."""

import os
import subprocess
import sys

from alembic import command
from alembic.config import Config

from infra.local.paths import CHECKOUT


class MigrationFailed(RuntimeError):
    """A migration did not run; the message is what Alembic said."""


def migrate(database_url: str) -> None:
    """Run every migration that this database has not seen, in a process of its own. Raises MigrationFailed."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.migrate"],
        check=False,
        cwd=CHECKOUT,
        env=os.environ | {"PF_DATABASE_URL": database_url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise MigrationFailed(done.stderr.strip() or f"alembic ended with {done.returncode}")


def main() -> None:
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "migrations"))
    command.upgrade(config, "head")


if __name__ == "__main__":
    main()
