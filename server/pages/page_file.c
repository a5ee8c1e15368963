/* Looks files up by name, and their types by the ending. */
#include "server/pages/page_file.h"

#include <string.h>
#include <strings.h>

const struct page_file *page_file_find(const char *name)
{
  for (size_t i = 0; i < page_file_count; i++)
    if (strcmp(page_files[i].name, name) == 0)
      return &page_files[i];
  return NULL;
}

const char *page_media_type(const char *name)
{
  static const struct {
    const char *ending, *type;
  } types[] = {
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".json", "application/json"},
      {".map", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".txt", "text/plain; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"},
      {".gif", "image/gif"},
      {".webp", "image/webp"},
      {".ico", "image/x-icon"},
      {".woff", "font/woff"},
      {".woff2", "font/woff2"},
      {".ttf", "font/ttf"},
      {".otf", "font/otf"},
      {".eot", "application/vnd.ms-fontobject"},
      {".wasm", "application/wasm"},
      {".xml", "application/xml"},
  };
  const char *ending = strrchr(name, '.');
  for (size_t i = 0; ending != NULL && i < sizeof types / sizeof types[0]; i++)
    if (strcasecmp(ending, types[i].ending) == 0)
      return types[i].type;
  return "application/octet-stream";
}
