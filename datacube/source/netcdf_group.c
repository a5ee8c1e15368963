/* Groups of a netCDF file: see the header. */
#include "datacube/source/netcdf_group.h"

#include <netcdf.h>
#include <string.h>

enum { GROUP_LIMIT = 4096, PATH_ROOM = 1024 };

int netcdf_group_find(int file, const char *path, int *out)
{
  *out = file;
  return strlen(path) <= 1 || nc_inq_grp_full_ncid(file, path, out) == NC_NOERR ? 0 : -1;
}

static struct netcdf_place from_root(int group, const char *name)
{
  char path[PATH_ROOM];
  const size_t length = (size_t)(strrchr(name, '/') - name);
  struct netcdf_place place = {.id = -1};
  if (length >= sizeof path)
    return place;
  memcpy(path, name, length);
  path[length] = '\0';
  while (nc_inq_grp_parent(group, &group) == NC_NOERR)
    continue;
  if (netcdf_group_find(group, path, &place.group) != 0 ||
      nc_inq_varid(place.group, name + length + 1, &place.id) != NC_NOERR)
    place.id = -1;
  return place;
}

struct netcdf_place netcdf_find(int group, const char *name)
{
  struct netcdf_place place = {.group = group};
  if (name[0] == '/')
    return from_root(group, name);
  while (nc_inq_varid(place.group, name, &place.id) != NC_NOERR)
    if (nc_inq_grp_parent(place.group, &place.group) != NC_NOERR)
      return (struct netcdf_place){.group = group, .id = -1};
  return place;
}

/* Appends the groups right inside groups[at]. */
static int append_inner(struct arena *arena, struct netcdf_group *groups, size_t at, size_t *count, struct error *error)
{
  int inner = 0;
  if (nc_inq_grps(groups[at].id, &inner, NULL) != NC_NOERR || inner == 0)
    return 0; /* classic files have none */
  if ((size_t)inner > GROUP_LIMIT - *count)
    return error_set(error, ERROR_FileContentInvalid, "it has more than %d groups", GROUP_LIMIT);
  int *ids = ARENA_ARRAY(arena, int, (size_t)inner);
  if (ids == NULL)
    return error_memory(error);
  if (nc_inq_grps(groups[at].id, &inner, ids) != NC_NOERR)
    return error_set(error, ERROR_FileContentInvalid, "its groups cannot be read");
  for (int i = 0; i < inner; i++) {
    size_t length;
    if (nc_inq_grpname_len(ids[i], &length) != NC_NOERR)
      return error_set(error, ERROR_FileContentInvalid, "its groups cannot be read");
    char *path = arena_alloc(arena, length + 1);
    if (path == NULL)
      return error_memory(error);
    if (nc_inq_grpname_full(ids[i], &length, path) != NC_NOERR)
      return error_set(error, ERROR_FileContentInvalid, "its groups cannot be read");
    groups[(*count)++] = (struct netcdf_group){.id = ids[i], .path = path};
  }
  return 0;
}

int netcdf_groups(struct arena *arena, int file, const struct netcdf_group **out, size_t *count, struct error *error)
{
  struct netcdf_group *groups = ARENA_ARRAY(arena, struct netcdf_group, GROUP_LIMIT);
  if (groups == NULL)
    return error_memory(error);
  groups[0] = (struct netcdf_group){.id = file, .path = "/"};
  *count = 1;
  for (size_t at = 0; at < *count; at++)
    if (append_inner(arena, groups, at, count, error) != 0)
      return -1;
  *out = groups;
  return 0;
}
