"""Mails as HTML and as text: one template for each event type says what both say, one layout for each form how."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from jinja2 import Environment

# What the parts leave that a mail does not have.
_EMPTY_LINES = re.compile(r"\n{3,}")
TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, words: Mapping[str, Any]) -> tuple[str, str]:
    """The mail of an event type as HTML and as text.

    Raises jinja2.TemplateNotFound for an event type without a template, UndefinedError for a missing word.
    """
    html, text = (_environment(form).get_template(f"{template}.jinja").render(words) for form in ("html", "text"))
    return html, _EMPTY_LINES.sub("\n\n", text)


@cache
def _environment(form: Literal["html", "text"]) -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=form == "html",  # noqa: S701 - the other form is plain text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["layout"] = environment.get_template(f"layout.{form}")
    parts: Any = environment.get_template(f"parts.{form}").module
    environment.globals.update(fact=parts.fact, paragraph=parts.paragraph)
    return environment
