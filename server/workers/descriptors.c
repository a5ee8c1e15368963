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
  char byte = 'f';
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  union control control = {.room = {0}};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.room,
                           .msg_controllen = CMSG_SPACE(count * sizeof(int))};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
  ssize_t sent;
  do
    sent = sendmsg(fd, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == 1 ? 0 : -1;
}

int descriptors_receive(int fd, int *out, size_t most)
{
  char byte;
  struct iovec part = {.iov_base = &byte, .iov_len = 1};
  union control control;
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  const ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  if (got < 0 && errno == EINTR)
    return -1;
  const struct cmsghdr *header = got == 1 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header == NULL || header->cmsg_type != SCM_RIGHTS)
    return 0;
  int all[DESCRIPTORS_MOST] = {-1, -1};
  const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  memcpy(all, CMSG_DATA(header), (count < DESCRIPTORS_MOST ? count : DESCRIPTORS_MOST) * sizeof(int));
  for (size_t i = 0; i < count && i < DESCRIPTORS_MOST; i++)
    if (i < most)
      out[i] = all[i];
    else
      close(all[i]);
  return (int)(count < most ? count : most);
}
