/** A place in a drawing: x to the right, y downwards. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The outlines of a leaf: its two halves, so that one can lie in the light and one in the shade, and its midrib. */
export interface Halves {
  readonly light: string;
  readonly shade: string;
  readonly rib: string;
}

const round = (value: number): number => Math.round(value * 100) / 100;
const at = (x: number, y: number): string => `${round(x)} ${round(y)}`;

export const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** From `start`, `length` far; 0° is up and angles grow clockwise, as a leaf leans. */
export function towards(start: Point, degrees: number, length: number): Point {
  return { x: start.x + Math.sin(radians(degrees)) * length, y: start.y - Math.cos(radians(degrees)) * length };
}

/** A point of the quadratic curve, and in which direction it goes there (0° up, clockwise). */
export function along(from: Point, control: Point, to: Point, t: number): Point & { readonly degrees: number } {
  const rest = 1 - t;
  const x = rest * rest * from.x + 2 * rest * t * control.x + t * t * to.x;
  const y = rest * rest * from.y + 2 * rest * t * control.y + t * t * to.y;
  const dx = 2 * rest * (control.x - from.x) + 2 * t * (to.x - control.x);
  const dy = 2 * rest * (control.y - from.y) + 2 * t * (to.y - control.y);
  return { x, y, degrees: (Math.atan2(dx, -dy) * 180) / Math.PI };
}

/** Cubic curves of one half of a leaf of length 1 and width 1, from the stalk (0, 0) to the tip (0, -1). */
const outlines = {
  oval: [[0.56, -0.1, 0.62, -0.68, 0, -1]],
  lance: [[0.62, -0.22, 0.4, -0.72, 0, -1]],
  round: [[0.68, 0.02, 0.66, -1, 0, -1]],
  heart: [[0.1, 0.2, 0.62, 0.2, 0.56, -0.28], [0.52, -0.62, 0.14, -0.82, 0, -1]],
  fiddle: [[0.22, -0.02, 0.4, -0.2, 0.34, -0.38], [0.32, -0.46, 0.52, -0.52, 0.52, -0.7], [0.52, -0.9, 0.26, -1, 0, -1]],
  paddle: [[0.52, -0.04, 0.6, -0.3, 0.5, -0.62], [0.42, -0.86, 0.14, -0.96, 0, -1]],
  spoon: [[0.16, -0.1, 0.5, -0.4, 0.5, -0.68], [0.5, -0.88, 0.2, -0.96, 0, -1]],
  // A heart with three bays that reach towards the rib.
  split: [
    [0.08, 0.2, 0.5, 0.24, 0.56, -0.02], [0.48, -0.08, 0.3, -0.12, 0.2, -0.16],
    [0.34, -0.18, 0.52, -0.18, 0.6, -0.24], [0.58, -0.36, 0.54, -0.42, 0.48, -0.44],
    [0.38, -0.42, 0.26, -0.38, 0.17, -0.38], [0.3, -0.44, 0.4, -0.5, 0.45, -0.56],
    [0.42, -0.66, 0.36, -0.72, 0.3, -0.74], [0.24, -0.68, 0.18, -0.62, 0.11, -0.6],
    [0.17, -0.68, 0.2, -0.74, 0.22, -0.8], [0.16, -0.9, 0.06, -0.96, 0, -1],
  ],
} as const;

export type LeafShape = keyof typeof outlines;

/** A leaf that grows upwards from (0, 0). */
export function leaf(shape: LeafShape, length: number, width: number): Halves {
  const half = (side: 1 | -1): string => {
    const curves = outlines[shape].map(
      ([ax, ay, bx, by, x, y]) =>
        `C${at(ax * width * side, ay * length)} ${at(bx * width * side, by * length)} ${at(x * width * side, y * length)}`,
    );
    return `M0 0${curves.join("")}Z`;
  };
  return { light: half(-1), shade: half(1), rib: `M0 0V${round(-length * 0.86)}` };
}

/** A blade along a curve: pointed at its tip, `width` in the middle and `foot` wide where it starts. */
export function blade(from: Point, control: Point, to: Point, width: number, foot = 0): Halves {
  const normal = (a: Point, b: Point): Point => {
    const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
    return { x: -(b.y - a.y) / length, y: (b.x - a.x) / length };
  };
  const across = normal(from, to);
  const start = normal(from, control);
  const edge = (side: 1 | -1): { foot: string; middle: string } => ({
    foot: at(from.x - start.x * foot * 0.5 * side, from.y - start.y * foot * 0.5 * side),
    middle: at(control.x - across.x * width * side, control.y - across.y * width * side),
  });
  const back = `Q${at(control.x, control.y)} ${at(from.x, from.y)}Z`;
  const half = (side: 1 | -1): string => {
    const { foot: begin, middle } = edge(side);
    return `M${at(from.x, from.y)}L${begin}Q${middle} ${at(to.x, to.y)}${back}`;
  };
  return {
    light: half(1),
    shade: half(-1),
    rib: `M${at(from.x, from.y)}Q${at(control.x, control.y)} ${at(to.x, to.y)}`,
  };
}

/** Leaflets on both sides of a curved rib: those above it in the light, those below it in the shade. */
export function frond(
  from: Point, control: Point, to: Point,
  { pairs, length, width, spread = 62, bare = 0.16 }:
    { pairs: number; length: number; width: number; spread?: number; bare?: number },
): Halves {
  const side = (sign: 1 | -1): string => {
    const leaflets: string[] = [];
    for (let index = 0; index < pairs; index += 1) {
      const t = bare + ((1 - bare) * index) / (pairs - 1);
      const base = along(from, control, to, t);
      // Full in the lower middle, short at the tip.
      const share = Math.sin(Math.PI * (0.28 + 0.66 * (index / (pairs - 1))));
      const angle = base.degrees + sign * (spread - 26 * (index / (pairs - 1)));
      const tip = towards(base, angle, length * (0.25 + 0.75 * share));
      const middle = towards(base, angle, length * 0.45 * share);
      const fat = { x: Math.cos(radians(angle)) * width, y: Math.sin(radians(angle)) * width };
      leaflets.push(
        `M${at(base.x, base.y)}Q${at(middle.x - fat.x, middle.y - fat.y)} ${at(tip.x, tip.y)}` +
          `Q${at(middle.x + fat.x, middle.y + fat.y)} ${at(base.x, base.y)}Z`,
      );
    }
    return leaflets.join("");
  };
  const upper = to.x >= from.x ? -1 : 1;
  return {
    light: side(upper),
    shade: side(upper === 1 ? -1 : 1),
    rib: `M${at(from.x, from.y)}Q${at(control.x, control.y)} ${at(to.x, to.y)}`,
  };
}
