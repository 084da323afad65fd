"""Stops the local stack and forgets its data: `python -m infra.local.reset`. The tests' servers stay."""

import os
import shutil
import sys

from infra.local import stack
from infra.local.paths import LOCAL
from infra.local.postgres import PostgresCluster
from infra.local.processes import ServerFailed
from infra.local.redis_server import RedisServer

_KEPT_IN = ("storage", "mails", "gateway", "logs", "ready")
_FILES = ("square.json", "secrets.json", "service-account.json")


def main() -> int:
    try:
        if stack.stop():
            print("The local stack was up; it is stopped.")
        with stack.sole():
            _forget()
    except (ServerFailed, stack.AlreadyUp) as error:
        print(error, file=sys.stderr)
        return 1
    print("The local stack's data is forgotten; `make run` begins anew.")
    if os.environ.get("PF_DATABASE_URL"):
        print("The database that PF_DATABASE_URL names is not ours and was left as it is.")
    return 0


def _forget() -> None:
    PostgresCluster(LOCAL / "postgres").forget()
    RedisServer(LOCAL / "redis").forget()
    for folder in _KEPT_IN:
        shutil.rmtree(LOCAL / folder, ignore_errors=True)
    for file in _FILES:
        (LOCAL / file).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
