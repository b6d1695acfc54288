"""Sign-up: docs/sign-up.md."""

from tests.support.world import ADA, World


async def test_a_sign_up_is_answered_with_the_canonical_address_and_followed_by_a_letter(world: World) -> None:
    sent = await world.sign_up("  Ada@EXAMPLE.com ")
    await world.deliver()
    assert sent.email.canonical == ADA
    assert [letter.subject for letter in world.mailbox.letters] == ["Confirm your e-mail address for Ostiary"]
