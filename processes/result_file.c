/* Names and formats of the files: one pass that chooses the format, one that names. */
#include "processes/result_file.h"

#include "hpc/plan/node.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PATH_ROOM = 4000, NAME_ROOM = 128 };

static const struct { /* beside the formats' own extensions */
  const char *extension, *format;
} more_extensions[] = {{"tiff", "GTiff"}, {"jpeg", "JPEG"}, {"zarr", "Zarr"}};

static bool is_folder(const char *output)
{
  size_t length = strlen(output);
  return length > 0 && output[length - 1] == '/';
}

/* Behind the last dot of the file's name; NULL where there is none. A leading dot begins a name, not an extension. */
static const char *extension_of(const char *output)
{
  const char *slash = strrchr(output, '/'), *name = slash ? slash + 1 : output, *dot = strrchr(name, '.');
  if (dot && strcasecmp(dot, ".zip") == 0 && dot - name > 5 && strncasecmp(dot - 5, ".zarr", 5) == 0)
    dot -= 5; /* a name in two parts */
  return dot && dot > name && dot[1] != '\0' ? dot + 1 : NULL;
}

static const struct sink_format *format_of_extension(const char *extension)
{
  for (size_t i = 0; sink_formats[i] != NULL; i++)
    if (strcasecmp(extension, sink_formats[i]->extension) == 0)
      return sink_formats[i];
  for (size_t i = 0; i < sizeof more_extensions / sizeof *more_extensions; i++)
    if (strcasecmp(extension, more_extensions[i].extension) == 0)
      return sink_format_find(more_extensions[i].format);
  return NULL;
}

static int unknown_extension(const char *output, struct error *error)
{
  char known[256] = "";
  for (size_t i = 0, used = 0; sink_formats[i] != NULL && used < sizeof known; i++)
    used += (size_t)snprintf(known + used, sizeof known - used, "%s.%s", i > 0 ? ", " : "", sink_formats[i]->extension);
  return error_set(error, ERROR_FormatUnsuitable,
                   "the name of the output, '%s', tells no format; known are %s (or save the result with save_result)",
                   output, known);
}

/* ---- formats ---------------------------------------------------------------------------------------------------- */

/* What the output's name says: NULL where it is a folder or says nothing. */
static const struct sink_format *named_format(const char *output)
{
  const char *extension = is_folder(output) ? NULL : extension_of(output);
  return extension ? format_of_extension(extension) : NULL;
}

static int unsaved_format(const char *output, struct result_file *file, struct error *error)
{
  file->format = is_folder(output) ? sink_format_find("JSON") : named_format(output);
  if (!file->format)
    return unknown_extension(output, error);
  if (file->output)
    return file->format->check(file->output->node->cube, NULL, 0, error) == 0 ? 0 : error_at_node(error, file->name);
  if (file->format != sink_format_find("JSON"))
    return error_set(error, ERROR_FormatUnsuitable,
                     "the result is a plain value: it can be written as .json only, not %s", file->format->name);
  return 0;
}

static int choose_format(const char *output, struct result_file *file, struct error *error)
{
  const struct sink_format *named = named_format(output);
  if (!file->output && !file->is_result) {
    file->format = sink_format_find("JSON");
    return 0;
  }
  if (!file->output || !file->output->format)
    return unsaved_format(output, file, error);
  file->format = sink_format_find(file->output->format);
  if (file->is_result && named && named != file->format)
    return error_set(error, ERROR_FormatUnsuitable,
                     "save_result asks for %s, but the name of the output, '%s', says %s: change one of them",
                     file->format->name, output, named->name);
  return 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* A node's id as a piece of a file's name: any text may come, path separators and line feeds included. */
static void safe_name(const char *id, char out[NAME_ROOM])
{
  size_t n = 0;
  for (; id[n] != '\0' && n < NAME_ROOM - 16; n++)
    out[n] = isalnum((unsigned char)id[n]) || strchr("-_.", id[n]) ? id[n] : '_';
  out[n] = '\0';
  if (out[0] == '.' || out[0] == '\0')
    out[0] = '_';
}

static bool is_taken(const struct result_file *files, size_t count, const char *path)
{
  for (size_t i = 0; i < count; i++)
    if (strcasecmp(files[i].path, path) == 0)
      return true;
  return false;
}

static int too_long(struct error *error)
{
  return error_set(error, ERROR_StorageFailure, "the output path is too long");
}

/* A path "<stem><separator><node>.EXT" that none of the earlier files has. */
static int path_by_node(const char *stem, size_t length, const struct result_file *files, size_t index,
                        char path[PATH_ROOM], struct error *error)
{
  char name[NAME_ROOM];
  const struct result_file *file = &files[index];
  const char *separator = length > 0 && stem[length - 1] != '/' ? "_" : "";
  safe_name(file->output && file->output->stem ? file->output->stem : file->name, name);
  size_t end = strlen(name);
  for (size_t number = 2;; number++) {
    if (snprintf(path, PATH_ROOM, "%.*s%s%s.%s", (int)length, stem, separator, name, file->format->extension) >=
        PATH_ROOM)
      return too_long(error);
    if (!is_taken(files, index, path))
      return 0;
    snprintf(name + end, NAME_ROOM - end, "_%zu", number);
  }
}

static int name_file(const char *output, const struct result_file *files, size_t index, size_t count,
                     char path[PATH_ROOM], struct error *error)
{
  const struct result_file *file = &files[index];
  const char *extension = extension_of(output);
  size_t stem = extension ? (size_t)(extension - 1 - output) : strlen(output);
  if (strlen(output) >= PATH_ROOM)
    return too_long(error);
  if (is_folder(output) && (count > 1 || (file->output && file->output->stem)))
    return path_by_node(output, strlen(output), files, index, path, error);
  if (!is_folder(output) && !file->is_result)
    return path_by_node(output, stem, files, index, path, error);
  const char *end = is_folder(output) ? file->format->extension : "";
  if (snprintf(path, PATH_ROOM, "%s%s%s", output, is_folder(output) ? "result." : "", end) >= PATH_ROOM)
    return too_long(error);
  return 0;
}

int result_files_plan(struct arena *arena, const char *output, const struct outcome *outcome, bool with_value,
                      struct result_file **files, size_t *count, struct error *error)
{
  const size_t n = outcome->output_count + (outcome->is_value && with_value ? 1 : 0);
  struct result_file *list = ARENA_ARRAY(arena, struct result_file, n);
  char path[PATH_ROOM];
  if (!list)
    return error_memory(error);
  for (size_t i = 0; i < outcome->output_count; i++)
    list[i] = (struct result_file){.output = outcome->outputs[i].node ? &outcome->outputs[i] : NULL,
                                   .value = outcome->outputs[i].value,
                                   .name = outcome->outputs[i].name,
                                   .is_result = outcome->outputs[i].is_result};
  if (n > outcome->output_count)
    list[n - 1] = (struct result_file){.value = &outcome->value, .name = outcome->name, .is_result = true};
  for (size_t i = 0; i < n; i++) {
    if (choose_format(output, &list[i], error) != 0 || name_file(output, list, i, n, path, error) != 0)
      return -1;
    list[i].path = arena_strdup(arena, path);
    if (!list[i].path)
      return error_memory(error);
  }
  *files = list;
  *count = n;
  return 0;
}
