"""The topics, one per consuming function."""

NOTIFICATIONS = "notifications"
ANALYTICS = "analytics"
DISPATCH = "dispatch"
BILLING = "billing"
MEDIA_PROCESS = "media-process"
MEDIA_DELETE = "media-delete"
DOCUMENTS = "documents"
DEAD_LETTER = "dead-letter"

ALL = (NOTIFICATIONS, ANALYTICS, DISPATCH, BILLING, MEDIA_PROCESS, MEDIA_DELETE, DOCUMENTS, DEAD_LETTER)
