/* What is said between those who call scripts, the host of interpreters and the interpreters.
 *
 * To the host: one request a packet, each answered by one packet; the answer to START brings two descriptors, the
 * interpreter's socket and its memory. To the interpreter: frames, see runner.py. */
#ifndef TWINCUBE_HPC_UDF_UDF_PROTOCOL_H
#define TWINCUBE_HPC_UDF_UDF_PROTOCOL_H

#include <stdint.h>

enum udf_request_kind {
  UDF_START = 1, /* an interpreter whose memory has `size` bytes */
  UDF_END,       /* interpreter `id` is ended; the answer's text says how it ended, "" : by this request. `size` not 0:
                    its socket has ended before */
  UDF_PAUSE,     /* … is stopped: nobody has work for it */
  UDF_RESUME,    /* … goes on */
  UDF_USAGE,     /* what all interpreters of the caller have taken, those that have ended among them */
  UDF_DESCRIBE   /* the answer's text is JSON, or why there is none */
};

struct udf_request {
  uint32_t kind, id;
  uint64_t size;
};

enum { UDF_TEXT = 48 * 1024 };

enum { UDF_FULL = 2 }; /* status of an answer to START: the caller has as many as it may */

struct udf_answer {
  uint32_t status, id; /* 0: success */
  double cpu_seconds;  /* to USAGE */
  char text[UDF_TEXT]; /* as much as is needed is sent, with its NUL */
};

enum udf_frame_kind { UDF_SCRIPT = 1, UDF_CALL, UDF_RESULT, UDF_FAILED, UDF_LOG, UDF_READY };

struct udf_frame {
  uint32_t kind, size;
};

#endif
