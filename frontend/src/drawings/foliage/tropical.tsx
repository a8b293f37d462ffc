import { Stalk, Stem, Sway } from "../primitives";
import type { FoliageProps } from "../primitives";

/** Monstera, philodendron: large split hearts on long stalks. */
export function Monstera({ droop }: FoliageProps): JSX.Element {
  const large = { shape: "split", rib: 1.1 } as const;
  return (
    <>
      <Sway beat={2}>
        <Stalk lean={-8} length={50} leaf={{ ...large, length: 35, width: 37, tone: "deep", turn: -6 }} droop={droop * 0.4} />
        <Stalk lean={27} length={45} leaf={{ ...large, length: 33, width: 35, tone: "deep", turn: 8 }} droop={droop} />
      </Sway>
      <Sway beat={1}>
        <Stalk lean={-44} length={39} leaf={{ ...large, length: 37, width: 39, turn: -14 }} droop={droop} />
        <Stalk lean={47} length={27} leaf={{ ...large, length: 29, width: 31, tone: "fresh", turn: 28 }} droop={droop} />
      </Sway>
      <Sway beat={3}>
        <Stalk lean={-52} length={14} leaf={{ shape: "heart", length: 18, width: 17, tone: "fresh", turn: -16 }} droop={droop} />
      </Sway>
    </>
  );
}

/** Dieffenbachia, aglaonema, cast-iron plant: broad leaves from one foot, with a light middle. */
export function Broadleaf({ droop }: FoliageProps): JSX.Element {
  const variegated = (length: number, width: number): JSX.Element => (
    <path
      d={`M0 ${-length * 0.12}Q${width * 0.2} ${-length * 0.5} 0 ${-length * 0.9}Q${-width * 0.2} ${-length * 0.5} 0 ${-length * 0.12}Z`}
      fill="var(--draw-cream)" opacity={0.75}
    />
  );
  const paddle = (length: number, width: number) =>
    ({ shape: "oval", length, width, children: variegated(length, width), rib: 0 }) as const;
  return (
    <>
      <Sway beat={2}>
        <Stalk lean={-2} length={30} leaf={{ ...paddle(52, 19), tone: "deep", turn: 3 }} droop={droop * 0.4} />
        <Stalk lean={-26} length={26} leaf={{ ...paddle(46, 18), tone: "deep", turn: -6 }} droop={droop} />
        <Stalk lean={25} length={26} leaf={{ ...paddle(47, 18), tone: "deep", turn: 6 }} droop={droop} />
      </Sway>
      <Sway beat={1}>
        <Stalk lean={-42} length={18} leaf={{ ...paddle(38, 17), turn: -20 }} droop={droop} />
        <Stalk lean={44} length={17} leaf={{ ...paddle(38, 17), turn: 18 }} droop={droop} />
        <Stalk lean={10} length={14} leaf={{ ...paddle(40, 17), turn: 4 }} droop={droop * 0.6} />
      </Sway>
    </>
  );
}

/** Calathea, maranta, fittonia: round leaves with painted ribs, plum underneath. */
export function Prayer({ droop }: FoliageProps): JSX.Element {
  const painted = (length: number, width: number): JSX.Element => (
    <g fill="none" stroke="var(--draw-fresh)" strokeWidth={1.3} strokeLinecap="round">
      {[0.24, 0.42, 0.6, 0.76].map((share, index) => {
        const reach = width * [0.38, 0.42, 0.36, 0.22][index]!;
        const y = -length * share;
        return <path key={share} d={`M${-reach} ${y - 5}Q${-reach * 0.4} ${y - 1} 0 ${y}Q${reach * 0.4} ${y - 1} ${reach} ${y - 5}`} />;
      })}
    </g>
  );
  const disc = (length: number, width: number) =>
    ({ shape: "round", length, width, children: painted(length, width) }) as const;
  return (
    <>
      <Sway beat={2}>
        <Stalk stem="plum" lean={3} length={44} leaf={{ ...disc(36, 28), tone: "deep", turn: 4 }} droop={droop * 0.4} />
        <Stalk stem="plum" lean={-30} length={41} leaf={{ ...disc(33, 27), tone: "deep", turn: -10 }} droop={droop} />
        <Stalk stem="plum" lean={36} length={37} leaf={{ ...disc(32, 26), tone: "plum", turn: 14 }} droop={droop} />
      </Sway>
      <Sway beat={1}>
        <Stalk stem="plum" lean={-48} length={22} leaf={{ ...disc(31, 25), tone: "deep", turn: -22 }} droop={droop} />
        <Stalk stem="plum" lean={-4} length={20} leaf={{ ...disc(33, 27), tone: "deep", turn: -3 }} droop={droop * 0.6} />
        <Stalk stem="plum" lean={48} length={17} leaf={{ ...disc(28, 23), tone: "deep", turn: 26 }} droop={droop} />
      </Sway>
    </>
  );
}

/** Pilea, peperomia: coins on thin stalks. */
export function Coins({ droop }: FoliageProps): JSX.Element {
  const coins: readonly [lean: number, length: number, size: number, tone: "leaf" | "deep" | "fresh"][] = [
    [-4, 62, 20, "deep"], [20, 58, 19, "deep"], [-29, 57, 20, "deep"], [45, 48, 19, "deep"], [-52, 46, 20, "leaf"],
    [8, 45, 22, "leaf"], [-17, 38, 20, "leaf"], [33, 34, 20, "leaf"], [-64, 28, 17, "fresh"], [62, 29, 17, "fresh"],
    [-2, 20, 17, "fresh"],
  ];
  return (
    <>
      <Stem d="M60 100V74" width={3.4} />
      {[1, 2, 3].map((beat) => (
        <Sway key={beat} beat={beat as 1 | 2 | 3}>
          {coins.slice((beat - 1) * 4, beat * 4).map(([lean, length, size, tone]) => (
            <Stalk
              key={lean} lean={lean} length={length} thick={1.3} droop={droop}
              // The stalk meets a coin near its middle, so the leaf begins a little below its own end.
              leaf={{
                shape: "round", length: size, width: size * 0.98, tone, rib: 0,
                children: <circle cx={0} cy={-size * 0.36} r={1.5} fill="var(--draw-cream)" />,
              }}
            />
          ))}
        </Sway>
      ))}
    </>
  );
}
