import { apiPath } from "../../../api/client";
import { Icon } from "../../../drawings/icons";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { IconButton } from "../../../ui/Button";
import { Segmented } from "../../../ui/Choice";
import { spanNames, spanOf, type SpanName, type View } from "./span";

/** From when to when, and how to get elsewhere without dragging. */
export function Toolbar({
  view, onSpan, onMove, onZoom, onNow,
}: {
  view: View; onSpan: (span: SpanName) => void; onMove: (parts: number) => void; onZoom: (factor: number) => void;
  onNow: () => void;
}): JSX.Element {
  const t = useT();
  const format = useFormat();
  const span = spanOf(view);
  return (
    <div className="chart-toolbar">
      <Segmented label={t("plant.span")} isLabelHidden value={span ?? ""}
        onValue={(value) => onSpan(value as SpanName)}
        options={spanNames.map((name) => ({ value: name, label: t(`plant.span.${name}`) }))} />
      <div className="chart-moves" role="group" aria-label={t("plant.move")}>
        <IconButton icon="chevron-left" label={t("plant.earlier")} onClick={() => onMove(-1)} />
        <IconButton icon="chevron-right" label={t("plant.later")} disabled={view.isLive} onClick={() => onMove(1)} />
        <IconButton icon="minus" label={t("plant.zoom_out")} onClick={() => onZoom(2)} />
        <IconButton icon="plus" label={t("plant.zoom_in")} onClick={() => onZoom(0.5)} />
        <button type="button" className="button chart-now" disabled={view.isLive} onClick={onNow}>{t("plant.to_now")}</button>
      </div>
      <p className="chart-span figure">
        {format.dateTime(view.from)} – {view.isLive ? t("plant.until_now") : format.dateTime(view.to)}
      </p>
    </div>
  );
}

/** What was measured, as a file: of the time shown, or all there is. */
export function Downloads({ plant, view }: { plant: string; view: View }): JSX.Element {
  const t = useT();
  const span = { from: new Date(view.from).toISOString(), to: new Date(view.to).toISOString() };
  return (
    <p className="chart-downloads">
      <Icon name="download" />
      <span>{t("plant.csv")}</span>
      <a href={apiPath(`/plants/${plant}/export.csv`, span)} download>{t("plant.csv_span")}</a>
      <a href={apiPath(`/plants/${plant}/export.csv`)} download>{t("plant.csv_all")}</a>
    </p>
  );
}
