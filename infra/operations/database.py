"""Which database a command works on, and on whose behalf."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pg8000.dbapi
from sqlalchemy import make_url

from infra.local import stack
from infra.local.databases import DatabaseServer
from shared.kit import db, logging
from shared.kit.context import Work, working
from shared.kit.db import DatabaseSettings
from shared.kit.ids import new_id


class Unreachable(RuntimeError):
    """There is no database to work on; the message says what to do."""


def database_url() -> str:
    """The database of PF_DATABASE_URL, else the running local stack's. Raises Unreachable."""
    named = os.environ.get("PF_DATABASE_URL")
    try:
        url = named or stack.get().database_url
        with DatabaseServer(url).cursor(make_url(url).database or "postgres"):
            return url
    except stack.NotUp as error:
        raise Unreachable(f"{error} Or name a database by PF_DATABASE_URL.") from None
    except pg8000.dbapi.Error as error:
        told = "PF_DATABASE_URL" if named else "the local stack"
        raise Unreachable(f"The database of {told} cannot be used: {error}") from None


@contextmanager
def connected(action: str, *, url: str | None = None) -> Iterator[None]:
    """Let `shared` work on this database within the block, as `operator`, logging nothing. Raises Unreachable."""
    logging.mute()
    before = os.environ.get("PF_DATABASE_URL")
    os.environ["PF_DATABASE_URL"] = url or database_url()
    _begin_anew()
    try:
        with working(Work(function="operations", request_id=str(new_id()), action=action, role="operator")):
            yield
    finally:
        _begin_anew()
        del os.environ["PF_DATABASE_URL"]
        if before is not None:
            os.environ["PF_DATABASE_URL"] = before


def _begin_anew() -> None:
    db.forget()
    DatabaseSettings.forget()
