from datetime import UTC, datetime

import pytest

from shared.identity.models import KycStatus, Store
from shared.identity.permissions import Role
from shared.kit.db import read_only
from shared.licensing.models import LicenseStatus
from tests.api import Client
from tests.builders.media import a_license
from tests.builders.people import PASSWORD, a_person
from tests.builders.stores import a_buyer, a_member, a_user, a_vendor
from tests.events import audited
from tests.maps import fresh_maps, maps_server  # noqa: F401 - fixtures

WHY = {"reason": "Complaints about three deliveries."}
TULSA_ADDRESS = {
    "line1": "5 W 1st St",
    "line2": "Suite 4",
    "city": "Tulsa",
    "state": "OK",
    "postal_code": "74103",
    "country": "US",
    "lat": 36.154,
    "lng": -95.9928,
}


@pytest.fixture
def admin(api) -> Client:
    return api.under("/api/v1/admin/stores").as_admin()


def kept(store: Store) -> Store:
    with read_only() as session:
        return session.get(Store, store.id)


def enter(auth_api, person) -> tuple[str, dict[str, str]]:
    reply = auth_api.post("/login", {"email": person.email, "password": PASSWORD}, key=None)
    return reply.headers["X-PF-Token"], {"X-PF-Refresh-Token": reply.headers["X-PF-Refresh-Token"]}


def test_a_suspended_stores_members_may_only_read_from_the_next_request_on(api, auth_api, admin, events):
    store, other = a_vendor(), a_vendor()
    rosa, lee, stranger = a_person(), a_person(), a_person()
    for home, person in ((store, rosa), (store, lee), (other, stranger)):
        a_member(home, Role.OWNER, person)
    inside = [api.with_token(enter(auth_api, person)[0]) for person in (rosa, lee)]
    outside = api.with_token(enter(auth_api, stranger)[0])

    reply = admin.post(f"/{store.id}/suspend", WHY)

    assert (reply.status, reply.data["kyc_status"]) == (200, "suspended")
    assert reply.data["suspended_reason"] == "Complaints about three deliveries."
    assert kept(store).kyc_status is KycStatus.SUSPENDED
    for member in inside:
        written = member.patch("/me", {"dba_name": "X"})
        assert (member.get("/me").status, written.status, written.error.reason) == (200, 403, "store_suspended")
    assert outside.patch("/me", {"dba_name": "X"}).status == 200
    assert audited("store.suspended") == [
        ("store.suspended", store.id, {"kyc_status": "suspended", "reason": "Complaints about three deliveries."})
    ]
    assert events.emitted() == []


def test_a_reinstated_store_goes_on_with_what_its_licenses_say(api, auth_api, admin):
    store, rosa = a_vendor(), a_person()
    a_member(store, Role.OWNER, rosa)
    admin.post(f"/{store.id}/suspend", WHY)
    token, refresh = enter(auth_api, rosa)

    reply = admin.post(f"/{store.id}/reinstate", {"reason": "Settled."})

    assert (reply.status, reply.data["kyc_status"], reply.data["suspended_reason"]) == (
        200,
        "pending_verification",
        None,
    )
    assert kept(store).kyc_status is KycStatus.PENDING_VERIFICATION
    assert audited("store.reinstated") == [("store.reinstated", store.id, {"reason": "Settled."})]
    assert api.with_token(token).get("/me").status == 401
    renewed = auth_api.post("/refresh", key=None, **refresh).headers["X-PF-Token"]
    assert api.with_token(renewed).patch("/me", {"dba_name": "X"}).status == 200


def test_a_verified_license_verifies_a_reinstated_store(admin):
    store = a_vendor(kyc_status=KycStatus.SUSPENDED, suspended_reason="Complaints.")
    a_license(store, status=LicenseStatus.VERIFIED)

    reply = admin.post(f"/{store.id}/reinstate", {"reason": "Settled."})

    assert reply.data["kyc_status"] == "verified"
    assert kept(store).kyc_status is KycStatus.VERIFIED


def test_what_is_not_possible_in_the_present_state_is_refused(admin):
    running, stopped = a_vendor(), a_vendor(kyc_status=KycStatus.SUSPENDED, suspended_reason="Complaints.")

    twice, never = admin.post(f"/{stopped.id}/suspend", WHY), admin.post(f"/{running.id}/reinstate", WHY)

    assert (twice.status, twice.error.code, twice.error.reason) == (422, "STATE_CONFLICT", "already_suspended")
    assert (never.status, never.error.code, never.error.reason) == (422, "STATE_CONFLICT", "not_suspended")
    assert (kept(running).kyc_status, kept(stopped).suspended_reason) == (KycStatus.VERIFIED, "Complaints.")
    assert audited() == []


@pytest.mark.parametrize("verb", ["suspend", "reinstate"])
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 501}])
def test_a_reason_is_needed(admin, verb, body):
    store = a_vendor()

    reply = admin.post(f"/{store.id}/{verb}", body)

    assert (reply.status, reply.error.fields) == (400, ["reason"])
    assert kept(store).kyc_status is KycStatus.VERIFIED


