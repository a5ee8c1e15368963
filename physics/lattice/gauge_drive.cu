/* What drives a gauge field: forces of actions and of the flow, and links that follow. A thread treats one link, of the
 * axis blockIdx.y. K lies as the links do. */
#define EXPONENTIAL_THREADS 128 /* of a block whose threads take exponentials together */

/* K += factor times the projection on the algebra of U W^dagger, W the paths around U. */
DEVICE void add_force(su_matrix &k, f64 factor, const su_matrix &link, const su_matrix &paths)
{
  su_matrix force = times_adjoint(link, paths);
  to_algebra(force);
  add(k, factor, force);
}

/* A kick by plaquettes, or by rectangles too: weights are [plaquette, rectangle][mu][nu]. */
template <bool rectangles>
DEVICE void kick(const gauge_links &u, const f64 *weights, f64 *algebra, f64 factor, u64 number)
{
  const lane_site x = site_of(number, 0);
  const u32 mu = blockIdx.y;
  const u64 at = (u64)x.block * DIMENSIONS + mu;
  su_matrix paths = staple_sum(u, x, mu, weights + mu * DIMENSIONS);
#pragma unroll 1
  for (u32 nu = 0; rectangles && nu < DIMENSIONS; nu++)
    if (nu != mu)
      add_rectangles(u, paths, x, mu, nu, weights[(DIMENSIONS + mu) * DIMENSIONS + nu]);
  su_matrix k = load(algebra, at, x.lane);
  add_force(k, factor, link_at(u, x, mu), paths);
  store(algebra, at, x.lane, k);
}

SCIENCE_KERNEL(gauge_kick, const f64 *links, const u32 *link, const u8 *permutation, const f64 *weights, f64 *algebra,
               f64 factor, u32 blocks)
{
  if (thread_number() < (u64)blocks * LANES)
    kick<false>({links, {link, permutation}}, weights, algebra, factor, thread_number());
}

SCIENCE_KERNEL(gauge_kick_rectangles, const f64 *links, const u32 *link, const u8 *permutation, const f64 *weights,
               f64 *algebra, f64 factor, u32 blocks)
{
  if (thread_number() < (u64)blocks * LANES)
    kick<true>({links, {link, permutation}}, weights, algebra, factor, thread_number());
}

/* A stage of the flow: K = of_k K - of_z force; second += add_k K, where add_k is not 0. */
SCIENCE_KERNEL(gauge_flow_force, const f64 *links, const u32 *link, const u8 *permutation, const f64 *weights,
               f64 *algebra, f64 *second, f64 of_z, f64 of_k, f64 add_k, u32 blocks)
{
  if (thread_number() >= (u64)blocks * LANES)
    return;
  const lane_site x = site_of(thread_number(), 0);
  const u64 at = (u64)x.block * DIMENSIONS + blockIdx.y;
  const gauge_links u = {links, {link, permutation}};
  const su_matrix paths = staple_sum(u, x, blockIdx.y, weights + blockIdx.y * DIMENSIONS);
  su_matrix k = load(algebra, at, x.lane);
  scale(k, of_k);
  add_force(k, -of_z, link_at(u, x, blockIdx.y), paths);
  store(algebra, at, x.lane, k);
  if (add_k != 0) {
    su_matrix sum = load(second, at, x.lane);
    add(sum, add_k, k);
    store(second, at, x.lane, sum);
  }
}

/* U = exp(time K) U */
SCIENCE_KERNEL(gauge_turn, f64 *links, const f64 *algebra, f64 time, u32 blocks)
{
  const u64 number = thread_number(), last = (u64)blocks * LANES - 1;
  const lane_site x = site_of(number < last ? number : last, 0);
  const u64 at = (u64)x.block * DIMENSIONS + blockIdx.y;
  su_matrix way = load(algebra, at, x.lane);
  scale(way, time);
  const su_matrix turn = exponential(way);
  if (number <= last)
    store(links, at, x.lane, times(turn, load(links, at, x.lane)));
}

/* distance[mu][block]: the greatest of |U - exp(second) start| / N^2 of the block's links mu. */
SCIENCE_KERNEL(gauge_flow_distance, const f64 *links, const f64 *start, const f64 *second, f64 *distance, u32 blocks)
{
  __shared__ f64 room[EXPONENTIAL_THREADS];
  const u64 number = thread_number(), last = (u64)blocks * LANES - 1;
  const lane_site x = site_of(number < last ? number : last, 0);
  const u64 at = (u64)x.block * DIMENSIONS + blockIdx.y;
  su_matrix other = times(exponential(load(second, at, x.lane)), load(start, at, x.lane));
  add(other, -1, load(links, at, x.lane));
  const f64 largest = largest_norm(other, room);
  if (number <= last && x.lane == 0)
    distance[(u64)blockIdx.y * blocks + x.block] = largest / (f64)(N * N);
}
