"""The whole story over HTTP, from registration to payout, on the local stack."""
