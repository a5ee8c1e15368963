/* PROJ contexts that keep to PROJ's own folder. */
#ifndef TWINCUBE_DATACUBE_PROJ_CONTEXT_H
#define TWINCUBE_DATACUBE_PROJ_CONTEXT_H

#include <proj.h>

/* New context: quiet, without network, and whatever a CRS says, it opens only regular files of a folder that holds
 * proj.db. The caller ends it with proj_context_destroy. NULL: out of memory. */
PJ_CONTEXT *proj_context_confined(void);

#endif
