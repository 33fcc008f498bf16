/**
 * Opens a folder or list of videos as one sequence with random access. Entries go through a spool file, so a million of them
 * take some 10 MB of memory.
 */

import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { TubeletError, checkInteger, checkOneOf, messageText } from '../core/index.ts';
import { createClassBook } from './class-book.ts';
import type { ClassTable } from './class-book.ts';
import { READERS } from './list-form.ts';
import type { ListForm } from './list-form.ts';
import { displayPath, fsPath } from './path-text.ts';
import { listConflict, readList } from './read-list.ts';
import { createSeenTable } from './seen-table.ts';
import { Spool } from './spool.ts';
import { createNotes, videoId } from './video-ref.ts';
import type { OpenNotes, SourceEntry, SourceNotes, VideoRef } from './video-ref.ts';
import { walkFolder } from './walk-folder.ts';

/** How {@link openSource} opens. */
export interface SourceOptions {
  /** List of the videos; the folder is then only where they lie. */
  readonly list?: string;
  /** Where relative paths of a list start; by default the given folder, or else the folder of the list. */
  readonly root?: string;
  /** Form of the list; told from its content by default. */
  readonly form?: ListForm;
  /** Takes only rows of this split, if the list has a split column. */
  readonly split?: string;
  /** Folder for the spool file, about 100 bytes a video; by default that of the system for temporary files. */
  readonly workDir?: string;
  readonly signal?: AbortSignal;
}

interface Place {
  readonly kind: 'folder' | 'list';
  readonly root: string;
  /** Path of the list; of the folder if there is none. */
  readonly path: string;
}

interface SourceParts extends Place {
  readonly spool: Spool;
  readonly table: ClassTable;
  readonly notes: SourceNotes;
}

/** An open folder or list of videos; close it with `await using`. */
export class Source {
  readonly kind: 'folder' | 'list';
  /** Absolute path that relative paths of videos start from. */
  readonly root: string;
  readonly numVideos: number;
  /** Class names by class id; empty if the source gives none, or ids that are not 0 … n - 1. */
  readonly classes: readonly string[];
  readonly notes: SourceNotes;
  /** SHA-256 over all entries in order, in hexadecimal: equal for equal sources, wherever they lie. */
  readonly fingerprint: string;
  readonly #spool: Spool;
  readonly #table: ClassTable;
  #isClosed = false;

  /** @internal use {@link openSource} */
  constructor({ kind, root, spool, table, notes }: SourceParts) {
    this.kind = kind;
    this.root = root;
    this.numVideos = spool.length;
    this.classes = table.classes;
    this.notes = notes;
    this.fingerprint = spool.digest();
    this.#spool = spool;
    this.#table = table;
  }

