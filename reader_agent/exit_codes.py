"""Exit codes of every command (GATEWAY 1.3)."""

OK = 0
USAGE = 2
NO_READER = 3
NO_CARD = 4
REFUSED = 5
OFFLINE = 6
"""Results would rest on this counter alone: the gateway cannot be reached."""
