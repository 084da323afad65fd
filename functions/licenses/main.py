"""Licenses: submitted by stores, decided by admins."""

from functions.licenses import admins, holders
from shared.kit.http import serve

main = serve("licenses", holders.api, admins.api)
