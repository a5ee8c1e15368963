#include "datacube/base/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(const unsigned char *bytes, size_t count, struct buffer *out)
{
  for (size_t i = 0; i < count; i += 3) {
    const size_t left = count - i;
    const unsigned group =
        (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    const char four[4] = {digits[group >> 18], digits[group >> 12 & 63], left > 1 ? digits[group >> 6 & 63] : '=',
                          left > 2 ? digits[group & 63] : '='};
    buffer_add(out, four, sizeof four);
  }
}

size_t base64_most(size_t length)
{
  return length / 4 * 3 + 3;
}

size_t base64_read(const char *text, size_t length, unsigned char *out)
{
  unsigned group = 0;
  size_t count = 0, taken = 0;
  while (length > 0 && text[length - 1] == '=' && length % 4 != 1)
    length--;
  for (; taken < length; taken++) {
    const char *digit = text[taken] != '\0' ? strchr(digits, text[taken]) : NULL;
    if (digit == NULL)
      return SIZE_MAX;
    group = group << 6 | (unsigned)(digit - digits);
    if (taken % 4 == 0)
      continue;
    const unsigned spare = 6 - 2 * (unsigned)(taken % 4); /* bits that are of the next byte */
    out[count++] = (unsigned char)(group >> spare);
    group &= (1U << spare) - 1;
  }
  return length % 4 == 1 || group != 0 ? SIZE_MAX : count;
}
