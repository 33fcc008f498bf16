/** Door of `sample`: which frames of a video, which pixels of a frame, augmentation, tubelets, masks, pictures in files. */

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
export type { ClipShape } from './clip-buffer.ts';
export type { CutOptions, FrameWindow, Pixels, TubeletShape } from './tubelets.ts';
export { TARGET_FRAMES, centerPatches, targetLength } from './target-frames.ts';
export type { TargetFrames } from './target-frames.ts';
export { uniformTestFrames, uniformTrainFrames } from './uniform-frames.ts';
export { drawMultiScaleCrop } from './multi-scale-crop.ts';
export { drawResizedCrop } from './random-resized-crop.ts';
export type { ResizedCropOptions } from './random-resized-crop.ts';
export type { Range } from './random-box.ts';
export { resizeClip } from './pillow-resize.ts';
export type { ResizeFilter, ResizeOptions } from './pillow-resize.ts';
export { resizeClipToFloat } from './torch-resize.ts';
export type { FloatResizeOptions } from './torch-resize.ts';
export { applyRandAugment, parseRandAugment, planRandAugment } from './rand-augment.ts';
export type { AugmentOperation, AugmentStep, RandAugmentConfig } from './rand-augment.ts';
export { drawErasing, eraseBox } from './random-erasing.ts';
export { drawMix, mixBatch, placeCutmix, softTargets } from './mixup.ts';
export type { Mix, MixOptions, SoftTargetOptions } from './mixup.ts';
export { flipClip } from './flip.ts';
export { IMAGENET_COLOURS, makeTargets, normalisePixels } from './normalise.ts';
export type { Colour, ColourStats, TargetOptions } from './normalise.ts';
export { MASK_KINDS, countMasked, drawMask, splitTokens } from './masks.ts';
export type { MaskKind, MaskOptions, TokenGrid, TokenSplit } from './masks.ts';
export { listViews, mergeViews } from './views.ts';
export type { VideoScore, View, ViewScore } from './views.ts';
