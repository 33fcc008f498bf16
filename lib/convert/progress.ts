/** What a running conversion tells about itself. */

/** A state of the conversion; sent after every video and shard. */
export interface ConvertProgress {
  /** Videos that were done before this run, in finished shards. */
  readonly videosBefore: number;
  /** Videos finished in this run, failed ones included. */
  readonly videosDone: number;
  readonly videosTotal: number;
  readonly shardsDone: number;
  readonly shardsTotal: number;
  /** Stored frames, bytes of samples and failures of this run. */
  readonly frames: number;
  readonly bytes: number;
  readonly failures: number;
  readonly secondsElapsed: number;
}

/** Counts of one run, while it runs. */
export class RunMeter {
  readonly #startedAt = performance.now();
  readonly #report: (progress: ConvertProgress) => void;
  readonly videosBefore: number;
  readonly videosTotal: number;
  readonly shardsTotal: number;
  shardsDone: number;
  videosDone = 0;
  frames = 0;
  bytes = 0;
  failures = 0;

  constructor(
    totals: Pick<ConvertProgress, 'videosBefore' | 'videosTotal' | 'shardsDone' | 'shardsTotal'>,
    report: (progress: ConvertProgress) => void,
  ) {
    this.videosBefore = totals.videosBefore;
    this.videosTotal = totals.videosTotal;
    this.shardsDone = totals.shardsDone;
    this.shardsTotal = totals.shardsTotal;
    this.#report = report;
  }

  get secondsElapsed(): number {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** Sends the present state. */
  report(): void {
    const { videosBefore, videosDone, videosTotal, shardsDone, shardsTotal } = this;
    const { frames, bytes, failures, secondsElapsed } = this;
    this.#report({
      videosBefore,
      videosDone,
      videosTotal,
      shardsDone,
      shardsTotal,
      frames,
      bytes,
      failures,
      secondsElapsed,
    });
  }
}
