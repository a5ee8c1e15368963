/* Where the code of a user-defined function comes from. */
#ifndef TWINCUBE_PROCESSES_UDF_UDF_SOURCE_H
#define TWINCUBE_PROCESSES_UDF_UDF_SOURCE_H

#include "processes/process.h"

/* The source code that the argument `udf` is (it has a line break), leads to on the web, or names in the user's folder;
 * it lives in the call's arena. Errors: FileNotFound; FileContentInvalid for what is no text, FileSizeExceeded;
 * FeatureUnsupported where no other host is read, and those of remote_file.h. */
int udf_source_read(struct call *call, const char **out);

#endif
