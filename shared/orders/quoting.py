"""Asking for a quote: load what is offered, price it, and keep it as the buyer's active cart."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from uuid import UUID

from sqlalchemy.orm import Session

from shared.ads import tokens
from shared.ads.attribution import Touch, folded
from shared.catalog.visibility import BuyerPlace
from shared.kit import clock
from shared.kit.errors import NotFound
from shared.kit.logging import log, metric
from shared.kit.tokens import BadToken
from shared.orders import carts
from shared.orders.carts import CartRows
from shared.orders.intent import QuoteRequest
from shared.orders.offers import load_offers
from shared.orders.promos import list_promos
from shared.orders.quote import Quote, make_quote


def quote(session: Session, buyer_store_id: UUID, request: QuoteRequest) -> CartRows:
    """Price an intent and keep the result in place of the buyer's active cart, by at most six statements.

    Touches no stock. Raises BuyerNotVerified, NotFound.
    """
    return _quote(session, carts.lock_buyer(session, buyer_store_id), request)


def quote_again(session: Session, buyer_store_id: UUID) -> CartRows:
    """Price the intent of the buyer's active cart anew. Raises NotFound without one, BuyerNotVerified.

    The intent is read under the locks: a quote that comes in between is not undone, and what a checkout
    takes is not put back.
    """
    buyer = carts.lock_buyer(session, buyer_store_id)
    intent = carts.lock_intent(session, buyer_store_id)
    if intent is None:
        raise NotFound("There is no active cart.")
    return _quote(session, buyer, QuoteRequest.model_validate(intent))


def _quote(session: Session, buyer: BuyerPlace, request: QuoteRequest) -> CartRows:
    offers = load_offers(session, buyer, request.merged())
    promos = list_promos(
        session,
        buyer.store_id,
        codes={promo.code for promo in request.vendor_promos},
        vendor_store_ids={offer.vendor_store_id for offer in offers.values()},
    )
    former_prices = carts.drop_active(session, buyer.store_id) or {}
    made = make_quote(request, offers=offers, promos=promos, former_prices=former_prices, now=clock.now())
    _measure(made)
    return carts.save(session, buyer.store_id, request, made, _touches(request.attribution_tokens, buyer.store_id))


def _touches(offered: Sequence[str], buyer_store_id: UUID) -> list[Touch]:
    """What the tokens prove of this buyer; those that do not hold or are another's are dropped with a log line."""
    proved = []
    for token in offered:
        try:
            claims = tokens.verify(token)
        except BadToken:
            continue
        if claims.buyer_store_id == buyer_store_id:
            proved.append(Touch.of(token, claims))
    if len(proved) < len(offered):
        log.info("attribution_tokens_dropped", dropped=len(offered) - len(proved), kept=len(proved))
    return folded(proved)


def _measure(made: Quote) -> None:
    """Items by status, and warnings by type, wherever in the quote they stand."""
    for status, count in Counter(item.status for item in made.items).items():
        metric("quote_items", count, status=status)
    told = chain(made.warnings, *(item.warnings for item in made.items), *(group.warnings for group in made.groups))
    for kind, count in Counter(warned["type"] for warned in told).items():
        metric("quote_warnings", count, type=kind)
