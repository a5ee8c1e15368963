/* Build-time tool: embed OUT.c SPEC.json…
 *
 * Writes a C file with the text of every process spec, its compiled signature, the graph of those that are defined by
 * one, and the table of processes, sorted by id:
 *   const struct process_entry process_table_builtin[]; const size_t process_table_builtin_size;
 * The id of a process is its file's name; the "id" member must say the same. The row process_<id> is taken from <id>.c
 * beside the spec; without such a file the entry's process is NULL and its body is the spec's process_graph. */
#include "processes/graph/embed_tables.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ID = 127, MAX_SPEC = 1024 * 1024, BYTES_PER_LINE = 100 };

struct spec {
  char id[MAX_ID + 1];
  char *text; /* owned */
  size_t length;
  bool has_row; /* <id>.c stands beside the spec */
  struct process_entry entry; /* compiled; in the arena */
};

static int fail(const char *path, const char *why)
{
  fprintf(stderr, "embed: %s: %s\n", path, why);
  return -1;
}

static int read_text(const char *path, struct spec *spec)
{
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return fail(path, "cannot be opened");
  spec->text = malloc(MAX_SPEC + 1);
  spec->length = spec->text == NULL ? 0 : fread(spec->text, 1, MAX_SPEC + 1, file);
  bool broken = ferror(file) != 0;
  fclose(file);
  if (broken || spec->length == 0)
    return fail(path, "cannot be read or is empty");
  if (spec->length > MAX_SPEC)
    return fail(path, "is longer than 1 MiB");
  spec->text[spec->length] = '\0';
  return 0;
}

/* The id from ".../<id>.json": letters, digits and underscores, as it becomes part of a C name. */
static int read_id(const char *path, struct spec *spec)
{
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  size_t length = strlen(name);
  if (length <= 5 || length - 5 > MAX_ID || strcmp(name + length - 5, ".json") != 0)
    return fail(path, "is not named <id>.json");
  memcpy(spec->id, name, length - 5);
  spec->id[length - 5] = '\0';
  if (strspn(spec->id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != length - 5)
    return fail(path, "has an id with other characters than letters, digits and underscores");
  return 0;
}

/* Signature, and body where there is no C. */
static int compile_spec(struct arena *arena, const char *path, struct spec *spec)
{
  struct error error = {0};
  if (embed_compile(arena, spec->text, spec->length, spec->has_row, &spec->entry, &error) != 0)
    return fail(path, error.message);
  if (strcmp(spec->entry.id, spec->id) != 0)
    return fail(path, "has an \"id\" that differs from the file's name");
  return 0;
}

static void find_row(const char *path, struct spec *spec)
{
  char row[4096];
  int length = snprintf(row, sizeof row, "%.*s.c", (int)(strlen(path) - 5), path);
  FILE *file = length < (int)sizeof row ? fopen(row, "rb") : NULL;
  spec->has_row = file != NULL;
  if (file != NULL)
    fclose(file);
}

static int by_id(const void *a, const void *b)
{
  return strcmp(((const struct spec *)a)->id, ((const struct spec *)b)->id);
}

/* As a C string literal, a new line of source after each line feed or BYTES_PER_LINE bytes. */
static void write_literal(FILE *out, const struct spec *spec)
{
  fprintf(out, "static const char spec_%s[] =\n  \"", spec->id);
  size_t column = 0;
  for (size_t i = 0; i < spec->length; i++) {
    unsigned char byte = (unsigned char)spec->text[i];
    if (byte == '"' || byte == '\\')
      fprintf(out, "\\%c", byte);
    else if (byte >= ' ' && byte < 127 && byte != '?')
      fputc(byte, out);
    else
      fprintf(out, "\\%03o", byte);
    if ((byte == '\n' || ++column >= BYTES_PER_LINE) && i + 1 < spec->length) {
      fputs("\"\n  \"", out);
      column = 0;
    }
  }
  fputs("\";\n", out);
}

static int write_table(const char *path, const struct spec *specs, size_t count)
{
  FILE *out = fopen(path, "wb");
  if (out == NULL)
    return fail(path, "cannot be written");
  fputs(
      "/* Made by processes/graph/embed.c. */\n#include \"processes/graph/bound.h\"\n\n"
      "extern const struct process_entry process_table_builtin[];\nextern const size_t process_table_builtin_size;\n\n",
      out);
  struct table_writer tables = {.out = out};
  for (size_t i = 0; i < count; i++) {
    if (specs[i].has_row)
      fprintf(out, "extern const struct process process_%s;\n", specs[i].id);
    write_literal(out, &specs[i]);
    embed_tables(&tables, &specs[i].entry);
  }
  fputs("\nconst struct process_entry process_table_builtin[] = {\n", out);
  for (size_t i = 0; i < count; i++) {
    fprintf(out, "  {\"%s\", %s%s, spec_%s, sizeof spec_%s - 1, ", specs[i].id, specs[i].has_row ? "&process_" : "NULL",
            specs[i].has_row ? specs[i].id : "", specs[i].id, specs[i].id);
    fprintf(out, "%s%s, {%zu, parameters_%s}},\n", specs[i].has_row ? "NULL" : "body_",
            specs[i].has_row ? "" : specs[i].id, specs[i].entry.signature.count, specs[i].id);
  }
  fprintf(out, "};\nconst size_t process_table_builtin_size = %zu;\n", count);
  bool broken = ferror(out) != 0;
  if (fclose(out) != 0 || broken)
    return fail(path, "could not be written");
  return 0;
}

static int read_specs(struct arena *arena, char *const *paths, struct spec *specs, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    if (read_id(paths[i], &specs[i]) != 0 || read_text(paths[i], &specs[i]) != 0)
      return -1;
    find_row(paths[i], &specs[i]);
    if (compile_spec(arena, paths[i], &specs[i]) != 0)
      return -1;
  }
  qsort(specs, count, sizeof *specs, by_id);
  for (size_t i = 1; i < count; i++) {
    if (strcmp(specs[i - 1].id, specs[i].id) == 0)
      return fail(specs[i].id, "two specs have this id");
  }
  return 0;
}

int main(int argc, char **argv)
{
  if (argc < 3) {
    fputs("usage: embed OUT.c SPEC.json...\n", stderr);
    return 2;
  }
  size_t count = (size_t)argc - 2;
  struct spec *specs = calloc(count, sizeof *specs);
  struct arena *arena = arena_new(0);
  if (specs == NULL || arena == NULL)
    return 1;
  int status = read_specs(arena, argv + 2, specs, count);
  if (status == 0)
    status = write_table(argv[1], specs, count);
  for (size_t i = 0; i < count; i++)
    free(specs[i].text);
  free(specs);
  arena_free(arena);
  return status == 0 ? 0 : 1;
}
