"""Reference pages generated from code: `make reference`. A test holds that they are up to date."""

from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

from lamplighter_contract.commands.command import RULES
from lamplighter_contract.commands.states import NEXT, CommandState
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import QUANTITIES, Form, Quantity
from lamplighter_contract.wire import limits
from lamplighter_controller.cli.lamplighter import main as lamplighter
from lamplighter_controller.diagnosis.catalogue.faults import catalogue
from lamplighter_controller.security.rights import NEEDS_CODE, OPERATIONS, Role
from lamplighter_controller.security.routes import OPEN, ROUTES
from lamplighter_gateway.cli.program import main as gateway

HERE = Path(__file__).parent
NOTE = "Generated from code by `make reference`; do not edit.\n"


def pages() -> dict[str, str]:
    """File name -> content of every generated page."""
    return {
        "quantities.md": _page("Quantities", _quantities()),
        "commands.md": _page("Commands", _commands()),
        "limits.md": _page("Limits", _limits()),
        "faults.md": _page("Faults", _faults()),
        "rights.md": _page("Rights", _rights()),
        "command-line.md": _page("The command line of people", _command_line()),
        "gateway-command-line.md": _page("The command line of a gateway", _gateway_command_line()),
    }


def _page(title: str, lines: Iterator[str]) -> str:
    return "\n".join([f"# {title}", NOTE, *lines]) + "\n"


def _quantities() -> Iterator[str]:
    for kind, quantities in QUANTITIES.items():
        yield f"## {kind}"
        if not quantities:
            yield "Names are declared by the device's profile; every value is a number.\n"
            continue
        yield "| name | unit | values |\n| --- | --- | --- |"
        yield from (
            f"| `{name}` | {quantity.unit or '–'} | {_values(quantity)} |" for name, quantity in quantities.items()
        )
        yield ""
    yield "## Quality bits\n| bit | meaning |\n| --- | --- |"
    yield from (f"| {bit.value} | {(bit.name or '').lower().replace('_', ' ')} |" for bit in Quality)


def _values(quantity: Quantity) -> str:
    match quantity.form:
        case Form.FLAG:
            return "true, false"
        case Form.BITS:
            return "bits"
        case Form.CHOICE:
            return ", ".join(quantity.choices)
        case Form.NUMBER:
            return f"{quantity.minimum:g} to {quantity.maximum:g}"


def _commands() -> Iterator[str]:
    yield "## Operations\n| operation | acts on | needs | may have |\n| --- | --- | --- | --- |"
    for operation, rule in RULES.items():
        kinds = ", ".join(sorted(rule.kinds)) or "the gateway"
        needs, allows = (", ".join(f"`{name}`" for name in names) or "–" for names in (rule.needs, rule.allows))
        yield f"| `{operation}` | {kinds} | {needs} | {allows} |"
    yield "\n## States\n| state | may be followed by |\n| --- | --- |"
    for state in CommandState:
        following = ", ".join(other for other in CommandState if other in NEXT[state])
        yield f"| {state} | {following or 'nothing'} |"


def _limits() -> Iterator[str]:
    yield "| limit | value |\n| --- | --- |"
    for name, value in vars(limits).items():
        if name.isupper():
            yield f"| {name.lower().replace('_', ' ')} | {value:,} |"


def _faults() -> Iterator[str]:
    yield "What diagnosis can tell. Severity: 1 information, 2 planned, 3 next night, 4 same day, 5 now."
    yield "A trip is made at once; after a second night or an active test; or never: the office settles it."
    yield ""
    yield "| fault | of | severity | trip | TALQ 2.7.1 event |\n| --- | --- | --- | --- | --- |"
    for fault in catalogue().values():
        trip = fault.trip.replace("_", " ")
        event = f"`{fault.talq}`" if fault.talq else "–"
        yield f"| [{fault.name.en}](#{fault.id}) `{fault.id}` | {fault.element} | {fault.severity} | {trip} | {event} |"
    for fault in catalogue().values():
        yield f'\n<a id="{fault.id}"></a>\n## {fault.name.en} / {fault.name.zh}'
        yield f"- Signature: {fault.signature}."
        yield f"- Told apart by: {fault.evidence}."
        yield f"- Mistaken for it: {fault.confounders}."
        yield f"- Do: {fault.action.en}. {fault.action.zh}。"
        yield f"- Take along: {fault.part.en}. {fault.part.zh}。"


def _rights() -> Iterator[str]:
    yield "Who may do what; whatever is not here is refused. [How it is kept](../security.md)\n"
    yield f"| operation | | a token needs | {' | '.join(Role)} |\n| --- | --- | --- |{' --- |' * len(Role)}"
    for operation, rule in OPERATIONS.items():
        cells = " | ".join("yes" if role in rule.roles else "" for role in Role)
        yield f"| `{operation}` | {rule.words} | `{rule.right}` | {cells} |"
    codes = ", ".join(role for role in Role if role in NEEDS_CODE)
    yield f"\nWith a one-time code besides the password: {codes}.\n"
    yield "## Routes\nA grant may be confined to companies or areas; a route lets it in when its query looks at that."
    yield "`anything`: what it shows is of no area and no company; `nothing`: only grants for the whole city.\n"
    yield "| route | operation | looks at |\n| --- | --- | --- |"
    for route, declared in sorted(ROUTES.items(), key=lambda one: one[0].split(" ")[::-1]):
        yield f"| `{route}` | `{declared.operation}` | {declared.by} |"
    yield from (f"| `{route}` | everybody | |" for route in sorted(OPEN))


def _command_line() -> Iterator[str]:
    yield "`lamplighter [--url URL] [--token-file FILE] NOUN VERB …` speaks to a running controller.\n"
    yield "| option | variable | |\n| --- | --- | --- |"
    for option in lamplighter.params:
        if isinstance(option, click.Option) and option.envvar:
            yield f"| `{option.opts[0]}` | `{option.envvar}` | {option.help} |"
    for name, noun in sorted(lamplighter.commands.items()):
        assert isinstance(noun, click.Group)
        yield f"\n## {name}\n{noun.help}\n\n| command | |\n| --- | --- |"
        yield from (f"| `{_usage(name, verb)}` | {_first(verb)} |" for verb in noun.commands.values())


def _gateway_command_line() -> Iterator[str]:
    yield "On the gateway itself, or on an installer's laptop. [For installers](../guides/installer.md)\n"
    alone = [one for one in gateway.commands.values() if not isinstance(one, click.Group)]
    yield "| command | |\n| --- | --- |"
    yield from (f"| `{_usage('lamplighter-gateway', verb)}` | {_first(verb)} |" for verb in alone)
    for name, noun in sorted(gateway.commands.items()):
        if isinstance(noun, click.Group):
            yield f"\n## {name}\n{cleandoc(noun.help or '')}\n\n| command | |\n| --- | --- |"
            yield from (f"| `{_usage(name, verb)}` | {_first(verb)} |" for verb in noun.commands.values())


def _usage(noun: str, verb: click.Command) -> str:
    words = [noun, str(verb.name)]
    for one in verb.params:
        if isinstance(one, click.Argument):
            words.append(one.make_metavar(click.Context(verb)))
        elif isinstance(one, click.Option):
            taken = one.opts[0] if one.is_flag else f"{one.opts[0]} {one.make_metavar(click.Context(verb))}"
            words.append(taken if one.required else f"[{taken}]")
    return " ".join(words).replace(" RANGE", "").replace("|", "\\|")


def _first(verb: click.Command) -> str:
    return (verb.help or "").partition("\n\n")[0].replace("\n", " ")


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text)
