/* How items of published results name their files: "published:ID/FILE". Where the server sends such a document it
 * writes the address at which it serves the file; where a graph loads from it, the file below the folder of what is
 * published is read. */
#ifndef TWINCUBE_STAC_PUBLISHED_H
#define TWINCUBE_STAC_PUBLISHED_H

#define PUBLISHED_SCHEME "published:"

#endif
