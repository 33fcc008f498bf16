/** What is known of a video besides its pixels, and how its picture has to be turned to stand upright. */

/** Facts about the chosen video stream of a file. */
export interface VideoInfo {
  /** FFmpeg's short name of the container, for example `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly container: string;
  /** FFmpeg's name of the codec, for example `h264`. */
  readonly codec: string;
  /** Width and height in pixels as displayed, after rotation; the sample aspect ratio is not applied. */
  readonly width: number;
  readonly height: number;
  /** Average frames per second as the container states it, or null. */
  readonly fps: number | null;
  /** Duration in seconds as the container states it, or null. */
  readonly durationSeconds: number | null;
  /** Number of frames as the container states it, or null; files lie about it. */
  readonly declaredFrames: number | null;
}

/** How the decoded picture is brought upright: FFmpeg filters to put in front, and whether width and height change places. */
export interface Orientation {
  readonly filters: string;
  readonly swapsSides: boolean;
  /** False for a rotation that is no multiple of 90 degrees: the picture is left as it is. */
  readonly isRightAngle: boolean;
}

const UPRIGHT: Orientation = { filters: '', swapsSides: false, isRightAngle: true };

/**
 * Reads a display matrix (nine little-endian int32) and says how to bring the picture upright.
 *
 * Source: the rules of the ffmpeg program's automatic rotation, mirrored pictures included.
 */
export function orientationOf(matrix: Buffer | null): Orientation {
  if (matrix === null || matrix.length < 36) return UPRIGHT;
  const [a, b, , c, d] = Array.from({ length: 5 }, (_, i) => matrix.readInt32LE(i * 4));
  if (a === undefined || b === undefined || c === undefined || d === undefined) return UPRIGHT;
  const scaleX = Math.hypot(a, c);
  const scaleY = Math.hypot(b, d);
  if (scaleX === 0 || scaleY === 0) return UPRIGHT;
  const degrees = Math.round((Math.atan2(b / scaleY, a / scaleX) * 180) / Math.PI);
  switch (((degrees % 360) + 360) % 360) {
    case 0:
      return { ...UPRIGHT, filters: d < 0 ? 'vflip,' : '' };
    case 90:
      return turned(c > 0 ? 'cclock_flip' : 'clock');
    case 180:
      return { ...UPRIGHT, filters: `${a < 0 ? 'hflip,' : ''}${d < 0 ? 'vflip,' : ''}` };
    case 270:
      return turned(c < 0 ? 'clock_flip' : 'cclock');
    default:
      return { ...UPRIGHT, isRightAngle: false };
  }
}

function turned(direction: string): Orientation {
  return { filters: `transpose=${direction},`, swapsSides: true, isRightAngle: true };
}
