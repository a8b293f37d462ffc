import { memo } from "react";
import type { Limits } from "../../api/types";
import { useFormat } from "../../format";
import { useT } from "../../i18n";
import { trailHours, type Trail } from "./useTrails";

const width = 240;
const height = 44;
/** The line is not cut at the edges. */
const margin = 3;
/** How near a limit must be to be shown: points of per cent. */
const near = 12;

/** Soil moisture of a day: a line with its gaps, the limits lightly shaded, and the same in words. */
export const Sparkline = memo(function Sparkline({ trail, limits }: { trail: Trail; limits: Limits | undefined }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const values = trail.flatMap(({ value }) => (value === null ? [] : [value]));
  const [first] = values;
  const last = values[values.length - 1];
  if (first === undefined || last === undefined || values.length < 2) {
    return <p className="sparkline sparkline-none">{t("overview.trail_none")}</p>;
  }
  const { min, max } = limits ?? {};
  const lowest = Math.min(...values);
  const highest = Math.max(...values);
  const bounds = [lowest, highest];
  // A limit far away would make a flat line of everything.
  if (typeof min === "number" && lowest - min < near) bounds.push(min);
  if (typeof max === "number" && max - highest < near) bounds.push(max);
  // At least 10 points of per cent high: the noise of a sensor is no mountain range.
  const middle = (Math.min(...bounds) + Math.max(...bounds)) / 2;
  const half = Math.max(5, (Math.max(...bounds) - Math.min(...bounds)) / 2 + 2);
  const y = (value: number): number => margin + ((middle + half - value) / (2 * half)) * (height - 2 * margin);
  const end = trail[trail.length - 1]?.time ?? 0;
  const x = (time: number): number => margin + (1 - (end - time) / (trailHours * 3_600_000)) * (width - 2 * margin);
  const within = (place: number): number => Math.min(height, Math.max(0, place));
  const top = typeof max === "number" ? within(y(max)) : 0;
  const bottom = typeof min === "number" ? within(y(min)) : height;
  const isLimited = typeof min === "number" || typeof max === "number";
  const show = (value: number): string => format.value(value, "soil_moisture");
  return (
    <svg className="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img"
      aria-label={t("overview.trail", {
        first: show(first), last: show(last), lowest: show(lowest), highest: show(highest),
      })}>
      {isLimited && <rect className="sparkline-inside" x={0} width={width} y={top} height={Math.max(0, bottom - top)} />}
      {bottom > 0 && bottom < height && <path className="sparkline-limit" d={`M0 ${bottom.toFixed(1)}H${width}`} />}
      {top > 0 && top < height && <path className="sparkline-limit" d={`M0 ${top.toFixed(1)}H${width}`} />}
      <path className="sparkline-line" d={line(trail, x, y)} />
      <path className="sparkline-now" d={`M${x(end).toFixed(1)} ${y(last).toFixed(1)}h0`} />
    </svg>
  );
});

function line(trail: Trail, x: (time: number) => number, y: (value: number) => number): string {
  let path = "";
  let isDown = false;
  trail.forEach(({ time, value }, index) => {
    if (value === null) {
      isDown = false;
      return;
    }
    path += `${isDown ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
    // A value between two gaps is a dot.
    if (!isDown && (trail[index + 1]?.value ?? null) === null) path += "h0";
    isDown = true;
  });
  return path;
}
