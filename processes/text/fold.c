#include "processes/text/fold.h"

#include <stdint.h>
#include <string.h>

struct fold_range { /* code points first … last, every `step`-th from the first on, move by `offset` */
  uint32_t first, last;
  int step, offset;
};

/* Sorted; ranges as in Unicode's CaseFolding.txt, statuses C and S. */
static const struct fold_range ranges[] = {
    {0x0041, 0x005A, 1, 32},   {0x00B5, 0x00B5, 1, 775}, {0x00C0, 0x00D6, 1, 32},   {0x00D8, 0x00DE, 1, 32},
    {0x0100, 0x012E, 2, 1},    {0x0132, 0x0136, 2, 1},   {0x0139, 0x0147, 2, 1},    {0x014A, 0x0176, 2, 1},
    {0x0178, 0x0178, 1, -121}, {0x0179, 0x017D, 2, 1},   {0x017F, 0x017F, 1, -268}, {0x0386, 0x0386, 1, 38},
    {0x0388, 0x038A, 1, 37},   {0x038C, 0x038C, 1, 64},  {0x038E, 0x038F, 1, 63},   {0x0391, 0x03A1, 1, 32},
    {0x03A3, 0x03AB, 1, 32},   {0x03C2, 0x03C2, 1, 1},   {0x0400, 0x040F, 1, 80},   {0x0410, 0x042F, 1, 32},
    {0x0460, 0x0480, 2, 1},    {0x048A, 0x04BE, 2, 1},   {0x04C0, 0x04C0, 1, 15},   {0x04C1, 0x04CD, 2, 1},
    {0x04D0, 0x052E, 2, 1},    {0x0531, 0x0556, 1, 48},  {0x1E00, 0x1E94, 2, 1},    {0x1E9E, 0x1E9E, 1, -7615},
    {0x1EA0, 0x1EFE, 2, 1},    {0xFF21, 0xFF3A, 1, 32},
};

static uint32_t fold(uint32_t code)
{
  for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
    const struct fold_range *range = &ranges[i];
    if (code < range->first)
      return code;
    if (code <= range->last && (code - range->first) % (uint32_t)range->step == 0)
      return (uint32_t)((int64_t)code + range->offset);
  }
  return code;
}

/* Reads one code point and moves on; a byte that starts no UTF-8 sequence is read alone, marked above Unicode's range.
 */
static uint32_t next_code(const char **text)
{
  const unsigned char *at = (const unsigned char *)*text;
  int more = at[0] < 0x80                    ? 0
             : at[0] >= 0xC2 && at[0] < 0xE0 ? 1
             : (at[0] & 0xF0) == 0xE0        ? 2
             : (at[0] & 0xF8) == 0xF0        ? 3
                                             : -1;
  uint32_t code = more <= 0 ? at[0] : at[0] & (0x3Fu >> more);
  for (int i = 1; i <= more; i++) {
    if ((at[i] & 0xC0) != 0x80) {
      more = -1;
      break;
    }
    code = code << 6 | (at[i] & 0x3F);
  }
  *text += more < 0 ? 1 : more + 1;
  return more < 0 ? 0x200000u | at[0] : code;
}

static size_t put_code(uint32_t code, char *to)
{
  if (code >= 0x200000u || code < 0x80) {
    to[0] = (char)(code & 0xFF);
    return 1;
  }
  size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (size_t i = length - 1; i > 0; i--, code >>= 6)
    to[i] = (char)(0x80 | (code & 0x3F));
  to[0] = (char)(lead[length] | code);
  return length;
}

bool text_equal_folded(const char *a, const char *b)
{
  while (*a != '\0' && *b != '\0') {
    if (fold(next_code(&a)) != fold(next_code(&b)))
      return false;
  }
  return *a == *b;
}

const char *text_folded(struct arena *arena, const char *text)
{
  /* no fold is longer than its original: the offsets stay within a length of UTF-8 or shorten it */
  char *folded = arena_alloc(arena, strlen(text) + 1);
  size_t length = 0;
  while (folded != NULL && *text != '\0')
    length += put_code(fold(next_code(&text)), folded + length);
  return folded;
}
