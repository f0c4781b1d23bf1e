// The operations SeqclfGru and SeqclfGruGradient.
//
// Both take x, h_0, the weights, the bias (empty: none) and the mask (empty: none), in the shapes of
// gru.h. Shapes of results are set by the Python side: here they are unknown.
#include <cstring>
#include <initializer_list>
#include <new>
#include <string>
#include <vector>

#include "gru.h"
#include "pool.h"
#include "shares.h"
#include "tensorflow_c_api.h"

namespace {

using namespace seqclf;

class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;
  TF_Status* get() { return status_; }
  bool ok() const { return TF_GetCode(status_) == TF_OK; }

 private:
  TF_Status* status_;
};

// The inputs and outputs of one call; releases all tensors at its end.
class Context {
 public:
  explicit Context(TF_OpKernelContext* context) : context_(context) {}
  ~Context() {
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const TF_Tensor* input(int index) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, index, &tensor, status_.get());
    return kept(tensor);
  }

  float* output(int index, std::initializer_list<int64_t> shape) {
    int64_t size = 1;
    for (int64_t dim : shape) size *= dim;
    const TF_Tensor* tensor =
        kept(TF_AllocateOutput(context_, index, TF_FLOAT, shape.begin(),
                               static_cast<int>(shape.size()), size * sizeof(float), status_.get()));
    return tensor ? static_cast<float*>(TF_TensorData(tensor)) : nullptr;
  }

  bool ok() const { return status_.ok(); }
  void refuse(TF_Code code, const std::string& message) {
    TF_SetStatus(status_.get(), code, message.c_str());
  }
  void report() {
    if (!status_.ok()) TF_OpKernelContext_Failure(context_, status_.get());
  }

 private:
  const TF_Tensor* kept(TF_Tensor* tensor) {
    if (tensor) tensors_.push_back(tensor);
    return status_.ok() ? tensor : nullptr;
  }

  TF_OpKernelContext* context_;
  Status status_;
  std::vector<TF_Tensor*> tensors_;
};

struct Attributes {
  bool reset_after = true, option = false;  // option: keep_gates, or need_dx
  Sharing sharing = {1, 1};
};

Attributes attributes(TF_OpKernelConstruction* construction, const char* option) {
  Status status;
  unsigned char reset_after = 1, wanted = 0;
  Attributes read;
  TF_OpKernelConstruction_GetAttrBool(construction, "reset_after", &reset_after, status.get());
  if (status.ok())
    TF_OpKernelConstruction_GetAttrBool(construction, option, &wanted, status.get());
  if (status.ok())
    TF_OpKernelConstruction_GetAttrInt64(construction, "shares", &read.sharing.shares,
                                         status.get());
  if (status.ok())
    TF_OpKernelConstruction_GetAttrInt64(construction, "threads", &read.sharing.threads,
                                         status.get());
  if (!status.ok()) TF_OpKernelConstruction_Failure(construction, status.get());
  read.reset_after = reset_after;
  read.option = wanted;
  return read;
}

std::vector<int64_t> shape(const TF_Tensor* tensor) {
  std::vector<int64_t> dims(TF_NumDims(tensor));
  for (size_t i = 0; i < dims.size(); ++i) dims[i] = TF_Dim(tensor, static_cast<int>(i));
  return dims;
}

std::string in_words(const std::vector<int64_t>& shape) {
  std::string words = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    words += (i ? ", " : "") + std::to_string(shape[i]);
  return words + "]";
}

const float* numbers(const TF_Tensor* tensor) {
  return static_cast<const float*>(TF_TensorData(tensor));
}

