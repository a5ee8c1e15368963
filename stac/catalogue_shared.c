/* A catalogue that several servers share, as its users see it. */
#include "stac/index.h"
#include "stac/shared/shared_catalogue.h"

int catalogue_open_shared(const char *data_dir, const char *uri, struct catalogue **out, struct error *error)
{
  struct catalogue *catalogue = NULL;
  if (catalogue_open(data_dir, true, &catalogue, error) != 0)
    return -1;
  if (uri && shared_catalogue_open(catalogue->index, uri, &catalogue->index->shared, error) != 0) {
    catalogue_close(catalogue);
    return -1;
  }
  *out = catalogue;
  return 0;
}

int catalogue_follow(struct catalogue *catalogue, struct error *error)
{
  struct index *index = catalogue->index;
  return index->shared ? shared_catalogue_follow(index->shared, error) : 0;
}

bool catalogue_wait(struct catalogue *catalogue, int descriptor, int milliseconds)
{
  return shared_catalogue_wait(catalogue->index->shared, descriptor, milliseconds);
}

int catalogue_leave(struct catalogue *catalogue, struct error *error)
{
  return shared_catalogue_leave(catalogue->index, error);
}
