/* The stream's states, and the bytes that each lets through. RFC 9112, sections 3 to 7. */
#include "server/http/gate.h"

#include <string.h>

enum { CHUNK_LINE_MOST = 256, TRAILER_MOST = 4096 };

void gate_free(struct gate *gate)
{
  buffer_free(&gate->in);
  buffer_free(&gate->out);
}

static void let_out(struct gate *gate, const char *bytes, size_t size)
{
  buffer_add(&gate->out, bytes, size);
}

/* Nothing comes out any more but a request in place of the bad one, or the end of the body that is under way. */
static void shut(struct gate *gate, const char *replacement, struct head_fault fault)
{
  let_out(gate, replacement, strlen(replacement));
  gate->fault = fault;
  gate->state = GATE_SHUT;
}

static void refuse_head(struct gate *gate, const char *bytes, size_t size, struct head_fault fault)
{
  const bool is_head = size >= 5 && memcmp(bytes, "HEAD ", 5) == 0; /* its answer has no body */
  shut(gate,
       is_head ? "HEAD / HTTP/1.1\r\nHost: none\r\nConnection: close\r\n\r\n"
               : "GET / HTTP/1.1\r\nHost: none\r\nConnection: close\r\n\r\n",
       fault);
  gate->requests++;
}

static void refuse_chunk(struct gate *gate, const char *reason)
{
  shut(gate, gate->state == GATE_CHUNK_END ? "\r\n0\r\n\r\n" : "0\r\n\r\n",
       (struct head_fault){ERROR_RequestMalformed, reason});
}

/* ---- heads ---- */

/* A target in absolute form becomes a path, and its authority the host. */
static void let_absolute_out(struct gate *gate, const char *bytes, const struct request_head *head)
{
  const size_t host_end = head->host.at + head->host.size;
  let_out(gate, bytes, head->method_size + 1);
  if (head->path.size == 0 || bytes[head->path.at] != '/')
    let_out(gate, "/", 1);
  let_out(gate, bytes + head->path.at, head->line_size - head->path.at);
  let_out(gate, "Host: ", 6);
  let_out(gate, bytes + head->authority.at, head->authority.size);
  let_out(gate, "\r\n", 2);
  if (head->host.size == 0) {
    let_out(gate, bytes + head->line_size, head->size - head->line_size);
    return;
  }
  let_out(gate, bytes + head->line_size, head->host.at - head->line_size);
  let_out(gate, bytes + host_end, head->size - host_end);
}

/* Each of these takes what it can of the bytes, and says how many; 0: it wants more, or has changed the state. */
static size_t pass_head(struct gate *gate, const char *bytes, size_t size)
{
  struct request_head head;
  struct head_fault fault;
  if (!gate->has_blank && bytes[0] == '\r' && (size == 1 || bytes[1] == '\n')) {
    gate->has_blank = size > 1;
    return size > 1 ? 2 : 0;
  }
  const enum head_state state = head_check(bytes, size, &head, &fault);
  if (state == HEAD_PARTIAL)
    return 0;
  gate->has_blank = false;
  if (state == HEAD_BAD || gate->unwelcome.code != ERROR_NONE) {
    refuse_head(gate, bytes, size, state == HEAD_BAD ? fault : gate->unwelcome);
    return 0;
  }
  if (head.authority.size > 0)
    let_absolute_out(gate, bytes, &head);
  else
    let_out(gate, bytes, head.size);
  gate->requests++;
  gate->left = head.body_size;
  gate->state = head.is_chunked ? GATE_CHUNK_SIZE : head.body_size > 0 ? GATE_BODY : GATE_HEAD;
  return head.size;
}

/* ---- bodies ---- */

static void note_data(struct gate *gate, size_t count)
{
  gate->left -= count;
  if (gate->left == 0)
    gate->state = gate->state == GATE_BODY ? GATE_HEAD : GATE_CHUNK_END;
}

static size_t pass_data(struct gate *gate, const char *bytes, size_t size)
{
  const size_t count = gate->left < size ? (size_t)gate->left : size;
  let_out(gate, bytes, count);
  note_data(gate, count);
  return count;
}

static size_t pass_chunk_end(struct gate *gate, const char *bytes, size_t size)
{
  if (bytes[0] != '\r' || (size > 1 && bytes[1] != '\n')) {
    refuse_chunk(gate, "a chunk of the body is not followed by the end of a line");
    return 0;
  }
  if (size < 2)
    return 0;
  let_out(gate, "\r\n", 2);
  gate->state = GATE_CHUNK_SIZE;
  return 2;
}

