"""Samples of a call: for curl, Python and TypeScript, with the examples that the document gives."""

import json
import re
import shlex
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from keyrack.docs.facts import Facts

_PARAM = re.compile(r"\{(\w+)\}")


class Sampled(Protocol):
    """What a sample is made of."""

    @property
    def method(self) -> str:
        """The HTTP method."""

    @property
    def path(self) -> str:
        """The path template."""

    @property
    def parameters(self) -> Any:
        """The OpenAPI parameter objects."""

    @property
    def example_body(self) -> Any:
        """The body that is sent; None for none."""

    @property
    def needs_key(self) -> bool:
        """Whether a credential is sent."""


def tabs(call: Sampled, facts: Facts) -> str:
    """Return the samples as blocks of Markdown, one for each tab."""
    return "\n\n".join(
        [
            block('sh tab="curl"', curl(call, facts)),
            block('python tab="Python"', python(call, facts)),
            block('typescript tab="TypeScript"', typescript(call, facts)),
        ]
    )


def block(info: str, text: str) -> str:
    """Return a block of code."""
    return f"```{info}\n{text}\n```"


def pretty(value: Any) -> str:
    """Return JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def path_of(call: Sampled) -> str:
    """Return the path with examples in place of its parameters."""
    given = {one["name"]: one for one in call.parameters if one["in"] == "path"}
    return _PARAM.sub(lambda found: quote(str(example_of(given.get(found[1], {}), found[1])), safe=""), call.path)


def example_of(parameter: Any, name: str) -> Any:
    """Return an example for a parameter."""
    if "example" in parameter:
        return parameter["example"]
    examples = parameter.get("schema", {}).get("examples")
    return examples[0] if examples else ("cl9bn00of0000g7l8gcq8c4xk" if name == "id" or name.endswith("_id") else name)


def curl(call: Sampled, facts: Facts) -> str:
    """Return a line for a shell."""
    lines = [
        shlex.join(
            ["curl", *(["-X", call.method] if call.method not in ("GET", "POST") or _posts_nothing(call) else []), _url(call, facts)]
        )
    ]
    if call.needs_key:
        lines.append(f"-H {shlex.quote(f'Authorization: Bearer {facts.key}')}")
    if call.example_body is not None:
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d {shlex.quote(pretty(call.example_body))}")
    return " \\\n  ".join(lines)


def python(call: Sampled, facts: Facts) -> str:
    """Return a few lines of Python."""
    client = f"client = Client({json.dumps(facts.key)}, base_url={json.dumps(facts.base_url)})"
    if _is_list(call):
        does = f"for one in client.list({json.dumps(path_of(call))}):\n    print(one)"
    else:
        arguments = [json.dumps(path_of(call)), *([f"json={_python(call.example_body, 0)}"] if call.example_body is not None else [])]
        does = f"print(client.{call.method.lower()}({', '.join(arguments)}))"
    return f"from keyrack.client import Client\n\n{client}\n{does}"


def typescript(call: Sampled, facts: Facts) -> str:
    """Return a few lines of TypeScript."""
    client = f"const client = new Client({{ apiKey: {json.dumps(facts.key)}, baseUrl: {json.dumps(facts.base_url)} }});"
    if _is_list(call):
        does = f"for await (const one of client.list({json.dumps(path_of(call))})) {{\n  console.log(one);\n}}"
    else:
        arguments = [json.dumps(path_of(call)), *([pretty(call.example_body)] if call.example_body is not None else [])]
        does = f"const {{ data }} = await client.{call.method.lower()}({', '.join(arguments)});\nconsole.log(data);"
    return f'import {{ Client }} from "@keyrack/client";\n\n{client}\n{does}'


def _is_list(call: Sampled) -> bool:
    return any(one["name"] == "cursor" for one in call.parameters)


def _posts_nothing(call: Sampled) -> bool:
    return call.method == "POST" and call.example_body is None


def _url(call: Sampled, facts: Facts) -> str:
    required = {one["name"]: example_of(one, one["name"]) for one in call.parameters if one["in"] == "query" and one.get("required")}
    return f"{facts.base_url}{path_of(call)}" + (f"?{urlencode(required)}" if required else "")


def _python(value: Any, depth: int) -> str:
    """A value as Python is written: what JSON calls true, false and null has other names there."""
    inside, outside = "    " * (depth + 1), "    " * depth
    if isinstance(value, dict) and value:
        lines = [f"{inside}{json.dumps(name, ensure_ascii=False)}: {_python(one, depth + 1)},\n" for name, one in value.items()]
        return "{\n" + "".join(lines) + outside + "}"
    if isinstance(value, list) and value:
        return "[\n" + "".join(f"{inside}{_python(one, depth + 1)},\n" for one in value) + outside + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