def test_an_address_is_corrected(admin):
    store = a_buyer()

    reply = admin.patch(f"/{store.id}/address", TULSA_ADDRESS)

    after = kept(store)
    assert (reply.status, reply.data["address"]) == (200, TULSA_ADDRESS)
    assert (after.line1, after.city, after.lat, after.lng) == ("5 W 1st St", "Tulsa", 36.154, -95.9928)
    [(action, target, change)] = audited()
    assert (action, target, change["state"], change["lat"]) == (
        "store.address_overridden",
        store.id,
        "OK",
        "[redacted]",
    )


@pytest.mark.parametrize("missing", ["line1", "city", "state", "postal_code"])
def test_half_an_address_is_refused(admin, missing):
    store = a_buyer()

    reply = admin.patch(f"/{store.id}/address", {key: value for key, value in TULSA_ADDRESS.items() if key != missing})

    assert (reply.status, reply.error.fields) == (400, [missing])
    assert kept(store).city == "Oklahoma City"


def without_position(**changes):
    return {name: value for name, value in {**TULSA_ADDRESS, **changes}.items() if name not in ("lat", "lng")}


def test_a_corrected_address_without_a_position_is_put_on_the_map(admin, maps):
    store = a_buyer()

    reply = admin.patch(f"/{store.id}/address", without_position())

    after = kept(store)
    assert (reply.status, reply.data["address"]) == (200, {**TULSA_ADDRESS, "lat": after.lat, "lng": after.lng})
    assert (after.line1, after.lat, after.lng) == ("5 W 1st St", 36.13293, -95.994638)
    assert (maps.calls, len(audited())) == ({"geocode": 1}, 1)


@pytest.mark.parametrize(
    ("change", "status", "fields"),
    [({"line1": "1 Xyzzy"}, 400, ["line1"]), ({"lat": 36.1}, 400, ["lng"]), ({"lng": -95.9}, 400, ["lng"])],
)
def test_an_address_that_is_nowhere_or_half_somewhere_is_refused(admin, maps, change, status, fields):
    store = a_buyer()

    reply = admin.patch(f"/{store.id}/address", {**without_position(), **change})

    assert (reply.status, reply.error.fields) == (status, fields)
    assert (kept(store).city, audited()) == ("Oklahoma City", [])


def test_without_the_map_a_store_stays_where_it_is(admin, maps):
    store = a_buyer()
    maps.fail(http=500, times=2)

    reply = admin.patch(f"/{store.id}/address", without_position())

    assert (reply.status, reply.error.code, reply.headers["Retry-After"]) == (503, "DEPENDENCY_ERROR", "2")
    assert (kept(store).city, audited()) == ("Oklahoma City", [])


def test_stores_are_listed_newest_first_and_filtered(admin, statements):
    buyer = a_buyer()
    vendor = a_vendor(kyc_status=KycStatus.EXPIRED)
    texan = a_vendor(state="TX")
    a_buyer(deleted_at=datetime(2026, 1, 1, tzinfo=UTC))

    with statements() as counted:
        everything = admin.get("")
    lists = [
        admin.get("", type="vendor"),
        admin.get("", kyc_status="expired,rejected"),
        admin.get("", state="TX", include_total="true"),
        admin.get("", limit="1", cursor=admin.get("", limit="1").page["next"]),
    ]

    assert [store["id"] for store in everything.data] == [str(store.id) for store in (texan, vendor, buyer)]
    assert counted.sql == 1
    assert [[store["id"] for store in reply.data] for reply in lists] == [
        [str(texan.id), str(vendor.id)],
        [str(vendor.id)],
        [str(texan.id)],
        [str(vendor.id)],
    ]
    assert lists[2].json["total"] == 1


def test_only_admins_administrate(api):
    store = a_vendor()
    callers = [
        api.as_member(store),
        api.as_user(a_user()),
        api.as_agent(),
        api,
    ]

    statuses = [
        reply.status
        for caller in (each.under("/api/v1/admin/stores") for each in callers)
        for reply in (
            caller.get(""),
            caller.post(f"/{store.id}/suspend", WHY),
            caller.post(f"/{store.id}/reinstate", WHY),
            caller.patch(f"/{store.id}/address", TULSA_ADDRESS),
        )
    ]

    assert statuses == [403] * 12 + [401] * 4
    assert (kept(store).kyc_status, kept(store).city) == (KycStatus.VERIFIED, "Oklahoma City")


def test_a_store_that_is_not_there_is_not_found(admin):
    gone = a_vendor(deleted_at=datetime(2026, 1, 1, tzinfo=UTC)).id

    replies = [
        admin.post(f"/{gone}/suspend", WHY),
        admin.post(f"/{gone}/reinstate", WHY),
        admin.patch(f"/{gone}/address", TULSA_ADDRESS),
    ]

    assert [(reply.status, reply.error.code) for reply in replies] == [(404, "NOT_FOUND")] * 3
    assert audited() == []
