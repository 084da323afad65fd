"""An authenticator app, and setting it up over HTTP."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from shared.identity.models import Store, User
from tests.api import Answer, Client
from tests.builders.people import PASSWORD
from tests.functions.auth.entering import holding, log_in

NOON = datetime.fromisoformat("2026-03-02T12:00:00Z")
STEP = timedelta(seconds=30)


@dataclass(frozen=True)
class App:
    """What a person has on their phone."""

    secret: str
    backup_codes: list[str]

    def code(self, moment: datetime) -> str:
        """The six digits that it shows at a moment."""
        return pyotp.TOTP(self.secret).at(moment)


def enroll(caller: Client) -> Answer:
    return caller.post("/mfa/enroll", {"password": PASSWORD})


def confirm(caller: Client, code: str) -> Answer:
    return caller.post("/mfa/confirm", {"mfa_code": code})


def switched_on(api: Client, person: User, store: Store | None = None) -> tuple[App, Client]:
    """Two-factor sign-in of a person, confirmed one step before noon, and the session that they go on in."""
    caller = holding(api, log_in(api, person, store))
    secret = enroll(caller).data["secret"]
    reply = confirm(caller, pyotp.TOTP(secret).at(NOON - STEP))
    assert reply.status == 200, reply.raw
    return App(secret, reply.data["backup_codes"]), holding(api, reply)
