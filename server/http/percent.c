/* Percent signs in addresses: %XX is a byte. */
#include "server/http/http.h"

#include <string.h>

static int hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int http_decode(const char *text, size_t length, char *out, size_t room)
{
  size_t written = 0;
  for (size_t i = 0; i < length; i++) {
    int c = (unsigned char)text[i];
    if (c == '%') {
      int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
      int low = i + 2 < length ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return -1;
      c = high * 16 + low;
      i += 2;
    }
    if (c < 0x20 || c == 0x7f || written + 1 >= room)
      return -1;
    out[written++] = (char)c;
  }
  out[written] = '\0';
  return 0;
}

void http_encode(const char *text, struct buffer *out)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
  for (; *text != '\0'; text++)
    if (strchr(plain, *text) != NULL)
      buffer_add(out, text, 1);
    else
      buffer_printf(out, "%%%02X", (unsigned char)*text);
}
