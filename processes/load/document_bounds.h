/* What STAC documents may lead to, when a graph loads from them: those of load_stac, and items of the catalogue that
 * are stored as they came. */
#ifndef TWINCUBE_PROCESSES_LOAD_DOCUMENT_BOUNDS_H
#define TWINCUBE_PROCESSES_LOAD_DOCUMENT_BOUNDS_H

#include "processes/process.h"
#include "stac/catalogue.h"

/* Fills in folders (those that graphs may read, the user's own, and `folder` unless it is NULL), cancelling, and who
 * hears of what is left out: the call's log, where paths of the user's files begin behind the user's folder. The rest
 * is zero. */
int document_bounds(struct call *call, const char *folder, struct catalogue_bounds *out);

/* Where such a folder lies is the server's own affair: paths in a message begin behind it. NULL hides nothing. */
void document_hide_folder(const char *folder, char *message);

#endif
