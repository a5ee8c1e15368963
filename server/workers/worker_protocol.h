/* What the server and its worker processes say to each other, over a Unix socket.
 *
 * Frames: a header {kind, size} and size bytes. The server sends one TASK and waits; the worker sends any number of
 * PROGRESS and LOG frames and then one REPLY. On the way it may ASK for the definition of a process that is not built
 * in, and waits until the server TELLs. Both ends are the same program, so structs travel as they are; lengths
 * and texts that come from a worker are checked all the same, since a worker reads what strangers send. */
#ifndef TWINCUBE_SERVER_WORKERS_WORKER_PROTOCOL_H
#define TWINCUBE_SERVER_WORKERS_WORKER_PROTOCOL_H

#include "datacube/base/buffer.h"
#include "datacube/base/error.h"
#include "processes/run_log.h"
#include "server/jobs/tariff.h"

enum frame_kind { FRAME_TASK = 1, FRAME_PROGRESS, FRAME_LOG, FRAME_REPLY, FRAME_ASK, FRAME_TELL };

struct frame_header {
  uint32_t kind;
  uint32_t zero;
  uint64_t size;
};

enum task_kind { TASK_EXECUTE, TASK_VALIDATE, TASK_ESTIMATE, TASK_EXPLAIN, TASK_MAP };

/* Followed by the graph's text; of a TASK_MAP, by what services/map_task.h says. */
struct task_header {
  uint32_t kind;
  uint32_t threads;              /* 0: default */
  uint64_t memory;               /* bytes */
  uint64_t room_most, room_left; /* see struct result_room */
  uint32_t job;        /* 1: all outcomes become files, a value too; progress and logs are sent. 0: the result alone */
  uint32_t debug;      /* 1: the plan is logged before the run */
  uint32_t official;   /* 1: graph and value are in the encoding of the official test cases */
  uint32_t has_quota;  /* 1: room_left counts */
  uint32_t has_budget; /* 1: the task ends when it costs more than the budget */
  uint32_t has_own;    /* 1: who asks has processes of their own */
  uint32_t has_others; /* 1: there is a federation, whose other back-ends may be asked to compute */
  double budget;       /* in the tariff's currency */
  struct tariff tariff;
  char output[2304];       /* folder for a cube's file, ends with '/' */
  char checkpoint[2304];   /* folder of a job's kept results, ends with '/'; "" for none */
  char files[1280];        /* folder of the user's own files, "" for none */
  char workspaces[1280];   /* folder of the user's workspaces, "" for none */
  uint64_t workspace_most; /* bytes that may lie in them */
  char history[256];       /* provenance line */
  char user[72];           /* whose own processes the graph may use, "" : nobody's */
};

/* An ASK is a namespace and an id, each with a NUL at its end; or this, which is no namespace, and an address: where do
 * the results lie that are published there? The answer is the path of their STAC document; none where there are not. */
static const char ask_results[] = "results";
/* … or this, and JSON {"collection", "process_graph"}: have it computed where the collection lies (backend_load.h).
 * The answer is the path of a netCDF file; none where no back-end of the federation has the collection. */
static const char ask_elsewhere[] = "elsewhere";
/* … or this, and the name of a collection: which processes has the back-end that would be asked? The answer is a JSON
 * object of their names; none where there is no such back-end, or it computes nothing. */
static const char ask_offered[] = "offered";
/* … or this, and the name of a workspace of the operator's. The answer is a text where the user may write to it. */
static const char ask_workspace[] = "workspace";
/* … or this, and the id of a collection: may the user publish it, or add to it? Nothing is answered where that is so.
 */
static const char ask_collection[] = "collection";
/* … or this, and JSON of workspace_send (processes/save/workspace.h): files of the task's folder are sent to a
 * workspace. Nothing is answered where they are all there. */
static const char ask_send[] = "send";

struct tell_header {  /* of the answer, followed by the definition's JSON; none where there is no such process */
  struct error error; /* "" : success */
};

enum log_text { LOG_TEXT_MESSAGE, LOG_TEXT_CODE, LOG_TEXT_NODE, LOG_TEXT_PARAMETER, LOG_TEXT_DATA, LOG_TEXTS };

struct log_header { /* followed by the texts, each with a NUL at its end */
  uint32_t level;   /* enum log_level */
  uint32_t zero;
  uint64_t sizes[LOG_TEXTS]; /* with the NUL; 0: the entry has no such text */
};

/* A file of the reply; `metadata_size` bytes of JSON follow it. */
struct reply_file {
  char path[2560]; /* in the task's folder */
  char name[128];  /* id of the graph's node, cut to fit */
  char media_type[128];
  uint32_t is_result; /* 1: the result node's */
  uint32_t zero;
  uint64_t metadata_size;
};

/* Followed by `json_size` bytes of JSON (a value, unless it is long: then it is a file; the errors of a validation) and
 * `files_size` bytes of files. */
struct reply_header {
  struct error error; /* "" : success */
  uint32_t is_value;
  uint32_t zero;
  double cpu_seconds, wall_seconds;
  double disk_read, disk_written; /* bytes, also from and to the disk's cache */
  double write_bytes, read_bytes; /* of an estimate */
  uint64_t resident;              /* bytes of the worker after the task */
  uint64_t resident_peak;         /* … of a job: at its highest during the task */
  uint64_t json_size, files_size;
};

static const uint64_t frame_limit = UINT64_C(1) << 28;

/* Blocking, whole frames; 0 or -1 (the other side is gone, or talks nonsense). */
int frame_send(int fd, enum frame_kind kind, const void *head, size_t head_size, const void *body, size_t body_size);
/* Second body for replies. */
int frame_send3(int fd, enum frame_kind kind, const void *head, size_t head_size, const struct buffer *a,
                const struct buffer *b);
/* An entry of the log as a LOG frame, and what such a frame's bytes say: the texts point into them. frame_read_log
 * answers -1 where they make no sense. */
int frame_send_log(int fd, const struct log_entry *entry);
int frame_read_log(const struct buffer *frame, struct log_entry *out);
/* The question of an ASK frame: the texts point into it. -1 where it makes no sense. */
int frame_read_ask(const struct buffer *frame, const char **space, const char **id);
/* Replaces the buffer's content by the frame's bytes. Returns the kind, 0 at a clean end, -1 on a failure. */
int frame_receive(int fd, struct buffer *out);

#endif
