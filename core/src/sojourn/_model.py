"""Typed sessions: a msgspec struct as the view of the session's data, field by field.

A field is a key, so typed and mapping access see the same values, and two requests that change
different fields both succeed.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

import msgspec
from msgspec import Raw

from ._codec import DECODE_ERRORS, ENCODE_ERRORS, PLAIN, checked_key, refused
from ._errors import ConfigurationError, SessionValueError
from ._state import Values

M = TypeVar("M")

_encode = msgspec.msgpack.Encoder().encode
_decode_fields = msgspec.msgpack.Decoder(dict[str, Raw]).decode


class ModelCodec(Generic[M]):
    """A model's fields as session values; keys that are no field are plain values.

    Raises ConfigurationError for a model that cannot be one: not a msgspec struct, without a
    default for each field (a new visitor has no values), or not encoded as a map of its own.
    """

    def __init__(self, model: type[M]) -> None:
        _check(model)
        self.model = model
        self._decode: Any = msgspec.msgpack.Decoder(model).decode
        fields = msgspec.structs.fields(cast("type[msgspec.Struct]", model))
        self._names = {field.encode_name: field.name for field in fields}
        self._types = {field.encode_name: _spelled(field.type) for field in fields}
        self._decoders: dict[str, Any] = {
            field.encode_name: msgspec.msgpack.Decoder(field.type).decode for field in fields
        }
        self._frozen: bool = cast("type[msgspec.Struct]", model).__struct_config__.frozen

    def encode(self, key: str, value: object) -> Raw:
        """See ``ValueCodec``; a field's value must fit the field's type."""
        decode = self._decoders.get(key)
        if decode is None:
            return PLAIN.encode(key, value)
        try:
            encoded = _encode(value)
            same = bool(decode(encoded) == value)
        except (*DECODE_ERRORS, TypeError) as error:
            raise refused(key, value, f"does not fit the field ({type(error).__name__})") from None
        if not same:
            raise refused(key, value, "would not come back equal")
        return Raw(encoded)

    def decode(self, key: str, raw: Raw) -> Any:
        """See ``ValueCodec``."""
        decode = self._decoders.get(key)
        return PLAIN.decode(key, raw) if decode is None else decode(raw)

    def encode_all(self, values: dict[str, object]) -> dict[str, Raw]:
        """See ``ValueCodec``."""
        return {checked_key(key): self.encode(key, value) for key, value in values.items()}

    def read(self, values: Values) -> tuple[M, list[str]]:
        """The model that these values make, and the keys whose value no longer fits."""
        known = {key: raw for key, raw in values.items() if key in self._names}
        try:
            return cast("M", self._decode(_encode(known))), []
        except DECODE_ERRORS:
            misfits = [key for key, raw in known.items() if not self._fits(key, raw)]
            for key in misfits:
                del known[key]
            try:
                return cast("M", self._decode(_encode(known))), misfits
            except DECODE_ERRORS:  # a __post_init__ that refuses what fits one by one
                return self.model(), [*misfits, *known]

    def _fits(self, key: str, raw: Raw) -> bool:
        try:
            self._decoders[key](raw)
        except DECODE_ERRORS:
            return False
        return True

    def image(self, model: M) -> bytes:
        """The model's bytes, to notice a change by; raises SessionValueError if it has none."""
        try:
            return _encode(model)
        except ENCODE_ERRORS as error:
            raise SessionValueError(
                f"session.data: a field of {self.model.__name__} cannot be stored ({_why(error)})"
            ) from None

    def changes(self, before: bytes, after: bytes) -> tuple[dict[str, Raw], list[str]]:
        """The fields to put and the keys to remove between two images.

        Raises SessionValueError if a field's value does not fit its type: structs do not check
        assignments, and the next request would find the value dropped.
        """
        try:
            self._decode(after)
        except DECODE_ERRORS:
            raise SessionValueError(f"session.data: {self._complaint(after)}") from None
        old, new = _decode_fields(before), _decode_fields(after)
        put = {key: raw for key, raw in new.items() if old.get(key) != raw}
        return put, [key for key in old if key not in new]

    def _complaint(self, image: bytes) -> str:
        # Not msgspec's own words: those show the value where an enum or a tag was expected.
        try:
            values = _decode_fields(image).items()
        except DECODE_ERRORS:
            return f"give a {self.model.__name__}"
        misfits = [key for key, raw in values if key in self._names and not self._fits(key, raw)]
        if not misfits:
            return f"{self.model.__name__} refuses these values together"
        named = ", ".join(f"{self._names[key]} ({self._types[key]})" for key in misfits)
        return f"a value does not fit its field: {named}"

    def refresh(self, model: M, values: Values) -> M:
        """The model as the values have it now: the same object where it can be changed."""
        newest, _ = self.read(values)
        if self._frozen:
            return newest
        for name in self._names.values():
            setattr(model, name, getattr(newest, name))
        return model


def _spelled(kind: Any) -> str:
    """A type as its annotation reads."""
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")


def _why(error: Exception) -> str:
    """What msgspec says of a type it cannot store; its other words may show the value."""
    return str(error) if isinstance(error, TypeError) else type(error).__name__


def _check(model: Any) -> None:
    if not (isinstance(model, type) and issubclass(model, msgspec.Struct)):
        raise ConfigurationError("model: give a msgspec.Struct class, or None for untyped sessions")
    config = model.__struct_config__
    if config.array_like or config.tag is not None or config.forbid_unknown_fields:
        raise ConfigurationError(
            f"model {model.__name__}: array_like, tag and forbid_unknown_fields are not possible, "
            "because each field is kept under its own key"
        )
    missing = [field.name for field in msgspec.structs.fields(model) if field.required]
    if missing:
        raise ConfigurationError(
            f"model {model.__name__}: give each field a default, a new visitor has no values; "
            f"missing for: {', '.join(missing)}"
        )
