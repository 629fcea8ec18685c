"""The books of blank cards counted again: by what was posted, and blank by blank."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from issuance_backend.personalization.blank_stock.domain import Account
from issuance_backend.personalization.tables import BLANK_POSTINGS, BLANK_RANGES, BLANKS


def posted_balances(connection: Connection) -> dict[Account, int]:
    """The balances as the movements add up to them: what the kept ones must equal."""
    columns = BLANK_POSTINGS.c
    question = select(columns.account, func.sum(columns.amount)).group_by(columns.account)
    added = {Account(account): int(total) for account, total in connection.execute(question)}
    return {**dict.fromkeys(Account, 0), **added}


def blanks_by_account(connection: Connection) -> dict[Account, int]:
    """How many blanks lie in each account, one by one."""
    columns = BLANK_RANGES.c
    left = select(BLANKS.c.account, func.count()).group_by(BLANKS.c.account)
    found = {Account(account): int(count) for account, count in connection.execute(left)}
    delivered = select(func.coalesce(func.sum(columns.last - columns.first + 1), 0))
    received = int(connection.execute(delivered).scalar_one())
    whole = {Account.SUPPLIER: -received, Account.STOCK: received - sum(found.values())}
    return {**dict.fromkeys(Account, 0), **found, **whole}
