"""Stay signed in, change the store one acts for, or leave.

Serves /api/v1/auth/refresh, /switch-store, /logout and /logout-all. Publishes security_alert.
"""

from uuid import UUID

from functions.auth.schemas import SignedInResponse, with_tokens
from shared.identity import sessions as open_sessions
from shared.identity import signing_in
from shared.identity.accounts import lock_account
from shared.identity.callers import UserCaller, anyone, signed_in
from shared.identity.refresh_tokens import RefreshToken
from shared.identity.sessions import RefreshReused
from shared.kit.db import transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api, Asked, Reply
from shared.kit.schemas import Request
from shared.kit.tokens import BadToken

api = Api("auth", prefix="/api/v1/auth")


class SwitchStoreRequest(Request):
    store_id: UUID

    example = {"store_id": "01980000-0000-7000-8000-000000000001"}


@api.post("/refresh", allow=anyone(), idempotent=None, raises=(BadToken,))
def refresh(asked: Asked) -> Reply[SignedInResponse]:
    """Trade the refresh token of X-PF-Refresh-Token for a new pair; one that was spent ends its session."""
    token = RefreshToken.read(asked.header("X-PF-Refresh-Token"))
    try:
        with transaction() as session:
            return with_tokens(signing_in.refresh(session, token))
    except RefreshReused as reuse:
        with transaction() as session:
            signing_in.end_reused(session, reuse)
        raise


@api.post("/switch-store", allow=signed_in(), idempotent=None, raises=(NotFound,))
def switch_store(caller: UserCaller, body: SwitchStoreRequest) -> Reply[SignedInResponse]:
    """Act for another store of one's own, under a new pair of tokens; 404 for a store where one does not belong."""
    with transaction() as session:
        account = lock_account(session, caller.user_id)
        return with_tokens(signing_in.switch_store(account, caller.sid, body.store_id))


@api.post("/logout", allow=signed_in(even_with_temporary_password=True), idempotent=None)
def logout(caller: UserCaller) -> None:
    """End this session."""
    open_sessions.end(caller.user_id, caller.sid)


@api.post("/logout-all", allow=signed_in(even_with_temporary_password=True), idempotent=None)
def logout_all(caller: UserCaller) -> None:
    """End every session of the caller."""
    open_sessions.end_all(caller.user_id)
