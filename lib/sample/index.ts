/** Door of `sample`: which frames of a video, which pixels of a frame, tubelets, pictures in common file formats. */

export { SHORT_VIDEO_POLICIES, clipFrames, clipSpan, clipStarts } from './clip.ts';
export type { ClipFrameOptions, ClipOptions, ClipStartOptions, ShortVideoPolicy } from './clip.ts';
export {
  denseExactFrames,
  denseTestFrames,
  denseTrainFrames,
  pretrainFrames,
} from './dense-frames.ts';
export type { DenseTestOptions } from './dense-frames.ts';
export { createFrameChooser } from './frame-chooser.ts';
export type { FrameChooser, FramePolicy } from './frame-chooser.ts';
export { centerCrop, checkCrop, shortSideSize, viewCrops } from './geometry.ts';
export type { Crop, Size } from './geometry.ts';
export { decodeImage, encodeJpeg, encodePng, resizeImage } from './image.ts';
export type { RgbImage } from './image.ts';
export { cutTubelets, joinTubelets, tokenShape } from './tubelets.ts';
export type { ClipShape, CutOptions, FrameWindow, TubeletShape } from './tubelets.ts';
export { uniformTestFrames, uniformTrainFrames } from './uniform-frames.ts';
