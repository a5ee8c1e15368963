/* Features as columns of a CSV table: the names of all properties are gathered first, then each line looks for its
 * own among them. */
#include "datacube/sink/csv_features.h"

#include "datacube/base/buffer.h"
#include "datacube/sink/feature_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PROPERTIES = 2000 };

struct property_column {
  const char *key;         /* as a JSON text, with its quotes */
  const char *name;        /* what it says */
  bool taken;              /* the table has another column of this name */
  struct json_member cell; /* of the line at work; value NULL: none */
};

struct csv_features {
  struct arena *arena;
  const struct geometry_set *set; /* in longitude and latitude */
  bool ids, shapes;               /* columns */
  struct property_column *columns;
  size_t count, room;
  size_t sorted[MOST_PROPERTIES]; /* the columns by key */
  struct buffer text;             /* of the field at work */
  bool failed;
};

/* ---- fields ------------------------------------------------------------------------------------------------------ */

void csv_text(FILE *file, const char *text, bool always)
{
  if (!always && text[strcspn(text, ",\"\r\n")] == '\0' && text[0] != ' ' && text[0] != '\0') {
    fputs(text, file);
    return;
  }
  fputc('"', file);
  for (; *text != '\0'; text++) {
    if (*text == '"')
      fputc('"', file);
    fputc(*text, file);
  }
  fputc('"', file);
}

/* The four digits of a JSON escape. */
static unsigned long escaped_unit(const char *digits)
{
  char text[5] = {0};
  memcpy(text, digits, strnlen(digits, 4));
  return strtoul(text, NULL, 16);
}

static void add_character(struct buffer *out, unsigned long code)
{
  unsigned char bytes[4] = {(unsigned char)code};
  size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
  for (size_t i = more; i > 0; i--, code >>= 6)
    bytes[i] = (unsigned char)(0x80 | (code & 0x3F));
  if (more > 0)
    bytes[0] = (unsigned char)(leads[more] | code);
  buffer_add(out, (const char *)bytes, more + 1);
}

/* One escape, from behind its backslash on; returns what follows. */
static const char *add_escaped(struct buffer *out, const char *at)
{
  static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
  const char *letter = strchr(letters, *at);
  if (*at != 'u') {
    buffer_add(out, letter && *at ? &meant[letter - letters] : at, 1);
    return at + 1;
  }
  unsigned long code = escaped_unit(at + 1);
  at += 5;
  if (code >= 0xD800 && code < 0xDC00 && at[0] == '\\' && at[1] == 'u') {
    code = 0x10000 + ((code - 0xD800) << 10) + (escaped_unit(at + 2) - 0xDC00);
    at += 6;
  }
  add_character(out, code);
  return at;
}

