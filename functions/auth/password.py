"""Change one's password.

Serves /api/v1/auth/update-password. Publishes security_alert.
"""

from functions.auth.limits import PASSWORD
from functions.auth.schemas import SignedInResponse, with_tokens
from shared.identity import signing_in
from shared.identity.accounts import lock_account
from shared.identity.callers import UserCaller, signed_in
from shared.identity.fields import Password
from shared.identity.password_change import prepare_change
from shared.kit.db import transaction
from shared.kit.errors import InvalidRequest, NotFound
from shared.kit.http import Api, Reply
from shared.kit.idempotency import DAY_1
from shared.kit.schemas import Request

api = Api("auth", prefix="/api/v1/auth")


class PasswordRequest(Request):
    current_password: Password
    new_password: Password

    example = {"current_password": "a dozen purple cacti", "new_password": "a baker's dozen of cacti"}


@api.post(
    "/update-password",
    allow=signed_in(even_with_temporary_password=True),
    idempotent=DAY_1,
    limit=PASSWORD,
    raises=(InvalidRequest, NotFound),
)
def update_password(caller: UserCaller, body: PasswordRequest) -> Reply[SignedInResponse]:
    """Change the password: every session ends, and the caller goes on in a new one."""
    change = prepare_change(caller.user_id, current=body.current_password, new=body.new_password)
    with transaction() as session:
        account = lock_account(session, caller.user_id)
        change.make(session, account.user)
        return with_tokens(signing_in.start_over(session, account, caller.store_id))
