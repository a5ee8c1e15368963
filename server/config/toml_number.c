/* The word is copied without its underscores, then read by the C library. */
#include "server/config/toml_number.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Digits with single underscores between them. Returns how many bytes; without the underscores into out. */
static size_t copy_digits(const char *text, char *out, size_t *used)
{
  size_t i = 0;
  for (; text[i] >= '0' && text[i] <= '9'; i += text[i + 1] == '_' && text[i + 2] >= '0' && text[i + 2] <= '9' ? 2 : 1)
    out[(*used)++] = text[i];
  return i;
}

json_t *toml_number(const char *word)
{
  char plain[128];
  size_t used = 0, digits, at = word[0] == '+' || word[0] == '-';
  bool is_float = false;
  if (word[0] == '-')
    plain[used++] = '-';
  const char *const first = word + at;
  if ((digits = copy_digits(first, plain, &used)) == 0 || (first[0] == '0' && digits > 1))
    return NULL;
  at += digits;
  if (word[at] == '.') {
    is_float = true;
    plain[used++] = '.';
    if ((digits = copy_digits(word + at + 1, plain, &used)) == 0)
      return NULL;
    at += 1 + digits;
  }
  if (word[at] == 'e' || word[at] == 'E') {
    is_float = true;
    plain[used++] = 'e';
    const size_t sign = word[at + 1] == '+' || word[at + 1] == '-';
    if (sign)
      plain[used++] = word[at + 1];
    if ((digits = copy_digits(word + at + 1 + sign, plain, &used)) == 0)
      return NULL;
    at += 1 + sign + digits;
  }
  plain[used] = '\0';
  if (word[at] != '\0')
    return NULL;
  errno = 0;
  if (!is_float) {
    const long long integer = strtoll(plain, NULL, 10);
    return errno == 0 ? json_integer(integer) : NULL;
  }
  const double number = strtod(plain, NULL);
  return isfinite(number) ? json_real(number) : NULL;
}
