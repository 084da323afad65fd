"""How long one may guess."""

from shared.kit import redis
from tests.builders.people import PASSWORD, a_person, a_registration
from tests.events import audited


def guess(api, email: str, *, address: str = "203.0.113.1", word: str = "a wrong guess", path: str = "/login"):
    body = {"email": email, "password": word}
    return api.send("POST", path, body=body, headers={"X-Forwarded-For": f"6.6.6.6, {address}"})


def test_five_guesses_a_minute_for_one_email_from_anywhere(api):
    rosa = a_person(email="rosa@example.com")

    guesses = [guess(api, "Rosa@Example.com ", address=f"203.0.113.{n}").status for n in range(5)]
    sixth = guess(api, rosa.email, address="203.0.113.6", word=PASSWORD)
    as_admin = guess(api, rosa.email, address="203.0.113.7", path="/api/v1/admin/auth/login")
    other = guess(api, a_person().email, word=PASSWORD)

    assert guesses == [401] * 5
    assert (sixth.status, sixth.error.code, "X-PF-Token" in sixth.headers) == (429, "RATE_LIMIT_EXCEEDED", False)
    assert 1 <= int(sixth.headers["Retry-After"]) <= 60
    assert as_admin.status == 429
    assert other.status == 200
    assert len(audited("auth.login_failed")) == 5


def test_what_is_sent_for_an_email_takes_no_more_room_than_an_email(api):
    guess(api, "x" * 100_000)

    keys = list(redis.client().scan_iter("*login_email*"))
    assert keys
    assert all(len(key) < 400 for key in keys)


def test_twenty_guesses_a_minute_from_one_address_for_any_email(api):
    guesses = [guess(api, f"guess{n}@example.com").status for n in range(20)]
    refused = guess(api, "guess20@example.com")
    elsewhere = guess(api, "guess20@example.com", address="203.0.113.2")

    assert guesses == [401] * 20
    assert (refused.status, refused.error.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert elsewhere.status == 401


def test_a_flood_from_one_address_spends_no_ones_own_tries(api):
    rosa = a_person()
    for n in range(20):
        guess(api, f"guess{n}@example.com")

    flood = [guess(api, rosa.email).status for _ in range(6)]
    owner = guess(api, rosa.email, address="198.51.100.9", word=PASSWORD)

    assert flood == [429] * 6
    assert owner.status == 200


def register(api, n: int, email: str, address: str):
    return api.send(
        "POST",
        "/register",
        body=a_registration(email=email, company_name=f"Green Mesa {n}", dba_name=None),
        headers={"X-Forwarded-For": address, "Idempotency-Key": f"registration-{n}"},
    )


def test_three_registrations_in_five_minutes_for_one_email(api):
    statuses = [register(api, n, "rosa@example.com", f"203.0.113.{n}").status for n in range(4)]

    assert statuses == [201, 201, 201, 429]


def test_twenty_registrations_in_five_minutes_from_one_address(api):
    statuses = [register(api, n, f"rosa{n}@example.com", "203.0.113.1").status for n in range(21)]

    assert statuses == [201] * 20 + [429]
    assert register(api, 99, "rosa99@example.com", "203.0.113.2").status == 201
