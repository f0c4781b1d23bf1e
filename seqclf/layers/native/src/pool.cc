#include "pool.h"

#include <pthread.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace seqclf {
namespace {

// Denormal numbers are taken as 0 while a share is worked on: they are a hundred times slower.
class NoDenormals {
 public:
#if defined(__x86_64__)
  NoDenormals() : before_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(before_ | 0x8040); }
  ~NoDenormals() { __builtin_ia32_ldmxcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  NoDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" ::"r"(before_ | (1u << 24)));
  }
  ~NoDenormals() { asm volatile("msr fpcr, %0" ::"r"(before_)); }

 private:
  uint64_t before_;
#endif
};

// The shares of one call.
struct Call {
  const std::function<void(int64_t)>* work;
  int64_t count;
  std::atomic<int64_t> begun{0};
  std::atomic<int64_t> ended{0};

  // Works on one share; false if all have been begun.
  bool work_on_one() {
    const int64_t share = begun.fetch_add(1);
    if (share >= count) return false;
    {
      NoDenormals flushed;
      (*work)(share);
    }
    ended.fetch_add(1, std::memory_order_release);
    return true;
  }
};

// The core on which a thread of the pool sleeps. All of it is used under the pool's lock.
//
// Linux wakes a thread on the core where it ran last, unless it finds an idle one. When a call comes,
// TensorFlow's other threads are often about to sleep but not yet asleep, so that no core is idle.
// The thread of the pool then waits for milliseconds behind its own caller, beside a core that soon
// does nothing. So it is told, before it is woken, to stay off the caller's core.
class Placement {
 public:
#if defined(__linux__)
  Placement() : thread_(static_cast<pid_t>(syscall(SYS_gettid))) {}

  void falls_asleep() { core_ = sched_getcpu(); }

  void keep_off(int core) {
    if (core < 0 || core_ != core || moved_) return;
    if (sched_getaffinity(thread_, sizeof(allowed_), &allowed_) != 0) return;
    others_ = allowed_;
    CPU_CLR(core, &others_);
    if (CPU_COUNT(&others_) == 0) return;
    moved_ = sched_setaffinity(thread_, sizeof(others_), &others_) == 0;
  }

  // Allows all its cores again, unless somebody else has chosen others in the meantime.
  void wakes() {
    cpu_set_t now;
    core_ = -1;
    if (!moved_) return;
    moved_ = false;
    if (sched_getaffinity(thread_, sizeof(now), &now) == 0 && CPU_EQUAL(&now, &others_))
      sched_setaffinity(thread_, sizeof(allowed_), &allowed_);
  }

  static int this_core() { return sched_getcpu(); }

 private:
  const pid_t thread_;
  int core_ = -1;  // -1: it is awake
  bool moved_ = false;
  cpu_set_t allowed_, others_;
#else
  void falls_asleep() {}
  void keep_off(int) {}
  void wakes() {}
  static int this_core() { return -1; }
#endif
};

// Threads that wait for calls. It is never destroyed: they may still be waiting at the end.
class Pool {
 public:
  void offer(const std::shared_ptr<Call>& call, int64_t helpers) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      try {
        for (; threads_ < helpers; ++threads_) std::thread([this] { serve(); }).detach();
      } catch (const std::system_error&) {  // no more threads are allowed here
        helpers = threads_;
      }
      for (int64_t i = 0; i < helpers; ++i) calls_.push_back(call);
      waiting_.store(calls_.size(), std::memory_order_release);
      const int core = Placement::this_core();
      for (Placement* thread : placements_) thread->keep_off(core);
    }
    for (int64_t i = 0; i < helpers; ++i) offered_.notify_one();
  }

  std::mutex& mutex() { return mutex_; }

 private:
  // A time step's worth of looking before a thread goes to sleep: waking one takes longer.
  static constexpr int LOOKS = 2000;

  void serve() {
    Placement placement;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      placements_.push_back(&placement);
    }
    for (;;) {
      for (int i = 0; i < LOOKS && waiting_.load(std::memory_order_acquire) == 0; ++i) pause();
      std::shared_ptr<Call> call;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        while (calls_.empty()) {
          placement.falls_asleep();
          offered_.wait(lock);
          placement.wakes();
        }
        call = std::move(calls_.front());
        calls_.pop_front();
        waiting_.store(calls_.size(), std::memory_order_release);
      }
      while (call->work_on_one()) {
      }
    }
  }

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  std::mutex mutex_;
  std::condition_variable offered_;
  std::deque<std::shared_ptr<Call>> calls_;
  std::vector<Placement*> placements_;  // of all threads
  std::atomic<size_t> waiting_{0};
  int64_t threads_ = 0;
};

Pool* pool = nullptr;

// A child of fork() has none of the threads, and must not find the lock held by one of them. The
// lock is taken before the fork; the child leaves the old pool as it is and begins with a new one.
void before_fork() { pool->mutex().lock(); }
void after_fork_in_parent() { pool->mutex().unlock(); }
void after_fork_in_child() { pool = new Pool; }

Pool& the_pool() {
  static const bool made = [] {
    pool = new Pool;
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    return true;
  }();
  static_cast<void>(made);
  return *pool;
}

}  // namespace

void prepare_pool() { the_pool(); }

void run_shares(int64_t count, int64_t threads, const std::function<void(int64_t)>& work) {
  const auto call = std::make_shared<Call>();
  call->work = &work;
  call->count = count;
  const int64_t helpers = (count < threads ? count : threads) - 1;
  if (helpers > 0) the_pool().offer(call, helpers);
  while (call->work_on_one()) {
  }
  while (call->ended.load(std::memory_order_acquire) < count) std::this_thread::yield();
}

}  // namespace seqclf
