/* Reading hrefs. */
#include "stac/href.h"

#include <string.h>

static bool is_file_url(const char *href)
{
  return strncmp(href, "file:", 5) == 0;
}

bool href_is_remote(const char *href)
{
  return (strstr(href, "://") && !is_file_url(href)) || strncmp(href, "/vsi", 4) == 0;
}

static int hex_value(char c)
{
  return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

const char *href_decoded(struct arena *arena, const char *text)
{
  char *out = arena_strdup(arena, text), *to = out;
  for (const char *from = out; from && *from; to++) {
    int high = from[0] == '%' ? hex_value(from[1]) : -1, low = high >= 0 ? hex_value(from[2]) : -1;
    bool escaped = low >= 0 && high + low > 0;
    *to = escaped ? (char)(high * 16 + low) : *from;
    from += escaped ? 3 : 1;
  }
  if (out)
    *to = '\0';
  return out;
}

const char *href_path(struct arena *arena, const char *href)
{
  static const char *const starts[] = {"file://localhost/", "file:///", "file://", "file:/"};
  if (!is_file_url(href))
    return href;
  for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
    size_t length = strlen(starts[i]);
    if (strncmp(href, starts[i], length) == 0)
      return href_decoded(arena, href + length - (i == 2 ? 0 : 1));
  }
  return href_decoded(arena, href + strlen("file:"));
}

void href_encode(const char *text, struct buffer *out)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  for (; *text; text++)
    if (strchr(plain, *text))
      buffer_add(out, text, 1);
    else
      buffer_printf(out, "%%%02X", (unsigned char)*text);
}

bool path_is_below(const char *path, const char *folder)
{
  size_t length = strlen(folder);
  while (length > 0 && folder[length - 1] == '/')
    length--;
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}
