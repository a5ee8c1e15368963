/* Users' own processes: stored definitions, whole and in lists. A definition is read once, when it is stored, and kept
 * as it was sent but for its id, which is the path's. */
#include "server/endpoints/endpoints.h"

#include "server/http/json_text.h"
#include "server/http/request_json.h"
#include "server/store/store_processes.h"

#include "processes/graph/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DOCUMENT = 1024 * 1024, PAGE_BYTES = 4 * 1024 * 1024 };

/* ---- definitions ------------------------------------------------------------------------------------------------ */

static const struct member_rule { /* a member that the API defines */
  const char *name;
  const char *starts; /* characters that a value of its type starts with */
  const char *type;
  bool is_listed; /* also part of lists */
} member_rules[] = {
    {"summary", "\"", "a string", true},
    {"description", "\"", "a string", true},
    {"categories", "[", "an array", true},
    {"parameters", "[", "an array", true},
    {"returns", "{", "an object", true},
    {"deprecated", "tf", "a boolean", true},
    {"experimental", "tf", "a boolean", true},
    {"exceptions", "{", "an object", false},
    {"examples", "[", "an array", false},
    {"links", "[", "an array", false},
    {"process_graph", "{", "an object", false},
    {"default_job_options", "{", "an object", false},
    {"default_synchronous_options", "{", "an object", false},
    {"default_service_options", "{", "an object", false},
};

static const struct member_rule *rule_of(const struct text_member *member)
{
  for (size_t i = 0; i < sizeof member_rules / sizeof member_rules[0]; i++)
    if (text_member_is(member, member_rules[i].name))
      return &member_rules[i];
  return NULL;
}

static void copy_member(struct buffer *out, const struct text_member *member)
{
  buffer_printf(out, ",\"%.*s\":", (int)member->name_length, member->name);
  buffer_add(out, member->value, member->value_length);
}

struct definition_texts { /* of a definition */
  struct buffer whole, brief;
};

/* A null is as good as nothing. */
static int copy_members(const struct buffer *body, struct definition_texts *out, struct error *error)
{
  struct text_member member;
  size_t at = 0;
  while (json_text_next(body->data, body->length, &at, &member)) {
    const struct member_rule *rule = rule_of(&member);
    if (text_member_is(&member, "id") || member.value[0] == 'n')
      continue;
    if (memchr(member.name, '\\', member.name_length) != NULL)
      return error_set(error, ERROR_ProcessInvalid, "the names of a process's members are written without escapes");
    if (rule != NULL && strchr(rule->starts, member.value[0]) == NULL)
      return error_parameter(error, ERROR_ProcessInvalid, rule->name, "wants %s", rule->type);
    copy_member(&out->whole, &member);
    if (rule != NULL && rule->is_listed)
      copy_member(&out->brief, &member);
  }
  return 0;
}

static int make_documents(const struct exchange *exchange, struct definition_texts *out, struct error *error)
{
  const char *id = exchange->parameters[0];
  buffer_printf(&out->whole, "{\"id\":\"%s\"", id);
  buffer_printf(&out->brief, "{\"id\":\"%s\"", id);
  if (copy_members(http_body(exchange->http), out, error) != 0)
    return -1;
  buffer_text(&out->whole, "}");
  buffer_text(&out->brief, "}");
  return out->whole.failed || out->brief.failed ? error_memory(error) : 0;
}

/* Notes what may be another process of the user. */
static int note_call(void *data, const struct graph_call *call)
{
  bool is_own = call->space == NULL ? process_table_find(call->id) == NULL : strcmp(call->space, "user") == 0;
  if (is_own && strchr(call->id, '\n') == NULL)
    buffer_printf(data, "%s\n", call->id);
  return 0;
}

/* Reads the whole document as a worker will; `calls` gets what it calls. */
static int check_definition(const struct definition_texts *documents, struct buffer *calls, struct error *error)
{
  struct process_entry entry;
  struct arena *arena = arena_new(64 * documents->whole.length + MAX_DOCUMENT);
  buffer_text(calls, "");
  if (arena == NULL)
    return error_memory(error);
  int status = process_define(arena, documents->whole.data, documents->whole.length, &entry, error);
  if (status != 0)
    graph_blame(arena, error);
  else
    graph_calls(entry.body, note_call, calls);
  arena_free(arena);
  return status == 0 && calls->failed ? error_memory(error) : status;
}

static bool id_is_valid(const char *id)
{
  size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.~");
  return length > 0 && id[length] == '\0' && length < PROCESS_ID_SIZE;
}

