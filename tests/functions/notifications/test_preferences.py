"""Preferences: everything is mailed until someone does not want it, and security always is."""

import pytest
from sqlalchemy import func, select

from shared.identity.permissions import SystemRole
from shared.kit.db import read_only
from shared.notifications.models import NotificationPreference
from tests.builders.stores import a_buyer, a_user

CATEGORIES = ["system_announcement", "market_update", "security_alert", "order_alert", "compliance", "billing"]


def told(reply) -> dict[str, bool]:
    return {preference["category"]: preference["email"] for preference in reply.data["preferences"]}


def kept() -> int:
    with read_only() as session:
        return session.scalar(select(func.count()).select_from(NotificationPreference))


def test_everything_is_mailed_until_someone_does_not_want_it(api):
    reply = api.as_user(a_user()).get("/preferences")

    assert reply.status == 200
    assert reply.data["preferences"] == [
        {"category": category, "email": True, "can_change": category != "security_alert"} for category in CATEGORIES
    ]


def test_what_is_chosen_stays_and_the_rest_is_as_it_was(api):
    rosa = api.as_user(a_user())
    rosa.patch("/preferences", {"email": {"order_alert": False, "billing": False}})

    reply = rosa.patch("/preferences", {"email": {"billing": True, "market_update": False}})

    expected = dict.fromkeys(CATEGORIES, True) | {"order_alert": False, "market_update": False}
    assert (reply.status, told(reply), told(rosa.get("/preferences"))) == (200, expected, expected)


def test_everybody_chooses_for_themselves_alone_whatever_their_store_or_role(api):
    person, agent = a_user(), a_user(system_role=SystemRole.AGENT)
    buyer = a_buyer()

    api.as_member(buyer, user_id=person.id).patch("/preferences", {"email": {"order_alert": False}})

    assert told(api.as_user(person).get("/preferences"))["order_alert"] is False
    assert told(api.as_agent(agent).get("/preferences"))["order_alert"] is True


def test_security_mail_cannot_be_switched_off(api):
    rosa = api.as_user(a_user())

    refused = rosa.patch("/preferences", {"email": {"order_alert": False, "security_alert": False}})
    confirmed = rosa.patch("/preferences", {"email": {"security_alert": True}})

    assert (refused.status, refused.error.fields) == (400, ["email.security_alert"])
    assert (confirmed.status, told(confirmed)) == (200, dict.fromkeys(CATEGORIES, True))


@pytest.mark.parametrize(
    "body",
    [{}, {"email": {}}, {"email": {"gossip": True}}, {"email": {"billing": "perhaps"}}, {"sms": {"billing": True}}],
)
def test_an_odd_choice_is_refused_and_changes_nothing(api, body):
    reply = api.as_user(a_user()).patch("/preferences", body)

    assert (reply.status, reply.error.code, kept()) == (400, "VALIDATION_ERROR", 0)


def test_strangers_have_no_preferences(api):
    replies = [api.anonymously().get("/preferences"), api.anonymously().patch("/preferences", {"email": {}})]

    assert [reply.status for reply in replies] == [401, 401]


def test_choosing_is_the_same_statements_however_much_is_chosen(api, statements):
    rosa = api.as_user(a_user())
    costs = []
    for chosen in ({"billing": False}, {"billing": True, "order_alert": False, "market_update": False}):
        with statements() as counted:
            rosa.patch("/preferences", {"email": chosen})
        costs.append(counted.sql)

    assert costs == [2, 2]
