/* TIFF's LZW.
 *
 * Codes of 9 to 12 bits, the most significant first; 0 to 255 are bytes, 256 empties the table, 257 ends. Each other
 * code stands for the string of the code before it in the stream and the byte that followed. That is a piece of what
 * has been inflated already, so the table holds where strings lie in it, and a string costs one copy; the one being
 * made while it is used (a code that is its own last byte) reads what the copy has just written.
 *
 * Widths grow one code early: with code 511 - 1 still to come, codes have 10 bits.
 *
 * Source: TIFF 6.0, section 13. */
#include "datacube/source/tiff_lzw.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { EMPTY = 256, END = 257, FIRST = 258, CODES = 4096, LEAST_BITS = 9, MOST_BITS = 12, STEP = 8 };

struct lzw_string { /* of what has been inflated */
  size_t at, length;
};

struct tiff_lzw {
  struct lzw_string strings[CODES]; /* from FIRST on */
};

struct codes { /* what is left of the stream */
  const unsigned char *next, *end;
  uint64_t bits; /* read and not used: the uppermost `held` */
  unsigned held;
};

struct tiff_lzw *tiff_lzw_new(void)
{
  return malloc(sizeof(struct tiff_lzw));
}

void tiff_lzw_free(struct tiff_lzw *lzw)
{
  free(lzw);
}

/* The next code; END where there is none. */
static inline unsigned next_code(struct codes *c, unsigned width)
{
  if (c->held < width && c->end - c->next >= STEP) {
    uint64_t word;
    memcpy(&word, c->next, sizeof word);
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
      word = __builtin_bswap64(word);
    c->bits |= word >> c->held;
    c->next += (63 - c->held) / 8;
    c->held |= 56; /* eights of bits were added up to there */
  }
  while (c->held < width && c->next < c->end) {
    c->bits |= (uint64_t)*c->next++ << (56 - c->held);
    c->held += 8;
  }
  if (c->held < width)
    return END;
  unsigned code = (unsigned)(c->bits >> (64 - width));
  c->bits <<= width;
  c->held -= width;
  return code;
}

/* Copies a string to its next place behind it, perhaps from what is being written; eight bytes at a time where neither
 * that nor the end of the room forbids. */
static inline void repeat(unsigned char *to, const unsigned char *from, size_t length, size_t room)
{
  if (to - from >= STEP && room >= length + STEP) {
    for (size_t i = 0; i < length; i += STEP)
      memcpy(to + i, from + i, STEP);
    return;
  }
  for (size_t i = 0; i < length; i++)
    to[i] = from[i];
}

bool tiff_lzw_inflate(struct tiff_lzw *lzw, const unsigned char *codes, size_t length, size_t want, unsigned char *to)
{
  struct codes c = {.next = codes, .end = codes + length};
  struct lzw_string last = {.length = 0}; /* the string before; empty after EMPTY */
  unsigned next = FIRST, width = LEAST_BITS;
  if (next_code(&c, width) != EMPTY) /* what came before TIFF 6.0 has its bits the other way round */
    return false;
  for (size_t done = 0; done < want;) {
    unsigned code = next_code(&c, width);
    if (code == EMPTY) {
      next = FIRST, width = LEAST_BITS, last.length = 0;
      continue;
    }
    if (last.length > 0) {
      if (next == CODES)
        return false;
      lzw->strings[next++] = (struct lzw_string){last.at, last.length + 1};
      if (next + 1 == 1u << width && width < MOST_BITS)
        width++;
    }
    if (code == END || code >= next || (last.length == 0 && code > END))
      return false;
    last = code < EMPTY ? (struct lzw_string){done, 1} : (struct lzw_string){done, lzw->strings[code].length};
    if (last.length > want - done)
      last.length = want - done;
    if (code < EMPTY)
      to[done] = (unsigned char)code;
    else
      repeat(to + done, to + lzw->strings[code].at, last.length, want - done);
    done += last.length;
  }
  return true;
}
