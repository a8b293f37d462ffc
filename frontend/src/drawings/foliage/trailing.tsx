import { along } from "../geometry";
import type { Point } from "../geometry";
import { Leaf, Stalk, Stem, Sway } from "../primitives";
import type { FoliageProps, Tone } from "../primitives";

/** A runner over the edge of the pot: from the soil, over a control point, down. */
interface Runner {
  readonly control: Point;
  readonly to: Point;
  readonly leaves: number;
}

const runners: readonly Runner[] = [
  { control: { x: 24, y: 62 }, to: { x: 21, y: 126 }, leaves: 6 },
  { control: { x: 92, y: 60 }, to: { x: 98, y: 116 }, leaves: 6 },
  { control: { x: 86, y: 78 }, to: { x: 82, y: 128 }, leaves: 4 },
];

function Hanging({ runner, size, tones, droop }: FoliageProps & { runner: Runner; size: number; tones: readonly Tone[] }): JSX.Element {
  const from = { x: 60, y: 98 };
  const to = { x: runner.to.x, y: runner.to.y + droop * 3 };
  return (
    <>
      <Stem d={`M${from.x} ${from.y}Q${runner.control.x} ${runner.control.y} ${to.x} ${to.y}`} width={1.6} />
      {Array.from({ length: runner.leaves }, (_, index) => {
        const place = along(from, runner.control, to, 0.24 + (0.76 * index) / (runner.leaves - 1));
        const last = index === runner.leaves - 1;
        const outwards = index % 2 === 0 ? 1 : -1;
        return (
          <Leaf
            key={index} shape="heart" length={size * (1 - index * 0.05)} width={size * 0.84 * (1 - index * 0.05)}
            tone={tones[index % tones.length]!} at={place}
            degrees={last ? place.degrees : place.degrees + outwards * (58 - droop * 30)}
          />
        );
      })}
    </>
  );
}

/** Pothos, ivy, philodendron: hearts that hang over the pot. Drawn in two parts, around the pot. */
export function Vine({ droop }: FoliageProps): JSX.Element {
  const upright: readonly [number, number, number, Tone][] = [
    [-6, 40, 26, "deep"], [-34, 34, 25, "deep"], [28, 36, 26, "deep"], [-58, 20, 22, "leaf"], [54, 22, 22, "leaf"], [8, 20, 24, "leaf"], [-22, 14, 22, "fresh"],
  ];
  return (
    <>
      {upright.map(([lean, length, size, tone], index) => (
        <Sway key={lean} beat={((index % 3) + 1) as 1 | 2 | 3}>
          <Stalk lean={lean} length={length} leaf={{ shape: "heart", length: size, width: size * 0.86, tone, turn: lean * 0.4 }} droop={droop} />
        </Sway>
      ))}
    </>
  );
}

export function VineOverPot({ droop }: FoliageProps): JSX.Element {
  return (
    <>
      {runners.map((runner, index) => (
        <Sway key={runner.to.x} beat={((index % 3) + 1) as 1 | 2 | 3}>
          <Hanging runner={runner} size={17} tones={["deep", "leaf", "fresh"]} droop={droop} />
        </Sway>
      ))}
    </>
  );
}

const strings: readonly (readonly [x: number, control: number, length: number])[] = [
  [35, 26, 24], [39, 32, 38], [45, 42, 25], [51, 50, 34], [57, 57, 20], [63, 64, 36], [70, 72, 22], [76, 81, 33], [82, 89, 40], [85, 95, 22],
];

/** String of pearls, hoya: beads on threads. */
export function Pearls(): JSX.Element {
  return (
    <>
      {Array.from({ length: 39 }, (_, index) => (
        <circle
          key={index} cx={60 + (index % 13 - 6) * (3.9 - Math.floor(index / 13) * 0.9)} r={3.4}
          cy={100 - Math.floor(index / 13) * 5 - Math.cos(((index % 13) - 6) / 4.6) * 6}
          fill={index % 3 === 0 ? "var(--draw-fresh)" : "var(--draw-leaf)"}
        />
      ))}
    </>
  );
}

export function PearlsOverPot({ droop }: FoliageProps): JSX.Element {
  return (
    <>
      {strings.map(([x, control, length], index) => {
        const from = { x, y: 97 };
        const middle = { x: control, y: 97 + length * 0.36 };
        const to = { x: control - (60 - x) * 0.06, y: 96 + length };
        const beads = Math.floor(length / 4.6);
        return (
          <Sway key={x} beat={((index % 3) + 1) as 1 | 2 | 3}>
            <Stem d={`M${from.x} ${from.y}Q${middle.x} ${middle.y} ${to.x.toFixed(1)} ${to.y}`} width={1} tone="leaf" />
            {Array.from({ length: beads + 1 }, (_, bead) => {
              const { x: cx, y: cy } = along(from, middle, to, bead / beads);
              const side = bead % 2 === 0 ? 1.4 : -1.4;
              const size = 2.9 - droop * 0.7;
              return (
                <g key={bead}>
                  <circle cx={cx + side} cy={cy} r={size} fill="var(--draw-leaf)" />
                  <path
                    d={`M${(cx + side).toFixed(2)} ${(cy - size).toFixed(2)}a${size} ${size} 0 0 1 0 ${size * 2}a${size * 1.6} ${size * 1.6} 0 0 0 0 ${-size * 2}Z`}
                    fill="var(--draw-leaf-shade)"
                  />
                </g>
              );
            })}
          </Sway>
        );
      })}
    </>
  );
}
