"""Make an admin, where that is harmless.

Serves /api/v1/admin/auth/register outside production.
"""

from functions.auth.limits import REGISTER
from shared.identity import passwords
from shared.identity.callers import anyone
from shared.identity.fields import Email, Password, PersonName
from shared.identity.permissions import SystemRole
from shared.identity.registration import EmailTaken, create_user
from shared.identity.schemas import UserResponse
from shared.kit.db import transaction
from shared.kit.errors import InvalidRequest
from shared.kit.http import Api
from shared.kit.idempotency import DAY_1
from shared.kit.schemas import Request
from shared.operations.audit import audit

api = Api("auth", prefix="/api/v1/admin/auth")


class AdminRequest(Request):
    first_name: PersonName
    last_name: PersonName
    email: Email
    password: Password

    example = {
        "first_name": "Ada",
        "last_name": "Okafor",
        "email": "ada@packfinderz.example.com",
        "password": "a dozen purple cacti",
    }


@api.post(
    "/register", allow=anyone(), idempotent=DAY_1, status=201, limit=REGISTER, raises=(EmailTaken, InvalidRequest)
)
def register_admin(body: AdminRequest) -> UserResponse:
    """Make an admin, who then signs in; only outside production."""
    passwords.refuse_weak(body.password, email=body.email)
    password_hash = passwords.hash_of(body.password)
    with transaction() as session:
        user = create_user(
            session,
            email=body.email,
            password_hash=password_hash,
            first_name=body.first_name,
            last_name=body.last_name,
            system_role=SystemRole.ADMIN,
        )
        audit(session, "admin.created", "user", user.id)
        return UserResponse.model_validate(user)
