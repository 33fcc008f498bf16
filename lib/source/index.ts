/** Door of `source`: a folder or list file becomes a sequence of video references. */

export type { ListForm } from './list-form.ts';
export { openSource } from './open-source.ts';
export type { Source, SourceOptions } from './open-source.ts';
export { displayPath, videoFilePath } from './path-text.ts';
export type { SourceNotes, VideoRef } from './video-ref.ts';
