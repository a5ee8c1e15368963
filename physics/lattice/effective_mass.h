/* The effective mass of a correlator: what mass would make neighbouring values out of one state.
 *
 *   log    m(t) = ln [ C(t) / C(t + 1) ]
 *   cosh   C(t) / C(t + 1) = cosh m (t - T/2) / cosh m (t + 1 - T/2), of a state that also runs back around T
 *   sinh   the same with sinh, where the way back has the other sign
 * NaN where no mass does that: values of different signs, or a quotient out of reach. */
#ifndef TWINCUBE_PHYSICS_LATTICE_EFFECTIVE_MASS_H
#define TWINCUBE_PHYSICS_LATTICE_EFFECTIVE_MASS_H

enum effective_mass_kind { EFFECTIVE_LOG, EFFECTIVE_COSH, EFFECTIVE_SINH };

/* From C(t) = now and C(t + 1) = next; period T. Not negative, but for log. */
double effective_mass(enum effective_mass_kind kind, double now, double next, double t, double period);

#endif
