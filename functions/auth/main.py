"""Getting in: registration, sign-in, sessions, one's own account and password.

Serves /api/v1/auth and /api/v1/admin/auth. Publishes store_registered, security_alert,
password_reset_requested and email_verification_requested.
"""

from functions.auth import admins, me, mfa, password, recovery, registration, sessions, sign_in
from shared.kit.config import CommonSettings
from shared.kit.http import Api, serve


def groups() -> tuple[Api, ...]:
    """The parts of this function. Outside production, anyone may make an admin."""
    entering = (registration.api, sign_in.api, sign_in.admin_api, sessions.api)
    owned = (me.api, password.api, recovery.api, mfa.api)
    return (*entering, *owned) if CommonSettings.current().is_production else (*entering, *owned, admins.api)


main = serve("auth", *groups())
