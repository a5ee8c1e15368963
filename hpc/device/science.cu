/* What the text of simulators' kernels begins with, on a CUDA device. Tests give another beginning of the same name. */
#ifndef SCIENCE_KERNEL
#define SCIENCE_KERNEL(name, ...) extern "C" __global__ void name(__VA_ARGS__)
#endif
