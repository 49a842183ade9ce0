"""Opens what is stored in a file: an encoded, ordinary or converted tensor, or attached bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._frame.encoded import Encoded
from .._io.source import Section, Source
from ..dtypes import BY_SAFETENSORS
from ..errors import CorruptError, QCodecError, naming
from ..limits import Limits
from .converted import ConvertedTensor
from .directory import Stored
from .loaded_tensor import LoadedTensor
from .ordinary_tensor import OrdinaryTensor, check_shape
from .shared_frame import PartOfFrame, SharedFrame

#: What is stored in a file, opened but not decoded.
AnyTensor = Encoded | OrdinaryTensor | LoadedTensor | ConvertedTensor

#: Errors by the place of bytes; None: they are valid.
_Found = dict[tuple[int, int], QCodecError | None]


class Opener:
    """Opens the tensors of a file; a frame of several is kept for those that follow.

    Parameters
    ----------
    source : Source
        The whole file.
    limits : Limits
    base : mapping of str to array_like, optional
        The bases of tensors of kind delta, by name.
    """

    def __init__(self, source: Source, limits: Limits, base: Mapping[str, Any] | None) -> None:
        self._source = source
        self._limits = limits
        self._base = base
        self._last_frame: SharedFrame | None = None
        self._last_tensor: tuple[Stored, AnyTensor] | None = None

    def another(self) -> Opener:
        """Return an opener of the same file that keeps frames of its own, for another thread."""
        return Opener(self._source, self._limits, self._base)

    def forget(self) -> None:
        """Release what was kept."""
        self._last_frame = self._last_tensor = None

    def encoded(self, stored: Stored) -> Encoded:
        """Return a frame, or a part of one, without decoding it."""

        def base() -> Any:
            # For an alias, the base is that of its target.
            return None if self._base is None else self._base.get(stored.target)

        if stored.part is not None:
            shared = self._shared_frame(stored)
            with naming(stored.name, stored.noun):
                return PartOfFrame(shared, stored.part)
        with naming(stored.name, stored.noun):
            section = self._section(stored)
            encoded = Encoded(
                section, limits=self._limits, base=base, input_bytes=self._source.size
            )
            if stored.is_attached and (encoded.element_type.name != "uint8" or encoded.ndim != 1):
                raise CorruptError("what is attached is not a frame of bytes")
            return encoded

    def tensor(self, stored: Stored) -> AnyTensor:
        """Return anything whose element type qcodec decodes, without decoding it."""
        target: Encoded | OrdinaryTensor | LoadedTensor
        if stored.ordinary is None:
            target = self.encoded(stored)
        elif stored.load is not None:
            size, entry = self._source.size, stored.ordinary
            check_shape(stored.name, entry.shape, BY_SAFETENSORS[entry.dtype].itemsize)
            return LoadedTensor(stored.load, stored.ordinary, self._limits, size)
        else:
            section, size = self._section(stored), self._source.size
            target = OrdinaryTensor(section, stored.name, stored.ordinary, self._limits, size)
        if not stored.converted_to:
            return target
        with naming(stored.name):
            return ConvertedTensor(target, stored.converted_to)

    def sliced(self, stored: Stored) -> AnyTensor:
        """Return a tensor of which parts are read; the last one is kept.

        So its head is read, its parameters are decoded and its base is checked once, even if
        each part is requested by its name.
        """
        last = self._last_tensor  # another thread may replace it
        if last is None or last[0] != stored:
            last = self._last_tensor = stored, self.tensor(stored)
        return last[1]

    def verify(self, stored: Stored) -> None:
        """Check every byte of a type that qcodec decodes; raises what decoding would."""
        self._verify(stored, {})

    def faults(
        self, everything: Iterable[Stored], progress: Callable[[str], None] | None = None
    ) -> dict[str, QCodecError]:
        """Check every byte; return the errors of what is broken, by name."""
        found: _Found = {}
        errors: dict[str, QCodecError] = {}
        for stored in everything:
            try:
                self._verify(stored, found)
            except QCodecError as error:
                errors[stored.name] = error
            if progress is not None:
                progress(stored.name)
        return errors

    def _verify(self, stored: Stored, found: _Found) -> None:
        """Check bytes that several tensors share only once: `found` has what was found so far."""
        if stored.opaque:
            return
        tensor, place = self.tensor(stored), (stored.offset, stored.size)
        if place not in found:
            found[place] = None
            try:
                tensor.verify()
            except QCodecError as error:
                found[place] = error
        fault = found[place]
        with naming(stored.name, stored.noun):
            if fault is not None:
                raise fault

    def _shared_frame(self, stored: Stored) -> SharedFrame:
        frame = self._last_frame  # another thread may replace it
        if frame is None or frame.offset != stored.offset:
            frame = SharedFrame(stored.offset, self.encoded(stored._replace(part=None)))
            self._last_frame = frame
        return frame

    def _section(self, stored: Stored) -> Section:
        return Section(self._source, stored.offset, stored.size)
