/* Reading hrefs. */
#include "stac/href.h"

#include <string.h>
#include <strings.h>

static bool is_file_url(const char *href)
{
  return strncmp(href, "file:", 5) == 0;
}

bool href_is_remote(const char *href)
{
  return (strstr(href, "://") && !is_file_url(href)) || strncmp(href, "/vsi", 4) == 0;
}

/* What is "#" elsewhere is part of a key. */
static bool is_s3(const char *href)
{
  return strncmp(href, "s3://", 5) == 0;
}

bool href_is_web(const char *href)
{
  return strncasecmp(href, "http://", 7) == 0 || strncasecmp(href, "https://", 8) == 0 || is_s3(href);
}

/* Whether it begins with a scheme: letters and a colon before any slash. */
static bool has_scheme(const char *href)
{
  size_t length = strspn(href, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
  return length > 1 && href[length] == ':';
}

/* Takes "." and ".." out of a path that starts with '/', in place. */
static void remove_dots(char *path)
{
  char *to = path;
  for (char *from = path; *from;) { /* at a slash */
    size_t length = strcspn(from + 1, "/");
    const bool is_dot = length == 1 && from[1] == '.', is_up = length == 2 && from[1] == '.' && from[2] == '.';
    const bool is_last = from[length + 1] == '\0';
    if (is_up)
      while (to > path && *--to != '/')
        ;
    if (is_dot || is_up) {
      if (is_last)
        *to++ = '/';
    } else {
      memmove(to, from, length + 1);
      to += length + 1;
    }
    from += length + 1;
  }
  *to = '\0';
}

const char *href_resolve(struct arena *arena, const char *base, const char *href)
{
  const size_t length = is_s3(href) ? strlen(href) : strcspn(href, "#");
  if (has_scheme(href))
    return href_is_web(href) ? arena_strndup(arena, href, length) : NULL;
  const char *host = strstr(base, "://");
  host = host ? host + 3 : base;
  const size_t scheme = (size_t)(host - base) - 2, origin = (size_t)(host - base) + strcspn(host, "/?#");
  const size_t base_path = origin + strcspn(base + origin, "?#"), path = strcspn(href, "?#");
  if (strncmp(href, "//", 2) == 0)
    return arena_printf(arena, "%.*s%.*s", (int)scheme, base, (int)length, href);
  if (path == 0)
    return arena_printf(arena, "%.*s%.*s", (int)(length ? base_path : strcspn(base, "#")), base, (int)length, href);
  size_t folder = base_path;
  while (folder > origin && base[folder - 1] != '/')
    folder--;
  char *joined = href[0] == '/' ? arena_strndup(arena, href, path)
                                : arena_printf(arena, "/%.*s%.*s", folder > origin ? (int)(folder - origin - 1) : 0,
                                               base + origin + 1, (int)path, href);
  if (!joined)
    return NULL;
  remove_dots(joined);
  return arena_printf(arena, "%.*s%s%.*s", (int)origin, base, joined, (int)(length - path), href + path);
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
  for (size_t run; (run = strspn(text, plain)) > 0 || *text; text += run) {
    buffer_add(out, text, run);
    if (run == 0) {
      buffer_printf(out, "%%%02X", (unsigned char)*text);
      run = 1;
    }
  }
}

bool path_is_below(const char *path, const char *folder)
{
  size_t length = strlen(folder);
  while (length > 0 && folder[length - 1] == '/')
    length--;
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}