static int digit_of(char c)
{
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/* Bytes of a line without its end; -1: it goes on; -2: it is too long, or has no proper end. */
static long line_length(const char *bytes, size_t size, size_t most)
{
  const char *end = memchr(bytes, '\n', size < most ? size : most);
  if (end == NULL)
    return size < most ? -1 : -2;
  return end > bytes && end[-1] == '\r' ? end - bytes - 1 : -2;
}

/* "1a" or "1a;extension": the extension stays here. */
static size_t pass_chunk_size(struct gate *gate, const char *bytes, size_t size)
{
  const long length = line_length(bytes, size, CHUNK_LINE_MOST);
  if (length == -1)
    return 0;
  long digits = 0;
  uint64_t chunk = 0;
  while (digits < length && digits < 15 && digit_of(bytes[digits]) >= 0)
    chunk = chunk * 16 + (uint64_t)digit_of(bytes[digits++]);
  if (digits == 0 || (digits < length && strchr("; \t", bytes[digits]) == NULL)) {
    refuse_chunk(gate, "the size of a chunk of the body is no number");
    return 0;
  }
  gate->left = chunk;
  gate->trailer_size = 0;
  gate->state = chunk > 0 ? GATE_CHUNK : GATE_TRAILER;
  if (chunk > 0) {
    let_out(gate, bytes, (size_t)digits);
    let_out(gate, "\r\n", 2);
  }
  return (size_t)length + 2;
}

/* Fields after the body are read and dropped. */
static size_t pass_trailer(struct gate *gate, const char *bytes, size_t size)
{
  const long length = line_length(bytes, size, TRAILER_MOST - gate->trailer_size);
  if (length == -1)
    return 0;
  if (length == -2 || (length > 0 && !head_field_is_sound(bytes, (size_t)length))) {
    refuse_chunk(gate, "what follows the last chunk of the body are no fields");
    return 0;
  }
  gate->trailer_size += (size_t)length;
  if (length == 0) {
    let_out(gate, "0\r\n\r\n", 5);
    gate->state = GATE_HEAD;
  }
  return (size_t)length + 2;
}

static size_t pass(struct gate *gate, const char *bytes, size_t size)
{
  switch (gate->state) {
  case GATE_HEAD:
    return pass_head(gate, bytes, size);
  case GATE_BODY:
  case GATE_CHUNK:
    return pass_data(gate, bytes, size);
  case GATE_CHUNK_END:
    return pass_chunk_end(gate, bytes, size);
  case GATE_CHUNK_SIZE:
    return pass_chunk_size(gate, bytes, size);
  case GATE_TRAILER:
    return pass_trailer(gate, bytes, size);
  case GATE_SHUT:
    break;
  }
  return size;
}

/* ---- in and out ---- */

void gate_put(struct gate *gate, const char *bytes, size_t size)
{
  buffer_add(&gate->in, bytes, size);
  size_t done = 0, count = 1;
  while (count > 0 && done < gate->in.length) {
    count = pass(gate, gate->in.data + done, gate->in.length - done);
    done += count;
  }
  gate->in.length -= done;
  if (gate->in.length == 0)
    buffer_free(&gate->in);
  else
    memmove(gate->in.data, gate->in.data + done, gate->in.length);
}

size_t gate_take(struct gate *gate, char *out, size_t room)
{
  const size_t left = gate->out.length - gate->taken, count = left < room ? left : room;
  if (count > 0)
    memcpy(out, gate->out.data + gate->taken, count);
  gate->taken += count;
  if (gate->taken == gate->out.length) {
    buffer_free(&gate->out);
    gate->taken = 0;
  }
  return count;
}

bool gate_has_whole(const struct gate *gate, unsigned request)
{
  return gate->requests > request || (gate->requests == request && gate->state == GATE_HEAD);
}

/* Bytes of a body that nobody has to look at: they may be read where they are wanted. */
static size_t straight(const struct gate *gate, size_t room)
{
  const bool is_data = gate->state == GATE_BODY || gate->state == GATE_CHUNK;
  if (!is_data || gate->in.length > 0 || gate->out.length > 0)
    return 0;
  return gate->left < room ? (size_t)gate->left : room;
}

/* The end of what a client sends: it has closed its direction, but still wants the answer to a whole request. */
static ssize_t end_read(struct gate *gate)
{
  const bool is_whole = gate->state == GATE_SHUT || (gate->state == GATE_HEAD && gate->in.length == 0);
  gate->has_ended = true;
  return is_whole && gate->answered != gate->requests ? GATE_WAIT : 0;
}

ssize_t gate_read(struct gate *gate, gate_reader *read, void *source, void *out, size_t room)
{
  char scratch[HEAD_MOST];
  size_t total = gate_take(gate, out, room);
  while (total < room) {
    const size_t wanted = straight(gate, room - total), asked = wanted > 0 ? wanted : sizeof scratch;
    const ssize_t count = read(source, wanted > 0 ? (char *)out + total : scratch, asked);
    if (count <= 0)
      return total > 0 ? (ssize_t)total : count == 0 ? end_read(gate) : count;
    if (wanted > 0) {
      note_data(gate, (size_t)count);
      total += (size_t)count;
    } else {
      gate_put(gate, scratch, (size_t)count);
      total += gate_take(gate, (char *)out + total, room - total);
    }
    if (gate->in.failed || gate->out.failed)
      return 0;
    if (((size_t)count < asked && !gate->is_encrypted) || gate->state == GATE_SHUT)
      break;
  }
  return total > 0 ? (ssize_t)total : GATE_WAIT;
}
