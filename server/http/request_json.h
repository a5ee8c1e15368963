/* Bodies that are JSON. Those with a graph may be long, and a tree of all their values many times as long: the text is
 * checked where it lies, and what is needed of it becomes a tree within the budget of waiting bodies. */
#ifndef TWINCUBE_SERVER_HTTP_REQUEST_JSON_H
#define TWINCUBE_SERVER_HTTP_REQUEST_JSON_H

#include "server/server.h"

#include <jansson.h>

/* 0 where the body is a JSON object, else RequestBodyInvalid. Makes nothing. */
int request_check_object(const struct exchange *exchange, struct error *error);

/* The body's members but `process`, which the graph's reader will read: it is there as null. The caller owns the tree.
 * Errors RequestBodyInvalid, InfrastructureBusy. */
json_t *request_read_members(const struct exchange *exchange, struct error *error);

/* The text of the body's member `process`, which wants to be an object with a process_graph: a new string. *out is NULL
 * where there is no such member. The body has been checked. Error ProcessGraphMissing. */
int request_copy_process(const struct exchange *exchange, char **out, struct error *error);

#endif
