"""Reads pickles without executing them.

A pickle is a program for a stack machine. Its instructions make numbers, texts, lists and dicts,
and call functions that it names. This reader runs the first kind. Of the second it only notes what
would be called, with which arguments (`Call`). So it imports nothing and calls nothing, whatever the
pickle says; the readers of formats recognize the few calls that make tensors.

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


_Stack = list[Any]
_MARK = object()


def read_pickle(
    stream: Stream, limits: Limits, references: list[Reference] | None = None
) -> Any:
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


class _Machine:
    """The stack, the marks on it, and the memo."""

    def __init__(self, references: list[Reference]) -> None:
        self._references = references
        self._stack: _Stack = []
        self._memo: dict[int, Any] = {}
        self._last_argument: Any = None

    def pop(self) -> Any:
        """Take the topmost value; a mark is none."""
        value = self._stack.pop()
        if value is _MARK:
            raise IndexError
        return value

    def run(self, opcode: str, argument: Any, position: int) -> None:
        """Run one instruction."""
        if opcode in _CONSTANTS:
            self._stack.append(argument)
            return
        work = _WORK.get(opcode)
        if work is None:
            raise UnsupportedError(f"pickle: {opcode} is not supported", position)
        self._last_argument = argument
        work(self)

    def _top(self) -> Any:
        value = self._stack[-1]
        if value is _MARK:
            raise IndexError
        return value

    def _since_mark(self) -> list[Any]:
        stack = self._stack
        at = len(stack) - 1
        while at >= 0 and stack[at] is not _MARK:
            at -= 1
        if at < 0:
            raise IndexError
        values = stack[at + 1 :]
        del stack[at:]
        return values

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _put(self, key: int) -> None:
        self._memo[key] = self._top()

    def _append(self, values: list[Any]) -> None:
        target = self._top()
        if isinstance(target, Call):
            target.entries += values
        elif isinstance(target, list):
            target += values

    def _set(self, values: list[Any]) -> None:
        target = self._top()
        items = target.items if isinstance(target, Call) else target
        if isinstance(items, dict):
            items.update(_pairs(values))

    def _call(self, function: Any, arguments: Any) -> None:
        self._push(Call(function, arguments))

    # ---- one method for each instruction that takes more than a line ----

    def _two(self) -> list[Any]:
        second = self.pop()
        return [self.pop(), second]

    def _tuple(self, count: int) -> None:
        values = [self.pop() for _ in range(count)]
        self._push(tuple(reversed(values)))

    def _global_of_stack(self) -> None:
        module, name = self._two()
        if not isinstance(module, str) or not isinstance(name, str):
            raise CorruptError("pickle: a global whose name is no text")
        self._push(Global(module, name))

    def _global(self) -> None:
        module, _, name = str(self._last_argument).partition(" ")
        self._push(Global(module, name))

    def _instance(self) -> None:
        arguments = tuple(self._since_mark())
        self._global()
        self._call(self.pop(), arguments)

    def _object(self) -> None:
        function, *arguments = self._since_mark() or [None]
        self._call(function, tuple(arguments))

    def _new_with_keywords(self) -> None:
        self.pop()  # keywords, which no tensor has
        self._call(*self._two())

    def _build(self) -> None:
        state, target = self.pop(), self._top()
        if isinstance(target, Call):
            target.state = state

    def _refer(self, value: Any) -> None:
        reference = Reference(value)
        self._references.append(reference)
        self._push(reference)

    def _pop_any(self) -> None:
        self._stack.pop()


def _pairs(values: list[Any]) -> dict[Any, Any]:
    """Keys and values in turns; what is under keys other than texts and numbers is left out."""
    return {
        key: value
        for key, value in zip(values[::2], values[1::2], strict=False)
        if isinstance(key, str | float) or (isinstance(key, int) and key.bit_length() <= 64)
    }


_WORK: dict[str, Callable[[_Machine], None]] = {
    "PROTO": lambda machine: None,
    "FRAME": lambda machine: None,
    "MARK": lambda machine: machine._push(_MARK),
    "POP": _Machine._pop_any,
    "POP_MARK": lambda machine: machine._since_mark() and None,
    "DUP": lambda machine: machine._push(machine._top()),
    "PUT": lambda machine: machine._put(machine._last_argument),
    "BINPUT": lambda machine: machine._put(machine._last_argument),
    "LONG_BINPUT": lambda machine: machine._put(machine._last_argument),
    "MEMOIZE": lambda machine: machine._put(len(machine._memo)),
    "GET": lambda machine: machine._push(machine._memo[machine._last_argument]),
    "BINGET": lambda machine: machine._push(machine._memo[machine._last_argument]),
    "LONG_BINGET": lambda machine: machine._push(machine._memo[machine._last_argument]),
    "NONE": lambda machine: machine._push(None),
    "NEWTRUE": lambda machine: machine._push(True),
    "NEWFALSE": lambda machine: machine._push(False),
    "EMPTY_LIST": lambda machine: machine._push([]),
    "EMPTY_TUPLE": lambda machine: machine._push(()),
    "EMPTY_DICT": lambda machine: machine._push({}),
    "EMPTY_SET": lambda machine: machine._push([]),
    "LIST": lambda machine: machine._push(machine._since_mark()),
    "TUPLE": lambda machine: machine._push(tuple(machine._since_mark())),
    "TUPLE1": lambda machine: machine._tuple(1),
    "TUPLE2": lambda machine: machine._tuple(2),
    "TUPLE3": lambda machine: machine._tuple(3),
    "DICT": lambda machine: machine._push(_pairs(machine._since_mark())),
    "FROZENSET": lambda machine: machine._push(machine._since_mark()),
    "APPEND": lambda machine: machine._append([machine.pop()]),
    "APPENDS": lambda machine: machine._append(machine._since_mark()),
    "ADDITEMS": lambda machine: machine._append(machine._since_mark()),
    "SETITEM": lambda machine: machine._set(machine._two()),
    "SETITEMS": lambda machine: machine._set(machine._since_mark()),
    "GLOBAL": _Machine._global,
    "STACK_GLOBAL": _Machine._global_of_stack,
    "REDUCE": lambda machine: machine._call(*machine._two()),
    "NEWOBJ": lambda machine: machine._call(*machine._two()),
    "NEWOBJ_EX": _Machine._new_with_keywords,
    "INST": _Machine._instance,
    "OBJ": _Machine._object,
    "BUILD": _Machine._build,
    "PERSID": lambda machine: machine._refer(machine._last_argument),
    "BINPERSID": lambda machine: machine._refer(machine.pop()),
}
