/** Door of `decode`: video files to frames, in killable processes; and RGB frames to video files. */

export { listFrameTimes } from './frame-times.ts';
export type { FrameTimesOptions } from './frame-times.ts';
export type { Crop } from './pixel-graph.ts';
export type { FrameChooser, FrameVerdict } from './decode-frames.ts';
export type { PixelFormat, Size, SizeChooser } from './frame-converter.ts';
export { listenToMessages, takeMessages } from './ffmpeg.ts';
export { JpegDecoder } from './jpeg-decoder.ts';
export type { PictureCut } from './picture-cut.ts';
export { serveTasks } from './process-child.ts';
export { ProcessPool } from './process-pool.ts';
export type { PoolOptions } from './process-pool.ts';
export type { VideoInfo } from './video-info.ts';
export { VideoReader } from './video-reader.ts';
export type { ReadOptions, VideoFrame, VideoReport } from './video-reader.ts';
export type { VideoWarning, WarningCode } from './warnings.ts';
export { writeVideo } from './write-video.ts';
export type { VideoCodec, VideoForm } from './write-video.ts';
