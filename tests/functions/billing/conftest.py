from collections.abc import Callable

import pytest
from sqlalchemy import text

from infra.local.square import StandIn
from shared.kit.db import transaction
from tests.api import Client
from tests.square import fresh_square, square_server

__all__ = ["fresh_square", "square_server"]

_FAIL_ONCE = (
    "CREATE SEQUENCE {table}_failures",
    """
    CREATE FUNCTION {table}_fails_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('{table}_failures') = 1 THEN RAISE EXCEPTION 'told to fail'; END IF;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER {table}_fails_once AFTER INSERT OR UPDATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION {table}_fails_once()",
)


@pytest.fixture
def api(square: StandIn) -> Client:
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.billing.main import main

    return Client.of(main, "/api/v1/vendor")


@pytest.fixture
def failing_once(_isolated: None) -> Callable[[str], None]:
    """Call it with a table: the next change of a row of it fails, and with it its transaction."""

    def arm(table: str) -> None:
        with transaction() as session:
            # A sequence is not rolled back, so it counts across the failure.
            for statement in _FAIL_ONCE:
                session.execute(text(statement.format(table=table)))

    return arm
