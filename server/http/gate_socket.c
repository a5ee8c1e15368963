/* How the library comes to read through gates. It has no hook between a socket and its parser, but it calls recv(), or
 * with TLS gnutls_record_recv(), and a program's own definition of a function goes before a library's (ELF symbol
 * lookup). So the two are defined here: of a socket that has a gate they read through that, of any other they are what
 * they always were. */
#include "server/http/gate.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

enum { SOCKETS_MOST = 65536 }; /* as many descriptors as the server allows itself */

static _Atomic(struct gate *) gates[SOCKETS_MOST]; /* by descriptor; the two have no other way to find them */

int gate_set(int fd, struct gate *gate)
{
  if (fd < 0 || fd >= SOCKETS_MOST)
    return -1;
  atomic_store(&gates[fd], gate);
  return 0;
}

static struct gate *gate_of(int fd)
{
  return fd >= 0 && fd < SOCKETS_MOST ? atomic_load_explicit(&gates[fd], memory_order_acquire) : NULL;
}

static ssize_t read_socket(void *source, void *out, size_t room)
{
  return recvfrom(*(const int *)source, out, room, 0, NULL, NULL);
}

/* What is encrypted is read by GnuTLS, which comes here, too. */
__attribute__((visibility("default"))) ssize_t recv(int fd, void *out, size_t room, int flags)
{
  struct gate *gate = gate_of(fd);
  if (gate == NULL || gate->is_encrypted || flags != 0)
    return recvfrom(fd, out, room, flags, NULL, NULL);
  const ssize_t count = gate_read(gate, read_socket, &fd, out, room);
  if (count != GATE_WAIT)
    return count;
  errno = EAGAIN;
  return -1;
}

typedef ssize_t record_function(gnutls_session_t session, void *out, size_t room);

static ssize_t read_record(void *source, void *out, size_t room)
{
  void *found = dlsym(RTLD_NEXT, "gnutls_record_recv");
  record_function *next;
  memcpy(&next, &found, sizeof next); /* ISO C knows no conversion of the two kinds of pointers */
  return next != NULL ? next(source, out, room) : GNUTLS_E_INTERNAL_ERROR;
}

__attribute__((visibility("default"))) ssize_t gnutls_record_recv(gnutls_session_t session, void *out, size_t room)
{
  struct gate *gate = gate_of(gnutls_transport_get_int(session));
  if (gate == NULL || !gate->is_encrypted)
    return read_record(session, out, room);
  const ssize_t count = gate_read(gate, read_record, session, out, room);
  return count == GATE_WAIT ? GNUTLS_E_AGAIN : count;
}
