import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Plant, PlantEvent } from "../../../api/types";
import { setQuery, useQuery } from "../../../app/router";
import { useFormat, useNow } from "../../../format";
import { useT } from "../../../i18n";
import { useLiveEvents } from "../../../live/hooks";
import { isDerivedMetric, valueOf } from "../../../metrics";
import { useAlertText } from "../../../ui/alertText";
import { ProblemNotice } from "../../../ui/Notice";
import { Card } from "../../../ui/Page";
import { metricsOf } from "../measured";
import { Chart } from "./Chart";
import { ChartChoice } from "./ChartChoice";
import { useTheme } from "./colours";
import { Cursor } from "./cursor";
import { loadDygraphs, type DygraphClass } from "./loadDygraphs";
import { alertMarks, eventMarks } from "./marks";
import { pointsOf } from "./rows";
import { liveView, moved, spanNames, spans, viewOf, zoomed, type SpanName, type View } from "./span";
import { Downloads, Toolbar } from "./Toolbar";
import { seriesSource, useAlertsSince, useHistory } from "./useHistory";
import { useLivePoints } from "./useLivePoints";

const first = ["soil_moisture", "temperature", "humidity", "light_level"];

/** All charts of a plant over one stretch of time, with one cursor. */
export function ChartsCard({ plant, events }: { plant: Plant; events: readonly PlantEvent[] }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const theme = useTheme();
  const query = useQuery();
  const asked = query.get("span");
  const span: SpanName = spanNames.find((name) => name === asked) ?? "day";
  const [state, setState] = useState<View>(() => liveView(spans[span], Date.now()));
  const clock = useNow(20);
  const live = useLivePoints(plant.id);
  const view = useMemo<View>(
    () => state.isLive ? liveView(state.to - state.from, Date.now()) : state, [state, clock, live.version],
  );
  const latestView = useRef(view);
  latestView.current = view;

  const available = metricsOf(plant);
  const wanted = query.get("charts")?.split(",").filter((name) => available.includes(name));
  const usual = first.filter((name) => available.includes(name));
  const chosen = wanted && wanted.length > 0 ? wanted : usual.length > 0 ? usual : ["soil_moisture"];

  const loaded = useHistory(plant.id, view, chosen);
  const { isFull, clear } = live;
  useEffect(() => {
    if (!isFull) return;
    clear();
    loaded.reload();
  }, [isFull, clear, loaded.reload]);

  const alertChanges = useAlertChanges(plant.id);
  const { what } = useAlertText();
  const alerts = useAlertsSince(plant.id, view.from, alertChanges);
  const { Dygraph, hasFailed } = useDygraphs();
  const [cursor] = useState(() => new Cursor());

  const show = useCallback((from: number, to: number) => setState(viewOf(from, to, Date.now())), []);
  const zoom = useCallback((factor: number) => setState(zoomed(latestView.current, factor, Date.now())), []);
  const move = useCallback((parts: number) => setState(moved(latestView.current, parts, Date.now())), []);
  const reset = useCallback(() => setState(liveView(spans[span], Date.now())), [span]);
  const choose = (name: SpanName): void => {
    setQuery({ span: name === "day" ? null : name });
    setState(liveView(spans[name], Date.now()));
  };

  const occurrences = useMemo(() => eventMarks(events, format, t), [events, format, t]);
  return (
    <Card title={t("plant.charts")} className="charts-card"
      actions={<ChartChoice available={available} chosen={chosen}
        onChosen={(names) => setQuery({ charts: names.join() === usual.join() ? null : names.join() })} />}>
      <Toolbar view={view} onSpan={choose} onMove={move} onZoom={zoom}
        onNow={() => setState(liveView(view.to - view.from, Date.now()))} />
      {loaded.error && <ProblemNotice error={loaded.error} onRetry={loaded.reload} />}
      {hasFailed && <p className="soft" role="alert">{t("plant.charts_failed")}</p>}
      <div className="charts" aria-busy={loaded.isLoading}>
        {chosen.map((metric, index) => (
          <PlantChart key={metric} plant={plant} metric={metric} view={view} version={live.version}
            live={loaded.shown?.question.resolution === "1d" ? [] : live.of(metric)}
            history={seriesSource(loaded.shown, metric)} Dygraph={loaded.shown ? Dygraph : null}
            marks={[...alertMarks(alerts, metric, what), ...(index === 0 ? occurrences : [])]}
            theme={theme} cursor={cursor} onView={show} onReset={reset} onZoom={zoom} onMove={move} />
        ))}
      </div>
      <div className="charts-foot">
        <p className="soft small">{t("plant.chart_hint")}</p>
        <Downloads plant={plant.id} view={view} />
      </div>
    </Card>
  );
}

type Passed = Omit<Parameters<typeof Chart>[0], "unit" | "points" | "limits" | "newest">;

/** Puts figures into the unit shown. */
function PlantChart({
  plant, history, live, version, ...rest
}: Passed & {
  plant: Plant; history: Parameters<typeof pointsOf>[0]; live: Parameters<typeof pointsOf>[2]; version: number;
}): JSX.Element {
  const format = useFormat();
  const { metric } = rest;
  const points = useMemo(
    () => pointsOf(history, metric, live, (value) => format.shown(value, metric)), [history, metric, live, version, format],
  );
  const limits = plant.thresholds[metric];
  const shown = (value: number | null | undefined): number | null =>
    typeof value === "number" ? format.shown(value, metric) : null;
  const unit = history?.series[metric]?.unit ?? null;
  const newest = isDerivedMetric(metric) ? plant.derived[metric] : valueOf(plant.latest_telemetry, metric);
  return (
    <Chart {...rest} points={points} unit={format.unit(metric, unit)} newest={format.value(newest, metric, unit)}
      limits={{ min: shown(limits?.min), max: shown(limits?.max) }} />
  );
}

function useDygraphs(): { Dygraph: DygraphClass | null; hasFailed: boolean } {
  const [state, setState] = useState<{ Dygraph: DygraphClass | null; hasFailed: boolean }>({ Dygraph: null, hasFailed: false });
  useEffect(() => {
    let isGone = false;
    loadDygraphs().then(
      (Dygraph) => isGone || setState({ Dygraph, hasFailed: false }),
      () => isGone || setState({ Dygraph: null, hasFailed: true }),
    );
    return () => {
      isGone = true;
    };
  }, []);
  return state;
}

/** Rises whenever an alert of this plant has changed. */
function useAlertChanges(plant: string): number {
  const [changes, setChanges] = useState(0);
  useLiveEvents((event) => {
    if (event.name !== "alert") return;
    if ((JSON.parse(event.data) as { plant_id?: string | null }).plant_id === plant) setChanges((count) => count + 1);
  });
  return changes;
}

