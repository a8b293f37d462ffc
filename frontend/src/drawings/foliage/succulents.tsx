import { Blade, Leaf, Stem, Sway, Trunk, soil } from "../primitives";
import type { FoliageProps } from "../primitives";

/** Aloe, haworthia, agave: thick pointed leaves from one foot. */
export function Rosette({ droop }: FoliageProps): JSX.Element {
  const back: readonly [number, number][] = [[-3, 66], [-22, 62], [19, 63], [-42, 54], [40, 55]];
  const front: readonly [number, number][] = [[-60, 44], [58, 44], [-31, 44], [29, 45], [0, 48], [-14, 34], [15, 33]];
  return (
    <>
      <Sway beat={2}>
        {back.map(([lean, length]) => (
          <Blade key={lean} from={{ x: 60 + lean * 0.16, y: 101 }} lean={lean} length={length} arch={-4} width={6.5} foot={9} tone="jade" droop={droop * 0.7} />
        ))}
      </Sway>
      <Sway beat={1}>
        {front.map(([lean, length]) => (
          <Blade key={lean} from={{ x: 60 + lean * 0.2, y: 102 }} lean={lean} length={length} arch={-5} width={6.5} foot={10} tone="sage" droop={droop * 0.7} />
        ))}
      </Sway>
      <g fill="var(--draw-cream)" opacity={0.7}>
        {[[58, 74], [61, 82], [57.5, 88], [46, 80], [73.5, 80], [43, 86], [76, 87]].map(([x, y]) => (
          <ellipse key={`${x} ${y}`} cx={x} cy={y} rx={0.8} ry={1.7} />
        ))}
      </g>
    </>
  );
}

/** Echeveria: a flower of leaves, low over its bowl. */
export function Echeveria({ droop }: FoliageProps): JSX.Element {
  const ring = (count: number, from: number, length: number, y: number, tone: "jade" | "sage" | "cream", offset = 0): JSX.Element => (
    <>
      {Array.from({ length: count }, (_, index) => {
        const degrees = -from + offset + (2 * from * index) / (count - 1);
        return (
          <Leaf
            key={index} shape="spoon" length={length * (1 + droop * 0.08)} width={length * 0.5} tone={tone} rib={0}
            at={{ x: 60 + degrees * 0.06, y }} degrees={degrees * (1 + droop * 0.16)}
          />
        );
      })}
    </>
  );
  return (
    <>
      <Sway beat={1}>
        <Stem d="M70 96Q88 74 84 52" width={1.6} tone="jade" />
        {([[84, 54, -14], [86, 60, 42], [83.5, 63, -58]] as const).map(([x, y, degrees]) => (
          <Leaf key={y} shape="spoon" length={11} width={8} tone="bloom" rib={0} at={{ x, y }} degrees={degrees} />
        ))}
      </Sway>
      {ring(9, 92, 34, 100, "jade")}
      {ring(8, 74, 29, 98, "sage", 4)}
      {ring(6, 52, 22, 97, "jade", -2)}
      {ring(5, 30, 15, 96, "sage", 2)}
    </>
  );
}

/** Jade plant, kalanchoe out of bloom: a small tree with coins of leaves. */
export function Jade({ droop }: FoliageProps): JSX.Element {
  const tufts: readonly [x: number, y: number, lean: number][] = [
    [60, 46, 0], [41, 58, -26], [79, 56, 24], [34, 74, -48], [86, 74, 46], [52, 66, -10], [69, 68, 12],
  ];
  return (
    <>
      <Trunk d="M60 101Q59 84 60 52M60 88Q48 80 42 62M60 84Q73 76 78 60M54 86Q42 86 36 77M66 86Q78 84 85 77" width={4.4} />
      {tufts.map(([x, y, lean], index) => (
        <Sway key={x} beat={((index % 3) + 1) as 1 | 2 | 3}>
          {[-84, 84, -46, 46, -4].map((spread) => (
            <Leaf
              key={spread} shape="spoon" length={16} width={12} rib={0} tone={index < 5 ? "jade" : "leaf"}
              at={{ x, y: y + 4 + droop * 2 }} degrees={lean + spread + droop * Math.sign(spread) * 24}
            />
          ))}
        </Sway>
      ))}
    </>
  );
}

/** Columns with ribs, areoles between them, one flower. */
export function Cactus({ droop }: FoliageProps): JSX.Element {
  const tilt = droop * 5;
  const spines = (points: readonly (readonly [number, number])[]): JSX.Element => (
    <g stroke="var(--draw-cream)" strokeWidth={1.1} strokeLinecap="round">
      {points.map(([x, y]) => (
        <path key={`${x} ${y}`} d={`M${x - 1.6} ${y - 1.4}L${x} ${y}L${x + 1.6} ${y - 1.4}M${x} ${y}V${y - 2.4}`} fill="none" />
      ))}
    </g>
  );
  return (
    <Sway beat={1}>
      <g transform={`rotate(${tilt} ${soil.x} 104)`}>
        <path d="M74 76H80Q85 76 85 70V62A5.5 5.5 0 0 1 96 62V72Q96 87 81 87H74Z" fill="var(--draw-jade-shade)" />
        <path d="M46 84H42Q36 84 36 78V72A5 5 0 0 0 26 72V80Q26 94 40 94H46Z" fill="var(--draw-jade)" />
        <path d="M43 106V52A17 17 0 0 1 77 52V106Z" fill="var(--draw-jade)" />
        <path d="M64 35.5A17 17 0 0 1 77 52V106H64Q67 70 64 35.5Z" fill="var(--draw-jade-shade)" />
        <path
          d="M52 40Q49 70 51 104M60 36V104M69 39Q72 70 70 104M31 76V80Q32 88 40 89M90.5 64V72Q89 81 80 81.5"
          fill="none" stroke="var(--draw-jade-line)" strokeWidth={1.1} strokeLinecap="round"
        />
        {spines([[55.5, 54], [64.5, 54], [47.5, 66], [60, 68], [73, 66], [55.5, 80], [64.5, 80], [48, 92], [73, 92]])}
        <g transform="translate(56 35)">
          {[-62, 62, -30, 30, 0].map((degrees) => (
            <Leaf key={degrees} shape="lance" length={13} width={8} tone="bloom" rib={0} at={{ x: 0, y: 2 }} degrees={degrees} />
          ))}
          <circle cx={0} cy={-1.5} r={2.2} fill="var(--draw-sun)" />
        </g>
      </g>
    </Sway>
  );
}
