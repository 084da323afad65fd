"""Full-text conditions: whether products hold the words that were asked for, and where."""

from typing import Any

from sqlalchemy import ColumnElement, and_, cast, func, literal_column, not_
from sqlalchemy.dialects.postgresql import TSQUERY

from shared.catalog.models import Product

_ENGLISH: ColumnElement[Any] = literal_column("'english'::regconfig")
_SIMPLE: ColumnElement[Any] = literal_column("'simple'::regconfig")


def wanted_words(q: Any) -> ColumnElement[Any]:
    """The tsquery for all words of `q` (a text or an expression): in any form, or exactly as in a sku."""
    return func.plainto_tsquery(_ENGLISH, q).op("||", return_type=TSQUERY())(func.plainto_tsquery(_SIMPLE, q))


def anywhere(words: ColumnElement[Any], product: Any = Product) -> ColumnElement[bool]:
    """The product holds every word, in its name or elsewhere."""
    return _holds(product.search, words)


def in_name(words: ColumnElement[Any], product: Any = Product) -> ColumnElement[bool]:
    """The product's title, strain and sku hold every word."""
    return _holds(product.search_name, words)


def only_elsewhere(words: ColumnElement[Any], product: Any = Product) -> ColumnElement[bool]:
    """The product holds every word, but not all of them in its name."""
    any_word = cast(func.replace(cast(words, TSQUERY).op("::")(literal_column("text")), "&", "|"), TSQUERY)
    # That some word stands elsewhere follows from the rest; it lets the index find what the rest cannot.
    return and_(anywhere(words, product), not_(in_name(words, product)), _holds(product.search_rest, any_word))


def _holds(column: Any, words: ColumnElement[Any]) -> ColumnElement[bool]:
    held: ColumnElement[bool] = column.op("@@", is_comparison=True)(words)
    return held
