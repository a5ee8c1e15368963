/* One function for what has a type and a name, one for what holds others. See the header. */
#include "datacube/dap/dap_dataset.h"

#include "datacube/dap/dap_words.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 1024, NUMBER_MOST = 24 };

struct dap_parsing {
  struct arena *arena;
  const char *text;
  struct dap_words words;
  struct dap_dataset *out;
  size_t room;
  struct error *error;
};

static int wrong(const struct dap_parsing *p, const char *what)
{
  return error_set(p->error, ERROR_FileContentInvalid, "its description (DDS) is wrong: %s (byte %zu)", what,
                   (size_t)(p->words.start - p->text));
}

static int expect(struct dap_parsing *p, const char *word)
{
  char what[64];
  if (dap_words_take(&p->words, word))
    return 0;
  snprintf(what, sizeof what, "there is no %s", word);
  return wrong(p, what);
}

/* NULL with an error. */
static const char *take_name(struct dap_parsing *p)
{
  struct dap_words *w = &p->words;
  if ((w->kind != DAP_WORD_NAME && w->kind != DAP_WORD_QUOTED) || w->length == 0 || w->length > NAME_MOST ||
      memchr(w->start, '\0', w->length)) {
    wrong(p, "a name is missing, or too long");
    return NULL;
  }
  const char *name = arena_strndup(p->arena, w->start, w->length);
  if (!name)
    error_memory(p->error);
  dap_words_next(w);
  return name;
}

static struct dap_variable *add_variable(struct dap_parsing *p)
{
  struct dap_dataset *out = p->out;
  if (out->count == DAP_VARIABLES_MOST) {
    wrong(p, "there are too many variables");
    return NULL;
  }
  struct dap_variable *rows = arena_grow(p->arena, out->variables, out->count, &p->room, sizeof *rows);
  if (!rows) {
    error_memory(p->error);
    return NULL;
  }
  out->variables = rows;
  rows[out->count] = (struct dap_variable){.name = NULL};
  return &rows[out->count++];
}

/* ---- what holds values ------------------------------------------------------------------------------------------- */

