"""Feature flags: switches that operators turn without a deployment.

A flag that nobody has set is what its default in code says. An instance reads all of them by one
statement and believes what it read for 30 seconds, so a change is everywhere half a minute later.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from shared.kit import clock
from shared.kit.config import CommonSettings
from shared.kit.db import read_only
from shared.kit.schemas import Request
from shared.kit.tables import Created, JsonList, Table

BELIEVED_FOR = timedelta(seconds=30)


class Flag(StrEnum):
    """Every flag that code asks for."""

    ALLOW_ACH = "allow_ach"
    REQUIRE_EMAIL_VERIFICATION = "require_email_verification"
    REQUIRE_VENDOR_MFA = "require_vendor_mfa"
    ADS_ENABLED = "ads_enabled"
    ADS_LINE_FALLBACK = "ads_line_fallback"
    DOCUMENT_AI_ENABLED = "document_ai_enabled"
    EMAIL_ENABLED = "email_enabled"


@dataclass(frozen=True)
class Meaning:
    """What a flag does when it is on, and whether it is on until somebody says otherwise."""

    summary: str
    default: bool


MEANINGS: Mapping[Flag, Meaning] = {
    Flag.ALLOW_ACH: Meaning("Buyers may pay by bank transfer (ACH).", False),
    Flag.REQUIRE_EMAIL_VERIFICATION: Meaning("Checking out and selling need a verified email.", False),
    Flag.REQUIRE_VENDOR_MFA: Meaning("Members of vendor stores, and admins, must have a second factor.", False),
    Flag.ADS_ENABLED: Meaning("Ads are served.", True),
    Flag.ADS_LINE_FALLBACK: Meaning("A line without a product ad's token gets the order's store token.", True),
    Flag.DOCUMENT_AI_ENABLED: Meaning("Documents are read by Document AI and a language model.", True),
    Flag.EMAIL_ENABLED: Meaning("Emails are sent; while it is off, those that fall due are dropped.", True),
}


class Rule(Request):
    """Decides for the calls that it fits: by environment, by store, and by a percentage of the stores.

    What is left out fits everything. The percentage takes the same stores every time, and a larger one takes
    those of a smaller one as well; a call without a store fits only 100.
    """

    environments: list[Annotated[str, StringConstraints(min_length=1, max_length=40)]] = Field([], max_length=10)
    store_ids: list[UUID] = Field([], max_length=1_000)
    percent: Annotated[int, Field(ge=0, le=100)] = 100
    enabled: bool

    example = {"environments": ["production"], "percent": 25, "enabled": True}

    def fits(self, name: str, environment: str, store_id: UUID | None) -> bool:
        """Whether this rule decides."""
        if self.environments and environment not in self.environments:
            return False
        if self.store_ids and store_id not in self.store_ids:
            return False
        return self.percent == 100 or (store_id is not None and _place(name, store_id) < self.percent)


class FeatureFlag(Table):
    """A flag that somebody set: the first rule that fits decides, else `enabled`."""

    __tablename__ = "feature_flags"

    key: Mapped[str] = mapped_column(primary_key=True)
    enabled: Mapped[bool]
    rules: Mapped[JsonList]
    updated_by: Mapped[UUID | None]
    updated_at: Mapped[Created]


@dataclass(frozen=True)
class _Read:
    """All flags that are set, as they were at a moment."""

    at: datetime
    flags: Mapping[str, tuple[bool, list[Rule]]]

    @property
    def is_fresh(self) -> bool:
        # A clock that was set back must not keep an old reading alive.
        return abs(clock.now() - self.at) < BELIEVED_FOR


_read: _Read | None = None


def flag(name: Flag, store_id: UUID | None = None) -> bool:
    """Whether a flag is on, for a store when one is given.

    Ask before opening a transaction: when the last reading is too old, this reads on a connection of its own.
    """
    enabled, rules = _current().get(name, (MEANINGS[name].default, []))
    environment = CommonSettings.current().environment
    return next((rule.enabled for rule in rules if rule.fits(name, environment, store_id)), enabled)


def forget() -> None:
    """Read again at the next question."""
    global _read
    _read = None


def _current() -> Mapping[str, tuple[bool, list[Rule]]]:
    global _read
    held = _read
    if held is None or not held.is_fresh:
        with read_only() as session:
            rows = session.execute(select(FeatureFlag.key, FeatureFlag.enabled, FeatureFlag.rules))
            held = _Read(clock.now(), {row.key: (row.enabled, rules_of(row.rules)) for row in rows})
        _read = held
    return held.flags


def rules_of(stored: list[Any]) -> list[Rule]:
    """Rules as the table keeps them."""
    return [Rule.model_validate(rule) for rule in stored]


def _place(name: str, store_id: UUID) -> int:
    """Where a store stands among all, from 0 to 99: for each flag another order, and always the same."""
    digest = hashlib.sha256(f"{name}:{store_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100
