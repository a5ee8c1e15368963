/* Fuzzing what the server reads of a request before anything else looks at it: path, percent signs, the document of a
 * job in the body, signatures, and the frames between server and workers. The input is cut at line feeds. */
#include "server/auth/bearer.h"
#include "server/definitions/definition_pick.h"
#include "server/http/http.h"
#include "server/http/json_text.h"
#include "server/http/api_version.h"
#include "server/http/route_table.h"
#include "server/auth/signed_url.h"
#include "server/workers/worker_protocol.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static void must(bool condition)
{
  if (!condition)
    abort();
}

/* The next line as a text of its own, on the heap: a read past its end is seen. */
static char *next_line(const uint8_t **data, size_t *size)
{
  const uint8_t *end = *size ? memchr(*data, '\n', *size) : NULL;
  size_t length = end ? (size_t)(end - *data) : *size;
  char *line = malloc(length + 1);
  if (!line)
    abort();
  if (length)
    memcpy(line, *data, length);
  line[length] = '\0';
  *data += end ? length + 1 : length;
  *size -= end ? length + 1 : length;
  return line;
}

static void check_route(const char *method, const char *path)
{
  char parameters[MAX_PATH_PARAMETERS][PATH_PARAMETER_SIZE];
  struct route_match match;
  memset(parameters, 0, sizeof parameters);
  route_find(method, path, &match, parameters);
  api_version_is_unknown(path);
  must(strlen(match.methods) < sizeof match.methods);
  must(!match.route || match.path_known);
  for (size_t i = 0; i < MAX_PATH_PARAMETERS; i++) {
    must(memchr(parameters[i], '\0', PATH_PARAMETER_SIZE) != NULL);
    for (const char *c = parameters[i]; match.route && *c; c++)
      must((unsigned char)*c >= 0x20);
  }
}

static void check_decoding(const char *text)
{
  for (size_t room = 1; room < 40; room += 13) {
    char *out = malloc(room);
    if (out && http_decode(text, strlen(text), out, room) == 0)
      must(strlen(out) < room);
    free(out);
  }
}

static void check_members(const char *text, size_t length)
{
  static const char *const names[] = {"process", "title", "plan", ""};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t found = 0;
    const char *value = json_text_member(text, length, names[i], &found);
    must(!value || (value >= text && found <= length && value + found <= text + length));
  }
}

static void check_definition(const char *text, size_t length)
{
  const struct buffer document = {.data = (char *)(uintptr_t)text, .length = length};
  struct buffer reason = {0};
  struct definition_piece piece;
  const bool found = definition_pick(&document, "p", &piece, &reason);
  must(found == (reason.length == 0));
  must(!found || (piece.json >= text && piece.length <= length && piece.json + piece.length <= text + length));
  buffer_free(&reason);
}

static void check_signature(const char *job, const char *name, const char *signature)
{
  static const unsigned char secret[32] = {1, 2, 3};
  const struct signed_link link = {.job = job, .name = name, .version = "1", .expires = 1700000000};
  struct signed_link later = link, newer = link;
  char good[SIGNATURE_SIZE];
  later.expires++;
  newer.version = "2";
  signed_url_sign(secret, &link, good);
  must(signed_url_check(secret, &link, good) == 0 && signed_url_is_current(secret, &link, good) == 0);
  must(signed_url_check(secret, &later, good) != 0 && signed_url_is_current(secret, &newer, good) != 0);
  must(signed_url_check(secret, &link, signature) != 0 || strcmp(good, signature) == 0);
}

/* What is found as text is what a JSON parser finds. */
static void check_agreement(const char *text, size_t length)
{
  json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
  size_t found = 0;
  const char *process = json_text_member(text, length, "process", &found);
  const json_t *parsed = json_is_object(root) ? json_object_get(root, "process") : NULL;
  if (process && parsed) {
    json_t *again = json_loadb(process, found, JSON_DECODE_ANY, NULL);
    must(json_equal(again, parsed));
    json_decref(again);
  }
  json_decref(root);
}

/* A token lies within its header, and is of a form that the header allows. */
static void check_authorization(const char *header)
{
  struct error error = {0};
  struct bearer bearer;
  if (bearer_read(header, &bearer, &error) != 0) {
    must(error_is_set(&error));
    return;
  }
  must(bearer.token > header && bearer.token < header + strlen(header));
  must((bearer.kind == BEARER_PROVIDER) == (bearer.provider[0] != '\0'));
  must(bearer.kind == BEARER_BASIC || bearer.kind == BEARER_PROVIDER || strchr(bearer.token, '/') == NULL);
}

/* Bytes from a worker that went mad. */
static void check_frames(const uint8_t *data, size_t size)
{
  int pair[2];
  struct buffer frame = {0};
  if (size > 4096 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
    return;
  if (write(pair[0], data, size) == (ssize_t)size) {
    close(pair[0]);
    pair[0] = -1;
    for (int kind = 1; kind > 0;)
      kind = frame_receive(pair[1], &frame);
  }
  buffer_free(&frame);
  if (pair[0] >= 0)
    close(pair[0]);
  close(pair[1]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc;
  (void)argv;
  return sodium_init() < 0 ? 1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size > 0 && data[0] == 'F') {
    check_frames(data + 1, size - 1);
    return 0;
  }
  char *method = next_line(&data, &size), *path = next_line(&data, &size), *job = next_line(&data, &size);
  check_route(method, path);
  check_decoding(path);
  check_signature(job, path, method);
  char *body = malloc(size ? size : 1);
  if (body && size)
    memcpy(body, data, size);
  check_authorization(job);
  if (body) {
    check_members(body, size);
    check_definition(body, size);
    check_agreement(body, size);
  }
  free(method);
  free(path);
  free(job);
  free(body);
  return 0;
}
