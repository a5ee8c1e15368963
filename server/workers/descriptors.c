#include "server/workers/descriptors.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
  char room[CMSG_SPACE(DESCRIPTORS_MOST * sizeof(int))];
  struct cmsghdr align;
};

int descriptors_send(int fd, const int *descriptors, size_t count)
{
  unsigned char there = 0;
  int all[DESCRIPTORS_MOST];
  size_t found = 0;
  for (size_t i = 0; i < count; i++)
    if (descriptors[i] >= 0) {
      there |= (unsigned char)(1u << i);
      all[found++] = descriptors[i];
    }
  struct iovec part = {.iov_base = &there, .iov_len = 1};
  union control control = {.room = {0}};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.room,
                           .msg_controllen = CMSG_SPACE(found * sizeof(int))};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(found * sizeof(int));
  memcpy(CMSG_DATA(header), all, found * sizeof(int));
  ssize_t sent;
  do
    sent = sendmsg(fd, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == 1 ? 0 : -1;
}

/* To their places; what has none is closed. */
static int place(const int *all, size_t count, unsigned there, int *out, size_t most)
{
  size_t next = 0, placed = 0;
  for (size_t i = 0; i < most; i++) {
    out[i] = (there >> i & 1u) != 0 && next < count ? all[next++] : -1;
    placed += out[i] >= 0;
  }
  while (next < count)
    close(all[next++]);
  return (int)placed;
}

int descriptors_receive(int fd, int *out, size_t most)
{
  unsigned char there = 0;
  struct iovec part = {.iov_base = &there, .iov_len = 1};
  union control control;
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  const ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  if (got < 0 && errno == EINTR)
    return -1;
  const struct cmsghdr *header = got == 1 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header == NULL || header->cmsg_type != SCM_RIGHTS)
    return 0;
  int all[DESCRIPTORS_MOST] = {-1, -1, -1};
  const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  memcpy(all, CMSG_DATA(header), (count < DESCRIPTORS_MOST ? count : DESCRIPTORS_MOST) * sizeof(int));
  return place(all, count < DESCRIPTORS_MOST ? count : DESCRIPTORS_MOST, there, out, most);
}
