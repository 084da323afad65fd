"""What a shell needs to work on the running stack: `eval "$(make -s env)"`, prints `export NAME=value` lines.

The runbooks are written with these names. For a project in the cloud they are set by hand, as infra/runbooks says.
"""

import os
import shlex
import sys

from sqlalchemy import make_url

from infra.local import packages, stack
from infra.local.seed.people import ADMIN_EMAIL, PASSWORD

GATEWAY = "The gateway"


def surroundings(running: stack.Stack) -> dict[str, str]:
    """The variables, by their names: those of psql and its kin, and where everything else is."""
    database = make_url(running.database_url)
    return {
        "API": f"{running.url}/api/v1",
        "URL": running.url,
        "PGHOST": database.host or "127.0.0.1",
        "PGPORT": str(database.port or 5432),
        "PGUSER": database.username or "",
        "PGDATABASE": database.database or "",
        "REDIS_URL": running.redis_url,
        "PUBSUB_CONTROL": running.pubsub_control_url,
        "GATEWAY_PID": str(running.processes[GATEWAY]),
        "GATEWAY_LOG": str(stack.LOGS / "gateway.log"),
        "ADMIN_EMAIL": ADMIN_EMAIL,
        "ADMIN_PASSWORD": PASSWORD,
        "PATH": f"{packages.postgres_bin()}:{os.path.dirname(sys.executable)}:{os.environ.get('PATH', '')}",
    }


def main() -> int:
    try:
        told = surroundings(stack.get())
    except stack.NotUp as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in told.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
