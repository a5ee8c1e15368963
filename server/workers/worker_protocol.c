/* Frames over a stream socket. */
#include "server/workers/worker_protocol.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int send_all(int fd, struct iovec *parts, size_t count)
{
  while (count > 0) {
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent < 0)
      return -1;
    size_t left = (size_t)sent;
    while (count > 0 && left >= parts->iov_len) {
      left -= parts->iov_len;
      parts++;
      count--;
    }
    if (count > 0) {
      parts->iov_base = (char *)parts->iov_base + left;
      parts->iov_len -= left;
    }
  }
  return 0;
}

static int send_parts(int fd, enum frame_kind kind, struct iovec parts[4])
{
  struct frame_header header = {.kind = (uint32_t)kind};
  for (int i = 1; i < 4; i++)
    header.size += parts[i].iov_len;
  parts[0] = (struct iovec){.iov_base = &header, .iov_len = sizeof header};
  return send_all(fd, parts, 4);
}

int frame_send(int fd, enum frame_kind kind, const void *head, size_t head_size, const void *body, size_t body_size)
{
  struct iovec parts[4] = {{0},
                           {.iov_base = (void *)(uintptr_t)head, .iov_len = head_size},
                           {.iov_base = (void *)(uintptr_t)body, .iov_len = body_size},
                           {0}};
  return send_parts(fd, kind, parts);
}

int frame_send3(int fd, enum frame_kind kind, const void *head, size_t head_size, const struct buffer *a,
                const struct buffer *b)
{
  struct iovec parts[4] = {{0},
                           {.iov_base = (void *)(uintptr_t)head, .iov_len = head_size},
                           {.iov_base = a->data, .iov_len = a->length},
                           {.iov_base = b->data, .iov_len = b->length}};
  return send_parts(fd, kind, parts);
}

int frame_send_log(int fd, const struct log_entry *entry)
{
  const char *const texts[LOG_TEXTS] = {entry->message, entry->code, entry->node, entry->parameter, entry->data};
  struct log_header header = {.level = (uint32_t)entry->level};
  struct buffer body = {0};
  for (int i = 0; i < LOG_TEXTS; i++) {
    header.sizes[i] = texts[i] != NULL ? strlen(texts[i]) + 1 : 0;
    buffer_add(&body, texts[i] != NULL ? texts[i] : "", header.sizes[i]);
  }
  int status = body.failed ? -1 : frame_send(fd, FRAME_LOG, &header, sizeof header, body.data, body.length);
  buffer_free(&body);
  return status;
}

int frame_read_log(const struct buffer *frame, struct log_entry *out)
{
  const char *texts[LOG_TEXTS];
  struct log_header header;
  if (frame->length < sizeof header)
    return -1;
  memcpy(&header, frame->data, sizeof header);
  size_t at = sizeof header;
  for (int i = 0; i < LOG_TEXTS; i++) {
    const uint64_t size = header.sizes[i];
    if (size > frame->length - at || (size > 0 && frame->data[at + size - 1] != '\0'))
      return -1;
    texts[i] = size > 0 ? frame->data + at : NULL;
    at += size;
  }
  *out = (struct log_entry){.level = header.level > LOG_DEBUG ? LOG_DEBUG : (enum log_level)header.level,
                            .message = texts[LOG_TEXT_MESSAGE],
                            .code = texts[LOG_TEXT_CODE],
                            .node = texts[LOG_TEXT_NODE],
                            .parameter = texts[LOG_TEXT_PARAMETER],
                            .data = texts[LOG_TEXT_DATA]};
  return at == frame->length && out->message != NULL ? 0 : -1;
}

int frame_read_ask(const struct buffer *frame, const char **space, const char **id)
{
  const char *middle = frame->length > 0 ? memchr(frame->data, '\0', frame->length) : NULL;
  const char *end = frame->data + frame->length;
  if (middle == NULL || middle + 1 == end || memchr(middle + 1, '\0', (size_t)(end - middle) - 1) != end - 1)
    return -1;
  *space = frame->data;
  *id = middle + 1;
  return 0;
}

/* 1, 0 at the end before the first byte, -1. */
static int receive_all(int fd, void *out, size_t size)
{
  size_t have = 0;
  while (have < size) {
    ssize_t count = recv(fd, (char *)out + have, size - have, 0);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return count == 0 && have == 0 ? 0 : -1;
    have += (size_t)count;
  }
  return 1;
}

int frame_receive(int fd, struct buffer *out)
{
  struct frame_header header;
  int outcome = receive_all(fd, &header, sizeof header);
  if (outcome <= 0)
    return outcome;
  if (header.kind < FRAME_TASK || header.kind > FRAME_TELL || header.size > frame_limit)
    return -1;
  out->length = 0;
  char chunk[16384];
  for (uint64_t left = header.size; left > 0;) {
    size_t part = left < sizeof chunk ? (size_t)left : sizeof chunk;
    if (receive_all(fd, chunk, part) != 1)
      return -1;
    buffer_add(out, chunk, part);
    left -= part;
  }
  return out->failed ? -1 : (int)header.kind;
}
