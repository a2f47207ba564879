// What the kernel tests share: the levels to test, seeded data, buffers that end where they should.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "isa/isa.hpp"
#include "kernels/dispatch.hpp"

namespace ff::test {

// Levels whose kernels this executable can run. In test_kernels_emulated the AVX-512 kernels are
// built for AVX2 (emulated/immintrin.h), so a machine with AVX2 runs them all.
inline std::vector<Isa> tested_levels() {
#if defined(FASTFUNNEL_EMULATED)
  if (available_isas().size() > 1)
    return {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_vnni, Isa::avx512_vpopcntdq};
#endif
  return available_isas();
}

// Calls body(level, kernels of the level) for every level but the reference.
template <class Body>
void for_each_level(Body body) {
  for (Isa level : tested_levels()) {
    if (level == Isa::scalar) continue;
    const std::string name{isa_name(level)};
    CAPTURE(name);
    body(kernels_for(level));
  }
}

inline const Kernels& reference() { return kernels_for(Isa::scalar); }

// 64-byte aligned storage that ends right after its last element, so the address sanitizer sees
// every read past it.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  explicit AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(std::size_t n) {
    return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{64}));
  }
  void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t{64}); }
  template <class U>
  bool operator==(const AlignedAllocator<U>&) const {
    return true;
  }
};

template <class T>
using Aligned = std::vector<T, AlignedAllocator<T>>;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // Uniform in [low, high].
  std::int64_t integer(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }

  float real(float low, float high) {
    return std::uniform_real_distribution<float>(low, high)(engine_);
  }

  std::uint64_t bits() { return engine_(); }

  template <class T>
  Aligned<T> integers(std::size_t n, std::int64_t low, std::int64_t high) {
    Aligned<T> values(n);
    for (T& value : values) value = static_cast<T>(integer(low, high));
    return values;
  }

  Aligned<std::uint8_t> bytes(std::size_t n) { return integers<std::uint8_t>(n, 0, 255); }

  Aligned<float> reals(std::size_t n, float low, float high) {
    Aligned<float> values(n);
    for (float& value : values) value = real(low, high);
    return values;
  }

  // n row numbers below n_rows, in any order, some more than once.
  std::vector<std::uint32_t> ids(std::size_t n, std::size_t n_rows) {
    std::vector<std::uint32_t> values(n);
    for (std::uint32_t& value : values)
      value = static_cast<std::uint32_t>(integer(0, static_cast<std::int64_t>(n_rows) - 1));
    return values;
  }

 private:
  std::mt19937_64 engine_;
};

// "" if equal, else where and how they differ.
template <class A, class B>
std::string difference(const A& actual, const B& expected) {
  std::ostringstream text;
  text.precision(9);
  if (actual.size() != expected.size()) {
    text << "size " << actual.size() << " instead of " << expected.size();
    return text.str();
  }
  for (std::size_t i = 0; i < expected.size(); ++i)
    if (!(actual[i] == expected[i])) {
      text << "[" << i << "] is " << +actual[i] << " instead of " << +expected[i];
      return text.str();
    }
  return "";
}

}  // namespace ff::test