// Reads the inputs that both operations have; refuses shapes that do not belong together.
bool read_arguments(Context& context, bool reset_after, Sizes* sizes, Arguments* arguments) {
  const TF_Tensor* inputs[6];
  for (int i = 0; i < 6; ++i)
    if (!(inputs[i] = context.input(i))) return false;
  const std::vector<int64_t> x = shape(inputs[0]), h_0 = shape(inputs[1]);
  if (x.size() != 3 || h_0.size() != 2) {
    context.refuse(TF_INVALID_ARGUMENT, "`x` must have the shape [B, T, D] and `h_0` [B, H]. "
                                        "Received: " + in_words(x) + " and " + in_words(h_0));
    return false;
  }
  const int64_t B = x[0], T = x[1], D = x[2], H = h_0[1];
  *sizes = {B, T, D, H, reset_after};
  const auto check = [&](const char* name, int input, const std::vector<int64_t>& expected,
                         bool optional) {
    const std::vector<int64_t> received = shape(inputs[input]);
    if (received == expected || (optional && received == std::vector<int64_t>{0})) return true;
    context.refuse(TF_INVALID_ARGUMENT, std::string("`") + name + "` must have the shape " +
                                            in_words(expected) + ". Received: " +
                                            in_words(received));
    return false;
  };
  const std::vector<int64_t> bias =
      reset_after ? std::vector<int64_t>{2, 3 * H} : std::vector<int64_t>{3 * H};
  if (!check("h_0", 1, {B, H}, false) || !check("kernel", 2, {D, 3 * H}, false) ||
      !check("recurrent_kernel", 3, {H, 3 * H}, false) || !check("bias", 4, bias, true) ||
      !check("mask", 5, {B, T}, true))
    return false;
  if (H == 0) {
    context.refuse(TF_INVALID_ARGUMENT, "The number of units must be at least 1. Received: 0");
    return false;
  }
  const bool has_bias = TF_Dim(inputs[4], 0) > 0;
  const bool has_mask = TF_NumDims(inputs[5]) == 2;
  *arguments = {numbers(inputs[0]), numbers(inputs[1]), numbers(inputs[2]), numbers(inputs[3]),
                has_bias ? numbers(inputs[4]) : nullptr,
                has_mask ? static_cast<const uint8_t*>(TF_TensorData(inputs[5])) : nullptr};
  return true;
}

void out_of_memory(Context& context) {
  context.refuse(TF_RESOURCE_EXHAUSTED, "There was no memory for the work space of a GRU.");
}

void forward(Context& context, const Attributes& attributes) {
  Sizes n;
  Arguments a;
  if (!read_arguments(context, attributes.reset_after, &n, &a)) return;
  const int64_t kept = attributes.option ? kernels()->gates_size(n) : 0;
  float* states = context.output(0, {n.B, n.T, n.H});
  float* gates = context.output(1, {kept});
  if (!context.ok()) return;
  if (!run_forward(*kernels(), n, a, attributes.sharing, states,
                   attributes.option ? gates : nullptr))
    out_of_memory(context);
}

void backward(Context& context, const Attributes& attributes) {
  Sizes n;
  Arguments a;
  if (!read_arguments(context, attributes.reset_after, &n, &a)) return;
  const TF_Tensor *states = context.input(6), *gates = context.input(7),
                  *upstream = context.input(8);
  if (!context.ok()) return;
  const std::vector<int64_t> of_states = {n.B, n.T, n.H}, of_last = {n.B, n.H};
  const std::vector<int64_t> received = shape(upstream);
  if (shape(states) != of_states || (received != of_states && received != of_last)) {
    context.refuse(TF_INVALID_ARGUMENT, "`states` must have the shape " + in_words(of_states) +
                                            ", and `upstream` that one or " + in_words(of_last) +
                                            ". Received: " + in_words(shape(states)) + " and " +
                                            in_words(received));
    return;
  }
  if (shape(gates) != std::vector<int64_t>{kernels()->gates_size(n)}) {
    context.refuse(TF_INVALID_ARGUMENT, "`gates` must be those of the forward pass.");
    return;
  }
  Upstream given = {nullptr, nullptr};
  (received == of_states ? given.states : given.last) = numbers(upstream);
  const bool need_dx = attributes.option;
  Gradients gradients;
  gradients.x = need_dx ? context.output(0, {n.B, n.T, n.D}) : context.output(0, {0, 0, 0});
  gradients.h_0 = context.output(1, {n.B, n.H});
  gradients.W = context.output(2, {n.D, 3 * n.H});
  gradients.U = context.output(3, {n.H, 3 * n.H});
  if (a.bias && n.reset_after)
    gradients.bias = context.output(4, {2, 3 * n.H});
  else
    gradients.bias = context.output(4, {a.bias ? 3 * n.H : 0});
  if (!context.ok()) return;
  if (!need_dx) gradients.x = nullptr;
  if (!a.bias) gradients.bias = nullptr;
  if (!run_backward(*kernels(), n, a, attributes.sharing, numbers(states), numbers(gates), given,
                    gradients))
    out_of_memory(context);
}

