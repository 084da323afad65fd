"""Of two who bring the same code at the same moment, one is let in."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.identity import sessions
from tests.builders.people import PASSWORD, a_person
from tests.functions.auth.authenticator import NOON, switched_on
from tests.rivals import beside

pytestmark = pytest.mark.usefixtures("committed_database")
ROUNDS = 3


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("kind", ["totp", "backup"])
def test_one_code_lets_one_in(api, freeze, kind, round_):
    freeze(NOON)
    rosa = a_person()
    app, _ = switched_on(api, rosa)
    code = app.code(NOON) if kind == "totp" else app.backup_codes[0]
    start = Barrier(2)

    def enter(caller):
        start.wait()
        body = {"email": rosa.email, "password": PASSWORD, "mfa_code": code}
        return caller.post("/login", body, key=None).status

    with ThreadPoolExecutor(2) as threads:
        statuses = list(threads.map(enter, [beside(api), beside(api)]))

    assert sorted(statuses) == [200, 401]
    assert len(sessions.list_open(rosa.id)) == 2
