/* Errors as clients see them: the HTTP status of a code, and the text that names node and parameter. */
#ifndef TWINCUBE_SERVER_ERROR_TABLE_H
#define TWINCUBE_SERVER_ERROR_TABLE_H

#include "datacube/base/error.h"

enum { ERROR_TEXT_SIZE = 1088 };

/* HTTP status of an error code (datacube/base/error_codes.def), by its name: codes reach the server as text from workers
 * and the store. 500 for what is no code. */
unsigned error_status(const char *code);

/* `node "n", parameter "p": message`, as far as node and parameter are known; control characters become blanks. */
void error_text(const struct error *error, char out[ERROR_TEXT_SIZE]);

#endif
