/* Begin: POST KEY?uploads, which names the upload. Each part: PUT KEY?partNumber&uploadId, answered by its ETag. End:
 * POST KEY?uploadId with the list of these, whose answer may be an error although its status is 200; or DELETE. */
#include "server/export/send_parts.h"

#include "server/sources/xml_tree.h"

#include "datacube/base/arena.h"
#include "stac/href.h"

#include <stdio.h>
#include <string.h>

enum { ID_SIZE = 1024 };

struct parted_file {
  struct sender *sender;
  const struct send_request *whole;
  char id[ID_SIZE];   /* as it stands in addresses */
  struct buffer list; /* of the parts that were sent */
};

static bool is_success(long status)
{
  return status >= 200 && status < 300;
}

/* The answer's body is the caller's where this was a success. */
static int ask(const struct parted_file *u, const struct send_request *request, struct send_answer *answer,
               struct error *error)
{
  if (send_request(u->sender, request, answer, error) != 0)
    return -1;
  if (is_success(answer->status))
    return 0;
  buffer_free(&answer->body);
  return send_refused(request, answer, error);
}

static int no_answer(const struct parted_file *u, const char *what, struct error *error)
{
  return error_set(error, ERROR_StorageFailure, "%.200s: its server %s", u->whole->url, what);
}

/* The text of a child of the answer's root, which is of that name. */
static int read_answer(const struct parted_file *u, const struct buffer *body, const char *name, const char *child,
                       char out[ID_SIZE], struct error *error)
{
  struct arena *arena = arena_new(0);
  struct error reason = {0};
  const struct xml_element *root = arena ? xml_parse(arena, body->data ? body->data : "", body->length, &reason) : NULL;
  const char *text = root && strcmp(root->name, name) == 0 ? xml_child_text(root, child) : NULL;
  const char *code = root && strcmp(root->name, "Error") == 0 ? xml_child_text(root, "Code") : NULL;
  int status = 0;
  if (code)
    status = error_set(error, ERROR_StorageFailure, "%.200s: its server answers %.80s", u->whole->url, code);
  else if (!text || snprintf(out, ID_SIZE, "%s", text) >= ID_SIZE)
    status = no_answer(u, "answers a file in parts with something else than S3 does", error);
  arena_free(arena);
  return status;
}

static int begin(struct parted_file *u, struct error *error)
{
  const struct send_request request = {
      .method = "POST", .url = u->whole->url, .query = "uploads=", .type = u->whole->type, .fd = -1, .text = ""};
  struct send_answer answer;
  struct buffer encoded = {0};
  char id[ID_SIZE];
  if (ask(u, &request, &answer, error) != 0)
    return -1;
  int status = read_answer(u, &answer.body, "InitiateMultipartUploadResult", "UploadId", id, error);
  buffer_free(&answer.body);
  if (status == 0)
    href_encode(id, &encoded);
  if (status == 0 && (encoded.failed || !encoded.data || encoded.length >= ID_SIZE))
    status = no_answer(u, "names an upload by nothing that can be repeated", error);
  if (status == 0)
    snprintf(u->id, sizeof u->id, "%s", encoded.data);
  buffer_free(&encoded);
  return status;
}

static int send_part(struct parted_file *u, unsigned number, uint64_t start, uint64_t size, struct error *error)
{
  char query[ID_SIZE + 64];
  struct send_request request = *u->whole;
  struct send_answer answer;
  snprintf(query, sizeof query, "partNumber=%u&uploadId=%s", number, u->id);
  request.query = query;
  request.match = NULL;
  request.start = start;
  request.size = size;
  if (ask(u, &request, &answer, error) != 0)
    return -1;
  buffer_free(&answer.body);
  if (answer.etag[0] == '\0' || strpbrk(answer.etag, "<&>") != NULL)
    return no_answer(u, "answers a part without a name for it", error);
  buffer_printf(&u->list, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>", number, answer.etag);
  return 0;
}

static int send_all(struct parted_file *u, uint64_t part, struct error *error)
{
  const uint64_t size = u->whole->size, least = (size + SEND_PARTS_MOST - 1) / SEND_PARTS_MOST;
  part = part > least ? part : least;
  buffer_text(&u->list, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
  unsigned number = 1;
  for (uint64_t at = 0; at < size; at += part)
    if (send_part(u, number++, at, size - at < part ? size - at : part, error) != 0)
      return -1;
  buffer_text(&u->list, "</CompleteMultipartUpload>");
  return u->list.failed ? error_memory(error) : 0;
}

static int complete(const struct parted_file *u, struct error *error)
{
  char query[ID_SIZE + 64], etag[ID_SIZE];
  snprintf(query, sizeof query, "uploadId=%s", u->id);
  const struct send_request request = {.method = "POST",
                                       .url = u->whole->url,
                                       .query = query,
                                       .type = "application/xml",
                                       .fd = -1,
                                       .text = u->list.data,
                                       .size = u->list.length,
                                       .match = u->whole->match};
  struct send_answer answer;
  struct error reason = {0};
  if (ask(u, &request, &answer, &reason) != 0) {
    if (answer.was_repeated && answer.status == 404) /* the try before was heard: the upload is no more */
      return 0;
    *error = reason;
    return -1;
  }
  const int status = read_answer(u, &answer.body, "CompleteMultipartUploadResult", "ETag", etag, error);
  buffer_free(&answer.body);
  return status;
}

/* Also where nobody waits any more. */
static void abandon(const struct parted_file *u)
{
  char query[ID_SIZE + 64];
  snprintf(query, sizeof query, "uploadId=%s", u->id);
  const struct send_request request = {.method = "DELETE", .url = u->whole->url, .query = query, .fd = -1};
  struct send_answer answer;
  struct error ignored = {0};
  const int control = u->sender->control;
  u->sender->control = -1;
  if (send_request(u->sender, &request, &answer, &ignored) == 0)
    buffer_free(&answer.body);
  u->sender->control = control;
}

int send_parts(struct sender *sender, const struct send_request *whole, uint64_t part, struct error *error)
{
  struct parted_file u = {.sender = sender, .whole = whole};
  if (begin(&u, error) != 0)
    return -1;
  const int status = send_all(&u, part, error) == 0 ? complete(&u, error) : -1;
  if (status != 0)
    abandon(&u);
  buffer_free(&u.list);
  return status;
}
