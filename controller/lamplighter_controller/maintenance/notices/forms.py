"""What each way of telling sends: signed, and under a name that the other side can know it by again. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import quote

import msgspec

from lamplighter_controller.maintenance.notices.notice import Channel, Notice, Way


@dataclass(frozen=True, slots=True)
class Post:
    """An HTTP request."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def post(channel: Channel, notice: Notice, wall_ms: int) -> Post:
    """What a webhook, a robot or a gateway gets."""
    text = f"{notice.zh}\n{notice.en}"
    url, body = channel.url, b""
    match channel.way:
        case Way.WECOM:
            body = msgspec.json.encode({"msgtype": "text", "text": {"content": text}})
        case Way.DINGTALK:
            url = _dingtalk(channel, wall_ms)
            body = msgspec.json.encode({"msgtype": "text", "text": {"content": text}, "msgUuid": notice.id})
        case Way.SMS | Way.VOICE:
            body = msgspec.json.encode({"way": channel.way, "to": channel.to, "text": notice.zh, "id": notice.id})
        case _:
            body = msgspec.json.encode({"notice": notice, "sent_ms": wall_ms})
    headers = {"Content-Type": "application/json", "Idempotency-Key": quote(notice.id)}
    if channel.secret and channel.way is not Way.DINGTALK:
        headers["X-Lamplighter-Signature"] = signature(channel.secret, wall_ms, body)
    return Post(url, body, headers)


def signature(secret: str, wall_ms: int, body: bytes) -> str:
    """`t=<epoch ms>,v1=<HMAC-SHA256 of "t.body", hexadecimal>`: an old one can be told from a new one."""
    digest = hmac.new(secret.encode(), f"{wall_ms}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={wall_ms},v1={digest}"


def mail(channel: Channel, notice: Notice, domain: str) -> EmailMessage:
    """A mail whose id is that of the notice, so that a copy is known as one."""
    message = EmailMessage()
    message["Subject"] = f"[{notice.order}] {notice.zh}"
    message["From"] = channel.sender
    message["To"] = ", ".join(channel.to)
    message["Message-ID"] = f"<{quote(notice.id, safe='')}.{channel.id}@{domain}>"
    message.set_content(f"{notice.zh}\n\n{notice.en}\n")
    return message


def _dingtalk(channel: Channel, wall_ms: int) -> str:
    """Its robots want the time and its signature in the address."""
    if not channel.secret:
        return channel.url
    digest = hmac.new(channel.secret.encode(), f"{wall_ms}\n{channel.secret}".encode(), hashlib.sha256).digest()
    joint = "&" if "?" in channel.url else "?"
    return f"{channel.url}{joint}timestamp={wall_ms}&sign={quote(base64.b64encode(digest), safe='')}"
