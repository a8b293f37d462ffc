import { useState } from "react";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { range, type Points } from "./rows";
import type { View } from "./span";

/** More rows help nobody; the CSV file has all of them. */
const most = 400;

/** The chart's points in the view, for who reads rather than looks. */
export function ChartTable({
  name, unit, points, view, number,
}: { name: string; unit: string; points: Points; view: View; number: (value: number) => string }): JSX.Element {
  const t = useT();
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="chart-more" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("plant.as_table")}</summary>
      {isOpen && <Rows name={name} unit={unit} points={points} view={view} number={number} />}
    </details>
  );
}

function Rows({ name, unit, points, view, number }: Parameters<typeof ChartTable>[0]): JSX.Element {
  const t = useT();
  const format = useFormat();
  const [start, end] = range(points, view.from, view.to);
  const indices = Array.from({ length: Math.max(0, end - start) }, (_, index) => end - 1 - index);
  const figure = (value: number | null | undefined): string => typeof value === "number" ? number(value) : t("plant.gap");
  return (
    <div className="chart-table" tabIndex={0} role="region" aria-label={t("plant.table_of", { name })}>
      <table>
        <caption className="visually-hidden">{t("plant.table_of", { name })}</caption>
        <thead>
          <tr>
            <th scope="col">{t("plant.time")}</th>
            <th scope="col" className="number">{t("plant.mean")}{unit && ` (${unit})`}</th>
            <th scope="col" className="number">{t("plant.lowest")}</th>
            <th scope="col" className="number">{t("plant.highest")}</th>
          </tr>
        </thead>
        <tbody>
          {indices.slice(0, most).map((index) => (
            <tr key={index}>
              <th scope="row">{format.dateTime(points.time[index] ?? 0)}</th>
              <td className="number">{figure(points.mean[index])}</td>
              <td className="number">{figure(points.low[index])}</td>
              <td className="number">{figure(points.high[index])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {indices.length > most && <p className="soft small">{t("plant.table_cut", { count: most })}</p>}
    </div>
  );
}
