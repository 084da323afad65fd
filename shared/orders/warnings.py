"""What a quote tells a buyer without refusing: one shape, and every type that there is."""

from enum import StrEnum
from typing import Any, TypedDict


class WarningType(StrEnum):
    CLAMPED_TO_MOQ = "clamped_to_moq"
    CLAMPED_TO_MAX = "clamped_to_max"
    CLAMPED_TO_AVAILABLE = "clamped_to_available"
    NOT_AVAILABLE = "not_available"
    PRODUCT_INVALID = "product_invalid"
    VENDOR_INVALID = "vendor_invalid"
    VENDOR_MISMATCH = "vendor_mismatch"
    PRICE_CHANGED = "price_changed"
    VENDOR_SUSPENDED = "vendor_suspended"
    LICENSE_INVALID = "license_invalid"
    INVALID_PROMO = "invalid_promo"


class Warned(TypedDict):
    """One warning on the wire and in the cart's JSON."""

    type: str
    message: str
    details: dict[str, Any]


_MESSAGES = {
    WarningType.CLAMPED_TO_MOQ: "The quantity was raised to the product's minimum.",
    WarningType.CLAMPED_TO_MAX: "The quantity was lowered to the product's maximum.",
    WarningType.CLAMPED_TO_AVAILABLE: "The quantity was lowered to what is in stock.",
    WarningType.NOT_AVAILABLE: "There is less in stock than the product's minimum.",
    WarningType.PRODUCT_INVALID: "This product is not offered.",
    WarningType.VENDOR_INVALID: "This vendor does not sell to your store at present.",
    WarningType.VENDOR_MISMATCH: "This product is sold by another vendor.",
    WarningType.PRICE_CHANGED: "The price has changed since your last quote.",
    WarningType.VENDOR_SUSPENDED: "This vendor is suspended.",
    WarningType.LICENSE_INVALID: "This vendor has no valid license at present.",
    WarningType.INVALID_PROMO: "This code does not apply.",
}


def warning(kind: WarningType, **details: Any) -> Warned:
    """A warning with the details that a front end shows."""
    return {"type": kind.value, "message": _MESSAGES[kind], "details": details}
