#include "datacube/dap/dap_address.h"

#include "datacube/remote/remote_file.h"

#include <string.h>
#include <strings.h>

static const char called_by[] = ".dods";

static bool ends_with(const char *text, size_t length, const char *end)
{
  const size_t tail = strlen(end);
  return length > tail && strncasecmp(text + length - tail, end, tail) == 0;
}

bool dap_is(const char *path)
{
  return remote_is(path) && ends_with(path, strlen(path), called_by);
}

/* Length of the end that tells what is asked of a dataset; 0: it has none. */
static size_t end_length(const char *address, size_t length)
{
  static const char *const ends[] = {".dods", ".dds", ".das", ".ddx", ".html", ".info", ".ascii", ".asc", ".ver"};
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
    if (ends_with(address, length, ends[i]))
      return strlen(ends[i]);
  return 0;
}

/* Whether the last piece of a path has no end, or that of a page for people. */
static bool is_plain(const char *address, size_t length)
{
  size_t start = length;
  while (start > 0 && address[start - 1] != '/')
    start--;
  return !memchr(address + start, '.', length - start) || ends_with(address, length, ".html");
}

bool dap_is_address(const char *address)
{
  static const char *const sure[] = {".dods", ".dds", ".das"};
  static const struct {
    const char *name;
    bool has_files; /* beside datasets */
  } folders[] = {{"/dodsC/", false}, {"/opendap/", false}, {"/griddap/", true}, {"/dods/", true}};
  const size_t length = strcspn(address, "?#");
  if (strncasecmp(address, "http://", 7) != 0 && strncasecmp(address, "https://", 8) != 0)
    return false;
  for (size_t i = 0; i < sizeof sure / sizeof sure[0]; i++)
    if (ends_with(address, length, sure[i]))
      return true;
  for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
    const char *found = strcasestr(address, folders[i].name);
    if (found && found < address + length && (!folders[i].has_files || is_plain(address, length)))
      return true;
  }
  return false;
}

int dap_address(struct arena *arena, const char *address, const char **out, struct error *error)
{
  size_t length = strcspn(address, "?#");
  if (address[length] == '?' && address[length + 1] != '\0')
    return error_set(error, ERROR_FeatureUnsupported,
                     "%.200s: what is read of a dataset of OPeNDAP is chosen by bands and extents, not by its address",
                     address);
  if (ends_with(address, length, ".dmr") || ends_with(address, length, ".dap") ||
      ends_with(address, length, ".dmr.xml"))
    return error_set(error, ERROR_FeatureUnsupported,
                     "%.200s is of DAP 4: only DAP 2 is read, which servers of it speak, too, at the address without "
                     "that end",
                     address);
  length -= end_length(address, length);
  while (length > 0 && address[length - 1] == '/')
    length--;
  *out = arena_printf(arena, "%.*s%s", (int)length, address, called_by);
  return *out ? 0 : error_memory(error);
}

const char *dap_with_end(struct arena *arena, const char *path, const char *end)
{
  return arena_printf(arena, "%.*s.%s", (int)(strlen(path) - (sizeof called_by - 1)), path, end);
}
