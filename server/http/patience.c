/* A list of connections under a lock, and a thread that walks it. A connection is ended by shutting its socket down:
 * the library notices, closes it, and takes it out of the list. */
#include "server/http/patience.h"

#include "server/clock.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { LOOK_MS = 250 };
enum { CLOSE_WAIT = 8 }; /* tcpi_state; TCP_CLOSE_WAIT of <netinet/tcp.h>, which hides the bytes of TCP_INFO */

struct patient {
  struct patient *next, **link;
  int fd;
  enum patient_state state;
  int64_t since;                 /* steady_now: of the state, or of the span of a body that is under way */
  int64_t begun;                 /* likewise: a request was seen to have begun; 0: none */
  uint64_t received;             /* bytes, at `since` */
  bool has_left;                 /* the other side had closed and all it sent was read, at the last look */
  bool takes_interim, was_asked; /* whether 100 Continue may be sent; was, during this request */
  bool is_ended;
};

struct patience {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pthread_t thread;
  bool stopping;
  unsigned most, count;
  struct patient *first;
};

static bool has_unread(int fd)
{
  int unread = 0;
  return ioctl(fd, FIONREAD, &unread) == 0 && unread > 0;
}

/* Bytes that have come on a socket since it was opened. */
static uint64_t bytes_received(int fd)
{
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_bytes_received : 0;
}

/* The other side has closed and nothing of it is left to be read. The library, which waits for edges and takes a short
 * read for the last of it, does not see an end that comes together with bytes. */
static bool is_drained(int fd)
{
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == CLOSE_WAIT && !has_unread(fd);
}

/* True at the second look in a row that finds it so: what was read a moment ago may have been the last of a body. */
static bool has_hung_up(struct patient *patient)
{
  const bool had_left = patient->has_left;
  patient->has_left = patient->state != PATIENT_ANSWERED && is_drained(patient->fd);
  return had_left && patient->has_left;
}

static void end(struct patient *patient)
{
  patient->is_ended = true;
  shutdown(patient->fd, SHUT_RDWR);
}

/* One who waits for an answer and has closed: whether it has gone for good. */
static bool has_gone(struct patient *patient)
{
  static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
  if (!patient->takes_interim)
    return true;
  if (!patient->was_asked)
    send(patient->fd, interim, strlen(interim), MSG_DONTWAIT | MSG_NOSIGNAL);
  patient->was_asked = true; /* the reset ends the connection by itself */
  return false;
}

static bool head_is_late(struct patient *patient, int64_t now)
{
  if (patient->begun == 0 && bytes_received(patient->fd) != patient->received)
    patient->begun = now;
  return patient->begun != 0 && now - patient->begun > HEAD_SECONDS * 1000;
}

static bool body_is_slow(struct patient *patient, int64_t now)
{
  if (now - patient->since < BODY_SPAN_SECONDS * 1000)
    return false;
  const uint64_t received = bytes_received(patient->fd);
  const bool is_slow = received - patient->received < BODY_SPAN_BYTES;
  patient->since = now;
  patient->received = received;
  return is_slow;
}

static bool is_over(struct patient *patient, int64_t now)
{
  const bool has_closed = has_hung_up(patient);
  switch (patient->state) {
  case PATIENT_WAITING:
    return has_closed || head_is_late(patient, now);
  case PATIENT_READING:
    return has_closed || body_is_slow(patient, now);
  case PATIENT_SERVED:
    return has_closed && has_gone(patient);
  case PATIENT_ANSWERED:
    break;
  }
  return false;
}

static void look(struct patience *patience)
{
  const int64_t now = steady_now();
  for (struct patient *patient = patience->first; patient != NULL; patient = patient->next)
    if (!patient->is_ended && is_over(patient, now))
      end(patient);
}

