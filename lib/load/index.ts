/** Door of `load`: shards become batches. */

export type { Batch, BatchTensor, DtypeArrays } from './batch.ts';
export type { Dtype, TensorSpec } from './clip/batch-tensors.ts';
export { CROP_RULES } from './clip/choose-cut.ts';
export type { CropRule } from './clip/choose-cut.ts';
export { FRAME_RULES } from './clip/choose-frames.ts';
export type { FrameRule } from './clip/choose-frames.ts';
export type {
  ClipRecipe,
  FramesOptions,
  Resize,
  ShardClips,
  TensorOptions,
  ViewCounts,
} from './clip/recipe.ts';
export { loadCursor, saveCursor } from './cursor-file.ts';
export { describeSource } from './describe-source.ts';
export type { SourceDescription } from './describe-source.ts';
export { BATCH_FORMATS, encodeBatch } from './encode-batch.ts';
export type { BatchFormat } from './encode-batch.ts';
export { Loader, openLoader } from './loader.ts';
export type { LoaderInfo, LoaderReport } from './loader.ts';
export type { LoaderSource } from './members.ts';
export { CHECKS, ON_ERROR } from './options.ts';
export type { BadSample, Check, LoaderOptions, OnError } from './options.ts';
export { PRESETS } from './presets.ts';
export type { Preset } from './presets.ts';
export { checkCursor, fingerprintDatasets, makeCursor, resumeAt } from './order/cursor.ts';
export type { Cursor, CursorOwner, ResumePoint } from './order/cursor.ts';
export { measureMixing } from './order/measure-mixing.ts';
export type { Mixing } from './order/measure-mixing.ts';
export { createMix } from './order/mix.ts';
export type { MixPart, MixPlace } from './order/mix.ts';
export { SHUFFLES, createOrder } from './order/order.ts';
export type { Order, OrderOptions, Shuffle, ShuffleOptions } from './order/order.ts';
export { summarizeEpoch, sumBytesPerRank } from './order/plan.ts';
export type { EpochSummary } from './order/plan.ts';
export { replaceSample } from './order/replacement.ts';
export type { ReplacementPlace } from './order/replacement.ts';
export { createSequence } from './order/sequence.ts';
export type {
  Sequence,
  SequenceDataset,
  SequenceOptions,
  SequencePlace,
} from './order/sequence.ts';
export {
  REMAINDERS,
  batchPositions,
  countBatches,
  orderPosition,
  planEpoch,
} from './order/split.ts';
export type { EpochPlan, Remainder, SplitOptions } from './order/split.ts';
