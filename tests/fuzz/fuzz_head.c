/* Fuzzing the gate before the HTTP library: whatever comes, and in whatever pieces, the same requests come out; what
 * came out is let through again unchanged; and little is held back. */
#include "server/http/gate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
  if (!condition)
    abort();
}

/* All that comes out of a gate when the bytes come in pieces. */
static struct buffer pass(struct gate *gate, const char *bytes, size_t size, size_t piece)
{
  struct buffer out = {0};
  char some[7];
  for (size_t at = 0; at < size; at += piece) {
    gate_put(gate, bytes + at, piece < size - at ? piece : size - at);
    must(gate->in.length <= HEAD_MOST);
    for (size_t count; (count = gate_take(gate, some, sizeof some)) > 0;)
      buffer_add(&out, some, count);
  }
  must(!out.failed && !gate->in.failed && !gate->out.failed);
  return out;
}

static bool same(const struct buffer *a, const struct buffer *b)
{
  return a->length == b->length && (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const size_t piece = size > 0 ? data[0] % 64 + 1 : 1;
  const char *bytes = (const char *)data;
  struct gate whole = {0}, pieces = {0}, again = {0};
  struct buffer at_once = pass(&whole, bytes, size, size > 0 ? size : 1);
  struct buffer in_pieces = pass(&pieces, bytes, size, piece);
  must(same(&at_once, &in_pieces));
  must(whole.state == pieces.state && whole.requests == pieces.requests && whole.fault.code == pieces.fault.code);
  struct buffer second = pass(&again, at_once.data, at_once.length, piece);
  must(same(&at_once, &second));
  must(again.fault.code == ERROR_NONE && again.requests == whole.requests);
  must(whole.fault.code == ERROR_NONE || whole.state == GATE_SHUT);
  struct gate *gates[] = {&whole, &pieces, &again};
  struct buffer *outs[] = {&at_once, &in_pieces, &second};
  for (size_t i = 0; i < 3; i++) {
    gate_free(gates[i]);
    buffer_free(outs[i]);
  }
  return 0;
}