  /**
   * Reads videos by position, in the order of the source; fewer than asked for at the end. Calls may overlap.
   *
   * @param start from 0 to `numVideos`
   * @throws {RangeError} if an argument is out of bounds
   * @throws {TypeError} if the source is closed
   */
  async read(start: number, count: number): Promise<VideoRef[]> {
    checkInteger('start', start, { min: 0, max: this.numVideos });
    checkInteger('count', count, { min: 0 });
    if (this.#isClosed) throw new TypeError('The source is closed.');
    const entries = await this.#spool.read(start, Math.min(count, this.numVideos - start));
    return entries.map(({ path, startSeconds, endSeconds, split, ...texts }) => {
      const id = videoId(path, startSeconds, endSeconds);
      const { label, className } = this.#table.classOf(texts);
      return { id, path, label, className, split: split || null, startSeconds, endSeconds };
    });
  }

  /** Closes the source and removes its spool file; may be called again. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#spool[Symbol.asyncDispose]();
  }
}

/**
 * Opens a folder of videos, or a list file.
 *
 * A folder is walked in the order of names; its first subfolder is the class. A list keeps the order of its rows, and class
 * ids are given over all rows, so that they are the same for every split.
 *
 * @param path folder or list file
 * @throws {TubeletError} TUBE_SOURCE_NOT_FOUND, TUBE_SOURCE_EMPTY, TUBE_LIST_SYNTAX, TUBE_LIST_CONFLICT,
 *   TUBE_OUT_NOT_WRITABLE or TUBE_DISK_FULL for the spool file
 * @throws {RangeError} for an option that would be ignored: `root` or `form` without a list, a second file beside `list`
 */
export async function openSource(path: string, options: SourceOptions = {}): Promise<Source> {
  const { form, split, signal, workDir = tmpdir() } = options;
  if (form !== undefined) checkOneOf('form', form, Object.keys(READERS) as ListForm[]);
  signal?.throwIfAborted();
  const place = await findPlace(path, options);
  const notes = createNotes();
  const spool = await Spool.open(workDir);
  try {
    const entries =
      place.kind === 'folder'
        ? walkFolder(place.root, notes, signal)
        : readList(place.path, { root: place.root, form, signal });
    const book = createClassBook(place.kind === 'list');
    const isNew = place.kind === 'list' ? createDuplicateCheck(place.path, notes) : () => true;
    for await (const entry of entries) {
      signal?.throwIfAborted();
      book.note(entry, entry.line);
      if (split !== undefined && entry.split !== null && entry.split !== split) {
        notes.otherSplits += 1;
      } else if (isNew(entry) && spool.add(entry)) await spool.flush();
    }
    await spool.flush();
    const table = book.finish(place.path);
    if (spool.length === 0) throw emptyError(path, notes, split);
    return new Source({ ...place, spool, table, notes });
  } catch (error) {
    await spool[Symbol.asyncDispose]();
    throw error;
  }
}

async function findPlace(path: string, options: SourceOptions): Promise<Place> {
  const given = resolve(path);
  const isFolder = await checkPath(given);
  if (isFolder && options.list === undefined) {
    for (const name of ['root', 'form'] as const) {
      if (options[name] !== undefined) throw new RangeError(`"${name}" needs a list of videos.`);
    }
    return { kind: 'folder', root: given, path: given };
  }
  const list = options.list === undefined ? given : resolve(options.list);
  if (!isFolder && list !== given) {
    throw new RangeError(`"list" needs a folder as source, not a file (got ${displayPath(path)}).`);
  }
  const root = isFolder ? given : dirname(list);
  if (options.root === undefined) return { kind: 'list', root, path: list };
  await checkPath(resolve(options.root));
  return { kind: 'list', root: resolve(options.root), path: list };
}

/** Says whether something that must exist is a folder. */
async function checkPath(path: string): Promise<boolean> {
  try {
    return (await stat(fsPath(path))).isDirectory();
  } catch (cause) {
    const details = { path: displayPath(path), message: messageText(cause) };
    throw new TubeletError('TUBE_SOURCE_NOT_FOUND', details, { cause });
  }
}

/** Says of each row whether it names a video for the first time. */
function createDuplicateCheck(list: string, notes: OpenNotes): (entry: SourceEntry) => boolean {
  const seen = createSeenTable();
  return (entry) => {
    const { path, startSeconds, endSeconds, label, className, split, line } = entry;
    const content = JSON.stringify([label, className, split]);
    const earlier = seen.remember(videoId(path, startSeconds, endSeconds), content, line);
    if (earlier === undefined) return true;
    if (!earlier.isSame) throw listConflict(list, entry, earlier.line);
    notes.duplicates += 1;
    return false;
  };
}

function emptyError(path: string, notes: OpenNotes, split: string | undefined): TubeletError {
  const { skippedByExtension, ...counts } = notes;
  const extensions = Object.entries(skippedByExtension).map(([name, count]) => `${name} ${count}`);
  return new TubeletError('TUBE_SOURCE_EMPTY', {
    path: displayPath(path),
    split: split ?? null,
    skipped: extensions.join(' ') || null,
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
  });
}
