// Both passes over a whole batch: packs the weights, hands out the shares, adds up what they give.
#pragma once

#include "gru.h"

namespace seqclf {

struct Sharing {
  int64_t shares;   // parts of the batch; the result depends on their number, to rounding
  int64_t threads;  // how many of them are worked on at a time, at most
};

// Both return false if memory could not be had; nothing useful has been written then.
bool run_forward(const Kernels&, const Sizes&, const Arguments&, const Sharing&, float* states,
                 float* gates);
bool run_backward(const Kernels&, const Sizes&, const Arguments&, const Sharing&,
                  const float* states, const float* gates, const Upstream&, const Gradients&);

}  // namespace seqclf
