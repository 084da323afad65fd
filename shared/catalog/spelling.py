"""What a misspelled word meant: the known word that shares the most trigrams with it."""

from sqlalchemy import ColumnElement, String, column, text

# A word is known when products hold it in any form ("gummy" for "gummies"). The similarity is lower than
# pg_trgm's default of 0.3, because short words with two letters exchanged share few trigrams.
# A colon that names no parameter is written `\:`.
_RESPELLED = """
    SELECT coalesce(string_agg(coalesce(meant.word, asked.word), ' ' ORDER BY asked.place), '') AS q
    FROM regexp_split_to_table(lower(CAST(:q AS text)), '\\s+') WITH ORDINALITY AS asked (word, place)
    LEFT JOIN LATERAL (
        SELECT near.word FROM (
            SELECT word FROM product_words ORDER BY word <-> asked.word, word LIMIT 1
        ) AS near
        WHERE asked.word ~ '^[[\\:alpha\\:]]{3,40}$'
            AND similarity(near.word, asked.word) >= 0.25
            AND NOT EXISTS (
                SELECT FROM product_words AS known
                WHERE known.word = asked.word OR known.stem = (ts_lexize('english_stem', asked.word))[1]
            )
            AND cardinality(ts_lexize('english_stem', asked.word)) > 0
    ) AS meant ON true
"""


def respelled(q: str) -> ColumnElement[str]:
    """The words of `q`, in lower case, each that no product holds replaced by the nearest that some does."""
    return text(_RESPELLED).bindparams(q=q).columns(column("q", String)).scalar_subquery()
