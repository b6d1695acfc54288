"""What goes wrong on the way to a mail server, in our words."""

import errno
import re
import socket
import ssl

import aiosmtplib

from application.ports.letters import MailDelayed

SEE_SERVER = "see SMTP_HOST and SMTP_PORT"
SEE_TLS = "see SMTP_PORT and OSTIARY_SMTP_ENCRYPTION"
SEE_CERTIFICATE = "see SMTP_HOST and OSTIARY_SMTP_CA_FILE"

_NETWORK = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ETIMEDOUT: "timed out",
    errno.EHOSTUNREACH: "host not reachable",
    errno.ENETUNREACH: "network not reachable",
    errno.EADDRNOTAVAIL: "network not reachable",
    errno.EACCES: "not permitted",
    errno.EPERM: "not permitted",
}
"""What the operating system says of a connection, in our words."""


def no_connection(error: Exception, what: str, hint: str) -> MailDelayed:
    """Why a server was not reached, or is not there any more, while it was asked for `what`."""
    for cause in (error, error.__cause__, error.__context__):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return MailDelayed(f"the mail server's certificate is not vouched for: {SEE_CERTIFICATE}")
        if isinstance(cause, ssl.SSLError):
            return MailDelayed(f"no encrypted connection: {SEE_TLS}")
    if isinstance(error, aiosmtplib.SMTPConnectError):
        return MailDelayed(f"no connection ({_in_a_word(error)}): {SEE_SERVER}")
    if isinstance(error, TimeoutError):
        return MailDelayed(f"no answer in time ({what})")
    return MailDelayed(f"connection lost ({what})" if isinstance(error, OSError) else f"{what} not possible{hint}")


def _in_a_word(error: aiosmtplib.SMTPConnectError) -> str:
    """Why nobody was reached. A host with several addresses fails once for each, told in one text: the first counts."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error.__cause__, socket.gaierror):
        return "name not found"
    number = re.search(r"\[Errno (\d+)\]", str(error.__cause__))
    return _NETWORK.get(int(number[1]), "failed") if number else "hung up"
