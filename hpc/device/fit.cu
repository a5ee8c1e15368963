/* Curves: least squares by Levenberg and Marquardt. The equations and the order of sums are those of
 * hpc/kernel/kernel_fit.inc, a lane at a time. */
#define FIT_ITERATIONS 200
#define FIT_STEP 1e-10
#define FIT_GAIN 1e-15
#define FIT_DISTANCE 1.4901161193847656e-8

/* A fit of n values y by `count` parameters. Model::values(p, to, scratch) are the function's values. */
template <class Model, u32 n, u32 count, class Y, class V, class S> struct fit {
  Y y;
  V at_p, tried; /* [n]: the function at p, at trial */
  S slopes;      /* [count][n] */
  void *scratch;
  f64 p[count], trial[count], gradient[count], step[count], scale[count];
  f64 normal[count][count], factor[count][count];
  f64 cost, lambda, growth;

  /* Runs the model at trial: the sum of squares. */
  MEMBER f64 evaluate()
  {
    f64 sum = 0;
    Model::values(trial, tried, scratch);
    for (u32 k = 0; k < n; k++) {
      const f64 r = IS_NA(y[k]) ? (f64)0 : y[k] - tried[k];
      sum += r * r;
    }
    return sum;
  }

  MEMBER void move(f64 to)
  {
    for (u32 j = 0; j < count; j++)
      p[j] = trial[j];
    for (u32 k = 0; k < n; k++)
      at_p[k] = tried[k];
    cost = to;
  }

  /* The first guess; false where there is nothing to fit: too little data, or no number to begin with. */
  MEMBER bool begin(const u64 *guess, u32 needed)
  {
    u32 present = 0;
    for (u32 j = 0; j < count; j++)
      trial[j] = of_bits_f64(guess[j]), scale[j] = 0;
    for (u32 k = 0; k < n; k++)
      present += !IS_NA(y[k]);
    lambda = 1e-3, growth = 2;
    move(evaluate());
    return present >= needed && cost - cost == 0;
  }

  /* Slopes by differences; trial is p before and after. */
  MEMBER void differentiate(u32 j)
  {
    const f64 size = p[j] < 0 ? -p[j] : p[j];
    trial[j] = p[j] + FIT_DISTANCE * (size > 0 ? size : (f64)1);
    Model::values(trial, tried, scratch);
    for (u32 k = 0; k < n; k++)
      slopes[j * n + k] = IS_NA(y[k]) ? (f64)0 : (tried[k] - at_p[k]) / (trial[j] - p[j]);
    trial[j] = p[j];
  }

  /* J, J'J, J'r and the scale at p. */
  MEMBER void linearise()
  {
    for (u32 j = 0; j < count; j++)
      trial[j] = p[j];
    for (u32 j = 0; j < count; j++)
      differentiate(j);
    for (u32 a = 0; a < count; a++) {
      gradient[a] = 0;
      for (u32 k = 0; k < n; k++)
        gradient[a] += IS_NA(y[k]) ? (f64)0 : slopes[a * n + k] * (y[k] - at_p[k]);
      for (u32 b = 0; b <= a; b++) {
        normal[a][b] = 0;
        for (u32 k = 0; k < n; k++)
          normal[a][b] += slopes[a * n + k] * slopes[b * n + k];
      }
      scale[a] = normal[a][a] > scale[a] ? normal[a][a] : scale[a];
    }
  }

  MEMBER f64 scale_of(u32 j) const { return scale[j] > 0 ? scale[j] : (f64)1; }

  /* The damped normal equations: Cholesky's factor, then forward and back. A pivot that is not positive: no step. */
  MEMBER void solve()
  {
    for (u32 a = 0; a < count; a++)
      for (u32 b = 0; b <= a; b++) {
        f64 x = normal[a][b] + (a == b ? lambda * scale_of(a) : (f64)0);
        for (u32 c = 0; c < b; c++)
          x = x - factor[a][c] * factor[b][c];
        factor[a][b] = a != b ? x / factor[b][b] : x > 0 ? sqrt(x) : (f64)INFINITY;
      }
    for (u32 a = 0; a < count; a++) {
      step[a] = gradient[a];
      for (u32 c = 0; c < a; c++)
        step[a] = step[a] - factor[a][c] * step[c];
      step[a] = step[a] / factor[a][a];
    }
    for (u32 a = count; a-- > 0;) {
      for (u32 c = a + 1; c < count; c++)
        step[a] = step[a] - factor[c][a] * step[c];
      step[a] = step[a] / factor[a][a];
    }
  }

  /* Tries a step: whether it is taken, how the next is damped, and whether there is one. */
  MEMBER bool iterate(bool &taken)
  {
    if (taken)
      linearise();
    solve();
    for (u32 j = 0; j < count; j++)
      trial[j] = p[j] + step[j];
    const f64 trial_cost = evaluate(), gain = cost - trial_cost;
    f64 foreseen = 0;
    bool small = true;
    for (u32 j = 0; j < count; j++) {
      foreseen += step[j] * (lambda * scale_of(j) * step[j] + gradient[j]);
      small = small && fabs(step[j]) <= FIT_STEP * (fabs(p[j]) + FIT_STEP);
    }
    taken = gain > 0;
    const bool done = small || foreseen <= FIT_GAIN * cost || lambda > 1e30 || (taken && trial_cost == 0);
    const f64 off = 2 * gain / foreseen - 1, less = 1 - off * off * off;
    lambda *= !taken ? growth : less > 1.0 / 3 ? less : (f64)(1.0 / 3);
    growth = taken ? (f64)2 : 2 * growth;
    if (taken)
      move(trial_cost);
    return !done;
  }
};

template <class Model, u32 n, u32 count, bool ignore, class Y, class V, class S, class P>
DEVICE void fit_curve(Y y, V at_p, V tried, S slopes, const u64 *guess, P to, void *scratch)
{
  fit<Model, n, count, Y, V, S> f;
  bool taken = true, goes_on;
  f.y = y, f.at_p = at_p, f.tried = tried, f.slopes = slopes, f.scratch = scratch;
  const bool fits = goes_on = f.begin(guess, ignore || n < count ? count : n);
  for (u32 k = 0; goes_on && k < FIT_ITERATIONS; k++)
    goes_on = f.iterate(taken);
  for (u32 j = 0; j < count; j++)
    to[j] = fits ? f.p[j] : NA;
}
