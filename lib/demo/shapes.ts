/**
 * Anti-aliased shapes drawn from distance functions: no supersampling, only the pixels of a bounding box are visited.
 *
 * No shape is round, or turning would not show; none is symmetric under a turn of less than 72 degrees.
 */

/** RGB, each 0 to 255. */
export type Color = readonly [red: number, green: number, blue: number];

/** Signed distance to the outline of a shape of radius 1 around the origin; negative inside, y points down. */
type Distance = (x: number, y: number) => number;

const COS_36 = Math.cos(Math.PI / 5);
const SIN_36 = Math.sin(Math.PI / 5);
const STAR_INNER = 0.5;
/** Normal of the star's edge from its tip (0, -1) to the inner corner beside it. */
const STAR_NORMAL = unit(1 - STAR_INNER * COS_36, -STAR_INNER * SIN_36);

/** Kind of a shape. */
export type ShapeKind = 'triangle' | 'bar' | 'cross' | 'moon' | 'star';

const DISTANCES: Readonly<Record<ShapeKind, Distance>> = {
  triangle(x, y) {
    const side = Math.abs(x) * Math.sqrt(0.75) - y * 0.5;
    return Math.max(side, y) - 0.5;
  },
  bar: (x, y) => box(x, y, 0.92, 0.38),
  cross: (x, y) => Math.min(box(x, y, 0.95, 0.3), box(x, y, 0.3, 0.95)),
  moon(x, y) {
    return Math.max(Math.hypot(x, y) - 0.97, 0.72 - Math.hypot(x - 0.5, y));
  },
  star(x, y) {
    const sector = (2 * Math.PI) / 5;
    const angle = Math.atan2(x, -y);
    const folded = Math.abs(angle - Math.round(angle / sector) * sector);
    const radius = Math.hypot(x, y);
    const [normalX, normalY] = STAR_NORMAL;
    return Math.sin(folded) * radius * normalX + (1 - Math.cos(folded) * radius) * normalY;
  },
};
/** All kinds of shapes. */
export const SHAPE_KINDS: readonly [ShapeKind, ...ShapeKind[]] = [
  'triangle',
  'bar',
  'cross',
  'moon',
  'star',
];

/** A picture to draw into: `[H, W, 3]` uint8 RGB. */
export interface Canvas {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** A shape in its place; lengths in pixels, the angle in radians, clockwise. */
export interface PlacedShape {
  readonly kind: ShapeKind;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly angle: number;
  readonly fill: Color;
  readonly rim: Color;
}

/** Draws a shape; what leaves the picture on one side comes in on the other. The radius is at most half the short side. */
export function drawShape(canvas: Canvas, shape: PlacedShape): void {
  const { width, height } = canvas;
  for (let y = shape.y - height; y < height + shape.radius; y += height) {
    for (let x = shape.x - width; x < width + shape.radius; x += width) {
      drawOnce(canvas, { ...shape, x, y });
    }
  }
}

function drawOnce(canvas: Canvas, { kind, x, y, radius, angle, fill, rim }: PlacedShape): void {
  const { data, width, height } = canvas;
  const distance: Distance = DISTANCES[kind];
  const cos = Math.cos(angle) / radius;
  const sin = Math.sin(angle) / radius;
  const rimWidth = Math.max(1, radius * 0.1);
  const left = Math.max(0, Math.floor(x - radius - 1));
  const right = Math.min(width, Math.ceil(x + radius + 1));
  const top = Math.max(0, Math.floor(y - radius - 1));
  const bottom = Math.min(height, Math.ceil(y + radius + 1));
  for (let row = top; row < bottom; row++) {
    const dy = row + 0.5 - y;
    for (let column = left; column < right; column++) {
      const dx = column + 0.5 - x;
      const pixels = distance(dx * cos + dy * sin, dy * cos - dx * sin) * radius;
      if (pixels >= 0.5) continue;
      const cover = Math.min(1, 0.5 - pixels);
      const inner = Math.min(1, Math.max(0, 0.5 - rimWidth - pixels));
      const at = (row * width + column) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const edge = rim[channel] ?? 0;
        const color = edge + ((fill[channel] ?? 0) - edge) * inner;
        const under = data[at + channel] ?? 0;
        data[at + channel] = under + (color - under) * cover;
      }
    }
  }
}

function box(x: number, y: number, halfWidth: number, halfHeight: number): number {
  return Math.max(Math.abs(x) - halfWidth, Math.abs(y) - halfHeight);
}

function unit(x: number, y: number): readonly [number, number] {
  const length = Math.hypot(x, y);
  return [x / length, y / length];
}
