"""Follow what was mailed: replace a forgotten password, join by invitation, prove an email.

Serves /api/v1/auth/forgot-password, /reset-password and /verify-email. Publishes
password_reset_requested, email_verification_requested and security_alert.
"""

from typing import Annotated

from pydantic import StringConstraints

from functions.auth.limits import FORGOT, PASSWORD
from shared.identity import queries, recovery
from shared.identity.callers import UserCaller, anyone, signed_in
from shared.identity.fields import Email, Password
from shared.identity.one_time_tokens import TokenNotGood
from shared.kit.db import transaction
from shared.kit.errors import InvalidRequest, NotFound
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.schemas import Request

api = Api("auth", prefix="/api/v1/auth")

MailedToken = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{43}$")]
_EXAMPLE = "k3J9x0Qw2mVbT7yLrN5cD8fGhZpA1sXeUoIiKjRtYlM"


class ForgotRequest(Request):
    email: Email

    example = {"email": "rosa@greenmesa.example.com"}


class ResetRequest(Request):
    token: MailedToken
    new_password: Password

    example = {"token": _EXAMPLE, "new_password": "a baker's dozen of cacti"}


class VerifyRequest(Request):
    token: MailedToken

    example = {"token": _EXAMPLE}


@api.post("/forgot-password", allow=anyone(), idempotent=DAY_1, limit=FORGOT)
def forgot_password(body: ForgotRequest) -> None:
    """Mail a link that resets the password; the answer is the same for an unknown email."""
    with transaction() as session:
        recovery.request_reset(session, body.email)


@api.post("/reset-password", allow=anyone(), idempotent=DAY_1, limit=PASSWORD, raises=(TokenNotGood, InvalidRequest))
def reset_password(body: ResetRequest) -> None:
    """Set a password by a mailed link, once, which may also be an invitation; every session ends."""
    reset = recovery.prepare_reset(body.token, body.new_password)
    with transaction() as session:
        reset.make(session)


@api.post("/verify-email", allow=anyone(), idempotent=DAY_1, raises=(TokenNotGood,))
def verify_email(body: VerifyRequest) -> None:
    """Prove one's email by a mailed link, once."""
    with transaction() as session:
        recovery.verify_email(session, body.token)


@api.post(
    "/verify-email/resend",
    allow=signed_in(),
    idempotent=DAY_1,
    limit=PASSWORD,
    raises=(recovery.AlreadyVerified, NotFound),
)
def resend_verification(caller: UserCaller) -> None:
    """Mail the link that proves the email again."""
    with transaction() as session:
        recovery.request_verification(session, queries.lock_user(session, caller.user_id))