/* The one that has waited longest for its next request, if any waits. */
static void make_room(struct patience *patience)
{
  struct patient *oldest = NULL;
  unsigned left = 0;
  for (struct patient *patient = patience->first; patient != NULL; patient = patient->next) {
    left += !patient->is_ended;
    if (patient->state == PATIENT_WAITING && !patient->is_ended && (oldest == NULL || patient->since < oldest->since))
      oldest = patient;
  }
  if (oldest != NULL && left >= patience->most)
    end(oldest);
}

static void *run(void *data)
{
  struct patience *patience = data;
  pthread_mutex_lock(&patience->lock);
  while (!patience->stopping) {
    steady_wait(&patience->wake, &patience->lock, steady_now() + LOOK_MS);
    look(patience);
  }
  pthread_mutex_unlock(&patience->lock);
  return NULL;
}

int patience_start(unsigned most, struct patience **out, struct error *error)
{
  struct patience *patience = calloc(1, sizeof *patience);
  if (patience == NULL)
    return error_memory(error);
  patience->most = most;
  pthread_mutex_init(&patience->lock, NULL);
  steady_condition_init(&patience->wake);
  if (pthread_create(&patience->thread, NULL, run, patience) != 0) {
    free(patience);
    return error_set(error, ERROR_Internal, "cannot start threads");
  }
  *out = patience;
  return 0;
}

void patience_stop(struct patience *patience)
{
  if (patience == NULL)
    return;
  pthread_mutex_lock(&patience->lock);
  patience->stopping = true;
  pthread_cond_signal(&patience->wake);
  pthread_mutex_unlock(&patience->lock);
  pthread_join(patience->thread, NULL);
  pthread_mutex_destroy(&patience->lock);
  pthread_cond_destroy(&patience->wake);
  free(patience);
}

bool patience_has_askers(struct patience *patience)
{
  bool has_askers = false;
  pthread_mutex_lock(&patience->lock);
  for (struct patient *patient = patience->first; patient != NULL && !has_askers; patient = patient->next)
    has_askers = patient->state == PATIENT_SERVED || patient->state == PATIENT_ANSWERED || has_unread(patient->fd);
  pthread_mutex_unlock(&patience->lock);
  return has_askers;
}

struct patient *patient_new(struct patience *patience, int fd)
{
  struct patient *patient = calloc(1, sizeof *patient);
  if (patient == NULL)
    return NULL;
  patient->fd = fd;
  patient->since = steady_now();
  pthread_mutex_lock(&patience->lock);
  if (patience->count >= patience->most)
    make_room(patience);
  patience->count++;
  patient->next = patience->first;
  patient->link = &patience->first;
  if (patient->next != NULL)
    patient->next->link = &patient->next;
  patience->first = patient;
  pthread_mutex_unlock(&patience->lock);
  return patient;
}

void patient_free(struct patience *patience, struct patient *patient)
{
  if (patient == NULL)
    return;
  pthread_mutex_lock(&patience->lock);
  *patient->link = patient->next;
  if (patient->next != NULL)
    patient->next->link = patient->link;
  patience->count--;
  pthread_mutex_unlock(&patience->lock);
  free(patient);
}

void patient_is(struct patience *patience, struct patient *patient, enum patient_state state)
{
  if (patient == NULL)
    return;
  pthread_mutex_lock(&patience->lock);
  if (patient->state != state) { /* a span of a body goes on */
    patient->state = state;
    patient->since = steady_now();
    patient->begun = 0;
    if (state == PATIENT_WAITING)
      patient->was_asked = false;
    if (state == PATIENT_WAITING || state == PATIENT_READING)
      patient->received = bytes_received(patient->fd);
  }
  pthread_mutex_unlock(&patience->lock);
}

void patient_takes_interim(struct patience *patience, struct patient *patient, bool takes_interim)
{
  if (patient == NULL)
    return;
  pthread_mutex_lock(&patience->lock);
  patient->takes_interim = takes_interim;
  pthread_mutex_unlock(&patience->lock);
}
