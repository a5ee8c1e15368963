#include "server/sources/source_listing.h"

#include "datacube/base/utf8.h"
#include "datacube/remote/remote_file.h"
#include "stac/href.h"

#include <stdlib.h>
#include <string.h>

/* Catalogues keep lines of names and paths. */
static bool is_sound(const char *text)
{
  const size_t length = strlen(text);
  size_t step = 1;
  for (size_t at = 0; at < length && step > 0; at += step)
    step = (unsigned char)text[at] < 32 ? 0 : utf8_length(text + at, length - at);
  return step > 0 && length > 0 && length < REMOTE_URL_SIZE;
}

int source_listing_add(struct source_listing *listing, const struct listed_file *file, struct error *error)
{
  if (!file->name || !is_sound(file->name) || !file->address || !is_sound(file->address)) {
    listing->left_out++;
    return 0;
  }
  if (listing->count == LISTED_FILES_MOST)
    return error_set(error, ERROR_FileSizeExceeded, "it lists more than %d files", (int)LISTED_FILES_MOST);
  void *rows = arena_grow(listing->arena, listing->files, listing->count, &listing->room, sizeof *listing->files);
  if (!rows)
    return error_memory(error);
  listing->files = rows;
  struct listed_file *out = &listing->files[listing->count++];
  *out = (struct listed_file){.name = arena_strdup(listing->arena, file->name),
                              .address = arena_strdup(listing->arena, file->address),
                              .stamp = file->stamp ? arena_strdup(listing->arena, file->stamp) : NULL,
                              .size = file->size};
  return out->name && out->address && (out->stamp || !file->stamp) ? 0 : error_memory(error);
}

static int compare_file(const void *a, const void *b)
{
  const struct listed_file *first = a, *second = b;
  const int order = strcmp(first->name, second->name);
  return order ? order : strcmp(first->address, second->address);
}

void source_listing_sort(struct source_listing *listing)
{
  size_t kept = 0;
  if (listing->count)
    qsort(listing->files, listing->count, sizeof *listing->files, compare_file);
  for (size_t i = 0; i < listing->count; i++)
    if (kept == 0 || strcmp(listing->files[i].address, listing->files[kept - 1].address) != 0)
      listing->files[kept++] = listing->files[i];
  listing->count = kept;
}

struct hash source_listing_digest(const struct source_listing *listing)
{
  struct hash sum = {0, 0};
  for (size_t i = 0; i < listing->count; i++) {
    hash_text(&sum, listing->files[i].name);
    hash_text(&sum, listing->files[i].address);
    hash_text(&sum, listing->files[i].stamp);
    hash_word(&sum, listing->files[i].size);
  }
  return sum;
}

const struct catalogue_file *source_listing_files(const struct source_listing *listing)
{
  struct catalogue_file *out = ARENA_ARRAY(listing->arena, struct catalogue_file, listing->count + 1);
  for (size_t i = 0; out && i < listing->count; i++) {
    const char *address = listing->files[i].address;
    out[i].name = listing->files[i].name;
    out[i].path = href_is_web(address) ? arena_printf(listing->arena, REMOTE_PREFIX "%s", address) : address;
    if (!out[i].path)
      return NULL;
  }
  return out;
}
