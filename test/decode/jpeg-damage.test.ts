import test from 'ava';
import type { ExecutionContext } from 'ava';
import sharp from 'sharp';
import { TubeletError, createRng } from '../../lib/core/index.ts';
import { JpegDecoder } from '../../lib/decode/index.ts';
import type { PictureCut } from '../../lib/decode/index.ts';
import { jpegSegment } from '../helpers/plain-jpeg.ts';
import { JFIF, SAMPLINGS, adobe, wavyJpeg } from '../helpers/sample-jpegs.ts';

const FRAME = { width: 17, height: 31 } as const;
const NUM_BYTES = FRAME.width * FRAME.height * 3;
const CUTS: readonly PictureCut[] = [
  { frame: FRAME },
  {
    frame: FRAME,
    size: { width: 31, height: 17 },
    window: { left: 3, top: 0, width: 17, height: 17 },
  },
  { frame: FRAME, crop: { left: 3, top: 9, width: 11, height: 4 } },
];
const { sampling } = SAMPLINGS['4:2:0'];
const GOOD = wavyJpeg({ ...FRAME, sampling });

async function sampleFiles(): Promise<Buffer[]> {
  const plain = Object.values(SAMPLINGS).map(({ sampling: planes }, i) =>
    wavyJpeg({ ...FRAME, sampling: planes, quantiser: 6 + i, segments: [JFIF, adobe(1)] }),
  );
  const raw = { width: 17, height: 31, channels: 3 } as const;
  const noise = Uint8Array.from({ length: NUM_BYTES }, (_, i) => (i * i) % 251);
  const base = sharp(noise, { raw });
  return [
    ...plain,
    wavyJpeg({ ...FRAME, sampling, restartInterval: 2, quantiser: 9 }),
    wavyJpeg({ ...FRAME, sampling, hasScanPerPlane: true, quantiser: 9 }),
    await base.clone().jpeg({ progressive: true, quality: 30 }).toBuffer(),
    await base.clone().jpeg({ optimiseCoding: false, quality: 30 }).toBuffer(),
  ];
}

/** The bytes of a cut, or the code of the error. */
function tryDecode(decoder: JpegDecoder, jpeg: Uint8Array, cut: PictureCut): Uint8Array | string {
  const { width, height } = cut.window ?? cut.crop ?? cut.size ?? FRAME;
  const out = new Uint8Array(width * height * 3);
  try {
    decoder.decode(jpeg, cut, out);
    return out;
  } catch (error) {
    if (error instanceof TubeletError) return error.code;
    throw error;
  }
}

/** A decoder that has seen bad files decodes a good one like a new decoder. */
function goesOn(t: ExecutionContext, decoder: JpegDecoder): void {
  using fresh = new JpegDecoder();
  for (const cut of CUTS) {
    t.deepEqual(tryDecode(decoder, GOOD, cut), tryDecode(fresh, GOOD, cut));
  }
}

test('a file cut short anywhere is damaged', async (t) => {
  using decoder = new JpegDecoder();
  for (const [which, file] of (await sampleFiles()).entries()) {
    for (let length = 0; length < file.length; length++) {
      const cut = CUTS[length % CUTS.length]!;
      const result = tryDecode(decoder, file.subarray(0, length), cut);
      t.is(result, 'TUBE_SAMPLE_DAMAGED', `file ${which}, ${length} of ${file.length} bytes`);
    }
    goesOn(t, decoder);
  }
});

test('a file cut short and closed again is damaged, or has pixels', async (t) => {
  using decoder = new JpegDecoder();
  const end = Buffer.of(0xff, 0xd9);
  for (const [which, file] of (await sampleFiles()).entries()) {
    const scanAt = file.indexOf(Buffer.of(0xff, 0xda));
    for (let length = 0; length < file.length - 2; length += 3) {
      const closed = Buffer.concat([file.subarray(0, length), end]);
      const result = tryDecode(decoder, closed, CUTS[0]!);
      if (length < scanAt + 20)
        t.is(result, 'TUBE_SAMPLE_DAMAGED', `file ${which}, ${length} bytes`);
      else t.true(result === 'TUBE_SAMPLE_DAMAGED' || result instanceof Uint8Array);
    }
    goesOn(t, decoder);
  }
});

