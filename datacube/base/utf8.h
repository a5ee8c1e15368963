/* UTF-8: texts from files and clients may hold anything, what we write is valid (RFC 3629). */
#ifndef TWINCUBE_DATACUBE_BASE_UTF8_H
#define TWINCUBE_DATACUBE_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at the start of `length` > 0 bytes of text; 0 where they are no whole, valid character. */
static inline size_t utf8_length(const char *text, size_t length)
{
  const unsigned char *c = (const unsigned char *)text;
  if (c[0] < 0x80)
    return 1;
  size_t n = c[0] >= 0xC2 && c[0] < 0xE0 ? 2 : c[0] >= 0xE0 && c[0] < 0xF0 ? 3 : c[0] >= 0xF0 && c[0] < 0xF5 ? 4 : 0;
  if (n == 0 || n > length)
    return 0;
  for (size_t i = 1; i < n; i++)
    if ((c[i] & 0xC0) != 0x80)
      return 0;
  unsigned char low = c[0] == 0xE0 ? 0xA0 : c[0] == 0xF0 ? 0x90 : 0x80;
  unsigned char high = c[0] == 0xED ? 0x9F : c[0] == 0xF4 ? 0x8F : 0xBF;
  return c[1] >= low && c[1] <= high ? n : 0; /* no overlong forms, surrogates, or code points past U+10FFFF */
}

/* Writes a character, at most four bytes; how many. */
static inline size_t utf8_put(uint32_t code, char *to)
{
  static const unsigned char heads[] = {0, 0xC0, 0xE0, 0xF0};
  const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  *to++ = (char)(heads[more] | code >> 6 * more);
  for (int i = more - 1; i >= 0; i--)
    *to++ = (char)(0x80 | (code >> 6 * i & 0x3F));
  return (size_t)more + 1;
}

#endif
