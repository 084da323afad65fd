"""The mailbox: what its SendGrid insists on, what people see in the browser, and how it starts and stops."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.mailbox import StandIn, running_mailbox
from infra.local.paths import CHECKOUT
from infra.local.processes import wait_until
from shared.integrations.email import Email
from shared.integrations.email.mailbox import Mailbox
from shared.kit.ids import new_id
from tests.patience import PATIENCE_S

KEY = "a-key"
BODY = {
    "from": {"email": "orders@packfinderz.example.com", "name": "PackFinderz"},
    "personalizations": [{"to": [{"email": "rosa@greenmesa.example.com", "name": "Rosa Diaz"}]}],
    "subject": "Order 1001 was delivered",
    "content": [
        {"type": "text/plain", "value": "Thank you."},
        {"type": "text/html", "value": "<p>Thank <b>you</b>.</p>"},
    ],
}


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[StandIn]:
    with running_mailbox(tmp_path / "mails", key=KEY) as running:
        yield running


def send(mailbox: StandIn, body: Any = BODY, *, key: str = f"Bearer {KEY}") -> httpx.Response:
    return httpx.post(f"{mailbox.url}/v3/mail/send", json=body, headers={"Authorization": key})


def test_a_mail_is_taken_as_sendgrid_takes_it(mailbox):
    answer = send(mailbox)

    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["X-Message-Id"]
    (mail,) = mailbox.mails
    assert (mail.sender, mail.to, mail.subject, mail.text, mail.html) == (
        "PackFinderz <orders@packfinderz.example.com>",
        "Rosa Diaz <rosa@greenmesa.example.com>",
        "Order 1001 was delivered",
        "Thank you.\n",
        "<p>Thank <b>you</b>.</p>\n",
    )
    assert mailbox.taken == [BODY]


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer another", f"Basic {KEY}", KEY])
def test_a_stranger_is_refused(mailbox, key):
    answer = send(mailbox, key=key)

    assert answer.status_code == 401
    assert answer.json()["errors"][0]["message"].startswith("The provided authorization grant is invalid")
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"from": None}, "from.email"),
        ({"from": {"email": "nobody"}}, "from.email"),
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"to": []}]}, "personalizations.0.to"),
        ({"personalizations": [{"to": [{"email": "rosa"}]}]}, "personalizations.0.to.0.email"),
        ({"subject": ""}, "subject"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
        ({"content": BODY["content"][::-1]}, "content"),
        ({"headers": {"Subject": "Another"}}, "headers.Subject"),
    ],
)
def test_what_sendgrid_refuses_is_refused_with_the_field(mailbox, change, field):
    answer = send(mailbox, {**BODY, **change})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert mailbox.mails == []


def test_it_fails_and_refuses_on_demand(mailbox):
    control = f"{mailbox.url}/_control"
    httpx.post(control, json={"fail": {"status": 503}, "times": 2})
    failed = [send(mailbox).status_code for _ in range(3)]
    httpx.post(control, json={"refuse": ["rosa@greenmesa.example.com"]})
    refused = send(mailbox).status_code
    forgotten = httpx.post(control, json={"reset": True}).json()

    assert (failed, refused, forgotten, mailbox.mails) == ([503, 503, 202], 400, {"taken": 0}, [])


def test_an_answer_may_be_lost_after_the_mail_was_taken(mailbox):
    mailbox.fail(status=500, after=True)

    assert (send(mailbox).status_code, len(mailbox.mails)) == (500, 1)


def test_people_read_their_mail_in_the_browser(mailbox, tmp_path):
    empty = httpx.get(mailbox.url)
    mail = Email(new_id(), "rosa@greenmesa.example.com", "Rosa", "<Hello>", "<p>as <b>HTML</b></p>", "as <text>\n")
    Mailbox(str(tmp_path / "mails"), ("orders@packfinderz.example.com", "PackFinderz")).send(mail)

    listed, page, html, text = (
        httpx.get(f"{mailbox.url}{path}")
        for path in ("/", f"/mails/{mail.id}", f"/mails/{mail.id}.html", f"/mails/{mail.id}.txt")
    )

    assert "No mail yet." in empty.text
    assert f'<a href="/mails/{mail.id}">&lt;Hello&gt;</a>' in listed.text
    assert f'src="/mails/{mail.id}.html"' in page.text
    assert "as &lt;text&gt;" in page.text
    assert (html.text, html.headers["Content-Type"]) == ("<p>as <b>HTML</b></p>\n", "text/html; charset=utf-8")
    assert html.headers["Content-Security-Policy"].startswith("sandbox")
    assert (text.text, text.headers["Content-Type"]) == ("as <text>\n", "text/plain; charset=utf-8")


def test_programs_find_the_mail_of_a_person(mailbox):
    send(mailbox)
    send(mailbox, {**BODY, "personalizations": [{"to": [{"email": "sam@packfinderz.example.com"}]}]})

    everything = httpx.get(f"{mailbox.url}/mails").json()["mails"]
    sams = httpx.get(f"{mailbox.url}/mails", params={"to": "sam@packfinderz.example.com"}).json()["mails"]

    assert [mail["to"] for mail in everything] == [
        "sam@packfinderz.example.com",
        "Rosa Diaz <rosa@greenmesa.example.com>",
    ]
    assert [mail["to"] for mail in sams] == ["sam@packfinderz.example.com"]


@pytest.mark.parametrize("name", ["nobody", "..%2F..%2Fetc%2Fpasswd", ".hidden"])
def test_what_is_no_mail_is_not_found(mailbox, name):
    assert [httpx.get(f"{mailbox.url}/mails/{name}{form}").status_code for form in ("", ".html", ".txt")] == [404] * 3


def test_it_runs_as_a_process_and_keeps_its_mails(tmp_path):
    ready = tmp_path / "ready"
    command = [sys.executable, "-m", "infra.local.mailbox", "--folder", str(tmp_path / "mails"), f"--key={KEY}"]
    counts = []
    for _ in range(2):
        ready.unlink(missing_ok=True)
        process = subprocess.Popen(
            [*command, "--ready-file", str(ready)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        )
        try:
            assert wait_until(lambda: ready.exists() and bool(ready.read_text()), timeout_s=PATIENCE_S)
            url = ready.read_text()
            httpx.post(f"{url}/v3/mail/send", json=BODY, headers={"Authorization": f"Bearer {KEY}"})
            counts.append(len(json.loads(httpx.get(f"{url}/mails").text)["mails"]))
        finally:
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=PATIENCE_S)
        assert (process.returncode, said) == (0, f"The mailbox listens on {url}.\n")

    assert counts == [1, 2]