test('thousands of damaged files give coded errors or pixels, and good files in between their own', async (t) => {
  using decoder = new JpegDecoder();
  const rng = createRng(0, 'damage');
  const files = await sampleFiles();
  const whole = new Map(CUTS.map((cut) => [cut, tryDecode(decoder, GOOD, cut)]));
  const counts = { errors: 0, pixels: 0 };
  for (let round = 0; round < 6000; round++) {
    const file = Uint8Array.from(files[round % files.length]!);
    const numChanges = 1 + rng.integer(0, 6);
    // Half of the changes hit the header.
    const most = rng.integer(0, 2) === 0 ? file.length : Math.min(file.length, 620);
    for (let change = 0; change < numChanges; change++) {
      const place = rng.integer(0, most);
      const kind = rng.integer(0, 3);
      if (kind === 0) file[place]! ^= 1 << rng.integer(0, 8);
      else file[place] = kind === 1 ? rng.integer(0, 256) : [0, 1, 0xd9, 255][rng.integer(0, 4)]!;
    }
    const cut = CUTS[rng.integer(0, CUTS.length)]!;
    const result = tryDecode(decoder, file, cut);
    if (typeof result === 'string') t.is(result, 'TUBE_SAMPLE_DAMAGED');
    counts[typeof result === 'string' ? 'errors' : 'pixels']++;
    if (round % 8 === 0) t.deepEqual(tryDecode(decoder, GOOD, cut), whole.get(cut));
  }
  t.true(counts.errors > 1000 && counts.pixels > 1000, JSON.stringify(counts));
});

/** Where a segment starts; the first of its kind. */
function placeOf(marker: number): number {
  return GOOD.indexOf(Buffer.of(0xff, marker));
}

function changed(at: number, ...values: readonly number[]): Buffer {
  const file = Buffer.from(GOOD);
  file.set(values, at);
  return file;
}

function without(marker: number): Buffer {
  const at = placeOf(marker);
  const end = at + 2 + GOOD.readUInt16BE(at + 2);
  return Buffer.concat([GOOD.subarray(0, at), GOOD.subarray(end)]);
}

function inserted(at: number, ...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([GOOD.subarray(0, at), ...parts, GOOD.subarray(at)]);
}

const FRAME_AT = placeOf(0xc0);
const CODES_AT = placeOf(0xc4);
const SCAN_AT = placeOf(0xda);
const END_AT = GOOD.length - 2;
const oneScan = GOOD.subarray(SCAN_AT, END_AT);
const many = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

function withoutLastScan(): Buffer {
  const file = wavyJpeg({ ...FRAME, sampling, hasScanPerPlane: true });
  return Buffer.concat([
    file.subarray(0, file.lastIndexOf(Buffer.of(0xff, 0xda))),
    Buffer.of(0xff, 0xd9),
  ]);
}

