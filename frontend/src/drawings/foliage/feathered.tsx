import { Blade, Frond, Stem, Sway, Trunk } from "../primitives";
import type { FoliageProps } from "../primitives";

/** Boston fern and its kin: arching feathers all around. */
export function Fern({ droop }: FoliageProps): JSX.Element {
  const back: readonly [number, number, number][] = [[-4, 66, 0], [-24, 66, 6], [21, 67, 5], [-44, 60, 16], [42, 61, 15]];
  const front: readonly [number, number, number][] = [[-64, 50, 24], [63, 50, 24], [-33, 46, 6], [31, 48, 6], [-3, 44, 0]];
  return (
    <>
      <Sway beat={2}>
        {back.map(([lean, length, arch]) => (
          <Frond key={lean} lean={lean} length={length} arch={arch} pairs={14} leaflet={12} width={2.3} tone="deep" droop={droop} />
        ))}
      </Sway>
      <Sway beat={1}>
        {front.map(([lean, length, arch]) => (
          <Frond key={lean} lean={lean} length={length} arch={arch} pairs={12} leaflet={11} width={2.2} droop={droop} />
        ))}
      </Sway>
      <Stem d="M64 97Q66 84 72 82Q77 81 76.5 85Q75.5 88 73 86" width={1.6} tone="fresh" />
    </>
  );
}

/** Parlour palm, kentia, areca: wide feathers on long bare stalks. */
export function Palm({ droop }: FoliageProps): JSX.Element {
  const fronds: readonly [number, number, number, "deep" | "leaf"][] = [
    [3, 84, 0, "deep"], [-20, 82, 10, "deep"], [25, 80, 12, "deep"], [-42, 70, 22, "leaf"], [46, 68, 22, "leaf"], [-9, 62, 2, "leaf"], [17, 58, 4, "leaf"],
  ];
  return (
    <>
      <Stem d="M55 100 52 82M60 100 61 76M65 100 69 84" width={2.6} />
      {fronds.map(([lean, length, arch, tone], index) => (
        <Sway key={lean} beat={((index % 3) + 1) as 1 | 2 | 3}>
          <Frond
            from={{ x: 60 + lean * 0.1, y: 98 }} lean={lean} length={length} arch={arch} pairs={11} leaflet={25} width={2.1}
            spread={54} bare={0.4} tone={tone} droop={droop}
          />
        </Sway>
      ))}
    </>
  );
}

/** Dragon tree, yucca, ponytail palm: tufts of narrow blades on bare trunks. */
export function Tuft({ droop }: FoliageProps): JSX.Element {
  const tuft = (x: number, y: number, size: number, beat: 1 | 2 | 3): JSX.Element => (
    <Sway beat={beat}>
      {[-118, 116, -92, 92, -66, 68, -42, 44, -20, 22, 0].map((lean, index) => (
        <Blade
          key={lean} from={{ x, y }} lean={lean} length={size * (1 - Math.abs(lean) / 420)} arch={Math.abs(lean) * 0.1} width={3.2} foot={3}
          tone={index < 6 ? "deep" : "leaf"} droop={droop * 0.8}
        />
      ))}
    </Sway>
  );
  return (
    <>
      <Trunk d="M57 101Q54 86 48 66" width={4.2} />
      <Trunk d="M64 101Q66 78 73 52" width={4.6} />
      {tuft(47.5, 66, 34, 2)}
      {tuft(73.5, 51, 38, 1)}
    </>
  );
}

/** Spider plant: striped arching blades, and a child on a runner. */
export function Grass({ droop }: FoliageProps): JSX.Element {
  const blades: readonly [number, number, number][] = [
    [-5, 72, 0], [15, 72, 3], [-24, 70, 8], [34, 68, 13], [-45, 64, 20], [54, 60, 26], [-66, 54, 30], [72, 48, 30], [-14, 50, 2], [23, 50, 6], [4, 46, 0],
  ];
  return (
    <>
      {blades.map(([lean, length, arch], index) => (
        <Sway key={lean} beat={((index % 3) + 1) as 1 | 2 | 3}>
          <Blade lean={lean} length={length} arch={arch} width={6} foot={5} tone={index < 6 ? "leaf" : "fresh"} droop={droop} />
          <Blade lean={lean} length={length * 0.94} arch={arch} width={1.9} foot={1.8} tone="cream" droop={droop} />
        </Sway>
      ))}
      <Sway beat={3}>
        <Stem d="M60 97Q88 66 100 92" width={1.3} tone="sun" />
        {[-72, 72, -40, 40, 0].map((lean) => (
          <Blade key={lean} from={{ x: 100, y: 98 }} lean={lean} length={15} arch={3} width={2.4} foot={2} tone="fresh" droop={droop} />
        ))}
      </Sway>
    </>
  );
}

/** Zamioculcas: thick rods with glossy leaflets. */
export function Rods({ droop }: FoliageProps): JSX.Element {
  const rods: readonly [number, number, "deep" | "leaf"][] = [
    [-5, 74, "deep"], [20, 70, "deep"], [-28, 66, "deep"], [44, 56, "leaf"], [-50, 52, "leaf"], [6, 48, "leaf"],
  ];
  return (
    <>
      {rods.map(([lean, length, tone], index) => (
        <Sway key={lean} beat={((index % 3) + 1) as 1 | 2 | 3}>
          <Frond lean={lean} length={length} arch={Math.abs(lean) * 0.12} pairs={7} leaflet={19} width={5.2} spread={48} bare={0.26} tone={tone} droop={droop * 0.8} />
        </Sway>
      ))}
    </>
  );
}

/** Snake plant: upright swords with pale edges. */
export function Sword({ droop }: FoliageProps): JSX.Element {
  const swords: readonly [x: number, lean: number, length: number][] = [
    [55, -8, 86], [66, 10, 80], [48, -16, 66], [72, 18, 60], [60, 2, 66], [53, -9, 46], [67, 9, 42],
  ];
  return (
    <>
      {swords.map(([x, lean, length], index) => (
        <Sway key={x} beat={((index % 3) + 1) as 1 | 2 | 3}>
          <Blade from={{ x, y: 103 }} lean={lean * (1 + droop * 0.9)} length={length} width={11.5} foot={8} tone="sun" droop={droop * 0.7} />
          <Blade from={{ x, y: 103 }} lean={lean * (1 + droop * 0.9)} length={length * 0.955} width={8.4} foot={6} tone={index < 4 ? "deep" : "leaf"} droop={droop * 0.7} />
        </Sway>
      ))}
    </>
  );
}
