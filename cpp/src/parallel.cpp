#include "steelyard/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace steelyard {

void parallel_for(Eigen::Index count, int threads, const std::function<void(Eigen::Index)>& work) {
  const Eigen::Index cores =
      threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::atomic<Eigen::Index> next{0};
  std::exception_ptr failure;
  std::mutex failure_guard;
  const auto run = [&] {
    for (Eigen::Index i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(failure_guard);
        failure = failure ? failure : std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> others;
  for (Eigen::Index t = 1; t < std::min(cores, count); ++t) {
    try {
      others.emplace_back(run);
    } catch (const std::system_error&) {
      break;  // no more threads to be had: those there are do the work
    }
  }
  run();
  for (std::thread& other : others) {
    other.join();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

Eigen::Index segment_count(Eigen::Index rows, Eigen::Index cells) {
  constexpr Eigen::Index kMost = 16;
  constexpr Eigen::Index kFewestRows = Eigen::Index{1} << 15;
  // Segments must not cost more memory and merging than a quarter of one column.
  const Eigen::Index affordable =
      std::min(rows / kFewestRows, rows / (4 * std::max<Eigen::Index>(1, cells)));
  const auto bounded = static_cast<std::size_t>(std::clamp<Eigen::Index>(affordable, 1, kMost));
  return static_cast<Eigen::Index>(std::bit_floor(bounded));
}

}  // namespace steelyard
