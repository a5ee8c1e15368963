#include "server/stac_api/catalogue_follower.h"

#include "datacube/base/logger.h"
#include "stac/catalogue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LOOK_MS = 1000 };

struct catalogue_follower {
  struct catalogue *catalogue;
  pthread_t thread;
  int stop_fd; /* can be read: it is to end */
};

/* A trouble is told once, and its end. */
static void tell(const struct error *error, bool *is_troubled)
{
  const bool is_trouble = error_is_set(error);
  if (is_trouble && !*is_troubled)
    log_message(LOG_WARNING, "the catalogue does not follow the shared one: %s", error->message);
  if (!is_trouble && *is_troubled)
    log_message(LOG_INFO, "the catalogue follows the shared one again");
  *is_troubled = is_trouble;
}

static void *follow(void *data)
{
  const struct catalogue_follower *follower = data;
  bool is_troubled = false;
  while (catalogue_wait(follower->catalogue, follower->stop_fd, LOOK_MS)) {
    struct error error = {0};
    catalogue_follow(follower->catalogue, &error);
    tell(&error, &is_troubled);
  }
  return NULL;
}

int catalogue_follower_start(struct catalogue *catalogue, struct catalogue_follower **out, struct error *error)
{
  struct catalogue_follower *follower = calloc(1, sizeof *follower);
  if (follower == NULL)
    return error_memory(error);
  follower->catalogue = catalogue;
  follower->stop_fd = eventfd(0, EFD_CLOEXEC);
  if (follower->stop_fd < 0 || pthread_create(&follower->thread, NULL, follow, follower) != 0) {
    if (follower->stop_fd >= 0)
      close(follower->stop_fd);
    free(follower);
    return error_set(error, ERROR_Internal, "the thread that follows the shared catalogue cannot be started");
  }
  *out = follower;
  return 0;
}

void catalogue_follower_stop(struct catalogue_follower *follower)
{
  if (follower == NULL)
    return;
  eventfd_write(follower->stop_fd, 1);
  pthread_join(follower->thread, NULL);
  close(follower->stop_fd);
  free(follower);
}
