/* A map is made once for all its tiles of a zoom. After CHECK_MS it is made anew and compared: where files of its
 * sources have changed, the new one takes its place. */
#include "server/services/map_worker.h"

#include "processes/local_files.h"

#include "server/services/map_range.h"
#include "server/services/thumbnail.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPEN_MAPS = 16, CHECK_MS = 10000, MOST_PARAMETERS = 64, MOST_BANDS = 64, MOST_CHOSEN = 16 };

struct open_maps {
  uint64_t clock;
  struct open_map {
    struct hash key;
    struct map *map; /* NULL: free */
    int64_t checked; /* milliseconds */
    uint64_t used;
  } maps[OPEN_MAPS];
};

/* A task whose texts have been read; what it points to lives until asked_free. */
struct asked {
  struct map_task task;
  json_t *choice;
  struct map_request request;
  struct graph_parameter parameters[MOST_PARAMETERS];
  struct local_files scripts; /* no files: what runs users' scripts */
  struct map_label labels[MOST_CHOSEN];
  const char *bands[MOST_BANDS];
  struct hash key; /* of all that the map depends on */
};

struct open_maps *open_maps_new(void)
{
  return calloc(1, sizeof(struct open_maps));
}

void open_maps_free(struct open_maps *maps)
{
  for (size_t i = 0; maps != NULL && i < OPEN_MAPS; i++)
    map_close(maps->maps[i].map);
  free(maps);
}

static int64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- reading the task -------------------------------------------------------------------------------------------- */

static int too_many(struct error *error, const char *what, size_t most)
{
  return error_set(error, ERROR_ProcessGraphComplexity, "a map takes at most %zu %s", most, what);
}

static int read_parameters(struct asked *asked, struct error *error)
{
  const char *name;
  json_t *value, *all = json_object_get(asked->choice, "parameters");
  size_t count = 0;
  if (json_object_size(all) > MOST_PARAMETERS)
    return too_many(error, "parameters", MOST_PARAMETERS);
  json_object_foreach(all, name, value) asked->parameters[count++] =
      (struct graph_parameter){.name = name, .json = json_string_value(value), .is_offered = true};
  asked->request.options.parameters = asked->parameters;
  asked->request.options.parameter_count = count;
  return 0;
}

static int read_choice(struct asked *asked, struct error *error)
{
  struct map_choice *choice = &asked->request.choice;
  const char *name;
  json_t *value, *bands = json_object_get(asked->choice, "bands"), *labels = json_object_get(asked->choice, "labels");
  size_t i;
  if (json_array_size(bands) > MOST_BANDS)
    return too_many(error, "bands", MOST_BANDS);
  if (json_object_size(labels) > MOST_CHOSEN)
    return too_many(error, "dimensions", MOST_CHOSEN);
  choice->datetime = json_string_value(json_object_get(asked->choice, "datetime"));
  json_array_foreach(bands, i, value) asked->bands[choice->band_count++] = json_string_value(value);
  json_object_foreach(labels, name, value) asked->labels[choice->label_count++] =
      (struct map_label){.dimension = name, .label = json_string_value(value)};
  choice->bands = asked->bands;
  choice->labels = asked->labels;
  return read_parameters(asked, error);
}

static int read_task(const char *body, size_t length, struct asked *asked, struct error *error)
{
  struct map_task *task = &asked->task;
  if (length < sizeof *task)
    return error_set(error, ERROR_Internal, "a task for a map is cut off");
  memcpy(task, body, sizeof *task);
  const char *choice = body + sizeof *task;
  length -= sizeof *task;
  if (task->choice_size > length || memchr(task->crs, '\0', sizeof task->crs) == NULL || task->width > MAP_MOST_SIDE ||
      task->height > MAP_MOST_SIDE)
    return error_set(error, ERROR_Internal, "a task for a map makes no sense");
  asked->choice = json_loadb(choice, (size_t)task->choice_size, 0, NULL);
  asked->request.graph = choice + task->choice_size;
  asked->request.graph_length = length - (size_t)task->choice_size;
  asked->request.method = (enum resampling)task->method;
  asked->request.lattice = (struct map_lattice){.crs = task->crs[0] != '\0' ? task->crs : NULL,
                                                .west = task->west,
                                                .north = task->north,
                                                .res_x = task->res_x,
                                                .res_y = task->res_y};
  const double numbers[] = {task->west, task->north, task->res_x, task->res_y, (double)task->method};
  hash_bytes(&asked->key, numbers, sizeof numbers);
  hash_text(&asked->key, task->crs);
  hash_bytes(&asked->key, choice, length);
  return asked->choice == NULL ? error_memory(error) : read_choice(asked, error);
}

/* ---- open maps --------------------------------------------------------------------------------------------------- */

static struct open_map *find(struct open_maps *maps, struct hash key)
{
  for (size_t i = 0; i < OPEN_MAPS; i++)
    if (maps->maps[i].map != NULL && hash_equal(maps->maps[i].key, key))
      return &maps->maps[i];
  return NULL;
}

