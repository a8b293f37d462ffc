import type { ReactNode } from "react";
import { along, blade, frond, leaf, towards } from "./geometry";
import type { Halves, LeafShape, Point } from "./geometry";

/** The greens (and not greens) a leaf can have; each is a pair of light and shade in drawings.css. */
export type Tone = "leaf" | "deep" | "fresh" | "sage" | "jade" | "plum" | "bloom" | "cream" | "sun" | "clay";

/** What every foliage gets: 0 stands upright, 1 hangs its leaves. */
export interface FoliageProps {
  readonly droop: number;
}

/** Where plants come out of the soil. */
export const soil: Point = { x: 60, y: 99 };

const lit = (tone: Tone): string => `var(--draw-${tone})`;
const shaded = (tone: Tone): string => `var(--draw-${tone}-shade)`;
const line = (tone: Tone): string => `var(--draw-${tone}-line)`;

function TwoTone({ halves, tone, rib = 0.9 }: { halves: Halves; tone: Tone; rib?: number }): JSX.Element {
  return (
    <>
      <path d={halves.light} fill={lit(tone)} />
      <path d={halves.shade} fill={shaded(tone)} />
      {rib > 0 && <path d={halves.rib} fill="none" stroke={line(tone)} strokeWidth={rib} strokeLinecap="round" />}
    </>
  );
}

interface LeafProps {
  readonly shape: LeafShape;
  readonly length: number;
  readonly width: number;
  readonly at: Point;
  /** 0 grows up, 90 to the right. */
  readonly degrees?: number;
  readonly tone?: Tone;
  readonly rib?: number;
  /** Drawn over the leaf, in its own coordinates: it grows from (0, 0) to (0, -length). */
  readonly children?: ReactNode;
}

export function Leaf({ shape, length, width, at, degrees = 0, tone = "leaf", rib, children }: LeafProps): JSX.Element {
  return (
    <g transform={`translate(${at.x.toFixed(2)} ${at.y.toFixed(2)}) rotate(${degrees.toFixed(1)})`}>
      <TwoTone halves={leaf(shape, length, width)} tone={tone} rib={rib} />
      {children}
    </g>
  );
}

interface StalkProps extends FoliageProps {
  readonly from?: Point;
  /** Which way it leans, 0 up. */
  readonly lean: number;
  readonly length: number;
  /** The leaf at its end; its angle is that of the stalk and `turn` more. */
  readonly leaf: Omit<LeafProps, "at" | "degrees"> & { readonly turn?: number };
  readonly stem?: Tone;
  readonly thick?: number;
}

/** A leaf on a stalk of its own. A thirsty one leans outwards, and its leaf hangs. */
export function Stalk({ from = soil, lean, length, leaf: blade, stem = "deep", thick = 1.8, droop }: StalkProps): JSX.Element {
  const side = lean < 0 ? -1 : 1;
  const tip = towards(from, lean + side * droop * 9, length * (1 - droop * 0.06));
  const middle = towards(from, lean * 0.35, length * 0.62);
  const { turn = 0, ...rest } = blade;
  const end = along(from, middle, tip, 1).degrees;
  return (
    <>
      <path
        d={`M${from.x} ${from.y}Q${middle.x.toFixed(2)} ${middle.y.toFixed(2)} ${tip.x.toFixed(2)} ${tip.y.toFixed(2)}`}
        fill="none" stroke={shaded(stem)} strokeWidth={thick} strokeLinecap="round"
      />
      <Leaf {...rest} at={tip} degrees={end + turn + side * droop * 38} />
    </>
  );
}

interface CurveProps extends FoliageProps {
  readonly from?: Point;
  readonly lean: number;
  readonly length: number;
  /** How far the tip sinks below a straight line. */
  readonly arch?: number;
  readonly tone?: Tone;
}

function curve({ from = soil, lean, length, arch = 0, droop }: CurveProps): [Point, Point, Point] {
  const end = towards(from, lean, length);
  const away = Math.min(1, Math.abs(lean) / 40);
  return [
    from,
    towards(from, lean * 0.6, length * 0.62),
    { x: end.x + Math.sign(lean) * droop * 3, y: end.y + arch + droop * (4 + 14 * away) },
  ];
}

/** A long leaf without a stalk: aloe, spider plant, snake plant. */
export function Blade(props: CurveProps & { width: number; foot?: number; rib?: number }): JSX.Element {
  const [from, control, to] = curve(props);
  return <TwoTone halves={blade(from, control, to, props.width, props.foot)} tone={props.tone ?? "leaf"} rib={props.rib ?? 0} />;
}

/** A feathered leaf: fern, palm. */
export function Frond(
  props: CurveProps & { pairs: number; leaflet: number; width: number; spread?: number; bare?: number },
): JSX.Element {
  const [from, control, to] = curve(props);
  const { pairs, leaflet, width, spread, bare } = props;
  const shape = frond(from, control, to, { pairs, length: leaflet, width, spread, bare });
  return <TwoTone halves={shape} tone={props.tone ?? "leaf"} rib={1.2} />;
}

/** A woody stem or a trunk. */
export function Trunk({ d, width, shade = true }: { d: string; width: number; shade?: boolean }): JSX.Element {
  return (
    <g fill="none" strokeLinecap="round">
      <path d={d} stroke="var(--draw-bark)" strokeWidth={width} />
      {shade && (
        <path d={d} stroke="var(--draw-bark-shade)" strokeWidth={width * 0.45} transform={`translate(${width * 0.26} 0)`} />
      )}
    </g>
  );
}

/** Green stems, from outline to outline. */
export function Stem({ d, width = 1.8, tone = "deep" }: { d: string; width?: number; tone?: Tone }): JSX.Element {
  return <path d={d} fill="none" stroke={shaded(tone)} strokeWidth={width} strokeLinecap="round" />;
}

/** A part of the plant that moves in the air by itself; parts of different `beat` do not move together. */
export function Sway({ beat = 1, children }: { beat?: 1 | 2 | 3; children: ReactNode }): JSX.Element {
  return <g className={`draw-sway draw-sway-${beat}`}>{children}</g>;
}
