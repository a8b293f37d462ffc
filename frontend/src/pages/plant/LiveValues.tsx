import type { Plant } from "../../api/types";
import { Icon } from "../../drawings/icons";
import { useFormat, useNow } from "../../format";
import { useT, type MessageKey } from "../../i18n";
import { fault, isDerivedMetric, metricIcon, plantMetrics, valueOf } from "../../metrics";
import { Card } from "../../ui/Page";
import { derivedMetricsOf, extraMetricsOf } from "./measured";
import { Scale } from "./Scale";

/** A value older than the newest by this much is told to be. */
const old = 15 * 60_000;

/** Everything known of the plant right now, against its limits. */
export function LiveValues({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  const measured = plantMetrics.filter(
    (metric) => valueOf(plant.latest_telemetry, metric) !== null || plant.thresholds[metric] !== undefined,
  );
  const derived = derivedMetricsOf(plant);
  const all = [...measured, ...extraMetricsOf(plant)];
  return (
    <Card title={t("plant.values")} className="values-card">
      {all.length === 0 && <p className="soft">{t("plant.no_values")}</p>}
      <ul className="values">{all.map((metric) => <Value key={metric} plant={plant} metric={metric} />)}</ul>
      {derived.length > 0 && (
        <>
          <h3 className="values-more">{t("plant.derived")}</h3>
          <ul className="values values-derived">
            {derived.map((metric) => <DerivedValue key={metric} plant={plant} metric={metric} />)}
          </ul>
        </>
      )}
    </Card>
  );
}

function Value({ plant, metric }: { plant: Plant; metric: string }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const value = valueOf(plant.latest_telemetry, metric);
  const limits = plant.thresholds[metric];
  const side = fault(plant, metric);
  const tone = side === null ? "ok" : plant.status === "critical" ? "critical" : "warning";
  const measuredAt = plant.latest_telemetry?.measured_at?.[metric];
  const isOld = measuredAt !== undefined && now - Date.parse(measuredAt) > old;
  return (
    <li className={side === null ? "value" : `value value-${tone}`} data-metric={metric}>
      <span className="value-name"><Icon name={metricIcon(metric)} />{format.metric(metric)}</span>
      <span className="value-figure figure">
        {format.bare(value, metric)}<span className="value-unit">{value === null ? "" : ` ${format.unit(metric)}`}</span>
      </span>
      {limits && <Scale metric={metric} value={value} limits={limits} />}
      <span className="value-foot">
        {side !== null && (
          <strong><Icon name={tone === "critical" ? "critical" : "warning"} />
            {t(side === "min" ? "limit.too_low" : "limit.too_high")}
          </strong>
        )}
        <span>{limits ? t("plant.limits_are", { limits: format.limits(limits, metric) }) : t("limit.none")}</span>
        {isOld && measuredAt && <span>{t("plant.measured", { time: format.relative(measuredAt, now) })}</span>}
      </span>
    </li>
  );
}

function DerivedValue({ plant, metric }: { plant: Plant; metric: string }): JSX.Element | null {
  const t = useT();
  const format = useFormat();
  if (!isDerivedMetric(metric)) return null;
  const value = plant.derived[metric];
  return (
    <li className="value" data-metric={metric}>
      <span className="value-name">{format.metric(metric)}</span>
      <span className="value-figure figure">
        {format.bare(value, metric)}<span className="value-unit"> {format.unit(metric)}</span>
      </span>
      <span className="value-foot">{t(`plant.about.${metric}` as MessageKey)}</span>
    </li>
  );
}
