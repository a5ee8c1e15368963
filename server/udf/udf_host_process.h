/* How the server starts a host: twincube udf-host PARENT LEVEL FORMAT CONFINE PYTHON MEMORY, with the control
 * socket as descriptor 3. One byte with a socket (SCM_RIGHTS) is somebody who calls scripts; what they ask for is said
 * in hpc/udf/udf_protocol.h. */
#ifndef TWINCUBE_SERVER_UDF_UDF_HOST_PROCESS_H
#define TWINCUBE_SERVER_UDF_UDF_HOST_PROCESS_H

enum { UDF_HOST_CONTROL = 3 };

enum udf_host_argument {
  UDF_HOST_PARENT = 1,
  UDF_HOST_LEVEL,
  UDF_HOST_FORMAT,
  UDF_HOST_CONFINE,
  UDF_HOST_PYTHON,
  UDF_HOST_MEMORY,
  UDF_HOST_ARGUMENTS
};

#endif
