"""The page as HTML: no scripts, large buttons, readable in the dark. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote

from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.page.access import Session
from lamplighter_gateway.commissioning.page.words import QUANTITIES, TRUTH, WORDS
from lamplighter_gateway.drivers.port import Value

MOST_SHOWN: Final = 120
STYLE: Final = """
:root { color-scheme: light dark; font: 18px/1.4 system-ui, sans-serif }
body { margin: 0 auto; padding: 0.7rem; max-width: 40rem } h1 { font-size: 1.2rem; margin: 0.2rem 0 }
a { color: inherit } a, button { touch-action: manipulation }
nav { display: flex; gap: 0.7rem; flex-wrap: wrap; align-items: center }
nav a, li a { display: inline-block; min-height: 44px; line-height: 44px }
button, input { font: inherit; min-height: 48px; padding: 0 1rem; width: 100%; box-sizing: border-box }
button, input { border: 2px solid; border-radius: 0.5rem }
button { background: #0b5cad; color: #fff; border-color: #0b5cad; margin: 0.3rem 0 }
button.plain { background: none; color: inherit }
ul { list-style: none; padding: 0 } li { display: flex; justify-content: space-between; border-bottom: 1px solid #8886 }
.bad { font-weight: bold } p.told { border-left: 6px solid #0b5cad; padding-left: 0.6rem }
label { display: block; margin-top: 0.5rem }
table { width: 100% } td { padding: 0.2rem 0 } td:last-child { text-align: right }
"""
_LANG: Final = {Language.EN: "en", Language.ZH: "zh-CN"}


@dataclass(frozen=True, slots=True)
class Line:
    """One device as the list shows it; `held` is locked, isolated or empty."""

    device: str
    state: str
    held: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """What every page of a visitor has in common."""

    gateway: str
    language: Language
    session: Session | None
    told: str = ""

    def say(self, name: str, **values: object) -> str:
        """A word of the visitor's language, safe to stand in HTML."""
        return escape(WORDS[self.language][name].format(**values))


def login(stage: Stage) -> str:
    """Name and code."""
    return _page(
        stage,
        '<form method="post" action="/login">'
        f'<label for="name">{stage.say("name")}</label>'
        '<input id="name" name="name" maxlength="40" required autocomplete="name">'
        f'<label for="code">{stage.say("code")}</label>'
        '<input id="code" name="code" inputmode="numeric" maxlength="20" required autocomplete="one-time-code">'
        f"<button>{stage.say('enter')}</button></form>",
    )


def devices(stage: Stage, found: Sequence[Line], search: str) -> str:
    """The list of devices with their state."""
    rows = "".join(_row(stage, line) for line in found[:MOST_SHOWN])
    more = f"<p>{stage.say('more', n=len(found) - MOST_SHOWN)}</p>" if len(found) > MOST_SHOWN else ""
    none = "" if found else f"<p>{stage.say('none')}</p>"
    form = (
        f'<form action="/"><label for="q">{stage.say("search")}</label>'
        f'<input id="q" name="q" value="{escape(search)}" maxlength="64"></form>'
    )
    return _page(stage, f"{form}<ul>{rows}</ul>{none}{more}")


def device(stage: Stage, line: Line, values: Mapping[str, Value], failure: str, *, lamp: bool) -> str:
    """One device, read just now, and what may be done to it."""
    named = QUANTITIES[stage.language]
    rows = "".join(
        f"<tr><td>{escape(named.get(name, name))}</td><td>{escape(_shown(value, stage.language))}</td></tr>"
        for name, value in values.items()
        if value is not None
    )
    held = f'<p class="bad">{stage.say(line.held)}</p>' if line.held else ""
    trouble = f'<p class="bad">{escape(failure)}</p>' if failure else ""
    acts = ("blink", "full") if lamp and not line.held else ()
    buttons = "".join(_act(stage, name, {"device": line.device}) for name in acts)
    return _page(
        stage, f"<h2>{escape(line.device)}: {escape(line.state)}</h2>{held}{trouble}{buttons}<table>{rows}</table>"
    )


def walk(stage: Stage, lamp: str, pole: str, progress: str) -> str:
    """The walk test at its next lamp; without a lamp only how far it is."""
    if not lamp:
        return _page(stage, f"<p>{escape(progress)}</p>")
    fields = {"device": lamp}
    asked = stage.say("at", device=lamp, pole=pole) if pole else stage.say("at_unknown", device=lamp)
    yes = _act(stage, "yes", {**fields, "pole": pole}, to="/walk") if pole else ""
    other = (
        f'<form method="post" action="/walk">{_hidden(stage, {**fields, "do": "pole"})}'
        f'<label for="pole">{stage.say("pole")}</label><input id="pole" name="pole" maxlength="60" required>'
        f'<button class="plain">{stage.say("save")}</button></form>'
    )
    start, nothing = _act(stage, "start", fields, to="/walk"), _act(stage, "nothing", fields, to="/walk", plain=True)
    return _page(stage, f"<p>{escape(progress)}</p><h2>{asked}</h2>{start}{yes}{other}{nothing}")


def _page(stage: Stage, content: str) -> str:
    title = stage.say("title", gateway=stage.gateway)
    other = Language.EN if stage.language is Language.ZH else Language.ZH
    links = f'<a href="/language?to={other}">{stage.say("other")}</a>'
    if stage.session is not None:
        inside = f'<a href="/">{stage.say("devices")}</a><a href="/walk">{stage.say("walk")}</a>'
        links = f'{inside}{links}<a href="/leave">{stage.say("leave")}</a>'
    told = f'<p class="told" role="status">{escape(stage.told)}</p>' if stage.told else ""
    return (
        f'<!DOCTYPE html><html lang="{_LANG[stage.language]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="/style.css"></head>'
        f"<body><header><h1>{title}</h1><nav>{links}</nav></header><main>{told}{content}</main></body></html>"
    )


def _row(stage: Stage, line: Line) -> str:
    state = f'<span class="bad">{stage.say(line.held)}</span>' if line.held else f"<span>{escape(line.state)}</span>"
    return f'<li><a href="/device?id={quote(line.device)}">{escape(line.device)}</a>{state}</li>'


def _act(stage: Stage, name: str, fields: Mapping[str, str], *, to: str = "/do", plain: bool = False) -> str:
    mark = ' class="plain"' if plain else ""
    hidden = _hidden(stage, {**fields, "do": name})
    return f'<form method="post" action="{to}">{hidden}<button{mark}>{stage.say(name)}</button></form>'


def _hidden(stage: Stage, fields: Mapping[str, str]) -> str:
    form = stage.session.form if stage.session is not None else ""
    every = {**fields, "form": form}
    return "".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in every.items())


def _shown(value: Value, language: Language) -> str:
    if isinstance(value, bool):
        return TRUTH[language][value]
    return f"{value:g}" if isinstance(value, float) else str(value)
