"""The operators' side: agents, users who are locked out, the audit log, feature flags, dead letters, announcements.

Serves /api/v1/admin/agents, /users, /audit, /flags, /dead-letters and /announcements. Publishes security_alert.
"""

from functions.admin import agents, announcements, audit, dead_letters, flags, users
from shared.kit.http import serve

main = serve("admin", agents.api, users.api, audit.api, flags.api, dead_letters.api, announcements.api)
