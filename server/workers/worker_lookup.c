/* A question and its answer, one after the other: the server answers while it waits for the reply. A process that is
 * published on the web is held against its address: what is wrong with it is wrong there, not in the graph that names
 * it. */
#include "server/workers/worker_lookup.h"

#include "server/error_table.h"

#include <string.h>

/* Whether a namespace is an address, of whatever scheme. */
static bool is_remote(const char *space)
{
  return strstr(space, "://") != NULL;
}

/* Sends the question; the answer's frame on success. */
static int ask(const struct worker_lookup *lookup, const char *space, const char *id, struct buffer *frame,
               struct error *error)
{
  if (frame_send(lookup->fd, FRAME_ASK, space, strlen(space) + 1, id, strlen(id) + 1) != 0 ||
      frame_receive(lookup->fd, frame) != FRAME_TELL || frame->length < sizeof(struct tell_header))
    return error_set(error, ERROR_Internal, "the server does not answer where '%.200s' is asked for", id);
  struct tell_header header;
  memcpy(&header, frame->data, sizeof header);
  if (!error_is_set(&header.error))
    return 0;
  *error = header.error;
  return -1;
}

/* A definition that is not what its namespace promises. */
static int blame_remote(const struct graph_call *call, struct error *error)
{
  char reason[ERROR_TEXT_SIZE];
  if (error_is(error, ERROR_Internal))
    return -1;
  error_text(error, reason);
  *error = (struct error){{0}, {0}, {0}, {0}};
  return error_set(error, ERROR_ProcessNamespaceInvalid,
                   "the value passed for namespace '%.200s' in process '%.100s' is invalid: %s", call->space, call->id,
                   reason);
}

static int define(struct arena *arena, const struct graph_call *call, const char *json, size_t length,
                  struct process_entry *out, struct error *error)
{
  int status = process_define(arena, json, length, out, error);
  if (status == 0 && strcmp(out->id, call->id) != 0)
    status = error_set(error, ERROR_ProcessInvalid, "it has the id '%s'", out->id);
  return status == 0 || !is_remote(call->space) ? status : blame_remote(call, error);
}

static const struct process_entry *find(void *context, struct arena *arena, const char *space, const char *id,
                                        struct error *error)
{
  const struct worker_lookup *lookup = context;
  struct buffer frame = {0};
  if (!is_remote(space) && (!lookup->task->has_own || strcmp(space, "user") != 0))
    return NULL;
  struct process_entry *entry = NULL;
  const size_t head = sizeof(struct tell_header);
  if (ask(lookup, space, id, &frame, error) == 0 && frame.length > head) {
    entry = ARENA_NEW(arena, struct process_entry);
    if (entry == NULL)
      error_memory(error);
    else if (define(arena, &(struct graph_call){space, id}, frame.data + head, frame.length - head, entry, error) != 0)
      entry = NULL;
  }
  buffer_free(&frame);
  return entry;
}

/* The text that a question is answered with, or NULL. */
static int ask_text(const struct worker_lookup *lookup, const char *space, const char *id, struct arena *arena,
                    const char **out, struct error *error)
{
  struct buffer frame = {0};
  const size_t head = sizeof(struct tell_header);
  int status = ask(lookup, space, id, &frame, error);
  *out = NULL;
  if (status == 0 && frame.length > head) {
    *out = arena_printf(arena, "%.*s", (int)(frame.length - head), frame.data + head);
    status = *out != NULL ? 0 : error_memory(error);
  }
  buffer_free(&frame);
  return status;
}

int worker_lookup_results(void *context, struct arena *arena, const char *url, const char **out, struct error *error)
{
  return ask_text(context, ask_results, url, arena, out, error);
}

/* What is only looked at is not computed: 0 where nobody has the collection anyway. */
static int refuse_to_ask(const struct worker_lookup *lookup, struct arena *arena, const char *collection,
                         struct error *error)
{
  const char *offered;
  if (ask_text(lookup, ask_offered, collection, arena, &offered, error) != 0)
    return -1;
  if (offered == NULL)
    return 0;
  return error_set(error, lookup->task->kind == TASK_ESTIMATE ? ERROR_EstimateComplexity : ERROR_FeatureUnsupported,
                   "what '%.200s' is like is known when its back-end has computed it, in a request or a job",
                   collection);
}

int worker_lookup_elsewhere(void *context, struct arena *arena, const struct elsewhere *wanted, const char **out,
                            struct error *error)
{
  const struct worker_lookup *lookup = context;
  struct buffer request = {0};
  struct json_writer w = {.out = &request};
  *out = NULL;
  if (lookup->task->kind != TASK_EXECUTE)
    return refuse_to_ask(lookup, arena, wanted->collection, error);
  json_write_object(&w);
  json_kv_string(&w, "collection", wanted->collection);
  json_kv_number(&w, "bytes", wanted->bytes);
  json_kv_bool(&w, "is_raster", wanted->is_raster);
  json_key(&w, "process_graph");
  json_write_raw(&w, wanted->graph, strlen(wanted->graph));
  json_end_object(&w);
  int status = request.failed ? error_memory(error) : ask_text(lookup, ask_elsewhere, request.data, arena, out, error);
  buffer_free(&request);
  return status;
}

int worker_lookup_offered(void *context, struct arena *arena, const char *collection, const char **out,
                          struct error *error)
{
  const struct worker_lookup *lookup = context;
  *out = NULL;
  if (lookup->task->kind == TASK_ESTIMATE || lookup->task->kind == TASK_MAP)
    return 0;
  return ask_text(lookup, ask_offered, collection, arena, out, error);
}

int worker_lookup_workspace(void *context, const char *name, bool *is_there, struct error *error)
{
  struct buffer frame = {0};
  const int status = ask(context, ask_workspace, name, &frame, error);
  *is_there = status == 0 && frame.length > sizeof(struct tell_header);
  buffer_free(&frame);
  return status;
}

int worker_lookup_collection(void *context, const char *id, struct error *error)
{
  const struct worker_lookup *lookup = context;
  struct buffer frame = {0};
  if (lookup->task->kind == TASK_EXECUTE && !lookup->task->job)
    return error_set(error, ERROR_FeatureUnsupported, "collections are published by batch jobs only");
  const int status = ask(context, ask_collection, id, &frame, error);
  buffer_free(&frame);
  return status;
}

int worker_lookup_send(void *context, const char *request, struct error *error)
{
  struct buffer frame = {0};
  const int status = ask(context, ask_send, request, &frame, error);
  buffer_free(&frame);
  return status;
}

struct process_lookup worker_lookup_make(struct worker_lookup *lookup)
{
  return (struct process_lookup){.find = find, .context = lookup};
}