const hostile: Readonly<Record<string, Buffer>> = {
  'no byte': Buffer.alloc(0),
  'no start': GOOD.subarray(2),
  'another kind of file': Buffer.from('\u0089PNG\r\n\u001A\n', 'latin1'),
  'only zeros': Buffer.alloc(10_000),
  'only filling': Buffer.alloc(100_000, 255),
  'only start and end': Buffer.of(0xff, 0xd8, 0xff, 0xd9),
  'a second start': inserted(2, Buffer.of(0xff, 0xd8)),
  'size 65535 x 65535': changed(FRAME_AT + 5, 255, 255, 255, 255),
  'width 0': changed(FRAME_AT + 7, 0, 0),
  'height 0': changed(FRAME_AT + 5, 0, 0),
  '12 bits': changed(FRAME_AT + 4, 12),
  'no planes': changed(FRAME_AT + 9, 0),
  '255 planes': changed(FRAME_AT + 9, 255),
  'no samples': changed(FRAME_AT + 11, 0),
  'no samples down': changed(FRAME_AT + 11, 0x20),
  'five samples': changed(FRAME_AT + 11, 0x55),
  'no colour samples': changed(FRAME_AT + 14, 0),
  'planes of one name': changed(FRAME_AT + 13, 1),
  'a quantiser that is not there': changed(FRAME_AT + 12, 3),
  'no frame': without(0xc0),
  'no quantisers': without(0xdb),
  'no codes': without(0xc4),
  'no scan': without(0xda),
  'two frames': inserted(SCAN_AT, GOOD.subarray(FRAME_AT, CODES_AT)),
  'a frame after the scan': inserted(END_AT, GOOD.subarray(FRAME_AT, CODES_AT)),
  'a segment of length 0': changed(FRAME_AT + 2, 0, 0),
  'a segment of length 1': changed(FRAME_AT + 2, 0, 1),
  'a segment beyond the end': changed(FRAME_AT + 2, 255, 255),
  'quantisers beyond the end': changed(placeOf(0xdb) + 2, 255, 255),
  'too many codes': changed(CODES_AT + 5, ...many(16, 255)),
  'codes that are no tree': changed(CODES_AT + 5, 12, 0, 0, 0),
  'a class of codes that is not there': changed(CODES_AT + 4, 0x30),
  'a scan of an unknown plane': changed(SCAN_AT + 5, 9),
  'a scan of one plane twice': changed(SCAN_AT + 7, 1),
  'a scan of no planes': changed(SCAN_AT + 4, 0),
  'a scan with codes that are not there': changed(SCAN_AT + 6, 0x33),
  'a thousand scans': inserted(END_AT, ...many(1000, oneScan)),
  'a scan of nothing': Buffer.concat([GOOD.subarray(0, SCAN_AT + 14), Buffer.of(0xff, 0xd9)]),
  'restart markers where none belong': inserted(SCAN_AT + 14, ...many(50, Buffer.of(0xff, 0xd3))),
  'a plane without a scan': withoutLastScan(),
  'a restart after every block': inserted(SCAN_AT, jpegSegment(0xdd, [0, 1])),
  'a segment of JPEG-LS after the scan': inserted(
    END_AT,
    jpegSegment(0xf7, many(20, 255)),
    oneScan,
  ),
};

for (const [name, file] of Object.entries(hostile)) {
  test(`damaged: ${name}`, (t) => {
    using decoder = new JpegDecoder();
    const before = process.resourceUsage().maxRSS;
    for (let round = 0; round < 2; round++) {
      t.is(tryDecode(decoder, file, {}), 'TUBE_SAMPLE_DAMAGED');
    }
    t.true(process.resourceUsage().maxRSS - before < 300_000, 'kilobytes at most');
    goesOn(t, decoder);
  });
}

test('a file that claims to be large costs no memory', (t) => {
  using decoder = new JpegDecoder();
  const file = changed(FRAME_AT + 5, 0x1f, 0x40, 0x1f, 0x40);
  const before = process.resourceUsage().maxRSS;
  for (const top of [0, 7990]) {
    const crop = { left: 0, top, width: 8, height: 8 };
    t.is(tryDecode(decoder, file, { crop }), 'TUBE_SAMPLE_DAMAGED');
    const size = { width: 8, height: 8 };
    t.is(tryDecode(decoder, file, { size }), 'TUBE_SAMPLE_DAMAGED');
  }
  t.true(process.resourceUsage().maxRSS - before < 100_000, 'kilobytes at most');
  goesOn(t, decoder);
});

const odd: Readonly<Record<string, Buffer>> = {
  'twenty thousand comments': inserted(2, ...many(20_000, jpegSegment(0xfe, [0]))),
  'twenty thousand times the quantisers': inserted(2, ...many(20_000, GOOD.subarray(2, FRAME_AT))),
  'filling of a megabyte': inserted(2, Buffer.alloc(1_000_000, 255)),
  'a restart interval of 0': inserted(2, jpegSegment(0xdd, [0, 0])),
};

for (const [name, file] of Object.entries(odd)) {
  test(`sound: ${name}`, (t) => {
    using decoder = new JpegDecoder();
    t.deepEqual(tryDecode(decoder, file, CUTS[0]!), tryDecode(decoder, GOOD, CUTS[0]!));
  });
}
