/* Remote files for GDAL: it opens "/vsiremote/…" by remote_open, and nothing beside such a file. */
#ifndef TWINCUBE_DATACUBE_REMOTE_REMOTE_VSI_H
#define TWINCUBE_DATACUBE_REMOTE_REMOTE_VSI_H

/* Once, after GDAL's drivers are registered. */
void remote_vsi_install(void);

#endif
