// The part of TensorFlow's C API that the operations use, declared here so that no TensorFlow is
// needed to compile them. It is stable (tensorflow/c/kernels.h, ops.h, tf_tensor.h, tf_status.h).
//
// They are weak: the library can be loaded without TensorFlow, too. It then defines no operations,
// and only says which instruction set it has chosen (`seqclf --version`).
#pragma once

#include <cstddef>
#include <cstdint>

#define SEQCLF_WEAK __attribute__((weak))

extern "C" {

struct TF_Status;
struct TF_Tensor;
struct TF_KernelBuilder;
struct TF_OpDefinitionBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;
struct TF_ShapeInferenceContext;

typedef enum { TF_OK = 0, TF_INVALID_ARGUMENT = 3, TF_RESOURCE_EXHAUSTED = 8 } TF_Code;
typedef enum { TF_FLOAT = 1 } TF_DataType;

SEQCLF_WEAK TF_Status* TF_NewStatus(void);
SEQCLF_WEAK void TF_DeleteStatus(TF_Status*);
SEQCLF_WEAK void TF_SetStatus(TF_Status*, TF_Code, const char* message);
SEQCLF_WEAK TF_Code TF_GetCode(const TF_Status*);

SEQCLF_WEAK int TF_NumDims(const TF_Tensor*);
SEQCLF_WEAK int64_t TF_Dim(const TF_Tensor*, int index);
SEQCLF_WEAK void* TF_TensorData(const TF_Tensor*);
SEQCLF_WEAK void TF_DeleteTensor(TF_Tensor*);

SEQCLF_WEAK TF_OpDefinitionBuilder* TF_NewOpDefinitionBuilder(const char* name);
SEQCLF_WEAK void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder*, const char* spec);
SEQCLF_WEAK void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder*, const char* spec);
SEQCLF_WEAK void TF_OpDefinitionBuilderAddAttr(TF_OpDefinitionBuilder*, const char* spec);
SEQCLF_WEAK void TF_OpDefinitionBuilderSetShapeInferenceFunction(
    TF_OpDefinitionBuilder*, void (*)(TF_ShapeInferenceContext*, TF_Status*));
SEQCLF_WEAK void TF_RegisterOpDefinition(TF_OpDefinitionBuilder*, TF_Status*);
SEQCLF_WEAK void TF_ShapeInferenceContextSetUnknownShape(TF_ShapeInferenceContext*, TF_Status*);

SEQCLF_WEAK TF_KernelBuilder* TF_NewKernelBuilder(const char* op, const char* device,
                                                  void* (*create)(TF_OpKernelConstruction*),
                                                  void (*compute)(void*, TF_OpKernelContext*),
                                                  void (*remove)(void*));
SEQCLF_WEAK void TF_RegisterKernelBuilder(const char* name, TF_KernelBuilder*, TF_Status*);
SEQCLF_WEAK void TF_OpKernelConstruction_GetAttrBool(TF_OpKernelConstruction*, const char* name,
                                                     unsigned char* value, TF_Status*);
SEQCLF_WEAK void TF_OpKernelConstruction_GetAttrInt64(TF_OpKernelConstruction*, const char* name,
                                                      int64_t* value, TF_Status*);
SEQCLF_WEAK void TF_OpKernelConstruction_Failure(TF_OpKernelConstruction*, TF_Status*);
SEQCLF_WEAK void TF_GetInput(TF_OpKernelContext*, int index, TF_Tensor**, TF_Status*);
SEQCLF_WEAK TF_Tensor* TF_AllocateOutput(TF_OpKernelContext*, int index, TF_DataType,
                                         const int64_t* dims, int rank, size_t bytes, TF_Status*);
SEQCLF_WEAK void TF_OpKernelContext_Failure(TF_OpKernelContext*, TF_Status*);

}  // extern "C"
