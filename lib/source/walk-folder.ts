/**
 * Walks a folder of videos in an order that depends on names alone: the entries of each folder sorted by the bytes of their
 * names, subfolders entered where they stand. The first folder below the root is the class.
 *
 * Links to folders outside the root are followed. A link to a folder inside is not, for it would take the videos away from the
 * class in which they lie; nor is one to a folder above, which holds the root itself.
 *
 * Names are kept as strings of one character per byte ("latin1"): exact for any bytes, small, and compared as bytes. Memory
 * is that of the names in the folders on the way from the root, plus one short key per folder.
 */

import { opendir, realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { TubeletError, messageText } from '../core/index.ts';
import { isOtherKind } from './file-kinds.ts';
import { bytesFromText, displayPath, textFromBytes, textFromLatin1 } from './path-text.ts';
import type { OpenNotes, SourceEntry } from './video-ref.ts';

type Kind = 'file' | 'folder' | 'link' | 'other';

interface Walk {
  /** Bytes of the root, with a slash at the end. */
  readonly root: string;
  /** The same without links, see {@link realPath}. */
  readonly realRoot: string;
  readonly notes: OpenNotes;
  readonly signal: AbortSignal | undefined;
  /** Device and inode of every folder entered: links may form loops. */
  readonly entered: Set<string>;
}

/** A folder that is being walked: the names left to visit, last one next. */
interface OpenFolder {
  readonly path: string;
  readonly names: string[];
}

/**
 * Yields the videos of a folder and takes notes of everything else.
 * Order: by bytes of names, folder by folder.
 *
 * @throws {TubeletError} TUBE_SOURCE_NOT_FOUND if the folder or one below it cannot be read
 */
export async function* walkFolder(
  root: string,
  notes: OpenNotes,
  signal?: AbortSignal,
): AsyncGenerator<SourceEntry> {
  const walk: Walk = {
    root: `${bytesFromText(root).toString('latin1')}/`,
    realRoot: await realPath(bytesFromText(root)),
    notes,
    signal,
    entered: new Set(),
  };
  const open: OpenFolder[] = [await openFolder(walk, '')];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const next = top.names.pop();
    if (next === undefined) {
      open.pop();
      continue;
    }
    const { name, kind } = unpack(next);
    const path = top.path + name;
    const target = kind === 'link' ? await followLink(walk, path) : kind;
    if (kind === 'link' && target === 'folder' && (await isOwnFolder(walk, path))) {
      notes.revisitedFolders += 1;
    } else if (target === 'folder') {
      open.push(await openFolder(walk, `${path}/`));
    } else if (target === 'other') {
      notes.otherKinds += 1;
    } else if (kind === 'file' || !isOtherKind(name, notes)) {
      if (target === 'link') notes.brokenLinks += 1;
      yield entryOf(textFromLatin1(path));
    }
  }
}

/** What a link leads to; `'link'` if it leads nowhere. */
async function followLink(walk: Walk, path: string): Promise<Kind> {
  try {
    return kindOf(await stat(bytesOf(walk, path)));
  } catch {
    return 'link';
  }
}

/** Says whether a link to a folder leads to one that is walked under its own name, or that holds the root. */
async function isOwnFolder(walk: Walk, path: string): Promise<boolean> {
  const target = await realPath(bytesOf(walk, path));
  if (walk.realRoot.startsWith(target)) return true;
  if (!target.startsWith(walk.realRoot)) return false;
  const names = target.slice(walk.realRoot.length).split(sep);
  return !names.some((name) => name.startsWith('.')); // what is hidden is walked through links alone
}

/** A path without links, one character per byte, with a separator at the end. */
async function realPath(path: Buffer): Promise<string> {
  try {
    const real = (await realpath(path, 'buffer')).toString('latin1');
    return real.endsWith(sep) ? real : real + sep;
  } catch (cause) {
    throw notFound(path, cause);
  }
}

/** Lists a folder, unless it was entered before under another name. */
async function openFolder(walk: Walk, path: string): Promise<OpenFolder> {
  const bytes = bytesOf(walk, path);
  try {
    const { dev, ino } = await stat(bytes, { bigint: true });
    const key = `${dev}:${ino}`;
    if (walk.entered.has(key)) {
      walk.notes.revisitedFolders += 1;
      return { path, names: [] };
    }
    walk.entered.add(key);
    return { path, names: await listNames(bytes, walk) };
  } catch (cause) {
    walk.signal?.throwIfAborted();
    throw notFound(bytes, cause);
  }
}

function notFound(path: Buffer, cause: unknown): TubeletError {
  const details = { path: displayPath(textFromBytes(path)), message: messageText(cause) };
  return new TubeletError('TUBE_SOURCE_NOT_FOUND', details, { cause });
}

/** The packed names of a folder that are worth a visit, sorted backwards. */
async function listNames(folder: Buffer, { notes, signal }: Walk): Promise<string[]> {
  const names: string[] = [];
  // The types of Node know only texts here; 'buffer' works and is the one way to names that are not UTF-8.
  const encoding = 'buffer' as BufferEncoding;
  for await (const entry of await opendir(folder, { encoding, bufferSize: 1024 })) {
    signal?.throwIfAborted();
    const name = (entry.name as unknown as Buffer).toString('latin1');
    const kind = entry.isSymbolicLink() ? 'link' : kindOf(entry);
    if (name.startsWith('.')) notes.hidden += 1;
    else if (kind === 'other') notes.otherKinds += 1;
    else if (kind !== 'file' || !isOtherKind(name, notes)) names.push(pack(name, kind));
  }
  return names.sort().reverse();
}

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean }): Kind {
  if (entry.isFile()) return 'file';
  return entry.isDirectory() ? 'folder' : 'other';
}

/** Name and kind in one string: a million of them take a third of the memory of a million objects. */
function pack(name: string, kind: Kind): string {
  return `${name}\0${kind}`;
}

function unpack(packed: string): { name: string; kind: Kind } {
  const cut = packed.indexOf('\0');
  return { name: packed.slice(0, cut), kind: packed.slice(cut + 1) as Kind };
}

function bytesOf(walk: Walk, path: string): Buffer {
  return Buffer.from(walk.root + path, 'latin1');
}

function entryOf(path: string): SourceEntry {
  const cut = path.indexOf('/');
  return {
    line: 0,
    path,
    startSeconds: null,
    endSeconds: null,
    label: null,
    className: cut < 0 ? null : path.slice(0, cut),
    split: null,
  };
}
