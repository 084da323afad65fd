"""The scan of the logs finds every kind of thing that may not be there, and the redactor lets none through."""

import json

import pytest

from shared.identity import passwords, sealing
from shared.identity.refresh_tokens import RefreshToken
from shared.kit import auth, logging
from shared.kit.ids import new_id
from shared.kit.logging import REDACTED, log, redact
from tests.security.catalogue import served
from tests.security.leaks import FORMS, find_leaks
from tests.settings import TEST_SETTINGS

EXAMPLES = {
    "access token": lambda: auth.signer().sign({"sub": "x"}, ttl_s=60),
    "refresh token": lambda: str(RefreshToken.fresh("0" * 32)),
    "mailed token": lambda: "https://app.example.com/reset?token=k3J9x0Qw2mVbT7yLrN5cD8fGhZpA1sXeUoIiKjRtYlM",
    "password hash": lambda: "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA",
    "second factor": lambda: "otpauth://totp/PackFinderz?secret=JBSWY3DPEHPK3PXP",
    "backup code": lambda: passwords.temporary().get_secret_value(),
    "email": lambda: "rosa@greenmesa.example.com",
    "phone": lambda: "+14055550100",
    "card": lambda: "cnon:card-nonce-ok",
    "street address": lambda: "100 N Broadway Ave",
    "known password": lambda: "a dozen purple cacti",
    "known name": lambda: "Rosa",
    "known signing key": lambda: TEST_SETTINGS["PF_MFA_KEYS"],
    "known provider token": lambda: TEST_SETTINGS["PF_SQUARE_ACCESS_TOKEN"],
}

# What the conventions forbid, field by field, in the spellings that occur.
FORBIDDEN = {
    "passwords": "password new_password current_password passwords temporary_password passwd pwd",
    "hashes": "hash password_hash hashes md5_hash digest",
    "tokens": "token tokens access_token refresh_token X-PF-Token X-PF-Refresh-Token attribution_tokens jwt secret "
    "client_secret secrets mfa_secret mfa_code otp otpauth_uri Authorization api_key signing_key keys signature "
    "backup_codes source_id upload_url document_urls",
    "cookies": "cookie cookies Set-Cookie",
    "card data": "card cards card_number cardholder_name cvv cvc pan iban pin last4 exp_month exp_year fingerprint",
    "document contents and extracted text": "content contents document_content extracted extracted_text body text "
    "payload",
    "cash notes": "note notes cash_note cash_notes buyer_notes memo",
    "names": "name names first_name last_name full_name company_name dba_name recipient_name file_name",
    "emails": "email emails user_email recipient",
    "phones": "phone phones phone_number",
    "full addresses": "address addresses shipping_address street line1 line2 postal_code lat lng latitude longitude "
    "geom",
}
NAMES = [name for names in FORBIDDEN.values() for name in names.split()]
KEPT = (
    *("request_id", "function", "user_id", "store_id", "action", "error_code", "duration_ms", "sql_statements"),
    *("message", "severity", "status", "route", "method", "metric", "value", "error_type", "event_id", "event_type"),
)


def logged(**fields) -> dict:
    """The line that comes of logging these fields."""
    lines: list[str] = []
    stop = logging.listen(lines.append)
    try:
        log.info("something_happened", **fields)
    finally:
        stop()
    return json.loads(lines[0])


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_kind_is_found(kind):
    line = json.dumps({"severity": "INFO", "message": "request", "function": "auth", "value": EXAMPLES[kind]()})

    found = list(find_leaks(["{}", line]))

    assert kind in {leak.kind for leak in found}
    assert {leak.line for leak in found} == {2}
    assert {leak.about for leak in found} == {"auth request"}


def test_every_form_has_an_example():
    assert set(FORMS) <= set(EXAMPLES)


@pytest.mark.parametrize(
    "harmless",
    [
        {"request_id": str(new_id()), "time": "2026-03-02T15:00:00.000000+00:00"},
        {"route": "/api/v1/stores/<uuid:store_id>", "duration_ms": 12.5, "sql_statements": 4},
        {"stack": ["/srv/shared/kit/http/serving.py:120", "/srv/functions/auth/sign_in.py:44"]},
        {"object": f"{new_id()}/license_doc/{new_id()}.pdf", "bucket": "packfinderz-test-media"},
        {"host": "https://storage.googleapis.com/packfinderz-media", "email": REDACTED},
    ],
)
def test_what_may_be_logged_is_no_leak(harmless):
    assert list(find_leaks([json.dumps({"severity": "INFO", "message": "request", **harmless})])) == []


def test_only_our_own_lines_are_judged():
    assert list(find_leaks(["rosa@example.com", '["rosa@example.com"]', '{"to": "rosa@example.com"}', "{broken"])) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_forbidden_field_is_logged_however_deep_it_is(name):
    line = logged(**{name: "tell-tale", "inner": {name: "tell-tale", "list": [{name: ["tell-tale"]}]}})

    assert "tell-tale" not in json.dumps(line)
    assert line[name] == line["inner"][name] == line["inner"]["list"][0][name] == REDACTED


@pytest.mark.parametrize("name", NAMES)
def test_no_forbidden_field_is_audited(name):
    assert redact({name: "tell-tale", "status": "active"}) == {name: REDACTED, "status": "active"}


@pytest.mark.parametrize(
    "name",
    [
        *("PASSWORD", "New-Password", "newPassword", "refreshToken", "firstName", "cardNumber", "JWTKeys", "clientJWT"),
        *("newPasswords", "oldHashes", "EMAILS", "cookieBodies", "X-PF-Refresh-Tokens", "addressLine1", "LINE1"),
    ],
)
def test_the_spelling_makes_no_difference(name):
    assert redact({name: "tell-tale"}) == {name: REDACTED}


@pytest.mark.parametrize("route", [route for route, one in served().items() if one.route.body])
def test_the_body_of_no_route_would_tell_a_secret_or_a_person(route):
    line = logged(**served()[route].route.body.example)

    assert list(find_leaks([json.dumps(line)])) == []


def test_what_the_conventions_want_in_a_line_stays():
    assert redact(dict.fromkeys(KEPT, "kept")) == dict.fromkeys(KEPT, "kept")


def test_the_text_of_an_error_stays_out():
    try:
        raise ValueError(sealing.seal("JBSWY3DPEHPK3PXP", owner_id=new_id()) + " rosa@example.com")
    except ValueError:
        lines: list[str] = []
        stop = logging.listen(lines.append)
        log.exception("request_failed")
        stop()

    (line,) = lines
    assert json.loads(line)["error_type"] == "ValueError"
    assert list(find_leaks([line])) == []
