"""People and stores as answers show them."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.identity.models import KycStatus, StoreMembership
from shared.identity.permissions import Role, StoreType, SystemRole
from shared.kit.schemas import Response

Link = Annotated[str, StringConstraints(pattern=r"^https://[^\s\x00-\x1f<>\"'\\]+$", max_length=300)]


class SocialLinks(BaseModel):
    """Where else a store is to be found; only https, because pages link to it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    website: Link | None = None
    instagram: Link | None = None
    facebook: Link | None = None
    x: Link | None = None
    linkedin: Link | None = None
    youtube: Link | None = None


class UserResponse(Response):
    """A person, as they see themselves."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    phone: str | None
    avatar_media_id: UUID | None
    system_role: SystemRole | None
    must_change_password: bool
    mfa_enabled: bool
    email_verified_at: datetime | None
    last_login_at: datetime | None


class MyStoreResponse(Response):
    """A store where the caller belongs, and as what."""

    id: UUID
    type: StoreType
    name: str
    slug: str
    role: Role
    kyc_status: KycStatus
    subscription_active: bool

    @classmethod
    def of(cls, membership: StoreMembership) -> Self:
        """The store of a membership."""
        store = membership.store
        return cls(
            id=store.id,
            type=store.type,
            name=store.name,
            slug=store.slug,
            role=membership.role,
            kyc_status=store.kyc_status,
            subscription_active=store.subscription_active,
        )
