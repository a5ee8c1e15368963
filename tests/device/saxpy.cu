/* y = a x + y; and the sum of x over each block of 64, added up in pairs: µ of a block is sums[b] / 64. */
SCIENCE_KERNEL(saxpy, double a, const double *x, double *y, unsigned n)
{
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    y[i] = a * x[i] + y[i];
}

SCIENCE_KERNEL(sum_blocks, const double *x, double *sums)
{
  __shared__ double part[64];
  part[threadIdx.x] = x[blockIdx.x * 64 + threadIdx.x];
  for (unsigned half = 32; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half)
      part[threadIdx.x] += part[threadIdx.x + half];
  }
  if (threadIdx.x == 0)
    sums[blockIdx.x] = part[0];
}

SCIENCE_KERNEL(copy_numbers, const double *from, double *to, unsigned long long count)
{
  const unsigned long long i = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count)
    to[i] = from[i];
}
