/** Door of `ops`: the larger operations of transformers, with closed gradients, and the kernels that an engine may have for them. */

export { adamwUpdate } from './adamw.ts';
export type { AdamwConstants, AdamwNext, AdamwStepScalars, AdamwTensors } from './adamw.ts';
export { attention, mergedAttention } from './attention.ts';
export type { AttentionMemory, AttentionOptions } from './attention.ts';
export { crossEntropy } from './cross-entropy.ts';
export type { CrossEntropyOptions } from './cross-entropy.ts';
export { dropPath, dropout } from './dropout.ts';
export { FUSED_KERNELS } from './fused-kernels.ts';
export type { FusedKernelName, FusedSpec } from './fused-kernels.ts';
export { gelu } from './gelu.ts';
export { clipByGlobalNorm, globalNorm } from './gradient-norm.ts';
export { layerNorm } from './layer-norm.ts';
export { clipTubelets, embedTubelets, linear } from './linear.ts';
export { geluLinear, normLinear } from './recomputing-linear.ts';
export type { LinearParameters, NormParameters } from './recomputing-linear.ts';
export { tf } from './tfjs.ts';
