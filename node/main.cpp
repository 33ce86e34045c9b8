#include "node/cli/surroundings.hpp"
#include "node/serve.hpp"

#include <string>
#include <vector>

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return tobit::cli::run(arguments, tobit::cli::process_surroundings(tobit::node::serve));
}
