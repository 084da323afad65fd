"""Sign in with email and password, as a member of stores, an agent, or an admin.

Serves /api/v1/auth/login and /api/v1/admin/auth/login.
"""

from typing import Any, ClassVar
from uuid import UUID

from functions.auth import limits
from functions.auth.schemas import SignedInResponse, with_tokens
from shared.identity import signing_in
from shared.identity.accounts import lock_account
from shared.identity.callers import anyone
from shared.identity.credentials import WrongCredentials, prove
from shared.identity.fields import Email, Password
from shared.identity.permissions import SystemRole
from shared.kit.db import transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api, Reply
from shared.kit.schemas import Request

api = Api("auth", prefix="/api/v1/auth")
admin_api = Api("auth", prefix="/api/v1/admin/auth")


class AdminLoginRequest(Request):
    email: Email
    password: Password

    example: ClassVar[dict[str, Any]] = {
        "email": "rosa@greenmesa.example.com",
        "password": "a dozen purple cacti",
    }


class LoginRequest(AdminLoginRequest):
    """Without `store_id` one acts for the store used last."""

    store_id: UUID | None = None


@api.post("/login", allow=anyone(), idempotent=None, limit=limits.LOGIN, raises=(WrongCredentials, NotFound))
def login(body: LoginRequest) -> Reply[SignedInResponse]:
    """Sign in; 404 for a store where one does not belong."""
    proof = prove(body.email, body.password)
    with transaction() as session:
        account = lock_account(session, proof.user_id)
        proof.confirm(account.user)
        return with_tokens(signing_in.sign_in(session, account, account.choose(body.store_id)))


@admin_api.post("/login", allow=anyone(), idempotent=None, limit=limits.LOGIN, raises=(WrongCredentials,))
def login_as_admin(body: AdminLoginRequest) -> Reply[SignedInResponse]:
    """Sign in as an admin of the platform, without a store; others are refused as if the password were wrong."""
    proof = prove(body.email, body.password, needed=SystemRole.ADMIN)
    with transaction() as session:
        account = lock_account(session, proof.user_id)
        proof.confirm(account.user)
        return with_tokens(signing_in.sign_in(session, account, None))
