/**
 * Every way in which the world can fail tubelet, in one catalogue: code, what happened, what to do.
 * A code is never renamed or reused; the README's table lists exactly these.
 */

interface CatalogueEntry {
  /** What happened, in words that stand before the details. */
  readonly what: string;
  /** What the user can do about it. */
  readonly hint: string;
}

const CATALOGUE = {
  TUBE_INTERNAL: {
    what: 'internal: an assumption of tubelet does not hold',
    hint: 'Please report this with the command that led to it.',
  },

  // source
  TUBE_SOURCE_NOT_FOUND: {
    what: 'source cannot be read',
    hint: 'Check the path of the folder or list file and its permissions.',
  },
  TUBE_SOURCE_EMPTY: {
    what: 'source holds no videos',
    hint: 'Check the folder, the file extensions and the chosen split.',
  },
  TUBE_LIST_SYNTAX: {
    what: 'list file cannot be understood',
    hint: 'Accepted forms: CSV, TSV, "path label" separated by a space, JSON lines.',
  },
  TUBE_LIST_CONFLICT: {
    what: 'the same video stands twice in the source with different labels',
    hint: 'Remove one of the two entries or give them different start and end seconds.',
  },

  // decode
  TUBE_FILE_NOT_FOUND: { what: 'video file does not exist', hint: 'Check the list and --root.' },
  TUBE_FILE_UNREADABLE: {
    what: 'video file cannot be read',
    hint: 'Check permissions and the disk.',
  },
  TUBE_NOT_VIDEO: {
    what: 'file is not a video that can be opened',
    hint: 'The file is damaged, cut short or of another kind; fetch it again.',
  },
  TUBE_NO_VIDEO_STREAM: {
    what: 'file has no video stream',
    hint: 'It holds only audio, pictures or data; remove it from the source.',
  },
  TUBE_NO_DECODER: {
    what: 'no decoder for the codec of this video',
    hint: 'Re-encode the file with a common codec.',
  },
  TUBE_NO_FRAMES: {
    what: 'no frame of the video can be decoded',
    hint: 'The media data is missing or damaged; fetch the file again.',
  },
  TUBE_EMPTY_SPAN: {
    what: 'the wanted span of the video holds no frame',
    hint: 'Check start and end seconds against the length of the video.',
  },
  TUBE_FRAME_TOO_LARGE: {
    what: 'frame is larger than the allowed number of pixels',
    hint: 'The header is damaged, or the picture is too large to be a training video.',
  },
  TUBE_VIDEO_TOO_SHORT: {
    what: 'video has fewer frames than the clip needs',
    hint: 'Use fewer frames, a smaller stride, or another short-video policy.',
  },
  TUBE_DECODE_TIMEOUT: {
    what: 'decoding took longer than the deadline or stood still',
    hint: 'Try again with --retry timeout and a longer --timeout.',
  },
  TUBE_DECODE_CRASH: {
    what: 'the decoder process died',
    hint: 'Try again with --retry crash; if it dies again the file is at fault.',
  },
  TUBE_DECODE_MEMORY: {
    what: 'decoding needed more memory than a worker may use',
    hint: 'Try again with --retry memory and a larger --worker-memory.',
  },
  TUBE_WORKER_START: {
    what: 'a worker process cannot start',
    hint: 'Check that node-av supports this system (Linux with glibc, macOS, Windows) and that memory is free.',
  },

  // shard
  TUBE_DATASET_NOT_FOUND: {
    what: 'no dataset here',
    hint: 'A dataset is a folder with dataset.json; was the conversion finished?',
  },
  TUBE_DATASET_DAMAGED: {
    what: 'dataset.json or a sidecar index is damaged',
    hint: 'Run the same convert command again: it rebuilds what is missing.',
  },
  TUBE_VERSION_UNSUPPORTED: {
    what: 'written by a newer version of the format',
    hint: 'Update tubelet.',
  },
  TUBE_SHARD_NOT_FOUND: {
    what: 'shard file is missing',
    hint: 'Copy it again, or run the same convert command again.',
  },
  TUBE_REMOTE_FAILED: {
    what: 'the server cannot be reached or does not answer as it should',
    hint: 'Check the address and the connection, then try again.',
  },
  TUBE_SHARD_DAMAGED: {
    what: 'shard file is damaged',
    hint: 'Copy it again, or delete it and run the same convert command again.',
  },
  TUBE_SAMPLE_NOT_FOUND: {
    what: 'no such sample in the dataset',
    hint: 'List the keys with `tubelet inspect DIR --keys`.',
  },
  TUBE_SAMPLE_DAMAGED: {
    what: 'sample is damaged',
    hint: 'Run `tubelet verify DIR` to see what else is; the other samples can still be read.',
  },

  // load
  TUBE_SAMPLE_SHAPE: {
    what: 'sample does not have the shape of the batch',
    hint: 'Samples of one batch need one layout and shape; convert all of them with the same options.',
  },
  TUBE_CURSOR_MISMATCH: {
    what: 'the cursor belongs to another run',
    hint: 'Use the data and options it was made with, or start without it.',
  },

  // weights
  TUBE_WEIGHTS_NOT_FOUND: {
    what: 'weights file cannot be read',
    hint: 'Check the path and its permissions.',
  },
  TUBE_WEIGHTS_DAMAGED: {
    what: 'weights file is damaged or of another kind',
    hint: 'Accepted are safetensors and the .pth files of PyTorch; fetch the file again.',
  },
  TUBE_WEIGHTS_UNSAFE: {
    what: 'weights file asks for something that is no weight',
    hint: 'PyTorch would run it as a program. Do not load it there unless you trust where it is from.',
  },
  TUBE_WEIGHTS_UNSUPPORTED: {
    what: 'weights are stored in a form that cannot be read',
    hint: 'Save them again as safetensors with float32 values.',
  },
  TUBE_WEIGHTS_MISMATCH: {
    what: 'weights do not fit',
    hint: 'See `tubelet weights inspect FILE`, and check the kind of the model and its sizes.',
  },
  TUBE_OUT_EXISTS: {
    what: 'the output file exists already',
    hint: 'Choose another name, or --force to replace it.',
  },

  // records
  TUBE_RECORDS_NOT_FOUND: {
    what: 'the log of the run cannot be found',
    hint: 'Check the path of the run; metrics.jsonl stands in its folder.',
  },
  TUBE_RECORDS_DAMAGED: {
    what: 'the log of the run is damaged',
    hint: 'Remove the line, or start the run anew in another folder.',
  },

  // engine
  TUBE_TRACE_READ: {
    what: 'a value is read while the program is traced, when there are no values yet',
    hint: 'Give the tensor back as an output, or compute with it in tfjs operations.',
  },
  TUBE_TRACE_SHAPE: {
    what: 'the shape of a result depends on values, so the program cannot be traced',
    hint: 'Use operations of fixed shape (a mask and tf.where instead of tf.booleanMaskAsync), or the eager engine.',
  },
  TUBE_TRACE_RANDOM: {
    what: 'a random number is drawn while the program is traced; every run would get the same',
    hint: 'Draw the numbers outside and pass them as an input.',
  },
  TUBE_TRACE_KERNEL: {
    what: 'the operation cannot be part of a traced program',
    hint: 'Write it with other operations, or use the eager engine.',
  },
  TUBE_TRACE_ESCAPE: {
    what: 'a tensor or variable is used across the borders of a trace',
    hint: 'Pass tensors as inputs or state, and give new values back as outputs.',
  },
  TUBE_ENGINE_MISSING: {
    what: 'the engine or its device is not there',
    hint: 'See what `tubelet doctor` finds, and install the package that it names.',
  },
  TUBE_ENGINE_FAILED: {
    what: 'the engine refuses the program or fails to run it',
    hint: 'See the engine’s own words; another execution provider or the eager engine may do it.',
  },

  // convert
  TUBE_OPTIONS_DIFFER: {
    what: 'the output folder was made with other options',
    hint: 'Use the same options to go on, another folder, or --overwrite to start anew.',
  },
  TUBE_PLAN_DAMAGED: {
    what: 'plan.json of the output folder is damaged',
    hint: 'Start anew with --overwrite, or choose another folder.',
  },
  TUBE_OUT_NOT_EMPTY: {
    what: 'the output folder holds files that are no tubelet dataset',
    hint: 'Choose an empty or new folder.',
  },
  TUBE_OUT_NOT_WRITABLE: {
    what: 'the output cannot be written',
    hint: 'Check permissions and that the disk is mounted; what is finished stays valid.',
  },
  TUBE_OUT_LOCKED: {
    what: 'another conversion is writing to this folder',
    hint: 'Wait for it or stop it; if its machine is gone, delete .tubelet.lock in the output folder.',
  },
  TUBE_DISK_FULL: {
    what: 'no space left for the output',
    hint: 'Free space and run the same command again; what is finished is kept.',
  },
  TUBE_TOO_MANY_FAILURES: {
    what: 'more videos failed than allowed',
    hint: 'See failures.jsonl in the output folder, or raise --max-failures; good shards are kept.',
  },

  // train
  TUBE_RUN_NOT_FOUND: {
    what: 'no training run here',
    hint: 'A run is a folder with config.json and checkpoints; was it started, and is the path right?',
  },
  TUBE_RUN_EXISTS: {
    what: 'a training run is here already',
    hint: 'Go on with --resume, choose another folder, or --overwrite to start anew.',
  },
  TUBE_RUN_DAMAGED: {
    what: 'a file of the training run is damaged',
    hint: 'Remove the newest folder in checkpoints to go on from the one before, or start anew.',
  },
  TUBE_LABELS_MISSING: {
    what: 'videos have no labels',
    hint: 'Convert again from a folder for each class or a list with labels; `tubelet pretrain` needs none.',
  },
  TUBE_CLIPS_DIFFER: {
    what: 'the finished clips in the shards are not those that the recipe wants',
    hint: 'Set what the message names, or convert again with --layout frames, which leaves the choice to the recipe.',
  },
  TUBE_LOSS_DIVERGED: {
    what: 'the loss has gone astray, so training stopped',
    hint: 'The last checkpoint is intact. Start anew with a lower --set train.lr, a longer warm-up or --set train.clipNorm.',
  },
} as const;

