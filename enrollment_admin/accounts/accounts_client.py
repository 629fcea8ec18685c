"""What the page of electronic accounts asks of the backend."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import msgspec

from enrollment_admin.backend_client import BackendClient, Listed
from verification.messages.delivery import AccountOrder, AccountView

_ACCOUNTS = "/v1/accounts"


def of_number(backend: BackendClient, citizen_number: str) -> list[AccountView]:
    """Every account ever made for a number, the newest first."""
    asked = urlencode({"citizen_number": citizen_number})
    return backend.ask("GET", f"{_ACCOUNTS}?{asked}", list[AccountView])


def in_state(backend: BackendClient, state: str, cursor: str | None) -> Listed[AccountView]:
    """The accounts of the officer's area in one state."""
    return backend.listed(f"{_ACCOUNTS}/work-list", {"state": state}, cursor, AccountView)


def order(backend: BackendClient, wanted: AccountOrder) -> AccountView:
    """Order an account, with the card of a dossier or alone."""
    return backend.ask("POST", _ACCOUNTS, AccountView, wanted)


def step(
    backend: BackendClient, account: str, name: str, message: msgspec.Struct | None = None
) -> AccountView:
    """Something that happens to an account, by the address that the contract gives it."""
    return backend.ask("POST", f"{_ACCOUNTS}/{quote(account, safe='')}/{name}", AccountView, message)
