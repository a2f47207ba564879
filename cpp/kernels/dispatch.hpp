// The kernels of one instruction-set level, all families.
#pragma once

#include "isa/isa.hpp"
#include "kernels/bit_dot.hpp"
#include "kernels/block_bound.hpp"
#include "kernels/encode.hpp"
#include "kernels/float64_dot.hpp"
#include "kernels/half_rows.hpp"
#include "kernels/hamming.hpp"
#include "kernels/inner_product.hpp"
#include "kernels/int8_dot.hpp"
#include "kernels/sign_scan.hpp"

namespace ff {

struct Kernels {
  const InnerProductKernels& inner_product;
  const HammingKernels& hamming;
  const SignScanKernels& sign_scan;
  const BitDotKernels& bit_dot;
  const Int8DotKernels& int8_dot;
  const EncodeKernels& encode;
  const BlockBoundKernels& block_bound;
  const HalfRowKernels& half_rows;
  const Float64DotKernels& float64_dot;
};

// The best table of every family that needs no more than this level.
const Kernels& kernels_for(Isa isa);

}  // namespace ff