void* create_forward(TF_OpKernelConstruction* construction) {
  return new Attributes(attributes(construction, "keep_gates"));
}

void* create_backward(TF_OpKernelConstruction* construction) {
  return new Attributes(attributes(construction, "need_dx"));
}

template <void (*pass)(Context&, const Attributes&)>
void compute(void* kernel, TF_OpKernelContext* tensorflow_context) {
  Context context(tensorflow_context);
  try {
    pass(context, *static_cast<const Attributes*>(kernel));
  } catch (const std::bad_alloc&) {
    out_of_memory(context);
  }
  context.report();
}

void remove(void* kernel) { delete static_cast<Attributes*>(kernel); }

void unknown_shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

void define(const char* name, std::initializer_list<const char*> more_inputs,
            std::initializer_list<const char*> outputs, const char* option,
            void* (*create)(TF_OpKernelConstruction*), void (*run)(void*, TF_OpKernelContext*)) {
  Status status;
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(name);
  for (const char* input : {"x: float", "h_0: float", "kernel: float", "recurrent_kernel: float",
                            "bias: float", "mask: bool"})
    TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* input : more_inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  for (const char* attribute :
       {"reset_after: bool", option, "shares: int >= 1", "threads: int >= 1"})
    TF_OpDefinitionBuilderAddAttr(op, attribute);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, unknown_shapes);
  TF_RegisterOpDefinition(op, status.get());
  TF_KernelBuilder* builder = TF_NewKernelBuilder(name, "CPU", create, run, remove);
  TF_RegisterKernelBuilder(name, builder, status.get());
}

// Whether TensorFlow is in this process, with every function that is declared weak.
bool has_tensorflow() {
  return TF_NewStatus && TF_DeleteStatus && TF_SetStatus && TF_GetCode && TF_NumDims && TF_Dim &&
         TF_TensorData && TF_DeleteTensor && TF_NewOpDefinitionBuilder &&
         TF_OpDefinitionBuilderAddInput && TF_OpDefinitionBuilderAddOutput &&
         TF_OpDefinitionBuilderAddAttr && TF_OpDefinitionBuilderSetShapeInferenceFunction &&
         TF_RegisterOpDefinition && TF_ShapeInferenceContextSetUnknownShape &&
         TF_NewKernelBuilder && TF_RegisterKernelBuilder && TF_OpKernelConstruction_GetAttrBool &&
         TF_OpKernelConstruction_GetAttrInt64 && TF_OpKernelConstruction_Failure && TF_GetInput &&
         TF_AllocateOutput && TF_OpKernelContext_Failure;
}

// Runs when the library is loaded.
const bool defined = [] {
  if (!has_tensorflow()) return false;
  kernels();
  prepare_pool();
  define("SeqclfGru", {}, {"states: float", "gates: float"}, "keep_gates: bool", create_forward,
         compute<forward>);
  define("SeqclfGruGradient", {"states: float", "gates: float", "upstream: float"},
         {"dx: float", "dh_0: float", "dkernel: float", "drecurrent_kernel: float", "dbias: float"},
         "need_dx: bool", create_backward, compute<backward>);
  return true;
}();

}  // namespace

extern "C" __attribute__((visibility("default"))) const char* seqclf_native_isa() {
  return seqclf::kernels()->name;
}
