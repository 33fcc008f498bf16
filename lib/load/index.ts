/** Door of `load`: shards become batches; here the order of samples, their split over ranks, and the place of a run. */

export { checkCursor, fingerprintDatasets, makeCursor, resumeAt } from './cursor.ts';
export type { Cursor, CursorOwner, ResumePoint } from './cursor.ts';
export { measureMixing } from './measure-mixing.ts';
export type { Mixing } from './measure-mixing.ts';
export { createMix } from './mix.ts';
export type { MixPart, MixPlace } from './mix.ts';
export { SHUFFLES, createOrder } from './order.ts';
export type { Order, OrderOptions, Shuffle, ShuffleOptions } from './order.ts';
export { summarizeEpoch, sumBytesPerRank } from './plan.ts';
export type { EpochSummary } from './plan.ts';
export { replaceSample } from './replacement.ts';
export type { ReplacementPlace } from './replacement.ts';
export { createSequence } from './sequence.ts';
export type { Sequence, SequenceDataset, SequenceOptions, SequencePlace } from './sequence.ts';
export { REMAINDERS, batchPositions, countBatches, orderPosition, planEpoch } from './split.ts';
export type { EpochPlan, Remainder, SplitOptions } from './split.ts';
