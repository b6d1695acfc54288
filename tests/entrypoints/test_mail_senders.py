"""Which mail sender the settings choose, from the sign-up to the letter that is handed over (R80, R82)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from application.admission import SessionWish
from application.sign_up_form import SignUpCommand
from domain.client import Client
from domain.email_address import EmailAddress
from entrypoints.cli.main import announce
from entrypoints.composition import Ostiary, Replacements, compose, memory_store
from entrypoints.composition.instruments import instruments
from entrypoints.doctor.of_mail import check_mail, send_test_letter
from entrypoints.settings import read_settings
from tests.support.http_mail import run_mail_server
from tests.support.http_requests import free_port
from tests.support.post_office import Posted, PostOffice, post_office
from tests.support.server import CHEAP

FROM = {"EMAIL_FROM": "Acme <no-reply@acme.example>", "OSTIARY_DELIVERY_JITTER": "0s", **CHEAP}
KEY = "canary-of-a-key"


@asynccontextmanager
async def service(folder: Path, **variables: str) -> AsyncIterator[Ostiary]:
    settings = read_settings({**FROM, "OSTIARY_DATA_DIR": str(folder), **variables}, dotenv=None)
    async with compose(settings, Replacements(store=memory_store())) as ostiary:
        yield ostiary


async def write_to(ostiary: Ostiary, email: str) -> None:
    """Somebody signs up, and the letter leaves, or not."""
    here = SessionWish(client=Client("192.0.2.1", "a test"))
    await ostiary.use_cases.sign_up(
        SignUpCommand(email=email, password="engine of difference", name="Ada", session=here)
    )
    assert await ostiary.use_cases.deliver_mail() == 1


APIS = {
    "resend": ("RESEND_API_KEY", "OSTIARY_RESEND_URL", "/emails", ("authorization", f"Bearer {KEY}")),
    "sendgrid": ("SENDGRID_API_KEY", "OSTIARY_SENDGRID_URL", "/v3/mail/send", ("authorization", f"Bearer {KEY}")),
    "postmark": ("POSTMARK_SERVER_TOKEN", "OSTIARY_POSTMARK_URL", "/email", ("x-postmark-server-token", KEY)),
}


async def posted(folder: Path, sender: str, office: PostOffice, **variables: str) -> Posted:
    key, url, _, _ = APIS[sender]
    office.status = 200
    async with service(folder, **{key: KEY, url: f"{office.url}/eu", **variables}) as ostiary:
        await write_to(ostiary, "ada@example.com")
    [found] = office.posted
    return found


@pytest.mark.parametrize("sender", APIS)
async def test_a_key_is_enough_for_letters_to_leave_by_its_provider(tmp_path: Path, sender: str) -> None:
    with post_office() as office:
        found = await posted(tmp_path, sender, office)
    _, _, path, (header, value) = APIS[sender]
    assert (found.path, found.headers[header]) == (f"/eu{path}", value)
    assert "ada@example.com" in str(found.body)
    assert "no-reply@acme.example" in str(found.body)


async def test_postmarks_stream_is_the_one_that_is_set(tmp_path: Path) -> None:
    with post_office() as office:
        found = await posted(tmp_path, "postmark", office, OSTIARY_POSTMARK_STREAM="letters")
    assert found.body["MessageStream"] == "letters"


async def test_letters_become_files_where_the_settings_say(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    async with service(tmp_path, OSTIARY_MAIL_SENDERS="file", OSTIARY_MAIL_FOLDER=str(folder)) as ostiary:
        await write_to(ostiary, "ada@example.com")
        assert ostiary.dev_inbox is None
    [file] = folder.glob("*.eml")
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["To"] == "ada@example.com"


async def test_letters_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with service(tmp_path, OSTIARY_MAIL_SENDERS="console") as ostiary:
        await write_to(ostiary, "ada@example.com")
    assert "ada@example.com" in capsys.readouterr().out
    assert not (tmp_path / "inbox").exists()


async def test_letters_stay_in_the_dev_inbox_where_nobody_sends_them(tmp_path: Path) -> None:
    async with service(tmp_path, EMAIL_ENABLED="off", RESEND_API_KEY=KEY) as ostiary:
        await write_to(ostiary, "ada@example.com")
        assert ostiary.dev_inbox is not None
        assert [letter.to for letter in ostiary.dev_inbox.letters()] == ["ada@example.com"]


async def test_the_next_one_takes_over_when_the_first_fails(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with post_office() as office:
        variables = {
            "OSTIARY_MAIL_SENDERS": "resend,acme_doorkeeping.post:acme_post,file",
            "RESEND_API_KEY": KEY,
            "OSTIARY_RESEND_URL": f"http://127.0.0.1:{free_port()}",
            "ACME_POST_URL": office.url,
            "ACME_POST_TOKEN": KEY,
            "OSTIARY_MAIL_FOLDER": str(folder),
        }
        async with service(tmp_path, **variables) as ostiary:
            await write_to(ostiary, "ada@example.com")
            assert [each.body["to"] for each in office.posted] == ["ada@example.com"]
            assert not folder.exists()
            office.status = 503
            await write_to(ostiary, "bob@example.com")
            assert len(list(folder.glob("*.eml"))) == 1


def test_the_start_tells_who_sends(capsys: pytest.CaptureFixture[str]) -> None:
    mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "2525", "RESEND_API_KEY": KEY}
    announce(read_settings({**FROM, **mail, "OSTIARY_MAIL_SENDERS": "smtp,resend"}, dotenv=None))
    said = capsys.readouterr()
    assert "by SMTP through 127.0.0.1:2525, or else resend" in said.out + said.err
    assert KEY not in said.out + said.err


async def test_the_doctor_looks_at_each_of_them_and_tries_each_when_asked(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    provider = "acme_doorkeeping.post:acme_post"
    with run_mail_server() as mail, post_office() as office:
        office.status = 401
        settings = read_settings(
            {
                **FROM,
                **mail.variables,
                "OSTIARY_MAIL_SENDERS": f"smtp,resend,file,console,{provider}",
                "RESEND_API_KEY": KEY,
                "OSTIARY_RESEND_URL": office.url,
                "OSTIARY_MAIL_FOLDER": str(tmp_path / "file"),
                "ACME_POST_URL": office.url,
                "ACME_POST_TOKEN": KEY,
            },
            dotenv=None,
        )
        async with instruments(settings) as look:
            found = [
                *await check_mail(settings, look),
                *await send_test_letter(settings, look, EmailAddress.parse("you@example.com")),
            ]
    said = {finding.check: f"{finding.verdict.lower()} {finding.text}" for finding in found}
    assert said["mail: smtp"].startswith("ok 127.0.0.1")
    assert said["mail: resend"].startswith("ok Resend at http")
    assert "only a letter tells" in said["mail: resend"]
    assert said["mail: file"].startswith("fail each letter becomes a file in")
    assert said["mail: console"] == "ok letters are printed"
    assert said[f"mail: {provider}"] == f"fail the provider {provider} would take no letter: Acme Post answered 401"
    assert said["test letter: smtp"].startswith("ok")
    assert said["test letter: resend"] == "fail was not taken: key not accepted (401): see RESEND_API_KEY"
    assert said["test letter: file"] == (
        "fail was not taken: the folder for letters cannot be written to (EEXIST): see OSTIARY_MAIL_FOLDER"
    )
    assert said["test letter: console"].startswith("ok")
    assert said[f"test letter: {provider}"].startswith("fail")
    assert KEY not in str(said)
    assert [letter["To"] for letter in mail.letters("you@example.com")] == ["you@example.com"]
