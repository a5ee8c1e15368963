/* Fuzzer of the request path: paths, percent signs, headers, JSON members, frames - all that reads a stranger's bytes
 * before a worker does. Build with clang -fsanitize=fuzzer,address; the input is cut at its first line feed into a path
 * and a body. */
#include "server/auth.h"
#include "server/json_text.h"
#include "server/route_table.h"
#include "server/signed_url.h"
#include "server/worker_protocol.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_path(const char *path)
{
  static const char *const methods[] = {"GET", "HEAD", "POST", "DELETE", "PUT", "OPTIONS"};
  char parameters[MAX_PATH_PARAMETERS][PATH_PARAMETER_SIZE];
  struct route_match match;
  route_find(methods[strlen(path) % 6], path, &match, parameters);
  route_other_version(path);
  char decoded[64];
  http_decode(path, strlen(path), decoded, sizeof decoded);
}

static void try_header(const char *text)
{
  struct error error = {0};
  char user[USER_NAME_SIZE];
  const unsigned char secret[32] = {0};
  /* Without a token of the right form the store is never asked, so there is none. */
  if (strncmp(text, "Bearer basic//", 14) != 0 && strcasestr(text, "basic//") == NULL)
    auth_user(NULL, text, user, &error);
  signed_url_check(secret, text, text, (int64_t)strlen(text), text);
}

static void try_body(const char *body, size_t length)
{
  json_t *root = json_loadb(body, length, JSON_REJECT_DUPLICATES, NULL);
  size_t found = 0;
  const char *text = json_text_member(body, length, "process", &found);
  const json_t *process = json_is_object(root) ? json_object_get(root, "process") : NULL;
  /* What is found as text is what the parser found. */
  if (process != NULL && text != NULL) {
    json_t *again = json_loadb(text, found, JSON_DECODE_ANY, NULL);
    if (!json_equal(again, process))
      abort();
    json_decref(again);
  }
  json_decref(root);
}

static void try_frame(const uint8_t *data, size_t size)
{
  int pair[2];
  struct buffer frame = {.limit = 1 << 20};
  if (size > 32768 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return;
  if (write(pair[0], data, size) == (ssize_t)size) {
    close(pair[0]);
    while (frame_receive(pair[1], &frame) > 0)
      ;
  } else {
    close(pair[0]);
  }
  close(pair[1]);
  buffer_free(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = malloc(size + 1);
  if (text == NULL)
    return 0;
  memcpy(text, data, size);
  text[size] = '\0';
  char *line_end = memchr(text, '\n', size);
  if (line_end != NULL) {
    *line_end = '\0';
    try_body(line_end + 1, (size_t)(text + size - line_end - 1));
  }
  try_path(text);
  try_header(text);
  try_frame(data, size);
  free(text);
  return 0;
}
