import { Leaf, Stem, Sway } from "../primitives";
import type { FoliageProps, Tone } from "../primitives";

/** Pairs of leaves up a stem. */
function Sprig({ x, lean, height, pairs, size, tone, droop }: FoliageProps & {
  x: number; lean: number; height: number; pairs: number; size: number; tone: Tone;
}): JSX.Element {
  const tip = { x: x + lean * (1 + droop * 0.6), y: 100 - height + droop * 6 };
  return (
    <>
      <Stem d={`M${x} 100Q${x + lean * 0.2} ${100 - height * 0.5} ${tip.x} ${tip.y}`} width={1.8} tone="leaf" />
      {Array.from({ length: pairs }, (_, index) => {
        const share = 0.3 + (0.7 * index) / (pairs - 1);
        const at = { x: x + lean * share * share * (1 + droop * 0.6), y: 100 - (height - droop * 6) * share };
        const length = size * (1.1 - share * 0.35);
        return [-1, 1].map((side) => (
          <Leaf
            key={`${index} ${side}`} shape="oval" length={length} width={length * 0.62} tone={tone} at={at}
            degrees={lean * 0.6 + side * (74 - share * 26 + droop * 40)}
          />
        ));
      })}
      <Leaf shape="oval" length={size * 0.72} width={size * 0.42} tone="fresh" at={tip} degrees={lean + Math.sign(lean) * droop * 40} />
    </>
  );
}

/** Basil, mint, sage: bushy sprigs of small leaves. */
export function Herb({ droop }: FoliageProps): JSX.Element {
  return (
    <>
      <Sway beat={2}>
        <Sprig x={55} lean={-20} height={48} pairs={5} size={16} tone="deep" droop={droop} />
        <Sprig x={65} lean={21} height={46} pairs={5} size={16} tone="deep" droop={droop} />
      </Sway>
      <Sway beat={1}>
        <Sprig x={60} lean={-2} height={60} pairs={6} size={17} tone="leaf" droop={droop} />
      </Sway>
      <Sway beat={3}>
        <Sprig x={56} lean={-11} height={30} pairs={3} size={14} tone="fresh" droop={droop} />
        <Sprig x={64} lean={12} height={28} pairs={3} size={14} tone="fresh" droop={droop} />
      </Sway>
    </>
  );
}

/** Lavender, rosemary: straight spikes. */
export function Spikes({ droop }: FoliageProps): JSX.Element {
  const spikes: readonly [number, number][] = [[-34, 56], [32, 57], [-22, 66], [22, 67], [-10, 72], [10, 71], [0, 62]];
  return (
    <>
      {spikes.map(([lean, height], index) => (
        <Sway key={lean} beat={((index % 3) + 1) as 1 | 2 | 3}>
          <g transform={`rotate(${(lean * (0.7 + droop * 0.5)).toFixed(1)} 60 104)`}>
            <Stem d={`M60 100V${100 - height}`} width={1.5} tone="sage" />
            {[14, 22, 30, 38].map((y) => [-38, 38].map((degrees) => (
              <Leaf key={`${y} ${degrees}`} shape="lance" length={13} width={3.6} tone="sage" rib={0} at={{ x: 60, y: 100 - y }} degrees={degrees} />
            )))}
            {[0, 1, 2, 3, 4].map((step) => (
              <ellipse key={step} cx={60 + (step % 2 ? 1.5 : -1.5)} cy={100 - height + step * 3.6} rx={2.7 - (4 - step) * 0.2} ry={2.5} fill={step % 2 ? "var(--draw-lilac-shade)" : "var(--draw-lilac)"} />
            ))}
          </g>
        </Sway>
      ))}
    </>
  );
}

/** Tomato, pepper, bean: a plant tied to its stake, with fruit. */
export function Vegetable({ droop }: FoliageProps): JSX.Element {
  const branches: readonly [y: number, degrees: number, tone: Tone][] = [
    [84, -70, "deep"], [78, 72, "deep"], [66, -64, "leaf"], [58, 62, "leaf"], [48, -52, "deep"], [42, 50, "deep"], [36, -16, "leaf"], [36, 20, "fresh"],
  ];
  const fruit = (x: number, y: number, size: number, ripe: boolean): JSX.Element => (
    <g transform={`translate(${x} ${y + droop * 2})`}>
      <path d={`M0 ${-size - 4}V${-size + 1}`} stroke="var(--draw-deep-shade)" strokeWidth={1.4} strokeLinecap="round" />
      <circle r={size} fill={ripe ? "var(--draw-fruit)" : "var(--draw-sun)"} />
      <path d={`M0 ${-size}A${size} ${size} 0 0 1 0 ${size}A${size * 1.7} ${size * 1.7} 0 0 0 0 ${-size}Z`} fill={ripe ? "var(--draw-fruit-shade)" : "var(--draw-sun-shade)"} />
      <path d={`M-3.4 ${-size + 0.4}Q0 ${-size + 2.4} 3.4 ${-size + 0.4}`} fill="none" stroke="var(--draw-deep)" strokeWidth={1.7} strokeLinecap="round" />
    </g>
  );
  return (
    <>
      <path d="M64 101V26" stroke="var(--draw-bark)" strokeWidth={2.4} strokeLinecap="round" />
      <Stem d="M60 100Q57 78 61 62T60 34" width={2.6} tone="leaf" />
      <path d="M58.5 62H66M58.5 84H66" stroke="var(--draw-cream)" strokeWidth={1.5} strokeLinecap="round" />
      {branches.map(([y, degrees, tone], index) => {
        const hang = degrees + Math.sign(degrees) * droop * 26;
        return (
          <Sway key={degrees} beat={((index % 3) + 1) as 1 | 2 | 3}>
            <g transform={`translate(60 ${y}) rotate(${hang})`}>
              <path d="M0 0V-18" stroke="var(--draw-leaf-shade)" strokeWidth={1.4} strokeLinecap="round" />
              {[[-9, -62], [-9, 62], [-17, -48], [-17, 48], [-18, 0]].map(([at, spread]) => (
                <Leaf key={`${at} ${spread}`} shape="oval" length={13} width={8} tone={tone} rib={0.6} at={{ x: 0, y: at! }} degrees={spread!} />
              ))}
            </g>
          </Sway>
        );
      })}
      {fruit(46, 72, 6.4, true)}
      {fruit(74, 66, 5.8, true)}
      {fruit(52, 88, 5.2, true)}
      {fruit(72, 50, 4.4, false)}
    </>
  );
}
