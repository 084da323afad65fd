"""Email: one port, and the two ways out of it, of which a setting chooses one."""

from shared.integrations.email.choice import EmailSettings, email_sender, forget
from shared.integrations.email.sender import Email, EmailDown, EmailRefused, EmailSender

__all__ = ["Email", "EmailDown", "EmailRefused", "EmailSender", "EmailSettings", "email_sender", "forget"]
