"""The way out for mail: to an SMTP host, or into a folder where a person at a laptop can read it."""

from __future__ import annotations

import html
import os
import re
import smtplib
import ssl
import tempfile
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from dashify.errors import Invalid, NotAllowedNow, SettingsError, Unavailable

TIMEOUT_SECONDS = 10.0
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_KEY = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail: plain `paragraphs`, then a `link` to follow. `key` (a job's id) makes its Message-ID.

    Between them may be `sections`, each a heading and the lines of a list; after them small print, the `footer`.
    """

    to: str
    subject: str
    paragraphs: tuple[str, ...]
    link: str
    key: str
    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    footer: str = ""


class Mailer(Protocol):
    """Whatever takes mail off our hands."""

    def send(self, mail: Mail) -> None:
        """Hand over one mail.

        Raises:
            Unavailable: `mail_unavailable`; trying again later may help.
            NotAllowedNow: `mail_refused`; the host will not take it for this person.
            Invalid: the address is not one.
        """


def open_mailer(mail_url: str, mail_from: str) -> Mailer:
    """Give the mailer that `mail_url` names: `smtp://`, `smtps://` (both `user:password@host:port`) or `file:///dir`.

    Raises:
        SettingsError: the URL or the sender's address is none.
    """
    parts = urlsplit(mail_url)
    if "@" not in parseaddr(mail_from)[1]:
        raise SettingsError("DASHIFY_MAIL_FROM must be an address such as 'Dashify <dashify@example.org>'.")
    if parts.scheme == "file" and not parts.netloc and parts.path:
        return FolderMailer(Path(unquote(parts.path)), mail_from)
    if parts.scheme in ("smtp", "smtps") and parts.hostname:
        return SmtpMailer(parts, mail_from)
    raise SettingsError("DASHIFY_MAIL_URL must look like smtp://host:25, smtps://user:password@host or file:///folder.")


class FolderMailer:
    """Writes each mail as `KEY.eml` into a folder, readable by its owner only, whole or not at all."""

    def __init__(self, folder: Path, mail_from: str) -> None:
        self._folder = folder
        self._from = mail_from

    def send(self, mail: Mail) -> None:
        """Write one mail; the same key again replaces it."""
        message = compose(mail, self._from)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
            with os.fdopen(handle, "wb") as file:
                file.write(message.as_bytes())
            os.replace(name, self._folder / f"{mail.key}.eml")
        except OSError as error:
            raise _unavailable() from error


class SmtpMailer:
    """Sends each mail over a connection of its own, encrypted where the host offers it, every step limited to 10 s."""

    def __init__(self, url: SplitResult, mail_from: str) -> None:
        self._host = url.hostname or ""
        self._port = url.port or (465 if url.scheme == "smtps" else 25)
        self._implicit_tls = url.scheme == "smtps"
        self._user = unquote(url.username or "")
        self._password = unquote(url.password or "")
        self._from = mail_from

    def send(self, mail: Mail) -> None:
        """Send one mail."""
        message = compose(mail, self._from)
        try:
            with self._connect() as smtp:
                self._sign_in(smtp)
                smtp.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise (_refused() if all(code >= 500 for code in codes) else _unavailable()) from error
        except smtplib.SMTPNotSupportedError as error:
            raise _refused() from error
        except smtplib.SMTPDataError as error:
            raise (_refused() if error.smtp_code >= 500 else _unavailable()) from error
        except (smtplib.SMTPException, OSError) as error:
            raise _unavailable() from error

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._host in _LOOPBACK:  # nobody certifies a relay on this very machine, and nobody sits in between
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self._implicit_tls:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_SECONDS, context=context)
        smtp = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)
        smtp.ehlo()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=context)
            smtp.ehlo()
        return smtp

    def _sign_in(self, smtp: smtplib.SMTP) -> None:
        if not self._user:
            return
        if not isinstance(smtp.sock, ssl.SSLSocket) and self._host not in _LOOPBACK:
            raise Unavailable("The mail host offers no encryption, so the password was not sent to it.",
                              code="mail_unavailable")
        smtp.login(self._user, self._password)


def compose(mail: Mail, mail_from: str) -> EmailMessage:
    """Build the message: headers without line breaks, a text part, and an HTML part in which everything is escaped.

    Raises:
        Invalid: the recipient's address or the key is malformed.
    """
    name, sender = parseaddr(mail_from)
    message = EmailMessage(policy=SMTP_POLICY)
    try:
        message["From"] = Address(display_name=one_line(name), addr_spec=sender)
        message["To"] = Address(addr_spec=mail.to)
    except (ValueError, IndexError, MessageError) as error:
        raise Invalid("This is not an address that mail can be sent to.", code="bad_address") from error
    if not _KEY.fullmatch(mail.key):
        raise Invalid("A mail's key must be an id.")
    message["Subject"] = one_line(mail.subject)
    message["Message-ID"] = f"<{mail.key}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_text(mail))
    message.add_alternative(_page(mail), subtype="html")
    return message


def _text(mail: Mail) -> str:
    parts = [one_line(text) for text in mail.paragraphs]
    parts += ["\n".join([one_line(heading), *(f"- {one_line(line)}" for line in lines)])
              for heading, lines in mail.sections]
    return "\n\n".join([*parts, mail.link, *([one_line(mail.footer)] if mail.footer else [])]) + "\n"


def _page(mail: Mail) -> str:
    parts = [f"<p>{_escaped(text)}</p>" for text in mail.paragraphs]
    for heading, lines in mail.sections:
        items = "".join(f"<li>{_escaped(line)}</li>" for line in lines)
        parts.append(f"<h2>{_escaped(heading)}</h2><ul>{items}</ul>")
    link = html.escape(mail.link)
    parts.append(f'<p><a href="{link}">{link}</a></p>')
    if mail.footer:
        parts.append(f"<p><small>{_escaped(mail.footer)}</small></p>")
    return f"<!doctype html><html><body>{''.join(parts)}</body></html>\n"


def _escaped(text: str) -> str:
    return html.escape(one_line(text))


def one_line(text: str) -> str:
    """Give `text` with every run of control characters, line breaks included, as one space."""
    return _CONTROL.sub(" ", text).strip()


def _unavailable() -> Unavailable:
    return Unavailable("The mail host does not take mail at the moment.", code="mail_unavailable")


def _refused() -> NotAllowedNow:
    return NotAllowedNow("The mail host refused this mail.", code="mail_refused")
