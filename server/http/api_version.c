#include "server/http/api_version.h"

#include <string.h>

/* Clients choose by number. The official suite takes the last one listed, and validates against 1.2.0. */
const struct api_version api_versions[] = {
    {"1.3.0", "/openeo/1.3", 1, 3},
    {"1.2.0", "/openeo/1.2", 1, 2},
};
const size_t api_version_count = sizeof api_versions / sizeof api_versions[0];

size_t path_piece(const char **path, const char **piece)
{
  *path += strspn(*path, "/");
  *piece = *path;
  size_t length = strcspn(*path, "/");
  *path += length;
  return length;
}

/* Moves behind a root; false, and the path stays, where it is another one. */
static bool skip_root(const char **path, const char *root)
{
  const char *at = *path, *want, *have;
  size_t length;
  while ((length = path_piece(&root, &want)) > 0)
    if (path_piece(&at, &have) != length || memcmp(want, have, length) != 0)
      return false;
  *path = at;
  return true;
}

const struct api_version *api_version_of(const char **path)
{
  for (size_t i = 0; i < api_version_count; i++)
    if (skip_root(path, api_versions[i].root))
      return &api_versions[i];
  return NULL;
}

bool api_version_is_unknown(const char *path)
{
  const char *piece;
  if (api_version_of(&path) != NULL || !skip_root(&path, "/openeo"))
    return false;
  return path_piece(&path, &piece) > 0 && piece[0] >= '0' && piece[0] <= '9';
}

bool api_version_reaches(const struct api_version *version, unsigned major, unsigned minor)
{
  return version->major != major ? version->major > major : version->minor >= minor;
}
