"""A colleague joins by a mailed invitation, a store is added and switched to, and two-factor sign-in is set up."""

import re

import httpx
import pyotp

from infra.local.console import step
from infra.local.demo.client import Person
from infra.local.demo.expectations import Unexpected, eventually, expect
from infra.local.demo.story import ADDRESS, PASSWORD, Story

_TOKEN = re.compile(r"[?&]token=([\w-]+)")


def play(story: Story) -> None:
    colleague = _invited(story)
    _switches(story)
    _two_factors(colleague)


def _invited(story: Story) -> Person:
    """Someone new, who sets a password by the link in the mail."""
    lee, store = story.person("lee"), story.buyer
    with step(f"{store.name} invites a manager"):
        body = {"email": lee.email, "first_name": "Lee", "last_name": "Park", "role": "manager"}
        invited = store.owner.post("/stores/me/users/invite", body, status=201)
        expect(invited["status"], "invited", "the membership")
    tokens: list[str] = []

    def mailed() -> int:
        tokens[:] = _tokens_mailed_to(story, lee.email)
        return len(tokens)

    eventually(mailed, 1, "The invitation is in the mailbox")
    with step("The manager sets a password by the link and signs in"):
        lee.answer("POST", "/auth/reset-password", 204, body={"token": tokens[0], "new_password": PASSWORD})
        told = lee.post("/auth/login", {"email": lee.email, "password": PASSWORD})
        expect((told["active_store"]["id"], told["active_store"]["role"]), (store.store_id, "manager"), "the store")
    with step("The link is good only once"):
        lee.answer("POST", "/auth/reset-password", 400, body={"token": tokens[0], "new_password": PASSWORD + "!"})
    return lee


def _tokens_mailed_to(story: Story, email: str) -> list[str]:
    mails = httpx.get(f"{story.stack.mailbox_url}/mails", params={"to": email}, timeout=30).json()["mails"]
    return [token for mail in mails for token in _TOKEN.findall(mail["text"])]


def _switches(story: Story) -> None:
    """The vendor's owner adds a dispensary to the same account, and goes back and forth."""
    owner, farm = story.vendor_a.owner, story.vendor_a
    with step(f"The owner of {farm.name} adds a store of another type"):
        body = {
            "first_name": "Rosa",
            "last_name": "Diaz",
            "email": owner.email,
            "password": PASSWORD,
            "company_name": f"{farm.name} Retail LLC",
            "store_type": "buyer",
            "address": ADDRESS,
            "accept_tos": True,
        }
        shop = owner.post("/auth/register", body, status=201)["active_store"]
        expect((shop["type"], shop["role"]), ("buyer", "owner"), "the added store")
    with step("Switching the store, the former token dies"):
        former = Person(owner.http, owner.email, owner.token)
        told = owner.post("/auth/switch-store", {"store_id": farm.store_id})
        expect(told["active_store"]["id"], farm.store_id, "the active store")
        former.answer("GET", "/auth/me", 401)


def _two_factors(person: Person) -> None:
    with step("Two-factor sign-in is set up"):
        enrolled = person.post("/auth/mfa/enroll", {"password": PASSWORD})
        app = pyotp.parse_uri(enrolled["otpauth_uri"])
        if not isinstance(app, pyotp.TOTP):
            raise Unexpected("the kind of code", type(app).__name__, "TOTP")
        codes = person.post("/auth/mfa/confirm", {"mfa_code": app.now()})["backup_codes"]
        expect(len(codes), 10, "the number of backup codes")
    with step("A password alone is not enough any more, a backup code beside it is, once"):
        stranger = Person(person.http, person.email)
        signing_in = {"email": person.email, "password": PASSWORD}
        stranger.answer("POST", "/auth/login", 401, body=signing_in)
        stranger.post("/auth/login", {**signing_in, "mfa_code": codes[0]})
        Person(person.http, person.email).answer("POST", "/auth/login", 401, body={**signing_in, "mfa_code": codes[0]})
