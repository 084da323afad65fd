"""Admins see what waits and decide it, once."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from shared.events.licenses import LicenseStatusChanged
from shared.identity.models import KycStatus, Store
from shared.identity.permissions import Role, SystemRole
from shared.kit import clock
from shared.kit.db import read_only
from shared.licensing.models import License, LicenseStatus
from shared.media.models import Media
from tests.builders.media import a_license
from tests.builders.stores import a_buyer, a_user, a_vendor
from tests.events import audited
from tests.media import uploaded_bytes

NOON = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


@pytest.fixture
def queue(api, freeze):
    """The admins' routes, at noon."""
    freeze(NOON)
    return api.under("/api/v1/admin/licenses")


@pytest.fixture
def rosa():
    return a_user(system_role=SystemRole.ADMIN)


def pending(store=None, **fields):
    store = store or a_vendor(kyc_status=KycStatus.PENDING_VERIFICATION)
    return a_license(store, status=LicenseStatus.PENDING, **fields)


def now(license):
    with read_only() as session:
        return session.get(License, license.id)


def kyc_of(store_id):
    with read_only() as session:
        return session.get(Store, store_id).kyc_status


@pytest.mark.parametrize(
    ("decision", "reason", "kyc"),
    [
        ("verified", None, KycStatus.VERIFIED),
        ("verified", "Checked by phone.", KycStatus.VERIFIED),
        ("rejected", "The address is not the store's.", KycStatus.REJECTED),
    ],
)
def test_a_decision_is_status_mirror_audit_and_event(queue, events, rosa, decision, reason, kyc):
    license = pending()

    reply = queue.as_admin(rosa).post(f"/{license.id}/verify", {"decision": decision, "reason": reason})

    decided = now(license)
    assert (reply.status, reply.data) == (
        200,
        {
            "id": str(license.id),
            "store_id": str(license.store_id),
            "status": decision,
            "reason": reason,
            "reviewed_by": str(rosa.id),
            "reviewed_at": "2026-11-20T18:00:00Z",
            "kyc_status": kyc,
        },
    )
    assert (decided.status, decided.reason) == (LicenseStatus(decision), reason)
    assert (decided.reviewed_by, decided.reviewed_at) == (rosa.id, NOON)
    assert kyc_of(license.store_id) is kyc
    assert events.emitted() == [
        LicenseStatusChanged(
            license_id=license.id,
            store_id=license.store_id,
            from_status="pending",
            to_status=decision,
            reason=reason,
            kyc_status=kyc,
        )
    ]
    assert audited() == [
        (
            f"license.{decision}",
            license.id,
            {"status": decision, "reason": reason, "store_id": str(license.store_id), "kyc_status": kyc},
        )
    ]


@pytest.mark.parametrize("status", [status for status in LicenseStatus if status is not LicenseStatus.PENDING])
@pytest.mark.parametrize("decision", ["verified", "rejected"])
def test_only_a_pending_license_is_decided(queue, events, status, decision):
    store = a_vendor(kyc_status=KycStatus.EXPIRED)
    license = a_license(store, status=status)

    reply = queue.as_admin().post(f"/{license.id}/verify", {"decision": decision, "reason": "Second thoughts."})

    assert (reply.status, reply.error.code, reply.error.reason) == (422, "STATE_CONFLICT", f"license_{status}")
    assert (now(license).status, now(license).reviewed_by) == (status, None)
    assert (events.emitted(), audited()) == ([], [])
    assert kyc_of(store.id) is KycStatus.EXPIRED


@pytest.mark.parametrize(
    "body",
    [
        {"decision": "rejected"},
        {"decision": "rejected", "reason": None},
        {"decision": "rejected", "reason": "  "},
        {"decision": "rejected", "reason": "x" * 501},
        {"decision": "expired", "reason": "It is old."},
        {"reason": "No word."},
        {"decision": "verified", "kyc_status": "verified"},
    ],
)
def test_a_decision_without_its_reason_is_none(queue, events, body):
    license = pending()

    reply = queue.as_admin().post(f"/{license.id}/verify", body)

    assert (reply.status, reply.error.code) == (400, "VALIDATION_ERROR")
    assert (now(license).status, events.emitted(), audited()) == (LicenseStatus.PENDING, [], [])


