/** Door of `shard`: the on-disk format, written, read, indexed and verified. */

export { readDatasetInfo, removeDatasetInfo, writeDatasetInfo } from './dataset-info.ts';
export type { DatasetInfo, DatasetTotals } from './dataset-info.ts';
export { Dataset, openDataset } from './dataset.ts';
export type { DatasetOptions, SampleEntry, SamplesOptions } from './dataset.ts';
export { FORMAT_VERSION } from './format.ts';
export { binHeader, packMap, packPlain } from './msgpack.ts';
export type { PlainValue } from './msgpack.ts';
export type { Sample, SampleMeta, SampleSource } from './sample-meta.ts';
export { countBytes, decodeSample, encodeData, encodeMeta, encodeSample } from './sample.ts';
export { readDoneSidecar, readSidecar, summarizeShard, tarPath } from './sidecar.ts';
export type { ShardSummary, Sidecar, SidecarSample, VideoFailure, VideoNote } from './sidecar.ts';
export type { StoreOptions } from './store/open-store.ts';
export { scanTar } from './tar-scan.ts';
export type { TarEntry } from './tar-scan.ts';
export { verifyDataset } from './verify-dataset.ts';
export { verifyShard } from './verify.ts';
export type { Defect, VerifyOptions } from './verify.ts';
export { ShardWriter } from './writer.ts';
export type { ShardEntry, ShardFacts } from './writer.ts';
