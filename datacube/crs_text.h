/* Which texts may name a CRS. */
#ifndef TWINCUBE_DATACUBE_CRS_TEXT_H
#define TWINCUBE_DATACUBE_CRS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { CRS_TEXT_LIMIT = 65536 };

/* The text as PROJ takes it: an EPSG number becomes "EPSG:n", a PROJ string gets the word that makes it a CRS. Texts of
 * a name, AUTH:CODE, URN, WKT and PROJJSON stay as they are. `room` is used where the text changes. NULL: no CRS may be
 * called so; a PROJ string has known keys only, none of which names a file. */
const char *crs_text_admitted(const char *text, size_t room_size, char *room);

#endif
