/**
 * Paths as text. File names are bytes; those that are not UTF-8 still need a place in strings, JSON and hashes. As in
 * Python's "surrogateescape" (PEP 383), a byte that is not part of valid UTF-8 becomes one lone surrogate U+DC80 … U+DCFF,
 * which no valid text holds, so the way back is exact.
 */

import { isUtf8 } from 'node:buffer';
import { isAbsolute } from 'node:path';

const ESCAPED_BYTE = /[\u{DC80}-\u{DCFF}]/u;
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u{DC80}-\u{DCFF}\x00-\x1f\x7f]/gu;
// eslint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/;
const REDUNDANT_PART = /(?:^|\/)\.?(?:\/|$)/;

/** Text of a file name given as bytes. */
export function textFromBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString();
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] ?? 0;
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    const character = bytes.subarray(at, at + length);
    const isValid = character.length === length && isUtf8(character);
    text += isValid ? character.toString() : String.fromCharCode(0xdc00 + byte);
    at += isValid ? length : 1;
  }
  return text;
}

/** Text of a file name whose bytes are given as the characters U+0000 … U+00FF, the compact form used while reading. */
export function textFromLatin1(bytes: string): string {
  return ASCII.test(bytes) ? bytes : textFromBytes(Buffer.from(bytes, 'latin1'));
}

/** Bytes of a file name: the way back from {@link textFromBytes}. */
export function bytesFromText(text: string): Buffer {
  if (!ESCAPED_BYTE.test(text)) return Buffer.from(text);
  const parts = text.split(/([\u{DC80}-\u{DCFF}])/u);
  return Buffer.concat(
    parts.map((part, index) =>
      index % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) - 0xdc00),
    ),
  );
}

/** A path in the form that `node:fs` opens: bytes where the name is not UTF-8. */
export function fsPath(path: string): string | Buffer {
  return ESCAPED_BYTE.test(path) ? bytesFromText(path) : path;
}

/**
 * Where a video of a source lies, in the form that `node:fs` opens: a `Buffer` if the name is not UTF-8.
 *
 * @param root absolute root of the source
 * @param videoPath path of a `VideoRef`, relative to the root or absolute
 */
export function videoFilePath(root: string, videoPath: string): string | Buffer {
  return fsPath(isAbsolute(videoPath) ? videoPath : `${root}/${videoPath}`);
}

/** A path for people: bytes that are not UTF-8 and control characters are shown as `\xNN`. */
export function displayPath(path: string): string {
  return path.replace(
    UNPRINTABLE,
    (character) => `\\x${(character.charCodeAt(0) & 0xff).toString(16).padStart(2, '0')}`,
  );
}

/** Drops empty and `.` parts: `./a//b.mp4` and `a/b.mp4` are one file. `..` stays, for links may lie on the way. */
export function normalizePath(path: string): string {
  const slashed = process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
  if (!REDUNDANT_PART.test(slashed)) return slashed;
  const parts = slashed.split('/').filter((part) => part !== '' && part !== '.');
  return (slashed.startsWith('/') ? '/' : '') + parts.join('/');
}
