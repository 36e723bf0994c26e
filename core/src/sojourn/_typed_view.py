"""The model beside a draft's values: made from them, and compared with what it was made from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from ._errors import ConfigurationError, SessionValueError
from ._events import ValueDropped
from ._settings import Settings
from ._state import SessionState
from ._transitions import Put, Remove, Transition


class TypedView(ABC):
    """What a draft knows about its model."""

    settings: Settings
    current: SessionState | None = None
    model: Any = None
    _base: SessionState
    _live: dict[str, Any]
    _image = b""
    _misfits: frozenset[str] = frozenset()

    @abstractmethod
    def state(self) -> SessionState:
        """The state as this request sees it."""

    @abstractmethod
    def flush(self) -> None:
        """Record the changes inside values that were handed out."""

    @abstractmethod
    def record(self, transition: Transition) -> None:
        """Apply the transition, and remember it."""

    def typed(self) -> Any:
        """The model of the data."""
        self.state()
        if self.model is None:
            self.flush()
            model, misfits = self._codec().read(self.state().data)
            for key in misfits:
                self._report_misfit(key)
            self.model, self._image = model, self._codec().image(model)
        return self.model

    def set_typed(self, model: Any) -> None:
        """Replace the model as a whole."""
        self.typed()
        self.model = model
        self._flush_model()

    def _codec(self) -> Any:
        codec = self.settings.model_codec
        if codec is None:
            raise ConfigurationError("session.data: give SessionManager a model, model=MyStruct")
        return codec

    def _flush_model(self) -> SessionState:
        if self.model is None:
            return self.state()
        codec = self._codec()
        image = codec.image(self.model)
        if image != self._image:
            put, removed = codec.changes(self._image, image)
            # record() refreshes the model: without this it would undo the fields still to come.
            model, self.model, self._image = self.model, None, image
            changes: list[Put | Remove] = [Put(key, raw) for key, raw in put.items()]
            changes += map(Remove, removed)
            for change in changes:
                self._live.pop(change.key, None)
                self.record(change)
            self.model = model
        return self.state()

    def _refresh_model(self) -> None:
        if self.model is not None and self.current is not None:
            self.model = self._codec().refresh(self.model, self.current.data)
            self._image = self._codec().image(self.model)

    def _report_misfit(self, key: str) -> None:
        if self.settings.on_invalid_value == "raise":
            raise SessionValueError(f"session[{key!r}]: the stored value no longer fits")
        if key not in self._misfits:
            self._misfits = self._misfits | {key}
            self.settings.emit(ValueDropped(id=self._base.id, key=key))
