"""SendGrid's stand-in for tests: one server per process, blank before each test.

A conftest that imports both fixtures gives its tests `sendgrid`.
"""

from collections.abc import Iterator

import pytest

from infra.local.mailbox import StandIn, running_mailbox
from shared.integrations import email
from shared.integrations.email import EmailSettings


@pytest.fixture(scope="session")
def sendgrid_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    from tests.settings import TEST_SETTINGS

    with running_mailbox(tmp_path_factory.mktemp("mails"), key=TEST_SETTINGS["PF_SENDGRID_API_KEY"]) as stand_in:
        yield stand_in


@pytest.fixture(name="sendgrid")
def fresh_sendgrid(sendgrid_server: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """SendGrid, as far as the code can tell."""
    sendgrid_server.reset()
    monkeypatch.setenv("PF_SENDGRID_BASE_URL", sendgrid_server.url)
    EmailSettings.forget()
    email.forget()
    yield sendgrid_server
    monkeypatch.undo()
    EmailSettings.forget()
    email.forget()
