/* What a back-end answers to a request that computes. */
#ifndef TWINCUBE_SERVER_FEDERATION_BACKEND_ANSWER_H
#define TWINCUBE_SERVER_FEDERATION_BACKEND_ANSWER_H

#include "server/federation/federation_settings.h"
#include "server/web/web_fetch.h"

/* The body as an object, a new tree; NULL where it is none. */
json_t *backend_answer_object(const struct web_answer *answer);

/* web_fetch; its error names the back-end, too. */
int backend_ask(const struct backend_settings *backend, const struct web_fetch *fetch, struct web_answer *answer,
                struct error *error);

/* The error of an answer that is none that was hoped for, and -1: what is wrong with the graph is the user's to know,
 * under its code; whom the back-end lets in is ours, and InfrastructureBusy as all else. */
int backend_refuse(const struct backend_settings *backend, const struct web_answer *answer, struct error *error);

#endif
