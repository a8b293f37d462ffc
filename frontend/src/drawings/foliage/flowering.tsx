import { Blade, Leaf, Stalk, Stem, Sway } from "../primitives";
import type { FoliageProps, Tone } from "../primitives";
import { along } from "../geometry";

function Blossom({ x, y, size, tone, heart = "sun", petals = 5, turn = 0 }: {
  x: number; y: number; size: number; tone: Tone; heart?: Tone; petals?: number; turn?: number;
}): JSX.Element {
  return (
    <g>
      {Array.from({ length: petals }, (_, index) => (
        <Leaf key={index} shape="round" length={size} width={size * 0.86} tone={tone} rib={0} at={{ x, y }} degrees={turn + (360 / petals) * index} />
      ))}
      <circle cx={x} cy={y} r={size * 0.24} fill={`var(--draw-${heart})`} />
    </g>
  );
}

/** Moth orchid: an arched spike with a row of moths over strap leaves. */
export function Orchid({ droop }: FoliageProps): JSX.Element {
  const [from, control, to] = [{ x: 58, y: 98 }, { x: 40, y: -24 }, { x: 106, y: 44 + droop * 14 }];
  const moths = [0.5, 0.67, 0.83].map((t) => along(from, control, to, t));
  const buds = [0.94, 1].map((t) => along(from, control, to, t));
  return (
    <>
      <Sway beat={1}>
        <Stem d={`M${from.x} ${from.y}Q${control.x} ${control.y} ${to.x} ${to.y}`} width={1.8} />
        {buds.map(({ x, y }, index) => (
          <ellipse key={x} cx={x} cy={y + 2} rx={3.2 - index * 0.8} ry={4 - index} fill="var(--draw-bloom)" />
        ))}
        {moths.map(({ x, y }, index) => (
          <g key={x} transform={`translate(${x.toFixed(1)} ${(y + 5).toFixed(1)}) scale(${1.06 - index * 0.12}) rotate(${index * 9 - 8 + droop * 16})`}>
            {[0, 128, -128].map((degrees) => (
              <Leaf key={degrees} shape="oval" length={12} width={9} tone="bloom" rib={0} at={{ x: 0, y: 0 }} degrees={degrees} />
            ))}
            {[-78, 78].map((degrees) => (
              <Leaf key={degrees} shape="round" length={13.5} width={16} tone="bloom" rib={0} at={{ x: 0, y: 0 }} degrees={degrees} />
            ))}
            <path d="M-3 0Q0 -3.5 3 0Q4 5 0 7.5Q-4 5 -3 0Z" fill="var(--draw-plum)" />
            <circle cx={0} cy={0.5} r={1.6} fill="var(--draw-sun)" />
          </g>
        ))}
      </Sway>
      <Sway beat={3}>
        <Blade lean={-72} length={42} arch={-2} width={8} foot={7} tone="deep" rib={0.9} droop={droop} />
        <Blade lean={70} length={42} arch={-1} width={8} foot={7} tone="deep" rib={0.9} droop={droop} />
        <Blade lean={-42} length={34} arch={2} width={8} foot={7} rib={0.9} droop={droop} />
        <Blade lean={44} length={30} arch={2} width={7.5} foot={7} tone="fresh" rib={0.9} droop={droop} />
      </Sway>
    </>
  );
}

/** Peace lily, flamingo flower: a sail beside every spike. */
export function Spathe({ droop, tone }: FoliageProps & { tone: "cream" | "bloom" }): JSX.Element {
  const sail = (length: number, width: number) =>
    ({
      shape: "heart", length, width, tone, rib: 0,
      children: <path d={`M0 -1V${-length * 0.52}`} stroke="var(--draw-sun)" strokeWidth={3.2} strokeLinecap="round" />,
    }) as const;
  const green: readonly [number, number, number, "deep" | "leaf"][] = [
    [-20, 30, 36, "deep"], [18, 31, 36, "deep"], [-40, 25, 36, "deep"], [42, 25, 36, "deep"], [-56, 13, 31, "leaf"], [57, 13, 31, "leaf"], [-12, 12, 34, "leaf"], [16, 11, 33, "leaf"],
  ];
  return (
    <>
      <Sway beat={1}>
        <Stalk lean={-9} length={66} leaf={{ ...sail(25, 19), turn: -4 }} stem="leaf" droop={droop * 0.7} />
        <Stalk lean={18} length={60} leaf={{ ...sail(22, 17), turn: 10 }} stem="leaf" droop={droop * 0.7} />
      </Sway>
      {green.map(([lean, length, size, shade], index) => (
        <Sway key={lean} beat={((index % 3) + 1) as 1 | 2 | 3}>
          <Stalk lean={lean} length={length} leaf={{ shape: "oval", length: size, width: 14.5, tone: shade, turn: lean * 0.22 }} droop={droop} />
        </Sway>
      ))}
    </>
  );
}

/** African violet, cyclamen, kalanchoe, begonia: a cushion of leaves and a bouquet over it. */
export function Flowering({ droop }: FoliageProps): JSX.Element {
  const cushion: readonly [number, number, number, "deep" | "leaf"][] = [
    [-66, 22, 24, "deep"], [66, 22, 24, "deep"], [-42, 24, 26, "deep"], [42, 24, 26, "deep"], [-16, 22, 26, "deep"], [17, 22, 26, "deep"],
    [-52, 8, 22, "leaf"], [52, 8, 22, "leaf"], [-14, 5, 23, "leaf"], [18, 5, 22, "leaf"],
  ];
  const blossoms: readonly [number, number, number][] = [[60, 40, 0], [44, 48, 20], [77, 47, 50], [53, 57, 34], [69, 58, 10], [36, 62, 40], [85, 62, 4]];
  const sunk = (x: number, y: number): readonly [number, number] => [x + Math.sign(x - 60) * droop * 4, y + droop * 9];
  return (
    <>
      <Sway beat={2}>
        {blossoms.map(([x, y]) => {
          const [endX, endY] = sunk(x, y);
          return <Stem key={x} d={`M60 96Q${(60 + (x - 60) * 0.3).toFixed(1)} 74 ${endX} ${endY}`} width={1.5} />;
        })}
      </Sway>
      {cushion.map(([lean, length, size, tone], index) => (
        <Sway key={lean} beat={((index % 3) + 1) as 1 | 2 | 3}>
          <Stalk lean={lean} length={length} leaf={{ shape: "heart", length: size, width: size * 0.86, tone, turn: lean * 0.2 }} droop={droop * 0.8} />
        </Sway>
      ))}
      <Sway beat={2}>
        {blossoms.map(([x, y, turn]) => {
          const [endX, endY] = sunk(x, y);
          return <Blossom key={x} x={endX} y={endY} size={8.5} tone="bloom" turn={turn} />;
        })}
      </Sway>
    </>
  );
}
