/* Server-sent events about jobs: one thread looks at the store for all who listen, and feeds them what changed.
 *
 *   event: status   data: {"id", "status", "progress", "updated"}      at first, and when one of them changes
 *   event: log      data: an entry as in GET /jobs/{id}/logs           its id is the event's, to go on from later
 *   event: end      data: {"id", "status"}                             the job is over; nothing more comes
 *   : still here                                                       when nothing was said for a while */
#ifndef TWINCUBE_SERVER_ENDPOINTS_EVENT_HUB_H
#define TWINCUBE_SERVER_ENDPOINTS_EVENT_HUB_H

#include "server/http/http_feed.h"
#include "server/jobs/job_queue.h"

struct event_hub;

int event_hub_start(const char *place, struct job_queue *jobs, struct event_hub **out, struct error *error);
/* Ends what is fed. Before the queue of jobs ends. NULL is allowed. */
void event_hub_stop(struct event_hub *hub);

/* Feeds a listener from now on, the log from behind entry `after` (0: all); takes the end of the feed that puts, also
 * where it fails. Errors TooManyRequests (the job's owner has too many listeners), InfrastructureBusy (all have). */
int event_hub_listen(struct event_hub *hub, const struct job *job, int64_t after, struct http_feed *feed,
                     struct error *error);

#endif
