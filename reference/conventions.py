"""Section 1: errors, integers, the CRC, and readers of bytes and of bits."""

from __future__ import annotations


class FormatError(Exception):
    """An input that a decoder refuses; each error of section 1 is a subclass."""


class Truncated(FormatError):  # noqa: N818 - the names of the document
    """The bytes end before what they declare."""


class Corrupt(FormatError):  # noqa: N818
    """A rule of the document is broken."""


class Checksum(Corrupt):
    """A CRC does not match."""


class Unsupported(FormatError):  # noqa: N818
    """A version, flag, id or value that the document reserves."""


class Limit(FormatError):  # noqa: N818
    """Valid so far, but larger than the reader allows."""


class Base(FormatError, ValueError):  # noqa: N818
    """The base of a frame of kind delta is missing, or is another one."""


def require(rule: bool, message: str, error: type[FormatError] = Corrupt) -> None:
    """Report `error` unless the rule holds."""
    if not rule:
        raise error(message)


CRC_POLYNOMIAL_REFLECTED = 0x82F63B78


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (CRC_POLYNOMIAL_REFLECTED if byte & 1 else 0)
    return byte


_CRC_TABLE = [_crc_of_byte(byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    """The CRC of iSCSI."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def ceil_div(a: int, b: int) -> int:
    """The quotient a / b, rounded up."""
    return -(-a // b)


LONGEST_VU = 8


class Reader:
    """Reads bytes in order. Running out of them is Corrupt if the length of the part is known."""

    def __init__(self, data: bytes, length_is_known: bool) -> None:
        self.data = data
        self.at = 0
        self.error: type[FormatError] = Corrupt if length_is_known else Truncated

    @property
    def left(self) -> int:
        """The number of bytes that are not read yet."""
        return len(self.data) - self.at

    def take(self, count: int, what: str) -> bytes:
        """The next `count` bytes."""
        require(
            count <= self.left,
            f"{what}: {count} bytes are needed, {self.left} are left",
            self.error,
        )
        self.at += count
        return self.data[self.at - count : self.at]

    def part(self, count: int, what: str) -> Reader:
        """A reader of the next `count` bytes, whose length is known thereby."""
        return Reader(self.take(count, what), length_is_known=True)

    def u8(self, what: str) -> int:
        """The next byte."""
        return self.take(1, what)[0]

    def u32(self, what: str) -> int:
        """The next four bytes as a number."""
        return int.from_bytes(self.take(4, what), "little")

    def vu(self, what: str) -> int:
        """The next number in unsigned LEB128, in its shortest form."""
        value = 0
        for position in range(LONGEST_VU):
            byte = self.u8(what)
            value |= (byte & 0x7F) << (7 * position)
            if byte < 0x80:
                require(byte != 0 or position == 0, f"{what}: not the shortest form")
                return value
        raise Corrupt(f"{what}: more than {LONGEST_VU} bytes")

    def at_end(self, what: str) -> None:
        """All bytes are read, else Corrupt."""
        require(self.left == 0, f"{what}: {self.left} bytes are left over")


class BitString:
    """Reads bits, the lowest first: bit j of the string is bit j mod 8 of byte j div 8."""

    def __init__(self, data: bytes, what: str) -> None:
        self.data = data
        self.what = what
        self.at = 0

    def take(self, count: int) -> int:
        """The next `count` bits."""
        end = self.at + count
        require(end <= 8 * len(self.data), f"{self.what}: too few bits")
        window = int.from_bytes(self.data[self.at // 8 : ceil_div(end, 8)], "little")
        value = (window >> (self.at % 8)) & ((1 << count) - 1)
        self.at = end
        return value

    def at_end(self) -> None:
        """Fewer than 8 bits are left, and they are 0, else Corrupt."""
        left = 8 * len(self.data) - self.at
        require(left < 8, f"{self.what}: {left} bits are left over")
        require(self.take(left) == 0, f"{self.what}: padding that is not 0")
