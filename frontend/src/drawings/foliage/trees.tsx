import { Leaf, Stalk, Sway, Trunk } from "../primitives";
import type { FoliageProps, Tone } from "../primitives";
import type { LeafShape } from "../geometry";

/** Fiddle-leaf fig, rubber plant: large leaves around a straight stem. */
export function Fiddle({ droop }: FoliageProps): JSX.Element {
  const leaves: readonly [x: number, y: number, degrees: number, length: number, tone: Tone][] = [
    [60, 84, -82, 30, "deep"], [60, 80, 80, 30, "deep"], [60, 70, -68, 32, "leaf"], [60, 64, 66, 33, "leaf"],
    [60, 54, -50, 32, "deep"], [60, 48, 52, 31, "deep"], [60, 42, -22, 31, "leaf"], [60, 40, 26, 29, "leaf"], [60, 40, 2, 26, "fresh"],
  ];
  return (
    <>
      <Trunk d="M60 101V42" width={3.8} />
      {leaves.map(([x, y, degrees, length, tone], index) => (
        <Sway key={degrees} beat={((index % 3) + 1) as 1 | 2 | 3}>
          <Leaf
            shape="fiddle" length={length} width={length * 0.66} tone={tone} at={{ x, y }}
            degrees={degrees + Math.sign(degrees) * droop * Math.min(34, 150 - Math.abs(degrees))}
          >
            <path
              d={[0.3, 0.48, 0.66].map((share) => `M${-length * 0.2} ${-length * (share + 0.1)}Q${-length * 0.06} ${-length * (share + 0.06)} 0 ${-length * share}Q${length * 0.06} ${-length * (share + 0.06)} ${length * 0.2} ${-length * (share + 0.1)}`).join("")}
              fill="none" stroke={`var(--draw-${tone}-line)`} strokeWidth={0.6} strokeLinecap="round"
            />
          </Leaf>
        </Sway>
      ))}
    </>
  );
}

/** Leaves set on twigs, from below upwards. */
function Crown({ twigs, shape, size, tones, droop }: FoliageProps & {
  twigs: readonly (readonly [x: number, y: number, degrees: number])[];
  shape: LeafShape; size: readonly [length: number, width: number]; tones: readonly Tone[];
}): JSX.Element {
  return (
    <>
      {twigs.map(([x, y, degrees], index) => (
        <Sway key={`${x} ${y}`} beat={((index % 3) + 1) as 1 | 2 | 3}>
          {[-74, 74, -36, 36, 0].map((spread) => (
            <Leaf
              key={spread} shape={shape} length={size[0]} width={size[1]} tone={tones[index % tones.length]!} rib={0.7}
              at={{ x, y: y + droop * 3 }} degrees={degrees + spread + Math.sign(degrees + spread) * droop * 30}
            />
          ))}
        </Sway>
      ))}
    </>
  );
}

/** Weeping fig, olive, croton: a small tree with a round crown. */
export function Tree({ droop }: FoliageProps): JSX.Element {
  return (
    <>
      <Trunk d="M60 101Q58 86 61 68Q62 58 60 44M61 70Q52 62 44 56M61 66Q70 58 78 54" width={3.8} />
      <Crown
        droop={droop} shape="oval" size={[19, 11]} tones={["deep", "leaf"]}
        twigs={[
          [60, 30, 0], [36, 56, -70], [85, 55, 70], [43, 40, -28], [78, 39, 28], [44, 66, -74], [77, 66, 74],
          [60, 45, 4], [50, 58, -30], [71, 58, 30],
        ]}
      />
    </>
  );
}

/** Money tree, umbrella tree: hands of leaves on a plaited trunk. */
export function Umbrella({ droop }: FoliageProps): JSX.Element {
  const hands: readonly [lean: number, length: number, tone: Tone][] = [
    [-3, 34, "deep"], [-44, 33, "deep"], [42, 34, "deep"], [-80, 30, "leaf"], [80, 30, "leaf"], [-20, 17, "leaf"], [26, 15, "leaf"],
  ];
  const top = { x: 60, y: 64 };
  return (
    <>
      <Trunk d="M57 101C65 92 54 86 62 78C66 73 58 70 60 64" width={4.2} />
      <Trunk d="M63 101C55 92 66 86 58 78C54 73 62 70 60 64" width={4.2} shade={false} />
      {hands.map(([lean, length, tone], index) => (
        <Sway key={lean} beat={((index % 3) + 1) as 1 | 2 | 3}>
          {[-88, 88, -46, 46, 0].map((turn) => (
            <Stalk key={turn} from={top} lean={lean} length={length} thick={1.4} leaf={{ shape: "spoon", length: 20, width: 10.5, tone, rib: 0.7, turn }} droop={droop * 0.7} />
          ))}
        </Sway>
      ))}
    </>
  );
}
