"""Cards on file, made from the sandbox's payment tokens.

`cnon:card-nonce-ok` is a good Visa, and `cnon:card-nonce-ok-<anything>` another card for each ending.
`cnon:card-nonce-charge-declined` can be kept, but every charge to it is declined.
"""

import hashlib

from infra.local.square.errors import SquareError, declined, invalid, not_found
from infra.local.square.state import Json, State, held, identifier, required

GOOD = "cnon:card-nonce-ok"
UNCHARGEABLE = "cnon:card-nonce-charge-declined"

_REFUSED: dict[str, SquareError] = {
    "cnon:card-nonce-declined": declined("CARD_DECLINED", "Card declined."),
    "cnon:card-nonce-rejected-cvv": declined("VERIFY_CVV_FAILURE", "The CVV does not match."),
    "cnon:card-nonce-rejected-postalcode": declined("VERIFY_AVS_FAILURE", "The postal code does not match."),
    "cnon:card-nonce-rejected-expiration": declined("BAD_EXPIRATION", "The expiration date is invalid."),
    "cnon:card-nonce-already-used": invalid("Card nonce already used.", code="CARD_TOKEN_USED", field="source_id"),
}
_BRANDS = ("MASTERCARD", "DISCOVER", "AMERICAN_EXPRESS", "VISA")


def create(state: State, body: Json) -> Json:
    """CreateCard for an existing customer."""
    source_id: str = required(body, "source_id")
    customer_id: str = required(body, "card", "customer_id")
    held(state.customers, "Customer", customer_id, "card.customer_id")
    if source_id in _REFUSED:
        raise _REFUSED[source_id]
    if not source_id.startswith((GOOD, UNCHARGEABLE)):
        raise not_found("Card nonce", source_id, "source_id")
    card = {
        "id": identifier("ccof:", 20),
        **_face_of(source_id),
        "cardholder_name": body["card"].get("cardholder_name"),
        "customer_id": customer_id,
        "reference_id": body["card"].get("reference_id"),
        "enabled": True,
        "version": 1,
        "created_at": state.stamp(),
        "merchant_id": "MLSTANDIN0001",
    }
    state.cards[card["id"]] = {name: value for name, value in card.items() if value is not None}
    state.announce("card.created", "card", state.cards[card["id"]])
    return {"card": state.cards[card["id"]]}


def get(state: State, _: Json, card_id: str) -> Json:
    """RetrieveCard."""
    return {"card": held(state.cards, "Card", card_id)}


def disable(state: State, _: Json, card_id: str) -> Json:
    """DisableCard; once more has no effect."""
    card = held(state.cards, "Card", card_id)
    if card["enabled"]:
        card.update(enabled=False, disabled_at=state.stamp(), version=card["version"] + 1)
        state.announce("card.disabled", "card", card)
    return {"card": card}


def chargeable(card: Json) -> bool:
    """Whether the bank lets this card be charged."""
    return bool(card["enabled"]) and card["last_4"] != _face_of(UNCHARGEABLE)["last_4"]


def _face_of(source_id: str) -> Json:
    """What a token's card looks like: always the same for the same token."""
    face = {"exp_month": 12, "exp_year": 2040, "card_type": "CREDIT", "prepaid_type": "NOT_PREPAID"}
    digest = hashlib.sha256(source_id.encode()).hexdigest()
    face["fingerprint"] = f"sq-1-{digest[:40]}"
    if source_id == GOOD:
        return {**face, "card_brand": "VISA", "last_4": "1111", "bin": "411111"}
    if source_id == UNCHARGEABLE:
        return {**face, "card_brand": "VISA", "last_4": "0002", "bin": "400000"}
    number = int(digest[:8], 16)
    brand = _BRANDS[number % len(_BRANDS)]
    return {**face, "card_brand": brand, "last_4": f"{3000 + number % 6000:04d}", "bin": "510510"}
