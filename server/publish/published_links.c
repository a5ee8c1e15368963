#include "server/publish/published_links.h"

#include "stac/published.h"

#include <string.h>

static const char named[] = "\"" PUBLISHED_SCHEME;

/* The host's root, above the API whose base it is. */
static size_t root_length(const char *base)
{
  const char *api = strstr(base, "/openeo/");
  const size_t length = strlen(base);
  if (api != NULL)
    return (size_t)(api - base);
  return length >= 5 && strcmp(base + length - 5, "/stac") == 0 ? length - 5 : length;
}

bool published_are_named(const char *text, size_t length)
{
  return memmem(text, length, named, sizeof named - 1) != NULL;
}

void published_write_links(const char *base, const char *text, size_t length, struct buffer *out)
{
  const char *end = text + length, *found;
  while ((found = memmem(text, (size_t)(end - text), named, sizeof named - 1)) != NULL) {
    buffer_add(out, text, (size_t)(found - text));
    buffer_printf(out, "\"%.*s/published/", (int)root_length(base), base);
    text = found + sizeof named - 1;
  }
  buffer_add(out, text, (size_t)(end - text));
}
