/** The public face of tubelet: every exported name, listed one by one. */

export {
  ERROR_CODES,
  TubeletError,
  createPermutation,
  createRng,
  describeError,
} from './core/index.ts';
export type { ErrorCode, ErrorDetails, PlainError, Rng, RngParts } from './core/index.ts';

export { displayPath, openSource, videoFilePath } from './source/index.ts';
export type { ListForm, Source, SourceNotes, SourceOptions, VideoRef } from './source/index.ts';

export { VideoReader, listFrameTimes, writeVideo } from './decode/index.ts';
export type {
  FrameChooser as ReadChooser,
  FrameTimesOptions,
  FrameVerdict,
  PixelFormat,
  ReadOptions,
  SizeChooser,
  VideoCodec,
  VideoForm,
  VideoFrame,
  VideoInfo,
  VideoReport,
  VideoWarning,
  WarningCode,
} from './decode/index.ts';

export {
  SHORT_VIDEO_POLICIES,
  centerCrop,
  clipFrames,
  clipSpan,
  clipStarts,
  createFrameChooser,
  cutTubelets,
  decodeImage,
  denseExactFrames,
  denseTestFrames,
  denseTrainFrames,
  encodeJpeg,
  encodePng,
  joinTubelets,
  pretrainFrames,
  resizeImage,
  shortSideSize,
  tokenShape,
  uniformTestFrames,
  uniformTrainFrames,
  viewCrops,
} from './sample/index.ts';
export type {
  ClipFrameOptions,
  ClipOptions,
  ClipShape,
  ClipStartOptions,
  Crop,
  CutOptions,
  DenseTestOptions,
  FrameChooser,
  FramePolicy,
  FrameWindow,
  RgbImage,
  ShortVideoPolicy,
  Size,
  TubeletShape,
} from './sample/index.ts';

export {
  Dataset,
  ShardWriter,
  decodeSample,
  encodeSample,
  openDataset,
  verifyShard,
} from './shard/index.ts';
export type {
  DatasetInfo,
  DatasetOptions,
  DatasetTotals,
  Defect,
  Sample,
  SampleEntry,
  SampleMeta,
  SampleSource,
  SamplesOptions,
  ShardEntry,
  ShardFacts,
  ShardSummary,
  Sidecar,
  SidecarSample,
  VerifyOptions,
  VideoFailure,
  VideoNote,
} from './shard/index.ts';

export { TOOL, convert, planConvert } from './convert/index.ts';
export type {
  ContentOptions,
  ConvertOptions,
  ConvertPlan,
  ConvertProgress,
  ConvertSummary,
  Plan,
  ResolvedContent,
  RetryReason,
  VideoContent,
} from './convert/index.ts';

export { contactSheet, datasetSheet, inspect, sampleImages, verify } from './study/index.ts';
export type {
  ClassCount,
  ContactSheetOptions,
  ContactSheetRow,
  Inspection,
  Spread,
  VerifyDatasetOptions,
  VerifyReport,
} from './study/index.ts';

export { makeDemoVideos, motionClasses, renderMotionVideo } from './demo/index.ts';
export type { DemoVideosOptions, MotionClass, MotionVideoOptions } from './demo/index.ts';
