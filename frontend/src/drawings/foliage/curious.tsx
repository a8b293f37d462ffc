import { Leaf, Stalk, Stem, Sway } from "../primitives";
import type { FoliageProps } from "../primitives";
import { soil } from "../primitives";
import { towards } from "../geometry";

/** A trap of the Venus flytrap: two halves, open towards the light, with lashes. */
function Trap({ lean, length, size, droop }: FoliageProps & { lean: number; length: number; size: number }): JSX.Element {
  const side = lean < 0 ? -1 : 1;
  const tip = towards(soil, lean + side * droop * 12, length);
  const tilt = lean * 0.7 + side * droop * 30;
  const lashes = (sign: 1 | -1): string =>
    [0.18, 0.36, 0.54, 0.72, 0.9]
      .map((share) => {
        const x = sign * size * (0.28 + 0.62 * share * (1.7 - 0.7 * share));
        const y = -size * (0.92 - 0.72 * share * share);
        return `M${x.toFixed(1)} ${y.toFixed(1)}L${(x + sign * size * 0.06).toFixed(1)} ${(y - size * 0.3).toFixed(1)}`;
      })
      .join("");
  return (
    <>
      <path d={`M60 99Q${(60 + (tip.x - 60) * 0.3).toFixed(1)} ${tip.y + length * 0.3} ${tip.x.toFixed(1)} ${tip.y.toFixed(1)}`} fill="none" stroke="var(--draw-leaf)" strokeWidth={4.6} strokeLinecap="round" />
      <g transform={`translate(${tip.x.toFixed(1)} ${tip.y.toFixed(1)}) rotate(${tilt.toFixed(1)})`}>
        <path d={`${lashes(-1)}${lashes(1)}`} stroke="var(--draw-leaf)" strokeWidth={1.2} strokeLinecap="round" />
        {([-1, 1] as const).map((sign) => (
          <g key={sign} transform={`scale(${sign} 1)`}>
            <path d={`M0 2C${size * 0.7} 2 ${size * 1.1} ${-size * 0.3} ${size * 0.9} ${-size * 0.2}C${size * 0.7} ${-size * 0.75} ${size * 0.4} ${-size} ${size * 0.22} ${-size}Q${size * 0.1} ${-size * 0.3} 0 2Z`} fill={sign < 0 ? "var(--draw-fresh)" : "var(--draw-leaf)"} />
            <path d={`M${size * 0.1} ${-size * 0.12}C${size * 0.5} ${-size * 0.08} ${size * 0.72} ${-size * 0.26} ${size * 0.74} ${-size * 0.24}C${size * 0.58} ${-size * 0.6} ${size * 0.42} ${-size * 0.76} ${size * 0.3} ${-size * 0.78}Q${size * 0.2} ${-size * 0.36} ${size * 0.1} ${-size * 0.12}Z`} fill={sign < 0 ? "var(--draw-bloom)" : "var(--draw-bloom-shade)"} />
          </g>
        ))}
      </g>
    </>
  );
}

/** Venus flytrap, pitcher plant, sundew. */
export function Carnivorous({ droop }: FoliageProps): JSX.Element {
  const traps: readonly [number, number, number][] = [[-4, 48, 19], [30, 42, 16], [-36, 42, 17], [60, 33, 14], [-66, 31, 14]];
  return (
    <>
      {traps.map(([lean, length, size], index) => (
        <Sway key={lean} beat={((index % 3) + 1) as 1 | 2 | 3}>
          <Trap lean={lean} length={length} size={size} droop={droop} />
        </Sway>
      ))}
      {[-50, 50, -20, 22].map((lean) => (
        <Leaf key={lean} shape="lance" length={22} width={8} tone="leaf" at={{ x: 60, y: 100 }} degrees={lean * (1 + droop * 0.3)} />
      ))}
    </>
  );
}

/** Not said what it is: two seed leaves and what comes next. */
export function Seedling({ droop }: FoliageProps): JSX.Element {
  const top = { x: 60, y: 60 + droop * 3 };
  return (
    <Sway beat={1}>
      <Stem d={`M60 100Q57 82 ${top.x} ${top.y}`} width={2.6} tone="leaf" />
      <Stalk from={{ x: 58.6, y: 80 }} lean={-56} length={7} leaf={{ shape: "oval", length: 22, width: 13, turn: -14 }} stem="leaf" droop={droop} />
      <Stalk from={{ x: 58.6, y: 78 }} lean={56} length={8} leaf={{ shape: "oval", length: 23, width: 13, turn: 14 }} stem="leaf" droop={droop} />
      <Stalk from={top} lean={-30} length={6} leaf={{ shape: "oval", length: 25, width: 14, tone: "fresh", turn: -6 }} stem="leaf" droop={droop} />
      <Stalk from={top} lean={30} length={6} leaf={{ shape: "oval", length: 23, width: 13, tone: "fresh", turn: 6 }} stem="leaf" droop={droop} />
      <Leaf shape="oval" length={12} width={6} tone="fresh" at={top} degrees={2} />
    </Sway>
  );
}
