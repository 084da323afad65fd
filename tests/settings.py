"""The environment of the whole test run. Importing this module sets it, before anything shared reads it."""

import os

TEST_SETTINGS = {
    "PF_ENVIRONMENT": "test",
    "PF_GCP_PROJECT": "packfinderz-test",
    "PF_DATABASE_POOL_SIZE": "12",
    # No test depends on how fast a machine is: who waits for another is never told to come back later.
    "PF_DATABASE_POOL_WAIT_S": "120",
    "PF_STATEMENT_TIMEOUT_MS": "120000",
    "PF_LOCK_TIMEOUT_MS": "60000",
    "PF_REDIS_TIMEOUT_S": "120",
    "PF_ARGON2_WAIT_S": "120",
    "PF_SQUARE_TIMEOUT_S": "60",
    "PF_SQUARE_BUDGET_S": "600",
    "PF_MAPS_TIMEOUT_S": "60",
    "PF_MAPS_BUDGET_S": "600",
    "PF_SENDGRID_TIMEOUT_S": "60",
    "PF_JWT_KEYS": "test-1:an-access-token-secret-for-tests-only-0001",
    "PF_MFA_KEYS": "test-1:a-secret-of-second-factors-for-tests-0001",
    "PF_ADS_TOKEN_KEYS": "test-1:an-ad-token-secret-for-tests-only-and-long-enough-for-HS512-too-0001",
    "PF_ARGON2_MEMORY_KIB": "8",
    "PF_ARGON2_PASSES": "1",
    "PF_CURSOR_KEY": "a-cursor-secret-for-tests-only-00000001",
    "PF_MEDIA_BUCKET": "packfinderz-test-media",
    "PF_PUBLIC_MEDIA_BUCKET": "packfinderz-test-public",
    "PF_SQUARE_ACCESS_TOKEN": "a-square-token-for-tests-only",
    "PF_SQUARE_LOCATION_ID": "LTESTLOCATION1",
    "PF_SQUARE_RETRY_WAIT_S": "0.01",
    # Nobody listens there: only tests that ask for the stand-in reach a map.
    "PF_MAPS_BASE_URL": "http://127.0.0.1:9",
    "PF_MAPS_API_KEY": "AIzaA-maps-key-for-tests-only",
    "PF_MAPS_RETRY_WAIT_S": "0.01",
    "PF_FRONT_END_URL": "https://packfinderz.example.com",
    "PF_EMAIL_FROM": "orders@packfinderz.example.com",
    "PF_SENDGRID_API_KEY": "a-sendgrid-key-for-tests-only",
}

# Servers that the person at the keyboard names instead of private ones. They are taken out of the
# environment, so that a test can only ever reach a database that was made for it.
NAMED_DATABASE_URL = os.environ.pop("PF_DATABASE_URL", "")
NAMED_REDIS_URL = os.environ.pop("PF_REDIS_URL", "")

os.environ.update(TEST_SETTINGS)
