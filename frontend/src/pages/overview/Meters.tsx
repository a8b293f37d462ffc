import type { Plant } from "../../api/types";
import { Icon } from "../../drawings/icons";
import { useFormat } from "../../format";
import { useT } from "../../i18n";
import { fault, metricIcon, valueOf } from "../../metrics";
import { scaleOf, telling } from "./judge";

/** The values that say most, each with a bar that has its limits marked. */
export function Meters({ plant, count }: { plant: Plant; count: number }): JSX.Element | null {
  const shown = telling(plant, count);
  if (shown.length === 0) return null;
  return <ul className="meters">{shown.map((metric) => <Meter key={metric} plant={plant} metric={metric} />)}</ul>;
}

export function Meter({ plant, metric }: { plant: Plant; metric: string }): JSX.Element | null {
  const t = useT();
  const format = useFormat();
  const value = valueOf(plant.latest_telemetry, metric);
  if (value === null) return null;
  const limits = plant.thresholds[metric] ?? {};
  const beyond = fault(plant, metric);
  const words = format.limits(limits, metric);
  return (
    <li className={beyond ? `meter meter-beyond meter-${plant.status}` : "meter"} title={`${format.metric(metric)}: ${words}`}>
      <span className="meter-name"><Icon name={metricIcon(metric)} />{format.metric(metric)}</span>
      <span className="meter-value figure">
        {format.value(value, metric)}
        {beyond && (
          <span className="meter-fault">
            <Icon name={beyond === "min" ? "chevron-down" : "chevron-up"} />
            {t(beyond === "min" ? "limit.too_low" : "limit.too_high")}
          </span>
        )}
      </span>
      <Bar metric={metric} value={value} limits={limits} />
      <span className="visually-hidden">{words}</span>
    </li>
  );
}

function Bar({ metric, value, limits }: { metric: string; value: number; limits: Plant["thresholds"][string] }): JSX.Element {
  const scale = scaleOf(metric, limits, value);
  if (!scale) return <span className="meter-bar meter-bar-none" />;
  const [low, high] = scale;
  const at = (amount: number): number => Math.min(100, Math.max(0, ((amount - low) / (high - low)) * 100));
  const { min, max } = limits;
  const from = typeof min === "number" ? at(min) : 0;
  const to = typeof max === "number" ? at(max) : 100;
  const isLimited = typeof min === "number" || typeof max === "number";
  return (
    <span className="meter-bar" aria-hidden="true">
      {isLimited && <span className="meter-inside" style={{ left: `${from}%`, width: `${Math.max(0, to - from)}%` }} />}
      {typeof min === "number" && <span className="meter-limit" style={{ left: `${from}%` }} />}
      {typeof max === "number" && <span className="meter-limit" style={{ left: `${to}%` }} />}
      <span className="meter-mark" style={{ left: `${at(value)}%` }} />
    </span>
  );
}
