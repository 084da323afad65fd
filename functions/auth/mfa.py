"""Two-factor sign-in: set it up, switch it off, and renew the backup codes.

Serves /api/v1/auth/mfa. Publishes security_alert.
"""

from functions.auth.limits import MFA
from functions.auth.schemas import SignedInResponse, with_tokens
from shared.identity import mfa, signing_in
from shared.identity.accounts import lock_account
from shared.identity.callers import UserCaller, signed_in
from shared.identity.credentials import prove_again
from shared.identity.fields import MfaCode, Password
from shared.kit.db import transaction
from shared.kit.errors import InvalidRequest, NotFound
from shared.kit.http import Api, Reply
from shared.kit.idempotency import MINUTES_10
from shared.kit.schemas import Request, Response

api = Api("auth", prefix="/api/v1/auth/mfa")


class EnrollRequest(Request):
    password: Password

    example = {"password": "a dozen purple cacti"}


class ConfirmRequest(Request):
    mfa_code: MfaCode

    example = {"mfa_code": "492039"}


class ProvedRequest(Request):
    """Both proofs; `mfa_code` may be a backup code."""

    password: Password
    mfa_code: MfaCode

    example = {"password": "a dozen purple cacti", "mfa_code": "492039"}


class EnrollmentResponse(Response):
    """What to tell an authenticator app: `secret` by hand (base32), or `otpauth_uri` by a QR code."""

    secret: str
    otpauth_uri: str


class BackupCodesResponse(Response):
    """Ten codes, each good once; they are told here and nowhere else."""

    backup_codes: list[str]


@api.post(
    "/enroll",
    allow=signed_in(),
    idempotent=MINUTES_10,
    limit=MFA,
    raises=(InvalidRequest, NotFound, mfa.MfaEnabled),
)
def enroll(caller: UserCaller, body: EnrollRequest) -> EnrollmentResponse:
    """A new secret for an authenticator app; it counts once it is confirmed."""
    proof = prove_again(caller.user_id, body.password)
    with transaction() as session:
        user = lock_account(session, caller.user_id).user
        proof.confirm(user)
        enrollment = mfa.enroll(session, user)
    return EnrollmentResponse(secret=enrollment.secret, otpauth_uri=enrollment.otpauth_uri)


@api.post(
    "/confirm",
    allow=signed_in(),
    idempotent=MINUTES_10,
    limit=MFA,
    raises=(InvalidRequest, NotFound, mfa.MfaEnabled, mfa.MfaNotEnrolled),
)
def confirm(caller: UserCaller, body: ConfirmRequest) -> Reply[BackupCodesResponse]:
    """Switch two-factor sign-in on by a first code: other sessions end, and the caller goes on in a new one."""
    with transaction() as session:
        account = lock_account(session, caller.user_id)
        codes = mfa.confirm(session, account.user, body.mfa_code)
        entry = signing_in.start_over(session, account, caller.store_id)
    return Reply(BackupCodesResponse(backup_codes=codes), headers=entry.tokens.headers)


@api.post(
    "/disable",
    allow=signed_in(),
    idempotent=MINUTES_10,
    limit=MFA,
    raises=(InvalidRequest, NotFound, mfa.MfaNotEnabled),
)
def disable(caller: UserCaller, body: ProvedRequest) -> Reply[SignedInResponse]:
    """Switch two-factor sign-in off: other sessions end, and the caller goes on in a new one."""
    proof = prove_again(caller.user_id, body.password)
    with transaction() as session:
        account = lock_account(session, caller.user_id)
        proof.confirm(account.user)
        mfa.disable(session, account.user, body.mfa_code)
        return with_tokens(signing_in.start_over(session, account, caller.store_id))


@api.post(
    "/backup-codes",
    allow=signed_in(),
    idempotent=MINUTES_10,
    limit=MFA,
    raises=(InvalidRequest, NotFound, mfa.MfaNotEnabled),
)
def renew_backup_codes(caller: UserCaller, body: ProvedRequest) -> BackupCodesResponse:
    """Ten new backup codes; the old ones are void."""
    proof = prove_again(caller.user_id, body.password)
    with transaction() as session:
        user = lock_account(session, caller.user_id).user
        proof.confirm(user)
        return BackupCodesResponse(backup_codes=mfa.renew_backup_codes(session, user, body.mfa_code))
