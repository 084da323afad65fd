"""Sign in with email and password, as a member of stores, an agent, or an admin.

Serves /api/v1/auth/login and /api/v1/admin/auth/login.
"""

from typing import Any, ClassVar
from uuid import UUID

from functions.auth import limits
from functions.auth.schemas import SignedInResponse, with_tokens
from shared.identity import mfa, signing_in
from shared.identity.accounts import lock_account
from shared.identity.callers import anyone
from shared.identity.credentials import WrongCredentials, prove, refusals_audited
from shared.identity.fields import Email, MfaCode, Password
from shared.identity.permissions import SystemRole
from shared.kit.db import transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api, Asked, Reply
from shared.kit.limits import count
from shared.kit.schemas import Request

api = Api("auth", prefix="/api/v1/auth")
admin_api = Api("auth", prefix="/api/v1/admin/auth")


class AdminLoginRequest(Request):
    """`mfa_code` is for those who have switched two-factor sign-in on: `details.reason` says `mfa_required`."""

    email: Email
    password: Password
    mfa_code: MfaCode | None = None

    example: ClassVar[dict[str, Any]] = {
        "email": "rosa@greenmesa.example.com",
        "password": "a dozen purple cacti",
    }


class LoginRequest(AdminLoginRequest):
    """Without `store_id` one acts for the store used last."""

    store_id: UUID | None = None


@api.post(
    "/login", allow=anyone(), idempotent=None, limit=limits.LOGIN, raises=(WrongCredentials, mfa.MfaRefused, NotFound)
)
def login(body: LoginRequest, asked: Asked) -> Reply[SignedInResponse]:
    """Sign in; 404 for a store where one does not belong."""
    with refusals_audited():
        proof = prove(body.email, body.password)
        _count_code(body, asked)
        with transaction() as session:
            account = lock_account(session, proof.user_id)
            proof.confirm(account.user)
            mfa.check(session, account.user, body.mfa_code)
            return with_tokens(signing_in.sign_in(session, account, account.choose(body.store_id)))


@admin_api.post(
    "/login", allow=anyone(), idempotent=None, limit=limits.LOGIN, raises=(WrongCredentials, mfa.MfaRefused)
)
def login_as_admin(body: AdminLoginRequest, asked: Asked) -> Reply[SignedInResponse]:
    """Sign in as an admin of the platform, without a store; others are refused as if the password were wrong."""
    with refusals_audited():
        proof = prove(body.email, body.password, needed=SystemRole.ADMIN)
        _count_code(body, asked)
        with transaction() as session:
            account = lock_account(session, proof.user_id)
            proof.confirm(account.user)
            mfa.check(session, account.user, body.mfa_code)
            return with_tokens(signing_in.sign_in(session, account, None))


def _count_code(body: AdminLoginRequest, asked: Asked) -> None:
    if body.mfa_code is not None:
        count((limits.MFA_CODE,), asked)
