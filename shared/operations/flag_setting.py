"""Operators look at the flags and set them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.kit import clock
from shared.kit.context import work
from shared.kit.errors import NotFound
from shared.kit.schemas import Request, Response
from shared.operations.audit import audit
from shared.operations.flags import MEANINGS, FeatureFlag, Flag, Rule, rules_of


class FlagRequest(Request):
    """What a flag shall be: the first rule that fits decides, else `enabled`."""

    enabled: bool
    rules: list[Rule] = Field([], max_length=50)

    example = {"enabled": False, "rules": [Rule.example]}


class RuleResponse(Response):
    environments: list[str]
    store_ids: list[UUID]
    percent: int
    enabled: bool


class FlagResponse(Response):
    """A flag as it is set; as its default says when `updated_at` is null."""

    key: Flag
    summary: str
    default: bool
    enabled: bool
    rules: list[RuleResponse]
    updated_by: UUID | None
    updated_at: datetime | None


def list_flags(session: Session) -> list[FlagResponse]:
    """Every flag that there is, by name."""
    held = {row.key: row for row in session.scalars(select(FeatureFlag))}
    return [_response(name, held.get(name)) for name in sorted(Flag)]


def get_flag(key: str) -> Flag:
    """The flag of this name. Raises NotFound."""
    if key not in MEANINGS:
        raise NotFound
    return Flag(key)


def set_flag(session: Session, name: Flag, wanted: FlagRequest) -> FlagResponse:
    """Set a flag; one that is so already stays untouched, and nothing is audited."""
    held = _lock(session, name)
    before, after = _told(name, held.enabled, held.rules), _told(name, wanted.enabled, _stored(wanted))
    if held.updated_by is None or before != after:
        held.enabled, held.rules = wanted.enabled, _stored(wanted)
        held.updated_by, held.updated_at = work().user_id, clock.now()
        audit(session, "flag.changed", "feature_flag", None, before=before, after=after)
    return _response(name, held)


def _lock(session: Session, name: Flag) -> FeatureFlag:
    """The flag's row, made with the default when there is none yet, locked."""
    fresh = {"key": name, "enabled": MEANINGS[name].default, "rules": [], "updated_at": clock.now()}
    session.execute(insert(FeatureFlag).values(**fresh).on_conflict_do_nothing())
    return session.scalars(select(FeatureFlag).where(FeatureFlag.key == name).with_for_update()).one()


def _stored(wanted: FlagRequest) -> list[Any]:
    return [rule.model_dump(mode="json") for rule in wanted.rules]


def _told(name: Flag, enabled: bool, rules: list[Any]) -> dict[str, Any]:
    """A flag for the audit log, which names it as the target has no id."""
    return {"flag": name, "enabled": enabled, "rules": rules}


def _response(name: Flag, held: FeatureFlag | None) -> FlagResponse:
    meaning = MEANINGS[name]
    return FlagResponse(
        key=name,
        summary=meaning.summary,
        default=meaning.default,
        enabled=held.enabled if held else meaning.default,
        rules=[RuleResponse.model_validate(rule) for rule in rules_of(held.rules)] if held else [],
        updated_by=held.updated_by if held else None,
        updated_at=held.updated_at if held else None,
    )
