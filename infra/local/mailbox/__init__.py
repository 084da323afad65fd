"""The mailbox of the local stack: mails to be read in a browser, and a stand-in for SendGrid that fills it too."""

from infra.local.mailbox.running import StandIn, running_mailbox

__all__ = ["StandIn", "running_mailbox"]
