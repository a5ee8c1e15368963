/* Changes of the catalogue: transactions of the file, or of the database whose copy it is. */
#include "stac/index.h"
#include "stac/shared/shared_catalogue.h"

static int begin_own(struct index *index, struct error *error)
{
  if (index_execute(index, STATEMENT_BEGIN_WRITE, error) != 0)
    return -1;
  const int is_copy = shared_catalogue_is_copy(index, error);
  if (is_copy == 0)
    return 0;
  if (is_copy == 1)
    error_set(error, ERROR_ServerConfigInvalid,
              "%s is the copy of a shared catalogue: changes want its database (--catalogue URI, or "
              "$TWINCUBE_CATALOGUE)",
              index->path);
  return index_end_change(index, -1, error);
}

int index_begin_change(struct index *index, struct error *error)
{
  if (index_open(index, error) != 0)
    return -1;
  return index->shared ? shared_catalogue_begin(index->shared, error) : begin_own(index, error);
}

int index_end_change(struct index *index, int status, struct error *error)
{
  struct error ignored = {0};
  if (index->shared)
    return shared_catalogue_end(index->shared, status, error);
  if (status == 0)
    status = index_execute(index, STATEMENT_COMMIT, error);
  if (status != 0)
    index_execute(index, STATEMENT_ROLLBACK, &ignored);
  return status;
}
