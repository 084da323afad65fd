"""Both ways out for mail: SendGrid as its stand-in insists, and files for the local mailbox."""

import logging as python_logging
import socket
from email import message_from_bytes
from email.policy import SMTPUTF8
from pathlib import Path

import pytest

from shared.integrations import email
from shared.integrations.email import Email, EmailDown, EmailRefused, EmailSettings, email_sender
from shared.integrations.email.mailbox import Mailbox
from shared.integrations.email.sendgrid import SendGrid
from shared.kit import logging
from shared.kit.config import SettingMissing
from shared.kit.ids import new_id
from tests.patience import PATIENCE_S

SENDER = ("orders@packfinderz.example.com", "PackFinderz")


def a_mail(**fields) -> Email:
    return Email(
        **{
            "id": new_id(),
            "to": "rosa@greenmesa.example.com",
            "to_name": "Rosa Díaz",
            "subject": "Order 1001 was delivered, ¡gracias!",
            "html": "<p>Thank you for your order, señora.</p>",
            "text": "Thank you for your order, señora.\n",
            **fields,
        }
    )


@pytest.fixture
def settings(monkeypatch):
    """Call it with variables to set them for this test."""

    def change(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"PF_{name.upper()}", value)
        EmailSettings.forget()
        email.forget()

    yield change
    monkeypatch.undo()
    EmailSettings.forget()
    email.forget()


def test_sendgrid_is_sent_what_it_asks_for(sendgrid):
    mail = a_mail()

    email_sender().send(mail)

    assert sendgrid.taken == [
        {
            "from": {"email": "orders@packfinderz.example.com", "name": "PackFinderz"},
            "personalizations": [{"to": [{"email": "rosa@greenmesa.example.com", "name": "Rosa Díaz"}]}],
            "subject": "Order 1001 was delivered, ¡gracias!",
            "content": [
                {"type": "text/plain", "value": mail.text},
                {"type": "text/html", "value": mail.html},
            ],
            "headers": {"Message-ID": f"<{mail.id}@packfinderz.example.com>"},
            "tracking_settings": {"click_tracking": {"enable": False}, "open_tracking": {"enable": False}},
        }
    ]
    (arrived,) = sendgrid.mails
    assert (arrived.to, arrived.subject, arrived.text) == (
        "Rosa Díaz <rosa@greenmesa.example.com>",
        mail.subject,
        mail.text,
    )


@pytest.mark.parametrize("status", [400, 413])
def test_a_refusal_for_good_is_told_without_the_person(sendgrid, status):
    sendgrid.fail(status=status)

    with pytest.raises(EmailRefused, match=f"^{status}$"):
        email_sender().send(a_mail())


def test_a_bad_address_is_refused_by_the_name_of_the_field(sendgrid):
    sendgrid.refuse("rosa@greenmesa.example.com")

    with pytest.raises(EmailRefused) as refusal:
        email_sender().send(a_mail())

    assert refusal.value.reason == "400 personalizations.0.to.0.email"
    assert refusal.value.__cause__ is None
    assert sendgrid.taken == []


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_down(sendgrid, status):
    sendgrid.fail(status=status)

    with pytest.raises(EmailDown):
        email_sender().send(a_mail())


def test_a_wrong_key_is_our_trouble_and_not_the_persons(sendgrid, settings):
    settings(sendgrid_base_url=sendgrid.url, sendgrid_api_key="another-key")
    said: list[str] = []
    stop = logging.listen(said.append)

    with pytest.raises(EmailDown):
        email_sender().send(a_mail())

    stop()
    assert sum('"message": "sendgrid_refuses_us"' in line for line in said) == 1
    assert sendgrid.taken == []


def test_nobody_listening_is_down(nobody_listening):
    sender = SendGrid(nobody_listening, "key", SENDER, timeout_s=PATIENCE_S)

    with pytest.raises(EmailDown):
        sender.send(a_mail())


def test_no_answer_in_time_is_down():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = SendGrid(f"http://127.0.0.1:{silent.getsockname()[1]}", "key", SENDER, timeout_s=0.2)

        with pytest.raises(EmailDown):
            sender.send(a_mail())


def test_neither_the_mail_nor_the_key_is_logged_even_by_the_client(sendgrid, caplog):
    caplog.set_level(python_logging.DEBUG)
    said: list[str] = []
    stop = logging.listen(said.append)

    email_sender().send(a_mail(text="the token is xyzzy\n"))
    stop()

    lines = caplog.text + "\n".join(said)
    secrets = ("rosa@greenmesa", "Díaz", "xyzzy", "a-sendgrid-key-for-tests-only")
    assert [secret for secret in secrets if secret in lines] == []
    assert '"status": 202' in lines


def test_the_mailbox_keeps_a_mail_as_a_file(tmp_path: Path):
    mail = a_mail()

    Mailbox(str(tmp_path / "mails"), SENDER).send(mail)

    (file,) = (tmp_path / "mails").iterdir()
    message = message_from_bytes(file.read_bytes(), policy=SMTPUTF8)
    assert file.name == f"{mail.id}.eml"
    assert {name: message[name] for name in ("From", "To", "Subject", "Message-ID")} == {
        "From": "PackFinderz <orders@packfinderz.example.com>",
        "To": "Rosa Díaz <rosa@greenmesa.example.com>",
        "Subject": mail.subject,
        "Message-ID": f"<{mail.id}@packfinderz.example.com>",
    }
    assert [(part.get_content_type(), part.get_content().strip()) for part in message.iter_parts()] == [
        ("text/plain", mail.text.strip()),
        ("text/html", mail.html),
    ]


def test_a_mail_that_comes_again_replaces_its_file(tmp_path: Path):
    mailbox, mail = Mailbox(str(tmp_path), SENDER), a_mail()

    for _ in range(2):
        mailbox.send(mail)

    assert [file.name for file in tmp_path.iterdir()] == [f"{mail.id}.eml"]


def test_the_setting_chooses_the_way(settings, tmp_path: Path):
    settings(email_sender="sendgrid")
    first = email_sender()
    settings(email_sender="mailbox", mailbox_folder=str(tmp_path))
    second = email_sender()

    assert [type(first), type(second), email_sender() is second] == [SendGrid, Mailbox, True]


@pytest.mark.parametrize(
    ("sender", "missing"),
    [("sendgrid", "PF_SENDGRID_API_KEY"), ("mailbox", "PF_MAILBOX_FOLDER"), ("pigeon", "PF_EMAIL_SENDER")],
)
def test_a_way_without_what_it_needs_stops_the_function_at_start(settings, sender, missing):
    settings(email_sender=sender, sendgrid_api_key="", mailbox_folder="")

    with pytest.raises(SettingMissing, match=missing):
        EmailSettings.current()
