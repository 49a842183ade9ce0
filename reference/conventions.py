"""Section 1: integers, errors, CRC32C, and a cursor over bytes."""

from __future__ import annotations


class FormatError(Exception):
    """The bytes break the format."""


class Truncated(FormatError):  # noqa: N818 - the names of section 1
    """The bytes end before what they declare."""


class Corrupt(FormatError):  # noqa: N818
    """A rule of the format is broken."""


class Checksum(Corrupt):
    """A CRC does not match."""


class Unsupported(FormatError):  # noqa: N818
    """A version, flag, id or feature is reserved."""


class Limit(FormatError):  # noqa: N818
    """The bytes are valid so far, but larger than this reader allows."""


def require(rule: object, message: str, error: type[FormatError] = Corrupt) -> None:
    """Raise `error` if the rule is broken."""
    if not rule:
        raise error(message)


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)  # 0x1EDC6F41, bits reversed
    return byte


_CRC_OF_BYTE = [_crc_of_byte(byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    """The CRC of iSCSI.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_OF_BYTE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class Reader:
    """A cursor over bytes.

    Reading beyond the end is Corrupt if the length of the bytes was declared
    (`length_is_known`), and Truncated if it is only what the caller passed.
    """

    def __init__(self, data: bytes, length_is_known: bool) -> None:
        self.data = data
        self.after = b""  # what follows the CRC of a frame
        self.at = 0
        self.length_is_known = length_is_known
        self.has_routed = False  # of the streams that were opened, at most one is routed (7)

    @property
    def left(self) -> int:
        """The number of bytes that have not been read."""
        return len(self.data) - self.at

    def take(self, count: int, what: str) -> bytes:
        """The next `count` bytes."""
        short = Corrupt if self.length_is_known else Truncated
        require(count <= self.left, f"the bytes end before or within: {what}", short)
        self.at += count
        return self.data[self.at - count : self.at]

    def claim_router(self) -> None:
        """A routed stream is opened."""
        require(not self.has_routed, "a second routed stream, or one in another", Unsupported)
        self.has_routed = True

    def u8(self, what: str) -> int:
        """One byte."""
        return self.take(1, what)[0]

    def u32(self, what: str) -> int:
        """Four bytes, little-endian."""
        return int.from_bytes(self.take(4, what), "little")

    def vu(self, what: str) -> int:
        """Unsigned LEB128 of at most 8 bytes, in its shortest form.

        >>> Reader(bytes([0xE5, 0x8E, 0x26]), True).vu("example")
        624485
        """
        value = 0
        for place in range(8):
            byte = self.u8(what)
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                require(byte or not place, f"{what} is not in its shortest form")
                return value
        raise Corrupt(f"{what} is longer than 8 bytes")
