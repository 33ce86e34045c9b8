#include "runtime/storage/database.hpp"

#include <future>

namespace tobit::storage {

namespace {

template <class T>
result<T> wait_for(std::future<result<T>> arrived, std::chrono::milliseconds patience) {
  if (arrived.wait_for(patience) != std::future_status::ready)
    return fail(error_code::deadline_exceeded, "The database did not answer in time.");
  return arrived.get();
}

} // namespace

result<write_outcome> database::write_and_wait(unit_of_work unit, std::chrono::milliseconds patience) {
  auto answer = std::make_shared<std::promise<result<write_outcome>>>();
  auto arrived = answer->get_future();
  write(std::move(unit), [answer](result<write_outcome> outcome) { answer->set_value(std::move(outcome)); });
  return wait_for(std::move(arrived), patience);
}

result<rows> database::read_and_wait(statement query, std::chrono::milliseconds patience) {
  auto answer = std::make_shared<std::promise<result<rows>>>();
  auto arrived = answer->get_future();
  read(std::move(query), [answer](result<rows> outcome) { answer->set_value(std::move(outcome)); });
  return wait_for(std::move(arrived), patience);
}

} // namespace tobit::storage
