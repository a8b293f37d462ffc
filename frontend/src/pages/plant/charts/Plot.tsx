import type Dygraph from "dygraphs";
import type { Row } from "dygraphs";
import { useEffect, useLayoutEffect, useMemo, useRef } from "react";
import type { Limits } from "../../../api/types";
import type { Colours } from "./colours";
import type { Cursor } from "./cursor";
import { listenToGestures } from "./gestures";
import type { DygraphClass } from "./loadDygraphs";
import { nearest, type Points } from "./rows";
import { timeTicks } from "./scale";
import type { View } from "./span";

export interface PlotProps {
  Dygraph: DygraphClass;
  /** Of the metric, for measuring how long a drawing takes. */
  name: string;
  points: Points;
  view: View;
  range: readonly [number, number];
  /** In the unit shown. */
  limits: Limits;
  colours: Colours;
  language: string;
  number: (value: number, decimals: number) => string;
  cursor: Cursor;
  onView: (from: number, to: number) => void;
  onReset: () => void;
}

/** Left of the plot: the scale. Known to plant.css, which lays the marks over it. */
const labelWidth = 46;
const rightGap = 8;

/** dygraphs in React: made once, told what has changed. */
export function Plot(props: PlotProps): JSX.Element {
  const { Dygraph, name, points, view, range, limits, colours, language, number, cursor } = props;
  const host = useRef<HTMLDivElement>(null);
  const area = useRef<HTMLDivElement>(null);
  const line = useRef<HTMLDivElement>(null);
  const dot = useRef<HTMLDivElement>(null);
  const marked = useRef<HTMLDivElement>(null);
  const graph = useRef<Dygraph | null>(null);
  const latest = useRef(props);
  latest.current = props;
  /** Just made, with all that is to be shown. */
  const isFresh = useRef(false);
  const rows = useMemo(() => rowsOf(points), [points]);

  useLayoutEffect(() => {
    if (!host.current) return;
    const started = performance.now();
    const made = new Dygraph(host.current, rowsOf(latest.current.points), {
      labels: ["time", "value"], customBars: true, connectSeparatedPoints: false, drawGapEdgePoints: true,
      // Hands and cursor are our own: shared by all charts, and without taking a swipe from the page.
      interactionModel: {}, highlightCircleSize: 0, strokeWidth: 2, fillAlpha: 0.22, rightGap,
      axisLabelFontSize: 12, pointSize: 1.5,
      underlayCallback: (context, plot, dygraph) => shade(context, plot, dygraph, latest.current),
      ...changing(latest.current),
    });
    graph.current = made;
    isFresh.current = true;
    measure(latest.current.name, started);
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(host.current);
    return () => {
      observer.disconnect();
      graph.current = null;
      made.destroy();
    };
  }, [Dygraph]);

  useEffect(() => {
    if (isFresh.current) {
      isFresh.current = false;
      return;
    }
    const started = performance.now();
    graph.current?.updateOptions({ file: rows, ...changing(latest.current) });
    measure(name, started);
  }, [rows, name, view.from, view.to, range[0], range[1], limits.min, limits.max, colours, language, number]);

  useEffect(() => {
    const follow = (at: number | null): void => placeCursor(graph.current, line.current, dot.current, latest.current.points, at);
    follow(cursor.get());
    return cursor.listen(follow);
  }, [cursor, rows, view.from, view.to, range[0], range[1]]);

  useEffect(() => {
    const element = area.current;
    if (!element) return;
    return listenToGestures(element, {
      timeAt: (clientX) => graph.current?.toDataXCoord(clientX - element.getBoundingClientRect().left) ?? 0,
      point: (time) => cursor.set(time),
      mark: (from, to) => {
        const [left, right] = [graph.current?.toDomXCoord(from) ?? 0, graph.current?.toDomXCoord(to) ?? 0];
        show(marked.current, { left: `${left}px`, width: `${Math.max(right - left, 1)}px` });
      },
      unmark: () => show(marked.current, null),
      show: (from, to) => latest.current.onView(from, to),
      shown: () => latest.current.view,
      showAll: () => latest.current.onReset(),
    });
  }, [cursor]);

  return (
    <div className="plot" ref={area}>
      <div className="plot-canvas" ref={host} />
      <div className="plot-marked" ref={marked} hidden />
      <div className="plot-line" ref={line} hidden />
      <div className="plot-dot" ref={dot} hidden />
    </div>
  );
}

