/* Errors as clients see them: code -> HTTP status, and the text that names node and parameter. */
#ifndef TWINCUBE_SERVER_ERROR_TABLE_H
#define TWINCUBE_SERVER_ERROR_TABLE_H

#include "datacube/base/error.h"

enum { ERROR_TEXT_SIZE = 1088 };

/* HTTP status of an error code; 400 for a code without a row (exceptions of processes). */
unsigned error_status(const char *code);

/* `node "n", parameter "p": message`, as far as node and parameter are known; control characters become blanks. */
void error_text(const struct error *error, char out[ERROR_TEXT_SIZE]);

#endif
