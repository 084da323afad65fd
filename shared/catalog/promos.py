"""Vendors' codes: when one is good."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_

from shared.catalog.models import VendorPromo


def promo_is_live(at: datetime) -> ColumnElement[bool]:
    """The promo is active, has begun, has not ended, and is not used up."""
    return and_(
        VendorPromo.is_active,
        VendorPromo.starts_at <= at,
        or_(VendorPromo.ends_at.is_(None), VendorPromo.ends_at > at),
        or_(VendorPromo.max_redemptions.is_(None), VendorPromo.redeemed_count < VendorPromo.max_redemptions),
    )
