import pytest

from tests.mail import fresh_sendgrid, sendgrid_server  # noqa: F401 - fixtures


@pytest.fixture
def consumer(sendgrid):
    # Imported here, because a function reads its settings when it is imported, and the servers come first.
    from functions.on_event_notify.main import main

    return main.consumer
