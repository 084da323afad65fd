"""Who has to have a second factor."""

from shared.identity.models import StoreMembership, User
from shared.identity.permissions import StoreType, SystemRole
from shared.kit.config import Settings


class MfaPolicy(Settings):
    """With `require_vendor_mfa`, people of vendors and admins do nothing else before they have a second factor."""

    require_vendor_mfa: bool = False


def must_enroll(user: User, active: StoreMembership | None) -> bool:
    """Whether this person, acting there, has to set up a second factor first."""
    if user.mfa_enabled or not MfaPolicy.current().require_vendor_mfa:
        return False
    return user.system_role is SystemRole.ADMIN or (active is not None and active.store.type is StoreType.VENDOR)
