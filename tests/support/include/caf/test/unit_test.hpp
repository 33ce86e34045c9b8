#pragma once
#pragma GCC system_header // #include_next is an extension

#include_next <caf/test/unit_test.hpp>

// CAF's checks bind references to what they compare, in statements of their own: a member of a temporary,
// `f().member`, is gone when it is compared. Here both sides are copied first.

#undef CAF_CHECK_FUNC
#define CAF_CHECK_FUNC(func, x_expr, y_expr)                                                                           \
  do {                                                                                                                 \
    func compared_by;                                                                                                  \
    auto left_side = x_expr;                                                                                           \
    auto right_side = y_expr;                                                                                          \
    static_cast<void>(::caf::test::detail::check(::caf::test::engine::current_test(), __FILE__, __LINE__,              \
                                                 CAF_FUNC_EXPR(func, x_expr, y_expr), false,                           \
                                                 compared_by(left_side, right_side), left_side, right_side));          \
    ::caf::test::engine::last_check_file(__FILE__);                                                                    \
    ::caf::test::engine::last_check_line(__LINE__);                                                                    \
  } while (false)

#undef CAF_REQUIRE_FUNC
#define CAF_REQUIRE_FUNC(func, x_expr, y_expr)                                                                         \
  do {                                                                                                                 \
    func compared_by;                                                                                                  \
    auto left_side = x_expr;                                                                                           \
    auto right_side = y_expr;                                                                                          \
    const bool as_required = ::caf::test::detail::check(::caf::test::engine::current_test(), __FILE__, __LINE__,       \
                                                        CAF_FUNC_EXPR(func, x_expr, y_expr), false,                    \
                                                        compared_by(left_side, right_side), left_side, right_side);    \
    if (!as_required) ::caf::test::detail::requirement_failed(CAF_FUNC_EXPR(func, x_expr, y_expr));                    \
    ::caf::test::engine::last_check_file(__FILE__);                                                                    \
    ::caf::test::engine::last_check_line(__LINE__);                                                                    \
  } while (false)
