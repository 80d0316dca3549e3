"""Sends notices: HTTP and SMTP, each with a time-out, beside the event loop."""

import asyncio
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

import urllib3

from lamplighter_controller.maintenance.notices.forms import mail, post
from lamplighter_controller.maintenance.notices.notice import Channel, Notice, Way

TIMEOUT_S: Final = 10.0
WHOLE_S: Final = 30.0
MAIL_PORT: Final = 25
MOST_ANSWER: Final = 4_096

Send = Callable[[Channel, Notice, int], Awaitable[str]]


async def send(channel: Channel, notice: Notice, wall_ms: int) -> str:
    """Why it has not arrived, empty when it has."""
    work = _mailed if channel.way is Way.MAIL else _posted
    try:
        async with asyncio.timeout(WHOLE_S):
            return await asyncio.to_thread(work, channel, notice, wall_ms)
    except TimeoutError:
        return f"no answer in {WHOLE_S:g} s"


def _posted(channel: Channel, notice: Notice, wall_ms: int) -> str:
    made = post(channel, notice, wall_ms)
    timeout = urllib3.Timeout(connect=TIMEOUT_S, read=TIMEOUT_S)
    try:
        with urllib3.PoolManager(retries=False, timeout=timeout) as pool:
            answer = pool.request(
                "POST", made.url, body=made.body, headers=dict(made.headers), redirect=False, preload_content=False
            )
            said = answer.read(MOST_ANSWER)
            answer.release_conn()
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        return str(error)[:300]
    if not 200 <= answer.status < 300:
        return f"answered {answer.status}"
    return _robot_refusal(channel, said)


def _robot_refusal(channel: Channel, said: bytes) -> str:
    """Robots answer 200 and put their refusal into the body: `{"errcode": 310000, "errmsg": ...}`."""
    robot = channel.way in {Way.WECOM, Way.DINGTALK}
    if robot and b'"errcode"' in said and b'"errcode":0' not in said.replace(b" ", b""):
        return said[:200].decode(errors="replace")
    return ""


def _mailed(channel: Channel, notice: Notice, _wall_ms: int) -> str:
    address = urlsplit(channel.url)
    host, port = address.hostname or "", address.port or MAIL_PORT
    try:
        with smtplib.SMTP(host, port, timeout=TIMEOUT_S) as server:
            if address.scheme == "smtp+tls":
                server.starttls(context=ssl.create_default_context())
            if channel.user:
                server.login(channel.user, channel.secret)
            server.send_message(mail(channel, notice, channel.sender.rpartition("@")[2] or "lamplighter"))
    except (smtplib.SMTPException, OSError) as error:
        return str(error)[:300]
    return ""
