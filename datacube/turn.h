/* What a turn round the globe is along x, where a CRS repeats itself. */
#ifndef TWINCUBE_DATACUBE_TURN_H
#define TWINCUBE_DATACUBE_TURN_H

/* 360 degrees in units of the axis x: of geographic CRSs and of cylindrical projections (Mercator, plate carree), where
 * a place and the same place a turn further have the same y. 0 for all others. */
double crs_turn(const char *crs);

#endif
