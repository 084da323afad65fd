"""Tables of what vendors offer: products, their volume discounts, and promos."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Numeric, TextClause, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

import shared.identity.models  # noqa: F401 - the foreign keys here refer to its tables
from shared.kit.tables import Created, Id, Table, enum_type


class Category(StrEnum):
    FLOWER = "flower"
    CART = "cart"
    PRE_ROLL = "pre_roll"
    EDIBLE = "edible"
    CONCENTRATE = "concentrate"
    BEVERAGE = "beverage"
    VAPE = "vape"
    TOPICAL = "topical"
    TINCTURE = "tincture"
    SEED = "seed"
    SEEDLING = "seedling"
    ACCESSORY = "accessory"


class Classification(StrEnum):
    SATIVA = "sativa"
    HYBRID = "hybrid"
    INDICA = "indica"
    CBD = "cbd"
    HEMP = "hemp"
    BALANCED = "balanced"


class Unit(StrEnum):
    UNIT = "unit"
    GRAM = "gram"
    OUNCE = "ounce"
    POUND = "pound"
    EIGHTH = "eighth"
    SIXTEENTH = "sixteenth"


class Flavor(StrEnum):
    EARTHY = "earthy"
    CITRUS = "citrus"
    FRUITY = "fruity"
    FLORAL = "floral"
    CHEESE = "cheese"
    DIESEL = "diesel"
    SPICY = "spicy"
    SWEET = "sweet"
    PINE = "pine"
    HERBAL = "herbal"


class Feeling(StrEnum):
    RELAXED = "relaxed"
    HAPPY = "happy"
    EUPHORIC = "euphoric"
    FOCUSED = "focused"
    HUNGRY = "hungry"
    TALKATIVE = "talkative"
    CREATIVE = "creative"
    SLEEPY = "sleepy"
    UPLIFTED = "uplifted"
    CALM = "calm"


class Usage(StrEnum):
    STRESS_RELIEF = "stress_relief"
    PAIN_RELIEF = "pain_relief"
    SLEEP = "sleep"
    DEPRESSION = "depression"
    MUSCLE_RELAXANT = "muscle_relaxant"
    NAUSEA = "nausea"
    ANXIETY = "anxiety"
    APPETITE_STIMULATION = "appetite_stimulation"


class Facet(StrEnum):
    """What products are counted by."""

    CATEGORY = "category"
    CLASSIFICATION = "classification"
    STRAIN = "strain"
    FEELINGS = "feelings"
    FLAVORS = "flavors"
    USAGE = "usage"
    VENDOR = "vendor_store_id"


class PromoKind(StrEnum):
    PERCENT = "percent"
    FIXED = "fixed"


OFFERED = text("is_active AND deleted_at IS NULL")
"""What is in the indexes that buyers browse by."""

LOOKED_AT = ["vendor_store_id", "category", "classification", "strain", "price_cents", "thc_percent", "moq"]
"""What these indexes carry of each product, so that most filters need not read the product itself."""


COUNTED = ["category", "classification", "strain", "feelings", "flavors", "usage"]
COUNTED += ["price_cents", "thc_percent", "cbd_percent", "moq"]
"""What the index for counting carries of each product."""


def _sorted_by(sort: str, key: str | TextClause) -> Index:
    return Index(f"ix_products_{sort}", key, "id", postgresql_include=LOOKED_AT, postgresql_where=OFFERED)


class Product(Table):
    """Something a vendor sells. `vendor_name` repeats the store's name (a trigger keeps it true), so that
    search can index it: `search` holds all words, `search_name` those that name the product itself,
    `search_rest` the others. They are apart because the planner must know how rare a word is in each.
    """

    __tablename__ = "products"
    __table_args__ = (
        # An archived product gives its sku back.
        Index("uq_products_sku", "vendor_store_id", "sku", unique=True, postgresql_where=text("deleted_at IS NULL")),
        CheckConstraint("moq >= 1", name="moq"),
        CheckConstraint("max_qty IS NULL OR max_qty >= moq", name="max_qty"),
        CheckConstraint("price_cents > 0", name="price"),
        CheckConstraint("compare_at_price_cents IS NULL OR compare_at_price_cents > 0", name="compare_at_price"),
        CheckConstraint("thc_percent BETWEEN 0 AND 100", name="thc"),
        CheckConstraint("cbd_percent BETWEEN 0 AND 100", name="cbd"),
        _sorted_by("newest", "created_at"),
        _sorted_by("price", "price_cents"),
        _sorted_by("thc", text("coalesce(thc_percent, 0)")),
        # All that totals and facets look at, by vendor, so that counting reads no product.
        Index(
            "ix_products_counted",
            "vendor_store_id",
            "id",
            postgresql_include=COUNTED,
            postgresql_where=OFFERED,
        ),
        # Of all products: the planner counts expressions of whole indexes only, not of partial ones.
        Index("ix_products_strain", text("lower(strain)")),
        Index(
            "ix_products_traits",
            "category",
            "classification",
            "feelings",
            "flavors",
            "usage",
            postgresql_using="gin",
            postgresql_where=OFFERED,
        ),
        Index("ix_products_vendor", "vendor_store_id", "created_at", "id"),
        Index("ix_products_search", "search", postgresql_using="gin"),
        Index("ix_products_search_name", "search_name", postgresql_using="gin"),
        Index("ix_products_search_rest", "search_rest", postgresql_using="gin"),
    )

    id: Mapped[Id]
    vendor_store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="RESTRICT"))
    vendor_name: Mapped[str]
    sku: Mapped[str]
    title: Mapped[str]
    subtitle: Mapped[str | None]
    body_html: Mapped[str | None]
    category: Mapped[Category] = mapped_column(enum_type(Category, "product_category"))
    classification: Mapped[Classification | None] = mapped_column(enum_type(Classification, "product_classification"))
    strain: Mapped[str | None]
    unit: Mapped[Unit] = mapped_column(enum_type(Unit, "product_unit"))
    moq: Mapped[int] = mapped_column(server_default=text("1"))
    max_qty: Mapped[int | None]
    price_cents: Mapped[int]
    compare_at_price_cents: Mapped[int | None]
    thc_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    cbd_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    feelings: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    flavors: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    usage: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    is_featured: Mapped[bool] = mapped_column(server_default=text("false"))
    coa_media_id: Mapped[UUID | None]
    thumbnail_url: Mapped[str | None]
    rating_count: Mapped[int] = mapped_column(server_default=text("0"))
    rating_sum: Mapped[int] = mapped_column(server_default=text("0"))
    search: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(
            "setweight(to_tsvector('english', title), 'A') || "
            "setweight(to_tsvector('english', coalesce(strain, '')), 'B') || "
            "setweight(to_tsvector('simple', sku), 'B') || "
            "setweight(to_tsvector('english', vendor_name), 'C') || "
            "setweight(to_tsvector('english', coalesce(subtitle, '')), 'D')",
            persisted=True,
        ),
        deferred=True,
    )
    search_name: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(
            "to_tsvector('english', title) || to_tsvector('english', coalesce(strain, '')) || "
            "to_tsvector('simple', sku)",
            persisted=True,
        ),
        deferred=True,
    )
    search_rest: Mapped[Any] = mapped_column(
        TSVECTOR,
        Computed(
            "to_tsvector('english', vendor_name) || to_tsvector('english', coalesce(subtitle, ''))",
            persisted=True,
        ),
        deferred=True,
    )
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]


class ProductCount(Table):
    """How many offered products of a vendor have a value of a facet; triggers on `products` keep it so.

    Whatever changes a product counts in its own transaction, by one statement in the order of the key. A value that
    no product has any more counts 0.
    """

    __tablename__ = "product_counts"
    # Room within pages lets counts be updated in place (HOT).
    __table_args__ = ({"postgresql_with": {"fillfactor": "70"}},)

    vendor_store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"), primary_key=True)
    facet: Mapped[Facet] = mapped_column(enum_type(Facet, "product_facet"), primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


class ProductWord(Table):
    """A word that some product's title, strain, subtitle or vendor holds; triggers on `products` collect them.

    What a buyer types is held against these, to find what a misspelled word meant.
    """

    __tablename__ = "product_words"
    __table_args__ = (
        Index("ix_product_words_trigrams", "word", postgresql_using="gist", postgresql_ops={"word": "gist_trgm_ops"}),
        Index("ix_product_words_stem", "stem"),
    )

    word: Mapped[str] = mapped_column(primary_key=True)
    stem: Mapped[str | None] = mapped_column(Computed("(ts_lexize('english_stem', word))[1]", persisted=True))


class VolumeDiscount(Table):
    """From `min_qty` on, the whole line is `discount_percent` cheaper; the greatest that fits applies."""

    __tablename__ = "product_volume_discounts"
    __table_args__ = (
        CheckConstraint("min_qty >= 1", name="min_qty"),
        CheckConstraint("discount_percent BETWEEN 0 AND 100", name="discount_percent"),
    )

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True)
    min_qty: Mapped[int] = mapped_column(primary_key=True)
    discount_percent: Mapped[Decimal] = mapped_column(Numeric(7, 4))


class VendorPromo(Table):
    """A vendor's code. `value` is a percentage (percent) or cents (fixed)."""

    __tablename__ = "vendor_promos"
    __table_args__ = (
        UniqueConstraint("store_id", "code"),
        CheckConstraint("value > 0 AND (kind = 'fixed' OR value <= 100)", name="value"),
        CheckConstraint("min_subtotal_cents >= 0", name="min_subtotal"),
        CheckConstraint("max_redemptions IS NULL OR redeemed_count <= max_redemptions", name="redeemed_count"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="period"),
    )

    id: Mapped[Id]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(CITEXT)
    kind: Mapped[PromoKind] = mapped_column(enum_type(PromoKind, "promo_kind"))
    value: Mapped[Decimal] = mapped_column(Numeric(12, 4))
    min_subtotal_cents: Mapped[int] = mapped_column(server_default=text("0"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    max_redemptions: Mapped[int | None]
    per_buyer_limit: Mapped[int | None]
    redeemed_count: Mapped[int] = mapped_column(server_default=text("0"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[Created]


class PromoRedemption(Table):
    """That a promo was used by a buyer for an order."""

    __tablename__ = "promo_redemptions"
    __table_args__ = (
        UniqueConstraint("promo_id", "order_id"),
        Index("ix_promo_redemptions_buyer", "promo_id", "buyer_store_id"),
    )

    id: Mapped[Id]
    promo_id: Mapped[UUID] = mapped_column(ForeignKey("vendor_promos.id", ondelete="RESTRICT"))
    buyer_store_id: Mapped[UUID]
    order_id: Mapped[UUID]
    created_at: Mapped[Created]


class Wishlist(Table):
    """The products that a buyer store would like to have."""

    __tablename__ = "wishlists"

    id: Mapped[Id]
    store_id: Mapped[UUID] = mapped_column(ForeignKey("stores.id", ondelete="CASCADE"), unique=True)
    created_at: Mapped[Created]


class WishlistItem(Table):
    """A product on a wishlist, with its title as it was then."""

    __tablename__ = "wishlist_items"
    __table_args__ = (
        Index("ix_wishlist_items_newest", "wishlist_id", "created_at", "product_id"),
        Index("ix_wishlist_items_product_id", "product_id"),
    )

    wishlist_id: Mapped[UUID] = mapped_column(ForeignKey("wishlists.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True)
    title: Mapped[str]
    created_at: Mapped[Created]
