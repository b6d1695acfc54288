"""Reports in mailbox files (RFC 3464, RFC 5965), written by whoever wants to write one: docs/bounces.md."""

from pathlib import Path
from uuid import UUID

import pytest

from adapters.bounces.mailboxes import MOST_BYTES, messages_of
from adapters.bounces.reports import filed_messages
from application.ports.bounces import FiledMessage, NoMailbox
from domain.suppression import SuppressionReason

LETTER = UUID("6f1c2a90-3b5d-4e7f-8a91-b2c3d4e5f607")
OURS = f"Message-ID: <{LETTER}@example.com>"


def a_report(
    status: str = "5.1.1",
    action: str = "failed",
    returned: str = f"Content-Type: text/rfc822-headers\n\nFrom: us@example.com\n{OURS}\n",
    report: str | None = None,
    kind: str = "delivery-status",
) -> bytes:
    """As a mail server writes it."""
    groups = report or (
        "Reporting-MTA: dns; mx.example.net\n\n"
        f"Final-Recipient: rfc822; ada@example.com\nAction: {action}\nStatus: {status}\n"
        "Diagnostic-Code: smtp; 550 no such user\n"
    )
    return (
        "From: MAILER-DAEMON@mx.example.net\nTo: us@example.com\nSubject: Undelivered\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nI am sorry.\n\n"
        f"--b\nContent-Type: message/{kind}\n\n{groups}\n"
        f"--b\n{returned}\n--b--\n"
    ).encode()


def read(folder: Path, *messages: bytes, mbox: bool = True) -> list[FiledMessage]:
    file = folder / "reports"
    if mbox:
        file.write_bytes(b"".join(b"From x Thu Jan  1 00:00:00 2026\n" + message + b"\n\n" for message in messages))
    else:
        [content] = messages
        file.write_bytes(content)
    return list(filed_messages(file))


def test_what_is_nested_so_often_that_reading_it_takes_minutes_is_not_read(tmp_path: Path) -> None:
    """The parser holds each line against every part that is open."""
    for depth, said in ((7, "5.1.1"), (8, "it cannot be read")):
        parts = "".join(f'Content-Type: MULTIPART/mixed; boundary="c{each}"\n\n--c{each}\n' for each in range(depth))
        [found] = read(tmp_path, a_report(returned=f"Content-Type: message/rfc822\n\n{OURS}\n{parts}"))
        assert (found.said, found.bounce is None) == (said, depth == 8)


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4", "5.1.1 (no user)"])
def test_a_mailbox_that_is_not_there_counts(status: str, tmp_path: Path) -> None:
    [found] = read(tmp_path, a_report(status))
    assert found.said == status.split()[0]
    assert found.bounce is not None
    assert (found.bounce.reason, found.bounce.letter_id) == (SuppressionReason.HARD_BOUNCE, LETTER)


@pytest.mark.parametrize(
    "status",
    [
        "5.0.0",
        "5.1.0",
        "5.1.7",
        "5.1.8",
        "5.2.2",
        "5.2.3",
        "5.3.4",
        "5.4.6",
        "5.5.0",
        "5.7.1",
        "5.7.26",
        "4.1.1",
        "2.1.5",
    ],
)
def test_what_is_full_or_refused_for_a_policy_does_not(status: str, tmp_path: Path) -> None:
    [found] = read(tmp_path, a_report(status))
    assert found == FiledMessage(number=1, said=f"{status} is not for good")


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
def test_what_has_not_failed_does_not(action: str, tmp_path: Path) -> None:
    [found] = read(tmp_path, a_report(action=action))
    assert (found.said, found.bounce) == ("it says of nobody that it failed", None)


@pytest.mark.parametrize(
    "returned",
    [
        f"Content-Type: message/rfc822\n\nSubject: x\n{OURS}\n\nHello\n",
        f"Content-Type: text/rfc822-headers; charset=klingon\n\n{OURS}\n",
        "Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n\n"
        "TWVzc2FnZS1JRDogPDZmMWMyYTkwLTNiNWQtNGU3Zi04YTkxLWIyYzNkNGU1ZjYwN0BleGFtcGxlLmNvbT4K\n",
        f"Content-Type: text/rfc822-headers\n\nMessage-ID:\n <{str(LETTER).upper()}@example.com>\n",
    ],
    ids=["whole", "in a charset that is none", "encoded", "folded and in capitals"],
)
def test_the_letter_is_known_by_its_message_id_however_it_comes_back(returned: str, tmp_path: Path) -> None:
    [found] = read(tmp_path, a_report(returned=returned))
    assert found.bounce is not None
    assert found.bounce.letter_id == LETTER


