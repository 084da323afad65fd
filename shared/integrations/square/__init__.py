"""Square: vendors as customers, their cards, our plans, and who is subscribed to what."""

from shared.integrations.square.adapter import SquareProvider, check_square, payment_provider
from shared.integrations.square.calls import CardDeclined, SquareDown, SquareRefused, SquareSettings
from shared.integrations.square.provider import (
    Cadence,
    CardOnFile,
    PaymentProvider,
    PlanIds,
    ProviderInvoice,
    ProviderSubscription,
    key_of,
)

__all__ = [
    "Cadence",
    "CardDeclined",
    "CardOnFile",
    "PaymentProvider",
    "PlanIds",
    "ProviderInvoice",
    "ProviderSubscription",
    "SquareDown",
    "SquareProvider",
    "SquareRefused",
    "SquareSettings",
    "check_square",
    "key_of",
    "payment_provider",
]
