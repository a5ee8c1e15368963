/* Files on other hosts, read by ranges.
 *
 * A remote file is a sparse file of this machine that is filled where somebody needs it: readers say which ranges they
 * are about to read (remote_need), the fetcher (server/fetch) brings what is missing, and then they read it
 * (remote_read), or its descriptor like any other. So whoever reads files reads remote ones by one more call, and
 * whoever needs names of files has one once the file is there as a whole. Nothing here knows HTTP, and nothing but the
 * fetcher has a network: it judges every address, and what it brings is of one state of the content or an error, never
 * a mix.
 *
 * Their names are paths, "/vsiremote/" and the address: what lists, stores and compares paths needs to know no more.
 * Such a name never comes from outside (stac/href.h). */
#ifndef TWINCUBE_DATACUBE_REMOTE_REMOTE_FILE_H
#define TWINCUBE_DATACUBE_REMOTE_REMOTE_FILE_H

#include "datacube/base/error.h"
#include "datacube/remote/remote_protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define REMOTE_PREFIX "/vsiremote/"

enum { REMOTE_AHEAD = 72 };

struct remote_file; /* one thread at a time */

/* Once a process, before the first file is opened, or again after a fork: the fetcher's socket, kept for good, and a
 * number that becomes nonzero when waiting is to end (or NULL). Without it there are no remote files. */
void remote_connect(int fd, const volatile int *cancel);
bool remote_is_connected(void);

bool remote_is(const char *path);         /* whether a path is of a remote file */
const char *remote_url(const char *path); /* its address, which lies in it; the path itself where it is not remote */

/* Opens for reading by ranges. Errors: FeatureUnsupported (not connected), PermissionsInsufficient (the address is not
 * allowed, or its server refuses), FileNotFound, InfrastructureBusy (no answer), FileSizeExceeded, RequestTimeout
 * (cancelled), StorageFailure. They name the address. */
int remote_open(const char *path, struct remote_file **out, struct error *error);
/* The same with all of it, at most `most` bytes, fetched already. */
int remote_open_whole(const char *path, uint64_t most, struct remote_file **out, struct error *error);
/* The same of a document: a host that is slow with it for a minute is InfrastructureBusy. */
int remote_open_document(const char *path, uint64_t most, struct remote_file **out, struct error *error);
/* Lets the fetcher begin with what will be opened soon; `most` as it will be then, 0: by ranges. Does not wait: what
 * comes of it is known when it is opened. False where REMOTE_AHEAD are under way: ask again later. */
bool remote_prefetch(const char *path, uint64_t most);
bool remote_prefetch_document(const char *path, uint64_t most);
void remote_close(struct remote_file *file); /* NULL is fine */

/* The work at hand is over, and what is open stays so for work to come: meanwhile the fetcher may forget what it has
 * brought. A file that is needed again is opened anew, by itself; where it has changed that is an error. No other
 * thread uses a file meanwhile. */
void remote_rest(void);

uint64_t remote_size(const struct remote_file *file);
/* A descriptor to be read where ranges are there; it stays the file's. -1 with an error, as of remote_open. */
int remote_descriptor(struct remote_file *file, struct error *error);
/* Its path here, for as long as it is open; NULL with an error. */
const char *remote_place(struct remote_file *file, struct error *error);
const char *remote_validator(const struct remote_file *file);

/* Waits until all the ranges are there; what lies behind the end is left out. Close ones are fetched at once, so that
 * one call with many ranges takes little longer than with one. Errors as remote_open. */
int remote_need(struct remote_file *file, const struct remote_range *ranges, size_t count, struct error *error);
/* Reads what is there, for which no file need be made of its head: bytes that were read, or -1 with errno. */
ssize_t remote_read(const struct remote_file *file, void *to, size_t length, uint64_t offset);
/* Lets the fetcher begin with ranges that will soon be needed, inside the file and at most REMOTE_RANGES_MOST. Does not
 * wait, and does nothing where REMOTE_AHEAD are under way. */
void remote_ahead(struct remote_file *file, const struct remote_range *ranges, size_t count);

#endif
