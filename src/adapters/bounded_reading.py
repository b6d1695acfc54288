"""Reading what another service answers, and no more of it than it may be long."""

import httpx


async def read_bounded(response: httpx.Response, most: int) -> bytes:
    """The body as it comes, undecoded; of one that is longer than `most` bytes, a little more than these.

    The connection is let go of.
    """
    try:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > most:
                break
    finally:
        await response.aclose()
    return bytes(body)
