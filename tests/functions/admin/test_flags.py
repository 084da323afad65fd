"""Admins look at the flags and set them; each change is audited."""

from datetime import UTC, datetime

import pytest

from shared.kit.ids import new_id
from shared.operations.flags import Flag, flag
from tests.builders.stores import a_user
from tests.events import audited

UNTOUCHED = {
    "key": "allow_ach",
    "summary": "Buyers may pay by bank transfer (ACH).",
    "default": False,
    "enabled": False,
    "rules": [],
    "updated_by": None,
    "updated_at": None,
}


@pytest.fixture
def user():
    return a_user(system_role="admin")


@pytest.fixture
def admin(api, user):
    return api.under("/api/v1/admin/flags").as_admin(user)


def test_every_flag_is_listed_with_what_it_means(admin, statements):
    with statements() as counted:
        reply = admin.get()

    assert [shown["key"] for shown in reply.data] == sorted(Flag)
    assert reply.data[2] == UNTOUCHED
    assert counted.sql == 1


def test_a_flag_that_is_set_counts_at_once_on_this_instance_and_is_audited(admin, user):
    store_id = new_id()
    rule = {"environments": [], "store_ids": [str(store_id)], "percent": 100, "enabled": True}
    assert flag(Flag.ALLOW_ACH, store_id) is False

    reply = admin.put("/allow_ach", {"enabled": False, "rules": [rule]})

    assert reply.status == 200
    assert reply.data == UNTOUCHED | {
        "rules": [rule],
        "updated_by": str(user.id),
        "updated_at": reply.data["updated_at"],
    }
    assert datetime.fromisoformat(reply.data["updated_at"]).tzinfo is UTC
    assert (flag(Flag.ALLOW_ACH, store_id), flag(Flag.ALLOW_ACH)) == (True, False)
    assert admin.get().data[2] == reply.data
    assert audited() == [("flag.changed", None, {"flag": "allow_ach", "enabled": False, "rules": [rule]})]


def test_setting_what_is_set_changes_nothing(admin):
    first = admin.put("/ads_enabled", {"enabled": False})
    second = admin.put("/ads_enabled", {"enabled": False})

    assert first.data == second.data
    assert len(audited()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"enabled": "perhaps"},
        {"enabled": True, "rules": [{"percent": 101, "enabled": True}]},
        {"enabled": True, "rules": [{"percent": 10}]},
        {"enabled": True, "rules": [{"store_ids": ["x"], "enabled": True}]},
        {"enabled": True, "surprise": 1},
    ],
)
def test_a_bad_body_is_refused_and_changes_nothing(admin, body):
    assert admin.put("/allow_ach", body).status == 400
    assert admin.get().data[2] == UNTOUCHED
    assert audited() == []


def test_an_unknown_flag_is_not_there(admin):
    assert admin.put("/free_beer", {"enabled": True}).status == 404
    assert audited() == []


def test_only_admins_may(api):
    api = api.under("/api/v1/admin/flags")

    for caller in (api.as_agent(), api.as_user(a_user())):
        assert (caller.get().status, caller.put("/allow_ach", {"enabled": True}).status) == (403, 403)
    assert (api.get().status, flag(Flag.ALLOW_ACH)) == (401, False)
