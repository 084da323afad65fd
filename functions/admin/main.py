"""The operators' side: the platform's agents, and users who are locked out.

Serves /api/v1/admin/agents and /api/v1/admin/users. Publishes security_alert.
"""

from functions.admin import agents, users
from shared.kit.http import serve

main = serve("admin", agents.api, users.api)
