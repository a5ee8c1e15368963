/* A question and its answer, one after the other: the server answers while it waits for the reply. */
#include "server/workers/worker_lookup.h"

#include <string.h>

static bool is_remote(const char *space)
{
  return strncmp(space, "https://", 8) == 0 || strncmp(space, "http://", 7) == 0;
}

/* Sends the question; the answer's frame on success. */
static int ask(const struct worker_lookup *lookup, const char *space, const char *id, struct buffer *frame,
               struct error *error)
{
  if (frame_send(lookup->fd, FRAME_ASK, space, strlen(space) + 1, id, strlen(id) + 1) != 0 ||
      frame_receive(lookup->fd, frame) != FRAME_TELL || frame->length < sizeof(struct tell_header))
    return error_set(error, ERROR_Internal, "the server does not answer where process '%s' is asked for", id);
  struct tell_header header;
  memcpy(&header, frame->data, sizeof header);
  if (!error_is_set(&header.error))
    return 0;
  *error = header.error;
  return -1;
}

/* A definition that is not what its namespace promises. */
static int blame_remote(const char *space, const char *id, struct error *error)
{
  struct error found = *error;
  *error = (struct error){{0}, {0}, {0}, {0}};
  return error_set(error, ERROR_ProcessNamespaceInvalid,
                   "the value passed for namespace '%s' in process '%s' is invalid: %s", space, id, found.message);
}

static int define(struct arena *arena, const char *space, const char *id, const struct process_text *text,
                  struct process_entry *out, struct error *error)
{
  if (!is_remote(space))
    return process_define(arena, text->json, text->length, out, error);
  int status = process_define_listed(arena, text, id, out, error);
  if (status == 0 && strcmp(out->id, id) != 0)
    status = error_set(error, ERROR_ProcessInvalid, "it holds process '%s'", out->id);
  return status == 0 ? 0 : blame_remote(space, id, error);
}

static const struct process_entry *find(void *context, struct arena *arena, const char *space, const char *id,
                                        struct error *error)
{
  const struct worker_lookup *lookup = context;
  struct buffer frame = {0};
  if (!is_remote(space) && (!lookup->task->has_own || strcmp(space, "user") != 0))
    return NULL;
  struct process_entry *entry = NULL;
  if (ask(lookup, space, id, &frame, error) == 0 && frame.length > sizeof(struct tell_header)) {
    const struct process_text text = {frame.data + sizeof(struct tell_header),
                                      frame.length - sizeof(struct tell_header)};
    entry = ARENA_NEW(arena, struct process_entry);
    if (entry == NULL)
      error_memory(error);
    else if (define(arena, space, id, &text, entry, error) != 0)
      entry = NULL;
  }
  buffer_free(&frame);
  return entry;
}

struct process_lookup worker_lookup_make(struct worker_lookup *lookup)
{
  return (struct process_lookup){.find = find, .context = lookup};
}
