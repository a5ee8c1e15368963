/* Turns: tiles that are made in any order and placed in theirs.
 *
 * Threads take tiles in ascending order, make them as fast as each can, and give them back with turns_leave; each is
 * then placed when all before it are: by whichever thread comes by, while the others go on. So what is placed does not
 * depend on who was faster. A thread that is `window` tiles ahead of the first that is not placed waits, which bounds
 * how much lies about. */
#ifndef TWINCUBE_HPC_RUN_TURNS_H
#define TWINCUBE_HPC_RUN_TURNS_H

#include "datacube/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct turns;

/* Places one tile; called by one thread at a time, in ascending order. */
typedef int turns_place(void *data, size_t tile, struct error *error);

int turns_new(size_t window, turns_place *place, void *data, struct turns **out, struct error *error);
void turns_free(struct turns *turns); /* NULL is allowed */
/* Waits until the tile may be begun; false after turns_stop. */
bool turns_enter(struct turns *turns, size_t tile);
/* The tile is made. Every tile that was entered is left, or the turns are stopped. */
int turns_leave(struct turns *turns, size_t tile, struct error *error);
void turns_stop(struct turns *turns); /* nobody waits any more; NULL is allowed */

#endif
