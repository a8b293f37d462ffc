import { useState } from "react";
import { useFormat } from "../../../format";
import { useT } from "../../../i18n";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { CheckField } from "../../../ui/Field";

/** Which metrics have a chart. */
export function ChartChoice({
  available, chosen, onChosen,
}: { available: readonly string[]; chosen: readonly string[]; onChosen: (metrics: string[]) => void }): JSX.Element {
  const t = useT();
  const format = useFormat();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button icon="chart" aria-haspopup="dialog" onClick={() => setOpen(true)}>{t("plant.choose_charts")}</Button>
      {isOpen && (
        <Dialog title={t("plant.choose_charts")} onClose={() => setOpen(false)}>
          <p className="soft">{t("plant.choose_charts_text")}</p>
          <div className="chart-choices">
            {available.map((metric) => {
              const isChosen = chosen.includes(metric);
              return (
                <CheckField key={metric} label={format.metric(metric)} checked={isChosen}
                  // One is left: no chart at all would be no page of charts.
                  disabled={isChosen && chosen.length === 1}
                  onValue={(wanted) => onChosen(available.filter((one) => one === metric ? wanted : chosen.includes(one)))} />
              );
            })}
          </div>
          <div className="dialog-actions">
            <Button kind="primary" onClick={() => setOpen(false)}>{t("plant.done")}</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
