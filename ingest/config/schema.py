"""The JSON Schema for editors, made from the models."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ingest.config.models import PLANS, Section
from ingest.config.settings import OFF, Settings
from ingest.config.values import SLOT, words_schema
from ingest.enphase.catalogue import CADENCES
from ingest.plan.stream_choice import AUTO

Schema = dict[str, Any]

_NULL: Schema = {"type": "null"}
_WORDS: dict[str, list[Schema]] = {
    "plan": [words_schema(PLANS)],
    "systems": [words_schema(["all"])],
    "notify": [{"$ref": "#/$defs/Notify"}],
    "streams": [words_schema(AUTO)],
    "default_streams": [words_schema(AUTO)],
    "web": [words_schema(OFF), {"const": False}],
    "import": [{"type": ["number", "string"]}, {"$ref": "#/$defs/RateEntry"}],
    "export": [{"type": ["number", "string"]}, {"$ref": "#/$defs/RateEntry"}],
    "invested": [{"type": ["number", "string"]}],
}


def json_schema() -> Schema:
    """Return a schema that accepts whatever the loader accepts, `${...}` and empty optional keys included."""
    schema = Settings.model_json_schema()
    classes = {model.__name__: model for model in _sections(Section)}
    for title, model in (("Settings", schema), *schema["$defs"].items()):
        for name, about in _descriptions(classes[title]).items():
            name = classes[title].model_fields[name].alias or name  # noqa: PLW2901 - the word in the file
            model["properties"][name].setdefault("description", about)
        required = model.get("required", [])
        model["properties"] = {
            name: _property(name, value, optional=name not in required) for name, value in model["properties"].items()
        }
    schema["properties"]["streams"]["propertyNames"] = {"enum": list(CADENCES)}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Configuration of ingest"}
    return {**head, **{key: value for key, value in schema.items() if key != "title"}}


def _sections(model: type[Section]) -> Iterator[type[Section]]:
    for child in model.__subclasses__():
        yield child
        yield from _sections(child)


def _descriptions(model: type[Section]) -> dict[str, str]:
    """The words below each field of a model in its source. Pydantic could read them, but would at every start."""
    found: dict[str, str] = {}
    for part in reversed(model.__mro__):
        if issubclass(part, Section):
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(part))).body
            for field, words in pairwise(getattr(tree, "body", [])):
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    match words:
                        case ast.Expr(ast.Constant(str(text))):
                            found[field.target.id] = inspect.cleandoc(text)
    return found


def _property(name: str, schema: Schema, *, optional: bool) -> Schema:
    described = {key: value for key, value in schema.items() if key == "description"}
    rest = {key: value for key, value in schema.items() if key not in ("description", "title", "default")}
    if "const" in rest:
        rest = {"anyOf": [rest, SLOT]}
    if "additionalProperties" in rest:
        rest["additionalProperties"] = _entry(rest["additionalProperties"])
        mapping = {**rest, "type": ["object", "null"]}
        return {**described, **({"anyOf": [*_WORDS[name], mapping]} if name in _WORDS else mapping)}
    choices = [*_WORDS.get(name, []), *rest.get("anyOf", [rest]), *([_NULL] if optional else [])]
    return {**described, **(rest if choices == [rest] else {"anyOf": _unique(choices)})}


def _entry(schema: Schema) -> Schema:
    """Let an entry of an open mapping be empty, and a kind of sink be a variable."""
    return {"anyOf": schema["oneOf"]} if "oneOf" in schema else {"anyOf": [schema, _NULL]}


def _unique(choices: list[Schema]) -> list[Schema]:
    return [choice for index, choice in enumerate(choices) if choice not in choices[:index]]
