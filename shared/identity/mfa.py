"""A second proof beside the password: the code of an authenticator app (TOTP, RFC 6238), or a backup code.

Whoever calls these holds the lock on the person, so that of two requests with the same code one is refused.
"""

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.orm import Session

from shared.events.users import SecurityAlert
from shared.identity import backup_codes, sealing
from shared.identity.credentials import SignInRefused
from shared.identity.models import User
from shared.identity.sealing import CannotUnseal
from shared.kit import clock
from shared.kit.errors import InvalidRequest, StateConflict
from shared.kit.logging import log
from shared.kit.outbox import emit
from shared.operations.audit import audit

if TYPE_CHECKING:
    from pyotp import TOTP

ISSUER = "PackFinderz"
DRIFT_STEPS = 1
"""How many steps of 30 seconds a phone's clock may be off, either way (RFC 6238, section 5.2)."""

_TOTP_FORM = re.compile("[0-9]{6}")


class MfaRefused(SignInRefused):
    """The password was right, the second proof was not."""

    reason = "mfa_code"
    default_message = "The code is wrong, or was used already."

    def __init__(self, user_id: UUID) -> None:
        super().__init__(user_id, details={"reason": self.reason})


class MfaRequired(MfaRefused):
    reason = "mfa_required"
    default_message = "Give the code of your authenticator app, or a backup code."


class MfaEnabled(StateConflict):
    default_message = "Two-factor sign-in is on already; switch it off first."

    def __init__(self) -> None:
        super().__init__(details={"reason": "mfa_enabled"})


class MfaNotEnabled(StateConflict):
    default_message = "Two-factor sign-in is not on."

    def __init__(self) -> None:
        super().__init__(details={"reason": "mfa_not_enabled"})


class MfaNotEnrolled(StateConflict):
    default_message = "Ask for a secret first."

    def __init__(self) -> None:
        super().__init__(details={"reason": "mfa_not_enrolled"})


@dataclass(frozen=True)
class Enrollment:
    """What an authenticator app is told, as base32 text and as an otpauth URI for a QR code."""

    secret: str
    otpauth_uri: str


def enroll(session: Session, user: User) -> Enrollment:
    """A new secret, good for nothing until a code of it confirms it. Raises MfaEnabled."""
    import pyotp

    if user.mfa_enabled:
        raise MfaEnabled
    secret = pyotp.random_base32()
    user.mfa_secret, user.mfa_last_step = sealing.seal(secret, owner_id=user.id), None
    audit(session, "auth.mfa_enrolled", "user", user.id)
    return Enrollment(secret, pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER))


def confirm(session: Session, user: User, code: SecretStr) -> list[str]:
    """Ask for codes from now on; the backup codes. Raises MfaEnabled, MfaNotEnrolled, InvalidRequest."""
    if user.mfa_enabled:
        raise MfaEnabled
    if user.mfa_secret is None:
        raise MfaNotEnrolled
    if not _accept_totp(user, _plain(code)):
        raise _wrong_code()
    user.mfa_confirmed_at = clock.now()
    _tell(session, user, "mfa_enabled")
    return backup_codes.renew(session, user.id)


def disable(session: Session, user: User, code: SecretStr) -> None:
    """Ask for codes no more. Raises MfaNotEnabled, InvalidRequest for a wrong code."""
    _require(session, user, code)
    user.mfa_secret = user.mfa_confirmed_at = user.mfa_last_step = None
    backup_codes.discard(session, user.id)
    _tell(session, user, "mfa_disabled")


def renew_backup_codes(session: Session, user: User, code: SecretStr) -> list[str]:
    """Ten new backup codes; the old ones are void. Raises MfaNotEnabled, InvalidRequest for a wrong code."""
    _require(session, user, code)
    _tell(session, user, "mfa_backup_codes_renewed")
    return backup_codes.renew(session, user.id)


def check(session: Session, user: User, code: SecretStr | None) -> None:
    """Let someone pass who proved their password. Raises MfaRequired without a code that is needed, MfaRefused."""
    if not user.mfa_enabled:
        return
    if code is None:
        raise MfaRequired(user.id)
    if not _accept(session, user, code):
        raise MfaRefused(user.id)


def _require(session: Session, user: User, code: SecretStr) -> None:
    if not user.mfa_enabled:
        raise MfaNotEnabled
    if not _accept(session, user, code):
        raise _wrong_code()


def _accept(session: Session, user: User, code: SecretStr) -> bool:
    """Whether this is a code of the app or a backup code, which are both used up by it."""
    plain = _plain(code)
    if _TOTP_FORM.fullmatch(plain):
        return _accept_totp(user, plain)
    if not backup_codes.spend(session, user.id, plain):
        return False
    _tell(session, user, "mfa_backup_code_used", left=backup_codes.count_left(session, user.id))
    return True


def _accept_totp(user: User, code: str) -> bool:
    """Whether the app shows this code within the drift, at a later step than any code before (RFC 6238, 5.2)."""
    import pyotp

    try:
        secret = sealing.unseal(user.mfa_secret or "", owner_id=user.id)
    except CannotUnseal:
        # No code of the app is right any more; a backup code is, and after it the person enrols anew.
        log.error("second_factor_cannot_be_read")
        return False
    step = _step_of(pyotp.TOTP(secret), code)
    if step is None or step <= (user.mfa_last_step or 0):
        return False
    user.mfa_last_step = step
    if sealing.is_outdated(user.mfa_secret or ""):
        user.mfa_secret = sealing.seal(secret, owner_id=user.id)
    return True


def _step_of(totp: "TOTP", code: str) -> int | None:
    """The time step of a code, if it is of about now."""
    present = totp.timecode(clock.now())
    shown = {step: totp.generate_otp(step) for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1)}
    given = code.encode()  # bytes, as text that is not ASCII cannot be compared so
    return next((step for step, expected in shown.items() if hmac.compare_digest(expected.encode(), given)), None)


def _plain(code: SecretStr) -> str:
    return code.get_secret_value().replace(" ", "").replace("-", "")


def _tell(session: Session, user: User, kind: str, **after: int) -> None:
    audit(session, f"auth.{kind}", "user", user.id, after=after or None)
    emit(session, SecurityAlert(user_id=user.id, kind=kind))


def _wrong_code() -> InvalidRequest:
    return InvalidRequest.field("mfa_code", MfaRefused.default_message)