function rowsOf(points: Points): Row[] {
  if (points.time.length === 0) return [[Date.now(), null]];
  return points.time.map((time, index) => {
    const mean = points.mean[index] ?? null;
    return [time, mean === null ? null : [points.low[index] ?? mean, mean, points.high[index] ?? mean]];
  });
}

function changing({ view, range, colours, language, number }: PlotProps): object {
  const decimals = range[1] - range[0] < 1.5 ? 2 : range[1] - range[0] < 12 ? 1 : 0;
  return {
    dateWindow: [view.from, view.to], colors: [colours.line],
    axes: {
      x: {
        ticker: (min: number, max: number, pixels: number) => timeTicks(min, max, pixels, language),
        drawGrid: false, axisLineColor: colours.axis,
      },
      y: {
        valueRange: [...range], axisLabelWidth: labelWidth, pixelsPerLabel: 34, gridLineColor: colours.grid,
        axisLineColor: "transparent", axisLabelFormatter: (value: number) => number(value, decimals),
      },
    },
  };
}

/** What is beyond the limits is shaded, and each limit is a dashed line: told apart without colour as well. */
function shade(
  context: CanvasRenderingContext2D, plot: { x: number; y: number; w: number; h: number }, dygraph: Dygraph,
  { limits, colours }: PlotProps,
): void {
  const place = (value: number): number => Math.min(Math.max(dygraph.toDomYCoord(value), plot.y), plot.y + plot.h);
  const line = (y: number): void => {
    if (y <= plot.y || y >= plot.y + plot.h) return;
    context.beginPath();
    context.setLineDash([6, 4]);
    context.strokeStyle = colours.limit;
    context.lineWidth = 1;
    context.moveTo(plot.x, Math.round(y) + 0.5);
    context.lineTo(plot.x + plot.w, Math.round(y) + 0.5);
    context.stroke();
  };
  context.save();
  context.fillStyle = colours.outside;
  if (typeof limits.max === "number") {
    const y = place(limits.max);
    context.fillRect(plot.x, plot.y, plot.w, y - plot.y);
    line(y);
  }
  if (typeof limits.min === "number") {
    const y = place(limits.min);
    context.fillRect(plot.x, y, plot.w, plot.y + plot.h - y);
    line(y);
  }
  context.restore();
}

function placeCursor(
  graph: Dygraph | null, line: HTMLElement | null, dot: HTMLElement | null, points: Points, at: number | null,
): void {
  if (!graph) return;
  const plot = graph.getArea();
  const x = at === null ? -1 : graph.toDomXCoord(at);
  const isInside = at !== null && x >= plot.x && x <= plot.x + plot.w;
  show(line, isInside ? { transform: `translateX(${x}px)` } : null);
  const [from, to] = graph.xAxisRange();
  const index = isInside ? nearest(points, at, (to - from) / 40) : null;
  const value = index === null ? null : points.mean[index];
  if (index === null || typeof value !== "number") return show(dot, null);
  const [left, top] = graph.toDomCoords(points.time[index] ?? 0, value);
  show(dot, { transform: `translate(${left}px, ${top}px)` });
}

function show(element: HTMLElement | null, style: Partial<CSSStyleDeclaration> | null): void {
  if (!element) return;
  element.hidden = style === null;
  if (style) Object.assign(element.style, style);
}

/** Seen in the browser's performance tools, and by the tests. */
function measure(name: string, started: number): void {
  const label = `chart ${name}`;
  performance.clearMeasures(label);
  performance.measure(label, { start: started, end: performance.now() });
}
