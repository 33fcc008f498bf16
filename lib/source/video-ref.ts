/** What a source hands out: plain references to videos, and notes about what was left out on the way. */

import { hash } from 'node:crypto';
import { bytesFromText } from './path-text.ts';

/** One video, or one span of a video, that a source names. */
export interface VideoRef {
  /** 16 hexadecimal digits, unique in the source, a function of path and span alone. */
  readonly id: string;
  /**
   * Relative to the root of the source; absolute only if a list names files outside it. See {@link bytesFromText} for names
   * that are not UTF-8.
   */
  readonly path: string;
  /** Class id; `null` if unlabelled. */
  readonly label: number | null;
  /** Class name, if the source has names. */
  readonly className: string | null;
  /** Split as the list names it. */
  readonly split: string | null;
  /** Start of the span that is meant, in seconds, inclusive; `null` for the start of the file. */
  readonly startSeconds: number | null;
  /** End of the span that is meant, in seconds, exclusive; `null` for the end of the file. */
  readonly endSeconds: number | null;
}

/** Counts of what a source met and did not turn into a {@link VideoRef}, or turned into one that looks doubtful. */
export interface SourceNotes {
  /** Files skipped because their name belongs to another kind of file, by extension (`.txt`) or whole name (`readme`). */
  readonly skippedByExtension: Readonly<Record<string, number>>;
  /** Rows that repeat an earlier row of the list. */
  readonly duplicates: number;
  /** Rows of another split than the wanted one. */
  readonly otherSplits: number;
  /** Symbolic links to folders that are read under another name, and not read again. */
  readonly revisitedFolders: number;
  /** Symbolic links that lead nowhere; they are kept as videos, so that decoding names them. */
  readonly brokenLinks: number;
  /** Files and folders whose name starts with a dot. */
  readonly hidden: number;
  /** Sockets, pipes and devices. */
  readonly otherKinds: number;
}

/** Notes while they are being taken. */
export type OpenNotes = {
  -readonly [Name in keyof SourceNotes]: SourceNotes[Name] extends number
    ? number
    : Record<string, number>;
};

/** One entry as a folder or list gives it, before class names have become class ids. */
export interface SourceEntry {
  /** Line of the list, from 1; 0 in a folder. */
  readonly line: number;
  readonly path: string;
  readonly startSeconds: number | null;
  readonly endSeconds: number | null;
  /** Text of the label column. */
  readonly label: string | null;
  /** Text of the class column, or name of the class folder. */
  readonly className: string | null;
  /** `null` if the list has no split column, empty if this row leaves it blank. */
  readonly split: string | null;
}

/** Notes with every count at zero. */
export function createNotes(): OpenNotes {
  return {
    skippedByExtension: {},
    duplicates: 0,
    otherSplits: 0,
    revisitedFolders: 0,
    brokenLinks: 0,
    hidden: 0,
    otherKinds: 0,
  };
}

/** The id of a path and span: the first 64 bits of a SHA-256 in hexadecimal. */
export function videoId(
  path: string,
  startSeconds: number | null,
  endSeconds: number | null,
): string {
  const named = `${path}\0${startSeconds ?? ''}\0${endSeconds ?? ''}`;
  return hash('sha256', bytesFromText(named), 'hex').slice(0, 16);
}
