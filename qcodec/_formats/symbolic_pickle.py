"""Reads pickles without executing them.

A pickle is a program for a stack machine. Its instructions make numbers, texts, lists and dicts,
and call functions that it names. This reader runs the first kind. Of the second it only notes what
would be called, with which arguments (`Call`). So it imports nothing and calls nothing, whatever
the pickle says; the readers of formats recognize the few calls that make tensors.

Byte strings stay in the file: a `Bytes` says where they are.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._base.messages import quoted
from ..errors import CorruptError, UnsupportedError
from ..limits import Limits
from .reading import Stream

#: Instructions for each tensor that the limits allow: a tensor of an optimizer takes about 40.
_STEPS_PER_TENSOR = 64


class Global(NamedTuple):
    """A function or class that the pickle names; nothing is imported."""

    module: str
    name: str

    @property
    def path(self) -> str:
        """Both, joined by a dot."""
        return f"{self.module}.{self.name}"


class Reference(NamedTuple):
    """What is stored outside the pickle, as `persistent_id` described it."""

    value: Any


class Bytes(NamedTuple):
    """A byte string: where it is in the file."""

    offset: int
    size: int


@dataclass(eq=False)
class Call:
    """An object that the pickle would make: what it calls, and what it puts in afterwards.

    Attributes
    ----------
    function : object
        A `Global`, unless the pickle is odd.
    arguments : object
        A tuple, unless the pickle is odd.
    state : object
        What `__setstate__` would get; None without.
    items : dict
        What would be set under keys.
    entries : list
        What would be appended.
    """

    function: Any
    arguments: Any
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    entries: list[Any] = field(default_factory=list)

    def calls(self, *paths: str) -> bool:
        """Whether this would call one of these functions."""
        return isinstance(self.function, Global) and self.function.path in paths


_MARK = object()


def read_pickle(stream: Stream, limits: Limits, references: list[Reference] | None = None) -> Any:
    """Read one pickle; the stream stands behind it afterwards.

    Parameters
    ----------
    stream : Stream
    limits : Limits
        `max_tensors` limits the number of instructions.
    references : list, optional
        Gets every reference.

    Returns
    -------
    object
        Numbers, texts, None, lists, tuples, sets as lists, and dicts; `Call`, `Global`,
        `Reference` and `Bytes` for the rest. Lists may contain themselves.

    Raises
    ------
    CorruptError
        If it is no pickle.
    UnsupportedError
        If it uses extension codes or buffers outside the pickle.
    LimitError
        If it has more instructions than the limits allow.

    Examples
    --------
    >>> import pickle
    >>> from qcodec._io.source import BytesSource
    >>> def read(value):
    ...     return read_pickle(Stream(BytesSource(pickle.dumps(value))), Limits())
    >>> read({"a": [1, 2.5, None]})
    {'a': [1, 2.5, None]}
    >>> read(print).path
    'builtins.print'
    """
    machine = _Machine([] if references is None else references)
    most = _STEPS_PER_TENSOR * limits.max_tensors
    opcode = None
    try:
        for steps, (opcode, argument, position) in enumerate(_instructions(stream)):
            if steps >= most:
                limits.check_count(steps // _STEPS_PER_TENSOR + 1, "tensors of a pickle")
            if opcode == "STOP":
                return machine.pop()
            machine.run(opcode, argument, position)
    except (IndexError, KeyError) as error:
        what = "takes what is not there" if isinstance(error, IndexError) else "has no such memo"
        raise CorruptError(f"pickle: {opcode} {what}", stream.position) from None
    raise CorruptError("pickle has no end", stream.position)


def _instructions(stream: Stream) -> Any:
    """Yield (name, argument, offset); a byte string is a `Bytes`."""
    by_code = pickletools.code2op  # type: ignore[attr-defined]  # public, but not in the stubs
    while True:
        position = stream.position
        code = stream.take(1).decode("latin-1")
        opcode = by_code.get(code)
        if opcode is None:
            raise CorruptError(f"pickle: no instruction {quoted(code)}", position)
        yield opcode.name, _argument(opcode, stream, position), position


def _argument(opcode: Any, stream: Stream, position: int) -> Any:
    if opcode.name in _LENGTHS:
        size = int.from_bytes(stream.take(_LENGTHS[opcode.name]), "little")
        found = Bytes(stream.position, size)
        stream.skip(size)
        return found
    if opcode.arg is None:
        return None
    try:
        return opcode.arg.reader(stream)
    except (ValueError, UnicodeError, OverflowError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise CorruptError(f"pickle: {opcode.name}: {lines[0]}", position) from None


#: The bytes of the length of each byte string.
_LENGTHS = {"SHORT_BINBYTES": 1, "BINBYTES": 4, "BINBYTES8": 8, "BYTEARRAY8": 8}
#: What the pickle's own text or number is.
_CONSTANTS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE"),
    *("BINUNICODE8", *_LENGTHS),
}


_NO_WORK = {"PROTO", "FRAME"}
_SINGLE = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_SET": list, "EMPTY_DICT": dict}


class _Machine:
    """The stack, the marks on it, and the memo."""

    def __init__(self, references: list[Reference]) -> None:
        self._references = references
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, opcode: str, argument: Any, position: int) -> None:
        """Run one instruction; IndexError and KeyError are faults of the pickle."""
        if opcode in _CONSTANTS:
            self._push(argument)
        elif opcode in _SINGLE:
            self._push(_SINGLE[opcode])
        elif opcode in _EMPTY:
            self._push(_EMPTY[opcode]())
        elif opcode in _WORK:
            _WORK[opcode](self, argument)
        elif opcode not in _NO_WORK:
            raise UnsupportedError(f"pickle: {opcode} is not supported", position)

    # ---- the stack ----

    def pop(self) -> Any:
        """Take the topmost value; a mark is none."""
        value = self._top()
        del self._stack[-1]
        return value

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _top(self) -> Any:
        value = self._stack[-1]
        if value is _MARK:
            raise IndexError
        return value

    def _two(self) -> list[Any]:
        second = self.pop()
        return [self.pop(), second]

    def _since_mark(self) -> list[Any]:
        """Take the mark and what is above it."""
        stack = self._stack
        at = len(stack) - 1
        while at >= 0 and stack[at] is not _MARK:
            at -= 1
        if at < 0:
            raise IndexError
        values = stack[at + 1 :]
        del stack[at:]
        return values

    # ---- one method for each kind of instruction ----

    def mark(self, _: Any) -> None:
        self._push(_MARK)

    def drop(self, _: Any) -> None:
        self._stack.pop()

    def drop_to_mark(self, _: Any) -> None:
        self._since_mark()

    def repeat(self, _: Any) -> None:
        self._push(self._top())

    def memorize(self, key: int | None) -> None:
        self._memo[len(self._memo) if key is None else key] = self._top()

    def recall(self, key: int) -> None:
        self._push(self._memo[key])

    def list_to_mark(self, _: Any) -> None:
        self._push(self._since_mark())

    def tuple_to_mark(self, _: Any) -> None:
        self._push(tuple(self._since_mark()))

    def dict_to_mark(self, _: Any) -> None:
        self._push(_pairs(self._since_mark()))

    def tuple_of_1(self, _: Any) -> None:
        self._push((self.pop(),))

    def tuple_of_2(self, _: Any) -> None:
        self._push(tuple(self._two()))

    def tuple_of_3(self, _: Any) -> None:
        third = self.pop()
        self._push((*self._two(), third))

    def append(self, _: Any) -> None:
        self._extend([self.pop()])

    def append_to_mark(self, _: Any) -> None:
        self._extend(self._since_mark())

    def _extend(self, values: list[Any]) -> None:
        target = self._top()
        entries = target.entries if isinstance(target, Call) else target
        if isinstance(entries, list):
            entries += values

    def set(self, _: Any) -> None:
        self._update(self._two())

    def set_to_mark(self, _: Any) -> None:
        self._update(self._since_mark())

    def _update(self, values: list[Any]) -> None:
        target = self._top()
        items = target.items if isinstance(target, Call) else target
        if isinstance(items, dict):
            items.update(_pairs(values))

    def name_function(self, path: str) -> None:
        module, _, name = path.partition(" ")
        self._push(Global(module, name))

    def name_function_of_stack(self, _: Any) -> None:
        module, name = self._two()
        if not isinstance(module, str) or not isinstance(name, str):
            raise CorruptError("pickle: a global whose name is no text")
        self._push(Global(module, name))

    def call(self, _: Any) -> None:
        self._push(Call(*self._two()))

    def call_with_keywords(self, _: Any) -> None:
        self.pop()  # the keywords, which no tensor has
        self._push(Call(*self._two()))

    def call_named(self, path: str) -> None:
        arguments = tuple(self._since_mark())
        self.name_function(path)
        self._push(Call(self.pop(), arguments))

    def call_to_mark(self, _: Any) -> None:
        values = self._since_mark()
        self._push(Call(values[0], tuple(values[1:])))

    def build(self, _: Any) -> None:
        state, target = self.pop(), self._top()
        if isinstance(target, Call):
            target.state = state

    def refer(self, value: Any) -> None:
        reference = Reference(value)
        self._references.append(reference)
        self._push(reference)

    def refer_to_top(self, _: Any) -> None:
        self.refer(self.pop())


def _pairs(values: list[Any]) -> dict[Any, Any]:
    """Keys and values in turns; what is under keys other than texts and numbers is left out."""
    return {
        key: value
        for key, value in zip(values[::2], values[1::2], strict=False)
        if isinstance(key, str | float) or (isinstance(key, int) and key.bit_length() <= 64)
    }


_WORK: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine.mark,
    "POP": _Machine.drop,
    "POP_MARK": _Machine.drop_to_mark,
    "DUP": _Machine.repeat,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.memorize),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.recall),
    **dict.fromkeys(("LIST", "FROZENSET"), _Machine.list_to_mark),
    "TUPLE": _Machine.tuple_to_mark,
    "TUPLE1": _Machine.tuple_of_1,
    "TUPLE2": _Machine.tuple_of_2,
    "TUPLE3": _Machine.tuple_of_3,
    "DICT": _Machine.dict_to_mark,
    "APPEND": _Machine.append,
    **dict.fromkeys(("APPENDS", "ADDITEMS"), _Machine.append_to_mark),
    "SETITEM": _Machine.set,
    "SETITEMS": _Machine.set_to_mark,
    "GLOBAL": _Machine.name_function,
    "STACK_GLOBAL": _Machine.name_function_of_stack,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _Machine.call),
    "NEWOBJ_EX": _Machine.call_with_keywords,
    "INST": _Machine.call_named,
    "OBJ": _Machine.call_to_mark,
    "BUILD": _Machine.build,
    "PERSID": _Machine.refer,
    "BINPERSID": _Machine.refer_to_top,
}
