"""Steps of an SMTP conversation that aiosmtplib has otherwise."""

import re

import aiosmtplib


async def greet(client: aiosmtplib.SMTP) -> None:
    """By EHLO, or HELO where that is not known."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        await client.helo()


async def begin_data(client: aiosmtplib.SMTP) -> None:
    """Ask whether the letter may come. By itself, because `SMTP.data` has one deadline for this and for the next."""
    answer = await client.execute_command(b"DATA")
    if answer.code != aiosmtplib.SMTPStatus.start_input:
        raise aiosmtplib.SMTPDataError(answer.code, answer.message)


async def finish_data(client: aiosmtplib.SMTP, content: bytes, seconds: float) -> None:
    """Hand the letter over and wait so long for the answer. The lines of `content` end in CRLF, the last one too."""
    if client.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    client.protocol.write(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
    answer = await client.protocol.read_response(timeout=seconds)
    if answer.code != aiosmtplib.SMTPStatus.completed:
        raise aiosmtplib.SMTPDataError(answer.code, answer.message)
