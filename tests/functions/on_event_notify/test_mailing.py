"""Mail about events: to whom it concerns and who wants it, once each, whatever fails and is delivered again."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, text, update

from infra.local.processes import wait_until
from shared.events.checkout import OrderCreated
from shared.events.orders import OrderAssigned, OrderDecided, OrderDelivered
from shared.events.stores import ChargeFailed
from shared.events.users import EmailVerificationRequested, MemberInvited, PasswordResetRequested, SecurityAlert
from shared.identity import one_time_tokens
from shared.identity.models import MembershipStatus, OneTimeToken, StoreMembership, TokenPurpose, User
from shared.identity.one_time_tokens import TokenNotGood
from shared.identity.permissions import Role, SystemRole
from shared.kit import clock, logging, redis
from shared.kit.db import read_only, transaction
from shared.kit.ids import new_id
from shared.notifications import preferences
from shared.notifications.deliveries import claim
from shared.notifications.models import NotificationType
from shared.operations.flags import Flag, Rule, flag
from tests.builders.flags import a_flag
from tests.builders.people import a_person
from tests.builders.stores import a_buyer, a_member, a_user, a_vendor
from tests.functions.on_event_notify.deliveries import delivered, end_claims, outcomes, written
from tests.patience import PATIENCE_S


def decided(buyer, vendor=None) -> OrderDecided:
    return OrderDecided(
        order_id=new_id(),
        order_number=1001,
        buyer_store_id=buyer.id,
        vendor_store_id=(vendor or a_vendor()).id,
        status="partially_accepted",
        accepted_lines=2,
        rejected_lines=1,
        total_cents=5000,
    )


def wants(user, category: NotificationType, *, email: bool) -> None:
    with transaction() as session:
        preferences.choose(session, user.id, {category: email})


def receivers(sendgrid) -> list[str]:
    return [one["personalizations"][0]["to"][0]["email"] for one in sendgrid.taken]


def links_of(sendgrid) -> list[str]:
    """The link of each mail: the text puts it in a line of its own."""
    return [next(line for line in mail.text.splitlines() if line.startswith("https://")) for mail in sendgrid.mails]


def token_in(link: str) -> str:
    return parse_qs(urlsplit(link).query)["token"][0]


def is_good(token: str, purpose: TokenPurpose) -> bool:
    with read_only() as session:
        try:
            return one_time_tokens.get_bearer(session, token, purpose) is not None
        except TokenNotGood:
            return False


def forget_lease() -> None:
    """As if the time of the lease in Redis had passed."""
    redis.client().flushdb()


def test_a_mail_says_what_happened_in_html_and_in_text(consumer, sendgrid):
    buyer = a_buyer(company_name="Green & Mesa LLC")
    rosa = a_member(buyer, Role.OWNER)
    event = decided(buyer)

    acknowledged = consumer.deliver(delivered(event))

    (mail,) = sendgrid.mails
    link = f"https://packfinderz.example.com/orders/{event.order_id}"
    assert acknowledged
    assert (mail.sender, mail.to, mail.subject) == (
        "PackFinderz <orders@packfinderz.example.com>",
        f"{rosa.first_name} {rosa.last_name} <{rosa.email}>",
        "Order 1001 was partially accepted",
    )
    assert mail.message_id == f"<{written()[0].id}@packfinderz.example.com>"
    assert mail.text == (
        "Order 1001 was partially accepted\n\nHello Rosa,\n\n"
        "2 accepted and 1 rejected; the total is $50.00.\n\n"
        "Order: 1001\nLines accepted: 2\nLines rejected: 1\nTotal: $50.00\n\n"
        f"See the order:\n{link}\n\n--\nPackFinderz\nThis is about Green & Mesa LLC.\n"
        "Choose which mails you get: https://packfinderz.example.com/account/notifications\n"
    )
    assert f'href="{link}"' in mail.html
    assert "This is about Green &amp; Mesa LLC." in mail.html
    assert outcomes() == [("sent", 1, None)]


def test_only_active_members_who_hold_the_permission_are_mailed(consumer, sendgrid):
    buyer = a_buyer()
    people = {role: a_member(buyer, role) for role in Role}
    a_member(a_buyer(), Role.OWNER)
    a_member(buyer, Role.OPS, a_user(is_active=False))
    for status in (MembershipStatus.INVITED, MembershipStatus.REMOVED):
        gone = a_member(buyer, Role.OWNER)
        with transaction() as session:
            session.execute(update(StoreMembership).where(StoreMembership.user_id == gone.id).values(status=status))

    consumer.deliver(delivered(decided(buyer)))

    may_buy = (Role.OWNER, Role.ADMIN, Role.MANAGER, Role.OPS)
    assert sorted(receivers(sendgrid)) == sorted(people[role].email for role in may_buy)


def test_money_is_mailed_to_those_who_manage_billing(consumer, sendgrid):
    vendor = a_vendor()
    people = {role: a_member(vendor, role) for role in Role}
    event = ChargeFailed(
        store_id=vendor.id, charge_id=new_id(), kind="ad_spend", amount_cents=120, failure_code="declined"
    )

    consumer.deliver(delivered(event))

    assert sorted(receivers(sendgrid)) == sorted(people[role].email for role in (Role.OWNER, Role.ADMIN))


def test_each_vendor_of_a_checkout_is_mailed_its_own_order_alone(consumer, sendgrid):
    vendors = [a_vendor() for _ in range(2)]
    people = [a_member(vendor) for vendor in vendors]
    event = OrderCreated(
        checkout_group_id=new_id(),
        cart_id=new_id(),
        buyer_store_id=a_buyer().id,
        vendor_store_ids=[vendor.id for vendor in vendors],
        order_ids=[new_id(), new_id()],
        product_ids=[],
    )

    consumer.deliver(delivered(event))

    base = "https://packfinderz.example.com/vendor/orders/"
    mailed = dict(zip(receivers(sendgrid), links_of(sendgrid), strict=True))
    assert mailed == {
        person.email: f"{base}{order_id}" for person, order_id in zip(people, event.order_ids, strict=True)
    }
    assert all(str(event.order_ids[1]) not in str(mail.words) for mail in written() if mail.user_id == people[0].id)


def test_agents_are_mailed_and_what_is_marked_in_app_only_is_not(consumer, sendgrid):
    agent = a_user(system_role=SystemRole.AGENT)
    a_user(system_role=SystemRole.ADMIN)
    ids = {"order_id": new_id(), "buyer_store_id": a_buyer().id, "vendor_store_id": a_vendor().id}

    consumer.deliver(delivered(OrderAssigned(order_number=1001, agent_user_id=agent.id, **ids)))

    assert receivers(sendgrid) == [agent.email]


def test_who_stands_on_both_sides_is_mailed_once(consumer, sendgrid):
    buyer, vendor = a_buyer(), a_vendor()
    both = a_member(vendor, user=a_member(buyer))
    ids = {"order_id": new_id(), "buyer_store_id": buyer.id, "vendor_store_id": vendor.id}

    consumer.deliver(delivered(OrderDelivered(order_number=1001, agent_user_id=a_user().id, **ids)))

    assert receivers(sendgrid) == [both.email]


def test_who_does_not_want_a_category_gets_none_of_it_and_the_others_do(consumer, sendgrid):
    buyer = a_buyer()
    wants_none, wants_others, wants_it = (a_member(buyer) for _ in range(3))
    wants(wants_none, NotificationType.ORDER_ALERT, email=False)
    wants(wants_others, NotificationType.BILLING, email=False)
    wants(wants_it, NotificationType.ORDER_ALERT, email=True)

    consumer.deliver(delivered(decided(buyer)))

    assert sorted(receivers(sendgrid)) == sorted([wants_others.email, wants_it.email])


def test_security_mail_is_always_sent(consumer, sendgrid):
    rosa = a_user()
    with transaction() as session:
        session.execute(
            text(
                "INSERT INTO notification_preferences (user_id, category, email, changed_at)"
                " SELECT :user, unnest(enum_range(NULL::notification_type)), false, now()"
            ),
            {"user": rosa.id},
        )

    consumer.deliver(delivered(SecurityAlert(user_id=rosa.id, kind="refresh_reuse")))

    (mail,) = sendgrid.mails
    assert mail.subject == "Security alert: refresh reuse"
    assert "Mails that protect your account are always sent." in mail.text
    assert receivers(sendgrid) == [rosa.email]


@pytest.mark.parametrize(
    ("event", "purpose", "path"),
    [
        (PasswordResetRequested, TokenPurpose.PASSWORD_RESET, "/reset-password"),
        (EmailVerificationRequested, TokenPurpose.EMAIL_VERIFICATION, "/verify-email"),
    ],
)
def test_a_single_use_link_is_mailed_and_shown_nowhere_else(consumer, sendgrid, event, purpose, path):
    rosa = a_person()
    said: list[str] = []
    stop = logging.listen(said.append)

    consumer.deliver(delivered(event(user_id=rosa.id)))
    stop()

    (link,) = links_of(sendgrid)
    token = token_in(link)
    assert urlsplit(link).path == path
    assert is_good(token, purpose)
    with read_only() as session:
        told = session.execute(text("SELECT (SELECT count(*) FROM notifications), words::text FROM email_deliveries"))
        assert [(count, token in words) for count, words in told] == [(0, False)]
    assert token not in "".join(said)


def test_the_new_are_invited_to_set_a_password_and_the_known_are_not(consumer, sendgrid):
    store, rosa = a_buyer(dba_name="Green Mesa"), a_user()
    new, known = a_person(password=None), a_person()

    for person in (new, known):
        consumer.deliver(
            delivered(MemberInvited(user_id=person.id, store_id=store.id, role="staff", invited_by=rosa.id))
        )

    first, second = links_of(sendgrid)
    assert urlsplit(first).path == "/accept-invitation"
    assert is_good(token_in(first), TokenPurpose.INVITATION)
    assert second == "https://packfinderz.example.com/stores"
    assert ["Store: Green Mesa\nYour role: staff\n" in mail.text for mail in sendgrid.mails] == [True, True]
    with read_only() as session:
        assert session.scalars(select(OneTimeToken.user_id)).all() == [new.id]


@pytest.mark.parametrize("lost", ["nothing", "redis", "redis and the mark"])
def test_a_redelivery_mails_nobody_again(consumer, sendgrid, lost):
    buyer = a_buyer()
    for _ in range(3):
        a_member(buyer)
    delivery = delivered(decided(buyer))
    consumer.deliver(delivery)

    if lost != "nothing":
        forget_lease()
    if lost == "redis and the mark":
        with transaction() as session:
            session.execute(text("DELETE FROM processed_events"))
    acknowledged = consumer.deliver(delivery)

    assert acknowledged
    assert len(sendgrid.taken) == 3
    assert outcomes() == [("sent", 1, None)] * 3


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_what_may_pass_is_tried_again_without_mailing_the_others_again(consumer, sendgrid, status):
    buyer = a_buyer()
    people = [a_member(buyer) for _ in range(3)]
    delivery = delivered(decided(buyer))
    sendgrid.slow_down(delay_ms=0)
    sendgrid.fail(status=status)

    refused = consumer.deliver(delivery)
    between = receivers(sendgrid)
    acknowledged = consumer.deliver(delivery)

    assert (refused, acknowledged) == (False, True)
    assert between == [people[0].email]
    assert sorted(receivers(sendgrid)) == sorted(person.email for person in people)
    assert outcomes() == [("sent", 1, None), ("sent", 2, None), ("sent", 2, None)]


def test_a_provider_that_is_too_slow_is_tried_again(consumer, sendgrid, monkeypatch):
    from shared.integrations import email
    from shared.integrations.email import EmailSettings

    buyer = a_buyer()
    a_member(buyer)
    delivery = delivered(decided(buyer))
    sendgrid.slow_down(delay_ms=600_000, after=True)

    with monkeypatch.context() as impatient:
        impatient.setenv("PF_SENDGRID_TIMEOUT_S", "0.2")
        EmailSettings.forget()
        email.forget()
        refused = consumer.deliver(delivery)
    EmailSettings.forget()
    email.forget()
    acknowledged = consumer.deliver(delivery)

    assert (refused, acknowledged) == (False, True)
    assert outcomes() == [("sent", 2, None)]
    # The provider took it after all; by its id a mailbox may know that it is the same.
    assert wait_until(lambda: len(sendgrid.taken) == 2, timeout_s=PATIENCE_S)
    assert {mail.message_id for mail in sendgrid.mails} == {f"<{written()[0].id}@packfinderz.example.com>"}


def test_a_refusal_for_good_is_recorded_and_not_tried_again(consumer, sendgrid):
    buyer = a_buyer()
    bad, good = a_member(buyer), a_member(buyer)
    sendgrid.refuse(bad.email)
    delivery = delivered(decided(buyer))

    acknowledged = consumer.deliver(delivery)
    forget_lease()
    again = consumer.deliver(delivery)

    assert (acknowledged, again) == (True, True)
    assert receivers(sendgrid) == [good.email]
    assert outcomes() == [("refused", 1, "400 personalizations.0.to.0.email"), ("sent", 1, None)]


def test_a_closed_account_gets_no_mail_that_waited_for_it(consumer, sendgrid):
    rosa = a_user()
    delivery = delivered(SecurityAlert(user_id=rosa.id, kind="refresh_reuse"))
    sendgrid.fail()
    consumer.deliver(delivery)
    with transaction() as session:
        session.execute(update(User).where(User.id == rosa.id).values(is_active=False))

    acknowledged = consumer.deliver(delivery)

    assert acknowledged
    assert sendgrid.taken == []
    assert outcomes() == [("dropped", 2, None)]


def test_while_mail_is_switched_off_for_a_store_its_people_are_told_without_any(consumer, sendgrid):
    silent, heard = a_buyer(), a_buyer()
    a_member(silent)
    member = a_member(heard)
    a_flag(Flag.EMAIL_ENABLED, Rule(store_ids=[silent.id], enabled=False), enabled=True)

    acknowledged = [consumer.deliver(delivered(decided(buyer))) for buyer in (silent, heard)]

    assert acknowledged == [True, True]
    assert receivers(sendgrid) == [member.email]
    assert outcomes() == [("dropped", 1, "email_enabled is off"), ("sent", 1, None)]


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)], ids=["ahead", "back"])
def test_mail_that_another_has_claimed_is_left_to_them_whatever_our_clock_says(consumer, sendgrid, freeze, jump):
    buyer = a_buyer()
    a_member(buyer)
    delivery = delivered(decided(buyer))
    sendgrid.fail()
    consumer.deliver(delivery)
    with transaction() as session:
        assert claim(session, written()[0].event_id, limit=1) != []
    freeze(clock.now() + jump)

    refused = consumer.deliver(delivery)
    nothing = receivers(sendgrid)
    end_claims()
    acknowledged = consumer.deliver(delivery)

    assert (refused, nothing, acknowledged) == (False, [], True)
    assert len(sendgrid.taken) == 1


def test_a_claim_lasts_a_minute(consumer, sendgrid):
    buyer = a_buyer()
    a_member(buyer)
    delivery = delivered(decided(buyer))
    sendgrid.fail()
    consumer.deliver(delivery)

    with transaction() as session:
        before = session.scalar(text("SELECT clock_timestamp()"))
        [claimed] = claim(session, written()[0].event_id, limit=1)
        after = session.scalar(text("SELECT clock_timestamp()"))

    assert before + timedelta(seconds=60) <= claimed.due_at <= after + timedelta(seconds=60)


@pytest.mark.parametrize(("waited", "is_sent"), [("9 minutes", False), ("11 minutes", True), ("25 hours", False)])
def test_a_later_event_continues_what_nobody_came_back_for(consumer, sendgrid, waited, is_sent):
    first, second = a_buyer(), a_buyer()
    forgotten, other = a_member(first), a_member(second)
    sendgrid.fail()
    consumer.deliver(delivered(decided(first)))
    with transaction() as session:
        session.execute(
            text("UPDATE email_deliveries SET due_at = due_at - CAST(:i AS interval),"
                 " created_at = created_at - CAST(:i AS interval)"),
            {"i": waited},
        )  # fmt: skip

    acknowledged = consumer.deliver(delivered(decided(second)))

    assert acknowledged
    assert receivers(sendgrid) == [other.email, *([forgotten.email] if is_sent else [])]


def test_a_forgotten_mail_that_cannot_be_written_does_not_hold_up_others(consumer, sendgrid):
    first, second = a_buyer(), a_buyer()
    a_member(first)
    other = a_member(second)
    sendgrid.fail()
    consumer.deliver(delivered(decided(first)))
    with transaction() as session:
        session.execute(
            text("UPDATE email_deliveries SET due_at = due_at - interval '1 hour', template = 'no_such_template'")
        )

    acknowledged = consumer.deliver(delivered(decided(second)))

    assert acknowledged
    assert receivers(sendgrid) == [other.email]


def test_more_mail_than_one_claim_holds_is_all_sent(consumer, sendgrid):
    buyer = a_buyer()
    people = [a_member(buyer) for _ in range(53)]

    acknowledged = consumer.deliver(delivered(decided(buyer)))

    assert acknowledged
    assert sorted(receivers(sendgrid)) == sorted(person.email for person in people)


def test_who_is_mailed_is_found_by_the_same_statements_however_many(consumer, sendgrid, statements, freeze):
    freeze(clock.now())
    # One more statement in half a minute.
    assert flag(Flag.EMAIL_ENABLED)
    costs = []
    for many in (1, 9):
        buyer = a_buyer()
        for _ in range(many):
            a_member(buyer)
        delivery = delivered(decided(buyer))
        with statements() as counted:
            consumer.deliver(delivery)
        costs.append(counted.sql)

    # Each mail is marked by a statement of its own, right after it was handed over.
    assert costs[1] - costs[0] == 8


def test_no_log_line_names_a_person(consumer, sendgrid):
    buyer = a_buyer()
    bad, good = a_member(buyer), a_member(buyer)
    sendgrid.refuse(bad.email)
    said: list[str] = []
    stop = logging.listen(said.append)

    consumer.deliver(delivered(decided(buyer)))
    sendgrid.fail(status=500)
    consumer.deliver(delivered(SecurityAlert(user_id=good.id, kind="refresh_reuse")))
    stop()

    lines = "\n".join(said)
    assert [person for person in (bad, good) if person.email in lines or person.last_name in lines] == []
    outcomes_told = [json.loads(line)["outcome"] for line in said if '"message": "mail"' in line]
    assert outcomes_told == ["refused", "sent"]
