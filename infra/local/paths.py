"""Where the checkout lies, and where the local stack keeps what it may forget (PF_LOCAL_HOME, else .local)."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LOCAL = Path(os.environ.get("PF_LOCAL_HOME") or CHECKOUT / ".local")