/* What a JSON text says, in f->text. */
static const char *plain_text(struct csv_features *f, const char *json, size_t length)
{
  const char *end = json + length - 1; /* the closing quote */
  f->text.length = 0;
  for (const char *at = json + 1; at < end;) {
    size_t plain = strcspn(at, "\\");
    plain = plain < (size_t)(end - at) ? plain : (size_t)(end - at);
    buffer_add(&f->text, at, plain);
    at += plain;
    if (at < end)
      at = add_escaped(&f->text, at + 1);
  }
  buffer_add(&f->text, "", 1);
  f->failed = f->failed || f->text.failed;
  return f->text.failed ? "" : f->text.data;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

static int compare_key(const struct property_column *column, const struct json_member *member)
{
  int order = strncmp(column->key, member->key, member->key_length);
  return order ? order : column->key[member->key_length] != '\0';
}

/* Where the member's key stands, or would stand, among the sorted ones. */
static size_t sorted_place(const struct csv_features *f, const struct json_member *member, bool *found)
{
  size_t low = 0, high = f->count;
  *found = false;
  while (low < high && !*found) {
    size_t middle = low + (high - low) / 2;
    int order = compare_key(&f->columns[f->sorted[middle]], member);
    *found = order == 0;
    low = order < 0 ? middle + 1 : order == 0 ? middle : low;
    high = order > 0 ? middle : high;
  }
  return low;
}

static bool is_taken(const struct csv_features *f, const struct csv_features_wish *wish, const char *name)
{
  for (size_t i = 0; i < wish->taken_count; i++)
    if (strcmp(wish->taken[i], name) == 0)
      return true;
  return (f->ids && strcmp(name, "id") == 0) || (f->shapes && strcmp(name, "geometry") == 0);
}

static int add_column(struct csv_features *f, const struct csv_features_wish *wish, const struct json_member *member,
                      size_t place, struct error *error)
{
  if (f->count == MOST_PROPERTIES)
    return error_set(error, ERROR_FormatUnsuitable,
                     "CSV has a column for each property of the features; there are more than %d. Use GeoJSON.",
                     (int)MOST_PROPERTIES);
  struct property_column *columns = arena_grow(f->arena, f->columns, f->count, &f->room, sizeof *columns);
  if (!columns)
    return error_memory(error);
  f->columns = columns;
  columns[f->count] =
      (struct property_column){.key = arena_strndup(f->arena, member->key, member->key_length),
                               .name = arena_strdup(f->arena, plain_text(f, member->key, member->key_length))};
  if (!columns[f->count].key || !columns[f->count].name)
    return error_memory(error);
  columns[f->count].taken = is_taken(f, wish, columns[f->count].name);
  memmove(&f->sorted[place + 1], &f->sorted[place], (f->count - place) * sizeof f->sorted[0]);
  f->sorted[place] = f->count++;
  return 0;
}

static int gather_columns(struct csv_features *f, const struct csv_features_wish *wish, struct error *error)
{
  struct json_member member;
  bool found;
  for (size_t i = 0; i < f->set->count; i++)
    for (const char *at = f->set->items[i].properties; at && json_member_next(&at, &member);) {
      size_t place = sorted_place(f, &member, &found);
      if (!found && add_column(f, wish, &member, place, error) != 0)
        return -1;
    }
  return 0;
}

int csv_features_open(const struct csv_features_wish *wish, struct csv_features **out, struct error *error)
{
  struct csv_features *f = *out = calloc(1, sizeof *f);
  if (!f || !(f->arena = arena_new(0)))
    return error_memory(error);
  f->shapes = wish->shapes;
  for (size_t i = 0; i < wish->set->count; i++)
    f->ids = f->ids || wish->set->items[i].id;
  if (geometry_transform(wish->set, "EPSG:4326", INFINITY, f->arena, &f->set, error) != 0)
    return -1;
  if (gather_columns(f, wish, error) != 0)
    return -1;
  f->ids = f->ids || (f->count == 0 && wish->taken_count <= 1); /* a table of one column is none to many readers */
  return 0;
}

void csv_features_close(struct csv_features *f)
{
  if (!f)
    return;
  buffer_free(&f->text);
  arena_free(f->arena);
  free(f);
}

void csv_features_restore(struct csv_features *f, const char *name)
{
  for (size_t c = 0; c < f->count; c++)
    if (strcmp(f->columns[c].name, name) == 0)
      f->columns[c].taken = false;
}

bool csv_features_failed(const struct csv_features *f)
{
  return f->failed;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

void csv_features_names(struct csv_features *f, FILE *file)
{
  fputs(f->ids && f->shapes ? "id,geometry" : f->ids ? "id" : "geometry", file);
  for (size_t c = 0; c < f->count; c++) {
    if (f->columns[c].taken)
      continue;
    fputc(',', file);
    csv_text(file, f->columns[c].name, false);
  }
}

static void write_shape(struct csv_features *f, FILE *file, const struct geometry *geometry)
{
  struct arena *arena = arena_new(0);
  const char *text = arena ? geometry_wkt(arena, geometry) : NULL;
  f->failed = f->failed || !text;
  if (text && geometry->type != GEOMETRY_NONE)
    csv_text(file, text, true);
  arena_free(arena);
}

static void write_cell(struct csv_features *f, FILE *file, const struct json_member *cell)
{
  static const char null[] = "null";
  if (cell->value[0] == '"')
    csv_text(file, plain_text(f, cell->value, cell->value_length), true);
  else if (cell->value[0] == '{' || cell->value[0] == '[') {
    f->text.length = 0;
    buffer_add(&f->text, cell->value, cell->value_length);
    buffer_add(&f->text, "", 1);
    f->failed = f->failed || f->text.failed;
    csv_text(file, f->text.failed ? "" : f->text.data, true);
  } else if (cell->value_length != sizeof null - 1 || memcmp(cell->value, null, sizeof null - 1) != 0)
    fwrite(cell->value, 1, cell->value_length, file);
}

static void find_cells(struct csv_features *f, const struct geometry *geometry)
{
  struct json_member member;
  bool found;
  for (size_t c = 0; c < f->count; c++)
    f->columns[c].cell.value = NULL;
  for (const char *at = geometry->properties; at && json_member_next(&at, &member);) {
    size_t place = sorted_place(f, &member, &found);
    if (found)
      f->columns[f->sorted[place]].cell = member;
  }
}

void csv_features_line(struct csv_features *f, FILE *file, size_t i)
{
  const struct geometry *geometry = &f->set->items[i];
  if (f->ids && geometry->id)
    csv_text(file, geometry->id, !geometry->id_is_number);
  if (f->ids && f->shapes)
    fputc(',', file);
  if (f->shapes)
    write_shape(f, file, geometry);
  find_cells(f, geometry);
  for (size_t c = 0; c < f->count; c++) {
    if (f->columns[c].taken)
      continue;
    fputc(',', file);
    if (f->columns[c].cell.value)
      write_cell(f, file, &f->columns[c].cell);
  }
}
