/* What stands between a client's socket and the HTTP library: a stream of bytes goes in, only well-formed requests come
 * out.
 *
 * The library answers what is malformed itself, in HTML and without a word to us, and lets pass what others may read
 * differently. So heads and the frames of chunked bodies are judged here first. In place of a request that is no good
 * comes a plain one, after which nothing more comes: the server answers that with the fault.
 *
 *     in: [ request | request | GET /?<NUL> HTTP/1.1 … ]   out: [ request | request | GET / HTTP/1.1, close ]
 *
 * Used by the thread that polls connections alone. */
#ifndef TWINCUBE_SERVER_HTTP_GATE_H
#define TWINCUBE_SERVER_HTTP_GATE_H

#include "datacube/base/buffer.h"
#include "server/http/head_check.h"

#include <sys/types.h>

enum gate_state {
  GATE_HEAD,
  GATE_BODY,      /* `left` bytes of it */
  GATE_CHUNK,     /* `left` bytes of one */
  GATE_CHUNK_END, /* its line end */
  GATE_CHUNK_SIZE,
  GATE_TRAILER,
  GATE_SHUT /* after a fault: the rest is dropped */
};

/* Zeroed: open, nothing seen. */
struct gate {
  enum gate_state state;
  uint64_t left;
  struct buffer in;  /* not judged yet: an unfinished line or head */
  struct buffer out; /* may go on, from `taken` */
  size_t taken;
  size_t trailer_size;
  bool is_encrypted;           /* what is read comes through TLS, in records */
  bool has_blank;              /* an empty line before the request was forgiven */
  unsigned requests;           /* whose heads went out; with a fault the last is the one that it is about */
  unsigned answered;           /* of them; the server counts */
  bool has_ended;              /* the client sends no more */
  struct head_fault fault;     /* that shut it */
  struct head_fault unwelcome; /* the first request is answered with this, whatever it is */
};

void gate_free(struct gate *gate); /* what it holds */
void gate_put(struct gate *gate, const char *bytes, size_t size);
/* What may go on: at most `room` bytes. */
size_t gate_take(struct gate *gate, char *out, size_t room);

/* Whether the body of that request (from 1), whose head went out, has come to its end. */
bool gate_has_whole(const struct gate *gate, unsigned request);

/* Reads through the gate, as recv() does: bytes; 0 at the end; what is negative as the function that reads said it, or
 * GATE_WAIT: what came has to wait for more, or the end for an answer, as the library would take it for a client that
 * has gone. Less than `room` comes only where the function had no more. */
enum { GATE_WAIT = -1000000 };
typedef ssize_t gate_reader(void *source, void *out, size_t room);
ssize_t gate_read(struct gate *gate, gate_reader *read, void *source, void *out, size_t room);

/* The gate of a socket, through which the library then reads it (gate_socket.c). NULL takes it away, before the socket
 * is closed. -1: the descriptor's number is too large. */
int gate_set(int fd, struct gate *gate);

#endif
