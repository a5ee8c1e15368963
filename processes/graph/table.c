/* The table of processes: the built-in rows, made by embed.c, and the operator's specs laid over them.
 *
 * The overlay is the room's one piece of state: set once by process_table_use_specs before any thread starts, read-only
 * afterwards, and kept for the program's life. */
#include "processes/graph/table.h"

#include "processes/graph/spec_compare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SPEC_BYTES = 4 * 1024 * 1024 };

extern const struct process_entry process_table_builtin[];
extern const size_t process_table_builtin_size;

const char process_table_version[] = "2.0.0-rc.2";

static const struct process_entry *overlay; /* NULL: the built-in table */

bool process_takes(const struct process_entry *entry, const char *parameter, const struct value *value)
{
  bool is_single = value->kind == VALUE_NUMBER || value->kind == VALUE_BOOLEAN || value->kind == VALUE_TEXT ||
                   (value->kind == VALUE_LANES && !value->lanes.is_array);
  const struct process *process = entry->process;
  if (process == NULL)
    return false;
  return (is_single && process->takes_single) || (value->kind == VALUE_NULL && process->takes_null) ||
         (process->takes_values != NULL && value_is_host(value) && strcmp(parameter, process->takes_values) == 0);
}

size_t process_table_size(void)
{
  return process_table_builtin_size;
}

const struct process_entry *process_table_at(size_t i)
{
  return overlay != NULL ? &overlay[i] : &process_table_builtin[i];
}

static int by_id(const void *key, const void *entry)
{
  return strcmp(key, ((const struct process_entry *)entry)->id);
}

const struct process_entry *process_table_find(const char *id)
{
  return bsearch(id, process_table_at(0), process_table_builtin_size, sizeof(struct process_entry), by_id);
}

/* The file's bytes, owned by the caller; NULL without an error when the file does not exist, NULL with one else. */
static char *read_file(const char *path, size_t *length, struct error *error)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    if (errno != ENOENT)
      error_set(error, ERROR_ProcessSpecInvalid, "%s cannot be opened: %s", path, strerror(errno));
    return NULL;
  }
  char *text = malloc(MAX_SPEC_BYTES + 1);
  *length = text == NULL ? 0 : fread(text, 1, MAX_SPEC_BYTES + 1, file);
  fclose(file);
  if (*length == 0 || *length > MAX_SPEC_BYTES) {
    error_set(error, ERROR_ProcessSpecInvalid, "%s is empty, cannot be read or is longer than 4 MiB", path);
    free(text);
    return NULL;
  }
  char *fitting = realloc(text, *length + 1);
  if (fitting == NULL) {
    free(text);
    error_memory(error);
    return NULL;
  }
  fitting[*length] = '\0';
  return fitting;
}

/* Looks for <folder>/<id>.json and <folder>/proposals/<id>.json. */
static char *read_given_spec(const char *folder, const char *id, size_t *length, struct error *error)
{
  static const char *const places[] = {"", "proposals/"};
  char path[4096];
  for (size_t i = 0; i < 2 && !error_is_set(error); i++) {
    if (snprintf(path, sizeof path, "%s/%s%s.json", folder, places[i], id) >= (int)sizeof path) {
      error_set(error, ERROR_ProcessSpecInvalid, "the folder's path is too long");
      return NULL;
    }
    char *text = read_file(path, length, error);
    if (text != NULL)
      return text;
  }
  return NULL;
}

/* Replaces the entry's spec by the folder's, where it has one. `ours` is the built-in spec. */
static int use_spec(const char *folder, struct process_entry *entry, struct spec_text ours, struct error *error)
{
  size_t length = 0;
  char *text = read_given_spec(folder, entry->id, &length, error);
  if (text == NULL)
    return error_is_set(error) ? -1 : 0;
  if (spec_compare(entry->id, ours, (struct spec_text){text, length}, error) != 0) {
    free(text);
    return -1;
  }
  entry->spec = text;
  entry->spec_length = length;
  return 0;
}

/* Frees a layer's own specs: those that neither the built-in table nor `kept` has. */
static void free_layer(const struct process_entry *layer, const struct process_entry *kept)
{
  for (size_t i = 0; layer != NULL && i < process_table_builtin_size; i++) {
    if (layer[i].spec != process_table_builtin[i].spec && layer[i].spec != kept[i].spec)
      free((char *)(uintptr_t)layer[i].spec);
  }
  free((struct process_entry *)(uintptr_t)layer);
}

int process_table_use_specs(const char *folder, struct error *error)
{
  const struct process_entry *before = process_table_at(0);
  struct process_entry *entries = malloc(process_table_builtin_size * sizeof *entries);
  if (entries == NULL)
    return error_memory(error);
  memcpy(entries, before, process_table_builtin_size * sizeof *entries);
  size_t replaced = 0;
  int status = 0;
  for (size_t i = 0; i < process_table_builtin_size && status == 0; i++) {
    struct spec_text ours = {process_table_builtin[i].spec, process_table_builtin[i].spec_length};
    status = use_spec(folder, &entries[i], ours, error);
    replaced += entries[i].spec != before[i].spec;
  }
  if (status == 0 && replaced == 0)
    status = error_set(error, ERROR_ProcessSpecInvalid, "no spec of a known process lies in %s", folder);
  if (status != 0) {
    free_layer(entries, before);
    return -1;
  }
  free_layer(overlay, entries);
  overlay = entries;
  return 0;
}
