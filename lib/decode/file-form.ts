/**
 * Looks at a file from outside: does its name fit its content, is it all there. Decoders forgive a file that was cut between two
 * frames or has something appended; whoever collects data wants to know.
 */

import { closeSync, fstatSync, readSync } from 'node:fs';
import { openFile } from './open-file.ts';
import type { VideoWarning } from './warnings.ts';

/** Extensions that belong to one kind of container; others say nothing. */
const FAMILIES: readonly (readonly [extensions: string, container: RegExp])[] = [
  ['mp4 m4v mov 3gp 3g2 qt', /^mov/],
  ['mkv webm mk3d', /^matroska/],
  ['avi divx', /^avi/],
  ['wmv asf', /^asf/],
  ['flv', /flv/],
  ['gif', /^gif/],
  ['apng', /^apng/],
  ['ts mts m2ts', /^mpegts/],
  ['mpg mpeg vob', /^mpeg/],
  ['ogv ogg', /^ogg/],
];

/** Boxes or chunks looked at; a file with more is left at that. */
const MAX_PARTS = 10_000;

/**
 * Compares a file with what a reader found in it.
 *
 * @throws as {@link openFile}
 */
export function checkFileForm(file: string | Buffer, container: string): VideoWarning[] {
  const named = checkName(file.toString(), container);
  const fd = openFile(file);
  try {
    const { size } = fstatSync(fd);
    const read = (offset: number, bytes: number): Buffer => {
      const buffer = Buffer.alloc(bytes);
      return buffer.subarray(0, readSync(fd, buffer, 0, bytes, offset));
    };
    const found = wholeness(container, read, size);
    return [...named, ...(found === null ? [] : [found])];
  } finally {
    closeSync(fd);
  }
}

type ReadAt = (offset: number, bytes: number) => Buffer;

function checkName(path: string, container: string): VideoWarning[] {
  const extension = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  const family = FAMILIES.find(([extensions]) => extensions.split(' ').includes(extension));
  const isFitting = family === undefined ? extension !== '' : family[1].test(container);
  if (isFitting) return [];
  const name = extension === '' ? 'without an extension' : `named .${extension}`;
  return [{ code: 'extension', message: `${name}, the content is ${container}` }];
}

function wholeness(container: string, read: ReadAt, size: number): VideoWarning | null {
  if (container.startsWith('mov')) return checkBoxes(read, size);
  if (container.startsWith('avi')) return checkChunks(read, size);
  if (container.startsWith('mpegts')) return checkSync(read);
  return null;
}

/** ISO base media: boxes one after the other, to the last byte. */
function checkBoxes(read: ReadAt, size: number): VideoWarning | null {
  let offset = 0;
  for (let i = 0; i < MAX_PARTS && offset < size; i++) {
    const header = read(offset, 16);
    const type = header.toString('latin1', 4, 8);
    const short = header.length >= 8 ? header.readUInt32BE(0) : 0;
    if (header.length < 8 || !/^[ -~\u00A9]{4}$/.test(type)) return extra(size - offset);
    if (short === 0) return null; // to the end of the file, as the standard allows
    const length = short === 1 && header.length === 16 ? Number(header.readBigUInt64BE(8)) : short;
    if (length < 8) return extra(size - offset);
    offset += length;
    if (offset > size)
      return cut(`box "${type}" ends ${offset - size} bytes behind the end of the file`);
  }
  return null;
}

/** AVI: RIFF chunks one after the other. */
function checkChunks(read: ReadAt, size: number): VideoWarning | null {
  let offset = 0;
  for (let i = 0; i < MAX_PARTS && offset + 12 <= size; i++) {
    const header = read(offset, 12);
    if (header.toString('latin1', 0, 4) !== 'RIFF') return extra(size - offset);
    const length = header.readUInt32LE(4);
    offset += 8 + length + (length % 2);
    if (offset > size + 1)
      return cut(`the RIFF chunk ends ${offset - size} bytes behind the end of the file`);
  }
  return null;
}

/** MPEG transport stream: every packet starts with 0x47, in some cameras after four bytes of time. */
function checkSync(read: ReadAt): VideoWarning | null {
  const start = read(0, 5);
  if (start[0] === 0x47 || start[4] === 0x47) return null;
  return { code: 'cut-short', message: 'the file does not start at a packet' };
}

function extra(bytes: number): VideoWarning {
  return { code: 'extra-data', message: `${bytes} bytes at the end belong to nothing` };
}

function cut(message: string): VideoWarning {
  return { code: 'cut-short', message };
}
