/* The frame of every call into GDAL from a sink. */
#include "datacube/sink/gdal_scope.h"

#include <cpl_conv.h>
#include <cpl_error.h>

void gdal_scope_begin(void)
{
  if (GDALGetDriverCount() == 0)
    GDALAllRegister();
  CPLPushErrorHandler(CPLQuietErrorHandler);
  CPLErrorReset();
  CPLSetThreadLocalConfigOption("GDAL_PAM_ENABLED", "NO");
}

void gdal_scope_end(void)
{
  CPLSetThreadLocalConfigOption("GDAL_PAM_ENABLED", NULL);
  CPLErrorReset();
  CPLPopErrorHandler();
}

bool gdal_scope_failed(void)
{
  return CPLGetLastErrorType() >= CE_Failure;
}

int gdal_scope_error(struct error *error, const char *what)
{
  const char *reason = CPLGetLastErrorMsg();
  return error_set(error, ERROR_StorageFailure, "%s: %s", what, reason[0] != '\0' ? reason : "GDAL gave no reason");
}

GDALDataType gdal_type(enum element_type type)
{
  switch (type) {
  case ELEMENT_U8:
  case ELEMENT_BOOLEAN:
    return GDT_Byte;
#if GDAL_VERSION_NUM >= GDAL_COMPUTE_VERSION(3, 7, 0)
  case ELEMENT_I8:
    return GDT_Int8;
#else
  case ELEMENT_I8:
    return GDT_Byte;
#endif
  case ELEMENT_U16:
    return GDT_UInt16;
  case ELEMENT_I16:
    return GDT_Int16;
  case ELEMENT_U32:
    return GDT_UInt32;
  case ELEMENT_I32:
    return GDT_Int32;
  case ELEMENT_U64:
    return GDT_UInt64;
  case ELEMENT_I64:
    return GDT_Int64;
  case ELEMENT_F32:
    return GDT_Float32;
  case ELEMENT_F64:
    return GDT_Float64;
  case ELEMENT_C64:
    return GDT_CFloat32;
  case ELEMENT_C128:
    return GDT_CFloat64;
  case ELEMENT_TYPE_COUNT:
    break;
  }
  return GDT_Unknown;
}
