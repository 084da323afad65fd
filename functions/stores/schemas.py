"""Stores and their members as answers show them."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from shared.catalog.models import Category
from shared.identity.addresses import AddressResponse
from shared.identity.models import KycStatus, MembershipStatus, Store, StoreMembership
from shared.identity.permissions import Role, StoreType
from shared.identity.pictures import StoreInPublic
from shared.identity.schemas import SocialLinks
from shared.kit.schemas import Response


class PublicStoreResponse(Response):
    """What any signed-in caller may know of a store. `rating_average` is there with the first rating."""

    id: UUID
    type: StoreType
    name: str
    slug: str
    description: str | None
    logo_url: str | None
    banner_url: str | None
    city: str
    state: str
    categories: list[Category]
    social_links: SocialLinks
    rating_count: int
    rating_average: float | None

    @classmethod
    def of(cls, seen: StoreInPublic) -> Self:
        """The store with its pictures."""
        pictures = {"logo_url": seen.logo_url, "banner_url": seen.banner_url}
        own = {field: getattr(seen.store, field) for field in cls.model_fields if field not in pictures}
        return cls(**own, **pictures)


class StoreResponse(Response):
    """A store as its own members see it."""

    id: UUID
    type: StoreType
    name: str
    company_name: str
    dba_name: str | None
    slug: str
    description: str | None
    phone: str | None
    email: str | None
    kyc_status: KycStatus
    suspended_reason: str | None
    subscription_active: bool
    delivery_radius_meters: int
    address: AddressResponse
    categories: list[Category]
    social_links: SocialLinks
    logo_media_id: UUID | None
    banner_media_id: UUID | None
    rating_count: int
    rating_average: float | None
    created_at: datetime

    @classmethod
    def of(cls, store: Store) -> Self:
        """The whole store."""
        own = {field: getattr(store, field) for field in cls.model_fields if field != "address"}
        return cls(**own, address=AddressResponse.model_validate(store))


class MemberResponse(Response):
    """Someone who belongs to the store, or is invited to."""

    user_id: UUID
    email: str
    first_name: str
    last_name: str
    role: Role
    status: MembershipStatus
    created_at: datetime

    @classmethod
    def of(cls, membership: StoreMembership) -> Self:
        """The person of a membership."""
        told: dict[str, Any] = {
            field: getattr(membership.user, field) for field in ("email", "first_name", "last_name")
        }
        return cls(
            user_id=membership.user_id,
            role=membership.role,
            status=membership.status,
            created_at=membership.created_at,
            **told,
        )
