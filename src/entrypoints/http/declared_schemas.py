"""The operator's declared fields in the API's description of itself."""

from typing import Any, assert_never

from domain.declared_fields import DeclaredField, DeclaredFields, FieldType, FieldValue
from entrypoints.http.decoding import Purpose


def ask_for(schema: dict[str, Any], declared: DeclaredFields, purpose: Purpose) -> None:
    """Put the fields that a person may set into the schema of a body. Those to change may be cleared by null, unless
    they are required; those to join with are required where they are."""
    if purpose == "no":
        return
    for field in declared.all if purpose == "to administer" else declared.asked_for:
        described = _schema(field)
        if field.required and field.type is FieldType.STRING:
            described["minLength"] = 1
        if purpose == "to join" and field.required:
            schema["required"].append(field.name)
        schema["properties"][field.name] = (
            _or_null(described) if purpose != "to join" and not field.required else described
        )


def show(schema: dict[str, Any], declared: DeclaredFields) -> None:
    """Put every field into the schema of a user, null where there is nothing in it."""
    for field in declared.all:
        schema["properties"][field.name] = _or_null(_schema(field))
        schema["required"].append(field.name)


def samples(declared: DeclaredFields, *, required: bool = False) -> dict[str, FieldValue]:
    """A value for each field, or for each required one, that fits it."""
    return {field.name: _sample(field) for field in declared.all if field.required or not required}


def _schema(field: DeclaredField) -> dict[str, Any]:
    described: dict[str, Any] = {"type": field.type.value, "description": field.label}
    match field.type:
        case FieldType.STRING if field.choices:
            return {**described, "enum": list(field.choices)}
        case FieldType.STRING:
            return {**described, "maxLength": field.max_length}
        case FieldType.INTEGER:
            return {**described, "minimum": field.minimum, "maximum": field.maximum}
        case FieldType.BOOLEAN:
            return described
        case _:
            assert_never(field.type)


def _or_null(described: dict[str, Any]) -> dict[str, Any]:
    description = described.pop("description")
    return {"anyOf": [described, {"type": "null"}], "description": description}


def _sample(field: DeclaredField) -> FieldValue:
    match field.type:
        case FieldType.STRING:
            return field.choices[0] if field.choices else "Analytical Engines"[: field.max_length].strip()
        case FieldType.INTEGER:
            return min(max(1, field.minimum), field.maximum)
        case FieldType.BOOLEAN:
            return True
        case _:
            assert_never(field.type)