static enum dap_type take_type(struct dap_parsing *p)
{
  static const struct {
    const char *word;
    enum dap_type type;
  } rows[] = {{"Byte", DAP_BYTE},       {"Int16", DAP_INT16},   {"UInt16", DAP_UINT16},
              {"Int32", DAP_INT32},     {"UInt32", DAP_UINT32}, {"Float32", DAP_FLOAT32},
              {"Float64", DAP_FLOAT64}, {"String", DAP_TEXT},   {"Url", DAP_TEXT}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (dap_words_take(&p->words, rows[i].word))
      return rows[i].type;
  return DAP_TYPE_COUNT;
}

static bool take_size(struct dap_parsing *p, size_t *out)
{
  char text[NUMBER_MOST + 1] = "", *end;
  const struct dap_words *w = &p->words;
  if (w->kind != DAP_WORD_NAME || w->length == 0 || w->length > NUMBER_MOST || w->start[0] < '0' || w->start[0] > '9')
    return false;
  memcpy(text, w->start, w->length);
  errno = 0;
  const unsigned long long size = strtoull(text, &end, 10);
  if (*end != '\0' || errno != 0 || size > SIZE_MAX / 2)
    return false;
  *out = (size_t)size;
  dap_words_next(&p->words);
  return true;
}

/* "[12]" or "[time = 12]": the name is there, or NULL. */
static int read_dimension(struct dap_parsing *p, const char **name, size_t *size)
{
  *name = NULL;
  const struct dap_words before = p->words;
  const bool is_size = take_size(p, size);
  if (is_size && dap_words_take(&p->words, "]"))
    return 0;
  p->words = before; /* a name may begin with digits */
  *name = take_name(p);
  if (!*name || expect(p, "=") != 0)
    return -1;
  return take_size(p, size) ? expect(p, "]") : wrong(p, "a dimension has no size");
}

static int read_simple(struct dap_parsing *p, enum dap_type type)
{
  struct dap_variable v = {.type = type, .name = take_name(p)};
  v.path = v.name;
  if (!v.name)
    return -1;
  while (dap_words_take(&p->words, "[")) {
    const char *name;
    size_t size;
    if (read_dimension(p, &name, &size) != 0)
      return -1;
    if (v.rank == CUBE_MAX_DIMENSIONS - 1) {
      v.why_not = "has too many dimensions";
      continue;
    }
    v.names[v.rank] = name;
    v.shape[v.rank++] = size;
  }
  if (expect(p, ";") != 0)
    return -1;
  struct dap_variable *out = add_variable(p);
  if (out)
    *out = v;
  return out ? 0 : -1;
}

/* ---- what holds others ------------------------------------------------------------------------------------------- */

static int read_declaration(struct dap_parsing *p, unsigned depth);

static int read_inside(struct dap_parsing *p, unsigned depth)
{
  while (!dap_words_take(&p->words, "}"))
    if (read_declaration(p, depth + 1) != 0)
      return -1;
  return 0;
}

/* Its members, those from `first` on, get its name: the array of a grid becomes the grid. */
static int name_members(const struct dap_parsing *p, size_t first, const char *name, bool is_grid)
{
  for (size_t i = first; i < p->out->count; i++) {
    struct dap_variable *v = &p->out->variables[i];
    v->path = arena_printf(p->arena, "%s.%s", name, v->path);
    if (is_grid && i == first)
      v->name = name;
    else if (is_grid)
      v->grid = name;
    else
      v->name = arena_printf(p->arena, "%s.%s", name, v->name);
    if (!v->path || !v->name)
      return error_memory(p->error);
  }
  return 0;
}

static void leave_out(const struct dap_parsing *p, size_t first, const char *why)
{
  for (size_t i = first; i < p->out->count; i++)
    p->out->variables[i].why_not = why;
}

/* "ARRAY: … MAPS: … } name;": its members hold values of their own alone. */
static int read_grid(struct dap_parsing *p)
{
  const size_t first = p->out->count;
  if (expect(p, "{") != 0 || expect(p, "Array") != 0 || expect(p, ":") != 0)
    return -1;
  for (bool is_over = false; !is_over; is_over = dap_words_take(&p->words, "}")) {
    if (p->out->count > first && dap_words_take(&p->words, "Maps")) {
      if (expect(p, ":") != 0)
        return -1;
      if (dap_words_take(&p->words, "}"))
        break;
    }
    const enum dap_type type = take_type(p);
    if (type == DAP_TYPE_COUNT || read_simple(p, type) != 0)
      return error_is_set(p->error) ? -1 : wrong(p, "a grid holds what is no array");
  }
  const char *name = take_name(p);
  return name && expect(p, ";") == 0 ? name_members(p, first, name, true) : -1;
}

static int read_container(struct dap_parsing *p, const char *why_not, unsigned depth)
{
  const size_t first = p->out->count;
  size_t size;
  const char *ignored;
  if (depth >= DAP_DEEP_MOST)
    return wrong(p, "its structures nest too deeply");
  if (expect(p, "{") != 0 || read_inside(p, depth) != 0)
    return -1;
  const char *name = take_name(p);
  if (!name)
    return -1;
  while (dap_words_take(&p->words, "[")) {
    why_not = "lies in an array of structures";
    if (read_dimension(p, &ignored, &size) != 0)
      return -1;
  }
  if (why_not)
    leave_out(p, first, why_not);
  return expect(p, ";") == 0 ? name_members(p, first, name, false) : -1;
}

static int read_declaration(struct dap_parsing *p, unsigned depth)
{
  const enum dap_type type = take_type(p);
  if (type != DAP_TYPE_COUNT)
    return read_simple(p, type);
  if (dap_words_take(&p->words, "Grid"))
    return read_grid(p);
  if (dap_words_take(&p->words, "Structure"))
    return read_container(p, NULL, depth);
  if (dap_words_take(&p->words, "Sequence"))
    return read_container(p, "lies in a sequence", depth);
  return wrong(p, "it declares what has no type that DAP 2 knows");
}

int dap_dataset_read(struct arena *arena, const char *text, size_t length, struct dap_dataset *out, struct error *error)
{
  struct dap_parsing p = {.arena = arena, .text = text, .out = out, .error = error};
  *out = (struct dap_dataset){.count = 0};
  if (dap_refusal(text, length, error) != 0)
    return -1;
  dap_words_begin(text, length, "{}[];:=", &p.words);
  if (!dap_words_take(&p.words, "Dataset"))
    return error_set(error, ERROR_FileContentInvalid, "what its server sends is no description of DAP 2");
  if (expect(&p, "{") != 0 || read_inside(&p, 0) != 0)
    return -1;
  /* The name of all may be any words. */
  while (p.words.kind != DAP_WORD_END && !dap_words_are(&p.words, ";"))
    dap_words_next(&p.words);
  return expect(&p, ";");
}

int dap_refusal(const char *text, size_t length, struct error *error)
{
  struct dap_words w;
  char message[200] = "";
  dap_words_begin(text, length, "{};=", &w);
  if (!dap_words_take(&w, "Error") || !dap_words_take(&w, "{"))
    return 0;
  while (w.kind != DAP_WORD_END && w.kind != DAP_WORD_WRONG && !dap_words_are(&w, "}")) {
    const bool is_message = dap_words_take(&w, "message") && dap_words_take(&w, "=");
    if (is_message && w.kind == DAP_WORD_QUOTED)
      for (size_t i = 0; i < w.length && i < sizeof message - 1; i++)
        message[i] = w.start[i] < ' ' || w.start[i] > '~' ? ' ' : w.start[i];
    if (!is_message || w.kind == DAP_WORD_QUOTED)
      dap_words_next(&w);
  }
  return error_set(error, ERROR_FileContentInvalid, "its server answers with an error: %s",
                   message[0] ? message : "which it does not explain");
}
