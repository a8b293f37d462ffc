import { Icon } from "../../../drawings/icons";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import type { Mark } from "./marks";
import type { View } from "./span";

/** Over the plot; what they say is in the list below the chart. */
export function Marks({ marks, view }: { marks: readonly Mark[]; view: View }): JSX.Element {
  const width = view.to - view.from;
  const part = (time: number): number => Math.min(Math.max((time - view.from) / width, 0), 1);
  return (
    <div className="marks" aria-hidden="true">
      {marks.map((mark) => {
        const [start, end] = [part(mark.time), part(mark.until ?? view.to)];
        const lasts = mark.until !== undefined;
        return (
          <span key={mark.id} className={`mark mark-${mark.tone} ${start > 0.95 ? "mark-late" : ""}`} title={mark.text}
            style={{ left: `${start * 100}%`, width: lasts ? `${(end - start) * 100}%` : 0 }}>
            {mark.time >= view.from && <span className="mark-sign"><Icon name={mark.icon} /></span>}
          </span>
        );
      })}
    </div>
  );
}

export function MarkList({ marks }: { marks: readonly Mark[] }): JSX.Element | null {
  const t = useT();
  const format = useFormat();
  if (marks.length === 0) return null;
  const sorted = [...marks].sort((a, b) => b.time - a.time);
  return (
    <details className="chart-more">
      <summary>{t("plant.marks", { count: marks.length })}</summary>
      <ul className="mark-list">
        {sorted.map((mark) => (
          <li key={mark.id}>
            <Icon name={mark.icon} />
            <span>
              {mark.text}
              <span className="soft"> · {format.dateTime(mark.time)}{mark.until ? ` – ${format.dateTime(mark.until)}` : ""}</span>
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
