"""Every event type has a mail, in HTML and in text, that says all it should and nothing twice."""

import re
from html.parser import HTMLParser

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from shared.events import topics
from shared.events.catalogue import CATALOGUE
from shared.kit.ids import new_id
from shared.notifications.drafting import drafts_of
from shared.notifications.messages import MESSAGES
from shared.notifications.rendering import TEMPLATES, render

TOLD = [kind for kind in CATALOGUE.values() if topics.NOTIFICATIONS in kind.topics]
MAILED = [kind for kind in TOLD if any(notice.mail for notice in MESSAGES[kind])]
LINK = "https://packfinderz.example.com/somewhere?token=abc"
PREFERENCES = "https://packfinderz.example.com/account/notifications"
PERSON = {
    "first_name": "Rosa",
    "store_name": "Green & Mesa",
    "is_new": True,
    "link": LINK,
    "preferences_link": PREFERENCES,
}

_VOID = {"meta", "br", "link"}


class Page(HTMLParser):
    """The words and links of a page; `open` is empty when every element was closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str | None] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def mails_of(kind, **fields):
    """What is mailed of the catalogue's example: each draft with the words that it is composed of."""
    ids = {name: str(new_id()) for name, value in kind.example.items() if name.endswith("_id") and value}
    for draft in drafts_of(kind.model_validate({**kind.example, **ids, **fields})):
        if draft.mail is not None:
            yield draft, {**draft.words, "title": draft.title, "message": draft.message, **PERSON}


def test_every_event_type_of_the_topic_is_mailed_to_somebody():
    assert [kind.event_type() for kind in TOLD if kind not in MAILED] == []


def test_every_template_belongs_to_an_event_type():
    assert {file.stem for file in TEMPLATES.glob("*.jinja")} == {kind.event_type() for kind in MAILED}


@pytest.mark.parametrize("kind", MAILED, ids=lambda kind: kind.event_type())
def test_a_mail_says_the_same_in_both_forms(kind):
    for draft, words in mails_of(kind):
        html, text = render(kind.event_type(), words)

        page = Page(html)
        assert page.open == []
        assert page.links == [LINK, PREFERENCES]
        for told in (text, page.words):
            assert draft.message in told
            assert draft.title in told
            assert "Hello Rosa," in told
            assert "This is about Green & Mesa." in told
            assert "None" not in told
            assert not re.search(r"[{}]|_id|\w_\w", told.replace(LINK, "").replace(PREFERENCES, ""))
        assert "\n\n\n" not in text
        assert text.count(LINK) == text.count(PREFERENCES) == 1
        facts = re.findall(r"^([A-Z][\w ]+): (.+)$", text.partition("Hello")[2], re.MULTILINE)
        assert [f"{name}{value}" in page.words for name, value in facts if value != PREFERENCES] == [
            True for _, value in facts if value != PREFERENCES
        ]


def test_what_people_wrote_is_never_markup():
    kind = CATALOGUE["payment_rejected"]
    ((_, words),) = mails_of(kind, reason="<img src=x onerror=alert(1)> & more")

    html, text = render("payment_rejected", words)

    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; more" in html
    assert "<img src=x onerror=alert(1)> & more" in text


def test_mail_that_is_always_sent_offers_no_switch():
    ((_, words),) = mails_of(CATALOGUE["security_alert"])

    html, text = render("security_alert", {**words, "preferences_link": None, "store_name": None})

    assert Page(html).links == [LINK]
    for told in (html, text):
        assert "Mails that protect your account are always sent." in told
        assert "This is about" not in told


def test_an_unknown_template_and_a_missing_word_are_errors():
    with pytest.raises(TemplateNotFound):
        render("order_eaten", PERSON)
    with pytest.raises(UndefinedError, match="order_number"):
        render("order_expired", {**PERSON, "title": "Title", "message": "Message."})
