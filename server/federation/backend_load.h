/* A part of a graph that a back-end of the federation computes: it is asked for synchronously, as our own account
 * there, and what it answers becomes files where a worker may read them. Nothing of the user who wants it goes there.
 */
#ifndef TWINCUBE_SERVER_FEDERATION_BACKEND_LOAD_H
#define TWINCUBE_SERVER_FEDERATION_BACKEND_LOAD_H

#include "server/federation/federation.h"

enum { BACKEND_LOAD_SECONDS = 1800, BACKEND_JOB_SECONDS = 7 * 86400 };

struct backend_load {
  /* JSON of a worker: {"collection": name here, "bytes": expected, "is_raster": whether GTiff will do, "process_graph":
   * {…}} */
  const char *request;
  const char *folder;       /* of the task, ends with '/': what lies in it is a worker's, and not relied on */
  double seconds;           /* that it may take; at most BACKEND_LOAD_SECONDS, or those of a job, also where it is 0 */
  int client_fd, cancel_fd; /* a hang-up, something to read: nobody wants it any more; or -1 */
};

/* `path` gets that of the netCDF file, in the folder of loaded results, or of the first of several (answer_files.h), or
 * of a GTiff file where the back-end writes no netCDF and that will do; the same request again gets the same. What is
 * expected to be larger than the back-end's `job_size` is computed by a batch job where it has those; what the job said
 * lies beside the file, under its name with LOADED_LOGS_END. Nothing where no back-end has the collection. Errors:
 * InfrastructureBusy where the back-end is away, refuses us, is too slow or sends too much; FeatureUnsupported where it
 * cannot compute, or write what is wanted; else what it says is wrong with the graph, under its code; StorageFailure.
 */
int backend_load(struct federation *federation, const struct backend_load *load, struct buffer *path,
                 struct error *error);

/* What the back-end has that would be asked to load a collection, as processes/local_files.h wants it of
 * offered_elsewhere; nothing where none has the collection. Its document is waited for if that may be. Errors: as
 * above, where it cannot compute, or not now. */
int backend_offers(struct federation *federation, const char *collection, bool may_wait, struct buffer *json,
                   struct error *error);

#endif
