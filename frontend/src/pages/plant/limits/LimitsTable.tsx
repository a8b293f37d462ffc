import type { Plant } from "../../../api/types";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { limitMetrics } from "./limitsForm";

/** For who may look, but not change. */
export function LimitsTable({ plant }: { plant: Plant }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const { shown } = limitMetrics(plant);
  if (shown.length === 0) return <p className="soft">{t("limit.none")}</p>;
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={t("plant.limits")}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t("plant.limits.metric")}</th>
            <th scope="col">{t("plant.limits")}</th>
            {plant.suggested_thresholds && <th scope="col">{t("plant.limits.of_species")}</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map((metric) => (
            <tr key={metric}>
              <th scope="row">{format.metric(metric)}</th>
              <td>{format.limits(plant.thresholds[metric], metric)}</td>
              {plant.suggested_thresholds && <td>{format.limits(plant.suggested_thresholds[metric], metric)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
