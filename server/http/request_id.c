/* Whoever stands before us (a proxy, a client) may name requests: but nothing that could end a line or a header. */
#include "server/http/request_id.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

static bool is_sane(const char *id)
{
  const size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
  return length > 0 && length < HTTP_ID_SIZE && id[length] == '\0';
}

void request_id_choose(const char *given, char out[HTTP_ID_SIZE])
{
  unsigned char random[16];
  if (given != NULL && is_sane(given)) {
    memcpy(out, given, strlen(given) + 1);
    return;
  }
  randombytes_buf(random, sizeof random);
  sodium_bin2hex(out, HTTP_ID_SIZE, random, sizeof random);
}
