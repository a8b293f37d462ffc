import type { CSSProperties } from "react";
import { paths } from "./iconPaths";
import type { IconName } from "./iconPaths";

export type { IconName } from "./iconPaths";

export interface IconProps {
  readonly name: IconName;
  /** In pixels; without it the stylesheet says, in proportion to the text around it. */
  readonly size?: number;
  /** Said to those who do not see it; without it the icon is an ornament beside a word. */
  readonly title?: string;
  readonly className?: string;
}

/** A style, since the stylesheet's size of icons would win over attributes. */
const sized = (size: number | undefined): CSSProperties | undefined =>
  size === undefined ? undefined : { width: size, height: size };

/** One of the icons: 24 wide and high, drawn with one pen in the colour of the text around it. */
export function Icon({ name, size, title, className }: IconProps): JSX.Element {
  return (
    <svg
      className={className ? `icon ${className}` : "icon"} viewBox="0 0 24 24" style={sized(size)} fill="none" stroke="currentColor"
      strokeWidth={1.75} strokeLinecap="round" strokeLinejoin="round" focusable="false"
      role={title ? "img" : undefined} aria-hidden={title ? undefined : true}
    >
      {title && <title>{title}</title>}
      <path d={paths[name]} />
    </svg>
  );
}

/** A battery, filled as far as it is charged. */
export function BatteryIcon({ percent, size, title, className }: Omit<IconProps, "name"> & { percent: number | null }): JSX.Element {
  const share = percent === null ? 0 : Math.min(1, Math.max(0, percent / 100));
  return (
    <svg
      className={className ? `icon ${className}` : "icon"} viewBox="0 0 24 24" style={sized(size)} fill="none" stroke="currentColor"
      strokeWidth={1.75} strokeLinecap="round" strokeLinejoin="round" focusable="false"
      role={title ? "img" : undefined} aria-hidden={title ? undefined : true}
    >
      {title && <title>{title}</title>}
      <path d="M4.5 7.5H17A2 2 0 0 1 19 9.5V14.5A2 2 0 0 1 17 16.5H4.5A2 2 0 0 1 2.5 14.5V9.5A2 2 0 0 1 4.5 7.5ZM21.75 10.75V13.25" />
      {percent === null
        ? <path d="M9 10.2Q9.3 9.4 10.7 9.4T12.3 10.9Q12.3 11.9 10.7 12.6M10.7 14.7V14.75" strokeWidth={1.5} />
        : share > 0 && <rect x={4.6} y={9.6} width={12.3 * share} height={4.8} rx={0.8} fill="currentColor" stroke="none" />}
    </svg>
  );
}

/** Strength of a radio signal in four steps; each step is about 10 dBm, as phones count them. */
export function signalBars(rssi: number | null): 0 | 1 | 2 | 3 | 4 {
  if (rssi === null || rssi < -90) return 0;
  if (rssi < -80) return 1;
  if (rssi < -70) return 2;
  return rssi < -60 ? 3 : 4;
}

/** The bars of a signal: those that are there are filled, the others only outlined. */
export function SignalIcon({ rssi, size, title, className }: Omit<IconProps, "name"> & { rssi: number | null }): JSX.Element {
  const bars = signalBars(rssi);
  return (
    <svg
      className={className ? `icon ${className}` : "icon"} viewBox="0 0 24 24" style={sized(size)} focusable="false"
      role={title ? "img" : undefined} aria-hidden={title ? undefined : true}
    >
      {title && <title>{title}</title>}
      {[0, 1, 2, 3].map((bar) => (
        <rect
          key={bar} x={3.5 + bar * 4.6} y={15.5 - bar * 3.6} width={3.2} height={4.5 + bar * 3.6} rx={1}
          fill="currentColor" fillOpacity={bar < bars ? 1 : 0.22}
        />
      ))}
      {rssi === null && <path d="M4 4L20 20" stroke="currentColor" strokeWidth={1.75} strokeLinecap="round" />}
    </svg>
  );
}
