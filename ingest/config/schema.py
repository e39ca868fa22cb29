"""The JSON Schema for editors, made from the models."""

from typing import Any

from ingest.config.models import CADENCES, PLANS
from ingest.config.settings import OFF, ConfigFile
from ingest.config.values import SLOT, words_schema

Schema = dict[str, Any]

_NULL: Schema = {"type": "null"}
_WORDS: dict[str, list[Schema]] = {
    "plan": [words_schema(PLANS)],
    "systems": [words_schema(["all"])],
    "web": [words_schema(OFF), {"const": False}],
}


def json_schema() -> Schema:
    """Return a schema that accepts whatever the loader accepts, `${...}` and empty optional keys included."""
    schema = ConfigFile.model_json_schema()
    for model in (schema, *schema["$defs"].values()):
        required = model.get("required", [])
        model["properties"] = {
            name: _property(name, value, optional=name not in required) for name, value in model["properties"].items()
        }
    schema["properties"]["streams"]["propertyNames"] = {"enum": list(CADENCES)}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Configuration of ingest"}
    return {**head, **{key: value for key, value in schema.items() if key != "title"}}


def _property(name: str, schema: Schema, *, optional: bool) -> Schema:
    described = {key: value for key, value in schema.items() if key == "description"}
    rest = {key: value for key, value in schema.items() if key not in ("description", "title", "default")}
    if "const" in rest:
        rest = {"anyOf": [rest, SLOT]}
    if "additionalProperties" in rest:
        rest["additionalProperties"] = _entry(rest["additionalProperties"])
        return {**described, **rest, "type": ["object", "null"]}
    choices = [*_WORDS.get(name, []), *rest.get("anyOf", [rest]), *([_NULL] if optional else [])]
    return {**described, **(rest if choices == [rest] else {"anyOf": _unique(choices)})}


def _entry(schema: Schema) -> Schema:
    """Let an entry of an open mapping be empty, and a kind of sink be a variable."""
    return {"anyOf": schema["oneOf"]} if "oneOf" in schema else {"anyOf": [schema, _NULL]}


def _unique(choices: list[Schema]) -> list[Schema]:
    return [choice for index, choice in enumerate(choices) if choice not in choices[:index]]
