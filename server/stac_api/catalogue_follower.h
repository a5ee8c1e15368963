/* Keeps a server's copy of a shared catalogue (stac/shared/shared_catalogue.h) up to date: a thread that hears of
 * changes as they happen, asks once a second in any case, and goes on when a database that was away is back. */
#ifndef TWINCUBE_SERVER_STAC_API_CATALOGUE_FOLLOWER_H
#define TWINCUBE_SERVER_STAC_API_CATALOGUE_FOLLOWER_H

#include "datacube/base/error.h"

struct catalogue;
struct catalogue_follower;

/* The catalogue is open as a copy, is the follower's until it stops, and outlives it. */
int catalogue_follower_start(struct catalogue *catalogue, struct catalogue_follower **out, struct error *error);
void catalogue_follower_stop(struct catalogue_follower *follower); /* NULL is fine */

#endif
