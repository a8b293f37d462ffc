import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { Limits } from "../../../api/types";
import { Icon } from "../../../drawings/icons";
import { useFormat, useRegion } from "../../../format";
import { useT } from "../../../i18n";
import { metricIcon } from "../../../metrics";
import { metricBounds } from "../words";
import { ChartTable } from "./ChartTable";
import { coloursOf } from "./colours";
import type { Cursor } from "./cursor";
import type { DygraphClass } from "./loadDygraphs";
import { inView, type Mark } from "./marks";
import { MarkList, Marks } from "./MarkViews";
import { Plot } from "./Plot";
import { nearest, statistics, type Points } from "./rows";
import { valueRange } from "./scale";
import type { View } from "./span";

export interface ChartProps {
  Dygraph: DygraphClass | null;
  metric: string;
  unit: string;
  /** In the unit shown, as the limits are. */
  points: Points;
  limits: Limits;
  /** The newest value, in words. */
  newest: string;
  view: View;
  marks: readonly Mark[];
  theme: string;
  cursor: Cursor;
  onView: (from: number, to: number) => void;
  onReset: () => void;
  /** By keys: a factor of zoom, or parts of the view to move by. */
  onZoom: (factor: number) => void;
  onMove: (parts: number) => void;
}

/** One metric over time: what it says in figures, the drawing, and the same as text. */
export function Chart(props: ChartProps): JSX.Element {
  const { Dygraph, metric, unit, points, limits, view, cursor } = props;
  const t = useT();
  const format = useFormat();
  const language = useRegion();
  const id = useId();
  const name = format.metric(metric);
  const colours = useMemo(() => coloursOf(metric), [metric, props.theme]);
  const figures = statistics(points, view.from, view.to);
  const range = valueRange(points, view.from, view.to, limits, metricBounds(metric, format), metric === "light_level");
  const number = (value: number): string => format.number(value, decimalsOf(metric, value));
  const withUnit = (value: number): string => unit ? `${number(value)}\u00a0${unit}` : number(value);
  const marks = inView(props.marks, view.from, view.to, Date.now());
  const summary = figures
    ? t("plant.chart_summary", {
      name, min: withUnit(figures.min), max: withUnit(figures.max), mean: withUnit(figures.mean), now: props.newest,
    })
    : t("plant.chart_empty", { name });
  return (
    <figure className="chart" data-metric={metric} aria-labelledby={`${id}-name`}>
      <div className="chart-head">
        <h3 id={`${id}-name`}><Icon name={metricIcon(metric)} />{name}</h3>
        <Reading cursor={cursor} points={points} view={view} withUnit={withUnit} newest={props.newest} />
      </div>
      <Steered cursor={cursor} points={points} view={view} label={summary} onZoom={props.onZoom} onMove={props.onMove}
        onReset={props.onReset} describe={(index) => readingText(points, index, format.dateTime, withUnit, t("plant.gap"))}>
        {Dygraph
          ? <Plot Dygraph={Dygraph} name={metric} points={points} view={view} range={range} limits={limits} colours={colours}
            language={language} number={format.number} cursor={cursor} onView={props.onView} onReset={props.onReset} />
          : <div className="plot" />}
        <Marks marks={marks} view={view} />
        {!figures && Dygraph && <p className="chart-nothing">{t("plant.nothing_measured")}</p>}
      </Steered>
      {figures && (
        <dl className="chart-figures" aria-label={t("plant.in_this_span")}>
          <div><dt>{t("plant.lowest")}</dt><dd>{withUnit(figures.min)}</dd></div>
          <div><dt>{t("plant.mean")}</dt><dd>{withUnit(figures.mean)}</dd></div>
          <div><dt>{t("plant.highest")}</dt><dd>{withUnit(figures.max)}</dd></div>
        </dl>
      )}
      <div className="chart-foot">
        <MarkList marks={marks} />
        <ChartTable name={name} unit={unit} points={points} view={view} number={number} />
      </div>
    </figure>
  );
}

/** The drawing as something keys can be pressed on: arrows move the cursor, with Shift the view, + and - zoom. */
function Steered({
  cursor, points, view, label, describe, onZoom, onMove, onReset, children,
}: Pick<ChartProps, "cursor" | "points" | "view" | "onZoom" | "onMove" | "onReset"> & {
  label: string; describe: (index: number) => string; children: React.ReactNode;
}): JSX.Element {
  const t = useT();
  const [said, setSaid] = useState("");
  function press(event: KeyboardEvent): void {
    const direction = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (direction !== 0 && event.shiftKey) onMove(direction / 4);
    else if (direction !== 0) step(direction);
    else if (event.key === "+" || event.key === "=") onZoom(0.5);
    else if (event.key === "-") onZoom(2);
    else if (event.key === "0") onReset();
    else if (event.key === "Escape") cursor.set(null);
    else return;
    event.preventDefault();
  }
  function step(direction: number): void {
    const at = cursor.get();
    const isInside = at !== null && at >= view.from && at <= view.to;
    const here = nearest(points, isInside ? at : view.to, view.to - view.from);
    if (here === null) return;
    const index = isInside ? neighbour(points, here, direction) : here;
    const time = points.time[index];
    if (time === undefined || time < view.from || time > view.to) return;
    cursor.set(time);
    setSaid(describe(index));
  }
  return (
    <div className="chart-area">
      <div className="chart-image" role="img" aria-label={label} tabIndex={0} onKeyDown={press}
        aria-keyshortcuts="ArrowLeft ArrowRight Shift+ArrowLeft Shift+ArrowRight + - 0" title={t("plant.chart_keys")}>
        {children}
      </div>
      <p className="visually-hidden" role="status">{said}</p>
    </div>
  );
}

/** The value at the shared cursor, else the newest. */
function Reading({
  cursor, points, view, withUnit, newest,
}: { cursor: Cursor; points: Points; view: View; withUnit: (value: number) => string; newest: string }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const element = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    const follow = (at: number | null): void => {
      if (!element.current) return;
      const index = at === null ? null : nearest(points, at, (view.to - view.from) / 40);
      element.current.textContent = at === null ? t("plant.now_value", { value: newest })
        : index === null ? `${format.dateTime(at)}: ${t("plant.gap")}`
        : readingText(points, index, format.dateTime, withUnit, t("plant.gap"));
      element.current.classList.toggle("chart-reading-then", at !== null);
    };
    follow(cursor.get());
    return cursor.listen(follow);
  });
  return <p className="chart-reading figure" ref={element} />;
}

function readingText(
  points: Points, index: number, when: (time: number) => string, withUnit: (value: number) => string, gap: string,
): string {
  const [time = 0, mean, low, high] = [points.time[index], points.mean[index], points.low[index], points.high[index]];
  if (typeof mean !== "number") return `${when(time)}: ${gap}`;
  const band = typeof low === "number" && typeof high === "number" && high > low ? ` (${withUnit(low)} – ${withUnit(high)})` : "";
  return `${when(time)}: ${withUnit(mean)}${band}`;
}

function neighbour(points: Points, from: number, direction: number): number {
  for (let index = from + direction; index >= 0 && index < points.time.length; index += direction) {
    if (typeof points.mean[index] === "number") return index;
  }
  return from;
}

function decimalsOf(metric: string, value: number): number {
  if (/moisture|humidity$|light|co2|ppfd|rssi|battery$|_ec/.test(metric)) return Math.abs(value) < 10 && !/light|rssi/.test(metric) ? 1 : 0;
  return Math.abs(value) >= 1000 ? 0 : /kpa|voltage/.test(metric) ? 2 : 1;
}
