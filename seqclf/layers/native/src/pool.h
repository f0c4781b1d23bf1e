// Runs the shares of a call side by side.
#pragma once

#include <cstdint>
#include <functional>

namespace seqclf {

// Calls work(0) to work(count - 1), on the calling thread and on up to `threads` - 1 others. The
// calling thread takes every share that no other one has begun: it never waits for a thread to be
// free, so that calls may come from several threads at once, and from a child after fork(), where
// the other threads are gone. `work` must not throw.
void run_shares(int64_t count, int64_t threads, const std::function<void(int64_t)>& work);

// To be called when the library is loaded: a fork() during its first use would leave the child with a
// pool that is half made. It starts no thread.
void prepare_pool();

}  // namespace seqclf