static struct open_map *longest_unused(struct open_maps *maps)
{
  struct open_map *best = &maps->maps[0];
  for (size_t i = 0; i < OPEN_MAPS && best->map != NULL; i++)
    if (maps->maps[i].map == NULL || maps->maps[i].used < best->used)
      best = &maps->maps[i];
  return best;
}

/* Whether an open map still shows what the files hold; if not, the new one replaces it. */
static int check(struct open_map *open, const struct asked *asked, struct error *error)
{
  struct map *again;
  if (map_open(&asked->request, &again, error) != 0)
    return -1;
  if (hash_equal(map_hash(open->map), map_hash(again))) {
    map_close(again);
  } else {
    map_close(open->map);
    open->map = again;
  }
  open->checked = now_ms();
  return 0;
}

static int take_map(struct open_maps *maps, const struct asked *asked, struct open_map **out, struct error *error)
{
  struct open_map *open = find(maps, asked->key);
  if (open != NULL && now_ms() - open->checked > CHECK_MS && check(open, asked, error) != 0)
    return -1;
  if (open == NULL) {
    struct map *map;
    if (map_open(&asked->request, &map, error) != 0)
      return -1;
    open = longest_unused(maps);
    map_close(open->map);
    *open = (struct open_map){.key = asked->key, .map = map, .checked = now_ms()};
  }
  open->used = ++maps->clock;
  *out = open;
  return 0;
}

/* ---- what is asked ----------------------------------------------------------------------------------------------- */

static void write_values(const struct map_pixels *pixels, struct buffer *out)
{
  struct json_writer w = {.out = out};
  const double *value = pixels->values;
  json_write_array(&w);
  for (size_t p = 0; p < pixels->planes; p++) {
    json_write_array(&w);
    for (size_t y = 0; y < pixels->height; y++) {
      json_write_array(&w);
      for (size_t x = 0; x < pixels->width; x++)
        json_write_number(&w, *value++);
      json_end_array(&w);
    }
    json_end_array(&w);
  }
  json_end_array(&w);
}

static int look(const struct map_surroundings *s, const struct asked *asked, struct buffer *out, struct error *error)
{
  const struct map_task *task = &asked->task;
  const struct map_window window = {task->column, task->row, task->width, task->height};
  struct open_map *open;
  struct map_pixels pixels;
  if (take_map(s->maps, asked, &open, error) != 0)
    return -1;
  if (task->operation == MAP_PICTURE) {
    const struct hash revision = map_hash(open->map);
    buffer_add(out, &revision, sizeof revision);
    if (hash_equal(revision, task->have))
      return 0;
  }
  if (map_read(open->map, &window, s->cancel, &pixels, error) != 0) {
    map_close(open->map); /* what a failed run holds is not to be relied on */
    open->map = NULL;
    return -1;
  }
  int status = 0;
  if (task->operation == MAP_VALUES)
    write_values(&pixels, out);
  else
    status = style_paint(&task->style, &pixels, (enum tile_format)task->format, out, error);
  map_pixels_free(&pixels);
  return status;
}

static int answer(const struct map_surroundings *s, struct asked *asked, struct buffer *out, struct error *error)
{
  switch (asked->task.operation) {
  case MAP_DESCRIBE:
    return map_describe_with_range(&asked->request, out, error);
  case MAP_THUMBNAIL:
    asked->request.options.local = s->local;
    return thumbnail_paint(&asked->request, asked->task.have, out, error);
  default:
    return look(s, asked, out, error);
  }
}

enum map_operation map_operation_of(const char *body, size_t length)
{
  struct map_task task = {.operation = MAP_DESCRIBE};
  if (length >= sizeof task)
    memcpy(&task, body, sizeof task);
  return (enum map_operation)task.operation;
}

int map_work(const struct map_surroundings *s, const char *body, size_t length, struct buffer *out, struct error *error)
{
  struct asked *asked = calloc(1, sizeof *asked);
  if (asked == NULL || s->maps == NULL) {
    free(asked);
    return error_memory(error);
  }
  asked->request.options = (struct graph_options){.lookup = s->lookup,
                                                  .catalogue = s->catalogue,
                                                  .files = s->files,
                                                  .cancel = s->cancel,
                                                  .memory = s->memory,
                                                  .devices = s->devices,
                                                  .threads = 1};
  hash_text(&asked->key, s->files != NULL ? s->files : ""); /* the same graph is another's map */
  hash_text(&asked->key, s->user);
  asked->scripts.interpreters = s->local != NULL ? s->local->interpreters : NULL;
  asked->request.options.local = &asked->scripts;
  int status = read_task(body, length, asked, error);
  if (status == 0)
    status = answer(s, asked, out, error);
  json_decref(asked->choice);
  free(asked);
  return status;
}
