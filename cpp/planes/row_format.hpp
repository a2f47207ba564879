// In what form an index keeps its rows.
#pragma once

#include "arrays/matrix_view.hpp"

namespace ff {

struct RowFormat {
  Element floats = Element::f32;  // f32, f16 or bf16: rows are rounded to it as they come
  // Codes that stages may read, and that may be made.
  bool signs = true;
  bool int8 = true;
  bool signs_once = false;  // each bit once, see planes/sign_rows.hpp: less memory
};

}  // namespace ff
