/** Door of `load`: shards become batches; here the order of samples, their split over ranks, and the place of a run. */

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
export type { Sequence, SequenceDataset, SequenceOptions, SequencePlace } from './order/sequence.ts';
export { REMAINDERS, batchPositions, countBatches, orderPosition, planEpoch } from './order/split.ts';
export type { EpochPlan, Remainder, SplitOptions } from './order/split.ts';
