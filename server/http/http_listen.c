/* The listening socket: HOST:PORT in, a bound socket and the address in use out. */
#include "server/http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTEN_BACKLOG = 511 };

static int split_address(const char *address, char host[128], char port[16])
{
  const char *colon = strrchr(address, ':');
  if (colon == NULL || strlen(colon + 1) >= 16 || colon[1] == '\0')
    return -1;
  size_t length = (size_t)(colon - address);
  if (length >= 2 && address[0] == '[' && address[length - 1] == ']') {
    address++;
    length -= 2;
  }
  if (length >= 128)
    return -1;
  memcpy(host, address, length);
  host[length] = '\0';
  snprintf(port, 16, "%s", colon + 1);
  return strspn(port, "0123456789") == strlen(port) ? 0 : -1;
}

static int bind_first(const struct addrinfo *list)
{
  int reason = EADDRNOTAVAIL;
  for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (fd < 0)
      continue;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
      return fd;
    reason = errno;
    close(fd);
  }
  errno = reason;
  return -1;
}

int http_listen(const char *address, char out[128], struct error *error)
{
  char host[128], port[16];
  if (split_address(address, host, port) != 0)
    return error_set(error, ERROR_ListenAddressInvalid, "'%s' is no HOST:PORT", address);
  const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
  struct addrinfo *list = NULL;
  int code = getaddrinfo(host[0] ? host : NULL, port, &hints, &list);
  if (code != 0)
    return error_set(error, ERROR_ListenAddressInvalid, "%s: %s", address, gai_strerror(code));
  int fd = bind_first(list);
  freeaddrinfo(list);
  if (fd < 0)
    return error_set(error, ERROR_ListenAddressInvalid, "cannot listen on %s: %s", address, strerror(errno));
  struct sockaddr_storage bound = {0};
  socklen_t size = sizeof bound;
  char number[16] = "0", name[INET6_ADDRSTRLEN] = "";
  getsockname(fd, (struct sockaddr *)&bound, &size);
  getnameinfo((const struct sockaddr *)&bound, size, name, sizeof name, number, sizeof number,
              NI_NUMERICHOST | NI_NUMERICSERV);
  snprintf(out, 128, strchr(name, ':') ? "[%s]:%s" : "%s:%s", name, number);
  return fd;
}

/* Closing the socket resets who was connected by the kernel and not accepted, with the requests that they sent. So
 * first the kernel is to drop what would open a connection (a segment with SYN), and then none is left unaccepted. */
void http_listen_no_more(int fd)
{
  enum { FLAGS_AT = 13, SYN = 0x02 };
  struct sock_filter drop_syn[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
                                   BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SYN, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
                                   BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};
  const struct sock_fprog program = {sizeof drop_syn / sizeof drop_syn[0], drop_syn};
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

bool http_listen_has_waiting(int fd)
{
  struct pollfd wait = {.fd = fd, .events = POLLIN};
  return poll(&wait, 1, 0) > 0;
}