/** A stable error code; see the README's table. */
export type ErrorCode = keyof typeof CATALOGUE;

/** All error codes, in the order of the catalogue. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(CATALOGUE) as ErrorCode[];

/** Plain data that says where an error happened: paths, keys, counts. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/** Gives the two sentences of a code: what happened, and what to do. */
export function describeError(code: ErrorCode): CatalogueEntry {
  return CATALOGUE[code];
}

/** Plain form of a {@link TubeletError} that crosses processes and is stored in JSON. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
}

/**
 * The one class for everything that the world does wrong (files, disks, data). A caller's mistake is a `TypeError` or
 * `RangeError`, a cancelled call rejects with its signal's reason.
 */
export class TubeletError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(messageOf(code, details), options);
    this.name = 'TubeletError';
    this.code = code;
    this.details = details;
  }

  /** What the user can do about it. */
  get hint(): string {
    return CATALOGUE[this.code].hint;
  }

  /** Rebuilds an error that came as plain data from another process or a file. */
  static fromPlain(plain: PlainError, options?: ErrorOptions): TubeletError {
    return new TubeletError(plain.code, plain.details, options);
  }

  toPlain(): PlainError {
    return { code: this.code, details: this.details };
  }
}

/** `what: first detail (name value, …)`; the hint is left to whoever shows the error to a person. */
function messageOf(code: ErrorCode, details: ErrorDetails): string {
  const parts = Object.entries(details)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => (name === 'message' ? String(value) : `${name} ${String(value)}`));
  const { what } = CATALOGUE[code];
  return parts.length === 0 ? `${code}: ${what}` : `${code}: ${what} (${parts.join(', ')})`;
}

/** The text of anything thrown, for `details.message`. */
export function messageText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error (`ENOENT`, `ENOSPC`, …), if there is one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
