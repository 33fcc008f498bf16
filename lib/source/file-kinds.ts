/**
 * Extensions and names of files that lie beside videos and are known not to be videos. Content decides what a video is, so the
 * tables hold only what nobody would call one: `.ts` (a transport stream), `.gif`, `.apng`, `.ogg`, `.dat` and `.bin` are not in
 * them.
 */

import type { OpenNotes } from './video-ref.ts';

const OTHER_KINDS = {
  text: 'txt text md markdown rst log pdf rtf tex bib doc docx odt ppt pptx xls xlsx ods nfo url lnk',
  tables: 'csv tsv json jsonl ndjson geojson xml yaml yml toml ini cfg conf properties lock',
  data: 'parquet arrow feather npy npz mat pkl pickle h5 hdf5 lmdb mdb db sqlite sqlite3 tfrecord idx record',
  weights: 'pt pth ckpt safetensors onnx tflite pb gguf caffemodel prototxt keras',
  pictures:
    'jpg jpeg jpe png bmp tif tiff webp avif heic heif jxl jp2 ico svg psd eps exr dds ppm pgm',
  subtitles: 'srt vtt ass ssa sub sbv ttml dfxp smi',
  audio: 'wav mp3 m4a m4b aac flac opus oga wma aif aiff amr ac3 mka mid midi weba',
  playlists: 'm3u m3u8 pls mpd cue',
  archives: 'zip tar gz tgz bz2 tbz2 xz txz zst lz4 7z rar iso jar whl deb rpm',
  code: 'py pyc ipynb js mjs cjs jsx tsx java c cc cpp h hpp cu cs go rs rb php sh bash zsh bat cmd ps1 pl lua r m css scss html htm sql',
  checksums: 'md5 sha1 sha256 sha512 sfv crc sig asc',
  downloads: 'part crdownload aria2 ytdl torrent tmp bak swp',
};

/** Whole names of files that have no extension. */
const OTHER_NAMES = {
  text: 'readme license licence copying notice authors contributors changelog',
  code: 'makefile dockerfile',
  checksums: 'checksums md5sums sha1sums sha256sums sha512sums',
};

const SKIPPED = wordsOf(OTHER_KINDS);
const SKIPPED_NAMES = wordsOf(OTHER_NAMES);

/** Says whether a file is skipped for its extension or its whole name, and counts it if so. */
export function isOtherKind(name: string, notes: OpenNotes): boolean {
  const last = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const isWhole = last.length === name.length;
  if (!(isWhole ? SKIPPED_NAMES : SKIPPED).has(last)) return false;
  const key = isWhole ? last : `.${last}`;
  notes.skippedByExtension[key] = (notes.skippedByExtension[key] ?? 0) + 1;
  return true;
}

function wordsOf(table: Readonly<Record<string, string>>): ReadonlySet<string> {
  return new Set(Object.values(table).flatMap((words) => words.split(' ')));
}
