"""What must be true when everything has come to rest. Each verdict is a sentence, and what speaks against it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from shared.events.catalogue import CATALOGUE
from shared.kit.db import read_only
from shared.kit.outbox import DeadLetter, OutboxEvent
from shared.notifications.drafting import drafts_of
from shared.notifications.models import EmailDelivery, Notification
from shared.operations.invariants import check_all
from shared.orders.models import OrderAssignment
from tests.chaos.ledger import NAME
from tests.chaos.load import Load, World
from tests.chaos.stage import Stage


@dataclass(frozen=True)
class Verdict:
    """`against` is empty when it holds."""

    sentence: str
    found: str
    against: str = ""


@dataclass(frozen=True)
class Troubles:
    """The two events that were told to fail."""

    nine_times: UUID
    poisoned: UUID


def passed(stage: Stage, world: World, load: Load, troubles: Troubles) -> list[Verdict]:
    """All of them."""
    with read_only() as session:
        outbox = list(session.scalars(select(OutboxEvent)))
    return [
        _nothing_lost_before_the_outbox(outbox, load),
        _everything_published(outbox),
        _every_effect_once(outbox),
        _state_is_the_latest(outbox),
        _told_once(outbox),
        _mailed(stage),
        _assigned_once(outbox, load),
        _reminded_once(outbox, world),
        _failed_nine_times(troubles),
        _one_dead_letter(troubles),
        _operators_told_once(outbox),
        _replay_completed(troubles),
        _invariants(),
    ]


def _nothing_lost_before_the_outbox(outbox: list[OutboxEvent], load: Load) -> Verdict:
    written = load.written
    there = Counter((row.event_type, row.aggregate_id) for row in outbox)
    missing = [key for key in written.checkouts if there["checkout_converted", key] != 1]
    missing += [key for key, times in written.travels.items() if there["order_in_transit", key] < times]
    missing += [key for key in written.ready if there["order_ready_for_dispatch", key] < 1]
    known = len(written.checkouts) + written.travels.total() + len(written.ready)
    return Verdict(
        "what was committed is in the outbox",
        f"{known:,} commits, {written.unknown} broken off, {len(outbox):,} events",
        _told_of("lost", missing),
    )


def _everything_published(outbox: list[OutboxEvent]) -> Verdict:
    left = [row.id for row in outbox if row.published_at is None]
    retried = sum(row.attempts > 1 for row in outbox)
    return Verdict(
        "every event was published, none died",
        f"{len(outbox):,} events, {retried} at a later attempt",
        _told_of("not published", left),
    )


def _every_effect_once(outbox: list[OutboxEvent]) -> Verdict:
    due = {row.id for row in outbox if "analytics" in CATALOGUE[row.event_type].topics and _is_witnessed(row)}
    effects = Counter(_column("SELECT event_id FROM chaos_effects"))
    doubled = [event_id for event_id, times in effects.items() if times > 1]
    against = [
        _told_of("lost", due - effects.keys()),
        _told_of("doubled", doubled),
        _told_of("of nothing", effects.keys() - due),
    ]
    return Verdict(
        "every effect happened exactly once", f"{effects.total():,} effects", "; ".join(filter(None, against))
    )


def _is_witnessed(row: OutboxEvent) -> bool:
    return row.event_type in ("checkout_converted", "order_in_transit")


def _state_is_the_latest(outbox: list[OutboxEvent]) -> Verdict:
    latest: dict[UUID, int] = {}
    for row in filter(_is_witnessed, outbox):
        latest[row.aggregate_id] = max(latest.get(row.aggregate_id, 0), row.sequence)
    held = dict(_rows("SELECT aggregate_id, sequence FROM chaos_latest"))
    stale = [key for key, sequence in latest.items() if held.get(key) != sequence]
    return Verdict("no older event won over a newer", f"{len(latest):,} states", _told_of("stale", stale))


def _told_once(outbox: list[OutboxEvent]) -> Verdict:
    expected: Counter[tuple[Any, ...]] = Counter()
    for row in outbox:
        kind = CATALOGUE[row.event_type]
        if "notifications" in kind.topics:
            for draft in drafts_of(kind.model_validate(row.payload)):
                to = draft.recipient
                expected[row.id, to.store_id, to.role, to.user_id] += 1
    where = (Notification.recipient_store_id, Notification.recipient_role, Notification.recipient_user_id)
    with read_only() as session:
        told = Counter(map(tuple, session.execute(select(Notification.event_id, *where))))
    against = _all_of(_told_of("not told", expected - told), _told_of("told too often", told - expected))
    return Verdict("everybody was told once", f"{told.total():,} notifications", against)


def _mailed(stage: Stage) -> Verdict:
    with read_only() as session:
        deliveries = list(session.scalars(select(EmailDelivery)))
    arrived = Counter(mail.message_id.strip("<>").partition("@")[0] for mail in stage.mailbox.mails)
    waiting = [mail.id for mail in deliveries if mail.status != "sent"]
    missing = [mail.id for mail in deliveries if str(mail.id) not in arrived]
    strange = arrived.keys() - {str(mail.id) for mail in deliveries}
    again = arrived.total() - len(arrived)
    against = _all_of(_told_of("waits", waiting), _told_of("lost", missing), _told_of("of nothing", strange))
    return Verdict(
        "each mail went out, one record for each event and person",
        # The one effect that no transaction holds: whoever breaks off between the two sends it again, as the same.
        f"{len(deliveries):,} mails, {again} handed over again under their id",
        against,
    )


def _assigned_once(outbox: list[OutboxEvent], load: Load) -> Verdict:
    with read_only() as session:
        held = Counter(session.scalars(select(OrderAssignment.order_id)))
    told = Counter(row.aggregate_id for row in outbox if row.event_type == "order_assigned")
    wrong = [key for key in load.written.ready if (held[key], told[key]) != (1, 1)]
    wrong += [key for key in held.keys() | told.keys() if key not in load.written.ready]
    return Verdict("each packed order got one driver", f"{len(held)} orders", _told_of("not so", wrong))


def _reminded_once(outbox: list[OutboxEvent], world: World) -> Verdict:
    told = Counter(row.aggregate_id for row in outbox if row.event_type == "order_pending_nudge")
    wrong = [order.id for order in world.overdue if told[order.id] != 1]
    return Verdict(
        "the job that ran twice did everything once",
        f"{told.total()} reminders of {len(world.overdue)} overdue orders",
        _told_of("not so", wrong),
    )


def _failed_nine_times(troubles: Troubles) -> Verdict:
    [(failed,)] = _rows("SELECT failed FROM chaos_trouble WHERE aggregate_id = :id", id=troubles.nine_times)
    effects = _effects_of(troubles.nine_times)
    return Verdict(
        "a consumer that fails nine times and then succeeds has done it",
        f"{failed} failures, {effects} effect",
        "" if (failed, effects) == (9, 1) else "not so",
    )


def _one_dead_letter(troubles: Troubles) -> Verdict:
    with read_only() as session:
        letters = list(session.scalars(select(DeadLetter)))
        event_id = session.scalar(select(OutboxEvent.id).where(OutboxEvent.aggregate_id == troubles.poisoned))
    found = [(letter.event_id, letter.subscription, letter.attempts) for letter in letters]
    is_so = found == [(event_id, NAME, 10)]
    names = ", ".join(f"{letter.event_type} by {letter.subscription or 'the outbox'}" for letter in letters)
    return Verdict(
        "the poisoned message, and no other, is a dead letter", names or "none", "" if is_so else f"{len(letters)}"
    )


def _operators_told_once(outbox: list[OutboxEvent]) -> Verdict:
    about = [row.payload["letter_id"] for row in outbox if row.event_type == "dead_letter_kept"]
    return Verdict(
        "operators were told of the dead letter once", f"{len(about)} announced", "" if len(about) == 1 else "not so"
    )


def _replay_completed(troubles: Troubles) -> Verdict:
    states = _rows("SELECT replayed_at IS NOT NULL FROM outbox_dlq")
    effects = _effects_of(troubles.poisoned)
    return Verdict(
        "its replay after the fix completed it",
        f"{effects} effect",
        "" if (states, effects) == ([(True,)], 1) else f"replayed: {states}",
    )


def _invariants() -> Verdict:
    findings = check_all()
    broken = [f"{finding.check}: {finding.failure or finding.count}" for finding in findings if not finding.holds]
    return Verdict("every invariant holds", f"{len(findings)} checks", ", ".join(broken))


def _effects_of(aggregate_id: UUID) -> int:
    [(effects,)] = _rows("SELECT count(*) FROM chaos_effects WHERE aggregate_id = :id", id=aggregate_id)
    return int(effects)


def _rows(statement: str, **named: object) -> list[tuple[Any, ...]]:
    with read_only() as session:
        return [tuple(row) for row in session.execute(text(statement), named)]


def _column(statement: str) -> list[Any]:
    return [value for (value,) in _rows(statement)]


def _told_of(what: str, which: Iterable[object]) -> str:
    named = [str(one) for one in which]
    return f"{len(named)} {what}, such as {named[0]}" if named else ""


def _all_of(*told: str) -> str:
    return "; ".join(filter(None, told))
