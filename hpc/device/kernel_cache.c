#include "hpc/device/kernel_cache.h"

#include "hpc/device/whole_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "tckern1";
static const char suffix[] = ".kernel";

struct head {
  char magic[8];
  struct hash content;
  uint64_t bytes;
};

static struct hash hash_of(const void *image, size_t bytes)
{
  struct hash hash = {0, 0};
  hash_bytes(&hash, image, bytes);
  return hash;
}

static void path_of(const char *folder, struct hash key, char out[WHOLE_FILE_PATH])
{
  snprintf(out, WHOLE_FILE_PATH, "%.1000s/%016" PRIx64 "%016" PRIx64 "%s", folder, key.a, key.b, suffix);
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static bool read_image(FILE *file, struct buffer *out)
{
  struct head head;
  if (fread(&head, sizeof head, 1, file) != 1 || memcmp(head.magic, magic, sizeof magic) != 0 ||
      head.bytes > KERNEL_CACHE_BYTES)
    return false;
  char *image = malloc(head.bytes + 1);
  const bool is_whole = image && fread(image, 1, head.bytes + 1, file) == head.bytes &&
                        hash_equal(hash_of(image, head.bytes), head.content);
  if (is_whole)
    buffer_add(out, image, head.bytes);
  free(image);
  return is_whole && !out->failed;
}

bool kernel_cache_find(const char *folder, struct hash key, struct buffer *out)
{
  char path[WHOLE_FILE_PATH];
  path_of(folder, key, path);
  FILE *file = fopen(path, "re");
  if (!file)
    return false;
  const bool found = read_image(file, out);
  fclose(file);
  return found;
}

/* ---- keeping ----------------------------------------------------------------------------------------------------- */

struct kept_file {
  struct timespec changed;
  off_t bytes;
  char name[64];
};

static int by_age(const void *a, const void *b)
{
  const struct kept_file *x = a, *y = b;
  if (x->changed.tv_sec != y->changed.tv_sec)
    return x->changed.tv_sec < y->changed.tv_sec ? -1 : 1;
  return x->changed.tv_nsec < y->changed.tv_nsec ? -1 : x->changed.tv_nsec > y->changed.tv_nsec;
}

static size_t list_files(DIR *folder, struct kept_file *out, size_t most)
{
  const struct dirent *entry;
  size_t count = 0;
  while (count < most && (entry = readdir(folder))) {
    struct stat facts;
    const size_t length = strlen(entry->d_name);
    if (length >= sizeof out->name || length < sizeof suffix ||
        strcmp(entry->d_name + length - sizeof suffix + 1, suffix) != 0 ||
        fstatat(dirfd(folder), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    out[count] = (struct kept_file){.changed = facts.st_mtim, .bytes = facts.st_size};
    memcpy(out[count++].name, entry->d_name, length + 1);
  }
  return count;
}

static void remove_oldest(const char *path)
{
  enum { MOST = 2 * KERNEL_CACHE_FILES };
  DIR *folder = opendir(path);
  struct kept_file *files = folder ? calloc(MOST, sizeof *files) : NULL;
  size_t count = files ? list_files(folder, files, MOST) : 0;
  off_t bytes = 0;
  for (size_t i = 0; i < count; i++)
    bytes += files[i].bytes;
  if (count > KERNEL_CACHE_FILES || bytes > KERNEL_CACHE_BYTES)
    qsort(files, count, sizeof *files, by_age);
  for (size_t i = 0; i < count && (count - i > KERNEL_CACHE_FILES || bytes > KERNEL_CACHE_BYTES); i++) {
    unlinkat(dirfd(folder), files[i].name, 0);
    bytes -= files[i].bytes;
  }
  free(files);
  if (folder)
    closedir(folder);
}

void kernel_cache_keep(const char *folder, struct hash key, const void *image, size_t bytes)
{
  char path[WHOLE_FILE_PATH];
  struct head head = {.content = hash_of(image, bytes), .bytes = bytes};
  struct whole_file file;
  memcpy(head.magic, magic, sizeof magic);
  mkdir(folder, 0700);
  path_of(folder, key, path);
  if (!whole_file_open(path, &file))
    return;
  fwrite(&head, sizeof head, 1, file.stream);
  fwrite(image, 1, bytes, file.stream);
  whole_file_close(&file);
  remove_oldest(folder);
}
