"""`ostiary letters`: where letters are and who gets none, at the command line: docs/letters.md, docs/bounces.md."""

from pathlib import Path
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.http_mail import MailServer, run_mail_server
from tests.support.http_requests import free_port, sign_up
from tests.support.server import wait_for
from tests.support.shell import Inside, Shell

ADA = "ada@example.com"
LONG = "somebody.with.rather.a.long.name@a-department.of.example.com"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """On a database that is not there yet; nobody delivers."""
    return Shell(tmp_path, {"OSTIARY_WORKER": "off"})


@pytest.fixture
def inside(shell: Shell) -> Inside:
    """On the same one, for what needs no process of its own: each command is run as one once."""
    return Inside(shell.folder, shell.variables)


def ask_for_letters(shell: Shell, *addresses: str) -> None:
    """Without a worker, they wait."""
    for address in addresses:
        shell.say("users", "create", "--email", address)


def letter_ids(shell: Shell) -> list[str]:
    return [letter["id"] for letter in shell.json("letters", "list")["letters"]]


def a_report(letter_id: str, status: str = "5.1.1") -> str:
    """As a mail server writes it."""
    return (
        'Subject: Undelivered\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nI am sorry.\n\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
        f"Final-Recipient: rfc822; x@example.com\nAction: failed\nStatus: {status}\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{letter_id}@example.com>\n\n--b--\n"
    )


def test_letters_are_listed_in_a_hundred_columns_shown_given_up_and_called_back(shell: Shell, inside: Inside) -> None:
    ask_for_letters(inside, ADA, LONG)
    newest, oldest = inside.json("letters", "list")["letters"]
    assert newest.keys() == {
        *("id", "state", "in_hand", "to", "occasion", "outcome", "reason", "attempts", "locale"),
        *("created_at", "due_at", "expires_at", "done_at"),
    }
    assert (newest["to"], oldest["to"]) == (LONG, ADA)
    heading, line, *rows = shell.say("letters", "list", "--state", "queued").splitlines()
    assert heading.split() == ["id", "state", "asked", "for", "what", "to"]
    assert len(rows) == 2
    assert max(map(len, [line, *rows])) <= 100
    limited = inside.run("letters", "list", "--most", "1")
    assert "There are more than 1" in limited.stderr
    assert len(limited.stdout.splitlines()) == 3

    ada = oldest["id"]
    assert shell.say("letters", "abandon", ada) == f"{ada} is given up.\n"
    shown = shell.say("letters", "show", ada)
    assert all(word in shown for word in (ADA, "abandoned", "by hand"))
    # Whoever gave it up meant it: only by its id does it come back.
    assert inside.say("letters", "requeue", "--abandoned") == "There is none.\n"
    assert shell.json("letters", "requeue", ada) == {"done": [ada], "refused": []}
    assert inside.json("letters", "list", "--state", "abandoned") == {"letters": []}
    assert [letter["id"] for letter in inside.json("letters", "list", "--to", "ADA@Example.com")["letters"]] == [ada]


def test_what_cannot_be_done_is_said_and_the_rest_is_done(inside: Inside) -> None:
    ask_for_letters(inside, ADA)
    [ada], nobodys = letter_ids(inside), str(uuid4())
    assert inside.refuse("letters", "show", nobodys).startswith(f"There is no letter {nobodys}")
    assert "is no id of a letter" in inside.refuse("letters", "show", "7")
    assert "--abandoned" in inside.refuse("letters", "requeue")
    assert "--abandoned" in inside.refuse("letters", "requeue", ada, "--abandoned")
    assert inside.refuse("letters", "list", "--to", "nowhere").startswith("--to: ")
    mixed = inside.run("letters", "abandon", nobodys, ada, ada)
    assert mixed.returncode == 2
    assert mixed.stdout == f"{ada} is given up.\n"
    assert len(mixed.stderr.splitlines()) == 2
    assert "was given up already" in mixed.stderr


class RefusingMailServer(MailServer):
    """Knows nobody, until it is mended."""

    mended = False

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if not self.mended:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


def test_dead_letters_leave_once_the_mail_server_is_mended_and_no_command_shows_what_was_in_them(
    tmp_path: Path,
) -> None:
    mail = RefusingMailServer(free_port())
    with run_mail_server(mail):
        shell = Shell(tmp_path, mail.variables)
        with shell.served() as server, server.client() as client:
            sign_up(client, ADA)
            dead = "SELECT 1 FROM letters WHERE status = 'abandoned'"
            wait_for(lambda: server.sql(dead) or None, "the letter to be given up")
            mail.mended = True
            done = shell.say("letters", "requeue", "--abandoned")
            token = mail.token(ADA)
            said = shell.say("letters", "show", done.split()[0]) + shell.say("letters", "list", "--json")
        assert token not in said
        assert "http" not in said


def test_reports_count_once_and_are_lifted_for_good(shell: Shell, inside: Inside, tmp_path: Path) -> None:
    ask_for_letters(inside, ADA)
    [ada] = letter_ids(inside)
    mbox = tmp_path / "reports"
    messages = [a_report(ada, "5.2.2"), a_report(ada), a_report(str(uuid4())), "Subject: Hello\n\nHello\n"]
    mbox.write_text("".join(f"From x Thu Jan  1 00:00:00 2026\n{message}\n\n" for message in messages))
    said = shell.say("letters", "bounces", str(mbox))
    assert [line.split("  ")[-1].strip() for line in said.splitlines()[2:]] == [
        "does not count",
        "counted",
        "this letter is not kept any more",
        "3 reports, 1 counted; 1 other messages.",
    ]
    again = inside.json("letters", "bounces", str(mbox))
    assert [report["verdict"] for report in again["reports"]] == ["not_counted", "known", "nobodys"]
    assert again["others"] == 1

    [found] = inside.json("letters", "suppressed")["suppressed"]
    assert (found["email"], found["reason"], found["source"]) == (ADA, "hard_bounce", "report")
    assert ADA in shell.say("letters", "suppressed")
    assert shell.say("letters", "lift", ADA) == f"Letters go to {ADA} again.\n"
    assert inside.refuse("letters", "lift", ADA) == f"Nothing keeps letters from {ADA}."
    assert "known already" in inside.say("letters", "bounces", str(mbox))
    kinds = [event["kind"] for event in inside.json("events", "list")["events"]]
    assert kinds.count("address_suppressed") == kinds.count("suppression_lifted") == 1


def test_a_file_that_cannot_be_read_stops_no_other(inside: Inside, tmp_path: Path) -> None:
    ask_for_letters(inside, ADA)
    one = tmp_path / "one.eml"
    one.write_text(a_report(letter_ids(inside)[0]))
    done = inside.run("letters", "bounces", str(tmp_path / "nowhere"), str(one))
    assert done.returncode == 2
    assert "1 counted" in done.stdout
    assert done.stderr == f"{tmp_path / 'nowhere'}: no such file\n"
