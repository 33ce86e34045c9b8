#pragma once

#include "http/route/route.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit::http {

/// What a path leads to.
struct route_match {
  const route* found = nullptr;
  bool path_known = false;                                           ///< the path exists, perhaps with other methods
  std::vector<std::pair<std::string_view, std::string>> path_values; ///< by parameter name
};

/// All routes of a node: a tree of path segments in which a literal segment wins over a `{name}`. Built once, read by
/// all threads.
class route_table {
public:
  route_table();
  ~route_table();
  route_table(route_table&&) noexcept;

  /// Precondition: no other route has the same method and path; parameters of the path are declared.
  void add(route entry);

  /// `path` is decoded. HEAD finds the GET route.
  route_match find(std::string_view method, std::string_view path) const;
  /// The methods that a known path takes, for `Allow`: "GET, HEAD, OPTIONS, POST".
  std::string allowed_methods(std::string_view path) const;

  /// In the order in which they were added.
  const std::vector<std::unique_ptr<route>>& all() const noexcept { return routes_; }

private:
  struct node;
  const node* walk(std::string_view path, std::vector<std::string_view>& values) const;
  static bool descend(const node& at, std::string_view rest, std::vector<std::string_view>& values, const node*& found);

  std::vector<std::unique_ptr<route>> routes_;
  std::unique_ptr<node> root_;
};

} // namespace tobit::http