def test_a_suspended_store_stays_suspended(queue, events):
    license = pending(a_vendor(kyc_status=KycStatus.SUSPENDED))

    reply = queue.as_admin().post(f"/{license.id}/verify", {"decision": "verified"})

    assert (reply.status, reply.data["status"], reply.data["kyc_status"]) == (200, "verified", "suspended")
    assert kyc_of(license.store_id) is KycStatus.SUSPENDED
    assert [event.kyc_status for event in events.emitted()] == ["suspended"]


def test_rejecting_a_second_license_leaves_a_verified_store_alone(queue):
    store = a_vendor()
    a_license(store)
    license = pending(store)

    reply = queue.as_admin().post(f"/{license.id}/verify", {"decision": "rejected", "reason": "Blurred."})

    assert reply.data["kyc_status"] == "verified"
    assert kyc_of(store.id) is KycStatus.VERIFIED


def test_a_license_that_is_not_there_is_not_decided(queue):
    reply = queue.as_admin().post(f"/{uuid4()}/verify", {"decision": "verified"})

    assert (reply.status, reply.error.message) == (404, "There is no such license here.")


def test_only_admins_decide_and_look(queue, events):
    license = pending()
    store = a_vendor()
    callers = [queue.as_agent(), queue.as_user(a_user()), *(queue.as_member(store, role) for role in Role)]

    decided = {caller.post(f"/{license.id}/verify", {"decision": "verified"}).status for caller in callers}
    looked = {caller.get().status for caller in callers}

    assert (decided, looked) == ({403}, {403})
    assert queue.anonymously().get().status == 401
    assert (now(license).status, events.emitted()) == (LicenseStatus.PENDING, [])


def test_a_repeat_decides_once(queue, events):
    license = pending()
    caller = queue.as_admin()

    first, again = (caller.post(f"/{license.id}/verify", {"decision": "verified"}, key="v-1") for _ in range(2))

    assert (first.status, again.raw) == (200, first.raw)
    assert len(events.emitted()) == 1


def test_the_queue_holds_what_waits_the_oldest_first(queue, freeze, statements):
    waiting = []
    for day in range(4):
        freeze(NOON + timedelta(days=day))
        waiting.append(pending())
        a_license(status=LicenseStatus.VERIFIED)
    caller = queue.as_admin()

    with statements() as cost:
        first = caller.get(limit=3)
    rest = caller.get(limit=3, cursor=first.page["next"])
    verified = caller.get(status="verified")
    both = caller.get(status="verified,pending", include_total="true")

    assert [row["id"] for row in first.data + rest.data] == [str(license.id) for license in waiting]
    assert (rest.page["next"], cost.sql) == (None, 1)
    assert {row["status"] for row in verified.data} == {"verified"}
    assert (len(verified.data), both.json["total"]) == (4, 8)


def test_a_row_of_the_queue_shows_store_and_document(queue):
    store = a_buyer(company_name="Green Mesa LLC", dba_name="The Mesa", kyc_status=KycStatus.PENDING_VERIFICATION)
    license = pending(store)
    with read_only() as session:
        uploaded_bytes(session.get(Media, license.media_id), b"%PDF- license")

    (row,) = queue.as_admin().get().data

    assert row["store"] == {
        "id": str(store.id),
        "type": "buyer",
        "company_name": "Green Mesa LLC",
        "dba_name": "The Mesa",
        "kyc_status": "pending_verification",
        "line1": store.line1,
        "line2": None,
        "city": "Oklahoma City",
        "state": "OK",
        "postal_code": "73102",
    }
    assert (row["id"], row["number"], row["status"], row["reviewed_by"]) == (
        str(license.id),
        license.number,
        "pending",
        None,
    )
    assert httpx.get(row["document_url"]).content == b"%PDF- license"
    assert row["document_url_expires_at"] == (clock.now() + timedelta(minutes=10)).isoformat().replace("+00:00", "Z")
