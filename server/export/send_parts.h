/* A file that goes to S3 in parts, each of them a request of its own: files that are longer than one request takes, and
 * of long ones no more is sent again than a part where one fails. Parts are there for nobody until all of them are, and
 * are taken back where one cannot be sent. Where the account signs, the store checks each part by its SHA-256. */
#ifndef TWINCUBE_SERVER_EXPORT_SEND_PARTS_H
#define TWINCUBE_SERVER_EXPORT_SEND_PARTS_H

#include "server/export/send_request.h"

enum { SEND_PART_MIB = 64, SEND_PART_MIB_LEAST = 5, SEND_PART_MIB_MOST = 5120, SEND_PARTS_MOST = 10000 };

/* Sends all of a body that is not empty: `whole` is the PUT of all of it. Parts have `part` bytes, or as many as make
 * them SEND_PARTS_MOST. Errors as send_request and send_refused. */
int send_parts(struct sender *sender, const struct send_request *whole, uint64_t part, struct error *error);

#endif
