/* Fuzzing what servers of DAP 2 write: descriptions (DDS), attributes (DAS) and their errors. What is read of them
 * keeps its limits, names are texts without an end in them, and one of them says why where nothing is read. */
#include "datacube/dap/dap_attributes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_variable(const struct dap_variable *v)
{
  if (!v->name || !*v->name || !v->path || v->rank >= CUBE_MAX_DIMENSIONS || v->type >= DAP_TYPE_COUNT)
    abort();
  for (size_t d = 0; d < v->rank; d++)
    if (v->shape[d] > SIZE_MAX / 2 || (v->names[d] && !*v->names[d]))
      abort();
}

static void check_tree(const struct zarr_json *value, unsigned depth)
{
  if (depth > 32 || (value->kind == ZARR_JSON_TEXT && !value->text) ||
      (value->kind == ZARR_JSON_NUMBER && !value->text))
    abort();
  for (const struct zarr_json *v = value->first; v; v = v->next) {
    if (value->kind == ZARR_JSON_OBJECT && !v->key)
      abort();
    check_tree(v, depth + 1);
  }
}

static void read_both(struct arena *arena, const char *text, size_t length)
{
  struct error first = {0}, second = {0};
  struct dap_dataset dataset = {.count = 0};
  const int status = dap_dataset_read(arena, text, length, &dataset, &first);
  const struct zarr_json *all = dap_attributes_read(arena, text, length, &second);
  if ((status == 0) == error_is_set(&first) || (all != NULL) == error_is_set(&second))
    abort();
  for (size_t i = 0; status == 0 && i < dataset.count; i++)
    check_variable(&dataset.variables[i]);
  if (all) {
    static const struct dap_variable variable = {.name = "a.b.t", .grid = "t"};
    check_tree(all, 0);
    dap_attributes_of(all, &variable);
    dap_attributes_global(all);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct arena *arena = arena_new(64 << 20);
  char *text = malloc(size ? size : 1); /* without a NUL behind it */
  if (text && arena && size > 0) {
    memcpy(text, data, size);
    read_both(arena, text, size);
  }
  free(text);
  arena_free(arena);
  return 0;
}
