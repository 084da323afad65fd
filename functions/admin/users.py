"""Users: give one who is locked out a temporary password.

Serves /api/v1/admin/users. Publishes security_alert.
"""

from uuid import UUID

from shared.identity import passwords
from shared.identity.callers import AdminCaller, admin
from shared.identity.password_change import NotJoined, replace_by_temporary
from shared.kit.db import transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api
from shared.kit.idempotency import MINUTES_10
from shared.kit.schemas import Response

api = Api("admin", prefix="/api/v1/admin/users")


class TemporaryPasswordResponse(Response):
    """A password told here and nowhere else, to be replaced at the next sign-in."""

    temporary_password: str


@api.post("/<uuid:user_id>/reset-password", allow=admin(), idempotent=MINUTES_10, raises=(NotFound, NotJoined))
def reset_password(_: AdminCaller, user_id: UUID) -> TemporaryPasswordResponse:
    """Replace a user's password by a temporary one and end all their sessions."""
    password = passwords.temporary()
    password_hash = passwords.hash_of(password)
    with transaction() as session:
        replace_by_temporary(session, user_id, password_hash)
    return TemporaryPasswordResponse(temporary_password=password.get_secret_value())
