"""Feature flags: look at them, set one.

Serves /api/v1/admin/flags.
"""

from shared.identity.callers import AdminCaller, admin
from shared.kit.db import read_only, transaction
from shared.kit.errors import NotFound
from shared.kit.http import Api
from shared.operations import flags
from shared.operations.flag_setting import FlagRequest, FlagResponse, get_flag, list_flags, set_flag

api = Api("admin", prefix="/api/v1/admin/flags")


@api.get(allow=admin())
def show_all(_: AdminCaller) -> list[FlagResponse]:
    """Every flag, with its rules, by name."""
    with read_only() as session:
        return list_flags(session)


@api.put("/<key>", allow=admin(), raises=(NotFound,))
def put(_: AdminCaller, key: str, body: FlagRequest) -> FlagResponse:
    """Set a flag; every instance knows within 30 seconds."""
    name = get_flag(key)
    with transaction() as session:
        held = set_flag(session, name, body)
    flags.forget()
    return held
