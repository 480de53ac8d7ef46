#pragma once

#include <Eigen/Core>
#include <functional>

namespace steelyard {

/// Rows read at a time by one thread: the columns of a block stay in the first-level cache.
inline constexpr Eigen::Index kBlockRows = 512;

/// Calls `work(i)` for i in [0, count) on up to `threads` threads (0: one per core).
///
/// Which thread does which part is not fixed; results must depend on the part alone. The first
/// exception is rethrown here after all threads have stopped.
void parallel_for(Eigen::Index count, int threads, const std::function<void(Eigen::Index)>& work);

/// Segments of rows to sum apart and then add in order. Depends on the sizes only, never on the
/// number of threads, so that the sums have the same bits on every machine.
///
/// @param cells numbers that every segment has to keep.
Eigen::Index segment_count(Eigen::Index rows, Eigen::Index cells);

}  // namespace steelyard
