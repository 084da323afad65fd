"""Where the checkout lies, and where the local stack keeps what it may forget."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LOCAL = CHECKOUT / ".local"
