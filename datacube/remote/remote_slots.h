/* The fetcher's file of heads (server/fetch/fetch_slots.h), open once for all files of this process that have theirs
 * there. Any thread. */
#ifndef TWINCUBE_DATACUBE_REMOTE_REMOTE_SLOTS_H
#define TWINCUBE_DATACUBE_REMOTE_REMOTE_SLOTS_H

struct remote_slots;

/* To be left again; NULL with errno. */
struct remote_slots *remote_slots_use(const char *path);
void remote_slots_leave(struct remote_slots *slots); /* NULL is fine */

int remote_slots_descriptor(const struct remote_slots *slots);

#endif
