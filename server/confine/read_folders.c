#include "server/confine/read_folders.h"

#include "stac/catalogue.h"
#include "stac/href.h"

#include <dirent.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FOLDERS_MOST = 256, FILES_MOST = 4096, PATH_SIZE = 4096, DEEPEST = 64 };

/* ---- of the system ---- */

static const char *const always[] = {"/usr",
                                     "/lib",
                                     "/lib64",
                                     "/etc/ld.so.cache",
                                     "/etc/localtime",
                                     "/etc/timezone",
                                     "/proc/meminfo",
                                     "/proc/cpuinfo",
                                     "/proc/stat",
                                     "/proc/sys/vm/overcommit_memory",
                                     "/proc/sys/vm/max_map_count",
                                     "/sys/devices/system/cpu",
                                     "/sys/devices/system/node",
                                     "/sys/kernel/mm/transparent_hugepage",
                                     "/dev/null",
                                     "/dev/zero",
                                     "/dev/urandom"};

/* Lists of folders, parted by colons. */
static const char *const variables[] = {"GDAL_DATA",
                                        "PROJ_DATA",
                                        "PROJ_LIB",
                                        "GDAL_DRIVER_PATH",
                                        "HDF5_PLUGIN_PATH",
                                        "LD_LIBRARY_PATH",
                                        "ECCODES_DEFINITION_PATH"};

static int add_variable(struct path_list *out, const char *value)
{
  while (value != NULL && *value != '\0') {
    const size_t length = strcspn(value, ":");
    if (length > 1 && *value == '/' && path_list_add(out, value, length) != 0)
      return -1;
    value += length + (value[length] == ':');
  }
  return 0;
}

/* Libraries of another tree than the system's (/opt/conda/lib) bring their tables along (/opt/conda/share/proj). */
static int add_library(struct dl_phdr_info *library, size_t size, void *data)
{
  static const char *const beside[] = {"", "/../share/proj", "/../share/gdal", "/../share/eccodes"};
  const char *slash = strrchr(library->dlpi_name, '/');
  char path[PATH_SIZE];
  (void)size;
  if (slash == NULL || slash == library->dlpi_name || *library->dlpi_name != '/')
    return 0;
  for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
    const int length =
        snprintf(path, sizeof path, "%.*s%s", (int)(slash - library->dlpi_name), library->dlpi_name, beside[i]);
    if (length < (int)sizeof path && path_list_add(data, path, (size_t)length) != 0)
      return -1;
  }
  return 0;
}

int read_folders_system(struct path_list *out)
{
  int status = dl_iterate_phdr(add_library, out);
  for (size_t i = 0; i < sizeof variables / sizeof variables[0] && status == 0; i++)
    status = add_variable(out, getenv(variables[i]));
  for (size_t i = 0; i < sizeof always / sizeof always[0] && status == 0; i++)
    status = path_list_add(out, always[i], strlen(always[i]));
  path_list_tidy(out);
  return status;
}

/* ---- of the catalogue ---- */

static int take_folder(void *data, const char *folder, size_t length)
{
  return path_list_add(data, folder, length);
}

/* The length of the path's first `depth` pieces; all of it where it has no more. */
static size_t cut(const char *path, int depth)
{
  size_t length = 0;
  for (; path[length] != '\0'; length++)
    if (path[length] == '/' && length > 0 && --depth == 0)
      break;
  return length;
}

/* Whether the first bytes of a path may stand for it: they are neither above the data folder nor directly in it. */
static bool may_stand(const char *path, size_t length, const char *data)
{
  char folder[PATH_SIZE];
  if (length >= sizeof folder)
    return false;
  snprintf(folder, sizeof folder, "%.*s", (int)length, path);
  char *slash = strrchr(folder, '/');
  if (slash == NULL || slash == folder || path_is_below(data, folder))
    return false;
  *slash = '\0';
  return strcmp(folder, data) != 0;
}

/* Goes up from the deepest until there are few enough, never above two pieces. */
static void widen(struct path_list *list, const char *data)
{
  path_list_tidy(list);
  for (int depth = DEEPEST; depth >= 2 && list->count > FOLDERS_MOST; depth--) {
    for (size_t i = 0; i < list->count; i++) {
      const size_t length = cut(list->paths[i], depth);
      if (may_stand(list->paths[i], length, data))
        list->paths[i][length] = '\0';
    }
    path_list_tidy(list);
  }
}

/* The regular files in a folder, but for those of the server itself. */
static int add_files(struct path_list *out, const char *folder)
{
  DIR *open = opendir(folder);
  const struct dirent *entry;
  char path[PATH_SIZE];
  int status = 0;
  while (open != NULL && status == 0 && out->count < FILES_MOST && (entry = readdir(open)) != NULL) {
    const int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (entry->d_type == DT_REG && length < (int)sizeof path && strncmp(entry->d_name, "server.", 7) != 0)
      status = path_list_add(out, path, (size_t)length);
  }
  if (open != NULL)
    closedir(open);
  return status;
}

/* Folders that hold the data folder, or are it, give way to their files. */
static int part(struct path_list *list, const char *data)
{
  struct path_list parted = {0};
  int status = 0;
  for (size_t i = 0; i < list->count && status == 0; i++)
    status = path_is_below(data, list->paths[i]) ? add_files(&parted, list->paths[i])
                                                 : path_list_add(&parted, list->paths[i], strlen(list->paths[i]));
  path_list_free(list);
  *list = parted;
  return status;
}

int read_folders_scenes(const char *data, struct path_list *out, struct error *error)
{
  struct catalogue *catalogue = NULL;
  if (catalogue_open(data, false, &catalogue, error) != 0)
    return -1;
  int status = catalogue_folders(catalogue, take_folder, out, error);
  catalogue_close(catalogue);
  if (status != 0)
    return -1;
  if (part(out, data) != 0)
    return error_memory(error);
  widen(out, data);
  return 0;
}

struct hash catalogue_stamp(const char *data)
{
  static const char *const files[] = {"catalogue.sqlite", "catalogue.sqlite-wal"};
  struct hash hash = {0};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    char path[PATH_SIZE];
    struct stat status = {0};
    snprintf(path, sizeof path, "%s/%s", data, files[i]);
    if (stat(path, &status) != 0)
      status = (struct stat){0};
    const int64_t parts[] = {(int64_t)status.st_size, (int64_t)status.st_mtim.tv_sec, (int64_t)status.st_mtim.tv_nsec};
    hash_bytes(&hash, parts, sizeof parts);
  }
  return hash;
}
