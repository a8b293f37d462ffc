// What the charts use of dygraphs 2.2, which comes without types. https://dygraphs.com/options.html
declare module "dygraphs" {
  export type Value = number | Date | null;
  /** A number, or [low, middle, high] where the option `customBars` is on. */
  export type Cell = number | null | [number | null, number | null, number | null];
  export type Row = [Date | number, ...Cell[]];

  export interface Area { x: number; y: number; w: number; h: number }

  export interface Point {
    name: string;
    xval: number;
    yval: number | null;
    canvasx: number;
    canvasy: number;
    idx: number;
  }

  export interface Annotation {
    series: string;
    x: number | string;
    shortText?: string;
    text?: string;
    icon?: string;
    width?: number;
    height?: number;
    cssClass?: string;
    tickHeight?: number;
    tickWidth?: number;
    tickColor?: string;
    attachAtBottom?: boolean;
    clickHandler?: (annotation: Annotation, point: Point, dygraph: Dygraph, event: MouseEvent) => void;
  }

  export interface AxisOptions {
    axisLabelFormatter?: (value: number | Date, granularity: number, options: (name: string) => unknown, dygraph: Dygraph) => string;
    valueFormatter?: (value: number) => string;
    axisLabelWidth?: number;
    axisLabelFontSize?: number;
    axisLineColor?: string;
    drawAxis?: boolean;
    drawGrid?: boolean;
    gridLineColor?: string;
    gridLineWidth?: number;
    pixelsPerLabel?: number;
    includeZero?: boolean;
    valueRange?: [number | null, number | null];
    ticker?: (min: number, max: number, pixels: number, options: (name: string) => unknown, dygraph: Dygraph) => Array<{ v: number; label: string }>;
  }

  export interface SeriesOptions {
    axis?: "y1" | "y2";
    color?: string;
    strokeWidth?: number;
    strokePattern?: number[] | null;
    fillGraph?: boolean;
    drawPoints?: boolean;
    pointSize?: number;
  }

  export interface Options extends AxisOptions {
    animatedZooms?: boolean;
    animateBackgroundFade?: boolean;
    axes?: { x?: AxisOptions; y?: AxisOptions; y2?: AxisOptions };
    colors?: string[];
    connectSeparatedPoints?: boolean;
    customBars?: boolean;
    dateWindow?: [number, number] | null;
    drawCallback?: (dygraph: Dygraph, isInitial: boolean) => void;
    drawGapEdgePoints?: boolean;
    errorBars?: boolean;
    file?: Row[];
    fillAlpha?: number;
    fillGraph?: boolean;
    height?: number;
    hideOverlayOnMouseOut?: boolean;
    highlightCallback?: (event: MouseEvent, x: number, points: Point[], row: number, series: string | undefined) => void;
    highlightCircleSize?: number;
    interactionModel?: Record<string, unknown>;
    isZoomedIgnoreProgrammaticZoom?: boolean;
    labels?: string[];
    labelsDiv?: HTMLElement | string;
    labelsUTC?: boolean;
    legend?: "always" | "follow" | "never" | "onmouseover";
    legendFormatter?: (data: unknown) => string | Node;
    pointClickCallback?: (event: MouseEvent, point: Point) => void;
    clickCallback?: (event: MouseEvent, x: number, points: Point[]) => void;
    plotter?: unknown;
    pointSize?: number;
    rangeSelectorHeight?: number;
    resizable?: "no" | "horizontal" | "vertical" | "both";
    rightGap?: number;
    series?: Record<string, SeriesOptions>;
    showRangeSelector?: boolean;
    strokePattern?: number[] | null;
    strokeWidth?: number;
    title?: string;
    underlayCallback?: (context: CanvasRenderingContext2D, area: Area, dygraph: Dygraph) => void;
    unhighlightCallback?: (event: MouseEvent) => void;
    visibility?: boolean[];
    width?: number;
    xlabel?: string;
    ylabel?: string;
    xRangePad?: number;
    yRangePad?: number;
    zoomCallback?: (min: number, max: number, yRanges: Array<[number, number]>) => void;
  }

  export default class Dygraph {
    constructor(element: HTMLElement, data: Row[] | string | (() => string | Row[]), options?: Options);
    destroy(): void;
    updateOptions(options: Options, blockRedraw?: boolean): void;
    resetZoom(): void;
    resize(width?: number, height?: number): void;
    isZoomed(axis?: "x" | "y"): boolean;
    xAxisRange(): [number, number];
    xAxisExtremes(): [number, number];
    yAxisRange(index?: number): [number, number];
    toDomXCoord(x: number): number;
    toDomYCoord(y: number, axis?: number): number;
    toDomCoords(x: number | null, y: number | null, axis?: number): [number, number];
    toDataXCoord(x: number): number;
    toDataYCoord(y: number, axis?: number): number;
    eventToDomCoords(event: Event): [number, number];
    getArea(): Area;
    getValue(row: number, column: number): number | null;
    numRows(): number;
    numColumns(): number;
    getLabels(): string[] | null;
    setAnnotations(annotations: Annotation[], suppressDraw?: boolean): void;
    annotations(): Annotation[];
    setSelection(row: number | false, series?: string, locked?: boolean): boolean;
    clearSelection(): void;
    getSelection(): number;
    setVisibility(index: number, value: boolean): void;
    ready(callback: (dygraph: Dygraph) => void): void;
    getOption(name: string, series?: string): unknown;
    graphDiv: HTMLElement;
    static PLUGINS: unknown[];
    static Plugins: Record<"Legend" | "Axes" | "Annotations" | "ChartLabels" | "Grid" | "RangeSelector", unknown>;
    static defaultInteractionModel: Record<string, unknown>;
    static startPan(event: MouseEvent, dygraph: Dygraph, context: unknown): void;
    static movePan(event: MouseEvent, dygraph: Dygraph, context: unknown): void;
    static endPan(event: MouseEvent, dygraph: Dygraph, context: unknown): void;
    static startZoom(event: MouseEvent, dygraph: Dygraph, context: unknown): void;
    static moveZoom(event: MouseEvent, dygraph: Dygraph, context: unknown): void;
    static endZoom(event: MouseEvent, dygraph: Dygraph, context: unknown): void;
  }
}
