"""What a vendor may write about a product: a little formatting, and nothing that runs or loads."""

ALLOWED_TAGS = frozenset(
    {"a", "b", "blockquote", "br", "em", "h2", "h3", "h4", "hr", "i", "li", "ol", "p", "strong", "u", "ul"}
)


def sanitized(html: str | None) -> str | None:
    """The same text with only `ALLOWED_TAGS`; links lead to http(s) or mail alone and vouch for nothing."""
    if html is None:
        return None
    import nh3

    return nh3.clean(
        html,
        tags=set(ALLOWED_TAGS),
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
