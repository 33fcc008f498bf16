/** Door of `demo`: small labelled motion videos, rendered. */

export { makeDemoVideos } from './make-videos.ts';
export type { DemoVideosOptions } from './make-videos.ts';
export { motionClasses } from './motions.ts';
export type { MotionClass } from './motions.ts';
export { renderMotionVideo } from './render.ts';
export type { MotionVideoOptions } from './render.ts';