/* What can be said before the body is read as JSON. */
static int check_request(struct exchange *exchange, struct error *error)
{
  const char *id = exchange->parameters[0];
  const struct buffer *body = http_body(exchange->http);
  if (!id_is_valid(id))
    return error_set(error, ERROR_ProcessInvalid,
                     "the id of a process has 1 to %d letters, digits, or characters of '_-.~'", PROCESS_ID_SIZE - 1);
  if (process_table_find(id) != NULL)
    return error_set(error, ERROR_PredefinedProcessExists, "'%s' is a process of this server: choose another id", id);
  if (body->length > MAX_DOCUMENT)
    return error_set(error, ERROR_ProcessGraphComplexity, "a stored process takes at most %d bytes", (int)MAX_DOCUMENT);
  if (!http_hold(exchange->http, 66 * body->length + MAX_DOCUMENT))
    return error_set(error, ERROR_InfrastructureBusy, "too many bodies are being read; please try again");
  return request_check_object(exchange, error);
}

void put_process_graph(struct exchange *exchange)
{
  struct error error = {0};
  struct definition_texts documents = {0};
  struct buffer calls = {0};
  int status = check_request(exchange, &error);
  if (status == 0)
    status = make_documents(exchange, &documents, &error);
  if (status == 0)
    status = check_definition(&documents, &calls, &error);
  const struct stored_process process = {exchange->parameters[0], documents.whole.data, documents.brief.data,
                                         calls.data};
  if (status == 0)
    status = store_process_put(exchange->store, exchange->user, &process, &error);
  buffer_free(&documents.whole);
  buffer_free(&documents.brief);
  buffer_free(&calls);
  if (status == 0)
    reply_empty(exchange, 200);
  else
    reply_error(exchange, &error);
}

/* ---- reading and removing --------------------------------------------------------------------------------------- */

static void reply_not_found(struct exchange *exchange)
{
  reply_code(exchange, ERROR_ProcessGraphNotFound, "you have no process '%s'", exchange->parameters[0]);
}

void get_process_graph(struct exchange *exchange)
{
  struct error error = {0};
  struct buffer json = {0};
  char *document = NULL;
  if (store_process_get(exchange->store, exchange->user, exchange->parameters[0], &document, &error) != 0) {
    reply_error(exchange, &error);
    return;
  }
  if (document == NULL) {
    reply_not_found(exchange);
    return;
  }
  buffer_text(&json, document);
  free(document);
  reply_json(exchange, 200, &json);
}

void delete_process_graph(struct exchange *exchange)
{
  struct error error = {0};
  bool found = false;
  if (store_process_delete(exchange->store, exchange->user, exchange->parameters[0], &found, &error) != 0)
    reply_error(exchange, &error);
  else if (!found)
    reply_not_found(exchange);
  else
    reply_empty(exchange, 204);
}

struct process_page {
  struct federation *federation; /* or NULL */
  struct json_writer *w;
  long limit, written;
  char last[PROCESS_ID_SIZE];
  bool more;
};

static bool write_listed(void *data, const char *id, const char *brief)
{
  struct process_page *page = data;
  page->more = page->written == page->limit || (page->written > 0 && page->w->out->length > PAGE_BYTES);
  if (page->more)
    return false;
  if (page->federation != NULL)
    write_supported(page->federation, NULL, brief, strlen(brief), page->w);
  else
    json_write_raw(page->w, brief, strlen(brief));
  snprintf(page->last, sizeof page->last, "%s", id);
  page->written++;
  return true;
}

static void write_page_links(struct json_writer *w, const struct exchange *exchange, const struct process_page *page)
{
  char path[PROCESS_ID_SIZE + 64];
  json_key(w, "links");
  json_write_array(w);
  if (page->more) {
    snprintf(path, sizeof path, "/process_graphs?limit=%ld&after=%s", page->limit, page->last);
    write_link(w, "next", exchange->base, path, "application/json", NULL);
  }
  json_end_array(w);
}

/* The page begins behind the id `after`: no process need have it any more. */
static int read_after(const struct exchange *exchange, char out[PROCESS_ID_SIZE], struct error *error)
{
  out[0] = '\0';
  int given = http_query(exchange->http, "after", out, PROCESS_ID_SIZE);
  if (given == 0 || (given > 0 && id_is_valid(out)))
    return 0;
  return error_parameter(error, ERROR_QueryParameterInvalid, "after", "is no position in the list");
}

void get_process_graphs(struct exchange *exchange)
{
  struct error error = {0};
  struct buffer json = {0};
  struct json_writer w = {.out = &json};
  struct process_page page = {.federation = asked_federation(exchange), .w = &w};
  char after[PROCESS_ID_SIZE];
  int status = read_limit(exchange, &page.limit, &error);
  if (status == 0)
    status = read_after(exchange, after, &error);
  if (page.limit == 0)
    page.limit = PROCESS_MAX_COUNT;
  json_write_object(&w);
  json_key(&w, "processes");
  json_write_array(&w);
  if (status == 0)
    status = store_process_list(exchange->store, exchange->user, after, write_listed, &page, &error);
  json_end_array(&w);
  write_page_links(&w, exchange, &page);
  json_end_object(&w);
  reply_made(exchange, status, &json, &error);
}
