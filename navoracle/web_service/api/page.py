"""The OpenAPI document as one HTML page: every path, what it takes, what it answers, every record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h2 { border-top: 1px solid var(--line); padding-top: 1rem; margin-top: 2rem; }
code { font: 0.9em ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.5rem; border-bottom: 1px solid var(--line); }
thead th { background: var(--soft); }
nav ul { columns: 18rem; padding-left: 1rem; }
"""

Json = Mapping[str, Any]


def page_of(document: Json) -> str:
    """The page of an OpenAPI document."""
    info = document["info"]
    return "".join(
        (
            "<!doctype html>\n<html lang=en><head><meta charset=utf-8>",
            '<meta name=viewport content="width=device-width, initial-scale=1">',
            f"<title>{escape(info['title'])} API</title><style>{STYLE}</style></head><body><main>",
            f"<h1>{escape(info['title'])} API <small>{escape(info['version'])}</small></h1>",
            f"<p>{escape(info.get('description', ''))}</p>",
            '<p><a href="openapi.json">openapi.json</a></p>',
            *_paths(document),
            "<h2 id=records>Records</h2>",
            *(_record(name, schema) for name, schema in sorted(document["components"]["schemas"].items())),
            "</main></body></html>\n",
        )
    )


def _paths(document: Json) -> Iterator[str]:
    operations = [
        (f"{method.upper()} {path}", said)
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    ]
    yield "<nav aria-label=Paths><ul>"
    for name, said in operations:
        yield f'<li><a href="#{escape(said["operationId"])}"><code>{escape(name)}</code></a></li>'
    yield "</ul></nav>"
    for name, said in operations:
        yield f'<h2 id="{escape(said["operationId"])}"><code>{escape(name)}</code></h2>'
        yield f"<p>{escape(said.get('description', ''))}</p>"
        if said.get("parameters"):
            yield _table("parameter", "type", "meaning")
            for each in said["parameters"]:
                where = each["in"] + (", required" if each.get("required") else "")
                yield _line(each["name"], _type(each["schema"]), f"{each.get('description', '')} ({where})".strip())
            yield "</tbody></table>"
        for content in said.get("requestBody", {}).get("content", {}).values():
            yield f"<p>Takes {_type(content['schema'])}.</p>"
        yield _table("status", "answer", "meaning")
        for status, answer in said["responses"].items():
            forms = ", ".join(
                f"{_type(content.get('schema', {}))} ({escape(media)})"
                for media, content in answer.get("content", {}).items()
            )
            yield _line(status, forms, answer["description"])
        yield "</tbody></table>"


def _record(name: str, schema: Json) -> str:
    parts = [f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{escape(schema.get("description", ""))}</p>']
    if "enum" in schema:
        parts.append(f"<p>{_type({key: value for key, value in schema.items() if key != 'title'})}</p>")
    if schema.get("properties"):
        parts.append(_table("field", "type", "meaning"))
        parts += [
            _line(field, _type(said), said.get("description", "")) for field, said in schema["properties"].items()
        ]
        parts.append("</tbody></table>")
    return "".join(parts)


def _table(*heads: str) -> str:
    cells = "".join(f"<th scope=col>{head}</th>" for head in heads)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>"


def _line(name: str, kind: str, meaning: str) -> str:
    return f"<tr><th scope=row><code>{escape(name)}</code></th><td>{kind}</td><td>{escape(meaning)}</td></tr>"


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"{_type(schema['additionalProperties'])} by name"
    return escape(str(kind))
