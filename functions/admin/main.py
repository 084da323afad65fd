"""The operators' side: the platform's agents.

Serves /api/v1/admin/agents.
"""

from functions.admin import agents
from shared.kit.http import serve

main = serve("admin", agents.api)
