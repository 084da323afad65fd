"""How often one may try. The address is counted first, so that a flood from one spends no one's own tries."""

from shared.kit.limits import Limit, per_address, per_field, per_user

LOGIN = (Limit("login_address", "20/minute", per_address), Limit("login_email", "5/minute", per_field("email")))
REGISTER = (
    Limit("register_address", "20/5 minute", per_address),
    Limit("register_email", "3/5 minute", per_field("email")),
)
FORGOT = (
    Limit("forgot_address", "20/10 minute", per_address),
    Limit("forgot_email", "5/10 minute", per_field("email")),
)
PASSWORD = Limit("password", "5/10 minute", per_user)
MFA = Limit("mfa", "5/10 minute", per_user)
MFA_CODE = Limit("mfa_code", "5/10 minute", per_field("email"))
"""Counted at a sign-in with a code once the password is right, so that strangers cannot spend its owner's tries."""
