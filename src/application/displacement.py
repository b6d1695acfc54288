"""Whoever proves a mailbox comes before whoever only named it (SECURITY 2.2: the first proof deletes the unproven)."""

from uuid import UUID

from application.ports.units_of_work import AccountKeeping
from domain.email_address import EmailAddress


async def make_way(unit: AccountKeeping, email: EmailAddress, user_id: UUID) -> None:
    """Remove an account under an address that is being proven by another user, if its own user never proved it; there
    are such where verification is optional."""
    holder = await unit.users.of_email(email)
    if holder is None or holder.id == user_id or holder.email_verified:
        return
    await unit.accounts.hold(holder.id)
    held = await unit.users.hold(holder.id)
    if held is not None and held.email == email and not held.email_verified:
        await unit.users.remove(held.id)
        await unit.events.pseudonymise(held.id)