@pytest.mark.parametrize(
    "returned",
    [
        "Content-Type: text/rfc822-headers\n\nTo: ada@example.com\n",
        "Content-Type: text/rfc822-headers\n\nMessage-ID: <newsletter-7@example.com>\n",
        f"Content-Type: text/rfc822-headers\n\nMessage-ID: <x{LETTER}@example.com>\n",
        f"Content-Type: text/rfc822-headers\n\nReferences: <{LETTER}@example.com>\n",
        f"Content-Type: text/plain\n\n{OURS}\n",
    ],
    ids=["no id", "another sender's", "more than an id", "elsewhere in the headers", "as text"],
)
def test_a_report_without_a_letter_of_ours_does_not_count_whoever_it_names(returned: str, tmp_path: Path) -> None:
    """Anybody can write that ada@example.com is not there; only who has her letter has its Message-ID."""
    [found] = read(tmp_path, a_report(returned=returned))
    assert found == FiledMessage(number=1, said="it is about no letter of ours")


def test_the_message_ids_of_the_report_itself_count_for_nothing(tmp_path: Path) -> None:
    forged = f"In-Reply-To: <{LETTER}@example.com>\n{OURS}\n".encode() + a_report(
        returned="Content-Type: text/rfc822-headers\n\nTo: ada@example.com\n"
    )
    assert [found.bounce for found in read(tmp_path, forged)] == [None]


def test_a_complaint_counts_and_other_feedback_does_not(tmp_path: Path) -> None:
    abuse, opt_out = (
        a_report(kind="feedback-report", report=f"Feedback-Type: {what}\nUser-Agent: x\nVersion: 1\n")
        for what in ("Abuse", "opt-out")
    )
    counted, passed_over = read(tmp_path, abuse, opt_out)
    assert counted.bounce is not None
    assert counted.bounce.reason is SuppressionReason.COMPLAINT
    assert passed_over == FiledMessage(number=2, said="it is no complaint")


def test_people_write_to_the_same_mailbox(tmp_path: Path) -> None:
    found = read(tmp_path, b"Subject: Hello\n\nI cannot sign in.\n", a_report(), b"", b"Subject: Vacation\n\nGone.\n")
    assert [(each.number, each.report) for each in found] == [(1, False), (2, True), (3, False), (4, False)]


def test_a_file_with_one_message_and_a_maildir_are_read_as_well(tmp_path: Path) -> None:
    [alone] = read(tmp_path, a_report(), mbox=False)
    assert alone.bounce is not None
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    (tmp_path / "Maildir/new/1.x").write_bytes(a_report())
    (tmp_path / "Maildir/cur/2.x:2,S").write_bytes(a_report("5.2.2"))
    (tmp_path / "Maildir/tmp/3.x").write_bytes(a_report())
    assert [each.said for each in filed_messages(tmp_path / "Maildir")] == ["5.1.1", "5.2.2 is not for good"]


def test_from_within_a_message_begins_no_other(tmp_path: Path) -> None:
    quoted = b"Subject: x\n\nOne\nFrom the second line on\n" + b"x" * 70_000 + b"From here\n\n>From there\n"
    assert len(read(tmp_path, quoted, a_report())) == 2


HOSTILE = {
    "nothing": b"",
    "no end": b"Content-Type: multipart/report; boundary=b\n\n--b\n",
    "no boundary": b"Content-Type: multipart/report\n\nx",
    "no parts": b"Content-Type: multipart/report; boundary=b\n\n--b--\n",
    "a status that is no message": a_report().replace(b"message/delivery-status", b"text/plain"),
    "an encoded status": a_report().replace(
        b"message/delivery-status\n", b"message/delivery-status\nContent-Transfer-Encoding: base64\n"
    ),
    "an encoded complaint": a_report(kind="feedback-report", report="eHh4\n").replace(
        b"message/feedback-report\n", b"message/feedback-report\nContent-Transfer-Encoding: base64\n"
    ),
    "bytes": bytes(range(256)) * 50,
    "headers without end": b"X: " + b"y" * 200_000,
    "headers by the thousand": b"X: y\n" * 20_000,
    "deep": b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(700)),
    "deep messages": b"Content-Type: message/rfc822\n\n" * 2_000,
    "encoded words": a_report().replace(b"Undelivered", b"=?utf-8?b?" + b"A" * 5_000 + b"?="),
    "a status of its own kind": a_report("5." + "1" * 5_000 + ".1"),
    "surrogates": a_report("5.1.1").replace(b"Status: ", b"Status: \xff\xfe"),
    "an id of its own kind": a_report(
        returned=f"Content-Type: text/rfc822-headers\n\n{OURS}\udcff".replace("\udcff", "ÿ")
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_message_stops_the_others(name: str, tmp_path: Path) -> None:
    *_, last = read(tmp_path, HOSTILE[name], a_report())
    assert last.bounce is not None
    assert all(found.bounce is None for found in read(tmp_path, HOSTILE[name])[:-1])


def test_of_a_message_without_end_the_beginning_is_read(tmp_path: Path) -> None:
    endless = a_report() + b"x" * (MOST_BYTES * 3)
    first, second = read(tmp_path, endless, a_report())
    assert max(map(len, messages_of(tmp_path / "reports"))) < MOST_BYTES * 2
    assert first.bounce is not None
    assert second.bounce is not None


def test_what_is_no_mailbox_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoMailbox, match="no such file"):
        list(filed_messages(tmp_path / "nowhere"))
    with pytest.raises(NoMailbox, match="no Maildir"):
        list(filed_messages(tmp_path))
