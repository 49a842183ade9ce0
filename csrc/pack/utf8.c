/*
 * UTF-8, checked character by character (RFC 3629): the first byte says how many follow, and limits
 * the second one.
 */
#include "pack/utf8.h"

static int in_range(uint8_t byte, uint8_t low, uint8_t high) { return byte >= low && byte <= high; }

/* The length of the character at `text`, 1 to 4 bytes; 0 if it is not valid or not whole. */
static size_t character_bytes(const uint8_t *text, size_t size)
{
    uint8_t lead = text[0];
    if (lead < 0x80)
        return 1;
    size_t bytes = in_range(lead, 0xC2, 0xDF)   ? 2
                   : in_range(lead, 0xE0, 0xEF) ? 3
                   : in_range(lead, 0xF0, 0xF4) ? 4
                                                : 0;
    if (bytes == 0 || bytes > size)
        return 0;
    /* The second byte shows forms that are longer than needed, surrogates, and values above
       U+10FFFF. */
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (!in_range(text[1], low, high))
        return 0;
    for (size_t i = 2; i < bytes; i++)
        if (!in_range(text[i], 0x80, 0xBF))
            return 0;
    return bytes;
}

size_t qc_utf8_valid_bytes(const uint8_t *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        size_t bytes = character_bytes(text + at, size - at);
        if (bytes == 0)
            break;
        at += bytes;
    }
    return at;
}
